// SPDX-License-Identifier: Apache-2.0 OR MIT

//! What launching costs: on a machine that counts an instruction as a nanosecond, in instructions.

use std::ffi::CStr;
use std::os::fd::AsFd;
use std::path::Path;
use std::time::Instant;

use nix::unistd::{execve, pipe};
use sandbox::{Limits, Next, PackagePaths, Plan};
use sys::process::{Forked, Wait, exit, fork, wait_any};

use crate::machine::Machine;

/// How often each is done.
const TIMES: u32 = 20;

/// Prints the cost of a launch, and of executing the same program without a sandbox.
pub fn run(machine: &Machine) {
    for program in [c"/bin/app", c"/bin/tiny"] {
        let inside = program.to_str().unwrap();
        let outside = format!("/package{inside}\0");
        let outside = CStr::from_bytes_with_nul(outside.as_bytes()).unwrap();
        if !Path::new(outside.to_str().unwrap()).exists() {
            continue;
        }
        let bare = cost(|| {
            let Forked::Parent { .. } = fork(&machine.single).unwrap() else {
                let _error = execve(outside, &[outside, c"app", c"exit", c"0"], &[] as &[&CStr]);
                exit(99)
            };
            wait_any(Wait::Block).unwrap();
        });
        let paths = PackagePaths {
            package: Path::new("/package"),
            libraries: Path::new("/lib"),
            devices: Path::new("/run/devices"),
            mutable: None,
            entry_point: inside,
            arguments: &["app", "exit", "0"],
        };
        let plan = Plan::new(&Machine::grant(), paths, &Limits::APP).unwrap();
        let group = machine.cgroups.app(plan.component(), &Limits::APP).unwrap();
        let (_log, output) = pipe().unwrap();
        let launch = cost(|| {
            let mut process = machine
                .launcher
                .launch(&plan, &group, output.as_fd(), None)
                .unwrap();
            wait_any(Wait::Block).unwrap();
            while process.reports.take() != Next::Never {}
        });
        let memory = group.memory().unwrap();
        group.remove().unwrap();
        println!(
            "# {inside}: bare {bare}, launch {launch}, ratio {}.{:02}, peak memory {} KiB",
            launch / bare,
            launch % bare * 100 / bare,
            memory.peak / 1024
        );
    }
}

/// Nanoseconds of one run, once warm.
fn cost(mut body: impl FnMut()) -> u64 {
    body();
    let start = Instant::now();
    for _ in 0..TIMES {
        body();
    }
    u64::try_from(start.elapsed().as_nanos()).unwrap() / u64::from(TIMES)
}
