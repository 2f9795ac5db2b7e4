// SPDX-License-Identifier: Apache-2.0 OR MIT

//! What the probe does when it attacks nothing: the ways in which apps behave and misbehave.

use std::fs;
use std::io::{self, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::thread;
use std::time::Duration;

use crate::attacks::processes::LISTENER;
use crate::case::Place;
use crate::raw::{self, Mapping};

/// Prints a line and sees to it that it leaves the process.
pub fn say(line: &str) {
    println!("{line}");
    // A log that is gone is no reason for an app to end.
    let _gone = io::stdout().flush();
}

/// Waits to be stopped.
pub fn wait() -> ! {
    loop {
        thread::park();
    }
}

/// Waits to be stopped and does not heed SIGTERM.
pub fn ignore_stop() -> ! {
    raw::ignore(libc::SIGTERM);
    say("ignoring SIGTERM");
    wait();
}

/// Ends by a signal.
pub fn crash(signal: i32) -> i32 {
    say("crashing");
    // Rust's own handler of SIGSEGV would take it first.
    raw::restore(signal);
    match raw::kill(raw::process_id(), signal) {
        // The signal comes before the call returns, unless it is one that does not end a process.
        Ok(()) | Err(_) => 1,
    }
}

/// Takes memory until there is none, in steps of 64 KiB.
pub fn memory_bomb() -> i32 {
    say("taking memory");
    let mut taken = Vec::new();
    while taken.len() < 4096 {
        match Mapping::anonymous(64 * 1024, libc::PROT_READ | libc::PROT_WRITE) {
            Ok(mapping) => {
                mapping.touch();
                taken.push(mapping);
            }
            Err(number) => {
                say(&format!(
                    "refused with {number} after {} KiB",
                    taken.len() * 64
                ));
                return 1;
            }
        }
    }
    say("256 MiB taken");
    0
}

/// Makes processes that wait, until it may not; then waits itself.
pub fn fork_bomb() -> ! {
    let mut children = 0;
    while children < 1000 {
        match raw::spawn(|| wait()) {
            Ok(_) => children += 1,
            Err(number) => {
                say(&format!("fork refused with {number} after {children}"));
                wait();
            }
        }
    }
    say("1000 processes made");
    wait();
}

/// Prints `lines` lines of 100 bytes and waits.
pub fn flood(lines: u32) -> ! {
    for line in 0..lines {
        println!("{line:08} {:.<90}", "");
    }
    say("flooded");
    wait();
}

/// Writes `kib` KiB into the mutable file and tells how far it came.
pub fn fill(place: &Place, kib: usize) -> i32 {
    let Some(path) = &place.storage else {
        say("no storage");
        return 1;
    };
    let mut written = 0;
    let mut file = match fs::File::options().write(true).truncate(true).open(path) {
        Ok(file) => file,
        Err(error) => {
            say(&format!("cannot open storage: {error}"));
            return 1;
        }
    };
    while written < kib {
        if let Err(error) = file.write_all(&[0x5a; 1024]) {
            say(&format!(
                "write refused with {} after {written} KiB",
                raw::number(&error)
            ));
            wait();
        }
        written += 1;
    }
    say(&format!("wrote {written} KiB"));
    wait();
}

/// Counts its starts in the mutable file.
pub fn count(place: &Place) -> i32 {
    let Some(path) = &place.storage else {
        say("no storage");
        return 1;
    };
    let text = fs::read_to_string(path).unwrap_or_default();
    let count = text.trim().parse::<u32>().unwrap_or(0) + 1;
    match fs::write(path, count.to_string()) {
        Ok(()) => say(&format!("start {count} of this storage")),
        Err(error) => say(&format!("cannot write storage: {error}")),
    }
    wait();
}

/// Listens on an abstract name for whoever may come.
pub fn listen() -> i32 {
    let listener =
        SocketAddr::from_abstract_name(LISTENER).and_then(|name| UnixListener::bind_addr(&name));
    match listener {
        Ok(listener) => {
            say("listening");
            for _visitor in listener.incoming() {
                say("visited");
            }
            0
        }
        Err(error) => {
            say(&format!("cannot listen: {error}"));
            1
        }
    }
}

/// Tells who it is and `text`, then beats once a second.
pub fn live(text: &str) -> ! {
    say(&format!("alive as user {} {text}", raw::user_id()));
    for beat in 1_u64.. {
        thread::sleep(Duration::from_secs(1));
        say(&format!("beat {beat}"));
    }
    wait();
}
