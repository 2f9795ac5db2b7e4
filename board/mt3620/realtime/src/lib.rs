// SPDX-License-Identifier: Apache-2.0 OR MIT

//! What an app on a real-time core of the MT3620 stands on.
//!
//! An app is a `no_std` program whose [`main!`] gets the core's peripherals, and never returns:
//!
//! ```ignore
//! #![no_std]
//! #![no_main]
//! #![forbid(unsafe_code)]
//!
//! use realtime::{Buffer, Core};
//!
//! realtime::main!(main);
//!
//! fn main(mut core: Core) -> ! {
//!     let mut buffer = Buffer::new();
//!     loop {
//!         core.wait();
//!         core.intercore.serve();
//!         while let Ok(Some((sender, message))) = core.intercore.receive(&mut buffer) {
//!             // ...
//!         }
//!     }
//! }
//! ```
//!
//! There are no interrupt handlers: interrupts stay masked and end [`Core::wait`], which tells which lines they
//! were. So an app is one sequence of steps, needs no locks, and each step can be read in its place.
//!
//! All of the app's `unsafe` is here, in the access to the hardware.
#![no_std]

mod gpio;
mod gpt;
mod interrupts;
mod mailbox;
mod messages;
mod mmio;
mod start;
mod uart;

pub use gpio::{Direction, Pin, Pins};
pub use gpt::{Clock, Timer};
pub use intercore::{Doorbells, Fault, MAX_PAYLOAD, SetupError, SharedMemory};
pub use interrupts::{Line, Pending};
pub use mailbox::Mailbox;
pub use messages::{Buffer, Event, Intercore, Memory, SendError};
pub use policy::ComponentId;
pub use uart::Log;

use interrupts::Interrupts;

/// The peripherals of a core. There is one of each, and so one of these.
pub struct Core {
    /// The debug UART.
    pub log: Log,
    /// A timer that ends [`Core::wait`].
    pub timer: Timer,
    /// A clock that counts from the start on.
    pub clock: Clock,
    /// The pins that interrupts can come from.
    pub pins: Pins,
    /// Messages from and to the high-level core.
    pub intercore: Intercore,
    interrupts: Interrupts,
}

impl Core {
    /// Sleeps until an interrupt comes, and tells which ones came. Whoever waits for the high-level core calls
    /// [`Intercore::serve`] next.
    pub fn wait(&mut self) -> Pending {
        self.interrupts.wait()
    }

    /// Resets this core, which begins anew: the high-level core has to set up the connection again, if it does not
    /// stop this one.
    pub fn reset(&mut self) -> ! {
        self.interrupts.reset()
    }

    /// Lets a line end [`Core::wait`].
    pub fn enable(&mut self, line: Line) {
        self.interrupts.enable(line);
    }
}

/// Names the function that the core runs: `fn(Core) -> !`.
#[macro_export]
macro_rules! main {
    ($main:path) => {
        #[unsafe(no_mangle)]
        fn __realtime_main(core: $crate::Core) -> ! {
            $main(core)
        }
    };
}
