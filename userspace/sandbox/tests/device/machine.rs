// SPDX-License-Identifier: Apache-2.0 OR MIT

//! What the manager of a device prepares, as far as the sandbox needs it.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::sys::stat::{Mode, SFlag, makedev, mknod};
use nix::unistd::pipe;
use policy::{AppKind, ComponentId, Grant, RuleSet};
use sandbox::{
    Cgroup, Cgroups, Launcher, Limits, Next, PackagePaths, Plan, Process, Report, cgroup, layers,
};
use sys::process::{SingleThreaded, Wait, wait_any};

/// The app that all roles are played as.
pub const APP: &str = "25025d2c-66da-4448-bae1-ac26fcdd3627";
/// The mutable file, outside.
pub const MUTABLE: &str = "/run/mutable";
/// Longest time that anything takes, on a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// The machine, ready for apps.
pub struct Machine {
    pub single: SingleThreaded,
    pub launcher: Launcher,
    pub cgroups: Cgroups,
}

/// What became of an app.
#[derive(Debug)]
pub struct Outcome {
    pub reports: Vec<Report>,
    pub output: String,
    pub out_of_memory: u64,
    pub peak: u64,
}

impl Machine {
    /// Mounts what has to be, looks for the layers, and starts the launcher.
    pub fn prepare() -> Self {
        for (kind, target) in [
            ("proc", "/proc"),
            ("sysfs", "/sys"),
            ("devtmpfs", "/dev"),
            ("cgroup2", "/sys/fs/cgroup"),
            ("tmpfs", "/run"),
            ("securityfs", "/sys/kernel/security"),
        ] {
            match mount(
                Some(kind),
                target,
                Some(kind),
                MsFlags::empty(),
                None::<&str>,
            ) {
                Ok(()) | Err(Errno::EBUSY) => {}
                Err(error) => panic!("{kind}: {error}"),
            }
        }
        fs::create_dir("/run/devices").unwrap();
        for (name, minor, mode) in [
            ("null", 3, 0o666),
            ("zero", 5, 0o666),
            ("full", 7, 0o666),
            ("random", 8, 0o444),
            ("urandom", 9, 0o444),
        ] {
            let path = Path::new("/run/devices").join(name);
            mknod(&path, SFlag::S_IFCHR, Mode::empty(), makedev(1, minor)).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        }
        let layers = layers::probe();
        for layer in &layers {
            let word = if layer.enforced {
                "enforced"
            } else {
                "missing"
            };
            println!("# layer {}: {word}: {}", layer.name, layer.detail);
        }
        let complete = layers::require(&layers).unwrap();
        let single = SingleThreaded::confirm().unwrap();
        let launcher = Launcher::start(&single, complete).unwrap();
        let cgroups = Cgroups::prepare(Path::new(cgroup::ROOT)).unwrap();
        Self {
            single,
            launcher,
            cgroups,
        }
    }

    /// The grant of an app without any.
    pub fn grant() -> Grant<'static> {
        Grant::none(component(), AppKind::HighLevel)
    }

    /// Makes the mutable file anew.
    pub fn mutable() -> &'static Path {
        let path = Path::new(MUTABLE);
        fs::write(path, "kept").unwrap();
        chown(path, Some(component().uid()), Some(component().uid())).unwrap();
        path
    }

    /// Tells the security module what a component may do.
    pub fn allow(grant: &Grant<'_>) {
        let mut buffer = [0; RuleSet::MAX_SIZE];
        let length = RuleSet::encode(grant, &[], &mut buffer).unwrap();
        let rules = Path::new(layers::MODULE_FILES).join("rules");
        let mut rules = OpenOptions::new().write(true).open(rules).unwrap();
        assert_eq!(rules.write(&buffer[..length]).unwrap(), length);
    }

    /// Starts this program as an app in a role, and returns the process, its group, and its output.
    pub fn start(
        &self,
        grant: &Grant<'_>,
        limits: &Limits,
        program: &str,
        role: &[&str],
    ) -> (Process, Cgroup, OwnedFd) {
        let mut arguments = vec!["app"];
        arguments.extend(role);
        let paths = PackagePaths {
            package: Path::new("/package"),
            libraries: Path::new("/lib"),
            devices: Path::new("/run/devices"),
            mutable: (grant.storage_kb > 0).then(Self::mutable),
            entry_point: program,
            arguments: &arguments,
        };
        Self::allow(grant);
        self.launch(&Plan::new(grant, paths, limits).unwrap(), limits)
    }

    /// Starts an app by its plan.
    pub fn launch(&self, plan: &Plan, limits: &Limits) -> (Process, Cgroup, OwnedFd) {
        let group = self.cgroups.app(plan.component(), limits).unwrap();
        let (log, output) = pipe().unwrap();
        let process = self
            .launcher
            .launch(plan, &group, output.as_fd(), None)
            .unwrap();
        (process, group, log)
    }

    /// Waits for the end of an app.
    pub fn finish(&self, started: (Process, Cgroup, OwnedFd)) -> Outcome {
        let (mut process, group, log) = started;
        let mut reports = Vec::new();
        let start = Instant::now();
        loop {
            match process.reports.take() {
                Next::Report(report) => reports.push(report),
                Next::Never => break,
                Next::Later => {
                    assert!(start.elapsed() < PATIENCE, "nothing happens");
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
        }
        let (reaped, _) = wait_any(Wait::Block).unwrap().unwrap();
        assert_eq!(reaped, process.pid);
        let mut output = String::new();
        File::from(log).read_to_string(&mut output).unwrap();
        let outcome = Outcome {
            reports,
            output,
            out_of_memory: group.out_of_memory().unwrap(),
            peak: group.memory().unwrap().peak,
        };
        assert_eq!(group.tasks().unwrap(), 0);
        group.remove().unwrap();
        outcome
    }

    /// Runs this program as an app in a role to its end.
    pub fn run(&self, grant: &Grant<'_>, role: &[&str]) -> Outcome {
        self.finish(self.start(grant, &ROOMY, "/bin/app", role))
    }
}

/// The limits of an app, with more memory than usual: this program is larger than an app is.
pub const ROOMY: Limits = Limits {
    memory: 4 * 1024 * 1024,
    ..Limits::APP
};

/// The id of the app.
pub fn component() -> ComponentId {
    APP.parse().unwrap()
}
