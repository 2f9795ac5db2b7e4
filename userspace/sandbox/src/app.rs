// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The first process of an app: it becomes as confined as the app will be, starts it, passes `SIGTERM` on, and
//! reports its end.
//!
//! It is process 1 in the namespace of the app, so the kernel ends all processes of the app with it, and leaves
//! it alone when they signal it. What they can make it do with a `SIGTERM` is end themselves.

use std::os::fd::{AsFd, OwnedFd};

use nix::sys::signal::{SigSet, Signal, kill};
use nix::unistd::Pid;
use sys::process::{Ended, Forked, SingleThreaded, Wait, exit, fork_until_execute, wait_any};
use sys::{Errno, Result};

use crate::confinement::Confinement;
use crate::filter::Filter;
use crate::kernel::{Kernel, Linux};
use crate::report::{Report, Reporter};
use crate::step::layer::{
    BoundingSet, CommonFilter, ExecuteGain, Namespaces, Network, NoNewPrivileges, Signals,
};
use crate::step::{At, Enforced, Failure, Step};
use crate::steps::{self, Confined};

/// Exit code of a process that could not do what it was made for; its report says why.
const FAILED: u8 = 125;

/// The layers that the launcher enforces once, for all processes that are copied from it.
#[derive(Debug)]
pub(crate) struct Inherited {
    pub signals: Enforced<Signals>,
    pub network: Enforced<Network>,
    pub bounding_set: Enforced<BoundingSet>,
    pub privileges: Enforced<NoNewPrivileges>,
    pub execute_gain: Enforced<ExecuteGain>,
    pub common_filter: Enforced<CommonFilter>,
}

impl Inherited {
    /// The layers in a copy of this process.
    pub fn copy(&self) -> Self {
        Self {
            signals: self.signals.inherited(),
            network: self.network.inherited(),
            bounding_set: self.bounding_set.inherited(),
            privileges: self.privileges.inherited(),
            execute_gain: self.execute_gain.inherited(),
            common_filter: self.common_filter.inherited(),
        }
    }
}

/// Is the first process of an app, from its birth in new namespaces to its end.
pub(crate) fn run(
    single: &SingleThreaded,
    inherited: Inherited,
    namespaces: Enforced<Namespaces>,
    confinement: &Confinement,
    seal: &Filter,
    output: &OwnedFd,
    mut reporter: Reporter,
) -> ! {
    let confined = confine(
        &Linux,
        inherited,
        namespaces,
        confinement,
        seal,
        output,
        &reporter,
    );
    let failure = match confined.and_then(|confined| start(single, confined, confinement)) {
        Ok(Started::Here(failure)) | Err(failure) => failure,
        Ok(Started::Child(child)) => match supervise(child, &mut reporter) {
            Ok(ended) => {
                reporter.report(Report::Ended(ended));
                exit(0)
            }
            Err(errno) => Failure {
                step: Step::Report,
                errno,
            },
        },
    };
    reporter.report(Report::Refused(failure));
    exit(FAILED)
}

/// The steps of an app, in order.
pub(crate) fn confine<K: Kernel>(
    kernel: &K,
    inherited: Inherited,
    namespaces: Enforced<Namespaces>,
    confinement: &Confinement,
    seal: &Filter,
    output: &impl AsFd,
    report: &impl AsFd,
) -> core::result::Result<Confined, Failure> {
    let Inherited {
        signals,
        network,
        bounding_set,
        privileges,
        execute_gain,
        common_filter,
    } = inherited;
    let descriptors = steps::descriptors_of_app(kernel, output.as_fd(), report.as_fd())?;
    let mounts = steps::mounts(kernel, confinement, &namespaces)?;
    let limits = steps::limits(kernel, confinement)?;
    let identity = steps::identity(kernel, confinement, &mounts, &limits, &bounding_set)?;
    let capabilities = steps::capabilities(kernel, &identity)?;
    let landlock = steps::landlock(kernel, confinement, &mounts, &privileges)?;
    let system_calls = steps::seal(
        kernel,
        seal,
        common_filter,
        &capabilities,
        &execute_gain,
        &landlock,
    )?;
    Ok(Confined {
        signals,
        namespaces,
        network,
        bounding_set,
        descriptors,
        mounts,
        limits,
        identity,
        capabilities,
        privileges,
        execute_gain,
        landlock,
        system_calls,
    })
}

/// Which process the start returned to.
enum Started {
    /// The first process; the app is its child.
    Child(Pid),
    /// The app's, where the program could not be executed.
    Here(Failure),
}

/// Starts the app in a process of its own.
fn start(
    single: &SingleThreaded,
    confined: Confined,
    confinement: &Confinement,
) -> core::result::Result<Started, Failure> {
    match fork_until_execute(single).at(Step::Fork)? {
        Forked::Child => Ok(Started::Here(confined.execute(&Linux, confinement))),
        Forked::Parent { child } => Ok(Started::Child(child)),
    }
}

/// Waits for the app and passes `SIGTERM` on to it; orphans of the app are reaped on the way.
fn supervise(app: Pid, reporter: &mut Reporter) -> Result<Ended> {
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGCHLD);
    signals.add(Signal::SIGTERM);
    let mut told = false;
    loop {
        if let Some(ended) = reap(app)? {
            return Ok(ended);
        }
        if !told {
            reporter.report(Report::Running);
            told = true;
        }
        if signals.wait()? == Signal::SIGTERM {
            // Only this process reaps, so the id is still the app's.
            kill(app, Signal::SIGTERM)?;
        }
    }
}

/// Reaps all that have ended; how the app did, if it was among them.
fn reap(app: Pid) -> Result<Option<Ended>> {
    loop {
        match wait_any(Wait::Poll)? {
            Some((child, status)) if child == app => {
                return Ended::from_status(status).map(Some).ok_or(Errno::EINVAL);
            }
            Some(_) => {}
            None => return Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::{Filter, Profile};
    use crate::limits::Limits;
    use crate::plan::{PackagePaths, Plan};
    use crate::recorder::Recorder;
    use policy::{AppKind, Grant};
    use std::path::Path;

    const ID: &str = "25025d2c-66da-4448-bae1-ac26fcdd3627";

    fn plan(storage: bool) -> Plan {
        let grant = Grant {
            storage_kb: if storage { 8 } else { 0 },
            tcp_ports: &[4444],
            ..Grant::none(ID.parse().unwrap(), AppKind::HighLevel)
        };
        let paths = PackagePaths {
            package: Path::new("/mnt/apps/package"),
            libraries: Path::new("/lib"),
            devices: Path::new("/run/devices"),
            mutable: storage.then_some(Path::new("/data/config/app/mutable")),
            entry_point: "bin/app",
            arguments: &["-v"],
        };
        Plan::new(&grant, paths, &Limits::APP).unwrap()
    }

    /// Everything that the launcher does first.
    fn inherited() -> Inherited {
        Inherited {
            signals: Enforced::new(),
            network: Enforced::new(),
            bounding_set: Enforced::new(),
            privileges: Enforced::new(),
            execute_gain: Enforced::new(),
            common_filter: Enforced::new(),
        }
    }

    /// All steps of an app up to the execution of its program, which fails here.
    fn through(kernel: &Recorder, plan: &Plan) -> Failure {
        let confinement = plan.confinement();
        let seal = Filter::seal(Profile::App {
            network: false,
            clock: false,
        });
        let (output, report) = (std::io::stdout(), std::io::stderr());
        let confined = confine(
            kernel,
            inherited(),
            Enforced::new(),
            &confinement,
            &seal.unwrap(),
            &output,
            &report,
        );
        match confined {
            Ok(confined) => confined.execute(kernel, &confinement),
            Err(failure) => failure,
        }
    }

    #[test]
    fn the_steps_of_an_app_come_in_this_order() {
        let kernel = Recorder::default();
        assert_eq!(through(&kernel, &plan(true)).errno, Errno::ENOEXEC);
        let flags = "MsFlags(MS_NOSUID | MS_NODEV | MS_NOEXEC)";
        let read_only = "MsFlags(MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC)";
        let package = format!("/mnt/apps/{ID}");
        let mutable = format!("/mnt/config/{ID}/mutable");
        let expected = [
            "session".to_owned(),
            "stream Output".to_owned(),
            "stream Error".to_owned(),
            "close all but 1".to_owned(),
            "private".to_owned(),
            format!("mount tmpfs /tmp {flags} size=4k,nr_inodes=32,mode=0755"),
            "directory /tmp/lib".to_owned(),
            "bind /lib /tmp/lib".to_owned(),
            "restrict /tmp/lib ro,nosuid,nodev".to_owned(),
            "directory /tmp/dev".to_owned(),
            "bind /run/devices /tmp/dev".to_owned(),
            "restrict /tmp/dev ro,nosuid,noexec,nosymfollow".to_owned(),
            format!("directory /tmp{package}"),
            format!("bind /mnt/apps/package /tmp{package}"),
            format!("restrict /tmp{package} ro,nosuid,nodev,nosymfollow"),
            format!("directory /tmp/mnt/config/{ID}"),
            format!("file /tmp{mutable}"),
            format!("bind /data/config/app/mutable /tmp{mutable}"),
            format!("restrict /tmp{mutable} nosuid,nodev,noexec,nosymfollow"),
            "directory /tmp/proc".to_owned(),
            format!("mount proc /tmp/proc {read_only} hidepid=invisible"),
            "restrict /tmp ro,nosuid,nodev,noexec,nosymfollow".to_owned(),
            "chdir /tmp".to_owned(),
            "pivot".to_owned(),
            format!("chdir {package}"),
            "limit RLIMIT_NOFILE 64".to_owned(),
            "limit RLIMIT_STACK 1048576".to_owned(),
            "limit RLIMIT_FSIZE 8192".to_owned(),
            "limit RLIMIT_MEMLOCK 0".to_owned(),
            "limit RLIMIT_CORE 0".to_owned(),
            "limit RLIMIT_NICE 0".to_owned(),
            "limit RLIMIT_RTPRIO 0".to_owned(),
            format!("identity {:#x}", plan(true).component().uid()),
            "not dumpable".to_owned(),
            "capabilities".to_owned(),
            format!(
                "landlock {package} Execute, /lib Execute, /proc Read, /dev/null WriteNode, /dev/zero WriteNode, \
                 /dev/full WriteNode, /dev Read, {mutable} ReadWrite; bind [4444] connect false"
            ),
            "filter".to_owned(),
            "unblock signals".to_owned(),
            format!("execute \"{package}/bin/app\" [\"{package}/bin/app\", \"-v\"]"),
        ];
        assert_eq!(kernel.calls(), expected);
    }

    #[test]
    fn nothing_follows_a_step_that_failed() {
        let whole = Recorder::default();
        through(&whole, &plan(true));
        for index in 0..whole.calls().len() {
            let kernel = Recorder::failing_at(index);
            let failure = through(&kernel, &plan(true));
            assert_eq!(failure.errno, Errno::EIO, "{failure}");
            assert_eq!(kernel.calls(), &whole.calls()[..=index], "{failure}");
        }
    }

    #[test]
    fn without_storage_nothing_is_writable_but_device_nodes() {
        let kernel = Recorder::default();
        through(&kernel, &plan(false));
        let calls = kernel.calls().join("\n");
        assert!(!calls.contains("/mnt/config"), "{calls}");
        assert!(!calls.contains("ReadWrite"), "{calls}");
        assert!(calls.contains("limit RLIMIT_FSIZE 0"), "{calls}");
        for line in calls.lines().filter(|line| line.starts_with("restrict")) {
            assert!(line.contains(" ro,nosuid"), "{line}");
        }
    }
}
