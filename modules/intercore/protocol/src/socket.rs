// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 OR MIT

//! The sockets by which apps on the high-level core reach real-time apps: who may use one, and for what.

use core::fmt;

use policy::{ComponentId, Subject};

use crate::{Fault, Partners, SendError};

/// The family of the original's sockets, and of these.
pub const FAMILY: u16 = 43;

/// The kind of socket that there is: datagrams.
const SOCK_DGRAM: i32 = 2;

/// The address of a component, as `bind` and `connect` take it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address(pub ComponentId);

/// Why a socket refuses a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SocketError {
    /// A kind of socket other than datagrams.
    Kind,
    /// A protocol other than 0.
    Protocol,
    /// An address of another size, family or port, or of nobody.
    Address,
    /// The caller is no app: it has no identity, or none that counts yet.
    NoIdentity,
    /// The socket was made by another app.
    NotTheOwner,
    /// The caller's manifest does not list the other app.
    NotListed,
    /// The real-time app's manifest does not list the caller.
    NotListedByPeer,
    /// The socket is not connected.
    NotConnected,
    /// The socket is connected already.
    Connected,
    /// No core runs the real-time app, or its channel is halted.
    Unreachable,
    /// The message is too long.
    TooLong,
    /// There is no room now.
    Full,
}

impl SocketError {
    /// The error number of the call.
    #[must_use]
    pub const fn errno(self) -> i32 {
        match self {
            Self::Full => 11,
            Self::NoIdentity | Self::NotTheOwner | Self::NotListed | Self::NotListedByPeer => 13,
            Self::Address => 22,
            Self::TooLong => 90,
            Self::Kind => 91,
            Self::Protocol => 93,
            Self::Unreachable => 104,
            Self::Connected => 106,
            Self::NotConnected => 107,
        }
    }
}

impl From<SendError> for SocketError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::TooLong { .. } => Self::TooLong,
            SendError::Full => Self::Full,
            SendError::Halted(fault) => fault.into(),
        }
    }
}

impl From<Fault> for SocketError {
    fn from(_: Fault) -> Self {
        Self::Unreachable
    }
}

impl fmt::Display for SocketError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Kind => "only SOCK_DGRAM",
            Self::Protocol => "only protocol 0",
            Self::Address => "not the address of a component",
            Self::NoIdentity => "the caller has no identity",
            Self::NotTheOwner => "another app made the socket",
            Self::NotListed => {
                "the app's AllowedApplicationConnections does not list the real-time app"
            }
            Self::NotListedByPeer => {
                "the real-time app's AllowedApplicationConnections does not list the app"
            }
            Self::NotConnected => "the socket is not connected",
            Self::Connected => "the socket is connected",
            Self::Unreachable => "the real-time app does not run, or broke the protocol",
            Self::TooLong => "the message is too long",
            Self::Full => "there is no room now",
        })
    }
}

impl core::error::Error for SocketError {}

impl Address {
    /// The bytes of an address: family, port, component id.
    pub const SIZE: usize = 20;

    /// From what an app hands over.
    ///
    /// # Errors
    ///
    /// [`SocketError::Address`], also for the nil id: it is nobody, and no key to everybody.
    pub fn parse(bytes: &[u8]) -> Result<Self, SocketError> {
        let (head, id) = bytes.split_first_chunk().ok_or(SocketError::Address)?;
        let id: [u8; 16] = id.try_into().map_err(|_| SocketError::Address)?;
        let [family, other, port @ ..]: [u8; 4] = *head;
        let component = ComponentId::from_guid_bytes(id);
        let right = u16::from_ne_bytes([family, other]) == FAMILY
            && port == [0; 2]
            && component != ComponentId::NIL;
        right.then_some(Self(component)).ok_or(SocketError::Address)
    }

    /// What an app is given.
    #[must_use]
    pub fn encode(self) -> [u8; Self::SIZE] {
        let [family, other] = FAMILY.to_ne_bytes();
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = self.0.to_guid_bytes();
        [
            family, other, 0, 0, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p,
        ]
    }
}

/// What a socket knows. It gives nobody a right: each call asks anew who makes it and what both manifests say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint {
    owner: ComponentId,
    peer: Option<ComponentId>,
}

impl Endpoint {
    /// A new socket of the caller.
    ///
    /// # Errors
    ///
    /// There is no such socket, or the caller is no app. The manager is none either: no id stands for the system.
    pub fn create(caller: Subject<'_>, kind: i32, protocol: i32) -> Result<Self, SocketError> {
        if kind != SOCK_DGRAM {
            return Err(SocketError::Kind);
        }
        if protocol != 0 {
            return Err(SocketError::Protocol);
        }
        let Subject::App(identity, _) = caller else {
            return Err(SocketError::NoIdentity);
        };
        let owner = identity.component();
        Ok(Self { owner, peer: None })
    }

    /// Whose it is; its own address.
    #[must_use]
    pub const fn owner(&self) -> ComponentId {
        self.owner
    }

    /// Whom it is connected to.
    #[must_use]
    pub const fn peer(&self) -> Option<ComponentId> {
        self.peer
    }

    /// Binds it to its own address, which it has anyway.
    ///
    /// # Errors
    ///
    /// The caller is not the owner, or the address is another one.
    pub fn bind(&self, caller: Subject<'_>, address: Address) -> Result<(), SocketError> {
        self.is_of(&caller)?;
        let own = address.0 == self.owner;
        own.then_some(()).ok_or(SocketError::Address)
    }

    /// Connects it to the real-time app that has these partners.
    ///
    /// # Errors
    ///
    /// The caller is not the owner, or one of both does not list the other.
    pub fn connect(
        &mut self,
        caller: Subject<'_>,
        address: Address,
        partners: Partners<'_>,
    ) -> Result<(), SocketError> {
        if self.peer.is_some() {
            return Err(SocketError::Connected);
        }
        self.may_exchange(&caller, address.0, partners)?;
        self.peer = Some(address.0);
        Ok(())
    }

    /// Whom the caller may send to and receive from by this socket, now.
    ///
    /// # Errors
    ///
    /// It is not connected, the caller is not the owner, or one of both does not list the other any more.
    pub fn exchange(
        &self,
        caller: Subject<'_>,
        partners: Partners<'_>,
    ) -> Result<ComponentId, SocketError> {
        let peer = self.peer.ok_or(SocketError::NotConnected)?;
        self.may_exchange(&caller, peer, partners)?;
        Ok(peer)
    }

    /// Whether a message of a real-time app to this component is for this socket.
    #[must_use]
    pub fn receives(&self, from: ComponentId, to: ComponentId) -> bool {
        self.owner == to && self.peer == Some(from)
    }

    // A subject is large, so it is not copied for each step.
    fn is_of(&self, caller: &Subject<'_>) -> Result<(), SocketError> {
        match caller {
            Subject::App(identity, _) if identity.component() == self.owner => Ok(()),
            Subject::App(..) => Err(SocketError::NotTheOwner),
            _ => Err(SocketError::NoIdentity),
        }
    }

    fn may_exchange(
        &self,
        caller: &Subject<'_>,
        peer: ComponentId,
        partners: Partners<'_>,
    ) -> Result<(), SocketError> {
        self.is_of(caller)?;
        let listed = match caller {
            // A rule set of another component says nothing about this one.
            Subject::App(_, rules) => rules.component() == self.owner && rules.lists(peer),
            _ => false,
        };
        if !listed {
            Err(SocketError::NotListed)
        } else if !partners.lists(self.owner) {
            Err(SocketError::NotListedByPeer)
        } else {
            Ok(())
        }
    }
}
