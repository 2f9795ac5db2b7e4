// SPDX-License-Identifier: GPL-2.0

//! The sockets by which apps exchange messages with the apps on real-time cores.
//!
//! Who calls is asked at each call, and both manifests decide, see [`Endpoint`]. What is sent goes
//! into the ring to the core or not at all; what is received waits in the socket, up to its
//! `SO_RCVBUF`, and then in the ring of its own core.

use kernel::{
    net::datagram::{
        self,
        Family,
        Outgoing,
        Slot, //
    },
    new_mutex,
    prelude::*,
    sync::{
        aref::ARef,
        atomic::{
            Atomic,
            Full,
            Relaxed, //
        },
        Arc,
        ArcBorrow,
        Mutex, //
    }, //
};

use intercore::{
    Address,
    Endpoint,
    Partners,
    SocketError,
    Ticket,
    FAMILY,
    MAX_PAYLOAD, //
};
use policy::Subject;

use crate::{
    chip::Hardware,
    realtime::Shared,
    run::{
        Inbox,
        Run, //
    },
    Socket, //
};

/// The bytes of messages that wait for a socket, as in the original.
const RECEIVE_BUFFER: u16 = 16_384;

/// What there is of a socket.
#[pin_data]
pub(crate) struct Connection {
    #[pin]
    link: Mutex<Link>,
    /// A message waits in the ring for room in this socket.
    throttled: Atomic<i32>,
}

/// Whose a socket is, and with which run of an app it is connected.
#[derive(Clone, Copy)]
struct Link {
    endpoint: Endpoint,
    ticket: Option<Ticket>,
}

static SLOT: Slot<Shared<Hardware>> = Slot::new();

fn error(error: SocketError) -> Error {
    Error::from_errno(-error.errno())
}

/// Asks who calls. Without the security module nobody is an app.
fn caller<R>(ask: impl FnOnce(Subject<'_>) -> Result<R, SocketError>) -> Result<R> {
    nacre::current(ask)
        .unwrap_or(Err(SocketError::NoIdentity))
        .map_err(error)
}

/// Returns the run that a socket is connected with, if it is not over, and what the socket knows.
fn run(socket: &Socket) -> Result<(Endpoint, Arc<Run<Hardware>>)> {
    let Link { endpoint, ticket } = *socket.data().link.lock();
    let ticket = ticket.ok_or(ENOTCONN)?;
    let run = socket.family().run(ticket).ok_or(ECONNRESET)?;
    Ok((endpoint, run))
}

impl Family for Shared<Hardware> {
    const NUMBER: u16 = FAMILY;
    const NAME: &'static str = "INTERCORE";
    const RECEIVE_BUFFER: u16 = RECEIVE_BUFFER;
    type Socket = Connection;
    type Address = [u8; Address::SIZE];

    fn slot() -> &'static Slot<Self> {
        &SLOT
    }

    fn create(
        _family: ArcBorrow<'_, Self>,
        kind: i32,
        protocol: i32,
    ) -> impl PinInit<Connection, Error> {
        let endpoint = caller(|caller| Endpoint::create(caller, kind, protocol));
        try_pin_init!(Connection {
            link <- {
                let endpoint = endpoint?;
                new_mutex!(
                    Link {
                        endpoint,
                        ticket: None,
                    },
                    "intercore::Connection::link"
                )
            },
            throttled: Atomic::new(0),
        })
    }

    fn release(socket: &Socket) {
        if let Ok((endpoint, run)) = run(socket) {
            run.leave(endpoint.owner());
        }
    }

    fn bind(socket: &Socket, address: &[u8]) -> Result {
        let address = Address::parse(address).map_err(error)?;
        let endpoint = socket.data().link.lock().endpoint;
        caller(|caller| endpoint.bind(caller, address))
    }

    fn connect(socket: &Socket, address: &[u8]) -> Result {
        let address = Address::parse(address).map_err(error)?;
        let found = socket.family().find(address.0);
        let partners = found
            .as_ref()
            .map_or(Partners::NONE, |(_, run)| run.partners());
        let mut link = socket.data().link.lock();
        let mut endpoint = link.endpoint;
        caller(|caller| match endpoint.connect(caller, address, partners) {
            // What does not run lists nobody.
            Err(SocketError::NotListedByPeer) if found.is_none() => Err(SocketError::Unreachable),
            result => result,
        })?;
        let (ticket, run) = found.ok_or(ECONNRESET)?;
        run.join(endpoint, ARef::from(socket))?;
        *link = Link {
            endpoint,
            ticket: Some(ticket),
        };
        Ok(())
    }

    fn name(socket: &Socket) -> Result<Self::Address> {
        Ok(Address(socket.data().link.lock().endpoint.owner()).encode())
    }

    fn peer(socket: &Socket) -> Result<Self::Address> {
        let peer = socket.data().link.lock().endpoint.peer();
        Ok(Address(peer.ok_or(ENOTCONN)?).encode())
    }

    fn send(socket: &Socket, message: &mut Outgoing<'_>) -> Result<usize> {
        let (endpoint, run) = run(socket)?;
        let peer = caller(|caller| endpoint.exchange(caller, run.partners()))?;
        if let Some(address) = message.address() {
            // It is no way to anybody else.
            if Address::parse(address) != Ok(Address(peer)) {
                return Err(error(SocketError::Address));
            }
        }
        let size = message.data().len();
        // It is copied before the ring is locked, since user space may have the copy wait.
        let mut room = [0; MAX_PAYLOAD];
        let payload = room.get_mut(..size);
        let payload = payload.ok_or_else(|| error(SocketError::TooLong))?;
        if message.data().copy_from_iter(payload) != size {
            return Err(EFAULT);
        }
        socket
            .wait_for(message, || match run.send(endpoint.owner(), payload) {
                Err(SocketError::Full) => None,
                result => Some(result),
            })?
            .map_err(error)?;
        Ok(size)
    }

    fn is_writable(socket: &Socket) -> bool {
        // Who cannot send is told so at once.
        run(socket).map_or(true, |(_, run)| run.is_writable())
    }

    fn may_receive(socket: &Socket) -> Result {
        let (endpoint, run) = run(socket)?;
        caller(|caller| endpoint.exchange(caller, run.partners()))?;
        Ok(())
    }

    fn received(socket: &Socket) {
        let throttled = &socket.data().throttled;
        if throttled.load(Relaxed) != 0 && throttled.xchg(0, Full) != 0 {
            if let Ok((_, run)) = run(socket) {
                run.core.schedule();
            }
        }
    }
}

impl Inbox for ARef<Socket> {
    fn has_room(&self) -> bool {
        datagram::Socket::has_room(self)
    }

    fn throttle(&self) -> bool {
        // A reader makes room first and looks at this then.
        self.data().throttled.xchg(1, Full);
        self.has_room()
    }

    fn deliver(&self, size: usize, fill: impl FnOnce(&mut [u8])) -> Result {
        datagram::Socket::deliver(self, size, fill)
    }

    fn wake(&self) {
        self.wake_senders();
    }

    fn hang_up(&self) {
        datagram::Socket::hang_up(self);
    }
}
