// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Process 1 of a machine that counts an instruction as a nanosecond. Prints what things cost, a `BENCH name count` a line,
//! and switches off. As an app, it prints what an app pays; as a stage, it becomes the real init; on a chip with real-time cores
//! it counts messages.

mod count;
mod decide;
mod messages;
mod module;
mod raw;
mod sandboxed;
mod stage;
mod system;

use std::error::Error;
use std::fs;

use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::sys::reboot::{RebootMode, reboot};
use nix::sys::sysinfo::sysinfo;
use sys::process::SingleThreaded;

/// Counts what is in use.
#[global_allocator]
static HEAP: raw::Heap = raw::Heap::new();

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() {
    let start = count::now();
    let arguments: Vec<String> = std::env::args().collect();
    let result = match arguments.get(1).map(String::as_str) {
        Some("app") => sandboxed::app(),
        Some("denied") => module::denied(),
        Some("exchange") => messages::exchange(),
        Some("messages") => messages::run(),
        Some("stage") => stage::run().map(|never| match never {}),
        _ if std::process::id() == 1 => start.and_then(run),
        _ => Err("not process 1 of a machine".into()),
    };
    if let Err(error) = &result {
        println!("FAILED {error}");
    }
    if std::process::id() == 1 {
        println!(
            "BENCH-END {}",
            if result.is_ok() { "complete" } else { "failed" }
        );
        // Only a refusal returns, and then the end of process 1 stops the machine as well.
        reboot(RebootMode::RB_POWER_OFF).ok();
    }
}

fn run(start: u64) -> Result<()> {
    let memory = sysinfo()?;
    count::report("boot", start);
    count::report("memory-free-kib", memory.ram_unused() / 1024);
    for (kind, target) in [
        ("devtmpfs", "/dev"),
        ("proc", "/proc"),
        ("sysfs", "/sys"),
        ("securityfs", "/sys/kernel/security"),
        ("cgroup2", "/sys/fs/cgroup"),
        ("tmpfs", "/run"),
        ("tmpfs", "/tmp"),
    ] {
        match mount(
            Some(kind),
            target,
            Some(kind),
            MsFlags::empty(),
            None::<&str>,
        ) {
            Ok(()) | Err(Errno::EBUSY) => {}
            Err(error) => return Err(format!("cannot mount {kind} on {target}: {error}").into()),
        }
    }
    let modules = fs::read_to_string("/sys/kernel/security/lsm")?;
    println!("MODULES {}", modules.trim_end());
    let single = SingleThreaded::confirm()?;
    system::run(&single)?;
    decide::run(&single)?;
    if modules.trim_end().split(',').any(|name| name == "nacre") {
        let grant = sandboxed::grant()?;
        // Before there is a launcher, whose messages would be counted as well.
        module::run(&single, &grant)?;
        sandboxed::run(&single, &grant)?;
    }
    Ok(())
}
