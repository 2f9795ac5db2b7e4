// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 OR MIT

//! What the kernel asks about a process, and the answer.

use crate::{
    Capability, Denial, Destination, Errno, Identity, ObjectClass, Origin, Owner, PowerControl,
    Reason, RuleSet, SocketKind, SocketOption, Subject, Tracee, Transport, Verdict,
};

/// Something that a process wants from the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Access<'a> {
    /// Execute a file on this file system.
    Execute(Origin),
    /// Map memory.
    Map(Mapping),
    /// Change the protection of a mapping.
    Protect(Mapping),
    /// Make a file system writable.
    MakeWritable(Origin),
    /// Trace a process, or look into its memory and files.
    Trace {
        /// The process.
        target: Tracee<'a>,
        /// Whether it is about control or writing; otherwise it is about reading in `/proc`.
        attach: bool,
        /// Whether the device is in development mode.
        development: bool,
    },
    /// Send a signal to a process of this owner.
    Signal(Owner),
    /// Make a process group or a session.
    SetProcessGroup,
    /// Use a capability of Linux, by its number.
    LinuxCapability(u32),
    /// Set the clock.
    SetClock,
    /// Read or clear the kernel log.
    KernelLog,
    /// Read or change quotas.
    Quota,
    /// Mount, unmount, move or remount a file system.
    Mount,
    /// Make a user namespace.
    Namespace,
    /// Use the bpf system call.
    Bpf,
    /// Open a performance event.
    Perf,
    /// Use or make keys of the kernel.
    Key,
    /// Have the kernel load a module, a firmware or another kernel.
    LoadCode,
    /// Make a device node.
    DeviceNode,
    /// Make a file or a folder set-user-id or set-group-id.
    SetId,
    /// Make a socket.
    CreateSocket(SocketKind),
    /// Bind an IP socket to a port; 0 is any free one.
    Bind {
        /// The kind of socket.
        socket: SocketKind,
        /// The port; none when the address is malformed.
        port: Option<u16>,
    },
    /// Wait for connections on an IP socket that is bound to a port; 0 when it is not bound.
    Listen {
        /// The kind of socket.
        socket: SocketKind,
        /// The port.
        port: u16,
    },
    /// Connect an IP socket, or send to an address with it.
    Connect {
        /// The kind of socket.
        socket: SocketKind,
        /// The address.
        to: Destination,
    },
    /// Set an option of an IP socket, or of one message.
    SetOption(SocketOption),
    /// Connect to a local socket, or send to it.
    UnixPeer {
        /// Whose the socket is.
        owner: Owner,
        /// The rule set of the owner, if it is a component.
        rules: Option<RuleSet<'a>>,
    },
    /// Take an open file that another process has sent.
    ReceiveFile {
        /// Who opened it.
        owner: Owner,
        /// The rule set of the owner, if it is a component.
        rules: Option<RuleSet<'a>>,
    },
    /// Read an identity.
    ReadIdentity {
        /// Whether it is the own one.
        own: bool,
    },
    /// Choose the identity that the next exec brings.
    SetIdentity,
    /// Replace the own identity by one with fewer rights.
    DropRights(&'a Identity),
    /// Open or write a file of the application manager.
    Administer,
    /// Change the development mode.
    SetDevelopment {
        /// Whether a process has been given an identity since the start of the system.
        sealed: bool,
    },
}

/// Memory that is mapped, or a mapping whose protection changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// It will be executable: the effective protection, with what the kernel adds to the request.
    pub executable: bool,
    /// It will be writable.
    pub writable: bool,
    /// It is shared.
    pub shared: bool,
    /// It is executable now; false for new memory.
    pub was_executable: bool,
    /// It is writable now, or has ever been; false for new memory.
    pub was_writable: bool,
    /// The file system of the regular file behind it; none for anonymous memory and for anything that is no
    /// regular file.
    pub origin: Option<Origin>,
}

/// The capabilities of Linux that a manifest can give to an app: number, and the keys of which one is enough.
/// The first key is the one that a denial names.
///
/// The process must hold the capability as well; this only bounds what it is good for.
pub const LINUX_CAPABILITIES: &[(u32, &[Capability])] = &[
    (
        CAP_NET_ADMIN,
        &[
            Capability::NetworkConfig,
            Capability::HardwareAddressConfig,
            Capability::DhcpService,
        ],
    ),
    (CAP_SYS_BOOT, &[Capability::PowerControls]),
    (CAP_SYS_TIME, &[Capability::SystemTime]),
];

/// `CAP_NET_ADMIN` of Linux.
pub const CAP_NET_ADMIN: u32 = 12;

/// `CAP_SYS_BOOT` of Linux.
pub const CAP_SYS_BOOT: u32 = 22;

/// `CAP_SYS_TIME` of Linux.
pub const CAP_SYS_TIME: u32 = 25;

impl Access<'_> {
    /// What the request is about, for the record of a denial.
    #[must_use]
    pub const fn object_class(&self) -> ObjectClass {
        match self {
            Self::Execute(_) => ObjectClass::File,
            Self::Map(_) | Self::Protect(_) => ObjectClass::Memory,
            Self::MakeWritable(_) | Self::Mount => ObjectClass::Mount,
            Self::Trace { .. } | Self::Signal(_) => ObjectClass::Process,
            Self::SetProcessGroup => ObjectClass::ProcessGroup,
            Self::LinuxCapability(_) => ObjectClass::Capability,
            Self::SetClock => ObjectClass::Clock,
            Self::KernelLog => ObjectClass::KernelLog,
            Self::Quota => ObjectClass::Quota,
            Self::Namespace => ObjectClass::Namespace,
            Self::Bpf => ObjectClass::Bpf,
            Self::Perf => ObjectClass::Perf,
            Self::Key => ObjectClass::Key,
            Self::LoadCode => ObjectClass::KernelCode,
            Self::DeviceNode => ObjectClass::DeviceNode,
            Self::SetId => ObjectClass::SetId,
            Self::CreateSocket(socket)
            | Self::Bind { socket, .. }
            | Self::Listen { socket, .. }
            | Self::Connect { socket, .. } => ObjectClass::of_socket(*socket),
            Self::SetOption(_) => ObjectClass::PacketHeader,
            Self::UnixPeer { .. } => ObjectClass::Unix,
            Self::ReceiveFile { .. } => ObjectClass::Descriptor,
            Self::ReadIdentity { .. } | Self::SetIdentity | Self::DropRights(_) => {
                ObjectClass::Identity
            }
            Self::Administer | Self::SetDevelopment { .. } => ObjectClass::Policy,
        }
    }
}

impl Subject<'_> {
    /// Whether the subject may do what it asks for, and if not, why.
    ///
    /// What can be executed is decided for everybody alike. Everything else is refused to components only, but
    /// for identities and the files of the manager, which nobody else gets.
    pub fn decide(&self, access: Access<'_>) -> Verdict {
        match access {
            Access::Execute(origin) => self.decide_code(origin),
            Access::Map(mapping) | Access::Protect(mapping) => self.decide_mapping(mapping),
            Access::MakeWritable(Origin::Unverified) => self.decide_setup(),
            Access::MakeWritable(_) => refuse(Errno::EPERM, Reason::StaysVerified),
            Access::Trace {
                target,
                attach,
                development,
            } => self.decide_trace(target, attach, development),
            Access::ReadIdentity { own } => match self {
                Self::Manager => Verdict::Allow,
                _ if own => Verdict::Allow,
                _ => refuse(Errno::EACCES, Reason::ManagerOnly),
            },
            Access::SetIdentity | Access::Administer => self.decide_manager(),
            Access::SetDevelopment { sealed: false } => self.decide_manager(),
            Access::SetDevelopment { sealed: true } => refuse(Errno::EPERM, Reason::TooLate),
            Access::DropRights(wanted) => match self {
                Self::App(identity, _) if identity.reduce(wanted).is_some() => Verdict::Allow,
                _ => refuse(Errno::EPERM, Reason::RightsOnlyShrink),
            },
            access => match *self {
                Self::None | Self::Manager => Verdict::Allow,
                Self::Pending(identity) => decide_pending(identity, access),
                Self::App(identity, rules) => {
                    // Rules of another component are no rules of this one.
                    let own = rules.component() == identity.component();
                    App {
                        identity,
                        rules: if own { rules } else { RuleSet::EMPTY },
                    }
                    .decide(access)
                }
            },
        }
    }

    /// Whether the subject may run code from a file system.
    ///
    /// Code of a component runs under the identity of that component only, also not under the manager's.
    fn decide_code(&self, origin: Origin) -> Verdict {
        match (origin, self.owner()) {
            (Origin::System, _) => Verdict::Allow,
            (Origin::Component(of), Owner::Component(own)) if of == own => Verdict::Allow,
            (Origin::Component(_), _) => refuse(Errno::EACCES, Reason::CodeOfAnother),
            (Origin::Unverified, _) => refuse(Errno::EACCES, Reason::UnverifiedCode),
        }
    }

    /// Whether memory can be mapped or protected like this: what is executable has never been writable, will
    /// never be, and comes from a verified file.
    fn decide_mapping(&self, mapping: Mapping) -> Verdict {
        if mapping.was_executable && mapping.writable {
            return refuse(Errno::EACCES, Reason::WritableCode);
        }
        if !mapping.executable {
            return Verdict::Allow;
        }
        if mapping.writable || mapping.was_writable || mapping.shared {
            return refuse(Errno::EACCES, Reason::WritableCode);
        }
        self.decide_code(mapping.origin.unwrap_or(Origin::Unverified))
    }

    /// Whether the subject may do what only the set-up of a sandbox and the system need.
    fn decide_setup(&self) -> Verdict {
        match self {
            Self::App(..) => refuse(Errno::EPERM, Reason::NotForApps),
            _ => Verdict::Allow,
        }
    }

    /// Whether the subject may do what only the application manager may.
    fn decide_manager(&self) -> Verdict {
        match self {
            Self::Manager => Verdict::Allow,
            _ => refuse(Errno::EPERM, Reason::ManagerOnly),
        }
    }

    /// Whether the subject may trace or look into another process: never one with more rights, never one that
    /// makes a sandbox. Apps need the development mode to attach, and a debugger to reach another component.
    fn decide_trace(&self, target: Tracee<'_>, attach: bool, development: bool) -> Verdict {
        match (self, target) {
            (Self::Manager, _) | (Self::None, Tracee::None) => Verdict::Allow,
            (Self::None, _) | (Self::Pending(_), _) | (_, Tracee::None | Tracee::Manager) => {
                refuse(Errno::EPERM, Reason::Stranger)
            }
            (Self::App(..), Tracee::Pending(_)) => refuse(Errno::EPERM, Reason::Stranger),
            (Self::App(identity, rules), Tracee::App(target)) => {
                let own = identity.component() == target.component();
                let debugger = rules.component() == identity.component()
                    && rules.kind() == crate::AppKind::Debugger;
                if !own && !debugger {
                    refuse(Errno::EPERM, Reason::Stranger)
                } else if !identity.rights().contains(target.rights()) {
                    refuse(Errno::EPERM, Reason::FewerRights)
                } else if !development && (attach || !own) {
                    refuse(Errno::EPERM, Reason::DevelopmentOnly)
                } else {
                    Verdict::Allow
                }
            }
        }
    }
}

/// Whether a process may do something that still makes a sandbox: what the set-up needs, nothing beyond.
fn decide_pending(identity: &Identity, access: Access<'_>) -> Verdict {
    match access {
        Access::SetProcessGroup
        | Access::LinuxCapability(_)
        | Access::Mount
        | Access::Namespace
        | Access::DeviceNode
        | Access::SetId
        | Access::Key
        | Access::ReceiveFile { .. }
        | Access::CreateSocket(SocketKind::Unix) => Verdict::Allow,
        Access::Signal(owner) | Access::UnixPeer { owner, .. } => {
            if owner == Owner::Component(identity.component()) {
                Verdict::Allow
            } else {
                refuse(Errno::EPERM, Reason::Stranger)
            }
        }
        _ => refuse(Errno::EPERM, Reason::NotForApps),
    }
}

/// A process of a component, with the rules of that component.
#[derive(Clone, Copy)]
struct App<'a> {
    identity: &'a Identity,
    rules: RuleSet<'a>,
}

impl App<'_> {
    /// Whether the app may do what is not decided for everybody.
    fn decide(self, access: Access<'_>) -> Verdict {
        let rules = self.rules;
        match access {
            Access::Signal(owner) => match self.is_own(owner) {
                true => Verdict::Allow,
                false => refuse(Errno::EPERM, Reason::Stranger),
            },
            Access::SetProcessGroup if self.identity.job_control() => Verdict::Allow,
            Access::SetProcessGroup => refuse(Errno::EPERM, Reason::NoJobControl),
            Access::LinuxCapability(number) => self.decide_linux_capability(number),
            Access::SetClock => need(
                rules.has(Capability::SystemTime),
                Errno::EPERM,
                Capability::SystemTime,
            ),
            Access::CreateSocket(SocketKind::Unix) => Verdict::Allow,
            Access::CreateSocket(SocketKind::Ip(_)) => need(
                rules.uses_network(),
                Errno::EPERM,
                Capability::AllowedConnections,
            ),
            // To whom is decided when it is connected, by the driver, which knows the other side.
            Access::CreateSocket(SocketKind::Intercore) => need(
                rules.has(Capability::AllowedApplicationConnections),
                Errno::EPERM,
                Capability::AllowedApplicationConnections,
            ),
            Access::Bind {
                socket: SocketKind::Ip(transport),
                port,
            } => self.decide_bind(transport, port),
            // Without a port of its own the socket would get any free one.
            Access::Listen {
                socket: SocketKind::Ip(transport @ Transport::Tcp),
                port,
            } => need(
                rules.declares(transport, port),
                Errno::EACCES,
                Capability::AllowedTcpServerPorts,
            ),
            Access::Connect {
                socket: SocketKind::Ip(transport),
                to,
            } => self.decide_connect(transport, to),
            Access::SetOption(option) if !option.is_in_headers() => Verdict::Allow,
            Access::UnixPeer { owner, rules } => self.decide_peer(owner, rules, Errno::EPERM),
            Access::ReceiveFile {
                owner: Owner::Manager,
                ..
            } => Verdict::Allow,
            Access::ReceiveFile { owner, rules } => self.decide_peer(owner, rules, Errno::EACCES),
            _ => refuse(Errno::EPERM, Reason::NotForApps),
        }
    }

    /// Whether something belongs to the component.
    fn is_own(self, owner: Owner) -> bool {
        owner == Owner::Component(self.identity.component())
    }

    /// Whether a capability of Linux is good for anything.
    fn decide_linux_capability(self, number: u32) -> Verdict {
        let keys = LINUX_CAPABILITIES.iter().find(|(row, _)| *row == number);
        let Some((_, keys @ [first, ..])) = keys else {
            return refuse(Errno::EPERM, Reason::NotForApps);
        };
        let granted = match first {
            Capability::PowerControls => {
                self.rules.controls_power(PowerControl::ForceReboot)
                    || self.rules.controls_power(PowerControl::ForcePowerDown)
            }
            _ => keys.iter().any(|&key| self.rules.has(key)),
        };
        need(granted, Errno::EPERM, *first)
    }

    /// Whether an IP socket may be bound: to a declared port, or to any free one in order to connect from it.
    fn decide_bind(self, transport: Transport, port: Option<u16>) -> Verdict {
        let key = match transport {
            Transport::Tcp => Capability::AllowedTcpServerPorts,
            Transport::Udp => Capability::AllowedUdpServerPorts,
        };
        match port {
            None => refuse(Errno::EINVAL, Reason::Malformed),
            Some(0) => need(
                self.rules.has(Capability::AllowedConnections),
                Errno::EACCES,
                Capability::AllowedConnections,
            ),
            Some(port) => need(self.rules.declares(transport, port), Errno::EACCES, key),
        }
    }

    /// Whether an IP socket may reach an address.
    fn decide_connect(self, transport: Transport, to: Destination) -> Verdict {
        match to {
            Destination::Unspecified => Verdict::Allow,
            Destination::Malformed => refuse(Errno::EINVAL, Reason::Malformed),
            Destination::Ip(address, port) => need(
                self.rules.reaches(transport, address, port),
                Errno::EPERM,
                Capability::AllowedConnections,
            ),
        }
    }

    /// Whether something may be exchanged with the owner: the component itself, or one where each lists the other.
    fn decide_peer(self, owner: Owner, peer: Option<RuleSet<'_>>, errno: Errno) -> Verdict {
        let Owner::Component(component) = owner else {
            return refuse(errno, Reason::Stranger);
        };
        let own = self.identity.component();
        if component == own {
            return Verdict::Allow;
        }
        let key = Capability::AllowedApplicationConnections;
        if !self.rules.lists(component) {
            return need(false, errno, key);
        }
        let listed = peer.is_some_and(|peer| peer.component() == component && peer.lists(own));
        match need(listed, errno, key) {
            Verdict::Allow => Verdict::Allow,
            Verdict::Deny(denial) => Verdict::Deny(Denial {
                reason: Reason::NotListedByPeer,
                ..denial
            }),
        }
    }
}

/// The verdict for something that a key of the manifest grants.
fn need(granted: bool, errno: Errno, key: Capability) -> Verdict {
    if granted {
        return Verdict::Allow;
    }
    Verdict::Deny(Denial {
        errno,
        reason: Reason::NotGranted,
        key: Some(key),
    })
}

/// The verdict for something that no manifest grants.
const fn refuse(errno: Errno, reason: Reason) -> Verdict {
    Verdict::Deny(Denial {
        errno,
        reason,
        key: None,
    })
}
