// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 OR MIT

//! Each exclusive resource refused to the second app, with code and owner, and its harmless twin.

use policy::conflict::shared_pin;
use policy::{
    AppKind, ComponentId, Conflict, DeviceError, Grant, Peripheral, Peripherals, Resource,
    check_install,
};

const OWNER: ComponentId = ComponentId::from_bytes([1; 16]);
const OTHER: ComponentId = ComponentId::from_bytes([2; 16]);
const NEW: ComponentId = ComponentId::from_bytes([3; 16]);

use AppKind::{Debugger, HighLevel, RealTime};
use Peripheral::{Adc, ExternalInterrupt, Gpio, I2cMaster, I2sSubordinate, Pwm, SpiMaster, Uart};

fn app(component: ComponentId, kind: AppKind, peripheral: Peripheral) -> Grant<'static> {
    let peripherals = Peripherals::of(&[peripheral]);
    Grant {
        peripherals,
        ..Grant::none(component, kind)
    }
}

#[test]
fn a_peripheral_has_one_app() {
    let in_use = Some(DeviceError::PERIPHERAL_REQUESTED_PERIPHERAL_ALREADY_IN_USE);
    let pin_in_use = Some(DeviceError::PERIPHERAL_REQUESTED_GPIO_ALREADY_IN_USE);
    let pins_used = Some(DeviceError::APP_MANAGER_REQUESTED_PINS_ALREADY_USED);
    let pwm = Some(DeviceError::PERIPHERAL_PWM_OPEN_FAILED);
    let block = Some(DeviceError::PERIPHERAL_GPIO_BLOCK_CONFLICT);
    for (installed, installed_kind, new, new_kind, expected) in [
        // One pin; another pin of the block, on the same core and on another; a pin of another block.
        (Gpio(8), HighLevel, Gpio(8), HighLevel, pin_in_use),
        (Gpio(8), HighLevel, Gpio(8), RealTime, pin_in_use),
        (Gpio(8), HighLevel, Gpio(9), HighLevel, None),
        (Gpio(8), HighLevel, Gpio(9), Debugger, None),
        (Gpio(8), HighLevel, Gpio(9), RealTime, block),
        (Gpio(8), RealTime, Gpio(9), HighLevel, block),
        (Gpio(8), RealTime, Gpio(9), RealTime, block),
        (Gpio(17), RealTime, Gpio(23), RealTime, None),
        (Gpio(8), HighLevel, Gpio(12), RealTime, None),
        // One serial unit, in one role and in two; another unit.
        (Uart(0), HighLevel, Uart(0), HighLevel, in_use),
        (Uart(0), HighLevel, I2cMaster(0), RealTime, in_use),
        (SpiMaster(1), RealTime, I2cMaster(1), RealTime, in_use),
        (Uart(0), HighLevel, Uart(1), RealTime, None),
        (I2cMaster(2), HighLevel, SpiMaster(3), HighLevel, None),
        // A pin of a serial unit; the pin that a UART leaves free; a pin of another unit.
        (Uart(0), HighLevel, Gpio(27), HighLevel, pins_used),
        (Gpio(30), HighLevel, SpiMaster(0), HighLevel, pins_used),
        (Uart(0), HighLevel, Gpio(30), HighLevel, None),
        (Uart(0), HighLevel, Gpio(30), RealTime, block),
        (Uart(0), HighLevel, Gpio(31), RealTime, None),
        // The converter and its pins.
        (Adc(0), HighLevel, Adc(0), RealTime, in_use),
        (Adc(0), HighLevel, Gpio(48), HighLevel, pins_used),
        (Adc(0), HighLevel, Gpio(40), HighLevel, None),
        // A PWM controller and its block.
        (Pwm(2), HighLevel, Pwm(2), HighLevel, in_use),
        (Pwm(2), HighLevel, Gpio(9), HighLevel, pwm),
        (Gpio(9), RealTime, Pwm(2), HighLevel, pwm),
        (Pwm(2), HighLevel, Gpio(12), HighLevel, None),
        (Pwm(2), HighLevel, Pwm(1), RealTime, None),
        // Lines and I2S of real-time apps.
        (
            ExternalInterrupt(12),
            RealTime,
            ExternalInterrupt(12),
            RealTime,
            in_use,
        ),
        (
            ExternalInterrupt(12),
            RealTime,
            Gpio(12),
            HighLevel,
            pins_used,
        ),
        (ExternalInterrupt(12), RealTime, Gpio(13), HighLevel, block),
        (ExternalInterrupt(12), RealTime, Gpio(16), HighLevel, None),
        (ExternalInterrupt(1), RealTime, Pwm(0), HighLevel, pins_used),
        (
            I2sSubordinate(0),
            RealTime,
            I2sSubordinate(0),
            RealTime,
            in_use,
        ),
        (I2sSubordinate(0), RealTime, Gpio(56), HighLevel, pins_used),
        (
            I2sSubordinate(0),
            RealTime,
            I2sSubordinate(1),
            RealTime,
            None,
        ),
    ] {
        let owner = app(OWNER, installed_kind, installed);
        let result = check_install(&app(NEW, new_kind, new), &[owner]);
        let expected = expected.map(|code| Conflict {
            code,
            resource: Resource::Peripheral(new),
            owner: OWNER,
        });
        assert_eq!(
            result.err(),
            expected,
            "{installed} {installed_kind:?}, {new} {new_kind:?}"
        );
    }
}

#[test]
fn a_port_has_one_app() {
    let code = DeviceError::LIFETIME_DUPLICATE_TCP_UDP_PORT_DETECTED;
    let none = |component| Grant::none(component, HighLevel);
    let owner = Grant {
        tcp_ports: &[8080],
        udp_ports: &[5353],
        ..none(OWNER)
    };
    let conflict = |resource| {
        Some(Conflict {
            code,
            resource,
            owner: OWNER,
        })
    };
    for (new, expected) in [
        (
            Grant {
                tcp_ports: &[8080],
                ..none(NEW)
            },
            conflict(Resource::TcpPort(8080)),
        ),
        (
            Grant {
                udp_ports: &[1024, 5353],
                ..none(NEW)
            },
            conflict(Resource::UdpPort(5353)),
        ),
        (
            Grant {
                udp_ports: &[8080],
                tcp_ports: &[5353],
                ..none(NEW)
            },
            None,
        ),
    ] {
        assert_eq!(check_install(&new, &[none(OTHER), owner]).err(), expected);
    }
}

#[test]
fn an_app_replaces_itself() {
    let old = Grant {
        tcp_ports: &[8080],
        ..app(NEW, RealTime, Gpio(8))
    };
    assert_eq!(check_install(&old, &[old]), Ok(()));
    assert!(
        check_install(
            &Grant {
                component: OTHER,
                ..old
            },
            &[old]
        )
        .is_err()
    );
}

#[test]
fn two_real_time_apps_fill_the_cores() {
    let none = |component| Grant::none(component, RealTime);
    let installed = [
        none(OWNER),
        Grant::none(ComponentId::NIL, HighLevel),
        none(OTHER),
    ];
    assert_eq!(check_install(&none(NEW), &installed[..2]), Ok(()));
    assert_eq!(
        check_install(&Grant::none(NEW, HighLevel), &installed),
        Ok(())
    );
    assert_eq!(check_install(&none(OTHER), &installed), Ok(()));
    let conflict = check_install(&none(NEW), &installed).unwrap_err();
    assert_eq!(conflict.code, DeviceError::APP_MANAGER_NO_CORE_AVAILABLE);
    assert_eq!(
        (conflict.resource, conflict.owner),
        (Resource::RealTimeCore, OTHER)
    );
}

#[test]
fn there_is_one_debugger() {
    let none = |component| Grant::none(component, Debugger);
    let conflict = check_install(&none(NEW), &[none(OWNER)]).unwrap_err();
    assert_eq!(
        conflict.code,
        DeviceError::IMAGE_UPDATE_IMAGE_INSTALL_FAILED
    );
    assert_eq!(conflict.resource, Resource::Debugger);
    assert_eq!(
        check_install(&none(NEW), &[Grant::none(OWNER, HighLevel)]),
        Ok(())
    );
}

#[test]
fn a_user_id_has_one_app() {
    let [one, two] = [
        "00000000-0000-4000-8000-0000000fd2bc",
        "00000000-0000-4000-8000-00000011800f",
    ]
    .map(|text| Grant::none(text.parse().unwrap(), HighLevel));
    assert_eq!(one.component.uid(), two.component.uid());
    let conflict = check_install(&two, &[one]).unwrap_err();
    assert_eq!(conflict.code, DeviceError::APP_MANAGER_BAD_USER_ID);
    assert_eq!(conflict.resource, Resource::UserId(one.component.uid()));
    assert_eq!(
        check_install(&two, &[Grant::none(OWNER, HighLevel)]),
        Ok(())
    );
}

#[test]
fn one_app_cannot_use_a_pin_twice() {
    for (first, second, expected) in [
        (Uart(0), I2cMaster(0), Some(26)),
        (SpiMaster(3), Uart(3), Some(66)),
        (Gpio(44), Adc(0), Some(44)),
        (Adc(0), Gpio(41), Some(41)),
        (Pwm(0), Gpio(3), Some(3)),
        (Gpio(28), Uart(0), Some(28)),
        (Gpio(30), SpiMaster(0), Some(30)),
        (Gpio(30), I2cMaster(0), Some(30)),
        (Gpio(12), ExternalInterrupt(12), Some(12)),
        (Gpio(56), I2sSubordinate(0), Some(56)),
        (Gpio(30), Uart(0), None),
        (Gpio(12), ExternalInterrupt(13), None),
        (Gpio(4), Pwm(0), None),
        (Gpio(8), Gpio(9), None),
        (Uart(0), I2cMaster(1), None),
    ] {
        let found = shared_pin(&Peripherals::of(&[first]), second);
        assert_eq!(found, expected.map(|pin| (first, pin)), "{first}, {second}");
    }
}

#[test]
fn a_conflict_names_the_owner() {
    let conflict = check_install(
        &app(NEW, HighLevel, Gpio(8)),
        &[app(OWNER, HighLevel, Gpio(8))],
    );
    assert_eq!(
        conflict.unwrap_err().to_string(),
        "Gpio 8 is in use by app 01010101-0101-0101-0101-010101010101; device error 5.4 (5242884)"
    );
    for (resource, text) in [
        (Resource::TcpPort(1), "TCP port 1"),
        (Resource::UdpPort(2), "UDP port 2"),
        (Resource::UserId(3), "user id 3"),
        (Resource::RealTimeCore, "a real-time core"),
        (Resource::Debugger, "the place of the debugger"),
        (Resource::Peripheral(Uart(0)), "Uart ISU0"),
    ] {
        assert_eq!(resource.to_string(), text);
    }
}
