// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The sandbox on the kernel that it is made for: this program is process 1 of a machine, starts itself as apps
//! and as a service, and reports in KTAP what became of them. Elsewhere it does nothing.
//!
//! The root file system is read-only and has this program as `/sbin/init` and as `/package/bin/app`, any text as
//! `/package/bin/text`, and the empty directories `/dev`, `/proc`, `/sys`, `/run`, `/tmp` and `/lib`. With the
//! environment of the SDK the program is built by
//! `CARGO_PROFILE_RELEASE_PANIC=unwind cargo test --no-run --release --target armv7-unknown-linux-musleabihf
//! -Zbuild-std=std,panic_unwind -p sandbox --test device`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

mod app;
mod attacks;
mod machine;
mod manager;
mod measure;

fn main() {
    let arguments: Vec<_> = std::env::args().collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match arguments.get(1).copied() {
        Some("app") => app::run(&arguments[2..]),
        Some("service") => app::serve(),
        _ if std::process::id() == 1 => manager::run(),
        _ => println!("skipped: not process 1 of a machine"),
    }
}
