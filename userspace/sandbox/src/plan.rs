// SPDX-License-Identifier: Apache-2.0 OR MIT

//! What a grant means for the sandbox of an app.

use std::ffi::{CString, OsStr};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};

use policy::{AppKind, Capability, ComponentId, Grant, Identity, IdentityError, Request};
use sys::mount::Attributes;

use crate::confinement::{Bind, Confinement, DATA_ONLY, Rights, SEALED, Tcp};
use crate::filter::Profile;
use crate::limits::Limits;
use crate::step::Step;
use crate::wire::{Reader, WireError, Writer};

/// Where the app finds its package: below this, by component id.
const APPS: &str = "/mnt/apps";
/// Where the app finds its mutable file: below this, by component id.
const CONFIG: &str = "/mnt/config";
/// Its name there.
const MUTABLE: &str = "mutable";
/// The device nodes that are in `/dev`, and whether their modes let an app write them.
pub const DEVICES: [(&str, bool); 5] = [
    ("null", true),
    ("zero", true),
    ("full", true),
    ("random", false),
    ("urandom", false),
];
/// Bytes in a KiB, the unit of `MutableStorage`.
const KIB: u64 = 1024;

/// Where things are, and how to start the program.
#[derive(Clone, Copy, Debug)]
pub struct PackagePaths<'a> {
    /// The mounted package.
    pub package: &'a Path,
    /// The directory of libraries, with the dynamic linker.
    pub libraries: &'a Path,
    /// A directory with the device nodes [`DEVICES`] and nothing else, on a mount that allows device nodes.
    pub devices: &'a Path,
    /// The app's mutable file, owned by its user; needed exactly with `MutableStorage`.
    pub mutable: Option<&'a Path>,
    /// The entry point, from the root of the package, with or without a slash at the start.
    pub entry_point: &'a str,
    /// The arguments after the name of the program.
    pub arguments: &'a [&'a str],
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The app does not run on Linux.
    #[error("an app of type {kind:?} does not run in a sandbox; load it to its core instead")]
    Kind {
        /// The type.
        kind: AppKind,
    },
    /// The entry point leaves the package, or is no path.
    #[error(
        "EntryPoint {entry_point:?} is not a plain path within the package; write it like /bin/app"
    )]
    EntryPoint {
        /// The entry point.
        entry_point: String,
    },
    /// An argument or path cannot be passed to a program.
    #[error("{text:?} contains a null character; remove it")]
    Null {
        /// The text.
        text: String,
    },
    /// The kernel could not know the app by its component id and tenant.
    #[error("{0}; correct ComponentId or DeviceAuthentication")]
    Label(#[from] IdentityError),
    /// A file without the capability, or the capability without a file.
    #[error(
        "the app needs a mutable file exactly when it has MutableStorage, which is {granted} here"
    )]
    Mutable {
        /// Whether it has the capability.
        granted: bool,
    },
    /// The plan does not fit into a message.
    #[error(
        "entry point and arguments have {length} bytes in all, more than {LONGEST}; shorten CmdArgs"
    )]
    Length {
        /// Its length.
        length: usize,
    },
}

/// Longest plan as a message, in bytes.
pub(crate) const LONGEST: usize = 8192;

/// What the sandbox of an app will be: its grant, as far as the sandbox enforces it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    label: Identity,
    package: PathBuf,
    libraries: PathBuf,
    devices: PathBuf,
    mutable: Option<PathBuf>,
    program: CString,
    arguments: Vec<CString>,
    network: bool,
    connect: bool,
    clock: bool,
    tcp_ports: Vec<u16>,
    storage: u64,
    limits: Limits,
}

impl Plan {
    /// Plans the sandbox of an app.
    ///
    /// # Errors
    ///
    /// [`PlanError`].
    pub fn new(
        grant: &Grant<'_>,
        paths: PackagePaths<'_>,
        limits: &Limits,
    ) -> Result<Self, PlanError> {
        if grant.kind == AppKind::RealTime {
            return Err(PlanError::Kind { kind: grant.kind });
        }
        let storage = grant.decide(Request::MutableStorage).is_allowed();
        if storage != paths.mutable.is_some() {
            return Err(PlanError::Mutable { granted: storage });
        }
        let arguments = paths.arguments.iter().map(|&argument| {
            CString::new(argument).map_err(|_| PlanError::Null {
                text: argument.to_owned(),
            })
        });
        let plan = Self {
            label: Identity::of(grant)?,
            package: plain(paths.package)?,
            libraries: plain(paths.libraries)?,
            devices: plain(paths.devices)?,
            mutable: paths.mutable.map(plain).transpose()?,
            program: program(grant.component, paths.entry_point)?,
            arguments: arguments.collect::<Result<_, _>>()?,
            network: grant.decide(Request::IpSocket).is_allowed(),
            connect: grant.has(Capability::AllowedConnections),
            clock: grant.decide(Request::SetTime).is_allowed(),
            tcp_ports: grant.tcp_ports.to_vec(),
            storage: u64::from(grant.storage_kb) * KIB,
            limits: *limits,
        };
        let length = plan.encode().len();
        if length > LONGEST {
            return Err(PlanError::Length { length });
        }
        Ok(plan)
    }

    /// The app.
    #[must_use]
    pub const fn component(&self) -> ComponentId {
        self.label.component()
    }

    /// What this means for the steps.
    pub(crate) fn confinement(&self) -> Confinement {
        let identifier = self.component().to_string();
        let package = Path::new(APPS).join(&identifier);
        let library = PathBuf::from("/lib");
        let devices = PathBuf::from("/dev");
        let bind = |source: &PathBuf, target: &PathBuf, attributes, step| Bind {
            source: source.clone(),
            target: target.clone(),
            file: false,
            attributes,
            step,
        };
        let mut binds = vec![
            // The dynamic linker may be a link to the C library.
            bind(
                &self.libraries,
                &library,
                SEALED.with(Attributes::NO_DEVICES),
                Step::Libraries,
            ),
            bind(
                &self.devices,
                &devices,
                SEALED
                    .with(Attributes::NO_EXECUTE)
                    .with(Attributes::NO_SYMLINKS),
                Step::Devices,
            ),
            bind(
                &self.package,
                &package,
                SEALED
                    .with(Attributes::NO_DEVICES)
                    .with(Attributes::NO_SYMLINKS),
                Step::Package,
            ),
        ];
        let mut rules = vec![
            (package.clone(), Rights::Execute),
            (library, Rights::Execute),
            (PathBuf::from("/proc"), Rights::Read),
            (devices, Rights::Devices),
        ];
        if let Some(mutable) = &self.mutable {
            let target = Path::new(CONFIG).join(&identifier).join(MUTABLE);
            rules.push((target.clone(), Rights::ReadWrite));
            binds.push(Bind {
                source: mutable.clone(),
                target,
                file: true,
                attributes: DATA_ONLY,
                step: Step::MutableFile,
            });
        }
        let mut arguments = vec![self.program.clone()];
        arguments.extend(self.arguments.iter().cloned());
        Confinement {
            identity: self.component().uid(),
            label: Some(self.label),
            binds,
            proc: true,
            directory: package,
            rules,
            tcp: Tcp {
                bind: self.tcp_ports.clone(),
                connect: self.connect,
            },
            profile: Profile::App {
                network: self.network,
                clock: self.clock,
            },
            limits: self.limits,
            file_size: self.storage,
            program: self.program.clone(),
            arguments,
        }
    }

    /// The plan as a message to the launcher.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.bytes(&self.label.encode());
        for path in [&self.package, &self.libraries, &self.devices] {
            writer.text(path.as_os_str().as_bytes());
        }
        writer.text(self.program.as_bytes());
        let mutable = self.mutable.as_deref().map(Path::as_os_str);
        writer.text(mutable.unwrap_or_default().as_bytes());
        for flag in [self.network, self.connect, self.clock] {
            writer.number(u64::from(flag));
        }
        let limits = &self.limits;
        for number in [
            self.storage,
            limits.memory,
            limits.tasks.into(),
            limits.weight.into(),
            limits.open_files,
            limits.stack,
            self.tcp_ports.len() as u64,
        ] {
            writer.number(number);
        }
        for &port in &self.tcp_ports {
            writer.number(port.into());
        }
        for argument in &self.arguments {
            writer.text(argument.as_bytes());
        }
        writer.finish()
    }

    /// The plan in a message.
    pub(crate) fn decode(message: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new(message);
        let label = reader.bytes::<{ Identity::SIZE }>()?;
        let label = Identity::parse(&label).map_err(|_| WireError)?;
        let path = |text| PathBuf::from(OsStr::from_bytes(text));
        let (package, libraries) = (path(reader.text()?), path(reader.text()?));
        let devices = path(reader.text()?);
        let program = CString::new(reader.text()?).map_err(|_| WireError)?;
        let mutable = Some(path(reader.text()?)).filter(|path| !path.as_os_str().is_empty());
        let (network, connect, clock) = (reader.flag()?, reader.flag()?, reader.flag()?);
        let storage = reader.number()?;
        let limits = Limits {
            memory: reader.number()?,
            tasks: reader.narrow()?,
            weight: reader.narrow()?,
            open_files: reader.number()?,
            stack: reader.number()?,
        };
        let ports = reader.number()?;
        let tcp_ports = (0..ports)
            .map(|_| reader.narrow())
            .collect::<Result<_, _>>()?;
        let mut arguments = Vec::new();
        while !reader.is_empty() {
            arguments.push(CString::new(reader.text()?).map_err(|_| WireError)?);
        }
        Ok(Self {
            label,
            package,
            libraries,
            devices,
            mutable,
            program,
            arguments,
            network,
            connect,
            clock,
            tcp_ports,
            storage,
            limits,
        })
    }
}

/// A path that can be passed to the kernel.
fn plain(path: &Path) -> Result<PathBuf, PlanError> {
    if path.as_os_str().as_bytes().contains(&0) {
        return Err(PlanError::Null {
            text: path.display().to_string(),
        });
    }
    Ok(path.to_owned())
}

/// The program in the view of the app. The entry point is names only, and at least one.
fn program(component: ComponentId, entry_point: &str) -> Result<CString, PlanError> {
    let path = Path::new(entry_point.trim_start_matches('/'));
    let mut parts = path.components().peekable();
    let plain = parts.peek().is_some() && parts.all(|part| matches!(part, Component::Normal(_)));
    // A path is compared as written: `components` hides `.` and a slash at the end.
    if !plain || path.components().collect::<PathBuf>().as_os_str() != path.as_os_str() {
        return Err(PlanError::EntryPoint {
            entry_point: entry_point.to_owned(),
        });
    }
    let program = Path::new(APPS).join(component.to_string()).join(path);
    CString::new(program.into_os_string().into_vec()).map_err(|_| PlanError::Null {
        text: entry_point.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use policy::{CapabilitySet, HostList};
    use proptest::prelude::*;

    const ID: &str = "25025d2c-66da-4448-bae1-ac26fcdd3627";

    fn grant() -> Grant<'static> {
        Grant::none(ID.parse().unwrap(), AppKind::HighLevel)
    }

    fn paths<'a>(entry_point: &'a str, arguments: &'a [&'a str]) -> PackagePaths<'a> {
        PackagePaths {
            package: Path::new("/mnt/apps/package"),
            libraries: Path::new("/lib"),
            devices: Path::new("/run/devices"),
            mutable: None,
            entry_point,
            arguments,
        }
    }

    fn plan(grant: &Grant<'_>) -> Confinement {
        Plan::new(grant, paths("/bin/app", &[]), &Limits::APP)
            .unwrap()
            .confinement()
    }

    #[test]
    fn entry_points_stay_in_the_package() {
        for good in ["/bin/app", "bin/app", "app", "/a/b/c"] {
            let plan = Plan::new(&grant(), paths(good, &[]), &Limits::APP).unwrap();
            let expected = format!("{APPS}/{ID}/{}", good.trim_start_matches('/'));
            assert_eq!(plan.program.to_str().unwrap(), expected);
        }
        for bad in [
            "",
            "/",
            "../app",
            "/bin/../../app",
            "bin/./app",
            ".",
            "bin/",
            "bin//app",
            "a\0b",
        ] {
            assert!(
                Plan::new(&grant(), paths(bad, &[]), &Limits::APP).is_err(),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn a_mutable_file_comes_with_the_capability_and_only_with_it() {
        let with = Grant {
            storage_kb: 8,
            ..grant()
        };
        let file = Some(Path::new("/data/config/app/mutable"));
        let plan = |grant: &Grant<'_>, mutable| {
            let paths = PackagePaths {
                mutable,
                ..paths("app", &[])
            };
            Plan::new(grant, paths, &Limits::APP)
        };
        assert_eq!(plan(&with, file).unwrap().confinement().file_size, 8192);
        assert_eq!(plan(&grant(), None).unwrap().confinement().file_size, 0);
        assert_eq!(plan(&with, None), Err(PlanError::Mutable { granted: true }));
        assert_eq!(
            plan(&grant(), file),
            Err(PlanError::Mutable { granted: false })
        );
    }

    #[test]
    fn the_label_is_of_the_component_and_its_tenant_and_without_rights() {
        let tenant = "d343c263-6aa3-4558-adbb-d3fc34631800";
        for granted in [None, Some(tenant)] {
            let label = plan(&Grant {
                tenant: granted,
                ..grant()
            })
            .label
            .unwrap();
            assert_eq!(label.component(), ID.parse().unwrap());
            assert_eq!(label.tenant().as_str(), granted.unwrap_or_default());
            assert_eq!(label.rights(), policy::Rights::NONE);
            assert!(!label.job_control());
        }
        let long = "x".repeat(65);
        for (component, tenant) in [
            (ID.parse().unwrap(), long.as_str()),
            (ID.parse().unwrap(), "two\nlines"),
            (ComponentId::NIL, tenant),
        ] {
            let refused = Grant {
                component,
                tenant: Some(tenant),
                ..grant()
            };
            let refused = Plan::new(&refused, paths("app", &[]), &Limits::APP);
            assert!(matches!(refused, Err(PlanError::Label(_))), "{tenant}");
        }
    }

    #[test]
    fn a_real_time_app_has_no_sandbox() {
        let real_time = Grant::none(ID.parse().unwrap(), AppKind::RealTime);
        let refused = Plan::new(&real_time, paths("app", &[]), &Limits::APP);
        assert_eq!(
            refused,
            Err(PlanError::Kind {
                kind: AppKind::RealTime
            })
        );
    }

    #[test]
    fn the_network_follows_the_grant() {
        let offline = plan(&grant());
        assert_eq!(
            offline.profile,
            Profile::App {
                network: false,
                clock: false
            }
        );
        assert!(!offline.tcp.connect && offline.tcp.bind.is_empty());

        let client = plan(&Grant {
            hosts: HostList::from_lines("example.com"),
            ..grant()
        });
        assert_eq!(
            client.profile,
            Profile::App {
                network: true,
                clock: false
            }
        );
        assert!(client.tcp.connect && client.tcp.bind.is_empty());

        let server = plan(&Grant {
            tcp_ports: &[80, 4444],
            ..grant()
        });
        assert_eq!(
            server.profile,
            Profile::App {
                network: true,
                clock: false
            }
        );
        assert!(!server.tcp.connect);
        assert_eq!(server.tcp.bind, [80, 4444]);
    }

    #[test]
    fn the_clock_follows_the_grant() {
        let capabilities = CapabilitySet::of(&[Capability::SystemTime]);
        let setter = plan(&Grant {
            capabilities,
            ..grant()
        });
        assert_eq!(
            setter.profile,
            Profile::App {
                network: false,
                clock: true
            }
        );
    }

    #[test]
    fn arguments_have_a_limit() {
        let long = "x".repeat(LONGEST);
        let refused = Plan::new(&grant(), paths("app", &[&long]), &Limits::APP);
        assert!(matches!(refused, Err(PlanError::Length { .. })));
        assert!(
            Plan::new(
                &grant(),
                paths("app", &[&long[..LONGEST / 2]]),
                &Limits::APP
            )
            .is_ok()
        );
    }

    #[test]
    fn a_cut_message_is_no_plan() {
        let plan = Plan::new(&grant(), paths("app", &["one"]), &Limits::APP).unwrap();
        let message = plan.encode();
        assert_eq!(Plan::decode(&message), Ok(plan));
        assert_eq!(Plan::decode(&[]), Err(WireError));
        assert_eq!(Plan::decode(&message[..message.len() - 1]), Err(WireError));
    }

    proptest! {
        #[test]
        fn plans_survive_the_message(
            storage in any::<Option<std::num::NonZeroU16>>(),
            ports in prop::collection::vec(any::<u16>(), 0..8),
            arguments in prop::collection::vec("[^\0]{0,20}", 0..5),
            hosts in "[a-z.]{0,10}",
            tenant in "[ -~]{0,64}",
            limits in any::<(u64, u32, u32, u64, u64)>(),
        ) {
            let grant = Grant {
                storage_kb: storage.map_or(0, |storage| storage.get().into()),
                tcp_ports: &ports,
                hosts: HostList::from_lines(&hosts),
                tenant: Some(&tenant),
                ..grant()
            };
            let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
            let paths = PackagePaths {
                mutable: storage.map(|_| Path::new("/data/mutable")),
                ..paths("bin/app", &arguments)
            };
            let (memory, tasks, weight, open_files, stack) = limits;
            let limits = Limits { memory, tasks, weight, open_files, stack };
            let plan = Plan::new(&grant, paths, &limits).unwrap();
            prop_assert_eq!(Plan::decode(&plan.encode()), Ok(plan));
        }

        #[test]
        fn any_bytes_decode_or_are_refused(message in prop::collection::vec(any::<u8>(), 0..400)) {
            if let Ok(plan) = Plan::decode(&message) {
                prop_assert_eq!(plan.encode(), message);
            }
        }
    }
}
