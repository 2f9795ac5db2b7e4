// SPDX-License-Identifier: Apache-2.0 OR MIT

//! How long to wait before a process that ended is started again.

use std::time::Duration;

/// The wait after a first end. The original names a relaunch timer but not its length.
pub const FIRST_DELAY: Duration = Duration::from_secs(1);
/// The longest wait between two starts.
pub const LONGEST_DELAY: Duration = Duration::from_secs(60);
/// A run of this length is stable: the next end is treated as a first one.
pub const STABLE_RUN: Duration = Duration::from_secs(60);

/// Doubles the wait from end to end until a run was stable.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    next: Duration,
}

impl Backoff {
    /// Starts with [`FIRST_DELAY`].
    pub const fn new() -> Self {
        Self { next: FIRST_DELAY }
    }

    /// The wait before the next start, after a run that lasted `run`.
    pub fn after(&mut self, run: Duration) -> Duration {
        if run >= STABLE_RUN {
            self.next = FIRST_DELAY;
        }
        let delay = self.next;
        self.next = self.next.saturating_mul(2).min(LONGEST_DELAY);
        delay
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_up_to_a_minute() {
        let mut backoff = Backoff::new();
        let waits: Vec<u64> = (0..8)
            .map(|_| backoff.after(Duration::ZERO).as_secs())
            .collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
    }

    #[test]
    fn a_stable_run_resets_it_and_a_shorter_one_does_not() {
        let mut backoff = Backoff::new();
        backoff.after(Duration::ZERO);
        let short = STABLE_RUN.saturating_sub(Duration::from_millis(1));
        assert_eq!(backoff.after(short), Duration::from_secs(2));
        assert_eq!(backoff.after(STABLE_RUN), FIRST_DELAY);
        assert_eq!(backoff.after(Duration::ZERO), Duration::from_secs(2));
    }
}
