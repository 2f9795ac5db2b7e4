// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The manager's own log: bounded, kept in memory, and shown on the console as it is written.

use std::io::Write;
use std::time::Duration;

use crate::ring::Ring;

/// Bytes of the manager's log that are kept. With the tag it fits in one control packet.
pub const JOURNAL_SIZE: usize = 16 * 1024;

/// The manager's log.
pub struct Journal {
    ring: Ring,
    console: Box<dyn Write>,
}

impl Journal {
    /// A log that is shown on `console`. Its first line names the OS version, so that it is never empty.
    pub fn new(console: Box<dyn Write>, now: Duration) -> Self {
        let mut journal = Self {
            ring: Ring::new(JOURNAL_SIZE),
            console,
        };
        journal.note(now, concat!("Nacre ", env!("CARGO_PKG_VERSION")));
        journal
    }

    /// Writes one line. `now` is the time since boot; the console line begins with `nacre: `, which is
    /// what tests and tools look for.
    pub fn note(&mut self, now: Duration, line: &str) {
        // A line break inside would let a name in a manifest forge a line of the log.
        let line: String = line
            .chars()
            .map(|letter| if letter.is_control() { ' ' } else { letter })
            .collect();
        let stamp = format!("[{:5}.{:03}] ", now.as_secs(), now.subsec_millis());
        self.ring.push(stamp.as_bytes());
        self.ring.push(line.as_bytes());
        self.ring.push(b"\n");
        // There is nobody to tell when the console itself fails.
        writeln!(self.console, "nacre: {line}").ok();
    }

    /// All lines held, oldest first.
    pub fn contents(&mut self) -> &[u8] {
        self.ring.contents()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::rc::Rc;

    #[derive(Clone, Default)]
    struct Screen(Rc<RefCell<Vec<u8>>>);

    impl Write for Screen {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.borrow_mut().write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn is_never_empty() {
        let mut journal = Journal::new(Box::new(std::io::sink()), Duration::ZERO);
        assert!(journal.contents().starts_with(b"[    0.000] Nacre "));
        for _ in 0..2000 {
            journal.note(Duration::from_secs(9), "line");
        }
        assert!(journal.contents().len() <= JOURNAL_SIZE);
        assert!(journal.contents().ends_with(b"[    9.000] line\n"));
    }

    #[test]
    fn shows_each_line_on_the_console() {
        let screen = Screen::default();
        let mut journal = Journal::new(Box::new(screen.clone()), Duration::ZERO);
        journal.note(Duration::from_millis(1500), "power off");
        assert!(screen.0.borrow().ends_with(b"nacre: power off\n"));
    }

    #[test]
    fn no_text_can_forge_a_line() {
        let screen = Screen::default();
        let mut journal = Journal::new(Box::new(screen.clone()), Duration::ZERO);
        journal.note(Duration::ZERO, "app a\nnacre: power off\r");
        assert!(journal.contents().ends_with(b"app a nacre: power off \n"));
        assert!(
            screen
                .0
                .borrow()
                .ends_with(b"nacre: app a nacre: power off \n")
        );
    }
}
