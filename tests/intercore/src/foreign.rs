// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Firmware of others on the cores, unchanged: it reads what an app sends it, and may answer what it likes.

use std::time::{Duration, Instant};

use crate::ktap::Report;
use crate::machine::{APP, LIMIT, RtCore, start};
use crate::socket::{POLLERR, POLLHUP, POLLIN, POLLOUT, Socket};
use crate::sys::{self, Attempt, number};

const FOLDER: &str = "foreign";

/// The messages to one core, more than three times around its ring.
const MESSAGES: u32 = 240;

/// The smallest buffer of known firmware has 32 bytes.
const LONGEST: u32 = 32;

/// Some firmware faults when it is rung before it is ready.
const READY: Duration = Duration::from_millis(300);

fn works(file: &str, neighbour: &str) -> Attempt {
    let mut cores = [RtCore::open(0)?, RtCore::open(1)?];
    for run in ["the first time", "after a restart"] {
        cores[0].run(0, &format!("{FOLDER}/{file}"))?;
        cores[1].run(1, &format!("{FOLDER}/{neighbour}"))?;
        std::thread::sleep(READY);
        let children = [
            start(APP, "pour", &["0".to_owned()])?,
            start(APP, "pour", &["1".to_owned()])?,
        ];
        for child in children {
            sys::outcome(sys::wait(child)?).inspect_err(|_| println!("# {file}: {run}"))?;
        }
    }
    Ok(())
}

/// Sends to a core whenever there is room, and reads what comes from it.
pub fn pour(words: &[String]) -> Attempt {
    let core = usize::from(words.first().is_some_and(|word| word == "1"));
    let socket = Socket::to(core)?;
    let mut sent = 0;
    while sent < MESSAGES {
        let found = socket.poll(POLLIN | POLLOUT, LIMIT)?;
        if found == 0 || found & (POLLERR | POLLHUP) != 0 {
            println!("# core {core} after {sent} messages: poll says {found:#x}");
            return Err(libc::ETIMEDOUT);
        }
        if found & POLLIN != 0 {
            socket.receive()?;
        }
        if found & POLLOUT != 0 {
            let message = vec![b'a'; (1 + sent % LONGEST) as usize];
            match socket.send_to(&message, libc::MSG_DONTWAIT, None) {
                Ok(_) => sent += 1,
                Err(libc::EAGAIN) => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

/// Tries each file beside its neighbour, so often.
pub fn try_all(runs: u32) -> Attempt<u32> {
    let folder = std::fs::read_dir(format!("/firmware/{FOLDER}"));
    let entries = folder.map_err(|error| number(&error))?.flatten();
    let mut files: Vec<_> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    files.sort();
    let mut report = Report::new(files.len());
    for (index, file) in files.iter().enumerate() {
        // Those that talk to each other lie next to each other: A and B.
        let neighbour = files.get(index ^ 1).unwrap_or(file);
        let begun = Instant::now();
        let passed = (0..runs).filter(|_| works(file, neighbour).is_ok()).count();
        let note = format!("{passed} of {runs}, {} ms", begun.elapsed().as_millis());
        report.result(u32::try_from(passed) == Ok(runs), file, note);
    }
    Ok(report.failed())
}
