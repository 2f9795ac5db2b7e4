// SPDX-License-Identifier: GPL-2.0

//! The parts of the module that need no process, on the kernel that they run on.
//!
//! The rows of the decision table say what the kernel makes of the decision core: built for this machine, and asked
//! as the hooks ask it. All of its rules are tested on the host.

use kernel::prelude::*;

#[kunit_tests(nacre_lsm)]
mod tests {
    use super::*;
    use core::net::{
        IpAddr,
        Ipv4Addr, //
    };
    use kernel::sync::Arc;
    use policy::{
        Access,
        AppKind,
        Capability,
        CapabilitySet,
        ComponentId,
        DenialRecord,
        Destination,
        Errno,
        Grant,
        Hook,
        HostList,
        Identity,
        Mapping,
        ObjectClass,
        Origin,
        Owner,
        RuleSet,
        SocketKind,
        Subject,
        Transport,
        Verdict, //
    };

    use crate::{
        code::Mark,
        denials::{
            Denials,
            Novelty,
            MAX_RECORDS, //
        },
        rules::{
            Component,
            Rules, //
        },
        table::{
            Table,
            MAX_COMPONENTS, //
        },
    };

    const APP: ComponentId = ComponentId::from_bytes([1; 16]);
    const OTHER: ComponentId = ComponentId::from_bytes([2; 16]);

    /// The rule set of an app that may set the clock, listen on port 80 and reach one address.
    fn rules() -> Result<Rules> {
        let grant = Grant {
            capabilities: CapabilitySet::of(&[Capability::SystemTime]),
            hosts: HostList::from_lines("10.0.0.1"),
            tcp_ports: &[80],
            ..Grant::none(APP, AppKind::HighLevel)
        };
        let mut bytes = KVec::from_elem(0, RuleSet::MAX_SIZE, GFP_KERNEL)?;
        let length = RuleSet::encode(&grant, &[], &mut bytes).map_err(|_| EINVAL)?;
        bytes.truncate(length);
        Rules::parse(bytes)
    }

    fn code(writable: bool, origin: Origin) -> Access<'static> {
        Access::Map(Mapping {
            executable: true,
            writable,
            shared: false,
            was_executable: false,
            was_writable: false,
            origin: Some(origin),
        })
    }

    fn errno(verdict: Verdict) -> Option<Errno> {
        match verdict {
            Verdict::Allow => None,
            Verdict::Deny(denial) => Some(denial.errno),
        }
    }

    #[test]
    fn decisions() -> Result {
        const TCP: SocketKind = SocketKind::Ip(Transport::Tcp);
        let rules = rules()?;
        let identity = Identity::new(APP).ok_or(EINVAL)?;
        let app = Subject::App(&identity, rules.view());
        let pending = Subject::Pending(&identity);
        let (none, manager) = (Subject::None, Subject::Manager);
        let to = |host| Access::Connect {
            socket: TCP,
            to: Destination::Ip(IpAddr::V4(Ipv4Addr::new(10, 0, 0, host)), 443),
        };
        let listen = |port| Access::Listen { socket: TCP, port };
        let (perm, access) = (Some(Errno::EPERM), Some(Errno::EACCES));
        let table = [
            (none, Access::Execute(Origin::System), None),
            (none, Access::Execute(Origin::Unverified), access),
            (manager, Access::Execute(Origin::Unverified), access),
            (manager, Access::Execute(Origin::Component(APP)), access),
            (pending, Access::Execute(Origin::Component(APP)), None),
            (app, Access::Execute(Origin::Component(APP)), None),
            (app, Access::Execute(Origin::Component(OTHER)), access),
            (app, code(false, Origin::System), None),
            (manager, code(true, Origin::System), access),
            (manager, Access::MakeWritable(Origin::System), perm),
            (manager, Access::MakeWritable(Origin::Unverified), None),
            (manager, Access::SetIdentity, None),
            (none, Access::SetIdentity, perm),
            (pending, Access::SetIdentity, perm),
            (manager, Access::Administer, None),
            (pending, Access::Administer, perm),
            (app, Access::SetClock, None),
            (app, Access::Mount, perm),
            (pending, Access::Mount, None),
            (none, Access::Mount, None),
            (app, Access::Signal(Owner::Component(APP)), None),
            (app, Access::Signal(Owner::Component(OTHER)), perm),
            (app, Access::Signal(Owner::Manager), perm),
            (app, to(1), None),
            (app, to(2), perm),
            (app, listen(80), None),
            (app, listen(81), access),
        ];
        for (row, (subject, request, expected)) in table.into_iter().enumerate() {
            let found = errno(subject.decide(request));
            if found != expected {
                pr_err!("row {}: {:?}\n", row, found);
            }
            assert!(found == expected);
        }
        Ok(())
    }

    #[test]
    fn rule_sets_are_replaced_in_one_step() -> Result {
        let component = Component::new(Arc::new(rules()?, GFP_KERNEL)?)?;
        let before = component.rules();
        assert!(before.view().has(Capability::SystemTime));

        let mut bytes = KVec::from_elem(0, RuleSet::MAX_SIZE, GFP_KERNEL)?;
        let nothing = Grant::none(APP, AppKind::HighLevel);
        let length = RuleSet::encode(&nothing, &[], &mut bytes).map_err(|_| EINVAL)?;
        bytes.truncate(length);
        component.replace(Arc::new(Rules::parse(bytes)?, GFP_KERNEL)?);
        assert!(!component.rules().view().has(Capability::SystemTime));
        // Who decides by the old rule set keeps it until the end.
        assert!(before.view().has(Capability::SystemTime));
        Ok(())
    }

    #[test]
    fn a_component_counts_its_identities() -> Result {
        let component = Component::new(Arc::new(rules()?, GFP_KERNEL)?)?;
        assert!(component.id() == APP);
        assert!(!component.is_busy());
        component.enter();
        component.enter();
        component.leave();
        assert!(component.is_busy());
        component.leave();
        assert!(!component.is_busy());
        Ok(())
    }

    #[test]
    fn the_table_is_bounded() {
        let mut table = Table::EMPTY;
        for number in 0..MAX_COMPONENTS {
            assert!(table.has_room());
            let number = number as u8;
            assert!(table
                .insert(ComponentId::from_bytes([number; 16]), number)
                .is_ok());
        }
        assert!(!table.has_room());
        assert!(table
            .insert(ComponentId::from_bytes([0xff; 16]), 0xff)
            .is_err());
        assert!(table.get(ComponentId::from_bytes([5; 16])) == Some(&5));
        assert!(table.remove(ComponentId::from_bytes([5; 16])) == Some(5));
        assert!(table.get(ComponentId::from_bytes([5; 16])).is_none());
        assert!(table.has_room());
    }

    #[test]
    fn denials_merge_and_are_bounded() {
        let mut denials = Denials::NONE;
        let denial = |hook, last| DenialRecord {
            component: APP,
            count: 1,
            last,
            hook,
            class: ObjectClass::File,
            errno: Errno::EACCES,
            key: None,
        };
        for round in 0..2 {
            let expected = [Novelty::New, Novelty::Known][round];
            for hook in Hook::ALL.iter().take(MAX_RECORDS) {
                assert!(denials.add(denial(*hook, round as u64)) == expected);
            }
        }
        assert!(denials.iter().count() == MAX_RECORDS);
        assert!(denials
            .iter()
            .all(|record| (record.count, record.last) == (2, 1)));
        for hook in Hook::ALL.iter().skip(MAX_RECORDS) {
            denials.add(denial(*hook, 7));
        }
        assert!(denials.iter().count() == MAX_RECORDS + 1);
        let others = denials.iter().last();
        assert!(others.is_some_and(|record| record.hook == Hook::Any && record.last == 7));
    }

    #[test]
    fn a_mark_says_whose_the_code_is() {
        for origin in [Origin::System, Origin::Component(OTHER)] {
            let mark: Mark = pin_init::zeroed();
            assert!(mark.origin() == Origin::Unverified);
            mark.set(origin);
            assert!(mark.origin() == origin);
        }
    }
}
