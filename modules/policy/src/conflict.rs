// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 OR MIT

//! What only one app can have: conflicts within a manifest and between the apps of a device.

use core::fmt;

use crate::{
    AppKind, ComponentId, DeviceError, Grant, Peripheral, PeripheralKind, Peripherals, PinSet,
};

/// How many real-time cores the MT3620 has.
pub const REAL_TIME_CORES: usize = 2;

/// Something that only one app, or one entry of a manifest, can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Resource {
    /// A pin, a controller or a line.
    Peripheral(Peripheral),
    /// A TCP port.
    TcpPort(u16),
    /// A UDP port.
    UdpPort(u16),
    /// The user id derived from the component id.
    UserId(u32),
    /// A real-time core.
    RealTimeCore,
    /// The place of the debugger.
    Debugger,
}

impl fmt::Display for Resource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Peripheral(peripheral) => peripheral.fmt(formatter),
            Self::TcpPort(port) => write!(formatter, "TCP port {port}"),
            Self::UdpPort(port) => write!(formatter, "UDP port {port}"),
            Self::UserId(uid) => write!(formatter, "user id {uid}"),
            Self::RealTimeCore => formatter.write_str("a real-time core"),
            Self::Debugger => formatter.write_str("the place of the debugger"),
        }
    }
}

/// Why an app cannot be installed beside another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// What the device answers.
    pub code: DeviceError,
    /// What the new app asks for.
    pub resource: Resource,
    /// The installed app that has it.
    pub owner: ComponentId,
}

impl fmt::Display for Conflict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} is in use by app {}; device error {}",
            self.resource, self.owner, self.code
        )
    }
}

impl core::error::Error for Conflict {}

/// Whether an app can be installed beside those that are there. An installed app with the component id
/// of the new one is the one that it replaces, and stands in nobody's way.
///
/// # Errors
///
/// The first conflict, in the order of the installed apps.
pub fn check_install(new: &Grant<'_>, installed: &[Grant<'_>]) -> Result<(), Conflict> {
    let others = || {
        installed
            .iter()
            .filter(|other| other.component != new.component)
    };
    for owner in others() {
        if let Some((code, resource)) = conflict_between(new, owner) {
            return Err(Conflict {
                code,
                resource,
                owner: owner.component,
            });
        }
    }
    let mut real_time = others().filter(|other| other.kind == AppKind::RealTime);
    match real_time.nth(REAL_TIME_CORES - 1) {
        Some(last) if new.kind == AppKind::RealTime => Err(Conflict {
            code: DeviceError::APP_MANAGER_NO_CORE_AVAILABLE,
            resource: Resource::RealTimeCore,
            owner: last.component,
        }),
        _ => Ok(()),
    }
}

/// The first thing that two apps cannot both have, with the code of the device.
fn conflict_between(new: &Grant<'_>, owner: &Grant<'_>) -> Option<(DeviceError, Resource)> {
    if new.component.uid() == owner.component.uid() {
        let resource = Resource::UserId(new.component.uid());
        return Some((DeviceError::APP_MANAGER_BAD_USER_ID, resource));
    }
    if new.kind == AppKind::Debugger && owner.kind == AppKind::Debugger {
        return Some((
            DeviceError::IMAGE_UPDATE_IMAGE_INSTALL_FAILED,
            Resource::Debugger,
        ));
    }
    if let Some(&port) = new
        .tcp_ports
        .iter()
        .find(|port| owner.tcp_ports.contains(port))
    {
        return Some((
            DeviceError::LIFETIME_DUPLICATE_TCP_UDP_PORT_DETECTED,
            Resource::TcpPort(port),
        ));
    }
    if let Some(&port) = new
        .udp_ports
        .iter()
        .find(|port| owner.udp_ports.contains(port))
    {
        return Some((
            DeviceError::LIFETIME_DUPLICATE_TCP_UDP_PORT_DETECTED,
            Resource::UdpPort(port),
        ));
    }
    // Each real-time app has a core of its own; all other apps share the Linux core.
    let same_core = new.kind != AppKind::RealTime && owner.kind != AppKind::RealTime;
    new.peripherals.iter().find_map(|peripheral| {
        let code = code_against(peripheral, &owner.peripherals, same_core)?;
        Some((code, Resource::Peripheral(peripheral)))
    })
}

/// The code of the device when another app's peripherals exclude this one.
fn code_against(wanted: Peripheral, owned: &Peripherals, same_core: bool) -> Option<DeviceError> {
    use PeripheralKind::{Gpio, Pwm};

    let overlaps = |pins: PinSet| pins.overlaps(wanted.pins());
    if owned.contains(wanted) {
        return Some(match wanted.kind() {
            Gpio => DeviceError::PERIPHERAL_REQUESTED_GPIO_ALREADY_IN_USE,
            _ => DeviceError::PERIPHERAL_REQUESTED_PERIPHERAL_ALREADY_IN_USE,
        });
    }
    if let Some(other) = owned.iter().find(|other| overlaps(other.pins())) {
        return Some(match (wanted.kind(), other.kind()) {
            // A pin within the block of a PWM controller.
            (Gpio, Pwm) | (Pwm, Gpio) => DeviceError::PERIPHERAL_PWM_OPEN_FAILED,
            // One serial unit in two roles.
            (wanted, other) if wanted.prefix() == other.prefix() => {
                DeviceError::PERIPHERAL_REQUESTED_PERIPHERAL_ALREADY_IN_USE
            }
            _ => DeviceError::APP_MANAGER_REQUESTED_PINS_ALREADY_USED,
        });
    }
    (!same_core && overlaps(owned.pins().blocks()))
        .then_some(DeviceError::PERIPHERAL_GPIO_BLOCK_CONFLICT)
}

/// The first member of a set that needs a pin of a further peripheral, and that pin: an app cannot have
/// both (device error 2.35). A pin and the interrupt line of that pin are two roles, too.
#[must_use]
pub fn shared_pin(peripherals: &Peripherals, added: Peripheral) -> Option<(Peripheral, u8)> {
    peripherals.iter().find_map(|other| {
        let pin = other.pins().intersection(added.pins()).first()?;
        Some((other, pin))
    })
}
