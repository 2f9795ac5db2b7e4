// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The real-time cores of the board, and which app runs on which.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileExt;

use nix::errno::Errno;
use policy::ComponentId;
use sys::real_time::{self, State};

use crate::machine::{Firmware, MachineError};

/// Bytes of firmware that are copied at a time.
const PART: usize = 16 * 1024;

/// One real-time core, which stops when the value is dropped; tests make one up.
pub trait Core: AsFd + Sized {
    /// Takes the core with this device node.
    ///
    /// # Errors
    /// `EBUSY` when it runs an app, others when it cannot be had.
    fn take(node: &str) -> Result<Self, Errno>;

    /// Appends to its firmware.
    ///
    /// # Errors
    /// When it cannot take that.
    fn load(&self, part: &[u8]) -> Result<(), Errno>;

    /// Starts it.
    ///
    /// # Errors
    /// When it does not run.
    fn start(&self, component: ComponentId, partners: &[[u8; 16]]) -> Result<(), Errno>;

    /// What it does.
    ///
    /// # Errors
    /// When that is not known.
    fn state(&self) -> Result<State, Errno>;
}

impl Core for real_time::Core {
    fn take(node: &str) -> Result<Self, Errno> {
        Self::open(node)
    }

    fn load(&self, part: &[u8]) -> Result<(), Errno> {
        self.write(part)
    }

    fn start(&self, component: ComponentId, partners: &[[u8; 16]]) -> Result<(), Errno> {
        Self::start(self, component.to_guid_bytes(), partners)
    }

    fn state(&self) -> Result<State, Errno> {
        Self::state(self)
    }
}

/// The cores of the board.
#[derive(Debug)]
pub struct Cores<C> {
    nodes: Vec<String>,
    taken: BTreeMap<ComponentId, C>,
}

impl<C: Core> Cores<C> {
    /// Cores with these device nodes, by number.
    pub fn new(nodes: &[String]) -> Self {
        Self {
            nodes: nodes.to_vec(),
            taken: BTreeMap::new(),
        }
    }

    /// Starts an app on a free core. Answers its number.
    ///
    /// # Errors
    /// When no core is free, or the core does not take the firmware; nothing runs then.
    pub fn start(&mut self, firmware: &Firmware<'_>) -> Result<u8, MachineError> {
        let (number, core) = self.free()?;
        copy(firmware, &core)?;
        core.start(firmware.component, &partners(firmware.partners))
            .map_err(|errno| refused(errno, number))?;
        self.taken.insert(firmware.component, core);
        Ok(number)
    }

    /// The first core that nobody has.
    fn free(&self) -> Result<(u8, C), MachineError> {
        for (number, node) in (0..).zip(&self.nodes) {
            match C::take(node) {
                Ok(core) => return Ok((number, core)),
                Err(Errno::EBUSY) => {}
                Err(errno) => {
                    return Err(MachineError {
                        message: format!("cannot open {node}, a real-time core: {}", errno.desc()),
                        errno: errno as i32,
                        lasting: true,
                    });
                }
            }
        }
        Err(MachineError {
            message: match self.nodes.len() {
                0 => "the board has no real-time core".to_owned(),
                _ => "no real-time core is free: stop another app".to_owned(),
            },
            errno: Errno::EBUSY as i32,
            lasting: self.nodes.is_empty(),
        })
    }

    /// Stops an app, if it has a core.
    pub fn stop(&mut self, component: ComponentId) {
        self.taken.remove(&component);
    }

    /// What tells, by a priority event, that the state of an app's core changed by itself.
    pub fn event(&self, component: ComponentId) -> Option<BorrowedFd<'_>> {
        self.taken.get(&component).map(AsFd::as_fd)
    }

    /// What the core of an app does.
    ///
    /// # Errors
    /// When it is not known any more.
    pub fn state(&self, component: ComponentId) -> Result<State, Errno> {
        self.taken
            .get(&component)
            .map_or(Ok(State::Stopped), Core::state)
    }
}

/// Copies firmware to a core.
fn copy<C: Core>(firmware: &Firmware<'_>, core: &C) -> Result<(), MachineError> {
    let mut buffer = vec![0; PART];
    let mut place = firmware.content.program.start;
    let end = firmware.content.program.end;
    while place < end {
        let left = usize::try_from(end.saturating_sub(place)).unwrap_or(PART);
        let part = buffer.get_mut(..left.min(PART)).unwrap_or_default();
        let copied = firmware
            .content
            .file
            .read_exact_at(part, place)
            .map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or_default()))
            .and_then(|()| core.load(part));
        copied.map_err(|errno| MachineError {
            message: format!("cannot copy the firmware to the core: {}", errno.desc()),
            errno: errno as i32,
            lasting: errno == Errno::EFBIG,
        })?;
        place = place.saturating_add(part.len() as u64);
    }
    Ok(())
}

/// The partners as the kernel wants them: each once, ascending, and not the nil id, which is nobody.
fn partners(listed: &[ComponentId]) -> Vec<[u8; 16]> {
    let mut partners: Vec<[u8; 16]> = listed
        .iter()
        .filter(|partner| **partner != ComponentId::NIL)
        .map(|partner| partner.to_bytes())
        .collect();
    partners.sort_unstable();
    partners.dedup();
    partners
}

/// Why a core did not start.
fn refused(errno: Errno, number: u8) -> MachineError {
    let reason = match errno {
        Errno::ENOEXEC => "it takes the file for no firmware".to_owned(),
        Errno::EFBIG => "the firmware does not fit into its memories".to_owned(),
        Errno::EEXIST => "the app runs on another core".to_owned(),
        Errno::ETIMEDOUT => "it does not answer".to_owned(),
        other => other.desc().to_owned(),
    };
    MachineError {
        message: format!("real-time core {number} does not start: {reason}; see the kernel's log"),
        errno: errno as i32,
        lasting: matches!(errno, Errno::ENOEXEC | Errno::EFBIG | Errno::EINVAL),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::fs::File;
    use std::os::fd::OwnedFd;

    use crate::store::Content;
    use crate::testing::{APP, OTHER, id};

    const THIRD: &str = "1689d8b2-c835-2e27-27ad-e894d6d15fa9";

    thread_local! {
        /// Which cores run or are being loaded, and how the next start ends.
        static TAKEN: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
        static LOADED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
        static PARTNERS: RefCell<Vec<[u8; 16]>> = const { RefCell::new(Vec::new()) };
        static FAILS: RefCell<Option<Errno>> = const { RefCell::new(None) };
    }

    /// A core that exists once.
    #[derive(Debug)]
    struct Fake {
        node: String,
        event: OwnedFd,
    }

    impl Drop for Fake {
        fn drop(&mut self) {
            TAKEN.with_borrow_mut(|taken| taken.retain(|node| *node != self.node));
        }
    }

    impl AsFd for Fake {
        fn as_fd(&self) -> BorrowedFd<'_> {
            self.event.as_fd()
        }
    }

    impl Core for Fake {
        fn take(node: &str) -> Result<Self, Errno> {
            if node.contains("missing") {
                return Err(Errno::ENOENT);
            }
            TAKEN.with_borrow_mut(|taken| {
                if taken.iter().any(|other| other == node) {
                    return Err(Errno::EBUSY);
                }
                taken.push(node.to_owned());
                Ok(())
            })?;
            LOADED.take();
            Ok(Self {
                node: node.to_owned(),
                event: File::open("/dev/null").unwrap().into(),
            })
        }

        fn load(&self, part: &[u8]) -> Result<(), Errno> {
            assert!(part.len() <= PART);
            LOADED.with_borrow_mut(|loaded| loaded.extend_from_slice(part));
            Ok(())
        }

        fn start(&self, _: ComponentId, partners: &[[u8; 16]]) -> Result<(), Errno> {
            PARTNERS.set(partners.to_vec());
            FAILS.take().map_or(Ok(()), Err)
        }

        fn state(&self) -> Result<State, Errno> {
            Ok(State::LockedUp)
        }
    }

    fn cores(nodes: &[&str]) -> Cores<Fake> {
        let nodes: Vec<String> = nodes.iter().map(|&node| node.to_owned()).collect();
        Cores::new(&nodes)
    }

    /// Starts an app whose firmware is between other bytes.
    fn start(cores: &mut Cores<Fake>, component: &str) -> Result<u8, MachineError> {
        let bytes: Vec<u8> = (0..40_000_u32)
            .map(|number| number.to_le_bytes()[0])
            .collect();
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(&bytes, 0).unwrap();
        let content = Content {
            file,
            file_system_size: 4096,
            program: 100..39_000,
        };
        let started = cores.start(&Firmware {
            component: id(component),
            content: &content,
            partners: &[id(OTHER), id(APP), ComponentId::NIL, id(OTHER)],
        });
        if started.is_ok() {
            assert_eq!(LOADED.take(), bytes[100..39_000]);
        }
        started
    }

    #[test]
    fn each_app_gets_a_core_as_long_as_there_is_one() {
        let mut cores = cores(&["rtcore0", "rtcore1"]);
        assert_eq!(start(&mut cores, APP), Ok(0));
        assert_eq!(start(&mut cores, OTHER), Ok(1));
        let refused = start(&mut cores, THIRD).unwrap_err();
        assert!(
            refused.message.contains("no real-time core is free"),
            "{refused}"
        );
        assert!(!refused.lasting);
        cores.stop(id(APP));
        assert_eq!(start(&mut cores, THIRD), Ok(0));
        assert!(cores.event(id(APP)).is_none() && cores.event(id(THIRD)).is_some());
        assert_eq!(cores.state(id(APP)), Ok(State::Stopped));
        assert_eq!(cores.state(id(THIRD)), Ok(State::LockedUp));
    }

    #[test]
    fn a_core_that_does_not_start_is_free_again() {
        let mut cores = cores(&["rtcore0"]);
        for (errno, lasting) in [
            (Errno::ENOEXEC, true),
            (Errno::EFBIG, true),
            (Errno::ETIMEDOUT, false),
        ] {
            FAILS.set(Some(errno));
            let refused = start(&mut cores, APP).unwrap_err();
            assert_eq!((refused.errno, refused.lasting), (errno as i32, lasting));
            assert!(refused.message.contains("real-time core 0"), "{refused}");
        }
        assert_eq!(start(&mut cores, APP), Ok(0));
    }

    #[test]
    fn a_board_without_cores_or_a_kernel_without_the_driver_refuses_for_good() {
        let none = start(&mut cores(&[]), APP).unwrap_err();
        assert!(none.lasting && none.message.contains("has no real-time core"));
        let missing = start(&mut cores(&["missing0"]), APP).unwrap_err();
        assert!(
            missing.lasting && missing.message.contains("missing0"),
            "{missing}"
        );
    }

    #[test]
    fn the_kernel_gets_partners_that_ascend() {
        start(&mut cores(&["rtcore0"]), APP).unwrap();
        let bytes = PARTNERS.take().concat();
        let ids = [id(APP), id(OTHER)].map(ComponentId::to_bytes).concat();
        assert_eq!(bytes, ids);
    }
}
