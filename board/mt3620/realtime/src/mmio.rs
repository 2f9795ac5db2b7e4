// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Registers.

/// A block of 32-bit registers.
pub(crate) struct Block {
    address: usize,
}

impl Block {
    /// The block at the address.
    ///
    /// # Safety
    ///
    /// There are registers from the address on, as far as they are read and written; reading and writing them
    /// changes no memory of the program. Nobody else uses them.
    pub(crate) const unsafe fn new(address: usize) -> Self {
        Self { address }
    }

    pub(crate) fn read(&self, offset: usize) -> u32 {
        // SAFETY: There are registers here, by the promise of `new`.
        unsafe { core::ptr::with_exposed_provenance::<u32>(self.address + offset).read_volatile() }
    }

    pub(crate) fn write(&mut self, offset: usize, value: u32) {
        // SAFETY: There are registers here, by the promise of `new`.
        unsafe {
            core::ptr::with_exposed_provenance_mut::<u32>(self.address + offset)
                .write_volatile(value);
        }
    }
}

/// Waits until all accesses so far are done, for everybody.
pub(crate) fn barrier() {
    // SAFETY: A barrier changes nothing.
    unsafe { core::arch::asm!("dsb", options(nostack, preserves_flags)) }
}
