// SPDX-License-Identifier: GPL-2.0

//! The registers of a block, each a type.
//!
//! The names of the bits in the interrupt registers are in dispute, so they have none here: what
//! is read there is only ever written back, or masked.

/// The bytes of a block that have registers of ours in them.
pub(crate) const BLOCK_SIZE: usize = 0x60;

/// The distance between the blocks of two partners.
pub(crate) const BLOCK_STRIDE: usize = 0x10000;

kernel::io_registers! {
    /// `VER`: which kind of block this is.
    Version at 0x00: Readable;
    /// `SW_TX_INT_PORT`: rings the doorbells of the partner whose bits are written.
    DoorbellRing at 0x14: Writable;
    /// `SW_RX_INT_EN`: which of our doorbells interrupt.
    DoorbellEnable at 0x18: Readable Writable;
    /// `SW_RX_INT_STS`: which of our doorbells were rung; a bit that is written is cleared.
    DoorbellStatus at 0x1c: Readable Writable;
    /// `INT_EN`: which events of the FIFOs interrupt.
    FifoEnable at 0x38: Readable Writable;
    /// `INT_STS`: which events of the FIFOs there were; a bit that is written is cleared, if it
    /// does not tell a state that lasts.
    FifoStatus at 0x3c: Readable Writable;
    /// `CMD_POST`: the command of an entry; to write it posts the entry.
    CommandPost at 0x40: Writable;
    /// `DATA_POST`: the data of the entry that is posted next.
    DataPost at 0x44: Writable;
    /// `POST_CNT`: how many entries the partner has not taken yet.
    PostCount at 0x48: Readable;
    /// `CMD_POP`: the command of the oldest entry; to read it takes the entry.
    CommandPop at 0x50: Readable;
    /// `DATA_POP`: the data of the oldest entry.
    DataPop at 0x54: Readable;
    /// `POP_CNT`: how many entries wait for us.
    PopCount at 0x58: Readable;
}

impl Version {
    /// The only one that is known.
    pub(crate) const MT3620: Self = Self(0x3620_0000);
}

/// The bits of a register for all doorbells.
pub(crate) const DOORBELLS: u32 = 0xff;

/// The bits of a register for all events of the FIFOs.
pub(crate) const FIFO_EVENTS: u32 = 0xf;
