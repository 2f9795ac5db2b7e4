// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Messages with descriptors over Unix sockets.

use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, recvmsg, sendmsg};

use crate::{Errno, Result};

/// Most descriptors of one message.
pub const MOST_DESCRIPTORS: usize = 4;

/// Sends one message with descriptors, at most [`MOST_DESCRIPTORS`].
///
/// # Errors
///
/// `EPIPE` when the other side is closed (no signal is raised); `EMSGSIZE` when the socket cannot take so
/// much at once; `E2BIG` for too many descriptors.
pub fn send<F: AsFd>(socket: F, message: &[u8], descriptors: &[BorrowedFd<'_>]) -> Result<()> {
    if descriptors.len() > MOST_DESCRIPTORS {
        return Err(Errno::E2BIG);
    }
    let mut numbers = [-1 as RawFd; MOST_DESCRIPTORS];
    for (number, descriptor) in numbers.iter_mut().zip(descriptors) {
        *number = descriptor.as_raw_fd();
    }
    let numbers = numbers.get(..descriptors.len()).unwrap_or_default();
    let rights = [ControlMessage::ScmRights(numbers)];
    let control = if numbers.is_empty() { &[][..] } else { &rights };
    let sent = sendmsg::<()>(
        socket.as_fd().as_raw_fd(),
        &[IoSlice::new(message)],
        control,
        MsgFlags::MSG_NOSIGNAL,
        None,
    )?;
    if sent == message.len() {
        Ok(())
    } else {
        Err(Errno::EMSGSIZE)
    }
}

/// A message with its descriptors.
#[derive(Debug)]
pub struct Received {
    /// Length of the message in the buffer; 0 at the end of the connection.
    pub length: usize,
    /// The descriptors in the order of sending, closed on exec.
    pub descriptors: [Option<OwnedFd>; MOST_DESCRIPTORS],
}

/// Receives one message with descriptors into `buffer`.
///
/// # Errors
///
/// `EMSGSIZE` when the message is longer than the buffer or has more than [`MOST_DESCRIPTORS`] descriptors;
/// `EINTR` when a signal was handled, `EAGAIN` when the socket does not block and has none.
pub fn receive<F: AsFd>(socket: F, buffer: &mut [u8]) -> Result<Received> {
    let mut space = nix::cmsg_space!([RawFd; MOST_DESCRIPTORS]);
    let mut slices = [IoSliceMut::new(buffer)];
    let message = recvmsg::<()>(
        socket.as_fd().as_raw_fd(),
        &mut slices,
        Some(&mut space),
        MsgFlags::MSG_CMSG_CLOEXEC,
    )?;
    let mut received = Received {
        length: message.bytes,
        descriptors: [const { None }; MOST_DESCRIPTORS],
    };
    let mut too_many = message
        .flags
        .intersects(MsgFlags::MSG_TRUNC | MsgFlags::MSG_CTRUNC);
    let mut slots = received.descriptors.iter_mut();
    // With truncated control data nix refuses to walk it, and the kernel has kept what did not fit.
    if let Ok(control) = message.cmsgs() {
        for part in control {
            let ControlMessageOwned::ScmRights(numbers) = part else {
                continue;
            };
            for number in numbers {
                // SAFETY: the kernel has just made this descriptor for us, and nothing else owns it.
                let descriptor = unsafe { OwnedFd::from_raw_fd(number) };
                match slots.next() {
                    Some(slot) => *slot = Some(descriptor),
                    None => too_many = true,
                }
            }
        }
    }
    if too_many {
        return Err(Errno::EMSGSIZE);
    }
    Ok(received)
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
    use std::io::Write;

    fn pair() -> (OwnedFd, OwnedFd) {
        socketpair(
            AddressFamily::Unix,
            SockType::SeqPacket,
            None,
            SockFlag::SOCK_CLOEXEC,
        )
        .unwrap()
    }

    #[test]
    fn a_descriptor_arrives_open_and_closed_on_exec() {
        let (ours, theirs) = pair();
        let (reader, writer) = nix::unistd::pipe().unwrap();
        send(&ours, b"hello", &[writer.as_fd()]).unwrap();
        drop(writer);
        let mut buffer = [0; 16];
        let mut received = receive(&theirs, &mut buffer).unwrap();
        assert_eq!(&buffer[..received.length], b"hello");
        let arrived = received.descriptors[0].take().unwrap();
        let flags = nix::fcntl::fcntl(&arrived, nix::fcntl::FcntlArg::F_GETFD).unwrap();
        assert_eq!(flags, libc::FD_CLOEXEC);
        std::fs::File::from(arrived).write_all(b"through").unwrap();
        assert_eq!(
            std::io::read_to_string(std::fs::File::from(reader)).unwrap(),
            "through"
        );
    }

    #[test]
    fn too_long_and_too_many_are_refused() {
        let (ours, theirs) = pair();
        send(&ours, &[0; 17], &[]).unwrap();
        assert_eq!(receive(&theirs, &mut [0; 16]).unwrap_err(), Errno::EMSGSIZE);
        let many = [ours.as_fd(); MOST_DESCRIPTORS + 1];
        assert_eq!(send(&ours, b"x", &many), Err(Errno::E2BIG));
    }

    #[test]
    fn the_end_is_a_message_of_length_zero_and_sending_fails_without_a_signal() {
        let (ours, theirs) = pair();
        drop(ours);
        assert_eq!(receive(&theirs, &mut [0; 16]).unwrap().length, 0);
        assert_eq!(send(&theirs, b"x", &[]), Err(Errno::EPIPE));
    }
}
