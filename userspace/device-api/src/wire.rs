// SPDX-License-Identifier: Apache-2.0 OR MIT

//! What a session needs of a connection, whether TLS or a buffer in a test.

use std::io;
use std::time::Instant;

/// A connection that carries bytes both ways and knows the time.
pub trait Wire {
    /// Reads what has arrived, up to `buffer.len()` bytes; 0 at an orderly end.
    ///
    /// # Errors
    /// [`io::ErrorKind::TimedOut`] when nothing came before `until`; others when the connection broke.
    fn read(&mut self, buffer: &mut [u8], until: Instant) -> io::Result<usize>;

    /// Writes everything.
    ///
    /// # Errors
    /// As [`Wire::read`], when the other side does not take it in time.
    fn write_all(&mut self, bytes: &[u8], until: Instant) -> io::Result<()>;

    /// Waits for the next request on a connection without one under way: true when something arrived or
    /// the other side closed, false when the connection should make room for another.
    fn wait_for_request(&mut self) -> bool;

    /// Says goodbye. With `linger`, what the other side still sends is read and dropped for a while: closing
    /// with bytes unread would make TCP throw away the answer that says why they were not wanted.
    fn finish(&mut self, linger: bool);
}
