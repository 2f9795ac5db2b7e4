// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Real-time cores through their device nodes, `/dev/rtcore0` and on: the kernel's part is `modules/intercore`.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;

use crate::{Errno, Result, zeroed};

/// The bytes of a component id.
pub type Id = [u8; 16];

/// The most partners that an app can have.
pub const MOST_PARTNERS: usize = 64;

/// `struct rtcore_start`.
#[repr(C)]
struct Start {
    component: Id,
    partner_count: u32,
    reserved: u32,
    partners: [Id; MOST_PARTNERS],
}

// The number of the request carries the size of the structure: a wrong layout cannot compile.
const _: () = assert!(size_of::<Start>() == 1048);

mod request {
    //! The requests of the kernel's interface.
    nix::ioctl_write_ptr!(start, b'N', 0x40, super::Start);
    nix::ioctl_read!(status, b'N', 0x42, u32);
}

/// What a core does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing: it was not started.
    Stopped,
    /// It runs.
    Running,
    /// It locked up, and stopped.
    LockedUp,
    /// Its watchdog stopped it.
    Watchdog,
    /// It runs, but broke the protocol, so that its messages are not taken any more.
    Halted,
    /// It reset itself, and was stopped then.
    Reset,
}

/// A real-time core. It belongs to this value: dropping it stops the core.
#[derive(Debug)]
pub struct Core(OwnedFd);

impl Core {
    /// Takes the core with this device node.
    ///
    /// # Errors
    ///
    /// `ENOENT` without the node, `EBUSY` when somebody has it, `EPERM` for anyone but the application manager.
    pub fn open(node: &str) -> Result<Self> {
        let flags = OFlag::O_RDWR | OFlag::O_CLOEXEC;
        Ok(Self(open(node, flags, Mode::empty())?))
    }

    /// Appends to the firmware, an ELF file.
    ///
    /// # Errors
    ///
    /// `EFBIG` when it grows larger than the kernel takes, `EBUSY` while the core runs.
    pub fn write(&self, part: &[u8]) -> Result<()> {
        match nix::unistd::write(&self.0, part)? {
            written if written == part.len() => Ok(()),
            _ => Err(Errno::EIO),
        }
    }

    /// Loads the firmware, starts the core as this component (with the bytes of a GUID), and connects it with its
    /// partners (with bytes in the order of the text, ascending).
    ///
    /// # Errors
    ///
    /// `ENOEXEC` for what is no firmware for the core, `EFBIG` when it does not fit, `ENODATA` without any, `EEXIST`
    /// when the component runs on another core, `EINVAL` for a bad id or partner, `E2BIG` for more than
    /// [`MOST_PARTNERS`], `ETIMEDOUT` when the core does not answer. Nothing runs then.
    pub fn start(&self, component: Id, partners: &[Id]) -> Result<()> {
        // SAFETY: the structure consists of numbers.
        let mut start: Start = unsafe { zeroed() };
        start.component = component;
        start.partner_count = u32::try_from(partners.len()).map_err(|_| Errno::E2BIG)?;
        let places = start.partners.get_mut(..partners.len());
        places.ok_or(Errno::E2BIG)?.copy_from_slice(partners);
        // SAFETY: the request number belongs to this structure, which lives over the call.
        unsafe { request::start(self.0.as_raw_fd(), &raw const start) }.map(drop)
    }

    /// What the core does. When it stopped by itself or broke the protocol, the descriptor reports a priority event
    /// until this has been asked.
    ///
    /// # Errors
    ///
    /// `ENODEV` when the driver is gone; `EPROTO` for a state that is not known here.
    pub fn state(&self) -> Result<State> {
        let mut state = 0;
        // SAFETY: the request number belongs to a number of this size, which lives over the call.
        unsafe { request::status(self.0.as_raw_fd(), &raw mut state) }?;
        match state {
            0 => Ok(State::Stopped),
            1 => Ok(State::Running),
            2 => Ok(State::LockedUp),
            3 => Ok(State::Watchdog),
            4 => Ok(State::Halted),
            5 => Ok(State::Reset),
            _ => Err(Errno::EPROTO),
        }
    }
}

impl AsFd for Core {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_core_is_reported() {
        let refused = Core::open("/nonexistent/rtcore0").unwrap_err();
        assert_eq!(refused, Errno::ENOENT);
    }

    #[test]
    fn a_device_that_is_no_core_is_refused() {
        let core = Core::open("/dev/null").unwrap();
        core.write(b"firmware").unwrap();
        let refused = [
            core.start([7; 16], &[]).unwrap_err(),
            core.state().unwrap_err(),
        ];
        assert!(
            refused
                .iter()
                .all(|errno| matches!(errno, Errno::ENOTTY | Errno::EINVAL))
        );
    }

    #[test]
    fn too_many_partners_are_refused_before_the_kernel_is_asked() {
        let core = Core::open("/dev/null").unwrap();
        let many = [[7; 16]; MOST_PARTNERS + 1];
        assert_eq!(core.start([7; 16], &many), Err(Errno::E2BIG));
        assert_ne!(core.start([7; 16], &many[1..]), Err(Errno::E2BIG));
    }
}
