// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 OR MIT

//! Replays the corpus of the fuzz target `intercore`.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that fails panics"
)]

#[path = "../../../../userspace/fuzz/harness/intercore.rs"]
mod harness;

use std::fs;
use std::path::Path;

#[test]
fn the_corpus_breaks_no_promise() {
    let corpus =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../userspace/fuzz/corpus/intercore");
    let mut inputs = 0;
    for entry in fs::read_dir(corpus).unwrap() {
        let path = entry.unwrap().path();
        println!("{}", path.display());
        harness::run(&fs::read(path).unwrap());
        inputs += 1;
    }
    assert!(inputs >= 12, "{inputs} inputs: is the corpus complete?");
}
