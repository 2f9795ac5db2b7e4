// SPDX-License-Identifier: GPL-2.0

//! The registers of a block, each a type.
//!
//! The names of the bits in the interrupt registers are in dispute, so they have none here: what
//! is read there is only ever written back, or masked.

use kernel::io::IoPart;

/// The bytes of a block that have registers of ours in them.
pub(crate) const BLOCK_SIZE: usize = 0x60;

/// The distance between the blocks of two partners.
pub(crate) const BLOCK_STRIDE: usize = 0x10000;

/// A register of 32 bits.
pub(crate) trait Register {
    /// Where it is in the block.
    const OFFSET: usize;

    fn from_bits(bits: u32) -> Self;
    fn bits(self) -> u32;
}

/// A register that can be read.
pub(crate) trait Readable: Register {}

/// A register that can be written.
pub(crate) trait Writable: Register {}

macro_rules! registers {
    ($($(#[$meta:meta])* $name:ident at $offset:literal: $($access:ident)*;)*) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) struct $name(pub(crate) u32);

        impl Register for $name {
            const OFFSET: usize = $offset;

            #[inline]
            fn from_bits(bits: u32) -> Self {
                Self(bits)
            }

            #[inline]
            fn bits(self) -> u32 {
                self.0
            }
        }

        $(impl $access for $name {})*
    )*};
}

registers! {
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

/// A block of registers.
pub(crate) trait Registers {
    fn read<R: Readable>(&self) -> R;
    fn write<R: Writable>(&self, register: R);
}

impl Registers for IoPart<'_, BLOCK_SIZE> {
    #[inline(always)]
    fn read<R: Readable>(&self) -> R {
        R::from_bits(self.read32(R::OFFSET))
    }

    #[inline(always)]
    fn write<R: Writable>(&self, register: R) {
        self.write32(register.bits(), R::OFFSET);
    }
}
