// SPDX-License-Identifier: GPL-2.0-or-later
//! A watchdog. That of the A7 is supposed to be like those of the real-time cores.

const MODE: u32 = 0x30;
const LENGTH: u32 = 0x34;
const RESTART: u32 = 0x38;
const STATUS: u32 = 0x3C;
const INTERVAL: u32 = 0x40;
const SOFTWARE_RESET: u32 = 0x44;

const MODE_KEY: u32 = 0x2200;
const MODE_ENABLE: u32 = 1 << 0;
const MODE_INTERRUPT: u32 = 1 << 3;
const MODE_MASK: u32 = 0x1D;
const LENGTH_KEY: u32 = 0x8;
const LENGTH_LONGEST: u32 = 0x7FF;
const RESTART_KEY: u32 = 0x1971;
const SOFTWARE_RESET_KEY: u32 = 0x1209;
const STATUS_HARDWARE: u32 = 1 << 15;
const STATUS_SOFTWARE: u32 = 1 << 14;

/// A tick of the length.
const TICK: u64 = 1_000_000_000 / 32;

/// One watchdog.
#[derive(Debug)]
pub struct Watchdog {
    mode: u32,
    length: u32,
    interval: u32,
    status: u32,
    ends: Option<u64>,
}

/// What a watchdog wants of its surroundings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bite {
    /// Nothing.
    None,
    /// A reset of what it watches.
    Reset,
}

/// There is no such register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRegister;

impl Default for Watchdog {
    fn default() -> Self {
        Self {
            mode: 0,
            length: LENGTH_LONGEST,
            interval: 0,
            status: 0,
            ends: None,
        }
    }
}

impl Watchdog {
    /// Brings it into the state after power-on. It tells of a reset that it has caused.
    pub fn reset(&mut self) {
        *self = Self {
            status: self.status,
            ..Self::default()
        };
    }

    /// Its interrupt line.
    #[must_use]
    pub const fn line(&self) -> bool {
        self.mode & MODE_INTERRUPT != 0 && self.status != 0
    }

    /// When something will happen by itself.
    #[must_use]
    pub const fn deadline(&self) -> Option<u64> {
        self.ends
    }

    fn begin(&mut self, now: u64) {
        let length = u64::from(self.length.max(1)).saturating_mul(TICK);
        self.ends = (self.mode & MODE_ENABLE != 0).then(|| now.saturating_add(length));
    }

    fn bite(&mut self, reason: u32) -> Bite {
        self.status |= reason;
        self.ends = None;
        if self.mode & MODE_INTERRUPT != 0 {
            Bite::None
        } else {
            Bite::Reset
        }
    }

    /// Lets time pass.
    #[must_use]
    pub fn tick(&mut self, now: u64) -> Bite {
        if self.ends.is_some_and(|ends| ends <= now) {
            self.bite(STATUS_HARDWARE)
        } else {
            Bite::None
        }
    }

    /// Reads a register. Reading the status clears it.
    ///
    /// # Errors
    ///
    /// There is none at this offset.
    pub fn read(&mut self, offset: u32) -> Result<u32, NoRegister> {
        Ok(match offset {
            MODE => self.mode,
            LENGTH => self.length << 5,
            INTERVAL => self.interval,
            STATUS => std::mem::take(&mut self.status),
            RESTART | SOFTWARE_RESET => 0,
            _ => return Err(NoRegister),
        })
    }

    /// Writes a register. Without its key a write has no effect.
    ///
    /// # Errors
    ///
    /// There is none at this offset.
    pub fn write(&mut self, offset: u32, value: u32, now: u64) -> Result<Bite, NoRegister> {
        match offset {
            MODE if value & 0xFF00 == MODE_KEY => {
                let was_on = self.mode & MODE_ENABLE != 0;
                self.mode = value & MODE_MASK;
                if !was_on || value & MODE_ENABLE == 0 {
                    self.begin(now);
                }
            }
            LENGTH if value & 0x1F == LENGTH_KEY => self.length = value >> 5 & LENGTH_LONGEST,
            RESTART if value == RESTART_KEY => self.begin(now),
            INTERVAL => self.interval = value & 0xFFF,
            SOFTWARE_RESET if value == SOFTWARE_RESET_KEY => return Ok(self.bite(STATUS_SOFTWARE)),
            MODE | LENGTH | RESTART | STATUS | SOFTWARE_RESET => {}
            _ => return Err(NoRegister),
        }
        Ok(Bite::None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_bites_unless_it_is_restarted() {
        let mut watchdog = Watchdog::default();
        watchdog.write(LENGTH, 32 << 5 | LENGTH_KEY, 0).unwrap();
        watchdog.write(MODE, MODE_KEY | MODE_ENABLE, 0).unwrap();
        assert_eq!(watchdog.deadline(), Some(32 * TICK));
        watchdog.write(RESTART, RESTART_KEY, 20 * TICK).unwrap();
        assert_eq!(watchdog.tick(32 * TICK), Bite::None);
        watchdog.write(RESTART, 0x1972, 40 * TICK).unwrap();
        assert_eq!(
            watchdog.tick(52 * TICK),
            Bite::Reset,
            "a wrong key does not restart it"
        );
        watchdog.reset();
        assert_eq!(watchdog.deadline(), None);
        assert_eq!(watchdog.read(STATUS), Ok(STATUS_HARDWARE), "it tells why");
        assert_eq!(watchdog.read(STATUS), Ok(0));
    }

    #[test]
    fn it_may_interrupt_first() {
        let mut watchdog = Watchdog::default();
        watchdog
            .write(MODE, MODE_KEY | MODE_ENABLE | MODE_INTERRUPT, 0)
            .unwrap();
        assert_eq!(watchdog.tick(0x7FF * TICK), Bite::None);
        assert!(watchdog.line());
        assert_eq!(watchdog.read(STATUS), Ok(STATUS_HARDWARE));
        assert!(!watchdog.line());
    }

    #[test]
    fn keys_guard_every_register() {
        let mut watchdog = Watchdog::default();
        watchdog.write(MODE, MODE_ENABLE, 0).unwrap();
        watchdog.write(LENGTH, 1 << 5, 0).unwrap();
        assert_eq!(
            (watchdog.read(MODE), watchdog.read(LENGTH)),
            (Ok(0), Ok(LENGTH_LONGEST << 5))
        );
        assert_eq!(watchdog.write(SOFTWARE_RESET, 1, 0), Ok(Bite::None));
        assert_eq!(
            watchdog.write(SOFTWARE_RESET, SOFTWARE_RESET_KEY, 0),
            Ok(Bite::Reset)
        );
        assert_eq!(watchdog.read(STATUS), Ok(STATUS_SOFTWARE));
        assert_eq!(
            (watchdog.read(0), watchdog.write(0, 0, 0)),
            (Err(NoRegister), Err(NoRegister))
        );
    }
}
