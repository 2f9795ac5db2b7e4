// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 OR MIT

//! Peripherals of the MT3620 that a manifest can ask for, the pins they occupy, and sets of them.

use core::fmt;

use crate::{Capability, PinSet};

/// A kind of peripheral; each is one capability.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PeripheralKind {
    /// `Adc`: one controller with eight channels.
    Adc,
    /// `ExternalInterrupt`: 24 lines, for real-time apps only.
    ExternalInterrupt,
    /// `Gpio`: single pins.
    Gpio,
    /// `I2cMaster`: a serial unit (ISU) as I2C controller.
    I2cMaster,
    /// `I2sSubordinate`: two controllers, for real-time apps only.
    I2sSubordinate,
    /// `Pwm`: three controllers with four channels each.
    Pwm,
    /// `SpiMaster`: a serial unit (ISU) as SPI controller.
    SpiMaster,
    /// `Uart`: a serial unit (ISU) as UART.
    Uart,
}

impl PeripheralKind {
    /// All kinds, in the order of their keys.
    pub const ALL: [Self; 8] = [
        Self::Adc,
        Self::ExternalInterrupt,
        Self::Gpio,
        Self::I2cMaster,
        Self::I2sSubordinate,
        Self::Pwm,
        Self::SpiMaster,
        Self::Uart,
    ];

    /// The capability that lists peripherals of this kind.
    #[must_use]
    pub const fn capability(self) -> Capability {
        match self {
            Self::Adc => Capability::Adc,
            Self::ExternalInterrupt => Capability::ExternalInterrupt,
            Self::Gpio => Capability::Gpio,
            Self::I2cMaster => Capability::I2cMaster,
            Self::I2sSubordinate => Capability::I2sSubordinate,
            Self::Pwm => Capability::Pwm,
            Self::SpiMaster => Capability::SpiMaster,
            Self::Uart => Capability::Uart,
        }
    }

    /// The kind that a capability lists; none for a capability without peripherals.
    #[must_use]
    pub fn of(capability: Capability) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.capability() == capability)
    }

    /// The peripheral of this kind with this number, whether the chip has it or not.
    #[must_use]
    pub const fn with_number(self, number: u8) -> Peripheral {
        match self {
            Self::Adc => Peripheral::Adc(number),
            Self::ExternalInterrupt => Peripheral::ExternalInterrupt(number),
            Self::Gpio => Peripheral::Gpio(number),
            Self::I2cMaster => Peripheral::I2cMaster(number),
            Self::I2sSubordinate => Peripheral::I2sSubordinate(number),
            Self::Pwm => Peripheral::Pwm(number),
            Self::SpiMaster => Peripheral::SpiMaster(number),
            Self::Uart => Peripheral::Uart(number),
        }
    }

    /// What stands before the number in the manifest; empty for pins, which are plain numbers.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Adc => "ADC-CONTROLLER-",
            Self::ExternalInterrupt => "EINT",
            Self::Gpio => "",
            Self::I2cMaster | Self::SpiMaster | Self::Uart => "ISU",
            Self::I2sSubordinate => "I2S",
            Self::Pwm => "PWM-CONTROLLER-",
        }
    }

    /// How many of them the chip has, numbered from 0; for pins one more than the highest number.
    #[must_use]
    pub const fn count(self) -> u8 {
        match self {
            Self::Adc => 1,
            Self::ExternalInterrupt => 24,
            Self::Gpio => 81,
            Self::I2cMaster | Self::SpiMaster | Self::Uart => 5,
            Self::I2sSubordinate => 2,
            Self::Pwm => 3,
        }
    }
}

/// One peripheral, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Peripheral {
    /// Analogue-to-digital controller.
    Adc(u8),
    /// External interrupt line, on the pin of the same number.
    ExternalInterrupt(u8),
    /// Pin.
    Gpio(u8),
    /// Serial unit as I2C controller.
    I2cMaster(u8),
    /// I2S controller.
    I2sSubordinate(u8),
    /// Pulse-width modulation controller.
    Pwm(u8),
    /// Serial unit as SPI controller.
    SpiMaster(u8),
    /// Serial unit as UART.
    Uart(u8),
}

impl Peripheral {
    /// The kind.
    #[must_use]
    pub const fn kind(self) -> PeripheralKind {
        match self {
            Self::Adc(_) => PeripheralKind::Adc,
            Self::ExternalInterrupt(_) => PeripheralKind::ExternalInterrupt,
            Self::Gpio(_) => PeripheralKind::Gpio,
            Self::I2cMaster(_) => PeripheralKind::I2cMaster,
            Self::I2sSubordinate(_) => PeripheralKind::I2sSubordinate,
            Self::Pwm(_) => PeripheralKind::Pwm,
            Self::SpiMaster(_) => PeripheralKind::SpiMaster,
            Self::Uart(_) => PeripheralKind::Uart,
        }
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Adc(number)
            | Self::ExternalInterrupt(number)
            | Self::Gpio(number)
            | Self::I2cMaster(number)
            | Self::I2sSubordinate(number)
            | Self::Pwm(number)
            | Self::SpiMaster(number)
            | Self::Uart(number) => number,
        }
    }

    /// The pins that the peripheral occupies; none when the chip has no such peripheral.
    ///
    /// A UART has no signal on the fifth pin of its serial unit, and published apps use that pin beside
    /// the UART. For the other roles of a serial unit all five pins are taken, used or not.
    #[must_use]
    pub const fn pins(self) -> PinSet {
        match self {
            Self::Gpio(pin) => PinSet::one(pin).intersection(PinSet::USABLE),
            Self::ExternalInterrupt(line @ 0..=23) => PinSet::one(line),
            Self::Adc(0) => PinSet::range(41, 48),
            Self::Pwm(controller @ 0..=2) => PinSet::range(controller * 4, controller * 4 + 3),
            Self::I2sSubordinate(0) => PinSet::range(56, 60),
            Self::I2sSubordinate(1) => PinSet::range(61, 65),
            Self::Uart(unit) => serial_unit_pins(unit, 4),
            Self::I2cMaster(unit) | Self::SpiMaster(unit) => serial_unit_pins(unit, 5),
            _ => PinSet::EMPTY,
        }
    }

    /// Whether the chip has it and apps can use it.
    #[must_use]
    pub const fn exists(self) -> bool {
        !self.pins().is_empty()
    }

    /// The peripheral of a kind that a text in the manifest names, such as `ISU0` for a UART. Pins are
    /// numbers in the manifest and have no text.
    #[must_use]
    pub fn from_text(kind: PeripheralKind, text: &str) -> Option<Self> {
        if kind == PeripheralKind::Gpio {
            return None;
        }
        let number = text.strip_prefix(kind.prefix())?;
        let plain = number.bytes().all(|character| character.is_ascii_digit())
            && (number == "0" || !number.starts_with('0'));
        let peripheral = kind.with_number(number.parse().ok().filter(|_| plain)?);
        Some(peripheral).filter(|peripheral| peripheral.exists())
    }
}

/// The first pins of a serial unit; none when the chip has no such unit.
const fn serial_unit_pins(unit: u8, count: u8) -> PinSet {
    let first = match unit {
        0..=2 => 26 + 5 * unit,
        3..=4 => 66 + 5 * (unit - 3),
        _ => return PinSet::EMPTY,
    };
    PinSet::range(first, first + count - 1)
}

impl fmt::Display for Peripheral {
    /// The key and the value in the manifest: `Uart ISU0`, `Gpio 8`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.kind();
        write!(
            formatter,
            "{} {}{}",
            kind.capability(),
            kind.prefix(),
            self.number()
        )
    }
}

/// A set of peripherals that the chip has.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Peripherals {
    gpio: PinSet,
    external_interrupt: u32,
    adc: u8,
    i2c_master: u8,
    i2s_subordinate: u8,
    pwm: u8,
    spi_master: u8,
    uart: u8,
}

impl Peripherals {
    /// The set without members.
    pub const EMPTY: Self = Self {
        gpio: PinSet::EMPTY,
        external_interrupt: 0,
        adc: 0,
        i2c_master: 0,
        i2s_subordinate: 0,
        pwm: 0,
        spi_master: 0,
        uart: 0,
    };

    /// The set of these peripherals; those that the chip does not have are left out.
    #[must_use]
    pub fn of(peripherals: &[Peripheral]) -> Self {
        let mut set = Self::EMPTY;
        for &peripheral in peripherals {
            set.insert(peripheral);
        }
        set
    }

    /// Adds a member; false when it already was one or the chip has no such peripheral.
    pub fn insert(&mut self, peripheral: Peripheral) -> bool {
        if !peripheral.exists() {
            return false;
        }
        let added = !self.contains(peripheral);
        let bit = 1 << peripheral.number().min(7);
        match peripheral {
            Peripheral::Gpio(pin) => self.gpio = self.gpio.union(PinSet::one(pin)),
            Peripheral::ExternalInterrupt(line) => self.external_interrupt |= 1 << line,
            Peripheral::Adc(_) => self.adc |= bit,
            Peripheral::I2cMaster(_) => self.i2c_master |= bit,
            Peripheral::I2sSubordinate(_) => self.i2s_subordinate |= bit,
            Peripheral::Pwm(_) => self.pwm |= bit,
            Peripheral::SpiMaster(_) => self.spi_master |= bit,
            Peripheral::Uart(_) => self.uart |= bit,
        }
        added
    }

    /// Whether the peripheral is a member.
    #[must_use]
    pub fn contains(&self, peripheral: Peripheral) -> bool {
        if !peripheral.exists() {
            return false;
        }
        let units = match peripheral {
            Peripheral::Gpio(pin) => return self.gpio.contains(pin),
            Peripheral::ExternalInterrupt(_) => self.external_interrupt,
            Peripheral::Adc(_) => self.adc.into(),
            Peripheral::I2cMaster(_) => self.i2c_master.into(),
            Peripheral::I2sSubordinate(_) => self.i2s_subordinate.into(),
            Peripheral::Pwm(_) => self.pwm.into(),
            Peripheral::SpiMaster(_) => self.spi_master.into(),
            Peripheral::Uart(_) => self.uart.into(),
        };
        units >> peripheral.number() & 1 != 0
    }

    /// Whether there is no member.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::EMPTY
    }

    /// The members of one kind, by number.
    pub fn of_kind(self, kind: PeripheralKind) -> impl Iterator<Item = Peripheral> {
        (0..kind.count())
            .map(move |number| kind.with_number(number))
            .filter(move |&peripheral| self.contains(peripheral))
    }

    /// The members, by kind and number.
    pub fn iter(self) -> impl Iterator<Item = Peripheral> {
        PeripheralKind::ALL
            .into_iter()
            .flat_map(move |kind| self.of_kind(kind))
    }

    /// The numbers of the general-purpose pins.
    #[must_use]
    pub const fn gpio(&self) -> PinSet {
        self.gpio
    }

    /// The pins that the members occupy.
    #[must_use]
    pub fn pins(self) -> PinSet {
        self.iter().fold(PinSet::EMPTY, |pins, peripheral| {
            pins.union(peripheral.pins())
        })
    }
}

impl fmt::Debug for Peripherals {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.iter()).finish()
    }
}
