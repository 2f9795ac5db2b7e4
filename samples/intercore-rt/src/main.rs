// SPDX-License-Identifier: Apache-2.0 OR MIT

//! A real-time app that answers each message of its partner on the high-level core, and greets it every second.
#![no_std]
#![no_main]

use core::fmt::Write as _;

use realtime::{Buffer, ComponentId, Core, SendError};

realtime::main!(main);

/// The app on the high-level core that this one talks to; its manifest must name this one, and this one's it.
const PARTNER: &str = "3d1c3a5e-0b7d-4d0c-8a3d-6a1f0c2f8b11";

fn main(mut core: Core) -> ! {
    _ = writeln!(core.log, "intercore-rt: started");
    let partner: Option<ComponentId> = PARTNER.parse().ok();
    let mut buffer = Buffer::new();
    let mut greetings = 0u32;
    core.timer.every(1000);
    loop {
        core.wait();
        if let Some(event) = core.intercore.serve() {
            _ = writeln!(core.log, "intercore-rt: {event:?}");
        }
        while let Ok(Some((sender, message))) = core.intercore.receive(&mut buffer) {
            _ = writeln!(
                core.log,
                "intercore-rt: {} bytes of {sender}",
                message.len()
            );
            message.make_ascii_uppercase();
            send(&mut core, sender, message);
        }
        if core.timer.expired()
            && let Some(partner) = partner
        {
            let mut greeting = *b"hello 0";
            if let [.., digit] = &mut greeting {
                *digit += (greetings % 10) as u8;
            }
            greetings += 1;
            send(&mut core, partner, &greeting);
        }
    }
}

/// Sends what there is room for. What is not read is not waited for: this core has other things to do.
fn send(core: &mut Core, to: ComponentId, message: &[u8]) {
    match core.intercore.send(to, message) {
        Ok(()) | Err(SendError::NotConnected) => {}
        Err(error) => _ = writeln!(core.log, "intercore-rt: not sent: {error:?}"),
    }
}
