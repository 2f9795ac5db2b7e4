// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Where things lie on the disk, and which names there are whose.
//!
//! ```text
//! packages/<component id>.imagepackage   installed
//! staged/0.part                          being transferred; gone after a boot
//! staged/<component id>.imagepackage     staged; gone after a boot
//! config/<component id>/mutable          an app's one mutable file
//! ```

use std::path::{Path, PathBuf};

use policy::ComponentId;

/// How names of package files end.
const PACKAGE_SUFFIX: &str = ".imagepackage";
/// Name of the file that a transfer fills.
const PART: &str = "0.part";
/// Name of an app's mutable file in its directory.
const MUTABLE: &str = "mutable";

/// The paths below one root directory.
#[derive(Debug, Clone)]
pub struct Layout {
    root: PathBuf,
}

impl Layout {
    /// Below `root`, which exists.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The root.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The directory of installed packages.
    pub fn packages(&self) -> PathBuf {
        self.root.join("packages")
    }

    /// The directory of staged packages.
    pub fn staged(&self) -> PathBuf {
        self.root.join("staged")
    }

    /// The directory of the apps' data.
    pub fn config(&self) -> PathBuf {
        self.root.join("config")
    }

    /// An installed package.
    pub fn package(&self, component: ComponentId) -> PathBuf {
        self.packages().join(format!("{component}{PACKAGE_SUFFIX}"))
    }

    /// A staged package.
    pub fn staged_package(&self, component: ComponentId) -> PathBuf {
        self.staged().join(format!("{component}{PACKAGE_SUFFIX}"))
    }

    /// The file that a transfer fills.
    pub fn part(&self) -> PathBuf {
        self.staged().join(PART)
    }

    /// The directory of one app's data.
    pub fn data(&self, component: ComponentId) -> PathBuf {
        self.config().join(component.to_string())
    }

    /// An app's mutable file.
    pub fn mutable(&self, component: ComponentId) -> PathBuf {
        self.data(component).join(MUTABLE)
    }
}

/// The component of a package file's name; `None` for any other name, upper case included, because a
/// component has exactly one name.
pub fn package_component(name: &str) -> Option<ComponentId> {
    data_component(name.strip_suffix(PACKAGE_SUFFIX)?)
}

/// The component of a data directory's name.
pub fn data_component(name: &str) -> Option<ComponentId> {
    let component: ComponentId = name.parse().ok()?;
    (component.to_string() == name).then_some(component)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "2f074b0f-d99d-4692-82d9-ef93a7d6463c";

    #[test]
    fn names_lead_back_to_their_component() {
        let component: ComponentId = ID.parse().unwrap();
        let layout = Layout::new("/data");
        let path = layout.package(component);
        assert_eq!(
            path,
            Path::new("/data/packages/2f074b0f-d99d-4692-82d9-ef93a7d6463c.imagepackage")
        );
        let name = path.file_name().unwrap().to_str().unwrap();
        assert_eq!(package_component(name), Some(component));
        assert_eq!(data_component(ID), Some(component));
    }

    #[test]
    fn other_names_belong_to_nobody() {
        for name in [
            "",
            ".imagepackage",
            "0.part",
            ID,
            "2F074B0F-D99D-4692-82D9-EF93A7D6463C.imagepackage",
            "2f074b0f-d99d-4692-82d9-ef93a7d6463c.imagepackage.part",
        ] {
            assert_eq!(package_component(name), None, "{name}");
        }
        assert_eq!(data_component("lost+found"), None);
    }
}
