// SPDX-License-Identifier: Apache-2.0 OR MIT

//! A real-time app that lights the red LED 1 of the development kits while button A is pressed.
#![no_std]
#![no_main]

use core::fmt::Write as _;

use realtime::{Core, Direction};

realtime::main!(main);

/// The LED; it is lit when the pin is low.
const LED: u8 = 8;

/// The button; the pin is low while it is pressed.
const BUTTON: u8 = 12;

fn main(mut core: Core) -> ! {
    _ = writeln!(core.log, "button: started");
    let taken = core.pins.take(LED, Direction::Output);
    let (Some(mut led), Some(button)) = (taken, core.pins.take(BUTTON, Direction::Input)) else {
        panic!("a pin is missing");
    };
    let line = core.pins.watch(&button);
    core.enable(line);
    let mut presses = 0u32;
    let mut before = true;
    loop {
        let released = button.is_high();
        led.set(released);
        if before && !released {
            presses += 1;
            _ = writeln!(core.log, "button: pressed {presses}");
        }
        before = released;
        if core.wait().contains(line) {
            core.pins.acknowledge(&button);
        }
    }
}
