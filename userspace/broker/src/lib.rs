// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The protocol over which an app asks the application manager for peripherals.
//!
//! An app whose manifest grants pins is started with one end of a `SOCK_SEQPACKET` pair at the descriptor
//! [`DESCRIPTOR`], and is told so by its one environment variable, [`VARIABLE`]. The descriptor stays open when the app
//! executes another program of its package; an app that does not want that sets `FD_CLOEXEC`.
//!
//! The app sends a [`Request`] of [`Request::SIZE`] bytes and receives a [`Reply`] of [`Reply::SIZE`] bytes before it
//! sends the next. With [`Reply::Granted`] comes one descriptor (`SCM_RIGHTS`), that of the peripheral, which belongs to
//! the app from then on. For a pin it is a line of the GPIO character device, version 2: the app reads and sets it with
//! `GPIO_V2_LINE_GET_VALUES_IOCTL` and `GPIO_V2_LINE_SET_VALUES_IOCTL`, and gives it back by closing it.
//!
//! The manager closes the socket of an app that sends anything else, or that does not read its replies.
//!
//! Numbers are least significant byte first:
//!
//! | bytes | request |
//! |---|---|
//! | 0..4 | what: 1 a pin as an input, 2 a pin as an output |
//! | 4..8 | number of the pin |
//! | 8 | of an output: how it is driven, 0 high and low, 1 low only (open drain), 2 high only (open source); else 0 |
//! | 9 | of an output: its level from the start, 0 low, 1 high; else 0 |
//! | 10..12 | 0 |
//!
//! A reply is an error number of Linux, or 0.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)
)]

pub mod client;

pub use client::Client;

/// The name of the environment variable that tells an app the number of its socket.
pub const VARIABLE: &str = "NACRE_BROKER";

/// The descriptor of the socket in an app.
pub const DESCRIPTOR: i32 = 3;

/// The environment of an app that has the socket: [`VARIABLE`] with [`DESCRIPTOR`].
pub const ENVIRONMENT: &std::ffi::CStr = c"NACRE_BROKER=3";

/// How an output drives its pin, as `GPIO_OutputMode_Type` of applibs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drive {
    /// High and low.
    PushPull,
    /// Low only.
    OpenDrain,
    /// High only.
    OpenSource,
}

/// What an app asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// A pin to read, as `GPIO_OpenAsInput`.
    Input {
        /// Its number.
        pin: u32,
    },
    /// A pin to set, as `GPIO_OpenAsOutput`.
    Output {
        /// Its number.
        pin: u32,
        /// How it is driven.
        drive: Drive,
        /// Whether it is high from the start.
        high: bool,
    },
}

/// Why bytes are no request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestError {
    /// They have another form.
    Malformed,
    /// They have the form, but a drive or a level that is none: the reply is `EINVAL`.
    Value,
}

/// A pin as an input.
const INPUT: [u8; 4] = [1, 0, 0, 0];
/// A pin as an output.
const OUTPUT: [u8; 4] = [2, 0, 0, 0];

impl Request {
    /// The bytes of a request.
    pub const SIZE: usize = 12;

    /// The request as bytes.
    #[must_use]
    pub const fn encode(self) -> [u8; Self::SIZE] {
        let (what, pin, drive, level) = match self {
            Self::Input { pin } => (INPUT, pin, 0, 0),
            Self::Output { pin, drive, high } => {
                let drive = match drive {
                    Drive::PushPull => 0,
                    Drive::OpenDrain => 1,
                    Drive::OpenSource => 2,
                };
                (OUTPUT, pin, drive, if high { 1 } else { 0 })
            }
        };
        let ([a, b, c, d], [e, f, g, h]) = (what, pin.to_le_bytes());
        [a, b, c, d, e, f, g, h, drive, level, 0, 0]
    }

    /// The request in bytes of unknown origin.
    ///
    /// # Errors
    ///
    /// What is wrong with them.
    pub fn parse(bytes: &[u8]) -> Result<Self, RequestError> {
        let &[a, b, c, d, e, f, g, h, drive, level, 0, 0] = bytes else {
            return Err(RequestError::Malformed);
        };
        let pin = u32::from_le_bytes([e, f, g, h]);
        match ([a, b, c, d], drive, level) {
            (INPUT, 0, 0) => Ok(Self::Input { pin }),
            (OUTPUT, ..) => Ok(Self::Output {
                pin,
                drive: match drive {
                    0 => Drive::PushPull,
                    1 => Drive::OpenDrain,
                    2 => Drive::OpenSource,
                    _ => return Err(RequestError::Value),
                },
                high: match level {
                    0 => false,
                    1 => true,
                    _ => return Err(RequestError::Value),
                },
            }),
            _ => Err(RequestError::Malformed),
        }
    }

    /// The number of the pin.
    #[must_use]
    pub const fn pin(self) -> u32 {
        match self {
            Self::Input { pin } | Self::Output { pin, .. } => pin,
        }
    }
}

/// The answer to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The peripheral comes along.
    Granted,
    /// It does not, for this reason: an error number of Linux, as the function of applibs sets it. `EACCES` when the
    /// manifest does not list the pin, `ENODEV` when there is none, `EBUSY` when it is in use, `EINVAL` for a drive or a
    /// level that is none.
    Refused(u32),
}

impl Reply {
    /// The bytes of a reply.
    pub const SIZE: usize = 4;

    /// The reply as bytes.
    #[must_use]
    pub const fn encode(self) -> [u8; Self::SIZE] {
        match self {
            Self::Granted => [0; Self::SIZE],
            Self::Refused(errno) => errno.to_le_bytes(),
        }
    }

    /// The reply in bytes; none when they have another form.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        match u32::from_le_bytes(bytes.try_into().ok()?) {
            0 => Some(Self::Granted),
            errno => Some(Self::Refused(errno)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LED: Request = Request::Output {
        pin: 8,
        drive: Drive::OpenDrain,
        high: true,
    };

    #[test]
    fn the_environment_names_the_descriptor() {
        let environment = format!("{VARIABLE}={DESCRIPTOR}");
        assert_eq!(ENVIRONMENT.to_str(), Ok(environment.as_str()));
    }

    #[test]
    fn requests_have_these_bytes() {
        let button = Request::Input { pin: 0x0102_0304 };
        assert_eq!(button.encode(), [1, 0, 0, 0, 4, 3, 2, 1, 0, 0, 0, 0]);
        assert_eq!(LED.encode(), [2, 0, 0, 0, 8, 0, 0, 0, 1, 1, 0, 0]);
        assert_eq!((LED.pin(), button.pin()), (8, 0x0102_0304));
    }

    #[test]
    fn a_bad_value_is_told_from_a_bad_form() {
        let change = |request: Request, place: usize, value: u8| {
            let mut bytes = request.encode();
            if let Some(byte) = bytes.get_mut(place) {
                *byte = value;
            }
            Request::parse(&bytes)
        };
        assert_eq!(change(LED, 8, 0).map(Request::pin), Ok(8));
        assert_eq!(change(LED, 8, 3), Err(RequestError::Value));
        assert_eq!(change(LED, 9, 2), Err(RequestError::Value));
        let button = Request::Input { pin: 12 };
        for (place, value) in [(0, 0), (0, 3), (3, 1), (8, 1), (9, 1), (10, 1), (11, 1)] {
            let refused = change(button, place, value);
            assert_eq!(refused, Err(RequestError::Malformed), "{place}");
        }
        assert_eq!(Request::parse(&[]), Err(RequestError::Malformed));
    }

    #[test]
    fn a_reply_is_an_error_number() {
        assert_eq!(Reply::Granted.encode(), [0, 0, 0, 0]);
        assert_eq!(Reply::Refused(13).encode(), [13, 0, 0, 0]);
        assert_eq!(Reply::parse(&[0, 0, 0, 0]), Some(Reply::Granted));
        assert_eq!(Reply::parse(&[16, 0, 0, 0]), Some(Reply::Refused(16)));
        assert_eq!(Reply::parse(&[0, 0, 0]), None);
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_was_written(bytes in proptest::collection::vec(0_u8..4, 0..14)) {
            if let Ok(request) = Request::parse(&bytes) {
                prop_assert_eq!(&request.encode()[..], &bytes[..]);
            }
        }

        #[test]
        fn every_request_arrives(pin in any::<u32>(), drive in 0_u8..3, high in any::<bool>()) {
            let drive = [Drive::PushPull, Drive::OpenDrain, Drive::OpenSource][usize::from(drive)];
            for request in [Request::Input { pin }, Request::Output { pin, drive, high }] {
                prop_assert_eq!(Request::parse(&request.encode()), Ok(request));
            }
        }
    }
}
