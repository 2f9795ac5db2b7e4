// SPDX-License-Identifier: GPL-2.0

//! The registers by which a real-time core is controlled, each a type.

/// The bytes of a core's block that have registers in them.
pub(crate) const BLOCK_SIZE: usize = 0x24;

/// The distance between the blocks of two cores.
pub(crate) const BLOCK_STRIDE: usize = 0x100;

kernel::io_registers! {
    /// `VERSION`: which kind of block this is.
    Version at 0x00: Readable;
    /// `STATUS`: what the core does.
    Status at 0x04: Readable;
    /// `RESULT`: how the last command ended.
    Outcome at 0x08: Readable;
    /// `IRQ_STATUS`: bit 0, the core has stopped or was reset by itself; a bit that is written is
    /// cleared.
    Event at 0x0c: Readable Writable;
    /// `ADDRESS`: of a command's memory.
    Address at 0x10: Writable;
    /// `SIZE`: of a command's memory.
    Size at 0x14: Writable;
    /// `TYPE`: of the buffer of [`Command::GRANT`].
    Kind at 0x18: Writable;
    /// `IRQ_ENABLE`: whether events interrupt.
    EventEnable at 0x1c: Writable;
    /// `COMMAND`: what is written is done.
    Command at 0x20: Writable;
}

impl Version {
    /// The only one that is known.
    pub(crate) const KNOWN: Self = Self(0x4e43_0001);
}

impl Status {
    const RUNNING: u32 = 1 << 1;
    const BUSY: u32 = 1 << 2;
    const LOCKED_UP: u32 = 1 << 3;
    const WATCHDOG: u32 = 1 << 4;
    const RESET: u32 = 1 << 5;

    /// The core runs.
    pub(crate) fn is_running(self) -> bool {
        self.0 & Self::RUNNING != 0
    }

    /// A command is still being carried out.
    pub(crate) fn is_busy(self) -> bool {
        self.0 & Self::BUSY != 0
    }

    /// The core has stopped since it could not even take a fault.
    pub(crate) fn is_locked_up(self) -> bool {
        self.0 & Self::LOCKED_UP != 0
    }

    /// The core was stopped by its watchdog.
    pub(crate) fn is_bitten(self) -> bool {
        self.0 & Self::WATCHDOG != 0
    }

    /// The core has reset itself since it was started, and so knows nothing of its buffers.
    pub(crate) fn is_reset(self) -> bool {
        self.0 & Self::RESET != 0
    }
}

impl Outcome {
    pub(crate) const DONE: Self = Self(0);
    pub(crate) const NOT_FIRMWARE: Self = Self(5);
    pub(crate) const TOO_LARGE: Self = Self(6);
    pub(crate) const BAD_VECTORS: Self = Self(7);

    /// What it means.
    pub(crate) fn as_str(self) -> &'static str {
        match self.0 {
            0 => "done",
            1 => "there is no such command",
            2 => "the core runs",
            3 => "nothing is loaded",
            4 => "the memory is neither RAM nor flash",
            5 => "the image is no ELF file for the core",
            6 => "the image does not fit into TCM, SYSRAM and flash",
            7 => "the core could not start with the vector table of the image",
            8 => "the buffer is none that a core may reach",
            _ => "unknown",
        }
    }
}

impl Event {
    /// The core has stopped or was reset by itself.
    pub(crate) const STOPPED: Self = Self(1);
}

impl Kind {
    /// The buffer that the core writes.
    pub(crate) const INBOUND: Self = Self(0);
    /// The buffer that it reads.
    pub(crate) const OUTBOUND: Self = Self(1);
}

impl Command {
    /// Loads the file in memory.
    pub(crate) const LOAD: Self = Self(1);
    /// Starts the core with what was loaded, and empties its mailbox.
    pub(crate) const START: Self = Self(2);
    /// Stops the core, and takes its buffers back.
    pub(crate) const STOP: Self = Self(3);
    /// Lets the core reach a buffer.
    pub(crate) const GRANT: Self = Self(5);
}
