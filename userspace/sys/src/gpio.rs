// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Lines of a GPIO chip through its character device, version 2 of the interface (`linux/gpio.h`).

use std::fs;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::path::Path;

use nix::fcntl::{FcntlArg, OFlag, fcntl, open};
use nix::sys::stat::Mode;

use crate::{Errno, Result, zeroed};

/// `GPIO_V2_LINE_FLAG_INPUT`.
const INPUT: u64 = 1 << 2;
/// `GPIO_V2_LINE_FLAG_OUTPUT`.
const OUTPUT: u64 = 1 << 3;
/// `GPIO_V2_LINE_FLAG_EDGE_RISING`.
const EDGE_RISING: u64 = 1 << 4;
/// `GPIO_V2_LINE_FLAG_OPEN_DRAIN`.
const OPEN_DRAIN: u64 = 1 << 6;
/// `GPIO_V2_LINE_FLAG_OPEN_SOURCE`.
const OPEN_SOURCE: u64 = 1 << 7;
/// `GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES`.
const OUTPUT_VALUES: u32 = 2;
/// The first line of a request, in a set of its lines.
const FIRST: u64 = 1;

/// The bytes of a name, its NUL included.
const NAME: usize = 32;

/// `struct gpiochip_info`.
#[repr(C)]
struct Information {
    name: [u8; NAME],
    label: [u8; NAME],
    lines: u32,
}

/// `struct gpio_v2_line_config_attribute`.
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
    consumer: [u8; NAME],
    configuration: Configuration,
    line_count: u32,
    event_buffer_size: u32,
    padding: [u32; 5],
    descriptor: i32,
}

/// `struct gpio_v2_line_values`.
#[repr(C)]
struct Values {
    bits: u64,
    mask: u64,
}

/// Size of `struct gpio_v2_line_event`.
const EVENT_SIZE: usize = 48;

// The number of a request carries the size of its structure: a wrong layout cannot compile.
const _: () = assert!(size_of::<Information>() == 68);
const _: () = assert!(size_of::<Configuration>() == 272);
const _: () = assert!(size_of::<Request>() == 592);
const _: () = assert!(size_of::<Values>() == 16);

mod request {
    //! The requests of the kernel's interface.
    nix::ioctl_read!(get_information, 0xB4, 0x01, super::Information);
    nix::ioctl_readwrite!(get_line, 0xB4, 0x07, super::Request);
    nix::ioctl_readwrite!(configure, 0xB4, 0x0D, super::Configuration);
    nix::ioctl_readwrite!(get_values, 0xB4, 0x0E, super::Values);
    nix::ioctl_readwrite!(set_values, 0xB4, 0x0F, super::Values);
}

/// How an output drives its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drive {
    /// High and low.
    PushPull,
    /// Low only.
    OpenDrain,
    /// High only.
    OpenSource,
}

/// What a line is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// It is read.
    Input,
    /// It is set.
    Output {
        /// How.
        drive: Drive,
        /// Whether it is high from the start.
        high: bool,
    },
}

impl Use {
    /// The flags, and whether the line is high from the start.
    const fn flags(self) -> (u64, bool) {
        match self {
            Self::Input => (INPUT, false),
            Self::Output { drive, high } => {
                let mode = match drive {
                    Drive::PushPull => 0,
                    Drive::OpenDrain => OPEN_DRAIN,
                    Drive::OpenSource => OPEN_SOURCE,
                };
                (OUTPUT | mode, high)
            }
        }
    }
}

/// A GPIO chip.
#[derive(Debug)]
pub struct Chip(OwnedFd);

impl Chip {
    /// Opens the chip with this device node.
    ///
    /// # Errors
    ///
    /// `ENOENT` without the node, `EACCES` without the right to it.
    pub fn open(node: &Path) -> Result<Self> {
        let flags = OFlag::O_RDONLY | OFlag::O_CLOEXEC;
        Ok(Self(open(node, flags, Mode::empty())?))
    }

    /// Opens the chip with this label, whatever its number, among the device nodes of a folder.
    ///
    /// # Errors
    ///
    /// `ENODEV` when there is none.
    pub fn find(folder: &Path, label: &str) -> Result<Self> {
        for entry in fs::read_dir(folder).map_err(|_| Errno::ENODEV)?.flatten() {
            if !entry
                .file_name()
                .as_encoded_bytes()
                .starts_with(b"gpiochip")
            {
                continue;
            }
            // One that cannot be asked is not the one.
            if let Ok(chip) = Self::open(&entry.path())
                && chip.is_labelled(label) == Ok(true)
            {
                return Ok(chip);
            }
        }
        Err(Errno::ENODEV)
    }

    /// Whether the chip has this label.
    fn is_labelled(&self, label: &str) -> Result<bool> {
        // SAFETY: the structure consists of numbers.
        let mut information: Information = unsafe { zeroed() };
        // SAFETY: the request number belongs to this structure, which lives over the call.
        unsafe { request::get_information(self.0.as_raw_fd(), &raw mut information) }?;
        let named = information.label.split(|&byte| byte == 0).next();
        Ok(named == Some(label.as_bytes()))
    }

    /// Asks for the line with this offset; `consumer` is the name under which the kernel lists the user, at most 31
    /// bytes of it.
    ///
    /// # Errors
    ///
    /// `EINVAL` without such a line, `EBUSY` when it has another user, `ENODEV` when the chip is gone.
    pub fn line(&self, line: u32, usage: Use, consumer: &str) -> Result<OwnedFd> {
        let (flags, high) = usage.flags();
        self.request(line, flags, high, consumer)
    }

    fn request(&self, line: u32, flags: u64, high: bool, consumer: &str) -> Result<OwnedFd> {
        // SAFETY: the structure consists of numbers.
        let mut request: Request = unsafe { zeroed() };
        request.offsets = core::array::from_fn(|index| if index == 0 { line } else { 0 });
        // The last byte stays zero: it ends the string.
        for (to, from) in request
            .consumer
            .iter_mut()
            .take(NAME - 1)
            .zip(consumer.bytes())
        {
            *to = from;
        }
        request.configuration.flags = flags;
        if let (true, [first, ..]) = (high, &mut request.configuration.attributes) {
            request.configuration.attribute_count = 1;
            first.id = OUTPUT_VALUES;
            first.value = FIRST;
            first.mask = FIRST;
        }
        request.line_count = 1;
        // SAFETY: the request number belongs to this structure, which lives over the call.
        unsafe { request::get_line(self.0.as_raw_fd(), &raw mut request) }?;
        // SAFETY: the kernel has just stored a new descriptor there, which nothing else owns.
        Ok(unsafe { OwnedFd::from_raw_fd(request.descriptor) })
    }
}

/// A line that was asked for, by this process or another.
#[derive(Debug)]
pub struct Line(OwnedFd);

impl Line {
    /// A line, from its descriptor.
    #[must_use]
    pub const fn new(descriptor: OwnedFd) -> Self {
        Self(descriptor)
    }

    /// Whether the line is high; of an output, whether it is set so.
    ///
    /// # Errors
    ///
    /// `ENODEV` when the chip is gone, `ENOTTY` when the descriptor is no line.
    pub fn is_high(&self) -> Result<bool> {
        let mut values = Values {
            bits: 0,
            mask: FIRST,
        };
        // SAFETY: the request number belongs to this structure, which lives over the call.
        unsafe { request::get_values(self.0.as_raw_fd(), &raw mut values) }?;
        Ok(values.bits & FIRST != 0)
    }

    /// Sets the line.
    ///
    /// # Errors
    ///
    /// `EPERM` for an input, `ENODEV` when the chip is gone, `ENOTTY` when the descriptor is no line.
    pub fn set(&self, high: bool) -> Result<()> {
        let mut values = Values {
            bits: if high { FIRST } else { 0 },
            mask: FIRST,
        };
        // SAFETY: the request number belongs to this structure, which lives over the call.
        unsafe { request::set_values(self.0.as_raw_fd(), &raw mut values) }.map(drop)
    }

    /// Changes what the line is used for. Apps may not: the filter of their system calls refuses it.
    ///
    /// # Errors
    ///
    /// `EPERM` for an app, `ENODEV` when the chip is gone, `ENOTTY` when the descriptor is no line.
    pub fn configure(&self, usage: Use) -> Result<()> {
        // SAFETY: the structure consists of numbers.
        let mut configuration: Configuration = unsafe { zeroed() };
        configuration.flags = usage.flags().0;
        // SAFETY: the request number belongs to this structure, which lives over the call.
        unsafe { request::configure(self.0.as_raw_fd(), &raw mut configuration) }.map(drop)
    }
}

/// A line whose rising edges are counted: for a button, its presses.
#[derive(Debug)]
pub struct RisingEdges(OwnedFd);

impl RisingEdges {
    /// Asks for the line with this offset on the chip with this device node; `consumer` is as for [`Chip::line`].
    ///
    /// # Errors
    ///
    /// As of [`Chip::open`] and [`Chip::line`] (the kernel's own button driver can be the other user); `ENXIO` when
    /// the line cannot interrupt.
    pub fn open(chip: &str, line: u32, consumer: &str) -> Result<Self> {
        let chip = Chip::open(Path::new(chip))?;
        let line = chip.request(line, INPUT | EDGE_RISING, false, consumer)?;
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
        for folder in ["/nonexistent", "/proc/self"] {
            let missing = Chip::find(Path::new(folder), "mt3620").unwrap_err();
            assert_eq!(missing, Errno::ENODEV);
        }
    }

    #[test]
    fn a_device_that_is_no_chip_is_refused() {
        let none = |error| matches!(error, Errno::ENOTTY | Errno::EINVAL);
        assert!(none(RisingEdges::open("/dev/null", 3, "test").unwrap_err()));
        let null = Chip::open(Path::new("/dev/null")).unwrap();
        assert!(none(null.is_labelled("mt3620").unwrap_err()));
        assert!(none(null.line(3, Use::Input, "test").unwrap_err()));
        let line = Line::new(null.0);
        assert!(none(line.is_high().unwrap_err()));
        assert!(none(line.set(true).unwrap_err()));
        assert!(none(line.configure(Use::Input).unwrap_err()));
    }

    #[test]
    fn each_use_has_its_flags() {
        let output = |drive| Use::Output { drive, high: true };
        let flags = [
            (Use::Input, (4, false)),
            (output(Drive::PushPull), (8, true)),
            (output(Drive::OpenDrain), (72, true)),
            (output(Drive::OpenSource), (136, true)),
        ];
        for (usage, expected) in flags {
            assert_eq!(usage.flags(), expected, "{usage:?}");
        }
    }
}
