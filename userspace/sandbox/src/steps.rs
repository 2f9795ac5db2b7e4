// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The steps, each of which returns the evidence that its layer holds.
//!
//! Where a step needs another one done first, it asks for that one's evidence.

use std::ffi::{CStr, CString};
use std::os::fd::BorrowedFd;
use std::path::{Component, Path, PathBuf};

use nix::mount::MsFlags;
use nix::sched::CloneFlags;
use nix::sys::resource::Resource;
use nix::unistd::Pid;
use sys::Errno;
use sys::mount::Attributes;

use crate::confinement::{Bind, Confinement, DATA_ONLY};
use crate::filter::Filter;
use crate::kernel::{Kernel, Stream};
use crate::step::layer::{
    BoundingSet, Capabilities, CommonFilter, Descriptors, ExecuteGain, Identity, Label, Landlock,
    Limits, Mounts, Namespaces, Network, NoNewPrivileges, Signals, SystemCalls,
};
use crate::step::{At, Enforced, Failure, Step};

/// Where the new root is put together: a directory of the root file system that is needed for nothing else.
pub(crate) const STAGING: &str = "/tmp";

/// Size and number of files of the new root: directories and one empty file only.
const ROOT_OPTIONS: &str = "size=4k,nr_inodes=32,mode=0755";

/// `/proc` shows a process to itself and its like only.
const PROC_OPTIONS: &str = "hidepid=invisible";

/// All layers of a process that is about to execute its program, or to wait for the one that does.
#[derive(Debug)]
#[must_use]
pub(crate) struct Confined {
    pub signals: Enforced<Signals>,
    pub namespaces: Enforced<Namespaces>,
    pub network: Enforced<Network>,
    pub bounding_set: Enforced<BoundingSet>,
    pub descriptors: Enforced<Descriptors>,
    pub mounts: Enforced<Mounts>,
    pub limits: Enforced<Limits>,
    pub identity: Enforced<Identity>,
    pub capabilities: Enforced<Capabilities>,
    pub privileges: Enforced<NoNewPrivileges>,
    pub execute_gain: Enforced<ExecuteGain>,
    pub landlock: Enforced<Landlock>,
    pub label: Labelled,
    pub system_calls: Enforced<SystemCalls>,
}

/// Whether the security module knows what the process becomes.
#[derive(Debug)]
#[must_use]
pub(crate) enum Labelled {
    /// It does.
    As(Enforced<Label>),
    /// The kernel lacks the module: a service is confined by the other layers, and tells why no app starts.
    ServiceWithoutModule,
}

impl Confined {
    /// Executes the program in this process. Returns only when that fails.
    pub fn execute<K: Kernel>(self, kernel: &K, confinement: &Confinement) -> Failure {
        let (program, arguments) = self.released(confinement);
        let result = kernel
            .unblock_signals()
            .and_then(|()| kernel.execute(program, arguments));
        let errno = match result {
            Err(errno) => errno,
            Ok(never) => match never {},
        };
        Failure {
            step: Step::Execute,
            errno,
        }
    }

    /// Executes the program in a child, which has the layers of this process, and the socket for its requests.
    pub fn spawn<K: Kernel>(
        self,
        kernel: &K,
        confinement: &Confinement,
        broker: Option<BorrowedFd<'_>>,
    ) -> Result<Pid, Failure> {
        let (program, arguments) = self.released(confinement);
        kernel.spawn(program, arguments, broker).at(Step::Execute)
    }

    /// Takes the evidence of every layer in exchange for the program.
    fn released(self, confinement: &Confinement) -> (&CStr, &[CString]) {
        let Self {
            signals: Enforced { .. },
            namespaces: Enforced { .. },
            network: Enforced { .. },
            bounding_set: Enforced { .. },
            descriptors: Enforced { .. },
            mounts: Enforced { .. },
            limits: Enforced { .. },
            identity: Enforced { .. },
            capabilities: Enforced { .. },
            privileges: Enforced { .. },
            execute_gain: Enforced { .. },
            landlock: Enforced { .. },
            label: Labelled::As(Enforced { .. }) | Labelled::ServiceWithoutModule,
            system_calls: Enforced { .. },
        } = self;
        (&confinement.program, &confinement.arguments)
    }
}

/// Signals as a program expects them, all blocked until it is executed.
pub(crate) fn signals<K: Kernel>(kernel: &K) -> Result<Enforced<Signals>, Failure> {
    kernel.reset_signals().at(Step::Signals)?;
    Ok(Enforced::new())
}

/// New namespaces for a process that was not born into them.
pub(crate) fn namespaces<K: Kernel>(kernel: &K) -> Result<Enforced<Namespaces>, Failure> {
    let flags = CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWUTS | CloneFlags::CLONE_NEWCGROUP;
    kernel.unshare(flags).at(Step::Namespaces)?;
    Ok(Enforced::new())
}

/// A network of its own, with nothing in it.
pub(crate) fn empty_network<K: Kernel>(kernel: &K) -> Result<Enforced<Network>, Failure> {
    kernel.unshare(CloneFlags::CLONE_NEWNET).at(Step::Network)?;
    Ok(Enforced::new())
}

/// The empty network of somebody else.
pub(crate) fn enter_network<K: Kernel>(
    kernel: &K,
    network: BorrowedFd<'_>,
) -> Result<Enforced<Network>, Failure> {
    kernel.enter_network(network).at(Step::Network)?;
    Ok(Enforced::new())
}

/// No capability is gained by executing a file. Before the identity changes: it takes a capability.
pub(crate) fn bounding_set<K: Kernel>(kernel: &K) -> Result<Enforced<BoundingSet>, Failure> {
    kernel.empty_bounding_set().at(Step::BoundingSet)?;
    Ok(Enforced::new())
}

/// `input` is read, output stays where it is, and nothing else stays open but `keep`; the process ends with
/// its parent.
pub(crate) fn descriptors_of_launcher<K: Kernel>(
    kernel: &K,
    input: BorrowedFd<'_>,
    keep: BorrowedFd<'_>,
) -> Result<(), Failure> {
    kernel
        .end_with_parent()
        .and_then(|()| kernel.set_stream(Stream::Input, input))
        .and_then(|()| kernel.close_all_but(&mut [keep]))
        .at(Step::Descriptors)
}

/// A session without terminal; output and errors go to one place, and nothing else stays open but `keep`.
pub(crate) fn descriptors_of_app<K: Kernel>(
    kernel: &K,
    output: BorrowedFd<'_>,
    keep: &mut [BorrowedFd<'_>],
) -> Result<Enforced<Descriptors>, Failure> {
    kernel.start_session().at(Step::Session)?;
    kernel
        .set_stream(Stream::Output, output)
        .and_then(|()| kernel.set_stream(Stream::Error, output))
        .and_then(|()| kernel.close_all_but(keep))
        .at(Step::Descriptors)?;
    Ok(Enforced::new())
}

/// A session without terminal; `input` is read, `gifts` are found from 3 on, and output stays where it is.
pub(crate) fn descriptors_of_service<K: Kernel>(
    kernel: &K,
    input: BorrowedFd<'_>,
    gifts: &[BorrowedFd<'_>],
) -> Result<Enforced<Descriptors>, Failure> {
    kernel.start_session().at(Step::Session)?;
    let first_unused = u32::try_from(gifts.len())
        .map_err(|_| Errno::E2BIG)
        .at(Step::Descriptors)?;
    kernel
        .set_stream(Stream::Input, input)
        .and_then(|()| kernel.arrange_descriptors(gifts))
        .and_then(|()| kernel.close_from(first_unused.saturating_add(3)))
        .at(Step::Descriptors)?;
    Ok(Enforced::new())
}

/// The view of the files: a root of its own with the binds of the confinement, all of it read-only but what
/// the binds leave writable, and the old root out of reach.
pub(crate) fn mounts<K: Kernel>(
    kernel: &K,
    confinement: &Confinement,
    _: &Enforced<Namespaces>,
) -> Result<Enforced<Mounts>, Failure> {
    kernel.keep_mounts_private().at(Step::Propagation)?;
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    // The rest is done from the new root, so that each path is short to walk.
    let (staging, here) = (Path::new(STAGING), Path::new("."));
    kernel
        .mount_new("tmpfs", staging, flags, ROOT_OPTIONS)
        .and_then(|()| kernel.change_directory(staging))
        .at(Step::Root)?;
    for bind in &confinement.binds {
        let target = staged(&bind.target);
        mount_point(kernel, bind, &target).at(Step::MountPoints)?;
        kernel
            .bind(&bind.source, &target)
            .and_then(|()| kernel.restrict(&target, bind.attributes))
            .at(bind.step)?;
    }
    if confinement.proc {
        let target = Path::new("proc");
        make_directories(kernel, target).at(Step::MountPoints)?;
        let flags = flags | MsFlags::MS_RDONLY;
        kernel
            .mount_new("proc", target, flags, PROC_OPTIONS)
            .at(Step::Proc)?;
    }
    let root = DATA_ONLY.with(Attributes::READ_ONLY);
    kernel.restrict(here, root).at(Step::Root)?;
    kernel.pivot().at(Step::Pivot)?;
    kernel
        .change_directory(&confinement.directory)
        .at(Step::Directory)?;
    Ok(Enforced::new())
}

/// A place of the new view, from its root. Steps upward do not count.
fn staged(target: &Path) -> PathBuf {
    let names = target.components();
    names
        .filter(|part| matches!(part, Component::Normal(_)))
        .collect()
}

/// Makes the place that something is mounted on.
fn mount_point<K: Kernel>(kernel: &K, bind: &Bind, target: &Path) -> sys::Result<()> {
    if !bind.file {
        return make_directories(kernel, target);
    }
    if let Some(above) = target.parent() {
        make_directories(kernel, above)?;
    }
    kernel.make_file(target)
}

/// Makes a directory and those above it, from the top.
fn make_directories<K: Kernel>(kernel: &K, directory: &Path) -> sys::Result<()> {
    let mut path = PathBuf::new();
    for name in directory.components() {
        path.push(name);
        match kernel.make_directory(&path) {
            Ok(()) | Err(Errno::EEXIST) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Resource limits, soft and hard. Before the identity changes: that takes the right to raise any.
pub(crate) fn limits<K: Kernel>(
    kernel: &K,
    confinement: &Confinement,
) -> Result<Enforced<Limits>, Failure> {
    let limits = &confinement.limits;
    for (resource, value) in [
        (Resource::RLIMIT_NOFILE, limits.open_files),
        (Resource::RLIMIT_STACK, limits.stack),
        (Resource::RLIMIT_FSIZE, confinement.file_size),
        // What is locked is out of the kernel's hands, and a dump of memory would need a place.
        (Resource::RLIMIT_MEMLOCK, 0),
        (Resource::RLIMIT_CORE, 0),
        // No priority above the default, no real time.
        (Resource::RLIMIT_NICE, 0),
        (Resource::RLIMIT_RTPRIO, 0),
    ] {
        kernel.set_limit(resource, value).at(Step::Limits)?;
    }
    Ok(Enforced::new())
}

/// User and group, and no other groups. From here on nothing can be mounted.
pub(crate) fn identity<K: Kernel>(
    kernel: &K,
    confinement: &Confinement,
    _: &Enforced<Mounts>,
    _: &Enforced<Limits>,
    _: &Enforced<BoundingSet>,
) -> Result<Enforced<Identity>, Failure> {
    kernel
        .take_identity(confinement.identity)
        .and_then(|()| kernel.forbid_inspection())
        .at(Step::Identity)?;
    Ok(Enforced::new())
}

/// No capability, in no set.
pub(crate) fn capabilities<K: Kernel>(
    kernel: &K,
    _: &Enforced<Identity>,
) -> Result<Enforced<Capabilities>, Failure> {
    kernel.drop_capabilities().at(Step::Capabilities)?;
    Ok(Enforced::new())
}

/// Executing gives no rights.
pub(crate) fn privileges<K: Kernel>(kernel: &K) -> Result<Enforced<NoNewPrivileges>, Failure> {
    kernel.forbid_privileges().at(Step::NoNewPrivileges)?;
    Ok(Enforced::new())
}

/// Memory does not become executable.
pub(crate) fn execute_gain<K: Kernel>(kernel: &K) -> Result<Enforced<ExecuteGain>, Failure> {
    kernel.forbid_execute_gain().at(Step::ExecuteGain)?;
    Ok(Enforced::new())
}

/// Landlock rules, by paths of the new view.
pub(crate) fn landlock<K: Kernel>(
    kernel: &K,
    confinement: &Confinement,
    _: &Enforced<Mounts>,
    _: &Enforced<NoNewPrivileges>,
) -> Result<Enforced<Landlock>, Failure> {
    kernel
        .landlock(&confinement.rules, &confinement.tcp)
        .at(Step::Landlock)?;
    Ok(Enforced::new())
}

/// What the process becomes with its next program, for good. Late, because a process with a label is no longer
/// the manager's, and before the seal, which refuses the call.
pub(crate) fn label<K: Kernel>(
    kernel: &K,
    confinement: &Confinement,
    _: &Enforced<Identity>,
    _: &Enforced<Mounts>,
) -> Result<Enforced<Label>, Failure> {
    let label = confinement.label.as_ref().ok_or(Errno::EINVAL);
    label
        .and_then(|identity| kernel.label(identity))
        .at(Step::Label)?;
    Ok(Enforced::new())
}

/// The filter that a launcher installs for itself and for the apps that it starts.
pub(crate) fn common_filter<K: Kernel>(
    kernel: &K,
    filter: &Filter,
    _: &Enforced<NoNewPrivileges>,
) -> Result<Enforced<CommonFilter>, Failure> {
    kernel
        .install_filter(filter.instructions())
        .at(Step::SystemCalls)?;
    Ok(Enforced::new())
}

/// The seal on the common filter. The last step: it refuses the others.
pub(crate) fn seal<K: Kernel>(
    kernel: &K,
    filter: &Filter,
    _: Enforced<CommonFilter>,
    _: &Enforced<Capabilities>,
    _: &Enforced<ExecuteGain>,
    _: &Enforced<Landlock>,
    _: &Enforced<Label>,
) -> Result<Enforced<SystemCalls>, Failure> {
    kernel
        .install_filter(filter.instructions())
        .at(Step::SystemCalls)?;
    Ok(Enforced::new())
}

/// The one filter of a process that inherits none. The last step: it refuses the others.
pub(crate) fn whole_filter<K: Kernel>(
    kernel: &K,
    filter: &Filter,
    _: &Enforced<Capabilities>,
    _: &Enforced<NoNewPrivileges>,
    _: &Enforced<ExecuteGain>,
    _: &Enforced<Landlock>,
    _: &Labelled,
) -> Result<Enforced<SystemCalls>, Failure> {
    kernel
        .install_filter(filter.instructions())
        .at(Step::SystemCalls)?;
    Ok(Enforced::new())
}
