// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The end of the device's run, orderly or not.

use std::convert::Infallible;
use std::io::{self, Write};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::reboot::{RebootMode, reboot};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, sync};

/// How the run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The power is switched off.
    PowerOff,
    /// The device starts anew.
    Restart,
}

impl End {
    /// The line on the console.
    pub fn marker(self) -> &'static str {
        match self {
            Self::PowerOff => "power off",
            Self::Restart => "restart",
        }
    }
}

/// Writes a line to the console where there is no log. A console that fails must not become a panic.
pub fn say(line: &str) {
    writeln!(io::stderr(), "nacre: {line}").ok();
}

/// Ends every other process of the device at once.
pub fn kill_everything() {
    // There may be nobody left, which is as good.
    kill(Pid::from_raw(-1), Signal::SIGKILL).ok();
}

/// Writes everything out and ends the run. Does not return: if the kernel refuses, nothing is left that
/// could be done, and waiting is better than a panic.
pub fn finish(end: End) -> ! {
    sync();
    let mode = match end {
        End::PowerOff => RebootMode::RB_POWER_OFF,
        End::Restart => RebootMode::RB_AUTOBOOT,
    };
    let Err(error): Result<Infallible, Errno> = reboot(mode);
    say(&format!("the kernel refuses to end: {error}"));
    loop {
        std::thread::sleep(Duration::from_secs(3600));
    }
}
