// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 OR MIT

//! Memory that two cores share, as words.

use core::sync::atomic::{AtomicU32, Ordering};

/// One shared buffer: words of 32 bits that the other core reads and writes whenever it likes.
///
/// Access to a word is one access of the machine, neither repeated nor left out. What is copied is read or written
/// once, too, but in whatever portions. Only the words below [`SharedMemory::words`] are asked for; any other reads
/// as zero and takes no write.
pub trait SharedMemory {
    /// The number of words, which never changes.
    fn words(&self) -> usize;

    /// Reads a word.
    fn load(&self, word: usize) -> u32;

    /// Reads a word before every access that follows.
    fn load_acquire(&self, word: usize) -> u32;

    /// Writes a word.
    fn store(&self, word: usize, value: u32);

    /// Writes a word after every access that precedes.
    fn store_release(&self, word: usize, value: u32);

    /// Copies words to bytes, four of each, from this word on.
    fn read(&self, word: usize, bytes: &mut [u8]) {
        let (chunks, _) = bytes.as_chunks_mut();
        for (word, chunk) in (word..).zip(chunks) {
            *chunk = self.load(word).to_le_bytes();
        }
    }

    /// Copies bytes to words, four to each, from this word on.
    fn write(&self, word: usize, bytes: &[u8]) {
        let (chunks, _) = bytes.as_chunks();
        for (word, chunk) in (word..).zip(chunks) {
            self.store(word, u32::from_le_bytes(*chunk));
        }
    }
}

/// For real-time apps and tests; the kernel has atomics of its own.
impl SharedMemory for [AtomicU32] {
    fn words(&self) -> usize {
        self.len()
    }

    fn load(&self, word: usize) -> u32 {
        self.get(word)
            .map_or(0, |word| word.load(Ordering::Relaxed))
    }

    fn load_acquire(&self, word: usize) -> u32 {
        self.get(word)
            .map_or(0, |word| word.load(Ordering::Acquire))
    }

    fn store(&self, word: usize, value: u32) {
        if let Some(word) = self.get(word) {
            word.store(value, Ordering::Relaxed);
        }
    }

    fn store_release(&self, word: usize, value: u32) {
        if let Some(word) = self.get(word) {
            word.store(value, Ordering::Release);
        }
    }
}

impl<M: SharedMemory + ?Sized> SharedMemory for &M {
    fn words(&self) -> usize {
        (**self).words()
    }

    fn load(&self, word: usize) -> u32 {
        (**self).load(word)
    }

    fn load_acquire(&self, word: usize) -> u32 {
        (**self).load_acquire(word)
    }

    fn store(&self, word: usize, value: u32) {
        (**self).store(word, value);
    }

    fn store_release(&self, word: usize, value: u32) {
        (**self).store_release(word, value);
    }

    fn read(&self, word: usize, bytes: &mut [u8]) {
        (**self).read(word, bytes);
    }

    fn write(&self, word: usize, bytes: &[u8]) {
        (**self).write(word, bytes);
    }
}
