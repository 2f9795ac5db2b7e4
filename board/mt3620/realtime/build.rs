// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Tells the apps' linker where the memory map is; they name it by `-Trealtime.ld`.

fn main() {
    let here = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    println!("cargo::rustc-link-search={here}");
    println!("cargo::rerun-if-changed=realtime.ld");
}
