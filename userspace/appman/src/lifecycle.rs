// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The states of one app's process and the steps between them, without any system call.
//!
//! ```text
//! Stopped --start--> Due --tick--> Running --stop--> Stopping --ended--> Stopped
//!                     ^               |
//!                     +----ended------+   (after the back-off)
//! ```

use std::time::Duration;

use control::ExitReason;

use crate::backoff::Backoff;

/// What an app gets to end by itself, between SIGTERM and SIGKILL. Documented for Azure Sphere.
pub const STOP_GRACE: Duration = Duration::from_secs(2);

/// What is to be done for an app now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Start its process; answer with [`Lifecycle::started`] or [`Lifecycle::refused`].
    Start,
    /// Send SIGTERM.
    Terminate,
    /// Send SIGKILL to everything that is left of it.
    Kill,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Stopped,
    Due {
        at: Duration,
    },
    Running {
        since: Duration,
    },
    Stopping {
        kill_at: Duration,
        killed: bool,
        again: bool,
    },
}

/// The life of one app's process. All times are since boot.
#[derive(Debug)]
pub struct Lifecycle {
    phase: Phase,
    backoff: Backoff,
    starts: u32,
    last_exit: Option<ExitReason>,
    refused: Option<String>,
}

impl Lifecycle {
    /// An app that was never started.
    pub const fn new() -> Self {
        Self {
            phase: Phase::Stopped,
            backoff: Backoff::new(),
            starts: 0,
            last_exit: None,
            refused: None,
        }
    }

    /// Asks for the app to run. Nothing happens when it runs already; an app that is being stopped is
    /// started again once it is gone.
    pub fn start(&mut self, now: Duration) {
        match &mut self.phase {
            Phase::Stopped => {
                self.backoff = Backoff::new();
                self.phase = Phase::Due { at: now };
            }
            Phase::Due { at } => *at = now,
            Phase::Running { .. } => {}
            Phase::Stopping { again, .. } => *again = true,
        }
    }

    /// Asks for the app to stop and to stay stopped.
    pub fn stop(&mut self, now: Duration) -> Option<Order> {
        match &mut self.phase {
            Phase::Stopped => None,
            Phase::Due { .. } => {
                self.phase = Phase::Stopped;
                None
            }
            Phase::Running { .. } => {
                self.phase = Phase::Stopping {
                    kill_at: now.saturating_add(STOP_GRACE),
                    killed: false,
                    again: false,
                };
                Some(Order::Terminate)
            }
            Phase::Stopping { again, .. } => {
                *again = false;
                None
            }
        }
    }

    /// What is due at `now`. A start is ordered once.
    pub fn tick(&mut self, now: Duration) -> Option<Order> {
        match &mut self.phase {
            Phase::Due { at } if *at <= now => {
                self.phase = Phase::Running { since: now };
                Some(Order::Start)
            }
            Phase::Stopping {
                kill_at, killed, ..
            } if !*killed && *kill_at <= now => {
                *killed = true;
                Some(Order::Kill)
            }
            _ => None,
        }
    }

    /// The process was started as ordered.
    pub fn started(&mut self) {
        self.starts = self.starts.saturating_add(1);
        self.refused = None;
    }

    /// The process was not started, for a reason that a later try would meet again.
    pub fn refused(&mut self, reason: String) {
        self.phase = Phase::Stopped;
        self.refused = Some(reason);
    }

    /// Why its last process never ran its program; a restart is tried nevertheless.
    pub fn set_refusal(&mut self, reason: String) {
        self.refused = Some(reason);
    }

    /// Its package was replaced: what was refused of the old one says nothing about the new one.
    pub fn forget_refusal(&mut self) {
        self.refused = None;
    }

    /// The process could not be started now; a later try may go better.
    pub fn failed(&mut self, reason: String, errno: i32, now: Duration) {
        self.refused = Some(reason);
        self.ended(ExitReason::SetupFailed { errno }, now);
    }

    /// The process ended with `reason`. Answers the reason to report: an app that was told to stop was
    /// stopped, whatever its process answered.
    pub fn ended(&mut self, reason: ExitReason, now: Duration) -> ExitReason {
        let (reported, next) = match self.phase {
            Phase::Running { since } => {
                let at = now.saturating_add(self.backoff.after(now.saturating_sub(since)));
                (reason, Phase::Due { at })
            }
            Phase::Stopping { killed, again, .. } => {
                let next = if again {
                    Phase::Due { at: now }
                } else {
                    Phase::Stopped
                };
                (ExitReason::Stopped { forced: killed }, next)
            }
            other => (reason, other),
        };
        self.phase = next;
        self.last_exit = Some(reported);
        reported
    }

    /// When [`Lifecycle::tick`] has something to do next, if ever.
    pub fn deadline(&self) -> Option<Duration> {
        match self.phase {
            Phase::Due { at } => Some(at),
            Phase::Stopping {
                kill_at,
                killed: false,
                ..
            } => Some(kill_at),
            _ => None,
        }
    }

    /// Whether it runs, waits for its restart, or is on its way to being stopped.
    pub fn is_active(&self) -> bool {
        self.phase != Phase::Stopped
    }

    /// Whether it has a process.
    pub fn has_process(&self) -> bool {
        matches!(self.phase, Phase::Running { .. } | Phase::Stopping { .. })
    }

    /// How often it was started.
    pub fn starts(&self) -> u32 {
        self.starts
    }

    /// How its last process ended.
    pub fn last_exit(&self) -> Option<ExitReason> {
        self.last_exit
    }

    /// Why it could not be started.
    pub fn refusal(&self) -> Option<&str> {
        self.refused.as_deref()
    }
}

impl Default for Lifecycle {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backoff::{FIRST_DELAY, STABLE_RUN};
    use proptest::prelude::*;

    const NOW: Duration = Duration::from_secs(100);

    fn running() -> Lifecycle {
        let mut life = Lifecycle::new();
        life.start(NOW);
        assert_eq!(life.tick(NOW), Some(Order::Start));
        life.started();
        life
    }

    #[test]
    fn starts_once() {
        let mut life = running();
        assert_eq!(life.tick(NOW), None);
        life.start(NOW);
        assert_eq!(life.tick(NOW), None);
        assert_eq!(life.starts(), 1);
        assert!(life.has_process());
    }

    #[test]
    fn an_end_is_followed_by_a_restart_after_the_delay() {
        let mut life = running();
        let code = ExitReason::Exited { code: 0 };
        assert_eq!(life.ended(code, NOW), code);
        assert!(life.is_active() && !life.has_process());
        let due = NOW + FIRST_DELAY;
        assert_eq!(life.deadline(), Some(due));
        assert_eq!(life.tick(due - Duration::from_millis(1)), None);
        assert_eq!(life.tick(due), Some(Order::Start));
        life.started();
        assert_eq!((life.starts(), life.last_exit()), (2, Some(code)));
    }

    #[test]
    fn repeated_crashes_wait_longer_and_a_stable_run_resets() {
        let mut life = running();
        let crash = ExitReason::Signaled { signal: 11 };
        life.ended(crash, NOW);
        let mut now = life.deadline().unwrap();
        life.tick(now);
        life.ended(crash, now);
        assert_eq!(life.deadline(), Some(now + FIRST_DELAY * 2));
        now = life.deadline().unwrap();
        life.tick(now);
        now += STABLE_RUN;
        life.ended(crash, now);
        assert_eq!(life.deadline(), Some(now + FIRST_DELAY));
    }

    #[test]
    fn stop_terminates_then_kills_after_two_seconds() {
        let mut life = running();
        assert_eq!(life.stop(NOW), Some(Order::Terminate));
        assert_eq!(life.stop(NOW), None);
        let kill = NOW + Duration::from_secs(2);
        assert_eq!(life.deadline(), Some(kill));
        assert_eq!(life.tick(kill - Duration::from_millis(1)), None);
        assert_eq!(life.tick(kill), Some(Order::Kill));
        assert_eq!((life.tick(kill), life.deadline()), (None, None));
        let reported = life.ended(ExitReason::Signaled { signal: 9 }, kill);
        assert_eq!(reported, ExitReason::Stopped { forced: true });
    }

    #[test]
    fn a_stopped_app_stays_stopped_until_started() {
        let mut life = running();
        life.stop(NOW);
        let reported = life.ended(ExitReason::Exited { code: 0 }, NOW);
        assert_eq!(reported, ExitReason::Stopped { forced: false });
        assert_eq!(life.tick(NOW + STABLE_RUN * 9), None);
        assert!(!life.is_active());
        life.start(NOW);
        assert_eq!(life.tick(NOW), Some(Order::Start));
    }

    #[test]
    fn stop_while_waiting_for_the_restart_needs_no_signal() {
        let mut life = running();
        life.ended(ExitReason::OutOfMemory, NOW);
        assert_eq!(life.stop(NOW), None);
        assert!(!life.is_active());
        assert_eq!(life.last_exit(), Some(ExitReason::OutOfMemory));
    }

    #[test]
    fn start_while_stopping_starts_again_and_a_second_stop_cancels_that() {
        let mut life = running();
        life.stop(NOW);
        life.start(NOW);
        life.ended(ExitReason::Exited { code: 0 }, NOW);
        assert_eq!(life.tick(NOW), Some(Order::Start));
        life.started();
        life.stop(NOW);
        life.start(NOW);
        life.stop(NOW);
        life.ended(ExitReason::Exited { code: 0 }, NOW);
        assert_eq!(life.tick(NOW), None);
    }

    #[test]
    fn start_skips_the_rest_of_the_wait() {
        let mut life = running();
        life.ended(ExitReason::Exited { code: 1 }, NOW);
        life.start(NOW);
        assert_eq!(life.tick(NOW), Some(Order::Start));
    }

    #[test]
    fn a_refused_start_is_not_tried_again_and_a_good_one_clears_the_reason() {
        let mut life = Lifecycle::new();
        life.start(NOW);
        life.tick(NOW);
        life.refused("seccomp is missing".to_owned());
        assert_eq!(life.refusal(), Some("seccomp is missing"));
        assert_eq!((life.deadline(), life.is_active()), (None, false));
        life.start(NOW);
        life.tick(NOW);
        life.started();
        assert_eq!(life.refusal(), None);
    }

    #[test]
    fn a_failed_start_is_tried_again_later() {
        let mut life = Lifecycle::new();
        life.start(NOW);
        life.tick(NOW);
        life.failed("no memory".to_owned(), 12, NOW);
        assert_eq!(life.refusal(), Some("no memory"));
        assert_eq!(
            life.last_exit(),
            Some(ExitReason::SetupFailed { errno: 12 })
        );
        assert_eq!(life.deadline(), Some(NOW + FIRST_DELAY));
        assert_eq!(life.starts(), 0);
    }

    proptest! {
        #[test]
        fn signals_only_go_to_a_process_and_starts_only_without_one(
            steps in proptest::collection::vec((0_u8..4, 0_u64..5), 0..60),
        ) {
            let mut life = Lifecycle::new();
            let mut now = NOW;
            let mut alive = false;
            for (step, seconds) in steps {
                now += Duration::from_secs(seconds);
                let order = match step {
                    0 => { life.start(now); None }
                    1 => life.stop(now),
                    2 => {
                        if alive {
                            life.ended(ExitReason::Exited { code: 0 }, now);
                            alive = false;
                        }
                        None
                    }
                    _ => life.tick(now),
                };
                match order {
                    Some(Order::Start) => {
                        prop_assert!(!alive);
                        alive = true;
                        life.started();
                    }
                    Some(_) => prop_assert!(alive),
                    None => {}
                }
                prop_assert_eq!(life.has_process(), alive);
            }
        }
    }
}
