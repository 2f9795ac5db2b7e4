// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 OR MIT

//! Pins and peripherals of the chip.

use policy::{Peripheral, PeripheralKind, Peripherals, PinSet};

#[test]
fn apps_can_use_68_pins() {
    let expected: Vec<u8> = (0..=23).chain(26..=48).chain(56..=75).chain([80]).collect();
    assert_eq!(expected.len(), 68);
    assert_eq!(PinSet::USABLE.iter().collect::<Vec<_>>(), expected);
    for pin in 0..=u8::MAX {
        assert_eq!(
            Peripheral::Gpio(pin).exists(),
            expected.contains(&pin),
            "{pin}"
        );
    }
}

#[test]
fn peripherals_occupy_the_pins_of_their_block() {
    for (peripheral, first, last) in [
        (Peripheral::Gpio(80), 80, 80),
        (Peripheral::ExternalInterrupt(23), 23, 23),
        (Peripheral::Pwm(0), 0, 3),
        (Peripheral::Pwm(1), 4, 7),
        (Peripheral::Pwm(2), 8, 11),
        (Peripheral::I2cMaster(0), 26, 30),
        (Peripheral::SpiMaster(1), 31, 35),
        (Peripheral::I2cMaster(2), 36, 40),
        (Peripheral::SpiMaster(3), 66, 70),
        (Peripheral::I2cMaster(4), 71, 75),
        (Peripheral::Uart(0), 26, 29),
        (Peripheral::Uart(4), 71, 74),
        (Peripheral::Adc(0), 41, 48),
        (Peripheral::I2sSubordinate(0), 56, 60),
        (Peripheral::I2sSubordinate(1), 61, 65),
    ] {
        assert_eq!(
            peripheral.pins(),
            PinSet::range(first, last),
            "{peripheral}"
        );
    }
}

#[test]
fn the_chip_has_no_more_than_its_peripherals() {
    for kind in PeripheralKind::ALL {
        let existing = (0..=u8::MAX).filter(|&number| kind.with_number(number).exists());
        let count = existing
            .inspect(|&number| assert!(number < kind.count()))
            .count();
        let expected = if kind == PeripheralKind::Gpio {
            68
        } else {
            kind.count().into()
        };
        assert_eq!(count, expected, "{kind:?}");
    }
}

#[test]
fn texts_of_the_manifest_name_peripherals() {
    use PeripheralKind as Kind;
    for (kind, text, expected) in [
        (Kind::Uart, "ISU0", Some(Peripheral::Uart(0))),
        (Kind::I2cMaster, "ISU4", Some(Peripheral::I2cMaster(4))),
        (Kind::SpiMaster, "ISU3", Some(Peripheral::SpiMaster(3))),
        (Kind::Adc, "ADC-CONTROLLER-0", Some(Peripheral::Adc(0))),
        (Kind::Pwm, "PWM-CONTROLLER-2", Some(Peripheral::Pwm(2))),
        (
            Kind::ExternalInterrupt,
            "EINT23",
            Some(Peripheral::ExternalInterrupt(23)),
        ),
        (
            Kind::I2sSubordinate,
            "I2S1",
            Some(Peripheral::I2sSubordinate(1)),
        ),
        (Kind::Uart, "ISU5", None),
        (Kind::Uart, "isu0", None),
        (Kind::Uart, "ISU", None),
        (Kind::Uart, "ISU00", None),
        (Kind::Uart, "ISU+0", None),
        (Kind::Uart, "ISU0 ", None),
        (Kind::Uart, "ISU256", None),
        (Kind::Uart, "ADC-CONTROLLER-0", None),
        (Kind::Adc, "ADC-CONTROLLER-1", None),
        (Kind::Pwm, "PWM-CONTROLLER-3", None),
        (Kind::ExternalInterrupt, "EINT24", None),
        (Kind::I2sSubordinate, "I2S2", None),
        (Kind::Gpio, "8", None),
    ] {
        assert_eq!(
            Peripheral::from_text(kind, text),
            expected,
            "{kind:?} {text}"
        );
    }
}

#[test]
fn a_set_has_what_was_put_in_and_nothing_else() {
    let every = PeripheralKind::ALL
        .into_iter()
        .flat_map(|kind| (0..=u8::MAX).map(move |number| kind.with_number(number)));
    for peripheral in every.clone() {
        let mut set = Peripherals::EMPTY;
        assert_eq!(set.insert(peripheral), peripheral.exists(), "{peripheral}");
        assert!(!set.insert(peripheral));
        assert_eq!(set.is_empty(), !peripheral.exists());
        assert_eq!(set.iter().count(), usize::from(peripheral.exists()));
        assert_eq!(set.pins(), peripheral.pins());
        assert_eq!(set.contains(peripheral), peripheral.exists());
    }
    let all = Peripherals::of(&every.collect::<Vec<_>>());
    assert_eq!(all.iter().count(), 68 + 24 + 1 + 5 + 2 + 3 + 5 + 5);
    assert_eq!(all.gpio(), PinSet::USABLE);
    let two = Peripherals::of(&[Peripheral::Uart(3), Peripheral::Gpio(8)]);
    assert_eq!(format!("{two:?}"), "{Gpio(8), Uart(3)}");
}

#[test]
fn blocks_are_the_groups_of_the_chip() {
    for (pin, first, last) in [
        (1, 0, 3),
        (11, 8, 11),
        (12, 12, 15),
        (19, 16, 19),
        (20, 20, 23),
        (30, 26, 30),
        (44, 41, 48),
        (56, 56, 60),
        (80, 80, 80),
    ] {
        assert_eq!(
            PinSet::one(pin).blocks(),
            PinSet::range(first, last),
            "{pin}"
        );
    }
    assert!(PinSet::one(24).blocks().is_empty());
    assert!(PinSet::range(9, 8).is_empty());
    assert_eq!(PinSet::range(8, 8), PinSet::one(8));
    assert_eq!(
        PinSet::range(94, u8::MAX).iter().collect::<Vec<_>>(),
        [94, 95]
    );
    assert!(PinSet::range(u8::MAX, u8::MAX).is_empty());
    assert!(PinSet::one(96).is_empty());
    assert_eq!(format!("{:?}", PinSet::range(31, 33)), "{31, 32, 33}");
}
