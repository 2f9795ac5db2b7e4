// SPDX-License-Identifier: GPL-2.0-or-later
//! Control of the real-time cores. The registers are of our own: on the chip, the A7 asks its security monitor by secure calls,
//! and what that does is not public. The commands are those calls'.

use crate::elf;

/// Bytes of registers for each core.
pub const STRIDE: u32 = 0x100;
/// Grants begin and end at pages.
pub const PAGE: u32 = 4096;
/// Buffers of a core: inbound and outbound, as seen from the A7.
pub const SLOTS: usize = 2;

const VERSION: u32 = 0x00;
const STATUS: u32 = 0x04;
const RESULT: u32 = 0x08;
const IRQ_STATUS: u32 = 0x0C;
const ADDRESS: u32 = 0x10;
const SIZE: u32 = 0x14;
const TYPE: u32 = 0x18;
const IRQ_ENABLE: u32 = 0x1C;
const COMMAND: u32 = 0x20;

const VERSION_VALUE: u32 = 0x4E43_0001;

const STATUS_LOADED: u32 = 1 << 0;
const STATUS_RUNNING: u32 = 1 << 1;
const STATUS_BUSY: u32 = 1 << 2;
const STATUS_LOCKED_UP: u32 = 1 << 3;
const STATUS_WATCHDOG: u32 = 1 << 4;
const STATUS_RESET: u32 = 1 << 5;

/// How a command ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outcome {
    /// It is done, or under way.
    #[default]
    Done,
    /// There is no such command.
    BadCommand,
    /// The core runs, or is about to start or stop.
    Busy,
    /// Nothing is loaded.
    NotLoaded,
    /// The range is not in RAM or flash.
    BadRange,
    /// The file is no ELF file for the core.
    NotFirmware,
    /// The file does not fit.
    TooLarge,
    /// The core could not start with the file.
    BadVectors,
    /// The buffer has a wrong type, place or size, or is in use.
    BadBuffer,
}

impl Outcome {
    /// As the register shows it.
    #[must_use]
    pub const fn code(self) -> u32 {
        match self {
            Self::Done => 0,
            Self::BadCommand => 1,
            Self::Busy => 2,
            Self::NotLoaded => 3,
            Self::BadRange => 4,
            Self::NotFirmware => 5,
            Self::TooLarge => 6,
            Self::BadVectors => 7,
            Self::BadBuffer => 8,
        }
    }
}

impl From<&elf::Error> for Outcome {
    fn from(error: &elf::Error) -> Self {
        match error {
            elf::Error::Format(_) => Self::NotFirmware,
            elf::Error::Memory(_) => Self::TooLarge,
            elf::Error::Vectors(_) => Self::BadVectors,
        }
    }
}

/// What a core does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Run {
    /// Nothing.
    #[default]
    Stopped,
    /// It has been told to start.
    Starting,
    /// It runs.
    Running,
    /// It has been told to stop, and to start again then or not.
    Stopping {
        /// To start again.
        again: bool,
    },
}

/// What the A7 asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Load the file at this address, of this size.
    Load(u32, u32),
    /// Start.
    Start,
    /// Stop.
    Stop,
    /// Stop and start.
    Reset,
    /// Let the core reach a buffer: its type, address and size.
    Grant(u32, u32, u32),
    /// Take the buffer of a type back.
    Revoke(u32),
}

/// The registers of one core, and what is known of it.
#[derive(Debug, Default)]
pub struct Control {
    /// The vector table of what is loaded.
    pub vectors: Option<u32>,
    /// What it does.
    pub run: Run,
    /// It stopped because it could not even take a fault.
    pub locked_up: bool,
    /// It stopped because its watchdog was not fed.
    pub watchdog: bool,
    /// It has reset itself since it was told to start.
    pub reset: bool,
    /// How the last command ended.
    pub outcome: Outcome,
    /// What it may reach of the A7's RAM, by type: address and size.
    pub grants: [Option<(u32, u32)>; SLOTS],
    event: bool,
    event_on: bool,
    address: u32,
    size: u32,
    kind: u32,
}

/// There is no such register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRegister;

impl Control {
    /// The interrupt line: it stopped or was reset by itself.
    #[must_use]
    pub const fn line(&self) -> bool {
        self.event && self.event_on
    }

    /// It stopped or was reset by itself.
    pub const fn stopped_by_itself(&mut self) {
        self.event = true;
    }

    fn status(&self) -> u32 {
        let running = match self.run {
            Run::Stopped => 0,
            Run::Running => STATUS_RUNNING,
            Run::Starting | Run::Stopping { .. } => STATUS_BUSY,
        };
        let flag = |on, bit| if on { bit } else { 0 };
        running
            | flag(self.vectors.is_some(), STATUS_LOADED)
            | flag(self.locked_up, STATUS_LOCKED_UP)
            | flag(self.watchdog, STATUS_WATCHDOG)
            | flag(self.reset, STATUS_RESET)
    }

    /// Reads a register.
    ///
    /// # Errors
    ///
    /// There is none at this offset.
    pub fn read(&self, offset: u32) -> Result<u32, NoRegister> {
        Ok(match offset {
            VERSION => VERSION_VALUE,
            STATUS => self.status(),
            RESULT => self.outcome.code(),
            IRQ_STATUS => u32::from(self.event),
            ADDRESS => self.address,
            SIZE => self.size,
            TYPE => self.kind,
            IRQ_ENABLE => u32::from(self.event_on),
            COMMAND => 0,
            _ => return Err(NoRegister),
        })
    }

    /// Writes a register; a write may be a command.
    ///
    /// # Errors
    ///
    /// There is none at this offset.
    pub fn write(&mut self, offset: u32, value: u32) -> Result<Option<Command>, NoRegister> {
        match offset {
            IRQ_STATUS => self.event &= value & 1 == 0,
            ADDRESS => self.address = value,
            SIZE => self.size = value,
            TYPE => self.kind = value,
            IRQ_ENABLE => self.event_on = value & 1 != 0,
            COMMAND => {
                let command = match value {
                    1 => Some(Command::Load(self.address, self.size)),
                    2 => Some(Command::Start),
                    3 => Some(Command::Stop),
                    4 => Some(Command::Reset),
                    5 => Some(Command::Grant(self.kind, self.address, self.size)),
                    6 => Some(Command::Revoke(self.kind)),
                    _ => None,
                };
                self.outcome = if command.is_some() {
                    Outcome::Done
                } else {
                    Outcome::BadCommand
                };
                return Ok(command);
            }
            VERSION | STATUS | RESULT => {}
            _ => return Err(NoRegister),
        }
        Ok(None)
    }
}

/// Whether two ranges share a byte.
#[must_use]
pub fn overlap(one: (u32, u32), other: (u32, u32)) -> bool {
    let end = |(address, size): (u32, u32)| u64::from(address) + u64::from(size);
    u64::from(one.0) < end(other) && u64::from(other.0) < end(one)
}

/// Whether a range lies in another, which it does not when it is empty.
#[must_use]
pub fn within(inner: (u32, u32), outer: (u32, u32)) -> bool {
    inner.1 > 0
        && inner.0 >= outer.0
        && u64::from(inner.0) + u64::from(inner.1) <= u64::from(outer.0) + u64::from(outer.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_take_their_arguments_from_the_registers() {
        let mut control = Control::default();
        for (offset, value) in [(ADDRESS, 0x8000_0000), (SIZE, 0x1000), (TYPE, 1)] {
            assert_eq!(control.write(offset, value), Ok(None));
            assert_eq!(control.read(offset), Ok(value));
        }
        let commands =
            [1, 2, 3, 4, 5, 6].map(|value| control.write(COMMAND, value).unwrap().unwrap());
        assert_eq!(
            commands,
            [
                Command::Load(0x8000_0000, 0x1000),
                Command::Start,
                Command::Stop,
                Command::Reset,
                Command::Grant(1, 0x8000_0000, 0x1000),
                Command::Revoke(1)
            ]
        );
        assert_eq!(control.write(COMMAND, 7), Ok(None));
        assert_eq!(control.read(RESULT), Ok(Outcome::BadCommand.code()));
        assert_eq!(
            (control.read(0x24), control.write(0x24, 0)),
            (Err(NoRegister), Err(NoRegister))
        );
    }

    #[test]
    fn an_event_interrupts_when_it_may_and_is_cleared_by_one() {
        let mut control = Control::default();
        control.stopped_by_itself();
        assert!(!control.line());
        control.write(IRQ_ENABLE, 1).unwrap();
        assert!(control.line());
        control.write(IRQ_STATUS, 0).unwrap();
        assert!(control.line());
        control.write(IRQ_STATUS, 1).unwrap();
        assert!(!control.line());
    }

    #[test]
    fn ranges_do_not_wrap() {
        assert!(within((0xFFFF_F000, 0x1000), (0x8000_0000, 0x8000_0000)));
        assert!(!within((0xFFFF_F000, 0x1001), (0x8000_0000, 0x8000_0000)));
        assert!(!within((0x8000_0000, 0), (0x8000_0000, 0x1000)));
        assert!(!within((0x7FFF_FFFF, 2), (0x8000_0000, 0x1000)));
        assert!(overlap((0xFFFF_F000, 0x1000), (0xFFFF_FFFF, 1)));
        assert!(!overlap((0x1000, 0x1000), (0x2000, 0x1000)));
    }
}
