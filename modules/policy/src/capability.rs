// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 OR MIT

//! The capabilities that a manifest can name, and sets of them.

use core::fmt;

/// What kind of app a manifest describes: its `ApplicationType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AppKind {
    /// `Default`: a Linux process.
    HighLevel,
    /// `RealTimeCapable`: firmware for a real-time core.
    RealTime,
    /// `Debugger`: the debug server, a Linux process that exists once on a device.
    Debugger,
}

impl AppKind {
    /// The value of `ApplicationType`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HighLevel => "Default",
            Self::RealTime => "RealTimeCapable",
            Self::Debugger => "Debugger",
        }
    }

    /// The kind that a value of `ApplicationType` names.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        [Self::HighLevel, Self::RealTime, Self::Debugger]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

/// Defines the capabilities with their keys, in the order of the keys.
macro_rules! capabilities {
    ($($(#[$documentation:meta])* $name:ident,)*) => {
        /// A capability: one key of `Capabilities` in the manifest.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Capability {
            $($(#[$documentation])* $name,)*
        }

        impl Capability {
            /// All capabilities, in the order of their keys.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The key in the manifest, such as `AllowedConnections`.
            #[must_use]
            pub const fn key(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }
        }
    };
}

capabilities! {
    /// Analogue-to-digital converters.
    Adc,
    /// Component ids of the apps to exchange messages with; both sides list each other.
    AllowedApplicationConnections,
    /// Hosts to exchange IP traffic with.
    AllowedConnections,
    /// TCP ports to listen on.
    AllowedTcpServerPorts,
    /// UDP ports to receive on.
    AllowedUdpServerPorts,
    /// Certificate store.
    CertStore,
    /// Client certificate for the named tenant or catalogue.
    DeviceAuthentication,
    /// DHCP server.
    DhcpService,
    /// Wi-Fi settings for EAP-TLS.
    EnterpriseWifiConfig,
    /// External interrupt lines of a real-time core.
    ExternalInterrupt,
    /// General-purpose pins.
    Gpio,
    /// Hardware address of the Ethernet interface.
    HardwareAddressConfig,
    /// Heap statistics.
    HeapMemStats,
    /// I2C controllers.
    I2cMaster,
    /// I2S controllers of a real-time core.
    I2sSubordinate,
    /// A file that survives restarts and updates.
    MutableStorage,
    /// Network interfaces, addresses and proxy.
    NetworkConfig,
    /// Restart, power down and power profile.
    PowerControls,
    /// Pulse-width modulation controllers.
    Pwm,
    /// Reading the proxy settings.
    ReadNetworkProxyConfig,
    /// Resetting the peak memory counters.
    ResetMemoryWatermarks,
    /// SNTP server.
    SntpService,
    /// Deferring of software updates.
    SoftwareUpdateDeferral,
    /// SPI controllers.
    SpiMaster,
    /// Events of the system.
    SystemEventNotifications,
    /// Setting of the clock.
    SystemTime,
    /// Settings of time synchronisation.
    TimeSyncConfig,
    /// UARTs.
    Uart,
    /// Wi-Fi settings.
    WifiConfig,
}

impl Capability {
    /// The capabilities that need an IP socket.
    pub const NETWORK: [Self; 3] = [
        Self::AllowedConnections,
        Self::AllowedTcpServerPorts,
        Self::AllowedUdpServerPorts,
    ];

    /// The capability with this key; keys are compared exactly.
    #[must_use]
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|capability| capability.key() == key)
    }

    /// Whether the value in the manifest is `true` or `false`.
    #[must_use]
    pub const fn is_toggle(self) -> bool {
        matches!(
            self,
            Self::CertStore
                | Self::DhcpService
                | Self::EnterpriseWifiConfig
                | Self::HardwareAddressConfig
                | Self::HeapMemStats
                | Self::NetworkConfig
                | Self::ReadNetworkProxyConfig
                | Self::ResetMemoryWatermarks
                | Self::SntpService
                | Self::SoftwareUpdateDeferral
                | Self::SystemEventNotifications
                | Self::SystemTime
                | Self::TimeSyncConfig
                | Self::WifiConfig
        )
    }

    /// Whether an app of this kind may ask for the capability. A debugger is a Linux process and has the
    /// choice of a high-level app.
    #[must_use]
    pub const fn is_for(self, kind: AppKind) -> bool {
        match self {
            Self::Adc
            | Self::AllowedApplicationConnections
            | Self::Gpio
            | Self::I2cMaster
            | Self::Pwm
            | Self::SpiMaster
            | Self::Uart => true,
            Self::ExternalInterrupt | Self::I2sSubordinate => matches!(kind, AppKind::RealTime),
            _ => !matches!(kind, AppKind::RealTime),
        }
    }

    /// What to write into the manifest in order to get it: `set "SystemTime" to true`.
    #[must_use]
    pub const fn advice(self) -> Advice {
        Advice(self)
    }

    /// The bit of the capability in a set.
    const fn bit(self) -> u32 {
        1 << self as u32
    }
}

impl fmt::Display for Capability {
    /// The key.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.key())
    }
}

/// What to write into the manifest; see [`Capability::advice`].
#[derive(Clone, Copy, Debug)]
pub struct Advice(Capability);

impl fmt::Display for Advice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(key) = self;
        let step = match key {
            Capability::AllowedConnections => "add the host to",
            Capability::AllowedTcpServerPorts | Capability::AllowedUdpServerPorts => {
                "add the port to"
            }
            Capability::AllowedApplicationConnections => {
                "have both apps list the component id of the other in"
            }
            Capability::PowerControls => "add what it shall do to",
            toggle if toggle.is_toggle() => return write!(formatter, "set \"{toggle}\" to true"),
            _ => "ask for it with",
        };
        write!(formatter, "{step} \"{key}\"")
    }
}

/// A set of capabilities.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct CapabilitySet(u32);

impl CapabilitySet {
    /// The set without members.
    pub const EMPTY: Self = Self(0);

    /// The set of these capabilities.
    #[must_use]
    pub const fn of(capabilities: &[Capability]) -> Self {
        let mut set = Self::EMPTY;
        let mut rest = capabilities;
        while let [first, others @ ..] = rest {
            set = set.with(*first);
            rest = others;
        }
        set
    }

    /// The set of a mask, bit 0 being the first of [`Capability::ALL`]; none when a bit has no meaning.
    #[must_use]
    pub const fn from_bits(bits: u32) -> Option<Self> {
        if bits & !Self::of(Capability::ALL).0 == 0 {
            Some(Self(bits))
        } else {
            None
        }
    }

    /// The mask.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// The set with one more member.
    #[must_use]
    pub const fn with(self, capability: Capability) -> Self {
        Self(self.0 | capability.bit())
    }

    /// Adds a member.
    pub const fn insert(&mut self, capability: Capability) {
        *self = self.with(capability);
    }

    /// Whether the capability is a member.
    #[must_use]
    pub const fn contains(self, capability: Capability) -> bool {
        self.0 & capability.bit() != 0
    }

    /// Whether there is no member.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The members, in the order of their keys.
    pub fn iter(self) -> impl Iterator<Item = Capability> {
        Capability::ALL
            .iter()
            .copied()
            .filter(move |&capability| self.contains(capability))
    }
}

impl fmt::Debug for CapabilitySet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.iter()).finish()
    }
}

/// An entry of `PowerControls`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum PowerControl {
    /// Restart the device.
    ForceReboot,
    /// Power the device down.
    ForcePowerDown,
    /// Choose between power saving and speed.
    SetPowerProfile,
}

impl PowerControl {
    /// All power controls.
    pub const ALL: &'static [Self] = &[
        Self::ForceReboot,
        Self::ForcePowerDown,
        Self::SetPowerProfile,
    ];

    /// The entry in the manifest.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ForceReboot => "ForceReboot",
            Self::ForcePowerDown => "ForcePowerDown",
            Self::SetPowerProfile => "SetPowerProfile",
        }
    }

    /// The power control that an entry names.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|control| control.as_str() == text)
    }

    /// The bit of the control in a set.
    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// The power controls of an app.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct PowerControls(u8);

impl PowerControls {
    /// No power control.
    pub const EMPTY: Self = Self(0);

    /// The set of a mask, bit 0 being the first of [`PowerControl::ALL`]; none when a bit has no meaning.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Option<Self> {
        match bits {
            0..=0b111 => Some(Self(bits)),
            _ => None,
        }
    }

    /// The mask.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// The set with one more member.
    #[must_use]
    pub const fn with(self, control: PowerControl) -> Self {
        Self(self.0 | control.bit())
    }

    /// Adds a member; false when it already was one.
    pub const fn insert(&mut self, control: PowerControl) -> bool {
        let added = !self.contains(control);
        *self = self.with(control);
        added
    }

    /// Whether the control is a member.
    #[must_use]
    pub const fn contains(self, control: PowerControl) -> bool {
        self.0 & control.bit() != 0
    }

    /// Whether there is no member.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The members.
    pub fn iter(self) -> impl Iterator<Item = PowerControl> {
        PowerControl::ALL
            .iter()
            .copied()
            .filter(move |&control| self.contains(control))
    }
}

impl fmt::Debug for PowerControls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.iter()).finish()
    }
}
