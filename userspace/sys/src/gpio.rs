// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Edges of one input line through the GPIO character device, version 2 of its interface
//! (`linux/gpio.h`): enough for a power button.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use nix::fcntl::{FcntlArg, OFlag, fcntl, open};
use nix::sys::stat::Mode;

use crate::{Errno, Result, zeroed};

/// `GPIO_V2_LINE_FLAG_INPUT`.
const INPUT: u64 = 1 << 2;
/// `GPIO_V2_LINE_FLAG_EDGE_RISING`.
const EDGE_RISING: u64 = 1 << 4;

/// `struct gpio_v2_line_config_attribute`, of which none is used.
#[repr(C)]
struct Attribute {
    id: u32,
    padding: u32,
    value: u64,
    mask: u64,
}

/// `struct gpio_v2_line_config`.
#[repr(C)]
struct Configuration {
    flags: u64,
    attribute_count: u32,
    padding: [u32; 5],
    attributes: [Attribute; 10],
}

/// `struct gpio_v2_line_request`.
#[repr(C)]
struct Request {
    offsets: [u32; 64],
    consumer: [u8; 32],
    configuration: Configuration,
    line_count: u32,
    event_buffer_size: u32,
    padding: [u32; 5],
    descriptor: i32,
}

/// Size of `struct gpio_v2_line_event`.
const EVENT_SIZE: usize = 48;

// The number of the request carries the size of the structure: a wrong layout cannot compile.
const _: () = assert!(size_of::<Request>() == 592);

mod request {
    //! The request of the kernel's interface.
    nix::ioctl_readwrite!(get_line, 0xB4, 0x07, super::Request);
}

/// A line whose rising edges are counted: for a button, its presses.
#[derive(Debug)]
pub struct RisingEdges(OwnedFd);

impl RisingEdges {
    /// Asks for the line with this offset on the chip with this device node; `consumer` is the name under
    /// which the kernel lists the user, at most 31 bytes of it.
    ///
    /// # Errors
    ///
    /// `ENOENT` without the node, `EINVAL` without such a line, `EBUSY` when it has another user (the
    /// kernel's own button driver, for one), `ENXIO` when it cannot interrupt.
    pub fn open(chip: &str, line: u32, consumer: &str) -> Result<Self> {
        let chip = open(chip, OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty())?;
        // SAFETY: the structure consists of numbers.
        let mut request: Request = unsafe { zeroed() };
        request.offsets = core::array::from_fn(|index| if index == 0 { line } else { 0 });
        // The last byte stays zero: it ends the string.
        for (to, from) in request.consumer.iter_mut().take(31).zip(consumer.bytes()) {
            *to = from;
        }
        request.configuration.flags = INPUT | EDGE_RISING;
        request.line_count = 1;
        // SAFETY: the request number belongs to this structure, which lives over the call.
        unsafe { request::get_line(chip.as_raw_fd(), &raw mut request) }?;
        // SAFETY: the kernel has just stored a new descriptor there, which nothing else owns.
        let line = unsafe { OwnedFd::from_raw_fd(request.descriptor) };
        fcntl(&line, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        Ok(Self(line))
    }

    /// Takes one edge from the queue; false when there is none. The descriptor polls readable when there is.
    ///
    /// # Errors
    ///
    /// `ENODEV` when the chip is gone.
    pub fn take(&self) -> Result<bool> {
        let mut event = [0u8; EVENT_SIZE];
        match nix::unistd::read(&self.0, &mut event) {
            Ok(_) => Ok(true),
            Err(Errno::EAGAIN | Errno::EINTR) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl AsFd for RisingEdges {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_chip_is_reported() {
        assert_eq!(
            RisingEdges::open("/nonexistent/gpiochip0", 3, "test").unwrap_err(),
            Errno::ENOENT
        );
    }

    #[test]
    fn a_device_that_is_no_chip_is_refused() {
        let error = RisingEdges::open("/dev/null", 3, "test").unwrap_err();
        assert!(matches!(error, Errno::ENOTTY | Errno::EINVAL), "{error}");
    }
}
