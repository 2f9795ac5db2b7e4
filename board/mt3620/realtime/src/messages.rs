// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Messages from and to the high-level core.

use core::ops::Range;
use core::sync::atomic::AtomicU32;

use intercore::{
    Buffers, Channel, Descriptor, Fault, MAX_PAYLOAD, Next, Progress, Setup, SetupError, Side,
};
use policy::ComponentId;

use crate::interrupts::Interrupts;
use crate::mailbox::Mailbox;

/// Where shared buffers can be: the high-level core's memory, and nothing of this core's own.
const SHARED: Range<u32> = 0x8000_0000..0x9000_0000;

/// A shared buffer.
pub type Memory = &'static [AtomicU32];

/// Room for a message.
pub struct Buffer([u8; MAX_PAYLOAD]);

impl Buffer {
    /// An empty one.
    #[must_use]
    pub const fn new() -> Self {
        Self([0; MAX_PAYLOAD])
    }
}

impl Default for Buffer {
    fn default() -> Self {
        Self::new()
    }
}

/// Why a message was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendError {
    /// The high-level core has set up no connection, or has ended it.
    NotConnected,
    /// The high-level core has to read first; [`crate::Core::wait`] ends when it did.
    Full,
    /// The message is too long.
    TooLong,
    /// The high-level core broke the protocol, and has to set the connection up again.
    Halted(Fault),
}

impl From<intercore::SendError> for SendError {
    fn from(error: intercore::SendError) -> Self {
        match error {
            intercore::SendError::Halted(fault) => Self::Halted(fault),
            intercore::SendError::TooLong { .. } => Self::TooLong,
            _ => Self::Full,
        }
    }
}

/// What became of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Messages can be exchanged, for the first time or anew.
    Connected,
    /// The high-level core ended it.
    Disconnected,
    /// The high-level core's setup was no good.
    Refused(SetupError),
}

/// The connection to the high-level core: as often as it sets one up, this side takes part in it.
pub struct Intercore {
    mailbox: Mailbox,
    setup: Setup,
    link: Option<Link>,
}

struct Link {
    channel: Channel<Memory>,
    inbound: Memory,
    outbound: Memory,
}

impl Link {
    fn new(buffers: Buffers) -> Result<Self, SetupError> {
        // SAFETY: `Buffers` has seen to it that both lie within `SHARED`, apart from each other.
        let (inbound, outbound) =
            unsafe { (map(buffers.to_real_time()), map(buffers.to_high_level())) };
        Ok(Self {
            channel: Channel::new(Side::RealTime, inbound, outbound)?,
            inbound,
            outbound,
        })
    }
}

/// The words of a buffer.
///
/// # Safety
///
/// It lies in memory that no object of this program is in.
unsafe fn map(buffer: Descriptor) -> Memory {
    let words = core::ptr::with_exposed_provenance(buffer.address() as usize);
    // SAFETY: The address is a multiple of 32; the memory stays where it is; the other core's accesses are
    // those of atomics. Words of which the high-level core has not granted access end in an exception.
    unsafe { core::slice::from_raw_parts(words, buffer.size() as usize / 4) }
}

impl Intercore {
    pub(crate) fn new(mut mailbox: Mailbox, interrupts: &mut Interrupts) -> Self {
        mailbox.open(interrupts);
        Self {
            mailbox,
            setup: Setup::new(),
            link: None,
        }
    }

    /// Does what the high-level core asked for by entries and doorbells; to be called after each
    /// [`crate::Core::wait`]. Then messages are received until there are none, and those that wait are sent.
    pub fn serve(&mut self) -> Option<Event> {
        let mut event = None;
        while let Some(entry) = self.mailbox.take() {
            let progress = self.setup.take(entry, &SHARED);
            let now = match progress {
                Ok(Progress::Waiting) => continue,
                Ok(Progress::Stopped) => Err(Event::Disconnected),
                Ok(Progress::Ready(buffers)) => Link::new(buffers).map_err(Event::Refused),
                Err(error) => Err(Event::Refused(error)),
            };
            event = Some(now.as_ref().err().copied().unwrap_or(Event::Connected));
            self.link = now.ok();
        }
        self.mailbox.clear();
        event
    }

    /// Sends a message of at most [`MAX_PAYLOAD`] bytes to a component on the high-level core.
    ///
    /// # Errors
    ///
    /// Why it was not sent.
    pub fn send(&mut self, to: ComponentId, message: &[u8]) -> Result<(), SendError> {
        let link = self.link.as_mut().ok_or(SendError::NotConnected)?;
        let bells = link.channel.send(to, message)?;
        self.mailbox.ring(bells);
        Ok(())
    }

    /// Takes the next message, with its sender; none when there is none, or no connection.
    ///
    /// # Errors
    ///
    /// The connection is halted.
    pub fn receive<'a>(
        &mut self,
        buffer: &'a mut Buffer,
    ) -> Result<Option<(ComponentId, &'a mut [u8])>, Fault> {
        let Some(link) = &mut self.link else {
            return Ok(None);
        };
        let consumed = link.channel.consumed();
        loop {
            match link.channel.receive()? {
                None => return Ok(None),
                Some(Next::Dropped { .. }) => self.mailbox.ring(consumed),
                Some(Next::Message(message)) => {
                    let sender = message.component();
                    let payload = message.read(&mut buffer.0);
                    self.mailbox.ring(consumed);
                    return Ok(Some((sender, payload)));
                }
            }
        }
    }

    /// The mailbox and the buffers, the one that this side reads and the one that it writes, for an app that
    /// tests the high-level core by not keeping to the protocol.
    pub fn raw(&mut self) -> Option<(&mut Mailbox, Memory, Memory)> {
        let link = self.link.as_ref()?;
        Some((&mut self.mailbox, link.inbound, link.outbound))
    }
}
