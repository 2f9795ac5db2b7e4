// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The steps of setting up a sandbox, the evidence that each has been done, and what failed when one was not.

use core::marker::PhantomData;

use sys::Errno;

/// Evidence that a layer of the sandbox holds for this process.
///
/// Only the step that enforces the layer makes one, and starting the program takes all of them by value: a
/// program that is started with a step left out does not compile. A process that is copied from one with a
/// layer has the layer too.
///
/// ```compile_fail,E0624
/// // Nobody else can make evidence.
/// let claimed = sandbox::Enforced::<sandbox::layer::Landlock>::new();
/// ```
#[derive(Debug)]
#[must_use = "a layer counts for nothing until the program is started with it"]
pub struct Enforced<Layer>(PhantomData<Layer>);

impl<Layer> Enforced<Layer> {
    /// To be called by the step that has just enforced the layer.
    pub(crate) const fn new() -> Self {
        Self(PhantomData)
    }

    /// The evidence in a copy of this process.
    pub(crate) const fn inherited(&self) -> Self {
        Self(PhantomData)
    }
}

/// Defines the layers, each a type without values.
macro_rules! layers {
    ($($(#[$documentation:meta])* $name:ident;)*) => {
        /// The layers that there is evidence of.
        pub mod layer {
            $($(#[$documentation])* #[derive(Debug)] pub enum $name {})*
        }
    };
}

layers! {
    /// Signals do what they do by default, and a file that grows too large is an error, not a signal.
    Signals;
    /// The process has namespaces of its own.
    Namespaces;
    /// The only network is an empty one.
    Network;
    /// No capability can be gained by executing a file.
    BoundingSet;
    /// Nothing is open but what is meant to be.
    Descriptors;
    /// Only the package and what it needs can be seen, each mount with what it forbids.
    Mounts;
    /// Resource limits are set.
    Limits;
    /// The process has its user and group, and no other groups.
    Identity;
    /// No capability is left.
    Capabilities;
    /// Executing gives no rights.
    NoNewPrivileges;
    /// Memory cannot become executable.
    ExecuteGain;
    /// Landlock rules hold.
    Landlock;
    /// From its next program on, the security module knows the process as the component that it is.
    Label;
    /// System calls are filtered, but for what sets up a sandbox.
    CommonFilter;
    /// System calls are filtered.
    SystemCalls;
}

/// Defines the steps with their numbers in a report.
macro_rules! steps {
    ($($(#[$documentation:meta])* $name:ident = $text:literal, $hint:literal;)*) => {
        /// A step of setting up a sandbox, as reported when it fails.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Step {
            $($(#[$documentation])* $name,)*
        }

        impl Step {
            /// All steps.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// What the step does.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            /// What to look at when it fails.
            #[must_use]
            pub const fn hint(self) -> &'static str {
                match self {
                    $(Self::$name => $hint,)*
                }
            }
        }
    };
}

steps! {
    /// Read the request.
    Request = "read the request", "manager and launcher must be of one version";
    /// Make the process in its namespaces and control group.
    Create = "make the process", "check the limits of the control group, and that the kernel has the namespaces";
    /// Reset signals.
    Signals = "reset the signals", "the kernel is older than supported";
    /// Enter the control group.
    ControlGroup = "enter the control group", "check that the group exists and has room";
    /// Enter namespaces.
    Namespaces = "make the namespaces", "the kernel must have mount, host name and control group namespaces";
    /// Enter the empty network.
    Network = "enter the empty network", "the kernel must have network namespaces";
    /// Start a session.
    Session = "start a session", "the process must not lead a group";
    /// Arrange descriptors.
    Descriptors = "arrange the descriptors", "check the limit on open files";
    /// Keep mounts private.
    Propagation = "keep the mounts private", "the root must be a mount";
    /// Mount the root.
    Root = "mount the root", "the staging directory must exist and the kernel have tmpfs";
    /// Make the mount points.
    MountPoints = "make the mount points", "the root has room for few, short paths only";
    /// Mount the libraries.
    Libraries = "mount the libraries", "check the path of the libraries";
    /// Mount the devices.
    Devices = "mount the devices", "the directory of device nodes must be prepared first";
    /// Mount the package.
    Package = "mount the package", "the package must be mounted first";
    /// Mount the mutable file.
    MutableFile = "mount the mutable file", "the file must be made first";
    /// Mount a file of a service.
    ServiceFile = "mount a file of the service", "check the paths of the service";
    /// Mount /proc.
    Proc = "mount /proc", "the kernel must have procfs with hidepid";
    /// Make the root the root.
    Pivot = "change the root", "the present root must be a mount, so not the initial one of the kernel";
    /// Go to the working directory.
    Directory = "enter the working directory", "the package must have a readable root directory";
    /// Set resource limits.
    Limits = "set the resource limits", "a limit must not exceed that of the manager";
    /// Take on the identity.
    Identity = "take on user and group", "the manager needs CAP_SETUID and CAP_SETGID";
    /// Empty the bounding set.
    BoundingSet = "empty the bounding set", "the manager needs CAP_SETPCAP";
    /// Drop all capabilities.
    Capabilities = "drop all capabilities", "the kernel is older than supported";
    /// Forbid new privileges.
    NoNewPrivileges = "forbid new privileges", "the kernel is older than supported";
    /// Forbid to gain executable memory.
    ExecuteGain = "forbid executable memory", "the kernel needs PR_SET_MDWE";
    /// Apply Landlock.
    Landlock = "apply the Landlock rules", "the kernel needs Landlock with ABI 6";
    /// Tell the security module what the process becomes.
    Label = "label the process", "the kernel needs CONFIG_SECURITY_NACRE and nacre in lsm=, and the manager must have written the rules of the component";
    /// Install a filter.
    SystemCalls = "install the filter of system calls", "the kernel needs CONFIG_SECCOMP_FILTER";
    /// Execute the program.
    Execute = "execute the program", "the entry point must be an executable file for this processor, and its interpreter exist";
    /// Wait for the app, and report.
    Report = "report", "the manager must keep its end of the connection open";
}

impl Step {
    /// The step with a number, as in a report.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// The number, as in a report.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }
}

/// A step that failed; the process has ended without having started the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot {}: {errno:?} ({})", step.text(), step.hint())]
pub struct Failure {
    /// The step.
    pub step: Step,
    /// Why.
    #[source]
    pub errno: Errno,
}

/// Says which step an error belongs to.
pub(crate) trait At<T> {
    /// The error as the failure of a step.
    fn at(self, step: Step) -> Result<T, Failure>;
}

impl<T> At<T> for sys::Result<T> {
    fn at(self, step: Step) -> Result<T, Failure> {
        self.map_err(|errno| Failure { step, errno })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_keep_their_numbers() {
        for &step in Step::ALL {
            assert_eq!(Step::from_number(step.number()), Some(step));
        }
        assert_eq!(Step::from_number(u8::MAX), None);
    }

    #[test]
    fn a_failure_says_what_and_how_to_fix_it() {
        let failure = Failure {
            step: Step::Package,
            errno: Errno::ENOENT,
        };
        assert_eq!(
            failure.to_string(),
            "cannot mount the package: ENOENT (the package must be mounted first)"
        );
    }
}
