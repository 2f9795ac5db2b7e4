// SPDX-License-Identifier: Apache-2.0 OR MIT

//! An app's side of the protocol.

use std::env;
use std::os::fd::OwnedFd;

use sys::{Errno, Result};

use crate::{DESCRIPTOR, Reply, Request, VARIABLE};

/// The socket of an app.
#[derive(Debug)]
pub struct Client(OwnedFd);

impl Client {
    /// Takes over the socket that the app was started with; to be asked once. Programs that the app executes do not
    /// get it any more.
    ///
    /// # Errors
    ///
    /// `EACCES` when the app has none, since its manifest grants no pin.
    pub fn take() -> Result<Self> {
        let told = env::var(VARIABLE)
            .ok()
            .and_then(|number| number.parse().ok());
        if told != Some(DESCRIPTOR) {
            return Err(Errno::EACCES);
        }
        sys::descriptor::take_inherited(DESCRIPTOR).map(Self)
    }

    /// Asks for a peripheral.
    ///
    /// # Errors
    ///
    /// That of [`Reply::Refused`]; `EPIPE` when the application manager has closed the socket, `EPROTO` when it is of
    /// another version.
    pub fn ask(&self, request: Request) -> Result<OwnedFd> {
        sys::socket::send(&self.0, &request.encode(), &[])?;
        let mut buffer = [0; Reply::SIZE];
        let received = loop {
            match sys::socket::receive(&self.0, &mut buffer) {
                Err(Errno::EINTR) => {}
                other => break other?,
            }
        };
        let [descriptor, ..] = received.descriptors;
        let reply = buffer.get(..received.length).and_then(Reply::parse);
        match (reply, descriptor) {
            _ if received.length == 0 => Err(Errno::EPIPE),
            (Some(Reply::Granted), Some(descriptor)) => Ok(descriptor),
            (Some(Reply::Refused(errno)), None) => {
                Err(Errno::from_raw(i32::try_from(errno).unwrap_or_default()))
            }
            _ => Err(Errno::EPROTO),
        }
    }
}

impl From<OwnedFd> for Client {
    fn from(socket: OwnedFd) -> Self {
        Self(socket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixDatagram;

    const BUTTON: Request = Request::Input { pin: 12 };

    /// What an app gets to hear when this comes back, with a descriptor or without.
    fn answered(reply: &[u8], descriptor: bool) -> Result<OwnedFd> {
        let (app, manager) = UnixDatagram::pair().unwrap();
        let gift = File::open("/dev/null").unwrap();
        let gifts = [gift.as_fd()];
        sys::socket::send(&manager, reply, if descriptor { &gifts } else { &[] }).unwrap();
        let answer = Client::from(OwnedFd::from(app)).ask(BUTTON);
        let mut asked = [0; 16];
        let length = manager.recv(&mut asked).unwrap();
        assert_eq!(asked[..length], BUTTON.encode());
        answer
    }

    #[test]
    fn a_peripheral_arrives() {
        assert!(answered(&Reply::Granted.encode(), true).is_ok());
    }

    #[test]
    fn a_refusal_is_its_error() {
        let refusal = Reply::Refused(16).encode();
        assert_eq!(answered(&refusal, false).unwrap_err(), Errno::EBUSY);
    }

    #[test]
    fn what_makes_no_sense_is_told() {
        for (reply, descriptor) in [
            (&Reply::Granted.encode()[..], false),
            (&Reply::Refused(16).encode()[..], true),
            (&[0; 3][..], true),
        ] {
            let error = answered(reply, descriptor).unwrap_err();
            assert_eq!(error, Errno::EPROTO, "{reply:?}");
        }
        assert_eq!(answered(&[0; 5], false).unwrap_err(), Errno::EMSGSIZE);
        assert_eq!(answered(&[], false).unwrap_err(), Errno::EPIPE);
    }

    #[test]
    fn an_app_without_the_variable_has_no_socket() {
        assert_eq!(Client::take().unwrap_err(), Errno::EACCES);
    }
}
