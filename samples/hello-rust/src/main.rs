// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Says hello from inside the sandbox, tells what it sees there, and waits to be stopped.

#![forbid(unsafe_code)]

use std::io;
use std::path::Path;
use std::thread;

/// The user id of this process, as the kernel tells it: the first number of the line `Uid:`.
fn user_id() -> io::Result<String> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    status
        .lines()
        .find_map(|line| line.strip_prefix("Uid:")?.split_whitespace().next())
        .map(str::to_owned)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "/proc/self/status has no Uid"))
}

/// The component id is the name of the directory that holds this package, where every app starts.
fn component(package: &Path) -> String {
    package
        .file_name()
        .map_or_else(|| "?".into(), |name| name.to_string_lossy().into_owned())
}

fn main() -> io::Result<()> {
    let package = std::env::current_dir()?;
    println!("Hello from Rust on Nacre!");
    println!(
        "I am component {}, user {}.",
        component(&package),
        user_id()?
    );
    println!("My package is {}, read-only.", package.display());
    // Nothing more to do. SIGTERM, which stops an app, ends this process by itself.
    loop {
        thread::park();
    }
}
