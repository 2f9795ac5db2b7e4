// SPDX-License-Identifier: GPL-2.0

//! The eight doorbells of a block, in both directions.

use kernel::io::register::Registers;

use crate::{
    registers::{
        DoorbellEnable,
        DoorbellRing,
        DoorbellStatus,
        DOORBELLS, //
    },
    Message, //
};

/// Has our doorbells interrupt.
pub(crate) fn open(block: impl Registers) {
    block.write(DoorbellEnable(DOORBELLS));
}

/// Has our doorbells not interrupt any more.
pub(crate) fn close(block: impl Registers) {
    block.write(DoorbellEnable(0));
}

/// Rings the doorbells of the partner that the command names, which has no other bits.
pub(crate) fn ring(block: impl Registers, message: Message) {
    // The write is ordered behind those to the memory that the partner is told to look at.
    block.write(DoorbellRing(message.command & DOORBELLS));
}

/// Returns whether one of our doorbells was rung.
pub(crate) fn was_rung(block: impl Registers) -> bool {
    block.read::<DoorbellStatus>().0 & DOORBELLS != 0
}

/// Handles an interrupt at once: none more until [`open`], if there was a reason for this one.
pub(crate) fn mask(block: impl Registers) -> bool {
    let rung = was_rung(block);
    if rung {
        close(block);
    }
    rung
}

/// Answers the doorbells that were rung, without having them interrupt again.
///
/// They are cleared before the client looks: who rings while it does is heard again.
pub(crate) fn answer(block: impl Registers, deliver: impl FnOnce(&Message)) -> bool {
    let rung: DoorbellStatus = block.read();
    let command = rung.0 & DOORBELLS;
    block.write(DoorbellStatus(command));
    if command == 0 {
        return false;
    }
    deliver(&Message { data: 0, command });
    true
}
