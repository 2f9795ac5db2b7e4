// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Counting: on this machine a nanosecond is an instruction.

use nix::time::{ClockId, clock_gettime};

use crate::Result;

/// The instructions since the kernel began to count.
pub fn now() -> Result<u64> {
    let time = clock_gettime(ClockId::CLOCK_MONOTONIC)?;
    let seconds = u64::try_from(time.tv_sec())?;
    Ok(seconds * 1_000_000_000 + u64::try_from(time.tv_nsec())?)
}

/// Prints a count; the harness knows it by its name.
pub fn report(name: &str, count: u64) {
    println!("BENCH {name} {count}");
}

/// The instructions of one `body`, once warm: of many, as the machine's timer ticks every 16 instructions, and as its
/// interrupts are shared by all.
pub fn each(times: u32, mut body: impl FnMut() -> Result<()>) -> Result<u64> {
    body()?;
    let start = now()?;
    for _ in 0..times {
        body()?;
    }
    Ok((now()? - start) / u64::from(times))
}

/// The instructions of one `body` that can be done only once, without those of looking at the clock.
pub fn once<T>(body: impl FnOnce() -> Result<T>) -> Result<(u64, T)> {
    let clock = each(100, || now().map(drop))?;
    let start = now()?;
    let result = body()?;
    Ok(((now()? - start).saturating_sub(clock), result))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_runs_once_more_than_it_counts() {
        let mut runs = 0;
        each(20, || {
            runs += 1;
            Ok(())
        })
        .unwrap();
        assert_eq!(runs, 21);
    }

    #[test]
    fn a_failure_is_passed_on() {
        assert!(each(1, || Err("no".into())).is_err());
        assert!(once(|| -> Result<()> { Err("no".into()) }).is_err());
        assert_eq!(once(|| Ok(7)).unwrap().1, 7);
    }
}
