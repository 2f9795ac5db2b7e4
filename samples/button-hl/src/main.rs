// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Lights the red LED 1 of the development kits while button A is pressed.

#![forbid(unsafe_code)]

use std::io;
use std::thread;
use std::time::Duration;

use broker::{Client, Drive, Request};
use sys::gpio::Line;

/// The LED; it is lit when the pin is low.
const LED: Request = Request::Output {
    pin: 8,
    drive: Drive::PushPull,
    high: true,
};

/// The button; the pin is low while it is pressed.
const BUTTON: Request = Request::Input { pin: 12 };

/// How often the button is looked at.
const INTERVAL: Duration = Duration::from_millis(20);

fn main() -> io::Result<()> {
    let pins = Client::take()?;
    let led = Line::new(pins.ask(LED)?);
    let button = Line::new(pins.ask(BUTTON)?);
    println!("button-hl: started");
    let mut presses = 0_u32;
    let mut before = true;
    loop {
        let released = button.is_high()?;
        led.set(released)?;
        if before && !released {
            presses = presses.wrapping_add(1);
            println!("button-hl: pressed {presses}");
        }
        before = released;
        thread::sleep(INTERVAL);
    }
}
