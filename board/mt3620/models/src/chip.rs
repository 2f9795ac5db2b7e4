// SPDX-License-Identifier: GPL-2.0-or-later
//! The blocks together: who reaches which, which interrupts come of it, and what the pads look like.

use crate::cirq::{self, Cirq};
use crate::cores::{self, Command, Control, Outcome, Run};
use crate::elf;
use crate::gpio::{self, Gpio};
use crate::gpt::Gpt;
use crate::host::{Complaint, Core, Host, PerCore, Target};
use crate::mailbox::{Kind, Line, Mailbox, Misuse, Side};
use crate::map::{Block, REGIONS};
use crate::options::Options;
use crate::pads::{self, BLOCK_B, BLOCKS, EINTS, PINS};
use crate::pins::{self, Lines, Request};
use crate::watchdog::{Bite, Watchdog};

/// Where the A7's RAM begins.
pub const RAM: u32 = 0x8000_0000;
/// The flash: where it begins, and its size.
pub const FLASH: (u32, u32) = (0x9000_0000, 16 * 1024 * 1024);

// Interrupts of the A7, as shared peripheral interrupts. Those of the mailboxes and the watchdog are placeholders.
const SPI_CORE_CONTROL: u32 = 11;
const SPI_WATCHDOG: u32 = 13;

// Interrupts of a real-time core.
const NVIC_GPT: u32 = 1;
const NVIC_GPT3: u32 = 2;
const NVIC_WATCHDOG: u32 = 3;
const NVIC_MAILBOX_A7: u32 = 6;
const NVIC_MAILBOX_M4: u32 = 12;

const MODES: u32 = 0x20;
const MODE_REGISTERS: usize = 12;
const MODE_MASK: u32 = 0x7777_7777;
const MODE_EINT: u32 = 5;

/// What belongs to one real-time core alone.
#[derive(Debug)]
struct Local {
    control: Control,
    cirq: Cirq,
    gpt: Gpt,
    watchdog: Watchdog,
    /// What it is to run from power-on.
    firmware: Option<Vec<u8>>,
    lines: u128,
}

/// The chip.
#[derive(Debug)]
pub struct Chip {
    options: Options,
    ram: (u32, u32),
    modes: [u32; MODE_REGISTERS],
    gpio: [Gpio; BLOCKS],
    outside: [Option<bool>; PINS],
    levels: u128,
    watched: u128,
    lines: Lines,
    /// With the HSP, IO0 and IO1.
    mailboxes: [Mailbox; 3],
    between: Mailbox,
    cirq: Cirq,
    watchdog: Watchdog,
    a7_lines: u128,
    locals: PerCore<Local>,
    timer: Option<u64>,
}

/// Nothing answers at this place.
struct Nothing;

impl From<gpio::NoRegister> for Nothing {
    fn from(_: gpio::NoRegister) -> Self {
        Self
    }
}

impl From<cirq::NoRegister> for Nothing {
    fn from(_: cirq::NoRegister) -> Self {
        Self
    }
}

impl From<crate::gpt::NoRegister> for Nothing {
    fn from(_: crate::gpt::NoRegister) -> Self {
        Self
    }
}

impl From<crate::watchdog::NoRegister> for Nothing {
    fn from(_: crate::watchdog::NoRegister) -> Self {
        Self
    }
}

impl From<cores::NoRegister> for Nothing {
    fn from(_: cores::NoRegister) -> Self {
        Self
    }
}

fn gpio_kind(block: usize, options: &Options) -> gpio::Kind {
    match block {
        0..=5 => gpio::Kind::Group,
        BLOCK_B => gpio::Kind::B(options.gpio_layout_b),
        10 => gpio::Kind::Adc,
        11 | 12 => gpio::Kind::I2s,
        _ => gpio::Kind::Isu,
    }
}

/// Of a bit array, the numbers of the bits that are set.
fn numbers(bits: u128) -> impl Iterator<Item = u32> {
    (0..128).filter(move |number| bits >> number & 1 != 0)
}

fn flag(on: bool, number: u32) -> u128 {
    u128::from(on) << number
}

/// Which end a core has of the mailbox between them.
const fn side_between(core: Core) -> Side {
    match core {
        Core::Io0 => Side::A,
        Core::Io1 => Side::B,
    }
}

impl Chip {
    /// A chip with this much RAM, to be reset before it is used.
    #[must_use]
    pub fn new(options: &Options, ram_size: u32) -> Self {
        let all_eints = (1 << EINTS) - 1;
        let connected = if options.eint_needs_mode {
            0
        } else {
            all_eints
        };
        let cirq = |kind| {
            let mut cirq = Cirq::new(kind);
            cirq.set_pins(0, connected);
            cirq
        };
        Self {
            options: options.clone(),
            ram: (RAM, ram_size),
            modes: [0; MODE_REGISTERS],
            gpio: std::array::from_fn(|block| {
                Gpio::new(block, gpio_kind(block, options), options.gpio_inputs_on)
            }),
            outside: [None; PINS],
            levels: 0,
            watched: 0,
            lines: Lines::default(),
            mailboxes: std::array::from_fn(|_| Mailbox::new(Kind::WithA7, options)),
            between: Mailbox::new(Kind::BetweenM4, options),
            cirq: cirq(cirq::Kind::A7),
            watchdog: Watchdog::default(),
            a7_lines: 0,
            locals: PerCore::new(|_| Local {
                control: Control::default(),
                cirq: cirq(cirq::Kind::M4),
                gpt: Gpt::default(),
                watchdog: Watchdog::default(),
                firmware: None,
                lines: 0,
            }),
            timer: None,
        }
    }

    /// Gives a core firmware to run from power-on.
    ///
    /// # Errors
    ///
    /// Why it is none.
    pub fn set_firmware(&mut self, core: Core, file: Vec<u8>) -> Result<(), elf::Error> {
        elf::plan(&file)?;
        self.locals.of_mut(core).firmware = Some(file);
        Ok(())
    }

    /// Brings everything but the world outside into the state after power-on. The real-time cores have been stopped by the caller.
    pub fn reset(&mut self, host: &mut dyn Host) {
        self.modes = [0; MODE_REGISTERS];
        self.gpio.iter_mut().for_each(Gpio::reset);
        self.mailboxes.iter_mut().for_each(Mailbox::reset);
        self.between.reset();
        self.cirq.reset();
        self.watchdog.reset();
        for core in Core::ALL {
            self.revoke_all(host, core);
            self.locals.of_mut(core).control = Control::default();
            self.reset_local(core);
        }
        for core in Core::ALL {
            if let Some(file) = self.locals.of_mut(core).firmware.take() {
                self.load(host, core, &file);
                self.locals.of_mut(core).firmware = Some(file);
                self.start(host, core);
            }
        }
        self.settle(host);
    }

    fn mailbox_of(&mut self, core: Core) -> &mut Mailbox {
        let [_, first, second] = &mut self.mailboxes;
        match core {
            Core::Io0 => first,
            Core::Io1 => second,
        }
    }

    /// Resets what goes with a core.
    fn reset_local(&mut self, core: Core) {
        let local = self.locals.of_mut(core);
        local.cirq.reset();
        local.gpt.reset();
        local.watchdog.reset();
        self.mailbox_of(core).reset_end(Side::B);
        self.between.reset_end(side_between(core));
    }

    // The real-time cores.

    /// Loads a file, which has been checked or is checked now.
    fn load(&mut self, host: &mut dyn Host, core: Core, file: &[u8]) -> Outcome {
        let plan = match elf::plan(file) {
            Ok(plan) => plan,
            Err(error) => {
                host.complain(
                    Complaint::GuestError,
                    &format!("io{}: no firmware: {error}", core.number()),
                );
                return Outcome::from(&error);
            }
        };
        let control = &mut self.locals.of_mut(core).control;
        control.vectors = None;
        // Nothing of what ran before is left to what comes.
        let mut written = elf::MEMORIES.iter().all(|memory| {
            let size = usize::try_from(memory.size).unwrap_or(0);
            host.write_core(
                core,
                memory.base,
                &vec![if memory.writable { 0 } else { 0xFF }; size],
            )
        });
        for segment in &plan.segments {
            written &= file
                .get(segment.bytes.clone())
                .is_some_and(|bytes| host.write_core(core, segment.address, bytes));
        }
        if !written {
            return Outcome::BadRange;
        }
        control.vectors = Some(plan.vectors);
        Outcome::Done
    }

    fn start(&mut self, host: &mut dyn Host, core: Core) -> Outcome {
        let Some(vectors) = self.locals.of_mut(core).control.vectors else {
            return Outcome::NotLoaded;
        };
        self.reset_local(core);
        self.mailbox_of(core).flush();
        let control = &mut self.locals.of_mut(core).control;
        control.run = Run::Starting;
        control.locked_up = false;
        control.watchdog = false;
        control.reset = false;
        host.start_core(core, vectors);
        Outcome::Done
    }

    fn stop(&mut self, host: &mut dyn Host, core: Core, again: bool) {
        self.revoke_all(host, core);
        self.locals.of_mut(core).control.run = Run::Stopping { again };
        host.stop_core(core);
    }

    fn revoke_all(&mut self, host: &mut dyn Host, core: Core) {
        for (slot, grant) in (0..).zip(&mut self.locals.of_mut(core).control.grants) {
            if grant.take().is_some() {
                host.grant(core, slot, None);
            }
        }
    }

    fn grant(&mut self, host: &mut dyn Host, core: Core, kind: u32, range: (u32, u32)) -> Outcome {
        let aligned = range.0 % cores::PAGE == 0 && range.1 % cores::PAGE == 0;
        let taken = Core::ALL.iter().any(|other| {
            (0..)
                .zip(self.locals.of(*other).control.grants)
                .any(|(slot, grant)| {
                    let itself = *other == core && slot == kind;
                    !itself && grant.is_some_and(|grant| cores::overlap(grant, range))
                })
        });
        let ram = self.ram;
        let slot = usize::try_from(kind)
            .ok()
            .and_then(|kind| self.locals.of_mut(core).control.grants.get_mut(kind));
        let Some(slot) = slot.filter(|_| aligned && !taken && cores::within(range, ram)) else {
            return Outcome::BadBuffer;
        };
        *slot = Some(range);
        host.grant(core, kind, Some(range));
        Outcome::Done
    }

    fn command(&mut self, host: &mut dyn Host, core: Core, command: Command) -> Outcome {
        let run = self.locals.of(core).control.run;
        match command {
            Command::Load(address, size) => {
                if run != Run::Stopped {
                    return Outcome::Busy;
                }
                let range = (address, size);
                if !cores::within(range, self.ram) && !cores::within(range, FLASH) {
                    return Outcome::BadRange;
                }
                let size = usize::try_from(size).unwrap_or(usize::MAX);
                if size > elf::LARGEST {
                    return Outcome::TooLarge;
                }
                let mut file = vec![0; size];
                if !host.read_memory(address, &mut file) {
                    return Outcome::BadRange;
                }
                self.load(host, core, &file)
            }
            Command::Start if run == Run::Stopped => self.start(host, core),
            Command::Stop | Command::Reset if run == Run::Running => {
                self.locals.of_mut(core).control.reset = false;
                self.stop(host, core, command == Command::Reset);
                Outcome::Done
            }
            Command::Stop if run == Run::Stopped => {
                self.revoke_all(host, core);
                Outcome::Done
            }
            Command::Reset if run == Run::Stopped => {
                self.revoke_all(host, core);
                self.start(host, core)
            }
            Command::Start | Command::Stop | Command::Reset => Outcome::Busy,
            Command::Grant(kind, address, size) => self.grant(host, core, kind, (address, size)),
            Command::Revoke(kind) => {
                let slot = usize::try_from(kind)
                    .ok()
                    .and_then(|kind| self.locals.of_mut(core).control.grants.get_mut(kind));
                match slot {
                    Some(slot) => {
                        if slot.take().is_some() {
                            host.grant(core, kind, None);
                        }
                        Outcome::Done
                    }
                    None => Outcome::BadBuffer,
                }
            }
        }
    }

    /// The vector table of a core that has been told to start and has not yet.
    #[must_use]
    pub fn wants_start(&self, core: Core) -> Option<u32> {
        let control = &self.locals.of(core).control;
        control.vectors.filter(|_| control.run == Run::Starting)
    }

    /// Whether a core has been told to stop and has not yet.
    #[must_use]
    pub fn wants_stop(&self, core: Core) -> bool {
        matches!(self.locals.of(core).control.run, Run::Stopping { .. })
    }

    /// A core has started, from reset: its interrupt controller has forgotten what lines look like.
    pub fn core_started(&mut self, host: &mut dyn Host, core: Core) {
        let local = self.locals.of_mut(core);
        local.control.run = Run::Running;
        local.lines = 0;
        self.settle(host);
    }

    /// A core wants to be reset, by its own system control. It starts again without its buffers, which the A7 is told of.
    pub fn core_wants_reset(&mut self, host: &mut dyn Host, core: Core) {
        if self.locals.of(core).control.run == Run::Running {
            self.locals.of_mut(core).control.reset = true;
            self.stop(host, core, true);
        }
    }

    /// A core has stopped, as it was told.
    pub fn core_stopped(&mut self, host: &mut dyn Host, core: Core) {
        let again = self.locals.of(core).control.run == Run::Stopping { again: true };
        self.reset_local(core);
        let control = &mut self.locals.of_mut(core).control;
        control.run = Run::Stopped;
        // A command to reset it is no news to who gave it.
        let itself = control.reset && again;
        if control.watchdog || itself {
            control.stopped_by_itself();
        }
        if again {
            self.start(host, core);
            self.locals.of_mut(core).control.reset = itself;
        }
        self.settle(host);
    }

    /// A core could not go on.
    pub fn core_locked_up(&mut self, host: &mut dyn Host, core: Core) {
        host.complain(
            Complaint::GuestError,
            &format!("io{}: locked up", core.number()),
        );
        self.revoke_all(host, core);
        self.reset_local(core);
        let control = &mut self.locals.of_mut(core).control;
        control.run = Run::Stopped;
        control.locked_up = true;
        control.stopped_by_itself();
        self.settle(host);
    }

    fn bite(&mut self, host: &mut dyn Host, core: Core, bite: Bite) {
        if bite == Bite::Reset && self.locals.of(core).control.run == Run::Running {
            host.complain(
                Complaint::GuestError,
                &format!("io{}: stopped by its watchdog", core.number()),
            );
            self.locals.of_mut(core).control.watchdog = true;
            self.stop(host, core, false);
        }
    }

    // Registers.

    fn mode(&self, pin: usize) -> u32 {
        let shift = 4 * (pin % 8);
        self.modes
            .get(pin / 8)
            .map_or(0, |modes| modes >> shift & 0xF)
    }

    fn pinmux_register(offset: u32) -> Option<usize> {
        let index = usize::try_from(offset.checked_sub(MODES)? / 4).ok()?;
        (offset % 4 == 0 && index < MODE_REGISTERS).then_some(index)
    }

    /// The levels of a block's pads, by their bits.
    fn levels_of(&self, block: usize) -> u32 {
        let pins = (0..PINS).filter_map(|pin| {
            pads::place(pin)
                .filter(|(of, _)| *of == block)
                .map(|(_, bit)| (pin, bit))
        });
        pins.filter(|(pin, _)| self.levels >> pin & 1 != 0)
            .fold(0, |all, (_, bit)| all | 1 << bit)
    }

    fn mailbox_end(&mut self, block: Block) -> Option<(&mut Mailbox, Side)> {
        Some(match block {
            Block::Mailbox(channel) => (self.mailboxes.get_mut(channel)?, Side::A),
            Block::MailboxHsp => (self.mailboxes.first_mut()?, Side::B),
            Block::MailboxM4(core) => (self.mailbox_of(core), Side::B),
            Block::MailboxBetween(core) => (&mut self.between, side_between(core)),
            _ => return None,
        })
    }

    fn misuse(host: &mut dyn Host, misuse: Misuse, what: &str) -> Result<u32, Nothing> {
        match misuse {
            Misuse::PostToFull => host.complain(
                Complaint::GuestError,
                &format!("{what}: post to a full FIFO"),
            ),
            Misuse::PopFromEmpty => host.complain(
                Complaint::GuestError,
                &format!("{what}: pop from an empty FIFO"),
            ),
            Misuse::NoRegister => return Err(Nothing),
        }
        Ok(0)
    }

    fn control_at(offset: u32) -> Result<(Core, u32), Nothing> {
        Core::from_number(offset / cores::STRIDE)
            .map(|core| (core, offset % cores::STRIDE))
            .ok_or(Nothing)
    }

    fn read_block(
        &mut self,
        host: &mut dyn Host,
        block: Block,
        name: &str,
        offset: u32,
    ) -> Result<u32, Nothing> {
        let now = host.now();
        if let Some((mailbox, side)) = self.mailbox_end(block) {
            return mailbox
                .read(side, offset)
                .or_else(|misuse| Self::misuse(host, misuse, name));
        }
        Ok(match block {
            Block::Pinmux => Self::pinmux_register(offset)
                .and_then(|index| self.modes.get(index))
                .copied()
                .ok_or(Nothing)?,
            Block::Gpio(number) => {
                let levels = self.levels_of(number);
                self.gpio.get(number).ok_or(Nothing)?.read(offset, levels)?
            }
            Block::CirqA7 => self.cirq.read(offset)?,
            Block::CirqM4(core) => self.locals.of(core).cirq.read(offset)?,
            Block::WatchdogA7 => self.watchdog.read(offset)?,
            Block::WatchdogM4(core) => self.locals.of_mut(core).watchdog.read(offset)?,
            Block::Gpt(core) => self.locals.of(core).gpt.read(offset, now)?,
            Block::CoreControl => {
                let (core, offset) = Self::control_at(offset)?;
                self.locals.of(core).control.read(offset)?
            }
            Block::Mailbox(_)
            | Block::MailboxHsp
            | Block::MailboxM4(_)
            | Block::MailboxBetween(_) => return Err(Nothing),
        })
    }

    fn write_block(
        &mut self,
        host: &mut dyn Host,
        block: Block,
        name: &str,
        offset: u32,
        value: u32,
    ) -> Result<(), Nothing> {
        let now = host.now();
        if let Some((mailbox, side)) = self.mailbox_end(block) {
            return mailbox
                .write(side, offset, value)
                .or_else(|misuse| Self::misuse(host, misuse, name).map(|_| ()));
        }
        match block {
            Block::Pinmux => {
                let index = Self::pinmux_register(offset).ok_or(Nothing)?;
                *self.modes.get_mut(index).ok_or(Nothing)? = value & MODE_MASK;
            }
            Block::Gpio(number) => self
                .gpio
                .get_mut(number)
                .ok_or(Nothing)?
                .write(offset, value)?,
            Block::CirqA7 => self.cirq.write(offset, value)?,
            Block::CirqM4(core) => self.locals.of_mut(core).cirq.write(offset, value)?,
            Block::WatchdogA7 => {
                if self.watchdog.write(offset, value, now)? == Bite::Reset {
                    host.reset_machine();
                }
            }
            Block::WatchdogM4(core) => {
                let bite = self
                    .locals
                    .of_mut(core)
                    .watchdog
                    .write(offset, value, now)?;
                self.bite(host, core, bite);
            }
            Block::Gpt(core) => self.locals.of_mut(core).gpt.write(offset, value, now)?,
            Block::CoreControl => {
                let (core, offset) = Self::control_at(offset)?;
                if let Some(command) = self.locals.of_mut(core).control.write(offset, value)? {
                    let outcome = self.command(host, core, command);
                    self.locals.of_mut(core).control.outcome = outcome;
                }
            }
            Block::Mailbox(_)
            | Block::MailboxHsp
            | Block::MailboxM4(_)
            | Block::MailboxBetween(_) => return Err(Nothing),
        }
        Ok(())
    }

    /// Reads a register of a region of [`REGIONS`].
    pub fn read(&mut self, host: &mut dyn Host, region: usize, offset: u32) -> u32 {
        let Some(region) = REGIONS.get(region) else {
            return 0;
        };
        let value = self
            .read_block(host, region.block, region.name, offset)
            .unwrap_or_else(|Nothing| {
                host.complain(
                    Complaint::Unimplemented,
                    &format!("{}: no register at {offset:#x} to read", region.name),
                );
                0
            });
        self.settle(host);
        value
    }

    /// Writes a register of a region of [`REGIONS`].
    pub fn write(&mut self, host: &mut dyn Host, region: usize, offset: u32, value: u32) {
        let Some(region) = REGIONS.get(region) else {
            return;
        };
        if let Err(Nothing) = self.write_block(host, region.block, region.name, offset, value) {
            host.complain(
                Complaint::Unimplemented,
                &format!("{}: no register at {offset:#x} for {value:#x}", region.name),
            );
        }
        self.settle(host);
    }

    /// Lets time pass.
    pub fn tick(&mut self, host: &mut dyn Host) {
        let now = host.now();
        self.timer = None;
        if self.watchdog.tick(now) == Bite::Reset {
            host.reset_machine();
        }
        for core in Core::ALL {
            let local = self.locals.of_mut(core);
            local.gpt.tick(now);
            let bite = local.watchdog.tick(now);
            self.bite(host, core, bite);
        }
        self.settle(host);
    }

    // Pins from outside.

    fn request(&mut self, line: Result<String, String>) -> Result<String, String> {
        Ok(match pins::parse(&line?)? {
            Request::Read(pin) => format!("{pin} {}", self.levels >> pin & 1),
            Request::Mode(pin) => format!("{pin} {}", self.mode(pin)),
            Request::Drive(pin, level) => {
                if let Some(outside) = self.outside.get_mut(pin) {
                    *outside = level;
                }
                "ok".into()
            }
            Request::Watch(Some(pin)) => {
                self.watched |= 1 << pin;
                "ok".into()
            }
            Request::Watch(None) => {
                self.watched = u128::MAX;
                "ok".into()
            }
        })
    }

    /// Takes what somebody outside says about pins.
    pub fn pins_said(&mut self, host: &mut dyn Host, bytes: &[u8]) {
        for byte in bytes {
            let Some(line) = self.lines.push(*byte) else {
                continue;
            };
            let answer = self
                .request(line)
                .unwrap_or_else(|reason| format!("error: {reason}"));
            host.tell_pins(&answer);
            self.settle(host);
        }
    }

    /// Who was outside has gone, or come: what it watched and had begun to say is forgotten, what it drives stays.
    pub fn pins_connected(&mut self) {
        self.watched = 0;
        self.lines = Lines::default();
    }

    // What follows of a change.

    fn pad(&self, pin: usize) -> bool {
        let drive = pads::place(pin)
            .and_then(|(block, bit)| self.gpio.get(block).map(|gpio| gpio.drive(bit)))
            .unwrap_or_default();
        // In another mode the pad belongs to a unit that is not modelled, and which puts nothing out.
        let drive = if self.mode(pin) == 0 {
            drive
        } else {
            pads::Drive {
                output: None,
                ..drive
            }
        };
        pads::level(drive, self.outside.get(pin).copied().flatten())
    }

    /// The pulses of the real-time cores, as bits.
    fn settle_pins(&mut self, host: &mut dyn Host) -> PerCore<u128> {
        let levels = (0..PINS)
            .filter(|pin| self.pad(*pin))
            .fold(0_u128, |all, pin| all | 1 << pin);
        for pin in numbers((levels ^ self.levels) & self.watched) {
            host.tell_pins(&format!("{pin} {}", levels >> pin & 1));
        }
        self.levels = levels;
        let eints = (0..EINTS).map(|pin| {
            (
                pin,
                !self.options.eint_needs_mode || self.mode(pin) == MODE_EINT,
            )
        });
        let connected = eints
            .filter(|(_, is)| *is)
            .fold(0, |all, (pin, _)| all | 1 << pin);
        let levels = u32::try_from(levels & ((1 << EINTS) - 1)).unwrap_or(0);
        self.cirq.set_pins(levels, connected);
        PerCore::new(|core| self.locals.of_mut(core).cirq.set_pins(levels, connected))
    }

    fn wanted_a7(&self) -> u128 {
        let mut lines = self.cirq.lines() | flag(self.watchdog.line(), SPI_WATCHDOG);
        for (first, mailbox) in (0..).step_by(3).zip(&self.mailboxes) {
            for (number, line) in (first..).zip([Line::Written, Line::Read, Line::Software]) {
                lines |= flag(mailbox.level(Side::A, line), number);
            }
        }
        for core in Core::ALL {
            lines |= flag(
                self.locals.of(core).control.line(),
                SPI_CORE_CONTROL + core.number(),
            );
        }
        lines
    }

    fn wanted_m4(&mut self, core: Core) -> u128 {
        let mut lines = 0;
        for (number, line) in (NVIC_MAILBOX_A7..).zip(Line::ALL) {
            lines |= flag(self.mailbox_of(core).level(Side::B, line), number);
        }
        for (number, line) in (NVIC_MAILBOX_M4..).zip(Line::ALL) {
            lines |= flag(self.between.level(side_between(core), line), number);
        }
        let local = self.locals.of(core);
        lines
            | local.cirq.lines()
            | flag(local.gpt.line(), NVIC_GPT)
            | flag(local.gpt.line3(), NVIC_GPT3)
            | flag(local.watchdog.line(), NVIC_WATCHDOG)
    }

    /// Tells the surroundings what has become of a change.
    fn settle(&mut self, host: &mut dyn Host) {
        let pulses = self.settle_pins(host);
        let wanted = self.wanted_a7();
        for number in numbers(wanted ^ self.a7_lines) {
            host.set_irq(Target::A7, number, wanted >> number & 1 != 0);
        }
        self.a7_lines = wanted;
        for core in Core::ALL {
            let wanted = self.wanted_m4(core);
            let lines = std::mem::replace(&mut self.locals.of_mut(core).lines, wanted);
            for number in numbers(wanted ^ lines) {
                host.set_irq(Target::M4(core), number, wanted >> number & 1 != 0);
            }
            for number in numbers(pulses.of(core) & !wanted) {
                host.set_irq(Target::M4(core), number, true);
                host.set_irq(Target::M4(core), number, false);
            }
        }
        let deadlines = Core::ALL.iter().flat_map(|core| {
            let local = self.locals.of(*core);
            [local.gpt.deadline(), local.watchdog.deadline()]
        });
        let timer = deadlines.chain([self.watchdog.deadline()]).flatten().min();
        if timer != self.timer {
            self.timer = timer;
            host.set_timer(timer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::elf::sample;
    use std::collections::BTreeMap;

    /// Surroundings that remember.
    #[derive(Default)]
    struct Fake {
        now: u64,
        timer: Option<u64>,
        a7: u128,
        m4: [u128; 2],
        rises: Vec<(Target, u32)>,
        ram: BTreeMap<u32, Vec<u8>>,
        core_memory: Vec<(Core, u32, Vec<u8>)>,
        started: Vec<(Core, u32)>,
        stopped: Vec<Core>,
        grants: BTreeMap<(u32, u32), (u32, u32)>,
        resets: usize,
        said: Vec<String>,
        complaints: Vec<String>,
    }

    impl Host for Fake {
        fn now(&self) -> u64 {
            self.now
        }
        fn set_timer(&mut self, at: Option<u64>) {
            self.timer = at;
        }
        fn set_irq(&mut self, target: Target, number: u32, level: bool) {
            let lines = match target {
                Target::A7 => &mut self.a7,
                Target::M4(core) => &mut self.m4[core.number() as usize],
            };
            assert_ne!(
                *lines >> number & 1 != 0,
                level,
                "a line is told only when it changes"
            );
            *lines ^= 1 << number;
            if level {
                self.rises.push((target, number));
            }
        }
        fn read_memory(&mut self, address: u32, into: &mut [u8]) -> bool {
            let Some(bytes) = self
                .ram
                .get(&address)
                .filter(|bytes| bytes.len() == into.len())
            else {
                return false;
            };
            into.copy_from_slice(bytes);
            true
        }
        fn write_core(&mut self, core: Core, address: u32, bytes: &[u8]) -> bool {
            self.core_memory.push((core, address, bytes.to_vec()));
            true
        }
        fn start_core(&mut self, core: Core, vectors: u32) {
            self.started.push((core, vectors));
        }
        fn stop_core(&mut self, core: Core) {
            self.stopped.push(core);
        }
        fn grant(&mut self, core: Core, slot: u32, range: Option<(u32, u32)>) {
            match range {
                Some(range) => self.grants.insert((core.number(), slot), range),
                None => self.grants.remove(&(core.number(), slot)),
            };
        }
        fn reset_machine(&mut self) {
            self.resets += 1;
        }
        fn tell_pins(&mut self, line: &str) {
            self.said.push(line.to_owned());
        }
        fn complain(&mut self, _: Complaint, text: &str) {
            self.complaints.push(text.to_owned());
        }
    }

    /// A chip and its surroundings.
    struct Bench {
        chip: Chip,
        host: Fake,
    }

    impl Bench {
        fn new(options: &Options) -> Self {
            let mut bench = Self {
                chip: Chip::new(options, 0x0400_0000),
                host: Fake::default(),
            };
            bench.chip.reset(&mut bench.host);
            bench
        }
        fn region(name: &str) -> usize {
            REGIONS
                .iter()
                .position(|region| region.name == name)
                .unwrap()
        }
        fn read(&mut self, name: &str, offset: u32) -> u32 {
            self.chip.read(&mut self.host, Self::region(name), offset)
        }
        fn write(&mut self, name: &str, offset: u32, value: u32) {
            self.chip
                .write(&mut self.host, Self::region(name), offset, value);
        }
        fn say(&mut self, line: &str) -> Vec<String> {
            self.host.said.clear();
            self.chip
                .pins_said(&mut self.host, format!("{line}\n").as_bytes());
            std::mem::take(&mut self.host.said)
        }
        fn a7(&self, number: u32) -> bool {
            self.host.a7 >> number & 1 != 0
        }
        fn m4(&self, core: usize, number: u32) -> bool {
            self.host.m4[core] >> number & 1 != 0
        }
        /// A command of core control, with its arguments, and its result.
        fn control(&mut self, core: u32, command: u32, arguments: [u32; 3]) -> u32 {
            let base = core * cores::STRIDE;
            for (offset, value) in (0x10..).step_by(4).zip(arguments) {
                self.write("core-control", base + offset, value);
            }
            self.write("core-control", base + 0x20, command);
            self.read("core-control", base + 0x08)
        }
        fn status(&mut self, core: u32) -> u32 {
            self.read("core-control", core * cores::STRIDE + 0x04)
        }
        /// Lets time pass until the timer, which is wound up once, runs out.
        fn wait(&mut self) {
            self.host.now = self.host.timer.take().unwrap();
            self.chip.tick(&mut self.host);
        }
        /// Puts a file into RAM and loads it.
        fn load(&mut self, core: u32, file: &[u8]) -> u32 {
            self.host.ram.insert(RAM, file.to_vec());
            self.control(core, 1, [RAM, u32::try_from(file.len()).unwrap(), 0])
        }
        /// What QEMU does when a core starts: a reset, which makes all its lines low.
        fn started(&mut self, core: Core) {
            self.host.m4[core.number() as usize] = 0;
            self.chip.core_started(&mut self.host, core);
        }
        fn running(&mut self, core: Core) {
            assert_eq!(self.load(core.number(), &sample::good()), 0);
            assert_eq!(self.control(core.number(), 2, [0; 3]), 0);
            self.started(core);
        }
    }

    #[test]
    fn a_message_passes_and_both_are_interrupted_in_every_layout() {
        for mailbox_layout in crate::options::MailboxLayout::ALL {
            let mut bench = Bench::new(&Options {
                mailbox_layout,
                ..Options::default()
            });
            bench.write("io0-mailbox-a7", 0x38, 0xF);
            bench.write("mailbox-io0", 0x44, 7);
            bench.write("mailbox-io0", 0x40, 9);
            assert!(bench.m4(0, 8) && bench.m4(0, 9) && bench.m4(0, 10) && !bench.m4(0, 6));
            assert!(!bench.m4(1, 8), "the other core hears nothing");
            assert_eq!(
                (
                    bench.read("io0-mailbox-a7", 0x54),
                    bench.read("io0-mailbox-a7", 0x50)
                ),
                (7, 9)
            );
            assert!(
                bench.a7(4) && !bench.a7(3) && !bench.m4(0, 9),
                "its entry has been read"
            );
            bench.write("mailbox-io0", 0x3C, 0xF);
            assert!(!bench.a7(4));
            bench.write("io0-mailbox-a7", 0x40, 1);
            assert!(bench.a7(3));
            bench.write("mailbox-io0", 0x18, 0xFF);
            bench.write("io0-mailbox-a7", 0x14, 2);
            assert!(bench.a7(5));
        }
    }

    #[test]
    fn mailboxes_join_the_cores_that_they_should() {
        let mut bench = Bench::new(&Options::default());
        bench.write("mailbox-hsp", 0x40, 1);
        bench.write("mailbox-io1", 0x40, 2);
        bench.write("io0-mailbox-m4", 0x40, 3);
        assert_eq!(bench.read("mailbox-hsp-end", 0x50), 1);
        assert_eq!(bench.read("io1-mailbox-a7", 0x50), 2);
        assert_eq!(bench.read("io1-mailbox-m4", 0x50), 3);
        assert_eq!(bench.read("io0-mailbox-a7", 0x58), 0);
        bench.write("io0-mailbox-m4", 0x18, 1);
        bench.write("io1-mailbox-m4", 0x14, 1);
        assert!(bench.m4(0, 17));
        assert_eq!(bench.read("io0-mailbox-a7", 0x50), 0);
        assert!(
            bench
                .host
                .complaints
                .iter()
                .any(|text| text.contains("io0-mailbox-a7: pop from an empty FIFO"))
        );
    }

    #[test]
    fn a_pin_is_seen_from_outside_and_from_inside() {
        let mut bench = Bench::new(&Options::default());
        assert_eq!(bench.say("watch 8"), ["ok"]);
        bench.write("gpio-group2", 0x14, 1);
        assert_eq!(bench.say("read 8"), ["8 0"], "not yet an output");
        bench.write("gpio-group2", 0x24, 1);
        assert_eq!(std::mem::take(&mut bench.host.said), ["8 1"]);
        assert_eq!(bench.read("gpio-group2", 0x04), 1);
        // Another mode takes the pad away from the GPIO block.
        bench.write("pinmux", 0x24, 0x1);
        assert_eq!(
            (bench.say("mode 8"), bench.say("read 8")),
            (vec!["8 1".to_owned()], vec!["8 0".to_owned()])
        );
        bench.write("pinmux", 0x24, 0x8);
        assert_eq!(bench.say("mode 8"), ["8 0"], "a mode has three bits");

        assert_eq!(bench.say("drive 12 1"), ["ok"]);
        assert_eq!(bench.read("gpio-group3", 0x04), 1);
        bench.write("gpio-group3", 0x68, 1);
        assert_eq!(bench.read("gpio-group3", 0x04), 0, "its input is off");
        assert_eq!(bench.say("release 12"), ["ok"]);
        bench.write("gpio-group3", 0x64, 1);
        assert_eq!(bench.read("gpio-group3", 0x04), 0);
        bench.write("gpio-group3", 0x34, 1);
        assert_eq!(bench.read("gpio-group3", 0x04), 1, "pulled up");
        assert!(bench.say("drive 94 1")[0].starts_with("error: no pin '94'"));
        bench.chip.pins_connected();
        bench.write("gpio-group2", 0x28, 1);
        assert!(bench.host.said.is_empty(), "nobody watches any more");
    }

    #[test]
    fn every_pin_reaches_its_register() {
        for gpio_layout_b in [
            crate::options::LayoutB::Mediatek,
            crate::options::LayoutB::Linux,
        ] {
            let mut bench = Bench::new(&Options {
                gpio_layout_b,
                ..Options::default()
            });
            for pin in 0..PINS {
                let (block, bit) = pads::place(pin).unwrap();
                let region = REGIONS
                    .iter()
                    .find(|region| region.block == Block::Gpio(block))
                    .unwrap()
                    .name;
                let input = match block {
                    0..=5 | 10 => 0x04,
                    BLOCK_B | 11 | 12 => 0x00,
                    _ => 0x0C,
                };
                bench.say(&format!("drive {pin} 1"));
                assert_eq!(bench.read(region, input), 1 << bit, "pin {pin}");
                bench.say(&format!("release {pin}"));
            }
        }
    }

    #[test]
    fn a_button_interrupts_the_a7_and_the_real_time_cores() {
        for eint_needs_mode in [false, true] {
            let mut bench = Bench::new(&Options {
                eint_needs_mode,
                ..Options::default()
            });
            if eint_needs_mode {
                bench.write("cirq", 4 * 12, 1 << 8);
                bench.say("drive 12 1");
                bench.say("drive 12 0");
                assert!(!bench.a7(69), "pin 12 is no external interrupt yet");
                bench.write("pinmux", 0x24, 5 << 16);
            }
            bench.write("cirq", 4 * 12, 1 << 8);
            bench.write("io1-cirq", 4 * 12, 1 << 7);
            bench.host.rises.clear();
            bench.say("drive 12 1");
            assert!(bench.a7(69));
            assert!(bench.host.rises.contains(&(Target::M4(Core::Io1), 32)));
            bench.write("cirq", 0x288, 1 << 5);
            assert!(!bench.a7(69));
        }
    }

    #[test]
    fn a_core_is_loaded_started_and_stopped() {
        let mut bench = Bench::new(&Options::default());
        assert_eq!(bench.control(0, 2, [0; 3]), 3, "nothing is loaded");
        assert_eq!(bench.load(0, &sample::good()), 0);
        assert_eq!(bench.status(0), 1);
        assert_eq!(
            bench.host.core_memory.len(),
            4,
            "three memories are wiped, one segment is copied"
        );
        bench.write("mailbox-io0", 0x40, 1);
        assert_eq!(bench.control(0, 2, [0; 3]), 0);
        assert_eq!(
            bench.read("mailbox-io0", 0x48),
            0,
            "starting drops what was posted"
        );
        assert_eq!(
            (bench.status(0), bench.chip.wants_start(Core::Io0)),
            (5, Some(0x0010_0000))
        );
        assert_eq!(bench.control(0, 3, [0; 3]), 2, "it is about to start");
        bench.started(Core::Io0);
        assert_eq!(
            (bench.status(0), bench.chip.wants_start(Core::Io0)),
            (3, None)
        );
        assert_eq!(bench.load(0, &sample::good()), 2, "not while it runs");
        assert_eq!(bench.control(0, 4, [0; 3]), 0);
        assert!(bench.chip.wants_stop(Core::Io0));
        bench.chip.core_stopped(&mut bench.host, Core::Io0);
        assert_eq!(bench.host.started.len(), 2, "a reset starts it again");
        bench.started(Core::Io0);
        assert_eq!(bench.control(0, 3, [0; 3]), 0);
        bench.chip.core_stopped(&mut bench.host, Core::Io0);
        assert_eq!((bench.status(0), bench.host.stopped.len()), (1, 2));
        assert_eq!(bench.control(0, 99, [0; 3]), 1);
        assert_eq!(bench.status(1), 0, "the other core has not moved");
    }

    #[test]
    fn bad_firmware_is_refused_and_nothing_is_written() {
        let mut bench = Bench::new(&Options::default());
        let table = sample::code(0x0013_0000, 0x0010_0000);
        let large = sample::file(0x0010_0000, &[(0x0010_0000, &table, 192 * 1024 + 1)]);
        let unaligned = sample::file(0x0010_0004, &[(0x0010_0004, &table, 12)]);
        for (file, result) in [(b"no firmware".as_slice(), 5), (&large, 6), (&unaligned, 7)] {
            assert_eq!(bench.load(1, file), result);
        }
        for (address, size) in [
            (RAM, 0),
            (RAM - 4, 8),
            (RAM + 0x03FF_FFFC, 8),
            (0x9100_0000, 4),
            (0xFFFF_FFFC, 8),
        ] {
            assert_eq!(bench.control(1, 1, [address, size, 0]), 4, "{address:#x}");
        }
        assert_eq!(bench.control(1, 1, [RAM, 0x0200_0000, 0]), 6);
        assert!(bench.host.core_memory.is_empty());
        assert_eq!(bench.status(1), 0);
        let complaint = "io1: no firmware: not an ELF file".to_owned();
        assert!(
            bench.host.complaints.contains(&complaint),
            "{:?}",
            bench.host.complaints
        );
    }

    #[test]
    fn a_core_reaches_only_what_it_was_granted() {
        let mut bench = Bench::new(&Options::default());
        assert_eq!(bench.control(0, 5, [RAM + 0x1000, 0x1000, 0]), 0);
        assert_eq!(bench.control(0, 5, [RAM + 0x2000, 0x1000, 1]), 0);
        assert_eq!(bench.host.grants.len(), 2);
        for (core, arguments, why) in [
            (0, [RAM + 0x3000, 0x1000, 2], "no such type"),
            (0, [RAM + 0x3004, 0x1000, 0], "not aligned"),
            (0, [RAM + 0x3000, 0x1004, 0], "not whole pages"),
            (0, [RAM + 0x3000, 0, 0], "empty"),
            (0, [RAM - 0x1000, 0x2000, 0], "not in RAM"),
            (0, [RAM + 0x03FF_F000, 0x2000, 0], "behind RAM"),
            (0, [0x9000_0000, 0x1000, 0], "flash"),
            (0, [RAM + 0x1000, 0x2000, 0], "overlaps its other buffer"),
            (
                1,
                [RAM + 0x2000, 0x1000, 0],
                "overlaps that of the other core",
            ),
        ] {
            assert_eq!(bench.control(core, 5, arguments), 8, "{why}");
        }
        assert_eq!(
            bench.control(0, 5, [RAM + 0x3000, 0x1000, 0]),
            0,
            "it may be moved"
        );
        assert_eq!(bench.control(1, 5, [RAM + 0x1000, 0x1000, 0]), 0);
        assert_eq!(bench.control(0, 6, [0, 0, 1]), 0);
        assert_eq!(bench.control(0, 6, [0, 0, 2]), 8);
        assert_eq!(
            bench.host.grants,
            BTreeMap::from([
                ((0, 0), (RAM + 0x3000, 0x1000)),
                ((1, 0), (RAM + 0x1000, 0x1000))
            ])
        );
        assert_eq!(
            bench.control(0, 3, [0; 3]),
            0,
            "to stop a stopped core takes its buffers back"
        );
        assert_eq!(bench.host.grants.len(), 1);
    }

    #[test]
    fn a_lock_up_or_a_watchdog_stops_one_core_and_tells_the_a7() {
        let mut bench = Bench::new(&Options::default());
        bench.running(Core::Io0);
        bench.running(Core::Io1);
        bench.write("core-control", 0x1C, 1);
        bench.write("core-control", 0x11C, 1);
        bench.chip.core_locked_up(&mut bench.host, Core::Io0);
        assert_eq!((bench.status(0), bench.status(1)), (0b1001, 0b11));
        assert!(bench.a7(11) && !bench.a7(12));
        bench.write("core-control", 0x0C, 1);
        assert!(!bench.a7(11));

        bench.write("io1-watchdog", 0x34, 32 << 5 | 8);
        bench.write("io1-watchdog", 0x30, 0x2201);
        bench.wait();
        assert_eq!(bench.host.stopped, [Core::Io1]);
        bench.chip.core_stopped(&mut bench.host, Core::Io1);
        assert_eq!(bench.status(1), 0b1_0001);
        assert!(bench.a7(12));
        assert_eq!(bench.control(1, 2, [0; 3]), 0);
        bench.started(Core::Io1);
        assert_eq!(bench.status(1), 0b11, "it may start again");
        assert_eq!(bench.host.timer, None);
    }

    #[test]
    fn a_core_that_resets_itself_starts_again_and_hears_what_is_pending() {
        let mut bench = Bench::new(&Options::default());
        bench.write("core-control", 0x1C, 1);
        bench.running(Core::Io0);
        assert_eq!(bench.control(0, 5, [RAM + 0x1000, 0x1000, 0]), 0);
        bench.write("mailbox-io0", 0x14, 1);
        bench.write("io0-mailbox-m4", 0x38, 0xF);
        assert!(bench.m4(0, 13), "there is room for the other core");
        bench.chip.core_wants_reset(&mut bench.host, Core::Io0);
        bench.chip.core_wants_reset(&mut bench.host, Core::Io0);
        assert_eq!(bench.host.stopped, [Core::Io0], "once is enough");
        bench.chip.core_stopped(&mut bench.host, Core::Io0);
        bench.write("mailbox-io0", 0x14, 1);
        bench.write("io0-mailbox-a7", 0x18, 1);
        bench.started(Core::Io0);
        assert!(bench.m4(0, 11), "the doorbell rings on");
        assert!(!bench.m4(0, 13));
        assert!(bench.a7(11) && !bench.a7(12), "the A7 hears of it");
        assert_eq!(bench.status(0), 0b10_0011);
        assert!(bench.host.grants.is_empty(), "its buffer is gone");
        bench.write("core-control", 0x0C, 1);
        assert!(!bench.a7(11), "once");

        // The twin: one that the A7 resets is no news, nor is one that it starts again.
        assert_eq!(bench.control(0, 4, [0; 3]), 0);
        bench.chip.core_stopped(&mut bench.host, Core::Io0);
        bench.started(Core::Io0);
        assert_eq!((bench.status(0), bench.a7(11)), (0b11, false));
    }

    #[test]
    fn timers_reach_their_own_core() {
        let mut bench = Bench::new(&Options::default());
        bench.write("io1-gpt", 0x04, 1);
        bench.write("io1-gpt", 0x14, 5);
        bench.write("io1-gpt", 0x10, 1);
        bench.wait();
        assert!(bench.m4(1, 1) && !bench.m4(0, 1));
        bench.write("io1-gpt", 0x00, 1);
        assert!(!bench.m4(1, 1));
        assert_eq!(bench.host.timer, None);
    }

    #[test]
    fn the_watchdog_of_the_a7_resets_the_machine() {
        let mut bench = Bench::new(&Options::default());
        bench.write("watchdog", 0x44, 0x1209);
        assert_eq!(bench.host.resets, 1);
    }

    #[test]
    fn firmware_from_power_on_starts_at_each_reset() {
        let mut bench = Bench::new(&Options::default());
        assert!(bench.chip.set_firmware(Core::Io1, b"MZ".to_vec()).is_err());
        bench.chip.set_firmware(Core::Io1, sample::good()).unwrap();
        bench.chip.reset(&mut bench.host);
        bench.chip.reset(&mut bench.host);
        assert_eq!(bench.host.started, [(Core::Io1, 0x0010_0000); 2]);
    }

    #[test]
    fn a_reset_forgets_everything_but_the_world_outside() {
        let mut bench = Bench::new(&Options::default());
        bench.running(Core::Io0);
        bench.control(0, 5, [RAM, 0x1000, 0]);
        bench.say("drive 8 1");
        bench.write("gpio-group2", 0x24, 0b10);
        bench.write("mailbox-io0", 0x40, 1);
        bench.write("pinmux", 0x20, 0x5);
        bench.write("io0-gpt", 0x10, 1);
        bench.chip.reset(&mut bench.host);
        assert!(bench.host.grants.is_empty());
        assert_eq!(
            (
                bench.status(0),
                bench.read("mailbox-io0", 0x48),
                bench.read("pinmux", 0x20)
            ),
            (0, 0, 0)
        );
        assert_eq!(
            (
                bench.read("gpio-group2", 0x20),
                bench.read("gpio-group2", 0x04)
            ),
            (0, 1)
        );
        assert_eq!((bench.host.timer, bench.host.a7), (None, 0));
    }

    #[test]
    fn what_is_not_there_is_reported_and_does_nothing() {
        let mut bench = Bench::new(&Options::default());
        for region in REGIONS {
            bench.host.complaints.clear();
            assert_eq!(bench.read(region.name, 0xF8), 0, "{}", region.name);
            bench.write(region.name, 0xF8, u32::MAX);
            assert_eq!(bench.host.complaints.len(), 2, "{}", region.name);
        }
        assert_eq!(bench.chip.read(&mut bench.host, REGIONS.len(), 0), 0);
    }
}
