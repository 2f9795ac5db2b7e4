// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The application manager as this interface sees it: a trait, and the control socket behind it.

use std::sync::{Mutex, PoisonError};

use control::channel::Incoming;
use control::{Channel, ChannelError, Refusal, Reply, Request};

use crate::problem::Problem;

/// Why the manager gave no answer of the expected kind.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManagerError {
    /// It refused or failed, and said why.
    #[error("{} {}", .0.error, .0.detail)]
    Refused(Refusal),
    /// The control channel broke; the process is of no use without it.
    #[error("cannot reach the application manager")]
    Channel(#[from] ChannelError),
    /// It answered something else than was asked.
    #[error("the application manager answered out of turn")]
    OutOfTurn,
}

impl From<ManagerError> for Problem {
    fn from(error: ManagerError) -> Self {
        match error {
            ManagerError::Refused(refusal) => refusal.into(),
            other => Problem::internal(format!("{other}: restart the device")),
        }
    }
}

/// The application manager. All its methods may be called from several threads.
pub trait Manager: Send + Sync {
    /// Asks, and waits for a reply that is a message.
    ///
    /// # Errors
    /// [`ManagerError::Refused`] for [`Reply::Error`]; the others when no reply came.
    fn ask(&self, request: &Request) -> Result<Reply, ManagerError>;

    /// Asks, and waits for a reply of raw bytes.
    ///
    /// # Errors
    /// As [`Manager::ask`].
    fn ask_bytes(&self, request: &Request) -> Result<Vec<u8>, ManagerError>;

    /// Sends the next chunk, of at most [`control::channel::MAX_BYTES`] bytes, of the image being staged.
    ///
    /// # Errors
    /// As [`Manager::ask`].
    fn chunk(&self, bytes: &[u8]) -> Result<(), ManagerError>;
}

/// The manager at the other end of the control socket.
///
/// One request is under way at a time; the others wait for the lock. Chunks of an image are requests of
/// their own, so a slow upload does not keep the others waiting.
#[derive(Debug)]
pub struct ControlSocket(Mutex<Channel>);

impl ControlSocket {
    /// Over this channel.
    #[must_use]
    pub fn new(channel: Channel) -> Self {
        Self(Mutex::new(channel))
    }

    fn with<T>(
        &self,
        call: impl FnOnce(&mut Channel) -> Result<T, ManagerError>,
    ) -> Result<T, ManagerError> {
        // A poisoned lock means that another thread panicked between two packets; the channel itself
        // reports what is wrong with it.
        let mut channel = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        call(&mut channel)
    }
}

impl Manager for ControlSocket {
    fn ask(&self, request: &Request) -> Result<Reply, ManagerError> {
        self.with(|channel| accepted(channel.ask_message(request)?))
    }

    fn ask_bytes(&self, request: &Request) -> Result<Vec<u8>, ManagerError> {
        self.with(|channel| match channel.ask(request)? {
            Incoming::Bytes(bytes) => Ok(bytes.to_vec()),
            Incoming::Message(reply) => accepted(reply).and(Err(ManagerError::OutOfTurn)),
        })
    }

    fn chunk(&self, bytes: &[u8]) -> Result<(), ManagerError> {
        self.with(|channel| match accepted(channel.ask_chunk(bytes)?)? {
            Reply::Done { .. } => Ok(()),
            _ => Err(ManagerError::OutOfTurn),
        })
    }
}

/// Turns a reply that refuses into an error.
fn accepted(reply: Reply) -> Result<Reply, ManagerError> {
    match reply {
        Reply::Error(refusal) => Err(ManagerError::Refused(refusal)),
        reply => Ok(reply),
    }
}
