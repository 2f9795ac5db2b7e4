// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Whether the running kernel has every layer that apps need, tried out rather than assumed.

use std::fs;
use std::io;
use std::path::Path;

use caps::{CapSet, Capability};
use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl::{get_no_new_privs, set_no_new_privs};
use nix::sys::wait::{WaitStatus, waitpid};
use sys::process::{Forked, SingleThreaded, exit, fork};
use sys::{Errno, memory, process, seccomp};

use crate::cgroup::{self, CONTROLLERS};
use crate::kernel::ruleset;

/// What was found out about a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerStatus {
    /// Its name.
    pub name: &'static str,
    /// Whether it can be relied on.
    pub enforced: bool,
    /// What was found, and what is needed where that is not enough.
    pub detail: String,
}

/// Evidence that no layer is missing.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Complete(());

/// Layers that are missing, so that no app may be started.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no app may start: this kernel lacks {}", names.join(", "))]
pub struct MissingLayers {
    /// Their names.
    pub names: Vec<&'static str>,
}

/// Looks for every layer that an app needs. `/proc` and the control groups must be mounted, and the process
/// have one thread.
#[must_use]
pub fn probe() -> Vec<LayerStatus> {
    probe_with(&Running)
}

/// Whether all layers are there.
///
/// # Errors
///
/// [`MissingLayers`] with their names; also when none was looked for.
pub fn require(layers: &[LayerStatus]) -> Result<Complete, MissingLayers> {
    let found = |name: &&str| {
        layers
            .iter()
            .any(|layer| layer.name == *name && layer.enforced)
    };
    let names: Vec<_> = NAMES.into_iter().filter(|name| !found(name)).collect();
    if names.is_empty() {
        Ok(Complete(()))
    } else {
        Err(MissingLayers { names })
    }
}

/// The names of all layers.
pub const NAMES: [&str; 12] = [
    "namespaces",
    "capabilities",
    "no_new_privs",
    "mdwe",
    "seccomp",
    "landlock",
    MODULE,
    "cgroup",
    "packages",
    "proc_mem",
    "user_namespaces",
    "modules",
];

/// The name of the layer of the security module.
pub const MODULE: &str = "lsm";

/// What can be tried out in a process that is thrown away afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Trial {
    /// New namespaces are made.
    Namespaces,
    /// A capability leaves the bounding set.
    BoundingSet,
    /// New privileges are forbidden.
    NoNewPrivileges,
    /// Executable memory is forbidden, and then not to be had.
    ExecuteGain,
    /// Read-only memory can be written through `/proc`.
    ForcedWrite,
    /// A user namespace is made.
    UserNamespace,
}

impl Trial {
    /// All trials, in the order of trying: later ones do not depend on what earlier ones change.
    const ALL: [Self; 6] = [
        Self::ForcedWrite,
        Self::BoundingSet,
        Self::NoNewPrivileges,
        Self::ExecuteGain,
        Self::UserNamespace,
        Self::Namespaces,
    ];

    /// Its bit in [`Outcomes`].
    const fn bit(self) -> u8 {
        1 << self as u8
    }

    /// Tries, for good: to be called in a process that ends afterwards.
    fn succeeds(self) -> bool {
        match self {
            Self::Namespaces => unshare(
                CloneFlags::CLONE_NEWNS
                    | CloneFlags::CLONE_NEWPID
                    | CloneFlags::CLONE_NEWUTS
                    | CloneFlags::CLONE_NEWCGROUP,
            )
            .is_ok(),
            Self::BoundingSet => {
                let capability = Capability::CAP_SYS_BOOT;
                caps::drop(None, CapSet::Bounding, capability).is_ok()
                    && matches!(caps::has_cap(None, CapSet::Bounding, capability), Ok(false))
            }
            Self::NoNewPrivileges => set_no_new_privs().is_ok() && get_no_new_privs() == Ok(true),
            Self::ExecuteGain => {
                process::refuse_execute_gain().is_ok() && memory::can_gain_execute() == Ok(false)
            }
            // What cannot be tried is not known to be closed.
            Self::ForcedWrite => memory::can_force_writes() != Ok(false),
            Self::UserNamespace => unshare(CloneFlags::CLONE_NEWUSER).is_ok(),
        }
    }
}

/// Which trials have succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Outcomes(u8);

impl Outcomes {
    const fn succeeded(self, trial: Trial) -> bool {
        self.0 & trial.bit() != 0
    }
}

/// What is asked of the kernel, so that tests can take a layer away.
trait Probes {
    /// Makes all trials, in a process of their own.
    fn trials(&self) -> Result<Outcomes, Errno>;
    /// Reads a file.
    fn read(&self, path: &str) -> io::Result<String>;
    /// Whether there is a file.
    fn exists(&self, path: &str) -> bool;
    /// Whether filters can give an answer.
    fn filter_action(&self, action: u32) -> Result<bool, Errno>;
    /// Makes a Landlock rule set that handles all rights.
    fn landlock(&self) -> Result<(), Errno>;
}

/// The running kernel.
struct Running;

impl Probes for Running {
    fn trials(&self) -> Result<Outcomes, Errno> {
        match fork(&SingleThreaded::confirm()?)? {
            Forked::Child => {
                let tried = Trial::ALL.into_iter().filter(|trial| trial.succeeds());
                exit(tried.fold(0, |bits, trial| bits | trial.bit()))
            }
            Forked::Parent { child } => match waitpid(child, None)? {
                WaitStatus::Exited(_, bits) => {
                    Ok(Outcomes(u8::try_from(bits).map_err(|_| Errno::EINVAL)?))
                }
                _ => Err(Errno::ECHILD),
            },
        }
    }

    fn read(&self, path: &str) -> io::Result<String> {
        fs::read_to_string(path)
    }

    fn exists(&self, path: &str) -> bool {
        Path::new(path).exists()
    }

    fn filter_action(&self, action: u32) -> Result<bool, Errno> {
        seccomp::knows_action(action)
    }

    fn landlock(&self) -> Result<(), Errno> {
        ruleset(true).map(drop)
    }
}

/// The words of the lines of a file, none when it cannot be read.
fn words(probes: &impl Probes, path: &str) -> Vec<String> {
    let text = probes.read(path).unwrap_or_default();
    text.split_whitespace().map(str::to_owned).collect()
}

/// Those of the wanted words that are missing, in one text.
fn missing(wanted: &[&str], present: &[String]) -> String {
    let missing = wanted
        .iter()
        .filter(|name| !present.iter().any(|word| word == *name));
    missing.copied().collect::<Vec<_>>().join(", ")
}

/// A status from what is missing, if anything is.
fn status(name: &'static str, missing: &str, good: &str, needed: &str) -> LayerStatus {
    let enforced = missing.is_empty();
    LayerStatus {
        name,
        enforced,
        detail: if enforced {
            good.to_owned()
        } else {
            format!("{missing}; {needed}")
        },
    }
}

fn probe_with(probes: &impl Probes) -> Vec<LayerStatus> {
    let trials = probes.trials();
    let tried = |name, trial, wanted, good, bad: &str, needed| {
        let problem = match trials {
            Ok(outcomes) if outcomes.succeeded(trial) == wanted => String::new(),
            Ok(_) => bad.to_owned(),
            Err(errno) => format!("cannot be tried: {errno:?}"),
        };
        status(name, &problem, good, needed)
    };
    vec![
        namespaces(probes, trials),
        tried(
            "capabilities",
            Trial::BoundingSet,
            true,
            "the bounding set can be emptied",
            "the bounding set cannot be changed",
            "the manager needs CAP_SETPCAP",
        ),
        tried(
            "no_new_privs",
            Trial::NoNewPrivileges,
            true,
            "execution gives no rights",
            "the control is refused",
            "the kernel needs PR_SET_NO_NEW_PRIVS",
        ),
        tried(
            "mdwe",
            Trial::ExecuteGain,
            true,
            "memory does not become executable",
            "memory still becomes executable",
            "the kernel needs PR_SET_MDWE",
        ),
        filters(probes),
        landlock(probes),
        module(probes),
        controllers(probes),
        packages(probes),
        tried(
            "proc_mem",
            Trial::ForcedWrite,
            false,
            "read-only memory cannot be written through /proc",
            "read-only memory can be written through /proc",
            "the kernel needs CONFIG_PROC_MEM_NO_FORCE or proc_mem.force_override=never",
        ),
        tried(
            "user_namespaces",
            Trial::UserNamespace,
            false,
            "cannot be made",
            "can be made",
            "the kernel must be without CONFIG_USER_NS",
        ),
        status(
            "modules",
            if probes.exists("/proc/modules") {
                "can be loaded"
            } else {
                ""
            },
            "cannot be loaded",
            "the kernel must be without CONFIG_MODULES",
        ),
    ]
}

fn namespaces(probes: &impl Probes, trials: Result<Outcomes, Errno>) -> LayerStatus {
    let kinds = ["cgroup", "mnt", "net", "pid", "uts"];
    // A network is not made here, which takes longer than all else: the launcher makes one, or does not start.
    let present: Vec<_> = kinds
        .into_iter()
        .filter(|kind| probes.exists(&format!("/proc/self/ns/{kind}")))
        .map(str::to_owned)
        .collect();
    let mut problem = missing(&kinds, &present);
    if problem.is_empty() {
        problem = match trials {
            Ok(outcomes) if outcomes.succeeded(Trial::Namespaces) => String::new(),
            Ok(_) => "they are refused".to_owned(),
            Err(errno) => format!("cannot be tried: {errno:?}"),
        };
    }
    status(
        "namespaces",
        &problem,
        "mount, process id, host name, control group and network",
        "the kernel must have these namespaces, and the manager CAP_SYS_ADMIN",
    )
}

fn filters(probes: &impl Probes) -> LayerStatus {
    let actions = [
        ("allow", libc::SECCOMP_RET_ALLOW),
        ("error", libc::SECCOMP_RET_ERRNO),
        ("kill process", libc::SECCOMP_RET_KILL_PROCESS),
    ];
    let missing = actions
        .into_iter()
        .filter(|(_, action)| probes.filter_action(*action) != Ok(true))
        .map(|(name, _)| name)
        .collect::<Vec<_>>();
    let needed = "the kernel needs CONFIG_SECCOMP_FILTER";
    status(
        "seccomp",
        &missing.join(", "),
        "filters of system calls",
        needed,
    )
}

fn landlock(probes: &impl Probes) -> LayerStatus {
    let problem = match probes.landlock() {
        Ok(()) => String::new(),
        Err(errno) => format!("no rule set with files, TCP and scopes: {errno:?}"),
    };
    status(
        "landlock",
        &problem,
        "files, TCP and scopes",
        "the kernel needs Landlock ABI 6 or later, and landlock in CONFIG_LSM",
    )
}

/// The files of the security module.
pub const MODULE_FILES: &str = "/sys/kernel/security/nacre";
/// The version of [`MODULE_FILES`] that is spoken here.
const MODULE_VERSION: &str = "1\n";

/// Nacre's own module: it is in the kernel, speaks our version, and takes this process for the manager, which
/// alone may read the denials.
fn module(probes: &impl Probes) -> LayerStatus {
    let (problem, needed) = module_problem(probes).unwrap_or_default();
    status(
        MODULE,
        &problem,
        "the kernel knows each app and its rules",
        needed,
    )
}

/// What is wrong with the module, if anything is, and what is needed.
fn module_problem(probes: &impl Probes) -> Option<(String, &'static str)> {
    let listed = probes.read("/sys/kernel/security/lsm");
    let listed = match &listed {
        Ok(listed) => listed.trim_end(),
        Err(error) => {
            let needed = "the kernel needs CONFIG_SECURITYFS, mounted at /sys/kernel/security";
            return Some((format!("the list of modules: {error}"), needed));
        }
    };
    if !listed.split(',').any(|name| name == "nacre") {
        let needed = "the kernel needs CONFIG_SECURITY_NACRE, and nacre in CONFIG_LSM or lsm=";
        return Some((format!("nacre is not among the modules {listed}"), needed));
    }
    match probes.read(&format!("{MODULE_FILES}/abi")) {
        Ok(version) if version == MODULE_VERSION => {}
        other => {
            let version = other.unwrap_or_else(|error| error.to_string());
            let problem = format!("the module speaks another version ({})", version.trim_end());
            return Some((problem, "kernel and root file system must be of one build"));
        }
    }
    let error = probes.read(&format!("{MODULE_FILES}/denials")).err()?;
    let needed = "init must be executed from a read-only file system";
    Some((format!("this process is not the manager: {error}"), needed))
}

fn controllers(probes: &impl Probes) -> LayerStatus {
    let present = words(probes, &format!("{}/cgroup.controllers", cgroup::ROOT));
    let problem = missing(&CONTROLLERS, &present);
    let needed = "the kernel needs these controllers, and control groups version 2 be mounted";
    status("cgroup", &problem, "memory, tasks and processor", needed)
}

fn packages(probes: &impl Probes) -> LayerStatus {
    let mut present = words(probes, "/proc/filesystems");
    present.extend(words(probes, "/proc/misc"));
    let problem = missing(&["cramfs", "tmpfs", "loop-control"], &present);
    let needed = "the kernel needs CONFIG_CRAMFS_BLOCKDEV, CONFIG_TMPFS and CONFIG_BLK_DEV_LOOP";
    status(
        "packages",
        &problem,
        "read-only file systems on loop devices",
        needed,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// A kernel that has everything, until something is taken away.
    struct Fake {
        trials: Result<Outcomes, Errno>,
        files: BTreeMap<String, String>,
        actions: Vec<u32>,
        landlock: Result<(), Errno>,
    }

    impl Default for Fake {
        fn default() -> Self {
            let good = [
                Trial::Namespaces,
                Trial::BoundingSet,
                Trial::NoNewPrivileges,
                Trial::ExecuteGain,
            ];
            let mut files = BTreeMap::from(
                [
                    ("/sys/fs/cgroup/cgroup.controllers", "cpu memory pids\n"),
                    ("/proc/filesystems", "nodev\ttmpfs\n\tcramfs\n\tsquashfs\n"),
                    ("/proc/misc", "237 loop-control\n"),
                    ("/sys/kernel/security/lsm", "capability,landlock,nacre"),
                    ("/sys/kernel/security/nacre/abi", "1\n"),
                    ("/sys/kernel/security/nacre/denials", ""),
                ]
                .map(|(path, text)| (path.to_owned(), text.to_owned())),
            );
            for kind in ["cgroup", "mnt", "net", "pid", "uts"] {
                files.insert(format!("/proc/self/ns/{kind}"), String::new());
            }
            Self {
                trials: Ok(Outcomes(
                    good.into_iter().fold(0, |bits, trial| bits | trial.bit()),
                )),
                files,
                actions: vec![
                    libc::SECCOMP_RET_ALLOW,
                    libc::SECCOMP_RET_ERRNO,
                    libc::SECCOMP_RET_KILL_PROCESS,
                ],
                landlock: Ok(()),
            }
        }
    }

    impl Probes for Fake {
        fn trials(&self) -> Result<Outcomes, Errno> {
            self.trials
        }

        fn read(&self, path: &str) -> io::Result<String> {
            let file = self.files.get(path).cloned();
            file.ok_or(io::ErrorKind::NotFound.into())
        }

        fn exists(&self, path: &str) -> bool {
            self.files.contains_key(path)
        }

        fn filter_action(&self, action: u32) -> Result<bool, Errno> {
            Ok(self.actions.contains(&action))
        }

        fn landlock(&self) -> Result<(), Errno> {
            self.landlock
        }
    }

    /// Checks that the change takes away this layer and no other.
    fn only_missing(name: &str, change: impl FnOnce(&mut Fake)) {
        let mut kernel = Fake::default();
        change(&mut kernel);
        let layers = probe_with(&kernel);
        for layer in &layers {
            assert_eq!(layer.enforced, layer.name != name, "{layer:?}");
        }
        assert_eq!(require(&layers).unwrap_err().names, [name]);
    }

    fn flip(kernel: &mut Fake, trial: Trial) {
        kernel.trials = kernel
            .trials
            .map(|Outcomes(bits)| Outcomes(bits ^ trial.bit()));
    }

    #[test]
    fn a_kernel_with_everything_is_complete() {
        let layers = probe_with(&Fake::default());
        assert_eq!(
            layers.iter().map(|layer| layer.name).collect::<Vec<_>>(),
            NAMES
        );
        assert!(layers.iter().all(|layer| layer.enforced), "{layers:?}");
        assert!(require(&layers).is_ok());
    }

    #[test]
    fn each_trial_guards_its_layer() {
        for (name, trial) in [
            ("namespaces", Trial::Namespaces),
            ("capabilities", Trial::BoundingSet),
            ("no_new_privs", Trial::NoNewPrivileges),
            ("mdwe", Trial::ExecuteGain),
            ("proc_mem", Trial::ForcedWrite),
            ("user_namespaces", Trial::UserNamespace),
        ] {
            only_missing(name, |kernel| flip(kernel, trial));
        }
    }

    #[test]
    fn each_namespace_is_needed() {
        for kind in ["cgroup", "mnt", "net", "pid", "uts"] {
            only_missing("namespaces", |kernel| {
                kernel.files.remove(&format!("/proc/self/ns/{kind}"));
            });
        }
    }

    #[test]
    fn each_answer_of_a_filter_is_needed() {
        for index in 0..3 {
            only_missing("seccomp", |kernel| {
                kernel.actions.remove(index);
            });
        }
    }

    #[test]
    fn landlock_is_needed() {
        only_missing("landlock", |kernel| {
            kernel.landlock = Err(Errno::EOPNOTSUPP)
        });
    }

    #[test]
    fn the_module_is_needed_with_its_version_and_for_this_process() {
        for (path, text, said) in [
            ("lsm", None, "CONFIG_SECURITYFS"),
            ("lsm", Some("capability,landlock"), "capability,landlock;"),
            ("lsm", Some("capability,nacreous"), "CONFIG_SECURITY_NACRE"),
            ("nacre/abi", None, "one build"),
            ("nacre/abi", Some("2\n"), "version (2)"),
            ("nacre/denials", None, "not the manager"),
        ] {
            let change = |kernel: &mut Fake| {
                let path = format!("/sys/kernel/security/{path}");
                match text {
                    Some(text) => drop(kernel.files.insert(path, text.to_owned())),
                    None => drop(kernel.files.remove(&path)),
                }
            };
            only_missing("lsm", change);
            let mut kernel = Fake::default();
            change(&mut kernel);
            let detail = module(&kernel).detail;
            assert!(detail.contains(said), "{said}: {detail}");
        }
    }

    #[test]
    fn each_controller_is_needed() {
        for present in ["memory pids", "cpu pids", "cpu memory", ""] {
            only_missing("cgroup", |kernel| {
                let path = "/sys/fs/cgroup/cgroup.controllers".to_owned();
                kernel.files.insert(path, present.to_owned());
            });
        }
        only_missing("cgroup", |kernel| {
            kernel.files.remove("/sys/fs/cgroup/cgroup.controllers");
        });
    }

    #[test]
    fn package_mounts_are_needed() {
        only_missing("packages", |kernel| {
            kernel.files.insert(
                "/proc/filesystems".to_owned(),
                "nodev tmpfs squashfs".to_owned(),
            );
        });
        only_missing("packages", |kernel| {
            kernel.files.remove("/proc/misc");
        });
    }

    #[test]
    fn modules_must_not_be_there() {
        only_missing("modules", |kernel| {
            kernel
                .files
                .insert("/proc/modules".to_owned(), String::new());
        });
    }

    #[test]
    fn what_cannot_be_tried_is_missing() {
        let kernel = Fake {
            trials: Err(Errno::EBUSY),
            ..Fake::default()
        };
        let layers = probe_with(&kernel);
        assert_eq!(require(&layers).unwrap_err().names.len(), 6);
        assert!(layers[1].detail.contains("EBUSY"));
    }

    #[test]
    fn looking_for_nothing_is_not_enough() {
        assert_eq!(require(&[]).unwrap_err().names, NAMES);
    }
}
