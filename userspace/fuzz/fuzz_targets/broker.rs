// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Fuzzes the protocol over which apps ask for peripherals.
#![no_main]

#[path = "../harness/broker.rs"]
mod harness;

libfuzzer_sys::fuzz_target!(|input: &[u8]| harness::run(input));
