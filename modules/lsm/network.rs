// SPDX-License-Identifier: GPL-2.0

//! Sockets: which kinds an app has, which ports, which addresses, and which other apps.
//!
//! Who may do something with a socket is decided when it is done, by who does it: that a socket was made
//! by somebody with more rights is worth nothing.

use core::net::IpAddr;

use kernel::{
    lsm::{
        self,
        Caller,
        Family,
        Message,
        NewSock,
        Sock,
        SocketAddress,
        SocketBlob, //
    },
    prelude::*,
    sync::Arc, //
};

use policy::{
    Access,
    Destination,
    Hook,
    Owner,
    SocketKind,
    SocketOption, //
};

use crate::{
    identity::Label,
    rules::Component,
    Nacre, //
};

/// The state on sockets: who made them. It does not change.
#[derive(Clone, Zeroable)]
pub(crate) struct Maker {
    component: Option<Arc<Component>>,
    is_manager: bool,
}

impl lsm::Blob for Maker {}

impl SocketBlob for Maker {
    fn inherit(&self) -> Self {
        self.clone()
    }
}

impl Maker {
    /// What a socket gets that the process makes.
    fn of(label: &Label) -> Self {
        Self {
            component: label.component().cloned(),
            is_manager: label.is_manager(),
        }
    }

    fn owner(&self) -> Owner {
        match &self.component {
            Some(component) => Owner::Component(component.id()),
            None if self.is_manager => Owner::Manager,
            None => Owner::None,
        }
    }
}

/// What kind of socket it is, for the decision core.
fn kind(family: Family, kind: lsm::SocketType, protocol: lsm::Protocol) -> SocketKind {
    SocketKind::of(
        family.get().into(),
        kind.get().into(),
        protocol.get().into(),
    )
}

fn kind_of(socket: &Sock) -> SocketKind {
    kind(socket.family(), socket.kind(), socket.protocol())
}

/// A socket is about to be made; those that the kernel makes for itself are its own affair.
pub(crate) fn create(cx: &Caller<Nacre>, socket: lsm::SocketKind, kernel: bool) -> Result {
    if kernel {
        return Ok(());
    }
    cx.subject().check_app(cx, Hook::SocketCreate, || {
        Access::CreateSocket(kind(socket.family, socket.kind, socket.protocol))
    })
}

/// A socket was made.
pub(crate) fn created(cx: &Caller<Nacre>, socket: &mut NewSock, kernel: bool) {
    if !kernel {
        *cx.blob_mut(socket) = Maker::of(cx.subject());
    }
}

/// Calls the function with the kind of an IP socket when an app uses it. Others are decided about where the other end
/// is known: local ones in their own hooks, those to real-time cores by their driver.
fn check_ip<'a>(
    cx: &Caller<Nacre>,
    hook: Hook,
    socket: &Sock,
    access: impl FnOnce(&Sock, SocketKind) -> Access<'a>,
) -> Result {
    let caller = cx.subject();
    if caller.component().is_none() {
        return Ok(());
    }
    match kind_of(socket) {
        SocketKind::Unix | SocketKind::Intercore => Ok(()),
        kind => caller.check(cx, hook, access(socket, kind)),
    }
}

/// A socket is about to be bound.
pub(crate) fn bind(cx: &Caller<Nacre>, socket: &Sock, address: &SocketAddress<'_>) -> Result {
    check_ip(cx, Hook::SocketBind, socket, |_, socket| Access::Bind {
        socket,
        port: match address {
            SocketAddress::Inet(address) => Some(address.port()),
            SocketAddress::Inet6(address) => Some(address.port()),
            SocketAddress::Unspecified { inet } => inet.map(|address| address.port()),
            _ => None,
        },
    })
}

/// A socket is about to wait for connections.
pub(crate) fn listen(cx: &Caller<Nacre>, socket: &Sock) -> Result {
    check_ip(cx, Hook::SocketListen, socket, |socket, kind| {
        Access::Listen {
            socket: kind,
            port: socket.local_port(),
        }
    })
}

/// A socket is about to be connected.
pub(crate) fn connect(cx: &Caller<Nacre>, socket: &Sock, address: &SocketAddress<'_>) -> Result {
    check_ip(cx, Hook::SocketConnect, socket, |_, socket| {
        Access::Connect {
            socket,
            to: match address {
                SocketAddress::Unspecified { .. } => Destination::Unspecified,
                address => destination(address),
            },
        }
    })
}

/// An option of a socket is about to be set.
pub(crate) fn set_option(cx: &Caller<Nacre>, socket: &Sock, option: lsm::SocketOption) -> Result {
    check_ip(cx, Hook::SocketSetsockopt, socket, |_, _| set(option))
}

fn set<'a>(option: lsm::SocketOption) -> Access<'a> {
    Access::SetOption(SocketOption {
        level: option.level,
        name: option.name,
    })
}

/// A message is about to be sent. Without an address it goes where the socket is connected to, which was
/// decided about then.
pub(crate) fn send(cx: &Caller<Nacre>, socket: &Sock, message: &Message<'_>) -> Result {
    for option in message.control() {
        check_ip(cx, Hook::SocketSendmsg, socket, |_, _| set(option))?;
    }
    let Some(address) = message.address() else {
        return Ok(());
    };
    check_ip(cx, Hook::SocketSendmsg, socket, |_, socket| {
        Access::Connect {
            socket,
            to: match address {
                // IPv4 takes it for an address of its own family, and an IPv6 socket can become one of IPv4
                // between this hook and the protocol.
                SocketAddress::Unspecified { inet: Some(inet) } => {
                    destination(&SocketAddress::Inet(inet))
                }
                address => destination(&address),
            },
        }
    })
}

/// The address as the decision core wants it: an IPv6 address that stands for an IPv4 address becomes that.
fn destination(address: &SocketAddress<'_>) -> Destination {
    match address {
        SocketAddress::Inet(address) => Destination::Ip(IpAddr::V4(*address.ip()), address.port()),
        SocketAddress::Inet6(address) => {
            Destination::Ip(IpAddr::V6(*address.ip()).to_canonical(), address.port())
        }
        _ => Destination::Malformed,
    }
}

/// A local stream socket is about to be connected. The end that the listener will accept belongs to the
/// listener's maker.
///
/// This comes with locks held: it does not sleep.
pub(crate) fn connect_unix(cx: &Caller<Nacre>, server: &Sock, accepted: &mut NewSock) -> Result {
    *cx.blob_mut(accepted) = cx.blob(server).inherit();
    reach(cx, Hook::UnixStreamConnect, server)
}

/// A message is about to go from one local socket to another.
///
/// This comes with locks held: it does not sleep.
pub(crate) fn send_unix(cx: &Caller<Nacre>, receiver: &Sock) -> Result {
    reach(cx, Hook::UnixMaySend, receiver)
}

/// Whether the caller may reach a local socket: one of its own component, or of one where each lists the other.
fn reach(cx: &Caller<Nacre>, hook: Hook, socket: &Sock) -> Result {
    let caller = cx.subject();
    if caller.component().is_none() {
        return Ok(());
    }
    let maker = cx.blob(socket);
    let rules = maker.component.as_ref().map(|component| component.rules());
    let access = Access::UnixPeer {
        owner: maker.owner(),
        rules: rules.as_ref().map(|rules| rules.view()),
    };
    caller.check(cx, hook, access)
}
