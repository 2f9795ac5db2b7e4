// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Keeps one service of the OS running: when it may be started, and when again.

use std::time::Duration;

use crate::backoff::Backoff;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Due { at: Duration },
    Running { process: i32, since: Duration },
}

/// The supervisor of one service. All times are since boot.
#[derive(Debug)]
pub struct Supervisor {
    state: State,
    backoff: Backoff,
}

impl Supervisor {
    /// A service that is due at once.
    pub const fn new() -> Self {
        Self {
            state: State::Due { at: Duration::ZERO },
            backoff: Backoff::new(),
        }
    }

    /// Whether it is to be started now.
    pub fn is_due(&self, now: Duration) -> bool {
        matches!(self.state, State::Due { at } if at <= now)
    }

    /// It was started.
    pub fn started(&mut self, process: i32, now: Duration) {
        self.state = State::Running {
            process,
            since: now,
        };
    }

    /// It could not be started.
    pub fn failed(&mut self, now: Duration) {
        let at = now.saturating_add(self.backoff.after(Duration::ZERO));
        self.state = State::Due { at };
    }

    /// A process ended. Answers whether it was the service.
    pub fn ended(&mut self, process: i32, now: Duration) -> bool {
        match self.state {
            State::Running {
                process: own,
                since,
            } if own == process => {
                let delay = self.backoff.after(now.saturating_sub(since));
                self.state = State::Due {
                    at: now.saturating_add(delay),
                };
                true
            }
            _ => false,
        }
    }

    /// Its process, when it runs.
    pub fn process(&self) -> Option<i32> {
        match self.state {
            State::Running { process, .. } => Some(process),
            State::Due { .. } => None,
        }
    }

    /// When it is to be started, if it does not run.
    pub fn deadline(&self) -> Option<Duration> {
        match self.state {
            State::Due { at } => Some(at),
            State::Running { .. } => None,
        }
    }
}

impl Default for Supervisor {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backoff::{FIRST_DELAY, STABLE_RUN};

    #[test]
    fn a_service_that_ends_is_due_again_after_a_growing_delay() {
        let mut service = Supervisor::new();
        let mut now = Duration::ZERO;
        for delay in [FIRST_DELAY, FIRST_DELAY * 2, FIRST_DELAY * 4] {
            assert!(service.is_due(now));
            service.started(5, now);
            assert!(!service.is_due(now));
            assert_eq!((service.process(), service.deadline()), (Some(5), None));
            assert!(!service.ended(6, now));
            assert!(service.ended(5, now));
            assert_eq!(service.process(), None);
            assert_eq!(service.deadline(), Some(now + delay));
            assert!(!service.is_due(now));
            now += delay;
        }
        service.started(7, now);
        now += STABLE_RUN;
        assert!(service.ended(7, now));
        assert_eq!(service.deadline(), Some(now + FIRST_DELAY));
    }

    #[test]
    fn a_failed_start_is_tried_again_later() {
        let mut service = Supervisor::new();
        service.failed(Duration::ZERO);
        assert!(!service.is_due(Duration::ZERO));
        assert!(service.is_due(FIRST_DELAY));
    }
}
