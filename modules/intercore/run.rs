// SPDX-License-Identifier: GPL-2.0

//! One run of an app on a real-time core: its channel, and the sockets that are connected to it.
//!
//! A lock guards the channel and the list of sockets. It is held while a message is copied, and
//! never while somebody waits for the core, or for a socket.

use kernel::{
    fmt,
    new_mutex,
    prelude::*,
    sync::{
        Arc,
        Mutex, //
    }, //
};

use intercore::{
    Channel,
    Doorbells,
    Endpoint,
    Fault,
    Next,
    Partners,
    SendError,
    SocketError, //
};
use policy::ComponentId;

use crate::{
    chip::Chip,
    realtime::Core, //
};

/// Where the messages for one socket go.
pub(crate) trait Inbox: Send {
    /// Whether there is room for another message.
    fn has_room(&self) -> bool;

    /// Says that there was none, and asks to be told when there is. Returns whether there is room
    /// all the same.
    fn throttle(&self) -> bool;

    /// Queues a message of so many bytes, which the function writes.
    fn deliver(&self, size: usize, fill: impl FnOnce(&mut [u8])) -> Result;

    /// Wakes who waits for room in the ring.
    fn wake(&self);

    /// Nothing comes any more.
    fn hang_up(&self);
}

/// A socket that is connected to the app.
struct Member<I> {
    endpoint: Endpoint,
    inbox: I,
}

/// What there is of a run as long as it is not over.
struct Open<C: Chip> {
    channel: Channel<C::Memory>,
    members: KVec<Member<C::Inbox>>,
    /// Somebody waits for room in the ring to the core.
    wanted: bool,
    /// A message that was lost has been told of.
    told: bool,
}

/// An app that runs, or has run.
#[pin_data]
pub(crate) struct Run<C: Chip> {
    pub(crate) core: Arc<Core<C>>,
    component: ComponentId,
    partners: KVec<u8>,
    #[pin]
    open: Mutex<Option<Open<C>>>,
}

/// What is to be done after the ring was read.
pub(crate) struct Drained {
    /// What to ring.
    pub(crate) ring: Doorbells,
    /// There may be more, which has its turn later: at once, or when there is memory again.
    pub(crate) again: Again,
    /// The core broke the protocol.
    pub(crate) fault: Option<Fault>,
}

/// When to read the ring again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    /// When the core rings, or a socket has room.
    WhenRung,
    /// After others had their turn.
    Soon,
    /// A while later.
    Later,
}

impl<C: Chip> Run<C> {
    /// A run whose channel is set up.
    pub(crate) fn new(
        core: Arc<Core<C>>,
        component: ComponentId,
        partners: KVec<u8>,
        channel: Channel<C::Memory>,
    ) -> impl PinInit<Self> {
        let open = Open {
            channel,
            members: KVec::new(),
            wanted: false,
            told: false,
        };
        pin_init!(Self {
            core,
            component,
            partners,
            open <- new_mutex!(Some(open), "intercore::Run::open"),
        })
    }

    /// Whom the app exchanges messages with.
    pub(crate) fn partners(&self) -> Partners<'_> {
        // They were read before.
        Partners::parse(&self.partners).unwrap_or(Partners::NONE)
    }

    /// Connects a socket: one for each app.
    pub(crate) fn join(&self, endpoint: Endpoint, inbox: C::Inbox) -> Result {
        let mut open = self.open.lock();
        let open = open.as_mut().ok_or(ECONNRESET)?;
        if open.channel.fault().is_some() {
            return Err(ECONNRESET);
        }
        let owner = endpoint.owner();
        if open.find(self.component, owner).is_some() {
            return Err(EADDRINUSE);
        }
        open.members.push(Member { endpoint, inbox }, GFP_KERNEL)?;
        Ok(())
    }

    /// Forgets the socket of an app, and reads on: the next message may have waited for it.
    pub(crate) fn leave(&self, owner: ComponentId) {
        if let Some(open) = self.open.lock().as_mut() {
            open.members
                .retain(|member| member.endpoint.owner() != owner);
        }
        self.core.schedule();
    }

    /// Sends a message of an app.
    pub(crate) fn send(&self, owner: ComponentId, payload: &[u8]) -> Result<(), SocketError> {
        let mut guard = self.open.lock();
        let open = guard.as_mut().ok_or(SocketError::Unreachable)?;
        let sent = open.channel.send(owner, payload);
        open.wanted |= sent == Err(SendError::Full);
        drop(guard);
        match sent {
            Ok(doorbells) => {
                self.core.ring(doorbells);
                self.core.remind();
                Ok(())
            }
            Err(SendError::Halted(fault)) => {
                self.halted(fault);
                Err(SocketError::Unreachable)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Whether a message can be sent, or the attempt fails at once. Otherwise sockets are woken when
    /// that has changed.
    pub(crate) fn is_writable(&self) -> bool {
        let mut guard = self.open.lock();
        let Some(open) = guard.as_mut() else {
            return true;
        };
        let room = open.channel.has_room();
        open.wanted |= room == Ok(false);
        drop(guard);
        room.unwrap_or_else(|fault| {
            self.halted(fault);
            true
        })
    }

    /// Reads what the core has written, as much as has its turn.
    pub(crate) fn drain(&self) -> Drained {
        let mut drained = Drained {
            ring: Doorbells::NONE,
            again: Again::WhenRung,
            fault: None,
        };
        let mut guard = self.open.lock();
        let Some(open) = guard.as_mut() else {
            return drained;
        };
        let turn = open.channel.turn();
        let mut taken = 0;
        loop {
            if taken == turn {
                drained.again = Again::Soon;
                break;
            }
            match self.take(open) {
                Ok(Taken::Message) => taken += 1,
                Ok(Taken::Nothing(again)) => {
                    drained.again = again;
                    break;
                }
                Err(fault) => {
                    drained.fault = Some(fault);
                    break;
                }
            }
        }
        if taken != 0 {
            drained.ring = open.channel.consumed();
        }
        if core::mem::take(&mut open.wanted) {
            for member in &open.members {
                member.inbox.wake();
            }
        }
        drained
    }

    /// Takes the next message out of the ring, if it has somewhere to go.
    fn take(&self, open: &mut Open<C>) -> Result<Taken, Fault> {
        let Open {
            channel,
            members,
            told,
            ..
        } = open;
        let message = match channel.receive()? {
            None => return Ok(Taken::Nothing(Again::WhenRung)),
            Some(Next::Dropped { component, length }) => {
                if !core::mem::replace(told, true) {
                    self.tell(format_args!(
                        "a message of {length} bytes to {component} is lost, and others may be: it is too long"
                    ));
                }
                return Ok(Taken::Message);
            }
            Some(Next::Message(message)) => message,
        };
        let member = members.iter().find(|member| {
            member
                .endpoint
                .receives(self.component, message.component())
        });
        let Some(Member { inbox, .. }) = member else {
            // Nobody listens.
            message.discard();
            return Ok(Taken::Message);
        };
        if !inbox.has_room() && !inbox.throttle() {
            return Ok(Taken::Nothing(Again::WhenRung));
        }
        let size = message.size();
        let delivered = inbox.deliver(size, |payload| {
            message.read(payload);
        });
        Ok(match delivered {
            Ok(()) => Taken::Message,
            // There is no memory. The message is still in the ring.
            Err(_) => Taken::Nothing(Again::Later),
        })
    }

    /// What to ring since the core has not read all that was sent; see [`Channel::reminder`].
    pub(crate) fn reminder(&self) -> Option<Doorbells> {
        let found = self.open.lock().as_mut()?.channel.reminder();
        found.unwrap_or_else(|fault| {
            self.halted(fault);
            None
        })
    }

    /// The core broke the protocol.
    pub(crate) fn halted(&self, fault: Fault) {
        if let Some(open) = self.open.lock().as_ref() {
            for member in &open.members {
                member.inbox.hang_up();
            }
        }
        self.core.halted(self, fault);
    }

    /// Ends the run: nothing goes into the buffers from here on, and nothing is read.
    pub(crate) fn close(&self) {
        let open = self.open.lock().take();
        if let Some(open) = open {
            for member in &open.members {
                member.inbox.hang_up();
            }
        }
    }

    pub(crate) fn tell(&self, what: fmt::Arguments<'_>) {
        self.core.tell(format_args!("{}: {what}", self.component));
    }
}

/// What has become of the next message.
enum Taken {
    Message,
    Nothing(Again),
}

impl<C: Chip> Open<C> {
    fn find(&self, component: ComponentId, owner: ComponentId) -> Option<&Member<C::Inbox>> {
        self.members
            .iter()
            .find(|member| member.endpoint.receives(component, owner))
    }
}
