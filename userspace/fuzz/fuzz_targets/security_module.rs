// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Fuzzes identities, rule sets and records of denials, as manager and security module exchange them.
#![no_main]

#[path = "../harness/security_module.rs"]
mod harness;

libfuzzer_sys::fuzz_target!(|input: &[u8]| harness::run(input));
