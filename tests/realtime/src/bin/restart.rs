// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Tells how often it was set up and how many messages it had since it was started, and ends in each way that an
//! app can end: `p` panics, `h` hangs with its interrupts pending, `r` resets the core, anything else is answered.
#![no_std]
#![no_main]

use core::fmt::Write as _;

use realtime::{Buffer, Core};
use realtime_tests::{answer, serve};

realtime::main!(main);

fn main(mut core: Core) -> ! {
    _ = writeln!(core.log, "restart: started");
    let mut buffer = Buffer::new();
    let (mut setups, mut messages) = (0u32, 0u32);
    loop {
        core.wait();
        setups += u32::from(serve(&mut core));
        while let Ok(Some((sender, message))) = core.intercore.receive(&mut buffer) {
            messages += 1;
            match message.first() {
                Some(b'p') => panic!("asked to"),
                Some(b'h') => loop {
                    core::hint::spin_loop();
                },
                Some(b'r') => core.reset(),
                _ => {}
            }
            let mut report = [0; 8];
            for (target, number) in report.chunks_exact_mut(4).zip([setups, messages]) {
                target.copy_from_slice(&number.to_le_bytes());
            }
            answer(&mut core, sender, &report);
        }
    }
}
