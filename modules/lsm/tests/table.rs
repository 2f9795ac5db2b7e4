// SPDX-License-Identifier: GPL-2.0

//! The table of components is bounded, and finds what was put in.

use nacre_lsm::table::{
    Table,
    MAX_COMPONENTS, //
};
use policy::ComponentId;

fn component(number: usize) -> ComponentId {
    ComponentId::from_bytes((number as u128 + 1).to_le_bytes())
}

#[test]
fn finds_what_was_put_in() {
    let mut table = Table::EMPTY;
    assert_eq!(table.get(component(0)), None);
    assert_eq!(table.insert(component(0), 'a'), Ok(()));
    assert_eq!(table.insert(component(1), 'b'), Ok(()));
    assert_eq!(table.get(component(0)), Some(&'a'));
    assert_eq!(table.get(component(1)), Some(&'b'));
    assert_eq!(table.values().collect::<String>(), "ab");
}

#[test]
fn has_a_bound_and_room_again_after_a_removal() {
    let mut table = Table::EMPTY;
    for number in 0..MAX_COMPONENTS {
        assert!(table.has_room());
        assert_eq!(table.insert(component(number), number), Ok(()));
    }
    assert!(!table.has_room());
    assert_eq!(table.insert(component(MAX_COMPONENTS), 1000), Err(1000));
    assert_eq!(table.values().count(), MAX_COMPONENTS);

    assert_eq!(table.remove(component(5)), Some(5));
    assert_eq!(table.remove(component(5)), None);
    assert_eq!(table.get(component(5)), None);
    assert!(table.has_room());
    assert_eq!(table.insert(component(MAX_COMPONENTS), 1000), Ok(()));
    assert_eq!(table.get(component(MAX_COMPONENTS)), Some(&1000));
    assert_eq!(table.get(component(6)), Some(&6));
}
