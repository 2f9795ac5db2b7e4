// SPDX-License-Identifier: Apache-2.0 OR MIT

//! A real-time app that blinks the red LED 1 of the development kits, once a second.
#![no_std]
#![no_main]

use core::fmt::Write as _;

use realtime::{Core, Direction};

realtime::main!(main);

/// The LED; it is lit when the pin is low.
const LED: u8 = 8;

fn main(mut core: Core) -> ! {
    _ = writeln!(core.log, "blink: started");
    let mut led = core.pins.take(LED, Direction::Output);
    let mut lit = true;
    core.timer.every(500);
    loop {
        core.wait();
        if core.timer.expired()
            && let Some(led) = &mut led
        {
            lit = !lit;
            led.set(!lit);
        }
    }
}
