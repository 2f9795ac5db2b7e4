// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Replays the corpus of the fuzz target `broker`.
#![allow(
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that fails panics"
)]

#[path = "../../fuzz/harness/broker.rs"]
mod harness;

use std::fs;
use std::path::Path;

#[test]
fn the_corpus_breaks_no_promise() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/broker");
    let mut inputs = 0;
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        println!("{}", path.display());
        harness::run(&fs::read(path).unwrap());
        inputs += 1;
    }
    assert!(inputs >= 10, "{inputs} inputs: is the corpus complete?");
}
