// SPDX-License-Identifier: GPL-2.0-or-later
//! The timers of a real-time core: two that count down and interrupt, one that counts up and interrupts, two that run freely.

const ISR: u32 = 0x00;
const IER: u32 = 0x04;
const GPT2_CTRL: u32 = 0x30;
const GPT2_COUNT: u32 = 0x34;
const GPT3_CTRL: u32 = 0x50;
const GPT3_INIT: u32 = 0x54;
const GPT3_COUNT: u32 = 0x58;
const GPT3_EXPIRE: u32 = 0x5C;
const GPT4_CTRL: u32 = 0x60;
const GPT4_INIT: u32 = 0x64;
const GPT4_COUNT: u32 = 0x68;

const ENABLE: u32 = 1 << 0;
const REPEAT: u32 = 1 << 1;
const FAST: u32 = 1 << 2;
const RESTART: u32 = 1 << 3;
const FREE_FAST: u32 = 1 << 1;
const GPT3_CLEAR: u32 = 1 << 15;

const SECOND: u64 = 1_000_000_000;

/// A rate in Hz, as a fraction.
type Rate = (u64, u64);

const CRYSTAL_32K: Rate = (32_768, 1);
/// Not 1 kHz: the slow rate is the crystal's, divided by 33.
const SLOW: Rate = (32_768, 33);
const CRYSTAL: u64 = 26_000_000;
const BUS: Rate = (197_600_000, 1);
const HALF_BUS: Rate = (98_800_000, 1);

fn nanoseconds(ticks: u64, (rate, part): Rate) -> u64 {
    u64::try_from(
        (u128::from(ticks) * u128::from(SECOND) * u128::from(part))
            .div_ceil(u128::from(rate.max(1))),
    )
    .unwrap_or(u64::MAX)
}

fn ticks(nanoseconds: u64, (rate, part): Rate) -> u64 {
    u64::try_from(
        u128::from(nanoseconds) * u128::from(rate) / (u128::from(SECOND) * u128::from(part)),
    )
    .unwrap_or(u64::MAX)
}

/// The low 32 bits of a count, which is what a register has.
fn register(count: u64) -> u32 {
    u32::try_from(count & 0xFFFF_FFFF).unwrap_or(0)
}

/// A timer that counts down from its first value.
#[derive(Clone, Copy, Debug, Default)]
struct Down {
    control: u32,
    first: u32,
    ends: Option<u64>,
}

impl Down {
    const fn rate(self) -> Rate {
        if self.control & FAST != 0 {
            CRYSTAL_32K
        } else {
            SLOW
        }
    }

    /// A repeated interval of nothing would never let the machine go on: it is one tick at least.
    fn begin(&mut self, at: u64) {
        self.ends = Some(at.saturating_add(nanoseconds(u64::from(self.first.max(1)), self.rate())));
    }

    fn control(&mut self, value: u32, now: u64) {
        let was_on = self.control & ENABLE != 0;
        self.control = value & (ENABLE | REPEAT | FAST);
        if value & ENABLE == 0 {
            self.ends = None;
        } else if !was_on || value & RESTART != 0 {
            self.begin(now);
        }
    }

    fn count(self, now: u64) -> u32 {
        self.ends.map_or(0, |ends| {
            register(ticks(ends.saturating_sub(now), self.rate()))
        })
    }

    /// Lets time pass; whether it has run out.
    fn tick(&mut self, now: u64) -> bool {
        let Some(ended) = self.ends.filter(|ends| *ends <= now) else {
            return false;
        };
        if self.control & REPEAT != 0 {
            self.begin(ended);
            // After a long sleep of the machine, one interrupt stands for all that were missed.
            if self.ends.is_some_and(|next| next <= now) {
                self.begin(now);
            }
        } else {
            self.control &= !ENABLE;
            self.ends = None;
        }
        true
    }
}

/// A timer that counts up.
#[derive(Clone, Copy, Debug, Default)]
struct Up {
    control: u32,
    first: u32,
    began: u64,
}

impl Up {
    fn control(&mut self, value: u32, now: u64) {
        if value & ENABLE != 0 && self.control & ENABLE == 0 {
            self.began = now;
        }
        self.control = value;
    }

    fn count(self, now: u64, rate: Rate) -> u64 {
        if self.control & ENABLE == 0 {
            return u64::from(self.first);
        }
        u64::from(self.first).saturating_add(ticks(now.saturating_sub(self.began), rate))
    }
}

/// The block.
#[derive(Debug, Default)]
pub struct Gpt {
    pending: u32,
    enabled: u32,
    down: [Down; 2],
    gpt2: Up,
    gpt3: Up,
    gpt3_expire: u32,
    gpt3_pending: bool,
    gpt3_ends: Option<u64>,
    gpt4: Up,
}

/// There is no such register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRegister;

impl Gpt {
    /// Brings it into the state after power-on.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// The line of the first two timers.
    #[must_use]
    pub const fn line(&self) -> bool {
        self.pending & self.enabled != 0
    }

    /// The line of timer 3.
    #[must_use]
    pub const fn line3(&self) -> bool {
        self.gpt3_pending
    }

    /// When something will happen by itself.
    #[must_use]
    pub fn deadline(&self) -> Option<u64> {
        self.down
            .iter()
            .map(|timer| timer.ends)
            .chain([self.gpt3_ends])
            .flatten()
            .min()
    }

    /// Lets time pass.
    pub fn tick(&mut self, now: u64) {
        for (bit, timer) in self.down.iter_mut().enumerate() {
            if timer.tick(now) {
                self.pending |= 1 << bit;
            }
        }
        if self.gpt3_ends.is_some_and(|ends| ends <= now) {
            self.gpt3_ends = None;
            self.gpt3_pending = true;
        }
    }

    /// Timer 3 counts microseconds when its divider says so.
    fn gpt3_rate(&self) -> Rate {
        (CRYSTAL, u64::from(self.gpt3.control >> 16 & 0x3F) + 1)
    }

    fn plan3(&mut self, now: u64) {
        let rate = self.gpt3_rate();
        let left = u64::from(self.gpt3_expire)
            .checked_sub(self.gpt3.count(now, rate))
            .filter(|left| *left > 0);
        self.gpt3_ends = left
            .filter(|_| self.gpt3.control & ENABLE != 0)
            .map(|left| now.saturating_add(nanoseconds(left, rate)));
    }

    fn timer(&self, offset: u32) -> Option<(Down, u32)> {
        let [first, second] = self.down;
        match offset {
            0x10 | 0x14 => Some((first, offset - 0x10)),
            0x20 | 0x24 => Some((second, offset - 0x20)),
            0x40 => Some((first, 8)),
            0x44 => Some((second, 8)),
            _ => None,
        }
    }

    /// Reads a register.
    ///
    /// # Errors
    ///
    /// There is none at this offset.
    pub fn read(&self, offset: u32, now: u64) -> Result<u32, NoRegister> {
        if let Some((timer, part)) = self.timer(offset) {
            return Ok(match part {
                0 => timer.control,
                4 => timer.first,
                _ => timer.count(now),
            });
        }
        Ok(match offset {
            ISR => self.pending,
            IER => self.enabled,
            GPT2_CTRL => self.gpt2.control,
            GPT2_COUNT => register(self.gpt2.count(
                now,
                if self.gpt2.control & FREE_FAST != 0 {
                    CRYSTAL_32K
                } else {
                    SLOW
                },
            )),
            GPT3_CTRL => self.gpt3.control,
            GPT3_INIT => self.gpt3.first,
            GPT3_COUNT => register(self.gpt3.count(now, self.gpt3_rate())),
            GPT3_EXPIRE => self.gpt3_expire,
            GPT4_CTRL => self.gpt4.control,
            GPT4_INIT => self.gpt4.first,
            GPT4_COUNT => register(self.gpt4.count(
                now,
                if self.gpt4.control & FREE_FAST != 0 {
                    HALF_BUS
                } else {
                    BUS
                },
            )),
            _ => return Err(NoRegister),
        })
    }

    /// Writes a register.
    ///
    /// # Errors
    ///
    /// There is none at this offset.
    pub fn write(&mut self, offset: u32, value: u32, now: u64) -> Result<(), NoRegister> {
        let [first, second] = &mut self.down;
        match offset {
            ISR => self.pending &= !value,
            IER => self.enabled = value & 3,
            0x10 => first.control(value, now),
            0x14 => first.first = value,
            0x20 => second.control(value, now),
            0x24 => second.first = value,
            GPT2_CTRL => self.gpt2.control(value & 3, now),
            GPT3_CTRL => {
                if value & GPT3_CLEAR != 0 {
                    self.gpt3_pending = false;
                }
                self.gpt3.control(value & !GPT3_CLEAR, now);
                self.plan3(now);
            }
            GPT3_INIT => self.gpt3.first = value,
            GPT3_EXPIRE => {
                self.gpt3_expire = value;
                self.plan3(now);
            }
            GPT4_CTRL => self.gpt4.control(value & 3, now),
            GPT4_INIT => self.gpt4.first = value,
            GPT2_COUNT | GPT3_COUNT | GPT4_COUNT | 0x40 | 0x44 => {}
            _ => return Err(NoRegister),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLISECOND: u64 = SECOND / 1000;

    #[test]
    fn one_shot_ends_once_and_repeat_goes_on() {
        for (mode, again) in [(0, false), (REPEAT, true)] {
            let mut gpt = Gpt::default();
            gpt.write(IER, 1, 0).unwrap();
            gpt.write(0x14, 10, 0).unwrap();
            gpt.write(0x10, ENABLE | mode, 0).unwrap();
            let end = gpt.deadline().unwrap();
            assert_eq!(end, nanoseconds(10, SLOW));
            assert!(end > 10 * MILLISECOND, "the slow rate is slower than 1 kHz");
            gpt.tick(end - 1);
            assert!(!gpt.line());
            gpt.tick(end);
            assert!(gpt.line());
            gpt.write(ISR, 1, end).unwrap();
            assert!(!gpt.line());
            assert_eq!(gpt.deadline(), again.then_some(2 * end));
            assert_eq!(gpt.read(0x10, end).unwrap() & ENABLE, u32::from(again));
        }
    }

    #[test]
    fn the_second_timer_has_its_own_bit_and_rate() {
        let mut gpt = Gpt::default();
        gpt.write(0x24, 32_768, 0).unwrap();
        gpt.write(0x20, ENABLE | FAST, 0).unwrap();
        assert_eq!(gpt.deadline(), Some(SECOND));
        assert_eq!(gpt.read(0x44, SECOND / 2), Ok(16_384));
        gpt.tick(SECOND);
        assert_eq!(gpt.read(ISR, SECOND), Ok(2));
        assert!(!gpt.line(), "not enabled");
        gpt.write(IER, 2, SECOND).unwrap();
        assert!(gpt.line());
    }

    #[test]
    fn an_interval_of_nothing_does_not_stop_the_machine() {
        let mut gpt = Gpt::default();
        gpt.write(0x10, ENABLE | REPEAT, 0).unwrap();
        gpt.tick(1000 * SECOND);
        assert!(gpt.deadline().unwrap() > 1000 * SECOND);
    }

    #[test]
    fn timer_3_interrupts_when_it_expires() {
        let mut gpt = Gpt::default();
        gpt.write(GPT3_EXPIRE, 100, 0).unwrap();
        gpt.write(GPT3_CTRL, 25 << 16 | ENABLE, 0).unwrap();
        assert_eq!(
            gpt.deadline(),
            Some(100_000),
            "26 ticks of the crystal are a microsecond"
        );
        assert_eq!(gpt.read(GPT3_COUNT, 50_000), Ok(50));
        gpt.tick(100_000);
        assert!(gpt.line3());
        gpt.write(GPT3_CTRL, 25 << 16 | ENABLE | GPT3_CLEAR, 100_000)
            .unwrap();
        assert!(!gpt.line3());
        assert_eq!(gpt.deadline(), None);
    }

    #[test]
    fn free_timers_run_when_they_are_on() {
        let mut gpt = Gpt::default();
        assert_eq!(gpt.read(GPT4_COUNT, SECOND), Ok(0));
        gpt.write(GPT4_CTRL, ENABLE, SECOND).unwrap();
        assert_eq!(gpt.read(GPT4_COUNT, SECOND + 1000), Ok(197));
        gpt.write(GPT2_CTRL, ENABLE | FREE_FAST, 0).unwrap();
        assert_eq!(gpt.read(GPT2_COUNT, SECOND), Ok(32_768));
        assert_eq!(
            (gpt.read(0x80, 0), gpt.write(0x80, 0, 0)),
            (Err(NoRegister), Err(NoRegister))
        );
    }
}
