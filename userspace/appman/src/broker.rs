// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Gives apps the peripherals that their manifests grant, one request at a time.
//!
//! An app never opens a device node of a peripheral: it asks over a socket of its own ([`::broker`]), and gets a
//! descriptor that can do nothing but what was granted. The manager keeps no copy, so that the kernel frees a pin when
//! the app closes it or ends, and says itself when it is in use. Nothing here waits: an app that does not read its
//! replies loses its socket, and so does one that breaks the protocol.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use broker::{Reply, Request, RequestError};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockType, recv, setsockopt, socketpair, sockopt,
};
use policy::{Denial, Grant, Peripheral};

/// What the kernel keeps of replies that the app has not read, in bytes with all that is around them: a handful.
const UNREAD_REPLIES: usize = 4096;

/// Refusals that are noted in the log for each start of an app; the rest is told to the app only.
const NOTED_REFUSALS: u8 = 8;

/// The manager's end of the socket of one app. Dropping it ends the app's requests.
#[derive(Debug)]
pub struct Broker {
    socket: OwnedFd,
    noted: u8,
}

/// What became of what an app has sent.
#[derive(Debug, PartialEq, Eq)]
pub enum Served {
    /// It was answered, or there was nothing.
    Answered,
    /// It was refused.
    Refused {
        /// The manifest does not grant it.
        denial: Option<Denial>,
        /// A line for the log, if that has not enough of them.
        line: Option<String>,
    },
    /// The app has closed its end.
    Closed,
    /// The app broke the protocol; a line for the log.
    Broken(String),
}

/// Why a request is refused.
enum Refusal {
    /// The manifest does not grant it.
    Denied(Denial),
    /// The kernel does not give it, or the request makes no sense.
    Failed(Errno),
}

impl Broker {
    /// Makes the socket of an app: the manager's end and the app's.
    ///
    /// # Errors
    /// When the kernel gives none.
    pub fn pair() -> Result<(Self, OwnedFd), Errno> {
        let (socket, theirs) = socketpair(
            AddressFamily::Unix,
            SockType::SeqPacket,
            None,
            SockFlag::SOCK_CLOEXEC,
        )?;
        // Only our end: the app may wait for its replies.
        fcntl(&socket, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        setsockopt(&socket, sockopt::SndBuf, &UNREAD_REPLIES)?;
        Ok((Self { socket, noted: 0 }, theirs))
    }

    /// Answers one request. What the app may have is decided by `grant`; `open` asks the kernel for it.
    pub fn serve(
        &mut self,
        grant: &Grant<'_>,
        open: impl FnOnce(Request) -> Result<OwnedFd, Errno>,
    ) -> Served {
        let mut buffer = [0; Request::SIZE];
        // No room is offered for descriptors, so the kernel closes those that come along.
        let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_TRUNC;
        let length = match recv(self.socket.as_raw_fd(), &mut buffer, flags) {
            // A message of no bytes and the end look the same.
            Ok(0) | Err(Errno::ECONNRESET) => return Served::Closed,
            Ok(length) => length,
            Err(Errno::EAGAIN | Errno::EINTR) => return Served::Answered,
            Err(error) => return Served::Broken(format!("its requests cannot be read: {error}")),
        };
        let request = match Request::parse(buffer.get(..length).unwrap_or_default()) {
            Ok(request) => Ok(request),
            Err(RequestError::Value) => Err(Refusal::Failed(Errno::EINVAL)),
            Err(RequestError::Malformed) => {
                return Served::Broken(format!("{length} bytes that are no request"));
            }
        };
        let pin = request.as_ref().ok().map(|request| request.pin());
        match request.and_then(|request| grant_request(grant, request, open)) {
            Ok(descriptor) => self
                .reply(Reply::Granted, &[descriptor.as_fd()])
                .unwrap_or(Served::Answered),
            Err(refusal) => self.refuse(pin, &refusal),
        }
    }

    fn refuse(&mut self, pin: Option<u32>, refusal: &Refusal) -> Served {
        let (errno, denial) = match refusal {
            Refusal::Denied(denial) => (denial.errno.number(), Some(*denial)),
            Refusal::Failed(errno) => (*errno as i32, None),
        };
        if let Some(end) = self.reply(Reply::Refused(errno.unsigned_abs()), &[]) {
            return end;
        }
        let line = (self.noted < NOTED_REFUSALS).then(|| {
            self.noted = self.noted.saturating_add(1);
            let what = pin.map_or_else(|| "a pin".to_owned(), |pin| format!("pin {pin}"));
            match refusal {
                Refusal::Denied(denial) => format!("{what} is refused: {denial}"),
                Refusal::Failed(errno) => format!("{what} is refused: {errno}"),
            }
        });
        Served::Refused { denial, line }
    }

    /// Sends a reply; the end of the socket when that fails.
    fn reply(&self, reply: Reply, descriptors: &[BorrowedFd<'_>]) -> Option<Served> {
        match sys::socket::send(&self.socket, &reply.encode(), descriptors) {
            Ok(()) => None,
            Err(Errno::EPIPE | Errno::ECONNRESET) => Some(Served::Closed),
            Err(Errno::EAGAIN) => Some(Served::Broken("it does not read its replies".to_owned())),
            Err(error) => Some(Served::Broken(format!("it cannot be answered: {error}"))),
        }
    }
}

impl AsFd for Broker {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// The descriptor for a request, if the grant has it and the kernel gives it.
fn grant_request(
    grant: &Grant<'_>,
    request: Request,
    open: impl FnOnce(Request) -> Result<OwnedFd, Errno>,
) -> Result<OwnedFd, Refusal> {
    // No chip has so many.
    let pin = u8::try_from(request.pin()).unwrap_or(u8::MAX);
    let wanted = policy::Request::Open(Peripheral::Gpio(pin));
    grant.decide(wanted).allowed().map_err(Refusal::Denied)?;
    open(request).map_err(Refusal::Failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use broker::Drive;
    use nix::sys::socket::{MsgFlags, recv, send};
    use policy::{AppKind, Capability, Peripherals};
    use proptest::prelude::*;

    const LED: Request = Request::Output {
        pin: 8,
        drive: Drive::PushPull,
        high: true,
    };

    fn grant() -> Grant<'static> {
        Grant {
            peripherals: Peripherals::of(&[Peripheral::Gpio(8), Peripheral::Gpio(12)]),
            ..Grant::none(crate::testing::id(crate::testing::APP), AppKind::HighLevel)
        }
    }

    fn ask(app: &OwnedFd, bytes: &[u8]) {
        send(app.as_raw_fd(), bytes, MsgFlags::empty()).unwrap();
    }

    /// The next reply, and the descriptor that came along.
    fn answer(app: &OwnedFd) -> (Reply, Option<OwnedFd>) {
        let mut buffer = [0; 16];
        let received = sys::socket::receive(app, &mut buffer).unwrap();
        let [descriptor, none, ..] = received.descriptors;
        assert!(none.is_none());
        (
            Reply::parse(&buffer[..received.length]).unwrap(),
            descriptor,
        )
    }

    fn file() -> Result<OwnedFd, Errno> {
        Ok(std::fs::File::open("/dev/null").unwrap().into())
    }

    #[test]
    fn what_is_granted_is_given_and_not_kept() {
        let (mut broker, app) = Broker::pair().unwrap();
        assert_eq!(broker.serve(&grant(), |_| unreachable!()), Served::Answered);
        let (reader, writer) = nix::unistd::pipe().unwrap();
        ask(&app, &LED.encode());
        let served = broker.serve(&grant(), |request| {
            assert_eq!(request, LED);
            Ok(writer)
        });
        assert_eq!(served, Served::Answered);
        let (reply, line) = answer(&app);
        assert_eq!(reply, Reply::Granted);
        nix::unistd::write(line.as_ref().unwrap(), b"on").unwrap();
        // The end of the pipe comes only when nobody else has the other end.
        drop(line);
        let mut read = String::new();
        std::io::Read::read_to_string(&mut std::fs::File::from(reader), &mut read).unwrap();
        assert_eq!(read, "on");
    }

    #[test]
    fn each_refusal_has_the_error_of_applibs() {
        let (mut broker, app) = Broker::pair().unwrap();
        let mut bad_mode = LED.encode();
        bad_mode[8] = 3;
        for (request, kernel, errno, said, key) in [
            (
                Request::Input { pin: 9 }.encode(),
                None,
                Errno::EACCES,
                "Gpio",
                Some(Some(Capability::Gpio)),
            ),
            (
                Request::Input { pin: 24 }.encode(),
                None,
                Errno::ENODEV,
                "pin 24",
                Some(None),
            ),
            (
                Request::Input { pin: 300 }.encode(),
                None,
                Errno::ENODEV,
                "pin 300",
                Some(None),
            ),
            (
                LED.encode(),
                Some(Errno::EBUSY),
                Errno::EBUSY,
                "pin 8",
                None,
            ),
            (
                LED.encode(),
                Some(Errno::ENODEV),
                Errno::ENODEV,
                "pin 8",
                None,
            ),
            (bad_mode, None, Errno::EINVAL, "a pin", None),
        ] {
            ask(&app, &request);
            let served = broker.serve(&grant(), |_| Err(kernel.unwrap()));
            let Served::Refused { denial, line } = served else {
                panic!("{served:?}");
            };
            let line = line.unwrap();
            assert!(line.contains(said), "{line}");
            // Only what a manifest decides is a denial.
            assert_eq!(denial.map(|denial| denial.key), key, "{line}");
            let (reply, line) = answer(&app);
            assert_eq!(reply, Reply::Refused(errno as u32));
            assert!(line.is_none());
        }
        ask(&app, &LED.encode());
        assert_eq!(broker.serve(&grant(), |_| file()), Served::Answered);
        assert!(answer(&app).1.is_some());
    }

    #[test]
    fn the_log_is_not_filled_with_refusals() {
        let (mut broker, app) = Broker::pair().unwrap();
        let mut noted = 0;
        for _ in 0..100 {
            ask(&app, &Request::Input { pin: 9 }.encode());
            let Served::Refused { denial, line } = broker.serve(&grant(), |_| file()) else {
                panic!("pin 9 was not refused");
            };
            assert!(denial.is_some(), "every denial is counted");
            noted += u8::from(line.is_some());
            assert_eq!(answer(&app).0, Reply::Refused(Errno::EACCES as u32));
        }
        assert_eq!(noted, NOTED_REFUSALS);
    }

    #[test]
    fn whatever_is_no_request_ends_the_socket() {
        let long = [1; 4096];
        for bytes in [&b"x"[..], &[0; 12], &LED.encode()[..11], &long] {
            let (mut broker, app) = Broker::pair().unwrap();
            ask(&app, bytes);
            let served = broker.serve(&grant(), |_| file());
            assert!(matches!(served, Served::Broken(_)), "{served:?}");
        }
        let (mut broker, app) = Broker::pair().unwrap();
        drop(app);
        assert_eq!(broker.serve(&grant(), |_| file()), Served::Closed);
    }

    #[test]
    fn descriptors_that_come_along_are_closed() {
        let (mut broker, app) = Broker::pair().unwrap();
        let (reader, writer) = nix::unistd::pipe().unwrap();
        sys::socket::send(&app, &LED.encode(), &[writer.as_fd()]).unwrap();
        drop(writer);
        assert_eq!(broker.serve(&grant(), |_| file()), Served::Answered);
        assert_eq!(nix::unistd::read(&reader, &mut [0; 1]), Ok(0));
    }

    #[test]
    fn an_app_that_reads_no_replies_ends_after_a_few() {
        let (mut broker, app) = Broker::pair().unwrap();
        let served = (1..100).find_map(|number| {
            ask(&app, &LED.encode());
            let served = broker.serve(&grant(), |_| file());
            (served != Served::Answered).then_some((number, served))
        });
        let Some((number, Served::Broken(reason))) = served else {
            panic!("{served:?}");
        };
        assert!((2..20).contains(&number), "{number}");
        assert!(reason.contains("replies"), "{reason}");
    }

    #[test]
    fn an_app_that_goes_without_reading_is_no_failure() {
        let (mut broker, app) = Broker::pair().unwrap();
        ask(&app, &LED.encode());
        drop(app);
        assert_eq!(broker.serve(&grant(), |_| file()), Served::Closed);
    }

    proptest! {
        #[test]
        fn only_granted_pins_are_asked_of_the_kernel(bytes in proptest::collection::vec(0_u8..16, 1..14)) {
            let (mut broker, app) = Broker::pair().unwrap();
            ask(&app, &bytes);
            broker.serve(&grant(), |request| {
                assert!([8, 12].contains(&request.pin()));
                file()
            });
            let mut reply = [0; 16];
            match recv(app.as_raw_fd(), &mut reply, MsgFlags::MSG_DONTWAIT) {
                Ok(length) => prop_assert_eq!(length, Reply::SIZE),
                Err(errno) => prop_assert_eq!(errno, Errno::EAGAIN),
            }
        }
    }
}
