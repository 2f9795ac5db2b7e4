// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The sandbox of a service of the system, such as the device API.
//!
//! It is made of the steps of an app, by the process itself: the manager forks, and the child never returns. A
//! service sees its program, the files that it is given, `/dev/null` and `/dev/urandom`; it is in the empty
//! network, makes no sockets, and serves those that it finds from descriptor 3 on.

use std::convert::Infallible;
use std::ffi::CString;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;
use policy::{ComponentId, Identity};
use sys::Errno;
use sys::mount::Attributes;

use crate::cgroup::Cgroup;
use crate::confinement::{Bind, Confinement, DATA_ONLY, Rights, SEALED, Tcp};
use crate::filter::{Filter, Profile};
use crate::kernel::{Kernel, Linux};
use crate::limits::Limits;
use crate::step::{At, Failure, Step};
use crate::steps::{self, Confined, Labelled};

/// User and group of the device API: below those of apps, and of nobody else.
pub const DEVICE_API_UID: u32 = 100;

/// What the security module knows the device API as. No app can have this id.
pub const DEVICE_API: ComponentId = ComponentId::from_bytes([
    0x76, 0x8c, 0x71, 0x79, 0xc1, 0x10, 0x4c, 0xd3, 0x9b, 0x5e, 0x1f, 0x2a, 0x5b, 0xd8, 0xae, 0x44,
]);

/// The device nodes of a service.
const DEVICES: [&str; 2] = ["/dev/null", "/dev/urandom"];

/// What a service is given. All paths are absolute and the same inside and outside.
#[derive(Clone, Copy, Debug)]
pub struct ServicePlan<'a> {
    /// User and group, such as [`DEVICE_API_UID`].
    pub identity: u32,
    /// What the security module knows it as, such as [`DEVICE_API`]; `None` on a kernel that lacks the module.
    pub component: Option<ComponentId>,
    /// The program.
    pub program: &'a Path,
    /// Its arguments after its name.
    pub arguments: &'a [&'a str],
    /// The directory of libraries, with the dynamic linker.
    pub libraries: &'a Path,
    /// Files that it may read, such as certificates; its user must have the right.
    pub files: &'a [&'a Path],
    /// Limits; those of memory, tasks and processor are the control group's.
    pub limits: Limits,
}

/// Turns the calling process into a service: enters the control group and the network namespace, confines
/// itself, and executes the program with `gifts` as its descriptors from 3 on. Standard output and error stay.
///
/// To be called in a fork that has no other purpose.
///
/// # Errors
///
/// The step that failed. The process is half confined then, and must exit.
pub fn confine_service(
    plan: &ServicePlan<'_>,
    cgroup: &Cgroup,
    network: BorrowedFd<'_>,
    gifts: &[BorrowedFd<'_>],
) -> Result<Infallible, Failure> {
    cgroup
        .enter()
        .map_err(|error| {
            error
                .source
                .raw_os_error()
                .map_or(Errno::EIO, Errno::from_raw)
        })
        .at(Step::ControlGroup)?;
    let filter = Filter::whole(Profile::Service)
        .map_err(|_| Errno::EINVAL)
        .at(Step::SystemCalls)?;
    let confinement = confinement(plan).at(Step::Request)?;
    let input = open(
        "/dev/null",
        OFlag::O_RDONLY | OFlag::O_CLOEXEC,
        Mode::empty(),
    )
    .at(Step::Descriptors)?;
    let confined = confine(&Linux, &confinement, &filter, network, input.as_fd(), gifts)?;
    Err(confined.execute(&Linux, &confinement))
}

/// The steps of a service, in order.
fn confine<K: Kernel>(
    kernel: &K,
    confinement: &Confinement,
    filter: &Filter,
    network: BorrowedFd<'_>,
    input: BorrowedFd<'_>,
    gifts: &[BorrowedFd<'_>],
) -> Result<Confined, Failure> {
    let signals = steps::signals(kernel)?;
    let network = steps::enter_network(kernel, network)?;
    let namespaces = steps::namespaces(kernel)?;
    let descriptors = steps::descriptors_of_service(kernel, input, gifts)?;
    let mounts = steps::mounts(kernel, confinement, &namespaces)?;
    let limits = steps::limits(kernel, confinement)?;
    let bounding_set = steps::bounding_set(kernel)?;
    let identity = steps::identity(kernel, confinement, &mounts, &limits, &bounding_set)?;
    let capabilities = steps::capabilities(kernel, &identity)?;
    let privileges = steps::privileges(kernel)?;
    let execute_gain = steps::execute_gain(kernel)?;
    let landlock = steps::landlock(kernel, confinement, &mounts, &privileges)?;
    let label = match confinement.label {
        Some(_) => Labelled::As(steps::label(kernel, confinement, &identity, &mounts)?),
        None => Labelled::ServiceWithoutModule,
    };
    let system_calls = steps::whole_filter(
        kernel,
        filter,
        &capabilities,
        &privileges,
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
        label,
        system_calls,
    })
}

/// What the plan means for the steps. `EINVAL` for a path or argument with a null character.
fn confinement(plan: &ServicePlan<'_>) -> sys::Result<Confinement> {
    let same = |path: &Path, file, attributes, step| Bind {
        source: path.to_owned(),
        target: path.to_owned(),
        file,
        attributes,
        step,
    };
    let program_only = SEALED.with(Attributes::NO_DEVICES);
    let node = SEALED
        .with(Attributes::NO_EXECUTE)
        .with(Attributes::NO_SYMLINKS);
    let mut binds = vec![
        same(plan.libraries, false, program_only, Step::Libraries),
        same(
            plan.program,
            true,
            program_only.with(Attributes::NO_SYMLINKS),
            Step::ServiceFile,
        ),
    ];
    let mut rules = vec![
        (plan.libraries.to_owned(), Rights::Execute),
        (plan.program.to_owned(), Rights::ExecuteFile),
    ];
    for path in DEVICES.map(Path::new) {
        binds.push(same(path, true, node, Step::Devices));
        rules.push((path.to_owned(), Rights::ReadFile));
    }
    for &path in plan.files {
        let attributes = DATA_ONLY.with(Attributes::READ_ONLY);
        binds.push(same(path, true, attributes, Step::ServiceFile));
        rules.push((path.to_owned(), Rights::ReadFile));
    }
    let text = |bytes: &[u8]| CString::new(bytes).map_err(|_| Errno::EINVAL);
    let program = text(plan.program.as_os_str().as_bytes())?;
    let mut arguments = vec![program.clone()];
    for argument in plan.arguments {
        arguments.push(text(argument.as_bytes())?);
    }
    let label = match plan.component {
        Some(component) => Some(Identity::new(component).ok_or(Errno::EINVAL)?),
        None => None,
    };
    Ok(Confinement {
        identity: plan.identity,
        label,
        binds,
        proc: false,
        directory: PathBuf::from("/"),
        rules,
        tcp: Tcp {
            bind: Vec::new(),
            connect: false,
        },
        profile: Profile::Service,
        limits: plan.limits,
        // It writes no files.
        file_size: 0,
        program,
        arguments,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorder::Recorder;

    fn plan() -> ServicePlan<'static> {
        ServicePlan {
            identity: DEVICE_API_UID,
            component: Some(DEVICE_API),
            program: Path::new("/usr/bin/device-api"),
            arguments: &[],
            libraries: Path::new("/lib"),
            files: &[],
            limits: Limits::SERVICE,
        }
    }

    fn through(kernel: &Recorder, plan: &ServicePlan<'_>) -> Failure {
        let confinement = confinement(plan).unwrap();
        let filter = Filter::whole(Profile::Service).unwrap();
        let any = std::io::stdout();
        let gifts = [any.as_fd(), any.as_fd()];
        match confine(
            kernel,
            &confinement,
            &filter,
            any.as_fd(),
            any.as_fd(),
            &gifts,
        ) {
            Ok(confined) => confined.execute(kernel, &confinement),
            Err(failure) => failure,
        }
    }

    /// The position of the first call that starts like this.
    fn position(calls: &[String], start: &str) -> usize {
        let found = calls.iter().position(|call| call.starts_with(start));
        found.unwrap_or_else(|| panic!("no {start:?} in {calls:#?}"))
    }

    #[test]
    fn the_steps_of_a_service_come_in_this_order() {
        let kernel = Recorder::default();
        through(&kernel, &plan());
        let calls = kernel.calls();
        let order = [
            "reset signals",
            "enter network",
            "unshare CloneFlags(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS)",
            "session",
            "stream Input",
            "arrange 2",
            "close from 5",
            "private",
            "mount tmpfs /tmp",
            "bind /usr/bin/device-api usr/bin/device-api",
            "restrict . ro",
            "pivot",
            "limit RLIMIT_FSIZE 0",
            "bounding set",
            "identity 0x64",
            "not dumpable",
            "capabilities",
            "no new privileges",
            "no execute gain",
            "landlock",
            "label 768c7179-c110-4cd3-9b5e-1f2a5bd8ae44",
            "filter",
            "unblock signals",
            "execute \"/usr/bin/device-api\"",
        ];
        let positions = order.map(|start| position(&calls, start));
        assert!(positions.is_sorted(), "{positions:?} {calls:#?}");
        assert!(
            calls.iter().all(|call| !call.contains("/proc")),
            "{calls:#?}"
        );
    }

    #[test]
    fn nothing_follows_a_step_that_failed() {
        let whole = Recorder::default();
        through(&whole, &plan());
        for index in 0..whole.calls().len() {
            let kernel = Recorder::failing_at(index);
            assert_eq!(through(&kernel, &plan()).errno, Errno::EIO);
            assert_eq!(kernel.calls(), &whole.calls()[..=index]);
        }
    }

    #[test]
    fn on_a_kernel_without_the_module_a_service_starts_without_a_label() {
        let kernel = Recorder::default();
        let plan = ServicePlan {
            component: None,
            ..plan()
        };
        // The recorder's execution is the one step that fails.
        assert_eq!(through(&kernel, &plan).step, Step::Execute);
        let calls = kernel.calls();
        assert!(
            calls.iter().all(|call| !call.starts_with("label")),
            "{calls:#?}"
        );
        position(&calls, "filter");
    }

    #[test]
    fn files_are_shown_read_only_and_one_by_one() {
        let kernel = Recorder::default();
        let plan = ServicePlan {
            files: &[Path::new("/etc/nacre/device-api.key.pem")],
            ..plan()
        };
        through(&kernel, &plan);
        let calls = kernel.calls();
        let restrict = "restrict etc/nacre/device-api.key.pem ro,nosuid,nodev,noexec,nosymfollow";
        position(&calls, "file etc/nacre/device-api.key.pem");
        position(&calls, restrict);
        let landlock = &calls[position(&calls, "landlock")];
        assert!(
            landlock.contains("/etc/nacre/device-api.key.pem ReadFile"),
            "{landlock}"
        );
    }

    #[test]
    fn an_argument_with_a_null_character_is_refused() {
        let wrong = ServicePlan {
            arguments: &["a\0b"],
            ..plan()
        };
        assert_eq!(confinement(&wrong), Err(Errno::EINVAL));
        assert!(confinement(&plan()).is_ok());
    }
}
