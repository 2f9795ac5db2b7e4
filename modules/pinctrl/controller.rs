// SPDX-License-Identifier: GPL-2.0

//! What is done with the registers: multiplexing, settings, GPIO lines and their interrupts.

use kernel::{
    c_str,
    device::{
        Bound,
        Device, //
    },
    gpio::{
        self,
        Direction,
        Level,
        Name,
        PinRange,
        Trigger, //
    },
    pinconf::{
        Config,
        Param, //
    },
    pinctrl::{
        self,
        Function,
        Group,
        PinDesc, //
    },
    prelude::*,
    sync::{
        new_raw_spinlock,
        RawSpinLock, //
    },
};

use crate::{
    pins::{
        self,
        Pad, //
    },
    registers::{
        Alias,
        Bits,
        Block,
        Bus,
        Eint,
        Field,
        Mode,
        Register,
        Spacing, //
    },
};

/// What is not known about the chip, or not the same on every board; the device tree says it.
#[derive(Clone, Copy)]
pub(crate) struct Choices {
    /// How far apart the registers of the unmapped block lie.
    pub(crate) spacing: Spacing,

    /// Whether a set polarity bit stands for a low level and a falling edge.
    pub(crate) polarity_low: bool,

    /// Whether a pin interrupts only in the mode for that.
    pub(crate) eint_needs_mode: bool,

    /// The currents, in mA, that the settings of the drive strength stand for.
    pub(crate) drive_strengths: Option<[u32; 4]>,
}

/// The pin controller, with its registers behind a [`Bus`].
#[pin_data]
pub(crate) struct Controller<B: Bus> {
    bus: B,
    choices: Choices,

    /// Held while a register without aliases is read and written.
    #[pin]
    lock: RawSpinLock<()>,
}

impl<B: Bus> Controller<B> {
    /// Makes a controller; the chip is not touched.
    pub(crate) fn new(bus: B, choices: Choices) -> impl PinInit<Self> {
        pin_init!(Self {
            bus,
            choices,
            lock <- new_raw_spinlock!((), "mt3620::Controller::lock"),
        })
    }

    /// Stops all interrupts, forgets what was pending, and gives the pulls to software.
    pub(crate) fn reset(&self, dev: &Device<Bound>) -> Result {
        for eint in Eint::all() {
            self.modify(dev, Register::Disable(eint), eint.bit(), eint.bit())?;
            self.write(dev, Register::Pending(eint), eint.bit())?;
        }
        for block in Block::GROUPS {
            for bits in [Bits::PullUp, Bits::PullDown] {
                self.write(
                    dev,
                    Register::Bits(block, bits, Alias::Set),
                    Bits::SOFTWARE_PULL,
                )?;
            }
        }
        Ok(())
    }

    fn read(&self, dev: &Device<Bound>, register: Register) -> Result<u32> {
        self.bus.read(dev, register.address(self.choices.spacing))
    }

    fn write(&self, dev: &Device<Bound>, register: Register, value: u32) -> Result {
        self.bus
            .write(dev, register.address(self.choices.spacing), value)
    }

    /// Changes the bits of `mask` in a register that has no aliases, and returns what it holds then.
    fn modify(&self, dev: &Device<Bound>, register: Register, mask: u32, bits: u32) -> Result<u32> {
        let address = register.address(self.choices.spacing);
        self.lock
            .with_irqsave(|()| self.bus.modify(dev, address, mask, bits))
    }

    /// Sets or clears the bit of a pin.
    fn put(&self, dev: &Device<Bound>, pad: Pad, bits: Bits, value: bool) -> Result {
        let alias = match value {
            true => Alias::Set,
            false => Alias::Clear,
        };
        self.write(dev, Register::Bits(pad.block, bits, alias), pad.mask())
    }

    /// The bit of a pin.
    fn bit(&self, dev: &Device<Bound>, pad: Pad, bits: Bits) -> Result<bool> {
        let value = self.read(dev, Register::Bits(pad.block, bits, Alias::Value))?;
        Ok(value & pad.mask() != 0)
    }

    /// Gives a pin a mode, or fails with `EACCES` if the multiplexer does not take it: on the chip
    /// it may belong to the firmware.
    fn set_mode(&self, dev: &Device<Bound>, pin: u32, mode: Mode) -> Result {
        self.set_mode_inline(dev, pin, mode)
    }

    /// Does the same for whoever does little else.
    #[inline(always)]
    fn set_mode_inline(&self, dev: &Device<Bound>, pin: u32, mode: Mode) -> Result {
        let field = Field::mode(pin);
        let (mask, bits) = (field.mask(), field.put(mode.0));
        let value = self
            .lock
            .with_irqsave(|()| self.bus.modify_mode(dev, pin, mask, bits))?;
        match Mode(field.get(value)) {
            found if found == mode => Ok(()),
            found => Err(Self::not_multiplexed(dev, pin, found, mode)),
        }
    }

    #[cold]
    fn not_multiplexed(dev: &Device<Bound>, pin: u32, found: Mode, wanted: Mode) -> Error {
        dev_err!(
            dev,
            "GPIO{pin} stays in mode {} instead of {}: the multiplexer cannot be written\n",
            found.0,
            wanted.0
        );
        EACCES
    }

    /// Makes a pin an input.
    fn input(&self, dev: &Device<Bound>, pad: Pad) -> Result {
        self.put(dev, pad, Bits::Direction, false)?;
        self.put(dev, pad, Bits::InputEnable, true)
    }

    /// Makes a pin an output, which has its level from the start.
    fn output(&self, dev: &Device<Bound>, pad: Pad, high: bool) -> Result {
        self.put(dev, pad, Bits::Output, high)?;
        self.put(dev, pad, Bits::InputEnable, false)?;
        self.put(dev, pad, Bits::Direction, true)
    }

    /// Sets the pulls of a pin. Never are both on, not even in between.
    fn pull(&self, dev: &Device<Bound>, pad: Pad, direction: Option<Bits>) -> Result {
        self.put(dev, pad, Bits::PullUp, false)?;
        self.put(dev, pad, Bits::PullDown, false)?;
        match direction {
            Some(bits) => self.put(dev, pad, bits, true),
            None => Ok(()),
        }
    }

    /// Stops the interrupts of a line, or allows them.
    fn disable(&self, dev: &Device<Bound>, line: u32, disabled: bool) -> Result {
        let eint = Eint::of(line).ok_or(ENXIO)?;
        let bits = if disabled { eint.bit() } else { 0 };
        self.modify(dev, Register::Disable(eint), eint.bit(), bits)?;
        Ok(())
    }

    /// Forgets the edge of a line.
    fn acknowledge(&self, dev: &Device<Bound>, line: u32) -> Result {
        let eint = Eint::of(line).ok_or(ENXIO)?;
        self.write(dev, Register::Pending(eint), eint.bit())
    }

    /// Says that the interrupt of a line was not changed: nobody takes that as an error.
    fn log(dev: &Device<Bound>, line: u32, result: Result) {
        if let Err(error) = result {
            dev_err!(
                dev,
                "the interrupt of GPIO{line} was not changed: {error:?}\n"
            );
        }
    }
}

#[vtable]
impl<B: Bus> pinctrl::Operations for Controller<B> {
    const NAME: &'static CStr = c_str!("mt3620-pinctrl");
    const PINS: &'static [PinDesc] = pins::PINS;
    const GROUPS: &'static [Group] = pins::GROUPS;
    type Function = Mode;
    const FUNCTIONS: &'static [Function<Mode>] = pins::FUNCTIONS;

    fn set_mux(&self, dev: &Device<Bound>, function: &Function<Mode>, group: &Group) -> Result {
        let [pin] = group.pins() else {
            return Err(EINVAL);
        };
        self.set_mode_inline(dev, *pin, *function.data())
    }

    fn gpio_request_enable(&self, dev: &Device<Bound>, pin: u32) -> Result {
        self.set_mode(dev, pin, Mode::GPIO)
    }

    fn config_get(&self, dev: &Device<Bound>, pin: u32, param: Param) -> Result<u32> {
        let pad = Pad::of(pin)?;
        let up = || self.bit(dev, pad, Bits::PullUp);
        let down = || self.bit(dev, pad, Bits::PullDown);
        let only = |is: bool| if is { Ok(1) } else { Err(EINVAL) };
        match param {
            Param::BIAS_DISABLE => only(!up()? && !down()?),
            Param::BIAS_PULL_UP => only(up()?),
            Param::BIAS_PULL_DOWN => only(down()?),
            Param::SLEW_RATE => Ok(self.bit(dev, pad, Bits::SlewRate)?.into()),
            Param::INPUT_ENABLE => only(self.bit(dev, pad, Bits::InputEnable)?),
            Param::LEVEL => Ok(match gpio::Operations::get(self, dev, pin)? {
                Level::High => 1,
                Level::Low => 0,
            }),
            Param::DRIVE_STRENGTH => {
                let strengths = self.choices.drive_strengths.ok_or(ENOTSUPP)?;
                let value = self.read(dev, Register::DriveStrength(pad.block))?;
                let setting = Field::drive_strength(pad.bit).get(value);
                strengths.get(setting as usize).copied().ok_or(EINVAL)
            }
            _ => Err(ENOTSUPP),
        }
    }

    fn config_set(&self, dev: &Device<Bound>, pin: u32, config: Config) -> Result {
        let pad = Pad::of(pin)?;
        let argument = config.argument();
        match config.param() {
            Param::BIAS_DISABLE => self.pull(dev, pad, None),
            Param::BIAS_PULL_UP if argument != 0 => self.pull(dev, pad, Some(Bits::PullUp)),
            Param::BIAS_PULL_DOWN if argument != 0 => self.pull(dev, pad, Some(Bits::PullDown)),
            Param::SLEW_RATE if argument <= 1 => self.put(dev, pad, Bits::SlewRate, argument == 1),
            Param::INPUT_ENABLE => self.put(dev, pad, Bits::InputEnable, argument != 0),
            Param::LEVEL => self.output(dev, pad, argument != 0),
            Param::DRIVE_STRENGTH => {
                let strengths = self.choices.drive_strengths.ok_or(ENOTSUPP)?;
                let setting = strengths
                    .iter()
                    .zip(0..)
                    .find(|(known, _)| **known == argument);
                let Some((_, setting)) = setting else {
                    dev_err!(
                        dev,
                        "GPIO{pin} cannot drive {argument} mA, but one of {strengths:?}\n"
                    );
                    return Err(EINVAL);
                };
                let field = Field::drive_strength(pad.bit);
                let register = Register::DriveStrength(pad.block);
                self.modify(dev, register, field.mask(), field.put(setting))?;
                Ok(())
            }
            Param::BIAS_PULL_UP | Param::BIAS_PULL_DOWN | Param::SLEW_RATE => Err(EINVAL),
            _ => Err(ENOTSUPP),
        }
    }
}

#[vtable]
impl<B: Bus> gpio::Operations for Controller<B> {
    const LABEL: &'static CStr = c_str!("mt3620");
    const LINES: u16 = pins::COUNT;
    const NAMES: &'static [Name] = pins::NAMES;
    const PIN_RANGES: &'static [PinRange] = &[PinRange {
        line: 0,
        pin: 0,
        count: pins::COUNT as u32,
    }];

    fn get_direction(&self, dev: &Device<Bound>, line: u32) -> Result<Direction> {
        Ok(match self.bit(dev, Pad::of(line)?, Bits::Direction)? {
            true => Direction::Output,
            false => Direction::Input,
        })
    }

    fn direction_input(&self, dev: &Device<Bound>, line: u32) -> Result {
        self.input(dev, Pad::of(line)?)
    }

    fn direction_output(&self, dev: &Device<Bound>, line: u32, level: Level) -> Result {
        self.output(dev, Pad::of(line)?, level == Level::High)?;
        // A pin that has interrupted is in the mode for that, in which it drives nothing.
        if self.choices.eint_needs_mode {
            self.set_mode(dev, line, Mode::GPIO)?;
        }
        Ok(())
    }

    fn get(&self, dev: &Device<Bound>, line: u32) -> Result<Level> {
        let pad = Pad::of(line)?;
        // The input of an output is off.
        Ok(Level::from(match self.bit(dev, pad, Bits::Direction)? {
            true => self.bit(dev, pad, Bits::Output)?,
            false => self.read(dev, Register::Input(pad.block))? & pad.mask() != 0,
        }))
    }

    fn set(&self, dev: &Device<Bound>, line: u32, level: Level) -> Result {
        self.put(dev, Pad::of(line)?, Bits::Output, level == Level::High)
    }
}

impl<B: Bus> gpio::Interrupts for Controller<B> {
    fn can_interrupt(line: u32) -> bool {
        Eint::of(line).is_some()
    }

    fn irq_mask(&self, dev: &Device<Bound>, line: u32) {
        Self::log(dev, line, self.disable(dev, line, true));
    }

    fn irq_unmask(&self, dev: &Device<Bound>, line: u32) {
        Self::log(dev, line, self.disable(dev, line, false));
    }

    fn irq_ack(&self, dev: &Device<Bound>, line: u32) {
        Self::log(dev, line, self.acknowledge(dev, line));
    }

    fn irq_set_type(&self, dev: &Device<Bound>, line: u32, trigger: Trigger) -> Result {
        let eint = Eint::of(line).ok_or(ENXIO)?;
        if self.choices.eint_needs_mode {
            self.set_mode(dev, line, Mode::EINT)?;
        }
        let bit = |set: bool| if set { eint.bit() } else { 0 };
        let edge = trigger.is_edge();
        self.modify(
            dev,
            Register::Eint(eint),
            Eint::SENSITIVITY,
            Eint::sensitive_to(trigger, self.choices.polarity_low),
        )?;
        self.modify(dev, Register::Sense(eint), eint.bit(), bit(!edge))?;
        self.modify(dev, Register::EdgeToLevel(eint), eint.bit(), bit(edge))?;
        // What was pending came from another trigger.
        self.acknowledge(dev, line)
    }
}
