// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Control groups: what an app takes of memory, tasks and processor, and an end for all its processes at once.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

use policy::ComponentId;

use crate::limits::{
    ALL_APPS_CPU, ALL_APPS_MEMORY, ALL_APPS_TASKS, ALL_APPS_WEIGHT, CPU_PERIOD, Limits,
};

/// Where control groups (version 2) are mounted.
pub const ROOT: &str = "/sys/fs/cgroup";
/// The group above the groups of the apps.
const APPS: &str = "apps";
/// The group above the groups of the services.
const SERVICES: &str = "services";
/// The controllers that limits need.
pub const CONTROLLERS: [&str; 3] = ["cpu", "memory", "pids"];

/// A control group could not be changed or read.
#[derive(Debug, thiserror::Error)]
#[error("control group {}: {source}; the kernel needs the controllers cpu, memory and pids", path.display())]
#[non_exhaustive]
pub struct CgroupError {
    /// The file or directory.
    pub path: PathBuf,
    /// What went wrong.
    pub source: io::Error,
}

/// The groups of the system, ready for those of apps and services.
#[derive(Clone, Debug)]
pub struct Cgroups {
    root: PathBuf,
}

impl Cgroups {
    /// Makes the groups above those of the apps and services, and lets them limit what is below. To be called
    /// once at boot; calling again changes nothing.
    ///
    /// `root` is [`ROOT`], but for tests.
    ///
    /// # Errors
    ///
    /// [`CgroupError`] when a controller is missing or the hierarchy is not mounted at `root`.
    pub fn prepare(root: &Path) -> Result<Self, CgroupError> {
        let controllers = CONTROLLERS.map(|name| format!("+{name}")).join(" ");
        write(&root.join("cgroup.subtree_control"), &controllers)?;
        let apps = root.join(APPS);
        make(&apps)?;
        write(&apps.join("memory.max"), &ALL_APPS_MEMORY.to_string())?;
        without_swap(&apps)?;
        write(&apps.join("pids.max"), &ALL_APPS_TASKS.to_string())?;
        write(&apps.join("cpu.weight"), &ALL_APPS_WEIGHT.to_string())?;
        write(
            &apps.join("cpu.max"),
            &format!("{ALL_APPS_CPU} {CPU_PERIOD}"),
        )?;
        write(&apps.join("cgroup.subtree_control"), &controllers)?;
        let services = root.join(SERVICES);
        make(&services)?;
        write(&services.join("cgroup.subtree_control"), &controllers)?;
        Ok(Self {
            root: root.to_owned(),
        })
    }

    /// Makes the group of an app.
    ///
    /// # Errors
    ///
    /// [`CgroupError`].
    pub fn app(&self, component: ComponentId, limits: &Limits) -> Result<Cgroup, CgroupError> {
        Cgroup::create(self.root.join(APPS).join(component.to_string()), limits)
    }

    /// Makes the group of a service.
    ///
    /// # Errors
    ///
    /// [`CgroupError`].
    pub fn service(&self, name: &str, limits: &Limits) -> Result<Cgroup, CgroupError> {
        Cgroup::create(self.root.join(SERVICES).join(name), limits)
    }

    /// The memory of all apps together.
    ///
    /// # Errors
    ///
    /// [`CgroupError`].
    pub fn apps_memory(&self) -> Result<Memory, CgroupError> {
        memory(&self.root.join(APPS))
    }
}

/// Memory of a group, in bytes; see [`crate::limits::APP_MEMORY`] for what counts.
///
/// The kernel charges up to 64 pages (256 KiB) ahead for each processor, and gives them back only at the limit:
/// `current` and `peak` can be higher than what is used by that, `user` cannot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Now: `memory.current`.
    pub current: u64,
    /// The most since the group was made: `memory.peak`.
    pub peak: u64,
    /// What user space has of it now, in anonymous and file pages: `anon` and `file` of `memory.stat`.
    pub user: u64,
}

/// The group of one app or service.
#[derive(Debug)]
pub struct Cgroup {
    path: PathBuf,
    directory: File,
}

impl Cgroup {
    /// Makes a group with limits. One that is left from an earlier run is taken over.
    fn create(path: PathBuf, limits: &Limits) -> Result<Self, CgroupError> {
        make(&path)?;
        write(&path.join("memory.max"), &limits.memory.to_string())?;
        without_swap(&path)?;
        // Without one of its processes an app would be half dead.
        write(&path.join("memory.oom.group"), "1")?;
        write(&path.join("pids.max"), &limits.tasks.to_string())?;
        write(&path.join("cpu.weight"), &limits.weight.to_string())?;
        let directory = File::open(&path).map_err(|source| CgroupError {
            path: path.clone(),
            source,
        })?;
        Ok(Self { path, directory })
    }

    /// The memory of the group.
    ///
    /// # Errors
    ///
    /// [`CgroupError`].
    pub fn memory(&self) -> Result<Memory, CgroupError> {
        memory(&self.path)
    }

    /// How often the group has been ended because it, or all apps together, wanted more memory than there is
    /// for them.
    ///
    /// # Errors
    ///
    /// [`CgroupError`].
    pub fn out_of_memory(&self) -> Result<u64, CgroupError> {
        let path = self.path.join("memory.events");
        let events = read(&path)?;
        field(&events, "oom_group_kill").ok_or_else(|| malformed(path))
    }

    /// How many tasks the group has now.
    ///
    /// # Errors
    ///
    /// [`CgroupError`].
    pub fn tasks(&self) -> Result<u64, CgroupError> {
        number(self.path.join("pids.current"))
    }

    /// Moves the calling process into the group.
    ///
    /// # Errors
    ///
    /// [`CgroupError`].
    pub fn enter(&self) -> Result<(), CgroupError> {
        write(&self.path.join("cgroup.procs"), "0")
    }

    /// Ends all processes of the group at once with `SIGKILL`, also those that are being made.
    ///
    /// # Errors
    ///
    /// [`CgroupError`].
    pub fn kill(&self) -> Result<(), CgroupError> {
        write(&self.path.join("cgroup.kill"), "1")
    }

    /// Removes the group; it must have no processes left.
    ///
    /// # Errors
    ///
    /// [`CgroupError`]; `EBUSY` while it has processes.
    pub fn remove(self) -> Result<(), CgroupError> {
        fs::remove_dir(&self.path).map_err(|source| CgroupError {
            path: self.path,
            source,
        })
    }
}

impl AsFd for Cgroup {
    /// The directory, for being born into the group.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.directory.as_fd()
    }
}

/// Makes the directory of a group, unless it exists.
fn make(path: &Path) -> Result<(), CgroupError> {
    match fs::create_dir(path) {
        Err(source) if source.kind() != io::ErrorKind::AlreadyExists => Err(CgroupError {
            path: path.to_owned(),
            source,
        }),
        _ => Ok(()),
    }
}

/// Keeps a group out of swap space, where the kernel has any.
fn without_swap(path: &Path) -> Result<(), CgroupError> {
    let file = path.join("memory.swap.max");
    if file.exists() {
        write(&file, "0")?;
    }
    Ok(())
}

fn write(path: &Path, value: &str) -> Result<(), CgroupError> {
    fs::write(path, value).map_err(|source| CgroupError {
        path: path.to_owned(),
        source,
    })
}

fn read(path: &Path) -> Result<String, CgroupError> {
    fs::read_to_string(path).map_err(|source| CgroupError {
        path: path.to_owned(),
        source,
    })
}

fn number(path: PathBuf) -> Result<u64, CgroupError> {
    read(&path)?.trim_end().parse().map_err(|_| malformed(path))
}

fn memory(group: &Path) -> Result<Memory, CgroupError> {
    let path = group.join("memory.stat");
    let statistics = read(&path)?;
    let user = field(&statistics, "anon").zip(field(&statistics, "file"));
    let (anonymous, file) = user.ok_or_else(|| malformed(path))?;
    Ok(Memory {
        current: number(group.join("memory.current"))?,
        peak: number(group.join("memory.peak"))?,
        user: anonymous.saturating_add(file),
    })
}

/// The number after a name at the start of a line.
fn field(text: &str, name: &str) -> Option<u64> {
    text.lines()
        .filter_map(|line| line.split_once(' '))
        .find_map(|(key, value)| (key == name).then(|| value.parse().ok())?)
}

fn malformed(path: PathBuf) -> CgroupError {
    CgroupError {
        path,
        source: io::Error::from(io::ErrorKind::InvalidData),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    const APP: &str = "25025d2c-66da-4448-bae1-ac26fcdd3627";

    fn prepared() -> (TempDir, Cgroups) {
        let directory = tempfile::tempdir().unwrap();
        let groups = Cgroups::prepare(directory.path()).unwrap();
        (directory, groups)
    }

    #[test]
    fn controllers_are_handed_down_to_apps_and_services() {
        let (directory, _) = prepared();
        for group in ["", "apps", "services"] {
            let file = directory.path().join(group).join("cgroup.subtree_control");
            assert_eq!(fs::read_to_string(file).unwrap(), "+cpu +memory +pids");
        }
    }

    #[test]
    fn every_limit_is_written() {
        let (directory, groups) = prepared();
        let group = groups.app(APP.parse().unwrap(), &Limits::APP).unwrap();
        let path = directory.path().join("apps").join(APP);
        for (file, value) in [
            ("memory.max", APP_MEMORY_TEXT),
            ("memory.oom.group", "1"),
            ("pids.max", "32"),
            ("cpu.weight", "100"),
        ] {
            assert_eq!(
                fs::read_to_string(path.join(file)).unwrap(),
                value,
                "{file}"
            );
        }
        assert!(!path.join("memory.swap.max").exists());
        group.kill().unwrap();
        assert_eq!(fs::read_to_string(path.join("cgroup.kill")).unwrap(), "1");
    }

    const APP_MEMORY_TEXT: &str = "1048576";

    #[test]
    fn swap_is_refused_where_there_is_any() {
        let (directory, groups) = prepared();
        let path = directory.path().join("apps").join(APP);
        fs::create_dir(&path).unwrap();
        fs::write(path.join("memory.swap.max"), "max").unwrap();
        groups.app(APP.parse().unwrap(), &Limits::APP).unwrap();
        assert_eq!(
            fs::read_to_string(path.join("memory.swap.max")).unwrap(),
            "0"
        );
    }

    #[test]
    fn figures_are_read_and_nonsense_is_refused() {
        let (directory, groups) = prepared();
        let group = groups.app(APP.parse().unwrap(), &Limits::APP).unwrap();
        let path = directory.path().join("apps").join(APP);
        fs::write(path.join("memory.current"), "4096\n").unwrap();
        fs::write(path.join("memory.peak"), "8192\n").unwrap();
        fs::write(path.join("memory.stat"), "anon 100\nfile 20\nkernel 7\n").unwrap();
        let expected = Memory {
            current: 4096,
            peak: 8192,
            user: 120,
        };
        assert_eq!(group.memory().unwrap(), expected);
        fs::write(
            path.join("memory.events"),
            "low 0\noom_kill 3\noom_group_kill 1\n",
        )
        .unwrap();
        assert_eq!(group.out_of_memory().unwrap(), 1);
        fs::write(path.join("memory.events"), "low 0\n").unwrap();
        assert!(group.out_of_memory().is_err());
        fs::write(path.join("memory.peak"), "much\n").unwrap();
        assert!(group.memory().is_err());
    }

    #[test]
    fn a_hierarchy_that_is_not_there_is_refused_with_its_path() {
        let error = Cgroups::prepare(Path::new("/nonexistent")).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("/nonexistent/cgroup.subtree_control"),
            "{error}"
        );
    }
}
