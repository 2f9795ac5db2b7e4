// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 OR MIT

//! Requests of an app, and the answer with its reason and the manifest key that would change it.

use core::fmt;

use crate::{Capability, ComponentId, Errno, Grant, Peripheral, PowerControl};

/// Something that an app wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Request<'a> {
    /// Open a pin, a controller or a line.
    Open(Peripheral),
    /// Make an IPv4 or IPv6 socket.
    IpSocket,
    /// Exchange IP traffic with a host, given as in the manifest, on any port.
    Connect(&'a str),
    /// Listen on a TCP port.
    BindTcp(u16),
    /// Receive on a UDP port.
    BindUdp(u16),
    /// Exchange messages with another app. This is the app's own side only, see [`Grant::decide_peers`].
    Peer(ComponentId),
    /// Set the clock of the system.
    SetTime,
    /// Store the time in the hardware clock.
    SaveTime,
    /// Restart, power down, or choose the power profile of the device.
    Power(PowerControl),
    /// Open or delete the app's file that survives restarts.
    MutableStorage,
    /// Have this many bytes in the app's file that survives restarts.
    StoredBytes(u64),
    /// Read the proxy settings.
    ReadProxy,
    /// Use an interface that one capability opens as a whole, such as the certificate store. For a
    /// capability with a list it asks whether anything is listed.
    Use(Capability),
}

/// The answer to a [`Request`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// The app may do it.
    Allow,
    /// The app may not do it.
    Deny(Denial),
}

impl Verdict {
    /// Whether the app may do it.
    #[must_use]
    pub const fn is_allowed(self) -> bool {
        matches!(self, Self::Allow)
    }

    /// The verdict as a result, for `?`.
    ///
    /// # Errors
    ///
    /// The denial.
    pub const fn allowed(self) -> Result<(), Denial> {
        match self {
            Self::Allow => Ok(()),
            Self::Deny(denial) => Err(denial),
        }
    }
}

/// A refusal that explains itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Denial {
    /// What the call of the app returns.
    pub errno: Errno,
    /// Why.
    pub reason: Reason,
    /// The key of `Capabilities` that would allow it; none when no manifest can.
    pub key: Option<Capability>,
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The manifest does not grant the capability, or not this value of it.
    NotGranted,
    /// No app of this kind can have the capability.
    NotForThisKind,
    /// The chip has no such peripheral, or apps cannot use it.
    NoSuchPeripheral,
    /// More bytes than `MutableStorage` grants.
    OverQuota,
    /// The other app does not list this one.
    NotListedByPeer,
    /// No app may do it, whatever its manifest says.
    NotForApps,
    /// Only the application manager may do it.
    ManagerOnly,
    /// The process, socket or file belongs to another component or to the system.
    Stranger,
    /// The code lies on a file system that nobody has verified.
    UnverifiedCode,
    /// The code belongs to another component.
    CodeOfAnother,
    /// The code is, was or would be writable.
    WritableCode,
    /// A verified file system stays read-only.
    StaysVerified,
    /// The other process has rights that this one lacks.
    FewerRights,
    /// Only in development mode.
    DevelopmentOnly,
    /// The identity does not allow process groups.
    NoJobControl,
    /// An identity keeps everything but rights.
    RightsOnlyShrink,
    /// A process has an identity already.
    TooLate,
    /// The address has no meaning.
    Malformed,
}

impl Reason {
    /// The reason in words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotGranted => "not granted by the manifest",
            Self::NotForThisKind => "not for this kind of app",
            Self::NoSuchPeripheral => "not a peripheral that apps can use on this chip",
            Self::OverQuota => "over the quota",
            Self::NotListedByPeer => "not listed by the other app's manifest",
            Self::NotForApps => "not for apps",
            Self::ManagerOnly => "for the application manager only",
            Self::Stranger => "belongs to another component or to the system",
            Self::UnverifiedCode => "code that nobody has verified",
            Self::CodeOfAnother => "code of another component",
            Self::WritableCode => "code that is, was or would be writable",
            Self::StaysVerified => "a verified file system stays read-only",
            Self::FewerRights => "the other process has more rights",
            Self::DevelopmentOnly => "in development mode only",
            Self::NoJobControl => "the identity does not allow process groups",
            Self::RightsOnlyShrink => "an identity can only lose rights",
            Self::TooLate => "a process has an identity already",
            Self::Malformed => "not an address",
        }
    }
}

impl fmt::Display for Denial {
    /// `not granted by the manifest (EACCES); the key is Capabilities.Gpio`
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({})", self.reason.as_str(), self.errno)?;
        match self.key {
            Some(key) => write!(formatter, "; the key is Capabilities.{key}"),
            None => Ok(()),
        }
    }
}

impl core::error::Error for Denial {}

impl Grant<'_> {
    /// Whether the app may do what it asks for, and if not, why.
    ///
    /// Two families of error numbers: `EACCES` where the device's C interface checks a right, `EPERM`
    /// where the kernel refuses a system call (sockets, packets, the clock).
    pub fn decide(&self, request: Request<'_>) -> Verdict {
        use Capability as Key;

        match request {
            Request::Open(peripheral) => self.decide_open(peripheral),
            Request::IpSocket => {
                self.answer(self.uses_network(), Errno::EPERM, Key::AllowedConnections)
            }
            Request::Connect(host) => self.answer(
                self.hosts.contains(host),
                Errno::EPERM,
                Key::AllowedConnections,
            ),
            Request::BindTcp(port) => self.answer(
                self.tcp_ports.contains(&port),
                Errno::EACCES,
                Key::AllowedTcpServerPorts,
            ),
            Request::BindUdp(port) => self.answer(
                self.udp_ports.contains(&port),
                Errno::EACCES,
                Key::AllowedUdpServerPorts,
            ),
            Request::Peer(peer) => self.answer(
                self.peers.contains(&peer),
                Errno::EPERM,
                Key::AllowedApplicationConnections,
            ),
            Request::SetTime => {
                self.answer(self.has(Key::SystemTime), Errno::EPERM, Key::SystemTime)
            }
            Request::SaveTime => {
                self.answer(self.has(Key::SystemTime), Errno::EACCES, Key::SystemTime)
            }
            Request::Power(control) => self.answer(
                self.power.contains(control),
                Errno::EACCES,
                Key::PowerControls,
            ),
            Request::MutableStorage => self.answer(
                self.has(Key::MutableStorage),
                Errno::EACCES,
                Key::MutableStorage,
            ),
            Request::StoredBytes(bytes) => self.decide_stored(bytes),
            Request::ReadProxy => self.answer(
                self.has(Key::ReadNetworkProxyConfig) || self.has(Key::NetworkConfig),
                Errno::EACCES,
                Key::ReadNetworkProxyConfig,
            ),
            Request::Use(capability) => {
                self.answer(self.has(capability), Errno::EACCES, capability)
            }
        }
    }

    /// Whether this app and another may exchange messages: both list each other.
    pub fn decide_peers(&self, peer: &Grant<'_>) -> Verdict {
        if let Verdict::Deny(denial) = self.decide(Request::Peer(peer.component)) {
            return Verdict::Deny(denial);
        }
        match peer.decide(Request::Peer(self.component)) {
            Verdict::Allow => Verdict::Allow,
            Verdict::Deny(denial) => Verdict::Deny(Denial {
                reason: Reason::NotListedByPeer,
                ..denial
            }),
        }
    }

    /// Whether anything in the manifest needs an IP socket.
    #[must_use]
    pub fn uses_network(&self) -> bool {
        Capability::NETWORK
            .iter()
            .any(|&capability| self.has(capability))
    }

    /// Peripherals that the chip lacks are refused first, as no manifest can grant them.
    fn decide_open(&self, peripheral: Peripheral) -> Verdict {
        let kind = peripheral.kind();
        if !peripheral.exists() {
            return Verdict::Deny(Denial {
                errno: match peripheral {
                    Peripheral::Adc(_) => Errno::ENOENT,
                    _ => Errno::ENODEV,
                },
                reason: Reason::NoSuchPeripheral,
                key: None,
            });
        }
        self.answer(
            self.peripherals.contains(peripheral),
            Errno::EACCES,
            kind.capability(),
        )
    }

    /// Without the capability the file is refused; with it, only the quota counts.
    fn decide_stored(&self, bytes: u64) -> Verdict {
        match self.decide(Request::MutableStorage) {
            Verdict::Allow if bytes > u64::from(self.storage_kb) * 1024 => Verdict::Deny(Denial {
                errno: Errno::EDQUOT,
                reason: Reason::OverQuota,
                key: Some(Capability::MutableStorage),
            }),
            verdict => verdict,
        }
    }

    /// The verdict for a capability; one that is not for the kind of app is refused whatever is granted.
    fn answer(&self, granted: bool, errno: Errno, key: Capability) -> Verdict {
        if !key.is_for(self.kind) {
            return Verdict::Deny(Denial {
                errno,
                reason: Reason::NotForThisKind,
                key: None,
            });
        }
        if granted {
            return Verdict::Allow;
        }
        Verdict::Deny(Denial {
            errno,
            reason: Reason::NotGranted,
            key: Some(key),
        })
    }
}
