// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Fuzzes the inter-core protocol: setups, and rings in which the other core writes what it likes.
#![no_main]

#[path = "../harness/intercore.rs"]
mod harness;

libfuzzer_sys::fuzz_target!(|input: &[u8]| harness::run(input));
