// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Results as KTAP lines on standard output, one as soon as it is known.

use std::fmt::Display;

/// Counts the results and numbers their lines.
pub struct Report {
    number: u32,
    failed: u32,
}

impl Report {
    /// Begins a report of `plan` results.
    pub fn new(plan: usize) -> Self {
        println!("KTAP version 1");
        println!("1..{plan}");
        Self {
            number: 0,
            failed: 0,
        }
    }

    /// One result, with a note behind it.
    pub fn result(&mut self, passed: bool, name: &str, note: impl Display) {
        self.number += 1;
        let verdict = if passed { "ok" } else { "not ok" };
        println!("{verdict} {} {name} # {note}", self.number);
        if !passed {
            self.failed += 1;
        }
    }

    /// How many results failed.
    pub fn failed(&self) -> u32 {
        self.failed
    }
}
