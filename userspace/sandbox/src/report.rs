// SPDX-License-Identifier: Apache-2.0 OR MIT

//! What the first process of an app tells the manager.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use sys::Errno;
use sys::process::Ended;

use crate::step::{Failure, Step};

/// Length of a report in the pipe: short enough to be written whole or not at all.
const LENGTH: usize = 8;
/// First byte of [`Report::Running`].
const RUNNING: u8 = 1;
/// First byte of [`Report::Refused`].
const REFUSED: u8 = 2;
/// First byte of [`Report::Ended`].
const ENDED: u8 = 3;

/// What became of an app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    /// Its program has been executed.
    Running,
    /// A step failed, so its program has not been executed.
    Refused(Failure),
    /// It has ended, and with it all its processes.
    Ended(Ended),
}

impl Report {
    /// As bytes: the kind, the step, two zeroes, and a number, least significant byte first.
    fn encode(self) -> [u8; LENGTH] {
        let (kind, step, number) = match self {
            Self::Running => (RUNNING, 0, 0),
            Self::Refused(failure) => (REFUSED, failure.step.number(), failure.errno as i32),
            // As the kernel's status word.
            Self::Ended(Ended::Exited(code)) => (ENDED, 0, i32::from(code) << 8),
            Self::Ended(Ended::Signalled(signal)) => (ENDED, 0, signal),
        };
        let [a, b, c, d] = number.to_le_bytes();
        [kind, step, 0, 0, a, b, c, d]
    }

    /// From bytes; `None` for bytes that no report has.
    fn decode(bytes: [u8; LENGTH]) -> Option<Self> {
        let [kind, step, 0, 0, a, b, c, d] = bytes else {
            return None;
        };
        let number = i32::from_le_bytes([a, b, c, d]);
        match kind {
            RUNNING => Some(Self::Running),
            REFUSED => Some(Self::Refused(Failure {
                step: Step::from_number(step)?,
                errno: Errno::from_raw(number),
            })),
            ENDED => Ended::from_status(number).map(Self::Ended),
            _ => None,
        }
    }
}

/// The end of the pipe that reports go into.
#[derive(Debug)]
pub(crate) struct Reporter(File);

impl Reporter {
    /// Reports into a pipe.
    pub fn new(pipe: OwnedFd) -> Self {
        Self(File::from(pipe))
    }

    /// Reports. Nobody is left to be told about a failure.
    pub fn report(&mut self, report: Report) {
        self.0.write_all(&report.encode()).ok();
    }
}

impl AsFd for Reporter {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// The reports of one app, in order. Readable when there is one, or when no more will come.
#[derive(Debug)]
pub struct Reports(File);

/// What there is to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// A report.
    Report(Report),
    /// None now.
    Later,
    /// No more: the first process of the app is gone, whether it has reported an end or not.
    Never,
}

impl Reports {
    /// Reads a pipe that does not block.
    pub(crate) fn new(pipe: OwnedFd) -> Self {
        Self(File::from(pipe))
    }

    /// The next report. What is no report, from a process that has gone wrong, counts as the end.
    pub fn take(&mut self) -> Next {
        let mut bytes = [0; LENGTH];
        match self.0.read(&mut bytes) {
            Ok(LENGTH) => Report::decode(bytes).map_or(Next::Never, Next::Report),
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) =>
            {
                Next::Later
            }
            Ok(_) | Err(_) => Next::Never,
        }
    }
}

impl AsFd for Reports {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::fcntl::OFlag;
    use nix::unistd::pipe2;

    fn pair() -> (Reports, Reporter) {
        let (reader, writer) = pipe2(OFlag::O_NONBLOCK | OFlag::O_CLOEXEC).unwrap();
        (Reports::new(reader), Reporter::new(writer))
    }

    const FAILURE: Failure = Failure {
        step: Step::Landlock,
        errno: Errno::EOPNOTSUPP,
    };

    #[test]
    fn reports_arrive_in_order_and_end_with_the_reporter() {
        for last in [
            Report::Refused(FAILURE),
            Report::Ended(Ended::Exited(200)),
            Report::Ended(Ended::Signalled(9)),
        ] {
            let (mut reports, mut reporter) = pair();
            assert_eq!(reports.take(), Next::Later);
            for report in [Report::Running, last] {
                reporter.report(report);
                assert_eq!(reports.take(), Next::Report(report));
            }
            assert_eq!(reports.take(), Next::Later);
            drop(reporter);
            assert_eq!(reports.take(), Next::Never);
        }
    }

    #[test]
    fn what_is_no_report_is_the_end() {
        for bytes in [
            [0; 8],
            [ENDED, 0, 0, 1, 0, 0, 0, 0],
            [REFUSED, 255, 0, 0, 1, 0, 0, 0],
            [ENDED, 0, 0, 0, 0x7F, 19, 0, 0],
        ] {
            assert_eq!(Report::decode(bytes), None, "{bytes:?}");
        }
    }
}
