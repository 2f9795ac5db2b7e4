// SPDX-License-Identifier: GPL-2.0

//! What the manager writes is taken exactly as it is defined, and nothing else is.

use nacre_lsm::wire::{
    component,
    switch,
    Mark, //
};
use policy::{
    ComponentId,
    Origin, //
};

const APP: [u8; 16] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];

fn mark(version: u32, descriptor: i32, component: [u8; 16]) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend(version.to_le_bytes());
    bytes.extend(descriptor.to_le_bytes());
    bytes.extend(component);
    bytes
}

#[test]
fn a_mark_names_the_system_or_a_component() {
    let system = Mark {
        descriptor: 3,
        origin: Origin::System,
    };
    assert_eq!(Mark::parse(&mark(1, 3, [0; 16])), Some(system));
    let app = Mark {
        descriptor: 0x0102_0304,
        origin: Origin::Component(ComponentId::from_bytes(APP)),
    };
    assert_eq!(Mark::parse(&mark(1, 0x0102_0304, APP)), Some(app));
}

#[test]
fn other_marks_are_refused() {
    assert_eq!(Mark::parse(&mark(0, 3, APP)), None);
    assert_eq!(Mark::parse(&mark(2, 3, APP)), None);
    assert_eq!(Mark::parse(&mark(1, -1, APP)), None);
    assert_eq!(Mark::parse(&mark(1, i32::MIN, APP)), None);
    let good = mark(1, 3, APP);
    assert_eq!(good.len(), Mark::SIZE);
    for length in 0..good.len() {
        assert_eq!(Mark::parse(good.get(..length).unwrap_or_default()), None);
    }
    let long: Vec<u8> = good.into_iter().chain([0]).collect();
    assert_eq!(Mark::parse(&long), None);
}

#[test]
fn a_component_has_sixteen_bytes() {
    assert_eq!(component(&APP), Some(ComponentId::from_bytes(APP)));
    assert_eq!(component(APP.get(1..).unwrap_or_default()), None);
    assert_eq!(component(&[0; 17]), None);
    assert_eq!(component(&[]), None);
}

#[test]
fn a_switch_is_one_digit() {
    assert_eq!(switch(b"0"), Some(false));
    assert_eq!(switch(b"0\n"), Some(false));
    assert_eq!(switch(b"1"), Some(true));
    assert_eq!(switch(b"1\n"), Some(true));
    for other in [
        &b""[..],
        b"2",
        b"10",
        b"1\n\n",
        b"1 ",
        b"\n",
        b"yes",
        b"\x01",
    ] {
        assert_eq!(switch(other), None, "{other:?}");
    }
}
