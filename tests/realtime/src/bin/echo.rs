// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Returns every message to its sender.
#![no_std]
#![no_main]

use core::fmt::Write as _;

use realtime::{Buffer, Core};
use realtime_tests::{answer, serve};

realtime::main!(main);

fn main(mut core: Core) -> ! {
    _ = writeln!(core.log, "echo: started");
    let mut buffer = Buffer::new();
    loop {
        core.wait();
        serve(&mut core);
        loop {
            match core.intercore.receive(&mut buffer) {
                Ok(Some((sender, message))) => answer(&mut core, sender, message),
                Ok(None) => break,
                Err(fault) => {
                    _ = writeln!(core.log, "echo: halted: {fault}");
                    break;
                }
            }
        }
    }
}
