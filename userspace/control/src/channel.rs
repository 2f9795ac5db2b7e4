// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Packets of the control protocol over one connected `SOCK_SEQPACKET` socket.
//!
//! The socket keeps packet borders, so a packet is either taken whole or refused whole. Neither side
//! trusts the other: whatever arrives yields a value or a [`ChannelError`], never a panic, and
//! descriptors sent along with a packet are closed by the kernel because no room is offered for them.

use std::io::IoSlice;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockType, UnixAddr, recv, sendmsg, socketpair,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{MAX_PACKET, Reply, Request};

/// The largest run of raw bytes in one packet: a packet less its tag.
pub const MAX_BYTES: usize = MAX_PACKET - 1;

/// Tag of a packet that holds JSON.
const TAG_JSON: u8 = b'J';
/// Tag of a packet that holds raw bytes.
const TAG_BYTES: u8 = b'B';

/// Why a packet could not be sent or was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChannelError {
    /// The other side is gone. Nothing more will come: drop the channel.
    #[error("the other side of the control channel is gone")]
    Closed,
    /// Nothing can be sent or received now; only on a channel made with [`Channel::without_waiting`].
    #[error("the control channel is not ready")]
    NotReady,
    /// A packet of this many bytes, tag included, is over [`MAX_PACKET`].
    #[error("control packet of {0} bytes is over the limit of {MAX_PACKET} bytes")]
    TooLarge(usize),
    /// The packet begins with this byte, which is neither `J` nor `B`.
    #[error("control packet has the unknown tag {0:#04x}")]
    UnknownTag(u8),
    /// The JSON in the packet is not the message that was expected.
    #[error("control packet holds no valid message")]
    Malformed(#[source] serde_json::Error),
    /// The message could not be written as JSON.
    #[error("control message cannot be written as JSON")]
    Unwritable(#[source] serde_json::Error),
    /// Raw bytes came where a message was expected.
    #[error("control packet holds raw bytes where a message is due")]
    UnexpectedBytes,
    /// The system call failed.
    #[error("control channel failed")]
    System(#[source] Errno),
}

/// What one packet held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Incoming<'a, M> {
    /// A message, read from JSON.
    Message(M),
    /// Raw bytes; they stay valid until the next packet.
    Bytes(&'a [u8]),
}

/// One end of the control channel, with one packet buffer that is used again and again.
#[derive(Debug)]
pub struct Channel {
    socket: OwnedFd,
    buffer: Vec<u8>,
    flags: MsgFlags,
}

impl Channel {
    /// Takes one end of a connected `SOCK_SEQPACKET` pair. Sending and receiving wait.
    pub fn new(socket: OwnedFd) -> Self {
        Self {
            socket,
            buffer: Vec::new(),
            flags: MsgFlags::MSG_NOSIGNAL,
        }
    }

    /// Makes a connected pair: this side's channel and the descriptor to hand to the other process.
    /// Both descriptors close on `execve`.
    ///
    /// # Errors
    /// [`ChannelError::System`] when the kernel gives no socket pair.
    pub fn pair() -> Result<(Self, OwnedFd), ChannelError> {
        let (mine, theirs) = socketpair(
            AddressFamily::Unix,
            SockType::SeqPacket,
            None,
            SockFlag::SOCK_CLOEXEC,
        )
        .map_err(ChannelError::System)?;
        Ok((Self::new(mine), theirs))
    }

    /// The same channel, but no call waits: it answers [`ChannelError::NotReady`] instead. The manager
    /// uses this, so that a device API that does not read its replies cannot hold it up.
    #[must_use]
    pub fn without_waiting(mut self) -> Self {
        self.flags |= MsgFlags::MSG_DONTWAIT;
        self
    }

    /// Sends one message as a JSON packet.
    ///
    /// # Errors
    /// [`ChannelError::TooLarge`] when the message does not fit in [`MAX_PACKET`]; nothing was sent then.
    pub fn send<M: Serialize>(&mut self, message: &M) -> Result<(), ChannelError> {
        self.buffer.clear();
        self.buffer.push(TAG_JSON);
        serde_json::to_writer(&mut self.buffer, message).map_err(ChannelError::Unwritable)?;
        self.send_parts(&[IoSlice::new(&self.buffer)])
    }

    /// Sends raw bytes as one packet, without copying them first.
    ///
    /// # Errors
    /// [`ChannelError::TooLarge`] for more than [`MAX_BYTES`]; nothing was sent then.
    pub fn send_bytes(&self, bytes: &[u8]) -> Result<(), ChannelError> {
        self.send_parts(&[IoSlice::new(&[TAG_BYTES]), IoSlice::new(bytes)])
    }

    /// Receives one packet whole.
    ///
    /// # Errors
    /// [`ChannelError::Closed`] at the end; [`ChannelError::TooLarge`], [`ChannelError::UnknownTag`] and
    /// [`ChannelError::Malformed`] for a packet that breaks the protocol. That packet is gone; the
    /// channel itself stays usable, whether to go on is the caller's choice.
    pub fn receive<M: DeserializeOwned>(&mut self) -> Result<Incoming<'_, M>, ChannelError> {
        self.buffer.resize(MAX_PACKET, 0);
        let length = loop {
            let flags = self.flags | MsgFlags::MSG_TRUNC;
            match recv(self.socket.as_raw_fd(), &mut self.buffer, flags) {
                Ok(length) => break length,
                Err(Errno::EINTR) => {}
                Err(error) => return Err(system_error(error)),
            }
        };
        let Some(packet) = self.buffer.get(..length) else {
            return Err(ChannelError::TooLarge(length));
        };
        match packet.split_first() {
            // A packet of no bytes and the end of the stream look the same and get the same answer.
            None => Err(ChannelError::Closed),
            Some((&TAG_BYTES, body)) => Ok(Incoming::Bytes(body)),
            Some((&TAG_JSON, body)) => serde_json::from_slice(body)
                .map(Incoming::Message)
                .map_err(ChannelError::Malformed),
            Some((&tag, _)) => Err(ChannelError::UnknownTag(tag)),
        }
    }

    /// Sends a request and waits for its answer: the device API's side of the protocol.
    ///
    /// # Errors
    /// As [`Channel::send`] and [`Channel::receive`].
    pub fn ask(&mut self, request: &Request) -> Result<Incoming<'_, Reply>, ChannelError> {
        self.send(request)?;
        self.receive()
    }

    /// Sends a request whose answer is a message, and waits for it.
    ///
    /// # Errors
    /// As [`Channel::ask`]; [`ChannelError::UnexpectedBytes`] when the answer is raw bytes.
    pub fn ask_message(&mut self, request: &Request) -> Result<Reply, ChannelError> {
        message(self.ask(request)?)
    }

    /// Sends a chunk of the image being staged and waits for the answer to it.
    ///
    /// # Errors
    /// As [`Channel::send_bytes`] and [`Channel::ask_message`].
    pub fn ask_chunk(&mut self, chunk: &[u8]) -> Result<Reply, ChannelError> {
        self.send_bytes(chunk)?;
        message(self.receive()?)
    }

    fn send_parts(&self, parts: &[IoSlice<'_>]) -> Result<(), ChannelError> {
        let length = parts
            .iter()
            .fold(0_usize, |sum, part| sum.saturating_add(part.len()));
        if length > MAX_PACKET {
            return Err(ChannelError::TooLarge(length));
        }
        loop {
            let socket = self.socket.as_raw_fd();
            match sendmsg::<UnixAddr>(socket, parts, &[], self.flags, None) {
                // A packet socket takes a packet whole or not at all, so the count says nothing new.
                Ok(_) => return Ok(()),
                Err(Errno::EINTR) => {}
                Err(error) => return Err(system_error(error)),
            }
        }
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn message(incoming: Incoming<'_, Reply>) -> Result<Reply, ChannelError> {
    match incoming {
        Incoming::Message(reply) => Ok(reply),
        Incoming::Bytes(_) => Err(ChannelError::UnexpectedBytes),
    }
}

fn system_error(error: Errno) -> ChannelError {
    match error {
        Errno::EPIPE | Errno::ECONNRESET | Errno::ENOTCONN => ChannelError::Closed,
        Errno::EAGAIN => ChannelError::NotReady,
        other => ChannelError::System(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AppControlMode, RefusalKind, Trigger};
    use proptest::prelude::*;

    fn pair() -> (Channel, Channel) {
        let (mine, theirs) = Channel::pair().unwrap();
        (
            mine.without_waiting(),
            Channel::new(theirs).without_waiting(),
        )
    }

    fn raw(channel: &Channel, packet: &[u8]) {
        let parts = [IoSlice::new(packet)];
        let flags = MsgFlags::empty();
        sendmsg::<UnixAddr>(channel.socket.as_raw_fd(), &parts, &[], flags, None).unwrap();
    }

    fn component() -> policy::ComponentId {
        "2f074b0f-d99d-4692-82d9-ef93a7d6463c".parse().unwrap()
    }

    fn requests() -> Vec<Request> {
        let component = component();
        vec![
            Request::Device,
            Request::Images,
            Request::StageBegin { length: u64::MAX },
            Request::StageEnd,
            Request::StageAbort,
            Request::Install {
                mode: AppControlMode::Manual,
            },
            Request::Delete { component },
            Request::AppState { component },
            Request::AppControl {
                component,
                trigger: Trigger::StartDebug,
            },
            Request::AppQuota { component },
            Request::App { component },
            Request::AppLog { component },
            Request::Memory,
            Request::Log,
            Request::Restart,
        ]
    }

    #[test]
    fn every_request_arrives_as_sent() {
        let (mut api, mut manager) = pair();
        for request in requests() {
            api.send(&request).unwrap();
            assert_eq!(
                manager.receive::<Request>().unwrap(),
                Incoming::Message(request)
            );
        }
    }

    #[test]
    fn replies_and_bytes_arrive_in_order() {
        let (mut api, mut manager) = pair();
        let refusal = Reply::Error(crate::Refusal {
            error: policy::DeviceError::REST_APP_APP_NOT_PRESENT,
            detail: "no such app: see /images".to_owned(),
            kind: RefusalKind::Conflict,
        });
        manager.send(&refusal).unwrap();
        manager.send_bytes(b"line\n").unwrap();
        manager.send_bytes(b"").unwrap();
        assert_eq!(api.receive().unwrap(), Incoming::Message(refusal));
        assert_eq!(
            api.receive::<Reply>().unwrap(),
            Incoming::Bytes(b"line\n".as_slice())
        );
        assert_eq!(
            api.receive::<Reply>().unwrap(),
            Incoming::Bytes(b"".as_slice())
        );
    }

    #[test]
    fn ask_waits_for_the_answer() {
        let (mine, theirs) = Channel::pair().unwrap();
        let manager = std::thread::spawn(move || {
            let mut manager = Channel::new(theirs);
            let mut seen = Vec::new();
            for _ in 0..3 {
                match manager.receive::<Request>().unwrap() {
                    Incoming::Message(Request::Log) => manager.send_bytes(b"log").unwrap(),
                    Incoming::Message(_) => {
                        manager.send(&Reply::Done { restarting: true }).unwrap();
                    }
                    Incoming::Bytes(bytes) => {
                        seen.extend_from_slice(bytes);
                        manager.send(&Reply::Done { restarting: false }).unwrap();
                    }
                }
            }
            seen
        });
        let mut api = mine;
        assert_eq!(
            api.ask_message(&Request::Restart).unwrap(),
            Reply::Done { restarting: true }
        );
        assert_eq!(
            api.ask_chunk(b"chunk").unwrap(),
            Reply::Done { restarting: false }
        );
        assert!(matches!(
            api.ask_message(&Request::Log),
            Err(ChannelError::UnexpectedBytes)
        ));
        assert_eq!(manager.join().unwrap(), b"chunk");
    }

    #[test]
    fn largest_packet_passes_and_one_byte_more_is_refused() {
        let (api, mut manager) = pair();
        let body = vec![7; MAX_BYTES];
        api.send_bytes(&body).unwrap();
        assert_eq!(
            manager.receive::<Request>().unwrap(),
            Incoming::Bytes(body.as_slice())
        );
        assert!(matches!(
            api.send_bytes(&vec![7; MAX_BYTES + 1]),
            Err(ChannelError::TooLarge(length)) if length == MAX_PACKET + 1
        ));
        assert!(matches!(
            manager.receive::<Request>(),
            Err(ChannelError::NotReady)
        ));
    }

    #[test]
    fn oversize_message_is_refused_before_sending() {
        let (mut api, mut manager) = pair();
        assert!(matches!(
            api.send(&"x".repeat(MAX_PACKET)),
            Err(ChannelError::TooLarge(_))
        ));
        assert!(matches!(
            manager.receive::<Request>(),
            Err(ChannelError::NotReady)
        ));
    }

    #[test]
    fn oversize_packet_of_a_peer_is_refused_and_the_next_one_is_taken() {
        let (mut api, mut manager) = pair();
        raw(&api, &vec![TAG_BYTES; MAX_PACKET + 1]);
        api.send(&Request::Log).unwrap();
        assert!(matches!(
            manager.receive::<Request>(),
            Err(ChannelError::TooLarge(length)) if length == MAX_PACKET + 1
        ));
        assert_eq!(manager.receive().unwrap(), Incoming::Message(Request::Log));
    }

    #[test]
    fn malformed_packets_are_refused() {
        for packet in [
            b"J".as_slice(),
            b"J{",
            b"J{}",
            b"Jnull",
            b"J{\"request\":\"unknown\"}",
            b"J{\"request\":\"log\"} ,",
            b"J{\"request\":\"delete\"}",
            b"J{\"request\":\"delete\",\"component\":\"\"}",
            b"J{\"request\":\"stageBegin\",\"length\":-1}",
            b"J\xff\xfe",
        ] {
            let (api, mut manager) = pair();
            raw(&api, packet);
            assert!(
                matches!(
                    manager.receive::<Request>(),
                    Err(ChannelError::Malformed(_))
                ),
                "{}",
                packet.escape_ascii()
            );
        }
    }

    #[test]
    fn unknown_tag_is_refused() {
        let (api, mut manager) = pair();
        raw(&api, b"X{\"request\":\"log\"}");
        assert!(matches!(
            manager.receive::<Request>(),
            Err(ChannelError::UnknownTag(b'X'))
        ));
    }

    #[test]
    fn end_of_the_channel_is_told_from_a_pause() {
        let (mut api, mut manager) = pair();
        assert!(matches!(
            manager.receive::<Request>(),
            Err(ChannelError::NotReady)
        ));
        drop(manager);
        assert!(matches!(api.send(&Request::Log), Err(ChannelError::Closed)));
        assert!(matches!(api.receive::<Reply>(), Err(ChannelError::Closed)));
    }

    #[test]
    fn peer_that_does_not_read_cannot_hold_up_the_sender() {
        let (_api, manager) = pair();
        let body = vec![0; MAX_BYTES];
        let refused = (0..10_000).find_map(|_| manager.send_bytes(&body).err());
        assert!(matches!(refused, Some(ChannelError::NotReady)));
    }

    proptest! {
        #[test]
        fn no_packet_panics(packet in proptest::collection::vec(any::<u8>(), 1..200)) {
            let (api, mut manager) = pair();
            raw(&api, &packet);
            let taken = manager.receive::<Request>();
            if packet[0] == TAG_BYTES {
                prop_assert_eq!(taken.unwrap(), Incoming::Bytes(&packet[1..]));
            } else {
                prop_assert!(taken.is_err() || packet[0] == TAG_JSON);
            }
        }

        #[test]
        fn no_json_panics(json in "[\\[\\]{}\":,a-z0-9.\\\\-]{0,80}") {
            let (api, mut manager) = pair();
            raw(&api, format!("J{json}").as_bytes());
            prop_assert!(!matches!(manager.receive::<Request>(), Ok(Incoming::Bytes(_))));
            raw(&manager, format!("J{json}").as_bytes());
            let mut api = api;
            prop_assert!(!matches!(api.receive::<Reply>(), Ok(Incoming::Bytes(_))));
        }

        #[test]
        fn bytes_of_any_length_arrive_whole(bytes in proptest::collection::vec(any::<u8>(), 0..5000)) {
            let (api, mut manager) = pair();
            api.send_bytes(&bytes).unwrap();
            prop_assert_eq!(manager.receive::<Request>().unwrap(), Incoming::Bytes(bytes.as_slice()));
        }
    }
}
