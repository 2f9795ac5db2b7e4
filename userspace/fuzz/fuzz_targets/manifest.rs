// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Fuzzes app manifests and hardware definitions.
#![no_main]

#[path = "../harness/manifest.rs"]
mod harness;

libfuzzer_sys::fuzz_target!(|input: &[u8]| harness::run(input));
