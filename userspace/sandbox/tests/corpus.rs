// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Replays the corpus of the fuzz target `security_module`.
#![allow(
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that fails panics"
)]

#[path = "../../fuzz/harness/security_module.rs"]
mod harness;

use std::fs;
use std::path::{Path, PathBuf};

use policy::{Identity, RuleSet};

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/security_module")
}

#[test]
fn what_is_good_in_the_corpus_is_still_accepted() {
    let read = |name| fs::read(corpus().join(name)).unwrap();
    for name in ["identity", "identity-longest-tenant", "identity-all-rights"] {
        Identity::parse(&read(name)).unwrap();
    }
    for name in ["rules-nothing", "rules-network", "rules-full"] {
        RuleSet::parse(&read(name)).unwrap();
    }
    let denials = String::from_utf8(read("denials")).unwrap();
    assert!(policy::denial_record::parse(&denials).all(|record| record.is_ok()));
}

#[test]
fn the_corpus_breaks_no_promise() {
    let mut inputs = 0;
    for entry in fs::read_dir(corpus()).unwrap() {
        let path = entry.unwrap().path();
        println!("{}", path.display());
        harness::run(&fs::read(path).unwrap());
        inputs += 1;
    }
    assert!(inputs >= 30, "{inputs} inputs: is the corpus complete?");
}
