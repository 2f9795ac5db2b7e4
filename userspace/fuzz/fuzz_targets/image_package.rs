// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Fuzzes image packages, metadata blocks, certificates and keys.
#![no_main]

#[path = "../harness/image_package.rs"]
mod harness;

libfuzzer_sys::fuzz_target!(|input: &[u8]| harness::run(input));
