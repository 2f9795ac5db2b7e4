// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The launcher: a process that is copied from the manager early, confines itself as far as all apps are
//! confined alike, and makes the first process of each app.
//!
//! What is the same for all apps is done once and inherited: signals, the empty network, the bounding set, no
//! new privileges, no executable memory, and the common filter, whose installation costs more than all else.
//! The processes it makes are children of the manager (`CLONE_PARENT`), and are handed over with a handle.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::fcntl::{FcntlArg, OFlag, fcntl, open};
use nix::sched::CloneFlags;
use nix::sys::signal::Signal;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use nix::sys::stat::Mode;
use nix::unistd::{Pid, pipe2};
use sys::Errno;
use sys::process::{Clone, Cloned, Forked, SingleThreaded, clone3, exit, fork, signal};
use sys::socket::{Received, receive, send};

use crate::app::{self, Inherited};
use crate::cgroup::Cgroup;
use crate::filter::{Filter, FilterError, Profile};
use crate::kernel::{Kernel, Linux};
use crate::layers::Complete;
use crate::plan::{LONGEST, Plan};
use crate::report::{Reporter, Reports};
use crate::step::{At, Enforced, Failure, Step};
use crate::steps;
use crate::wire::{Reader, WireError, Writer};

/// The namespaces of an app. Its network is that of the launcher; others are not in the kernel.
const NAMESPACES: CloneFlags = CloneFlags::CLONE_NEWNS
    .union(CloneFlags::CLONE_NEWPID)
    .union(CloneFlags::CLONE_NEWUTS)
    .union(CloneFlags::CLONE_NEWCGROUP);

/// Longest answer, in bytes.
const ANSWER: usize = 24;

/// Why an app was not launched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LaunchError {
    /// The process could not be made or confined.
    #[error(transparent)]
    Step(#[from] Failure),
    /// The filters cannot be made.
    #[error(transparent)]
    Filter(#[from] FilterError),
    /// The launcher is gone.
    #[error("the launcher does not answer: {errno}; start it anew")]
    Gone {
        /// What the connection says.
        #[source]
        errno: Errno,
    },
}

/// The manager's side of the launcher. Dropping it ends the launcher, but no app.
#[derive(Debug)]
pub struct Launcher {
    pid: Pid,
    socket: OwnedFd,
    network: OwnedFd,
}

/// A process of an app that has been made; its reports tell whether it was confined and started.
#[derive(Debug)]
pub struct Process {
    /// The first process of the app, a child of the caller: to be reaped once its handle is readable.
    pub pid: Pid,
    /// Its handle.
    pub handle: OwnedFd,
    /// What it tells.
    pub reports: Reports,
}

impl Process {
    /// Asks the app to end: `SIGTERM`.
    ///
    /// # Errors
    ///
    /// `ESRCH` when it has been reaped.
    pub fn stop(&self) -> sys::Result<()> {
        signal(&self.handle, Signal::SIGTERM)
    }

    /// Ends all processes of the app: `SIGKILL`.
    ///
    /// # Errors
    ///
    /// `ESRCH` when it has been reaped.
    pub fn kill(&self) -> sys::Result<()> {
        signal(&self.handle, Signal::SIGKILL)
    }
}

impl Launcher {
    /// Starts the launcher, and returns once it is confined and ready. `/proc` must be mounted.
    ///
    /// Whatever is open in the manager now is closed in the launcher, but standard output and error.
    ///
    /// # Errors
    ///
    /// [`LaunchError`].
    pub fn start(single: &SingleThreaded, _: Complete) -> Result<Self, LaunchError> {
        let filters = Filters::new()?;
        let (socket, theirs) = socketpair(
            AddressFamily::Unix,
            SockType::SeqPacket,
            None,
            SockFlag::SOCK_CLOEXEC,
        )
        .at(Step::Request)?;
        match fork(single).at(Step::Create)? {
            Forked::Child => {
                let Err(failure) = serve(single, &theirs, &filters) else {
                    exit(0)
                };
                // If nobody listens any more, the end of the connection says enough.
                send(&theirs, &refusal(failure), &[]).ok();
                exit(1)
            }
            Forked::Parent { child } => {
                drop(theirs);
                answer(&socket)?;
                let network = open(
                    format!("/proc/{child}/ns/net").as_str(),
                    OFlag::O_RDONLY | OFlag::O_CLOEXEC,
                    Mode::empty(),
                )
                .at(Step::Network)?;
                Ok(Self {
                    pid: child,
                    socket,
                    network,
                })
            }
        }
    }

    /// The process of the launcher, a child of the caller.
    #[must_use]
    pub const fn pid(&self) -> Pid {
        self.pid
    }

    /// The empty network namespace that all apps share, for services that need no more.
    #[must_use]
    pub fn network(&self) -> BorrowedFd<'_> {
        self.network.as_fd()
    }

    /// Makes the first process of an app, in its control group and with `output` as its standard output and
    /// error; its program finds `broker`, the socket for its requests, where the crate of that name says. What
    /// becomes of it comes as reports.
    ///
    /// # Errors
    ///
    /// [`LaunchError`].
    pub fn launch(
        &self,
        plan: &Plan,
        cgroup: &Cgroup,
        output: BorrowedFd<'_>,
        broker: Option<BorrowedFd<'_>>,
    ) -> Result<Process, LaunchError> {
        let (reports, theirs) = pipe2(OFlag::O_CLOEXEC).at(Step::Report)?;
        // Only our end: the other one is to wait when the pipe is full, rather than lose a report.
        fcntl(&reports, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).at(Step::Report)?;
        let mut descriptors = vec![cgroup.as_fd(), output, theirs.as_fd()];
        descriptors.extend(broker);
        send(&self.socket, &plan.encode(), &descriptors)
            .map_err(|errno| LaunchError::Gone { errno })?;
        let (pid, handle) = answer(&self.socket)?;
        Ok(Process {
            pid,
            handle: handle.ok_or(LaunchError::Gone {
                errno: Errno::EPROTO,
            })?,
            reports: Reports::new(reports),
        })
    }
}

/// Reads the answer of the launcher: a process and its handle, of which there is none when it reports itself
/// ready.
fn answer(socket: &OwnedFd) -> Result<(Pid, Option<OwnedFd>), LaunchError> {
    let gone = |errno| LaunchError::Gone { errno };
    let mut buffer = [0; ANSWER];
    let Received {
        length,
        descriptors: [handle, ..],
    } = loop {
        // An answer that is left unread would be taken for that of the next request.
        match receive(socket, &mut buffer) {
            Err(Errno::EINTR) => {}
            result => break result.map_err(gone)?,
        }
    };
    let message = buffer.get(..length).unwrap_or_default();
    if message.is_empty() {
        return Err(gone(Errno::EPIPE));
    }
    let malformed = |WireError| gone(Errno::EPROTO);
    let mut reader = Reader::new(message);
    if reader.flag().map_err(malformed)? {
        let pid = reader.narrow().map_err(malformed)?;
        return Ok((Pid::from_raw(pid), handle));
    }
    let step = Step::from_number(reader.narrow().map_err(malformed)?);
    let errno = Errno::from_raw(reader.narrow().map_err(malformed)?);
    match step {
        Some(step) => Err(Failure { step, errno }.into()),
        None => Err(gone(Errno::EPROTO)),
    }
}

/// The answer with a process id; 0 when the launcher is ready.
fn done(pid: Pid) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.number(u64::from(true));
    writer.number(u64::from(pid.as_raw().unsigned_abs()));
    writer.finish()
}

/// The answer with a failure.
fn refusal(failure: Failure) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.number(u64::from(false));
    writer.number(failure.step.number().into());
    writer.number(u64::from((failure.errno as i32).unsigned_abs()));
    writer.finish()
}

/// All filters, made once.
struct Filters {
    common: Filter,
    seals: Vec<(Profile, Filter)>,
}

impl Filters {
    fn new() -> Result<Self, FilterError> {
        let seals =
            [(false, false), (false, true), (true, false), (true, true)].map(|(network, clock)| {
                let profile = Profile::App { network, clock };
                Filter::seal(profile).map(|seal| (profile, seal))
            });
        Ok(Self {
            common: Filter::common()?,
            seals: seals.into_iter().collect::<Result<_, _>>()?,
        })
    }

    fn seal(&self, profile: Profile) -> Result<&Filter, Failure> {
        let mut seals = self.seals.iter();
        let found = seals.find(|(other, _)| *other == profile);
        found.map(|(_, seal)| seal).ok_or(MALFORMED)
    }
}

/// The failure for a request that the manager did not write.
const MALFORMED: Failure = Failure {
    step: Step::Request,
    errno: Errno::EINVAL,
};

/// Is the launcher, until the manager closes the connection.
fn serve(single: &SingleThreaded, socket: &OwnedFd, filters: &Filters) -> Result<(), Failure> {
    let inherited = confine(&Linux, socket, filters)?;
    let gone = |errno| Failure {
        step: Step::Report,
        errno,
    };
    send(socket, &done(Pid::from_raw(0)), &[]).map_err(gone)?;
    let mut buffer = vec![0; LONGEST];
    loop {
        let sent = match receive(socket, &mut buffer) {
            Ok(Received { length: 0, .. }) => return Ok(()),
            Ok(received) => {
                let request = buffer.get(..received.length).unwrap_or_default();
                match make(single, request, received.descriptors, filters, &inherited) {
                    Ok((pid, handle)) => send(socket, &done(pid), &[handle.as_fd()]),
                    Err(failure) => send(socket, &refusal(failure), &[]),
                }
            }
            Err(Errno::EMSGSIZE) => send(socket, &refusal(MALFORMED), &[]),
            Err(errno) => Err(errno),
        };
        sent.map_err(gone)?;
    }
}

/// What all apps have in common.
fn confine<K: Kernel>(
    kernel: &K,
    socket: &OwnedFd,
    filters: &Filters,
) -> Result<Inherited, Failure> {
    let signals = steps::signals(kernel)?;
    let input = open(
        "/dev/null",
        OFlag::O_RDONLY | OFlag::O_CLOEXEC,
        Mode::empty(),
    )
    .at(Step::Descriptors)?;
    steps::descriptors_of_launcher(kernel, input.as_fd(), socket.as_fd())?;
    let network = steps::empty_network(kernel)?;
    let bounding_set = steps::bounding_set(kernel)?;
    let privileges = steps::privileges(kernel)?;
    let execute_gain = steps::execute_gain(kernel)?;
    let common_filter = steps::common_filter(kernel, &filters.common, &privileges)?;
    Ok(Inherited {
        signals,
        network,
        bounding_set,
        privileges,
        execute_gain,
        common_filter,
    })
}

/// Makes the first process of an app.
fn make(
    single: &SingleThreaded,
    request: &[u8],
    descriptors: [Option<OwnedFd>; sys::socket::MOST_DESCRIPTORS],
    filters: &Filters,
    inherited: &Inherited,
) -> Result<(Pid, OwnedFd), Failure> {
    let plan = Plan::decode(request).map_err(|WireError| MALFORMED)?;
    let [Some(cgroup), Some(output), Some(report), broker] = descriptors else {
        return Err(MALFORMED);
    };
    let confinement = plan.confinement();
    let seal = filters.seal(confinement.profile)?;
    let how = Clone {
        flags: NAMESPACES | CloneFlags::CLONE_PARENT,
        cgroup: Some(cgroup.as_fd()),
    };
    match clone3(single, how).at(Step::Create)? {
        Cloned::Parent { child, handle } => Ok((child, handle)),
        Cloned::Child => app::run(
            inherited.copy(),
            // It was born into them.
            Enforced::new(),
            &confinement,
            seal,
            &output,
            broker,
            Reporter::new(report),
        ),
    }
}
