// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The first process of an app: it becomes as confined as the app will be, starts it, passes `SIGTERM` on, and
//! reports its end.
//!
//! It is process 1 in the namespace of the app, so the kernel ends all processes of the app with it. They cannot
//! signal it: the filter refuses that, and the kernel would ignore what process 1 has no handler for.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::sys::signal::{SigSet, Signal, kill};
use nix::unistd::Pid;
use sys::process::{Ended, Wait, exit, wait_any};
use sys::{Errno, Result};

use crate::confinement::Confinement;
use crate::filter::Filter;
use crate::kernel::{Kernel, Linux};
use crate::report::{Report, Reporter};
use crate::step::layer::{
    BoundingSet, CommonFilter, ExecuteGain, Namespaces, Network, NoNewPrivileges, Signals,
};
use crate::step::{At, Enforced, Failure, Step};
use crate::steps::{self, Confined, Labelled};

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
    inherited: Inherited,
    namespaces: Enforced<Namespaces>,
    confinement: &Confinement,
    seal: &Filter,
    output: &OwnedFd,
    broker: Option<OwnedFd>,
    mut reporter: Reporter,
) -> ! {
    let socket = broker.as_ref().map(AsFd::as_fd);
    let mut keep = vec![reporter.as_fd()];
    keep.extend(socket);
    let confined = confine(
        &Linux,
        inherited,
        namespaces,
        confinement,
        seal,
        output,
        &mut keep,
    );
    let spawned = confined.and_then(|confined| confined.spawn(&Linux, confinement, socket));
    // The manager is to see when the app closes its own.
    drop(broker);
    let supervised = spawned.and_then(|app| {
        reporter.report(Report::Running);
        supervise(app).at(Step::Report)
    });
    match supervised {
        Ok(ended) => {
            reporter.report(Report::Ended(ended));
            exit(0)
        }
        Err(failure) => {
            reporter.report(Report::Refused(failure));
            exit(FAILED)
        }
    }
}

/// The steps of an app, in order.
pub(crate) fn confine<K: Kernel>(
    kernel: &K,
    inherited: Inherited,
    namespaces: Enforced<Namespaces>,
    confinement: &Confinement,
    seal: &Filter,
    output: &impl AsFd,
    keep: &mut [BorrowedFd<'_>],
) -> core::result::Result<Confined, Failure> {
    let Inherited {
        signals,
        network,
        bounding_set,
        privileges,
        execute_gain,
        common_filter,
    } = inherited;
    let descriptors = steps::descriptors_of_app(kernel, output.as_fd(), keep)?;
    let mounts = steps::mounts(kernel, confinement, &namespaces)?;
    let limits = steps::limits(kernel, confinement)?;
    let identity = steps::identity(kernel, confinement, &mounts, &limits, &bounding_set)?;
    let capabilities = steps::capabilities(kernel, &identity)?;
    let landlock = steps::landlock(kernel, confinement, &mounts, &privileges)?;
    let label = steps::label(kernel, confinement, &identity, &mounts)?;
    let system_calls = steps::seal(
        kernel,
        seal,
        common_filter,
        &capabilities,
        &execute_gain,
        &landlock,
        &label,
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
        label: Labelled::As(label),
        system_calls,
    })
}

/// Waits for the app and passes `SIGTERM` on to it; orphans of the app are reaped on the way.
fn supervise(app: Pid) -> Result<Ended> {
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGCHLD);
    signals.add(Signal::SIGTERM);
    loop {
        if let Some(ended) = reap(app)? {
            return Ok(ended);
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

    /// All steps of an app, and the execution of its program.
    fn through(kernel: &Recorder, plan: &Plan) -> core::result::Result<Pid, Failure> {
        through_with(kernel, plan, None)
    }

    fn through_with(
        kernel: &Recorder,
        plan: &Plan,
        broker: Option<BorrowedFd<'_>>,
    ) -> core::result::Result<Pid, Failure> {
        let confinement = plan.confinement();
        let seal = Filter::seal(Profile::App {
            network: false,
            clock: false,
        });
        let (output, report) = (std::io::stdout(), std::io::stderr());
        let mut keep = vec![report.as_fd()];
        keep.extend(broker);
        let confined = confine(
            kernel,
            inherited(),
            Enforced::new(),
            &confinement,
            &seal.unwrap(),
            &output,
            &mut keep,
        );
        confined?.spawn(kernel, &confinement, broker)
    }

    #[test]
    fn a_socket_for_requests_is_kept_and_passed_on() {
        let kernel = Recorder::default();
        let broker = std::io::stdin();
        through_with(&kernel, &plan(false), Some(broker.as_fd())).unwrap();
        let calls = kernel.calls();
        assert!(calls.contains(&"close all but 2".to_owned()), "{calls:?}");
        let spawned = calls.last().unwrap();
        assert!(spawned.ends_with("] with a broker"), "{spawned}");
    }

    #[test]
    fn the_steps_of_an_app_come_in_this_order() {
        let kernel = Recorder::default();
        assert!(through(&kernel, &plan(true)).is_ok());
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
            "chdir /tmp".to_owned(),
            "directory lib".to_owned(),
            "bind /lib lib".to_owned(),
            "restrict lib ro,nosuid,nodev".to_owned(),
            "directory dev".to_owned(),
            "bind /run/devices dev".to_owned(),
            "restrict dev ro,nosuid,noexec,nosymfollow".to_owned(),
            "directory mnt".to_owned(),
            "directory mnt/apps".to_owned(),
            format!("directory mnt/apps/{ID}"),
            format!("bind /mnt/apps/package mnt/apps/{ID}"),
            format!("restrict mnt/apps/{ID} ro,nosuid,nodev,nosymfollow"),
            "directory mnt".to_owned(),
            "directory mnt/config".to_owned(),
            format!("directory mnt/config/{ID}"),
            format!("file mnt/config/{ID}/mutable"),
            format!("bind /data/config/app/mutable mnt/config/{ID}/mutable"),
            format!("restrict mnt/config/{ID}/mutable nosuid,nodev,noexec,nosymfollow"),
            "directory proc".to_owned(),
            format!("mount proc proc {read_only} hidepid=invisible"),
            "restrict . ro,nosuid,nodev,noexec,nosymfollow".to_owned(),
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
                "landlock {package} Execute, /lib Execute, /proc Read, /dev Devices, {mutable} ReadWrite; \
                 bind [4444] connect false"
            ),
            format!("label {ID}"),
            "filter".to_owned(),
            format!("spawn \"{package}/bin/app\" [\"{package}/bin/app\", \"-v\"]"),
        ];
        assert_eq!(kernel.calls(), expected);
    }

    #[test]
    fn nothing_follows_a_step_that_failed() {
        let whole = Recorder::default();
        through(&whole, &plan(true)).unwrap();
        for index in 0..whole.calls().len() {
            let kernel = Recorder::failing_at(index);
            let failure = through(&kernel, &plan(true)).unwrap_err();
            assert_eq!(failure.errno, Errno::EIO, "{failure}");
            assert_eq!(kernel.calls(), &whole.calls()[..=index], "{failure}");
        }
    }

    #[test]
    fn an_app_without_a_label_is_not_started() {
        let confinement = Confinement {
            label: None,
            ..plan(true).confinement()
        };
        let kernel = Recorder::default();
        let seal = Filter::seal(Profile::App {
            network: false,
            clock: false,
        });
        let (output, report) = (std::io::stdout(), std::io::stderr());
        let confined = confine(
            &kernel,
            inherited(),
            Enforced::new(),
            &confinement,
            &seal.unwrap(),
            &output,
            &mut [report.as_fd()],
        );
        let failure = confined.unwrap_err();
        assert_eq!((failure.step, failure.errno), (Step::Label, Errno::EINVAL));
        assert!(!kernel.calls().contains(&"filter".to_owned()));
    }

    #[test]
    fn without_storage_nothing_is_writable_but_device_nodes() {
        let kernel = Recorder::default();
        through(&kernel, &plan(false)).unwrap();
        let calls = kernel.calls().join("\n");
        assert!(!calls.contains("/mnt/config"), "{calls}");
        assert!(!calls.contains("ReadWrite"), "{calls}");
        assert!(calls.contains("limit RLIMIT_FSIZE 0"), "{calls}");
        for line in calls.lines().filter(|line| line.starts_with("restrict")) {
            assert!(line.contains(" ro,nosuid"), "{line}");
        }
    }
}
