// SPDX-License-Identifier: GPL-2.0

//! The registers of the pin controller: which there are, where they lie, and what their bits mean.

use kernel::{
    c_str,
    device::{
        Bound,
        Device, //
    },
    gpio::Trigger,
    prelude::*, //
};

/// A region of registers; the order is that of the device tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Block {
    Pinmux,
    Cirq,
    Group0,
    Group1,
    Group2,
    Group3,
    Group4,
    Group5,
    Unmapped,
    Isu0,
    Isu1,
    Isu2,
    Adc,
    I2s0,
    I2s1,
    Isu3,
    Isu4,
    Isu5,
}

impl Block {
    /// All of them.
    pub(crate) const ALL: [Self; 18] = [
        Self::Pinmux,
        Self::Cirq,
        Self::Group0,
        Self::Group1,
        Self::Group2,
        Self::Group3,
        Self::Group4,
        Self::Group5,
        Self::Unmapped,
        Self::Isu0,
        Self::Isu1,
        Self::Isu2,
        Self::Adc,
        Self::I2s0,
        Self::I2s1,
        Self::Isu3,
        Self::Isu4,
        Self::Isu5,
    ];

    /// Those whose pulls have to be given to software.
    pub(crate) const GROUPS: [Self; 6] = [
        Self::Group0,
        Self::Group1,
        Self::Group2,
        Self::Group3,
        Self::Group4,
        Self::Group5,
    ];

    /// The name in `reg-names`.
    pub(crate) fn name(self) -> &'static CStr {
        match self {
            Self::Pinmux => c_str!("pinmux"),
            Self::Cirq => c_str!("cirq"),
            Self::Group0 => c_str!("group0"),
            Self::Group1 => c_str!("group1"),
            Self::Group2 => c_str!("group2"),
            Self::Group3 => c_str!("group3"),
            Self::Group4 => c_str!("group4"),
            Self::Group5 => c_str!("group5"),
            Self::Unmapped => c_str!("unmapped"),
            Self::Isu0 => c_str!("isu0"),
            Self::Isu1 => c_str!("isu1"),
            Self::Isu2 => c_str!("isu2"),
            Self::Adc => c_str!("adc"),
            Self::I2s0 => c_str!("i2s0"),
            Self::I2s1 => c_str!("i2s1"),
            Self::Isu3 => c_str!("isu3"),
            Self::Isu4 => c_str!("isu4"),
            Self::Isu5 => c_str!("isu5"),
        }
    }

    /// How many bytes of it are used at least.
    pub(crate) const fn size(self) -> usize {
        match self {
            Self::Cirq => 0x610,
            _ => 0x100,
        }
    }

    /// Where the register with the levels of the pads lies.
    const fn input_offset(self) -> usize {
        match self {
            Self::Isu0 | Self::Isu1 | Self::Isu2 | Self::Isu3 | Self::Isu4 | Self::Isu5 => 0x0c,
            Self::Unmapped | Self::I2s0 | Self::I2s1 => 0x00,
            _ => 0x04,
        }
    }
}

/// How far apart the registers of the unmapped block lie, on which the public sources disagree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spacing {
    /// As the vendor's firmware has it: twice as far from the direction register on.
    Doubled,

    /// As the published Linux driver has it: as in all other blocks.
    Uniform,
}

/// Registers with a bit for each pin of a block. They are changed by writing ones to an alias.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bits {
    /// The level that is driven.
    Output,

    /// Whether it is driven.
    Direction,
    PullUp,
    PullDown,
    SlewRate,
    InputEnable,
}

impl Bits {
    /// The bit of the pull registers of [`Block::GROUPS`] that gives the pulls to software.
    pub(crate) const SOFTWARE_PULL: u32 = 1 << 31;

    const fn offset(self) -> usize {
        match self {
            Self::Output => 0x10,
            Self::Direction => 0x20,
            Self::PullUp => 0x30,
            Self::PullDown => 0x40,
            Self::SlewRate => 0x50,
            Self::InputEnable => 0x60,
        }
    }
}

/// What is done with [`Bits`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alias {
    /// Read them.
    Value,

    /// Set those that are written as one.
    Set,

    /// Clear those that are written as one.
    Clear,
}

/// A register of 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Register {
    /// The levels of the pads of a block.
    Input(Block),

    /// A bit for each pin of a block.
    Bits(Block, Bits, Alias),

    /// The drive strengths of the pins of a block.
    DriveStrength(Block),

    /// What an external interrupt is sensitive to.
    Eint(Eint),

    /// A bit for each interrupt: whether it follows the level instead of edges.
    Sense(Eint),

    /// A bit for each interrupt: whether an edge becomes a level that lasts until it is handled.
    EdgeToLevel(Eint),

    /// A bit for each interrupt: whether it is pending. Written as one, an edge is acknowledged.
    Pending(Eint),

    /// A bit for each interrupt: whether it is not signalled.
    Disable(Eint),
}

/// Where a register lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) block: Block,
    pub(crate) offset: usize,
}

/// Where the modes of eight pins lie in [`Block::Pinmux`], the given one among them.
#[inline(always)]
pub(crate) const fn mode_offset(pin: u32) -> usize {
    0x20 + pin as usize / 8 * 4
}

impl Register {
    /// Where it lies.
    pub(crate) fn address(self, spacing: Spacing) -> Address {
        let spread = |block, offset: usize| match (block, spacing) {
            (Block::Unmapped, Spacing::Doubled) if offset >= 0x20 => offset + (offset - 0x10),
            _ => offset,
        };
        let word = |eint: Eint| eint.number() as usize / 32 * 4;
        let (block, offset) = match self {
            Self::Input(block) => (block, block.input_offset()),
            Self::Bits(block, bits, alias) => {
                let alias = match alias {
                    Alias::Value => 0,
                    Alias::Set => 4,
                    Alias::Clear => 8,
                };
                (block, spread(block, bits.offset()) + alias)
            }
            Self::DriveStrength(block) => (block, spread(block, 0x70)),
            Self::Eint(eint) => (Block::Cirq, eint.0 as usize * 4),
            Self::Sense(eint) => (Block::Cirq, 0x200 + word(eint)),
            Self::EdgeToLevel(eint) => (Block::Cirq, 0x240 + word(eint)),
            Self::Pending(eint) => (Block::Cirq, 0x280 + word(eint)),
            Self::Disable(eint) => (Block::Cirq, 0x600 + word(eint)),
        };
        Address { block, offset }
    }
}

/// Some neighbouring bits of a register.
#[derive(Clone, Copy)]
pub(crate) struct Field {
    shift: u32,
    width: u32,
}

impl Field {
    /// The mode of a pin, at its [`mode_offset`].
    #[inline(always)]
    pub(crate) const fn mode(pin: u32) -> Self {
        Self {
            shift: pin % 8 * 4,
            width: 4,
        }
    }

    /// The drive strength of a pin, in its [`Register::DriveStrength`].
    pub(crate) const fn drive_strength(bit: u32) -> Self {
        Self {
            shift: bit * 2,
            width: 2,
        }
    }

    /// Its bits.
    #[inline(always)]
    pub(crate) const fn mask(self) -> u32 {
        ((1 << self.width) - 1) << self.shift
    }

    /// The field in the value of a register.
    #[inline(always)]
    pub(crate) const fn get(self, value: u32) -> u32 {
        (value & self.mask()) >> self.shift
    }

    /// A value where its bits are.
    #[inline(always)]
    pub(crate) const fn put(self, value: u32) -> u32 {
        (value << self.shift) & self.mask()
    }
}

/// What a pin does: 0 to 7.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mode(pub(crate) u32);

impl Mode {
    /// The pin is a GPIO line; that is known of all pins.
    pub(crate) const GPIO: Self = Self(0);

    /// The output of a PWM; known of pins 0 to 11.
    pub(crate) const PWM: Self = Self(1);

    /// An external interrupt; known of pins 0 to 23.
    pub(crate) const EINT: Self = Self(5);

    /// The input of an event counter; known of pins 0 to 23.
    pub(crate) const COUNTER: Self = Self(6);
}

/// An external interrupt: that of the pin with the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Eint(u32);

impl Eint {
    /// How many there are.
    pub(crate) const COUNT: u32 = 24;

    const DUAL_EDGE: u32 = 1 << 7;
    const POLARITY: u32 = 1 << 8;

    /// The bits of its [`Register::Eint`] that a trigger is about; the rest is a filter.
    pub(crate) const SENSITIVITY: u32 = Self::DUAL_EDGE | Self::POLARITY;

    /// The interrupt of a pin, if it has one.
    pub(crate) const fn of(pin: u32) -> Option<Self> {
        if pin < Self::COUNT {
            Some(Self(pin))
        } else {
            None
        }
    }

    /// All of them.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        (0..Self::COUNT).map(Self)
    }

    /// Its number among the shared interrupts of the GIC.
    const fn number(self) -> u32 {
        match self.0 {
            0..4 => 17 + self.0,
            _ => 57 + self.0,
        }
    }

    /// Its bit in the registers that have one for each interrupt.
    pub(crate) const fn bit(self) -> u32 {
        1 << (self.number() % 32)
    }

    /// [`Self::SENSITIVITY`] for a trigger.
    pub(crate) fn sensitive_to(trigger: Trigger, polarity_low: bool) -> u32 {
        let high = match trigger {
            Trigger::RisingEdge | Trigger::HighLevel => true,
            Trigger::FallingEdge | Trigger::LowLevel => false,
            Trigger::BothEdges => return Self::DUAL_EDGE,
        };
        if high != polarity_low {
            Self::POLARITY
        } else {
            0
        }
    }
}

/// Access to registers, in any context.
pub(crate) trait Bus: Send + Sync + 'static {
    /// The value of a register.
    fn read(&self, dev: &Device<Bound>, address: Address) -> Result<u32>;

    /// Writes a register.
    fn write(&self, dev: &Device<Bound>, address: Address, value: u32) -> Result;

    /// Changes the bits of `mask` in a register, and returns what it holds then.
    fn modify(&self, dev: &Device<Bound>, address: Address, mask: u32, bits: u32) -> Result<u32>;

    /// Does the same at the [`mode_offset`] of a pin.
    fn modify_mode(&self, dev: &Device<Bound>, pin: u32, mask: u32, bits: u32) -> Result<u32>;
}
