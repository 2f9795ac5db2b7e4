// SPDX-License-Identifier: Apache-2.0 OR MIT

//! From reset to the app, and what ends it.

use core::fmt::Write as _;
use core::panic::PanicInfo;

use crate::Core;
use crate::gpio::Pins;
use crate::gpt::{Clock, Timer};
use crate::interrupts::Interrupts;
use crate::mailbox::Mailbox;
use crate::messages::Intercore;
use crate::mmio::Block;
use crate::uart::Log;

// The vector table, and the first steps, which must not need what they make: the table's place is told to the
// core, whose boot code may have used another one, the floating-point unit is switched on, interrupts are masked
// for good, and variables become zero. Every exception but reset ends the app.
core::arch::global_asm!(
    ".section .vectors, \"a\"",
    ".balign 512",
    "vectors:",
    ".word __stack_top",
    ".word __realtime_reset",
    ".rept 114",
    ".word __realtime_exception",
    ".endr",
    "",
    ".section .text.__realtime_reset, \"ax\"",
    ".global __realtime_reset",
    ".type __realtime_reset, %function",
    ".thumb_func",
    "__realtime_reset:",
    "cpsid i",
    "ldr r0, =0xE000ED08",
    "ldr r1, =vectors",
    "str r1, [r0]",
    "ldr r0, =0xE000ED88",
    "ldr r1, [r0]",
    "orr r1, r1, #0xF00000",
    "str r1, [r0]",
    "dsb",
    "isb",
    "ldr r0, =__bss_start",
    "ldr r1, =__bss_end",
    "movs r2, #0",
    "1: cmp r0, r1",
    "beq 2f",
    "str r2, [r0], #4",
    "b 1b",
    "2: bl {start}",
    "udf #0",
    ".size __realtime_reset, . - __realtime_reset",
    "",
    ".section .text.__realtime_exception, \"ax\"",
    ".type __realtime_exception, %function",
    ".thumb_func",
    "__realtime_exception:",
    "mrs r0, ipsr",
    "ldr r1, =0xE000ED28",
    "ldr r1, [r1]",
    "ldr r2, [sp, #24]",
    "bl {exception}",
    "udf #0",
    ".ltorg",
    start = sym start,
    exception = sym exception,
);

unsafe extern "Rust" {
    /// The app's main, from the macro `main!`.
    fn __realtime_main(core: Core) -> !;
}

/// Makes the peripherals, once, and runs the app.
extern "C" fn start() -> ! {
    // SAFETY: These are the blocks of a real-time core, each for one owner. Reset runs only once.
    let core = unsafe {
        let mut interrupts = Interrupts::new(Block::new(0xE000_E000));
        let mailbox = Mailbox::new(Block::new(0x2105_0000));
        Core {
            log: Log::new(Block::new(0x2104_0000)),
            timer: Timer::new(Block::new(0x2103_0000), &mut interrupts),
            clock: Clock::new(Block::new(0x2103_0000)),
            pins: Pins::new(Block::new(0x2100_0000)),
            intercore: Intercore::new(mailbox, &mut interrupts),
            interrupts,
        }
    };
    // SAFETY: The macro makes it with this signature.
    unsafe { __realtime_main(core) }
}

/// The debug UART, for last words.
fn last_words() -> Log {
    // SAFETY: Nobody else writes any more: the app has ended.
    unsafe { Log::new(Block::new(0x2104_0000)) }
}

/// An exception: the app did what the core cannot do.
extern "C" fn exception(number: u32, status: u32, place: u32) -> ! {
    // Writing to this log does not fail.
    _ = writeln!(
        last_words(),
        "exception {number} at {place:#010x}, fault status {status:#010x}"
    );
    stop()
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    _ = writeln!(last_words(), "{info}");
    stop()
}

/// Sleeps for ever, to be stopped from outside.
fn stop() -> ! {
    loop {
        // SAFETY: Sleeping changes nothing.
        unsafe { core::arch::asm!("wfi", options(nomem, nostack, preserves_flags)) }
    }
}
