// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 OR MIT

//! What one app may do: the manifest without its text.

use crate::peripheral::PeripheralKind;
use crate::{
    AppKind, Capability, CapabilitySet, ComponentId, HostList, Peripherals, PowerControls,
};

/// The largest quota of [`Capability::MutableStorage`] in KiB.
pub const MAX_STORAGE_KB: u32 = 64;

/// The longest tenant or catalogue id in bytes: what the kernel keeps.
pub const MAX_TENANT_LENGTH: usize = 64;

/// What an app is granted. Nothing is granted that is not here.
///
/// The lists are borrowed from whoever keeps the manifest, so a grant can be copied at will.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant<'a> {
    /// The app.
    pub component: ComponentId,
    /// The kind of app; it bounds what the rest can grant, see [`Capability::is_for`].
    pub kind: AppKind,
    /// The capabilities that are `true` in the manifest; only those with [`Capability::is_toggle`].
    pub capabilities: CapabilitySet,
    /// `AllowedConnections`.
    pub hosts: HostList<'a>,
    /// `AllowedTcpServerPorts`.
    pub tcp_ports: &'a [u16],
    /// `AllowedUdpServerPorts`.
    pub udp_ports: &'a [u16],
    /// `AllowedApplicationConnections`.
    pub peers: &'a [ComponentId],
    /// Pins, controllers and lines.
    pub peripherals: Peripherals,
    /// `PowerControls`.
    pub power: PowerControls,
    /// `MutableStorage`: quota in KiB (1024 bytes); 0 without the capability.
    pub storage_kb: u32,
    /// `DeviceAuthentication`: the tenant or catalogue.
    pub tenant: Option<&'a str>,
}

impl<'a> Grant<'a> {
    /// The grant of an app with empty `Capabilities`.
    #[must_use]
    pub const fn none(component: ComponentId, kind: AppKind) -> Self {
        Self {
            component,
            kind,
            capabilities: CapabilitySet::EMPTY,
            hosts: HostList::EMPTY,
            tcp_ports: &[],
            udp_ports: &[],
            peers: &[],
            peripherals: Peripherals::EMPTY,
            power: PowerControls::EMPTY,
            storage_kb: 0,
            tenant: None,
        }
    }

    /// Whether the capability grants anything: a toggle is set, a list has an entry.
    #[must_use]
    pub fn has(&self, capability: Capability) -> bool {
        if !capability.is_for(self.kind) {
            return false;
        }
        if let Some(kind) = PeripheralKind::of(capability) {
            return self.peripherals.of_kind(kind).next().is_some();
        }
        match capability {
            Capability::AllowedApplicationConnections => !self.peers.is_empty(),
            Capability::AllowedConnections => !self.hosts.is_empty(),
            Capability::AllowedTcpServerPorts => !self.tcp_ports.is_empty(),
            Capability::AllowedUdpServerPorts => !self.udp_ports.is_empty(),
            Capability::DeviceAuthentication => self.tenant.is_some(),
            Capability::MutableStorage => self.storage_kb > 0,
            Capability::PowerControls => !self.power.is_empty(),
            toggle => toggle.is_toggle() && self.capabilities.contains(toggle),
        }
    }
}
