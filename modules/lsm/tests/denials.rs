// SPDX-License-Identifier: GPL-2.0

//! Denials of one kind share a record, records are bounded, and so are lines in the log.
#![allow(clippy::unwrap_used)]

use nacre_lsm::denials::{
    record,
    Denials,
    Lines,
    Novelty,
    MAX_LINES,
    MAX_RECORDS, //
};
use policy::{
    Access,
    Capability,
    ComponentId,
    Denial,
    DenialRecord,
    Errno,
    Hook,
    ObjectClass,
    Reason, //
};

const APP: ComponentId = ComponentId::from_bytes([7; 16]);

fn denial(hook: Hook, last: u64) -> DenialRecord {
    DenialRecord {
        component: APP,
        count: 1,
        last,
        hook,
        class: ObjectClass::Tcp,
        errno: Errno::EPERM,
        key: Some(Capability::AllowedConnections),
    }
}

fn all(denials: &Denials) -> Vec<DenialRecord> {
    denials.iter().copied().collect()
}

#[test]
fn a_record_says_what_was_asked_and_what_was_answered() {
    let answer = Denial {
        errno: Errno::EPERM,
        reason: Reason::NotGranted,
        key: Some(Capability::SystemTime),
    };
    let made = record(APP, Hook::Settime, &Access::SetClock, &answer, 5);
    let expected = DenialRecord {
        component: APP,
        count: 1,
        last: 5,
        hook: Hook::Settime,
        class: ObjectClass::Clock,
        errno: Errno::EPERM,
        key: Some(Capability::SystemTime),
    };
    assert_eq!(made, expected);
}

#[test]
fn there_is_nothing_at_first() {
    assert_eq!(all(&Denials::NONE), []);
}

#[test]
fn denials_of_one_kind_share_a_record() {
    let mut denials = Denials::NONE;
    assert_eq!(denials.add(denial(Hook::SocketConnect, 10)), Novelty::New);
    assert_eq!(denials.add(denial(Hook::SocketConnect, 30)), Novelty::Known);
    // Another processor was a little late.
    assert_eq!(denials.add(denial(Hook::SocketConnect, 20)), Novelty::Known);
    let merged = DenialRecord {
        count: 3,
        ..denial(Hook::SocketConnect, 30)
    };
    assert_eq!(all(&denials), [merged]);
}

#[test]
fn whatever_differs_makes_a_kind_of_its_own() {
    let first = denial(Hook::SocketConnect, 1);
    let others = [
        DenialRecord {
            hook: Hook::SocketSendmsg,
            ..first
        },
        DenialRecord {
            class: ObjectClass::Udp,
            ..first
        },
        DenialRecord {
            errno: Errno::EACCES,
            ..first
        },
        DenialRecord { key: None, ..first },
    ];
    let mut denials = Denials::NONE;
    assert_eq!(denials.add(first), Novelty::New);
    for other in others {
        assert_eq!(denials.add(other), Novelty::New, "{other}");
    }
    assert_eq!(all(&denials).len(), 1 + others.len());
}

#[test]
fn what_does_not_fit_is_counted_together() {
    let mut denials = Denials::NONE;
    let mut hooks = Hook::ALL.iter().copied();
    for hook in hooks.by_ref().take(MAX_RECORDS) {
        assert_eq!(denials.add(denial(hook, 1)), Novelty::New);
    }
    let first = hooks.next().unwrap();
    assert_eq!(denials.add(denial(first, 2)), Novelty::New);
    let second = hooks.next().unwrap();
    assert_eq!(denials.add(denial(second, 3)), Novelty::Known);
    // A kind that has its record keeps it.
    let known = *Hook::ALL.first().unwrap();
    assert_eq!(denials.add(denial(known, 4)), Novelty::Known);

    let records = all(&denials);
    assert_eq!(records.len(), MAX_RECORDS + 1);
    assert_eq!(
        records.first().map(|record| (record.count, record.last)),
        Some((2, 4))
    );
    let rest = DenialRecord {
        count: 2,
        class: ObjectClass::Any,
        key: None,
        ..denial(Hook::Any, 3)
    };
    assert_eq!(records.last(), Some(&rest));
}

#[test]
fn a_count_stays_at_the_highest_number() {
    let mut denials = Denials::NONE;
    let many = DenialRecord {
        count: u32::MAX,
        ..denial(Hook::Capable, 1)
    };
    denials.add(many);
    denials.add(denial(Hook::Capable, 2));
    let last = DenialRecord { last: 2, ..many };
    assert_eq!(all(&denials), [last]);
}

#[test]
fn lines_come_out_as_they_went_in() {
    let mut lines = Lines::NONE;
    assert_eq!(lines.pop(), None);
    assert!(lines.push(denial(Hook::Capable, 1), 1));
    assert!(lines.push(denial(Hook::Settime, 2), 2));
    assert_eq!(lines.pop(), Some(denial(Hook::Capable, 1)));
    assert_eq!(lines.pop(), Some(denial(Hook::Settime, 2)));
    assert_eq!(lines.pop(), None);
}

#[test]
fn a_period_has_a_bounded_number_of_lines() {
    let mut lines = Lines::NONE;
    let mut write = |now| {
        let taken = lines.push(denial(Hook::Capable, now), now);
        assert_eq!(lines.pop().is_some(), taken);
        taken
    };
    for _ in 0..MAX_LINES {
        assert!(write(3));
    }
    assert!(!write(3));
    assert!(!write(Lines::PERIOD - 1));
    // The clock of another processor may be behind.
    assert!(!write(0));
    assert!(write(Lines::PERIOD));
    for _ in 1..MAX_LINES {
        assert!(write(Lines::PERIOD + 1));
    }
    assert!(!write(2 * Lines::PERIOD - 1));
    assert!(write(2 * Lines::PERIOD));
}

#[test]
fn lines_that_nobody_writes_do_not_pile_up() {
    let mut lines = Lines::NONE;
    for number in 0..MAX_LINES {
        assert!(lines.push(denial(Hook::Capable, 1), 1), "{number}");
    }
    assert!(!lines.push(denial(Hook::Capable, 2), Lines::PERIOD));
    assert_eq!(lines.pop(), Some(denial(Hook::Capable, 1)));
    assert!(lines.push(denial(Hook::Capable, 3), Lines::PERIOD));
}
