// SPDX-License-Identifier: Apache-2.0 OR MIT

//! All `unsafe` of this program: memory that is mapped and unmapped, memory that is counted, and a socket to a real-time core.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::num::NonZeroUsize;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use nix::errno::Errno;
use nix::libc;
use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous, munmap};

/// One page.
const PAGE: NonZeroUsize = NonZeroUsize::new(4096).unwrap();

/// Maps a page and unmaps it.
pub fn map_and_unmap() -> nix::Result<()> {
    let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
    // SAFETY: a new page at a place that the kernel chooses touches no memory of the program.
    let page = unsafe { mmap_anonymous(None, PAGE, protection, MapFlags::MAP_PRIVATE) }?;
    // SAFETY: it is the page from above, which nothing refers to.
    unsafe { munmap(page, PAGE.get()) }
}

/// The family of sockets to apps on real-time cores.
const FAMILY: u16 = 43;

/// The address of such an app.
#[repr(C)]
struct Address {
    family: u16,
    port: u16,
    /// The id with the bytes of a GUID.
    component: [u8; 16],
}

/// A socket that is connected to the app with this id, given as the bytes of a GUID.
pub fn real_time_socket(component: [u8; 16]) -> nix::Result<OwnedFd> {
    // SAFETY: it takes numbers only.
    let made = Errno::result(unsafe {
        libc::socket(FAMILY.into(), libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0)
    })?;
    // SAFETY: the call has just made it, so nobody else owns it.
    let socket = unsafe { OwnedFd::from_raw_fd(made) };
    let address = Address {
        family: FAMILY,
        port: 0,
        component,
    };
    // SAFETY: the address lives through the call, and has the size that is given.
    let connected = unsafe {
        libc::connect(
            socket.as_raw_fd(),
            (&raw const address).cast(),
            size_of::<Address>() as libc::socklen_t,
        )
    };
    Errno::result(connected)?;
    Ok(socket)
}

/// The allocator of the system, and how much of it was in use at most.
pub struct Heap {
    used: AtomicUsize,
    peak: AtomicUsize,
}

impl Heap {
    /// One that has counted nothing.
    pub const fn new() -> Self {
        Self {
            used: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
        }
    }

    /// Runs `body`, and returns by how many bytes the heap grew meanwhile at most.
    pub fn growth<T>(&self, body: impl FnOnce() -> T) -> (usize, T) {
        let before = self.used.load(Relaxed);
        self.peak.store(before, Relaxed);
        let result = body();
        (self.peak.load(Relaxed) - before, result)
    }

    fn add(&self, size: usize) {
        let used = self.used.fetch_add(size, Relaxed) + size;
        self.peak.fetch_max(used, Relaxed);
    }
}

// SAFETY: all memory is the system's; counting changes none of it.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.add(layout.size());
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        self.used.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Both may be there at once.
        self.add(size);
        self.used.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.realloc(memory, layout, size) }
    }
}

#[cfg(test)]
mod tests {
    use crate::HEAP;

    // One test, as both parts would see each other's memory.
    #[test]
    fn growth_is_the_most_that_was_in_use_at_once() {
        let (growth, kept) = HEAP.growth(|| {
            drop(Vec::<u8>::with_capacity(10_000_000));
            Vec::<u8>::with_capacity(1_000)
        });
        // Other tests use the heap meanwhile, but never as much.
        assert!((9_000_000..11_000_000).contains(&growth), "{growth}");
        drop(kept);

        // Memory that moves is there twice.
        let mut bytes = vec![0_u8; 10_000_000];
        let (growth, ()) = HEAP.growth(|| bytes.reserve_exact(20_000_000));
        assert!((29_000_000..31_000_000).contains(&growth), "{growth}");
    }

    #[test]
    fn a_page_is_mapped_and_unmapped() {
        super::map_and_unmap().unwrap();
    }
}
