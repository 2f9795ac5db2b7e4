// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Exchanges messages with the app `intercore-rt` on a real-time core.

mod intercore;

use std::io::Result;
use std::thread;
use std::time::Duration;

use intercore::{Intercore, LONGEST};

/// The real-time app, 477a9c56-24da-4fb0-96f5-758c8eb9072b; its manifest must name this app, and this one's it.
const PARTNER: [u8; 16] = [
    0x47, 0x7a, 0x9c, 0x56, 0x24, 0xda, 0x4f, 0xb0, 0x96, 0xf5, 0x75, 0x8c, 0x8e, 0xb9, 0x07, 0x2b,
];

/// How often a line is sent.
const PERIOD: Duration = Duration::from_secs(2);

/// Sends a line now and then, and prints what comes, until the real-time app is gone.
fn talk(line: &mut u32) -> Result<()> {
    let partner = Intercore::connect(PARTNER)?;
    println!("intercore-hl: connected");
    let mut buffer = [0; LONGEST];
    loop {
        *line += 1;
        partner.send(format!("line {line}").as_bytes())?;
        while let Some(message) = partner.receive(&mut buffer, PERIOD)? {
            println!("intercore-hl: heard '{}'", message.escape_ascii());
            if message.starts_with(b"LINE") {
                thread::sleep(PERIOD);
                break;
            }
        }
    }
}

fn main() {
    let mut line = 0;
    loop {
        if let Err(error) = talk(&mut line) {
            println!("intercore-hl: {error}");
        }
        thread::sleep(PERIOD);
    }
}
