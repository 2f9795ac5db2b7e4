// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Everything that touches the real machine: mounts, settings, memory figures, packages, processes, the security
//! module and power.

pub mod device_api;
pub mod devices;
pub mod figures;
pub mod machine;
pub mod module;
pub mod mounts;
pub mod packages;
pub mod power;
pub mod settings;
