// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Turns a grant into a confined process.
//!
//! A [`Plan`] is made from a [`policy::Grant`]; the [`Launcher`] turns it into a process. What confines the
//! process is set up in steps, each of which returns evidence, an [`Enforced`] layer, and the program is only
//! executed with the evidence of all layers: a forgotten step does not compile.
//!
//! The order of the steps of an app: new process in its control group and namespaces; descriptors; mounts and
//! root; resource limits; user and group; capabilities; Landlock; the label of the security module; seal on the
//! system calls. Signals, the empty network, the bounding set, no new privileges, no executable memory and the
//! common filter of system calls are the launcher's, which does them once, and every app inherits them.
//!
//! ```no_run
//! use policy::{AppKind, Grant};
//! use sandbox::{Cgroups, Launcher, Limits, PackagePaths, Plan, cgroup, layers};
//! use std::os::fd::AsFd;
//! use std::path::Path;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let complete = layers::require(&layers::probe())?;
//! let launcher = Launcher::start(&sys::process::SingleThreaded::confirm()?, complete)?;
//! let cgroups = Cgroups::prepare(Path::new(cgroup::ROOT))?;
//!
//! let app = "25025d2c-66da-4448-bae1-ac26fcdd3627".parse()?;
//! let grant = Grant::none(app, AppKind::HighLevel);
//! let paths = PackagePaths {
//!     package: Path::new("/mnt/apps/25025d2c-66da-4448-bae1-ac26fcdd3627"),
//!     libraries: Path::new("/lib"),
//!     devices: Path::new("/run/devices"),
//!     mutable: None,
//!     entry_point: "/bin/app",
//!     arguments: &[],
//! };
//! let plan = Plan::new(&grant, paths, &Limits::APP)?;
//! let group = cgroups.app(app, &Limits::APP)?;
//! let (log, output) = nix::unistd::pipe()?;
//! let process = launcher.launch(&plan, &group, output.as_fd(), None)?;
//! # Ok(())
//! # }
//! ```
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss
    )
)]

mod app;
pub mod cgroup;
mod confinement;
pub mod filter;
mod kernel;
mod launcher;
pub mod layers;
pub mod limits;
mod plan;
mod report;
mod service;
mod step;
mod steps;
mod wire;

#[cfg(test)]
mod recorder;

pub use cgroup::{Cgroup, CgroupError, Cgroups, Memory};
pub use launcher::{LaunchError, Launcher, Process};
pub use limits::Limits;
pub use plan::{DEVICES, PackagePaths, Plan, PlanError};
pub use report::{Next, Report, Reports};
pub use service::{DEVICE_API, DEVICE_API_UID, ServicePlan, confine_service};
pub use step::{Enforced, Failure, Step, layer};
