// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 OR MIT

//! Records of denials: the line, the line read back, and the words for people.

use std::collections::BTreeSet;

use policy::denial_record::parse;
use policy::{
    Capability, ComponentId, ComponentIdError, DenialRecord, DenialRecordError, Errno, Hook,
    ObjectClass, SocketKind, Transport,
};

const APP: &str = "25025d2c-66da-4448-bae1-ac26fcdd3627";

fn record() -> DenialRecord {
    DenialRecord {
        component: APP.parse().unwrap(),
        count: 3,
        last: 81_234_567_890,
        hook: Hook::SocketConnect,
        class: ObjectClass::Tcp,
        errno: Errno::EPERM,
        key: Some(Capability::AllowedConnections),
    }
}

#[test]
fn a_record_is_a_line() {
    let line = format!("{APP} 3 81234567890 socket_connect tcp EPERM AllowedConnections");
    assert_eq!(record().to_string(), line);
    assert_eq!(line.parse(), Ok(record()));
    let rest = DenialRecord {
        count: u32::MAX,
        last: u64::MAX,
        hook: Hook::Any,
        class: ObjectClass::Any,
        errno: Errno::EACCES,
        key: None,
        ..record()
    };
    let line = format!("{APP} 4294967295 18446744073709551615 * * EACCES -");
    assert_eq!(rest.to_string(), line);
    assert_eq!(line.parse(), Ok(rest));
}

#[test]
fn times_are_written_like_numbers() {
    let decades = (0..20).map(|power| 10u64.pow(power));
    let near = decades.flat_map(|decade| [decade - 1, decade, decade + 1, decade / 10 * 9]);
    let words = (0..64).map(|shift| 0x8765_4321_0fed_cba9u64 >> shift);
    let powers = (0..64).map(|shift| 1u64 << shift);
    for last in near.chain(words).chain(powers).chain([u64::MAX]) {
        let line = DenialRecord { last, ..record() }.to_string();
        assert_eq!(line.split(' ').nth(2), Some(last.to_string().as_str()));
    }
}

#[test]
fn a_text_has_a_record_a_line() {
    let line = record().to_string();
    let text = format!("{line}\n{line}\nnonsense\n");
    let records: Vec<_> = parse(&text).collect();
    assert_eq!(
        records,
        [Ok(record()), Ok(record()), Err(DenialRecordError::Fields)]
    );
    assert_eq!(parse("").count(), 0);
}

#[test]
fn other_lines_are_refused() {
    let number = |text: &str| text.parse::<u32>().unwrap_err();
    let table = [
        (String::new(), DenialRecordError::Fields),
        (
            format!("{APP} 1 2 bpf bpf EPERM"),
            DenialRecordError::Fields,
        ),
        (
            format!("{APP} 1 2 bpf bpf EPERM - x"),
            DenialRecordError::Fields,
        ),
        (
            format!("{APP} 1 2 bpf bpf EPERM - "),
            DenialRecordError::Fields,
        ),
        (
            "x 1 2 bpf bpf EPERM -".to_owned(),
            DenialRecordError::Component(ComponentIdError::Length),
        ),
        (
            format!("{APP} x 2 bpf bpf EPERM -"),
            DenialRecordError::Count(number("x")),
        ),
        (
            format!("{APP}  2 bpf bpf EPERM -"),
            DenialRecordError::Count(number("")),
        ),
        (
            format!("{APP} 4294967296 2 bpf bpf EPERM -"),
            DenialRecordError::Count(number("4294967296")),
        ),
        (
            format!("{APP} 1 x bpf bpf EPERM -"),
            DenialRecordError::Last(number("x")),
        ),
        (
            format!("{APP} 1 2 BPF bpf EPERM -"),
            DenialRecordError::Hook,
        ),
        (format!("{APP} 1 2 bpf x EPERM -"), DenialRecordError::Class),
        (format!("{APP} 1 2 bpf bpf EX -"), DenialRecordError::Errno),
        (format!("{APP} 1 2 bpf bpf EPERM x"), DenialRecordError::Key),
    ];
    for (line, error) in table {
        assert_eq!(line.parse::<DenialRecord>(), Err(error), "{line:?}");
    }
}

#[test]
fn errors_say_what_is_wrong() {
    let number = "x".parse::<u32>().unwrap_err();
    let table = [
        (
            DenialRecordError::Fields,
            "seven fields with a space between them are needed",
        ),
        (
            DenialRecordError::Count(number.clone()),
            "the count: invalid digit found in string",
        ),
        (
            DenialRecordError::Last(number),
            "the time: invalid digit found in string",
        ),
        (DenialRecordError::Hook, "unknown hook"),
        (DenialRecordError::Class, "unknown object class"),
        (DenialRecordError::Errno, "unknown error"),
        (DenialRecordError::Key, "unknown key"),
    ];
    for (error, words) in table {
        assert_eq!(
            error.to_string(),
            format!("not a record of denials: {words}")
        );
    }
    let error = DenialRecordError::Component(ComponentIdError::Length);
    let words = ComponentIdError::Length.to_string();
    assert_eq!(
        error.to_string(),
        format!("not a record of denials: {words}")
    );
}

#[test]
fn names_are_single_words_and_lead_back() {
    let mut names = BTreeSet::new();
    for &hook in Hook::ALL {
        assert!(names.insert(hook.as_str()), "{hook}");
        assert_eq!(Hook::from_text(hook.as_str()), Some(hook));
        assert_eq!(hook.to_string(), hook.as_str());
        assert!(!hook.as_str().contains([' ', '\n']) && !hook.as_str().is_empty());
        assert!(!hook.in_words().is_empty());
    }
    names.clear();
    for &class in ObjectClass::ALL {
        assert!(names.insert(class.as_str()), "{class}");
        assert_eq!(ObjectClass::from_text(class.as_str()), Some(class));
        assert_eq!(class.to_string(), class.as_str());
        assert!(!class.as_str().contains([' ', '\n']) && !class.as_str().is_empty());
        assert!(!class.in_words().is_empty());
    }
    assert_eq!(Hook::from_text("Bpf"), None);
    assert_eq!(ObjectClass::from_text(""), None);
    assert_eq!(Hook::SocketCreate.in_words(), "make a socket");
    assert_eq!(Hook::Any.as_str(), "*");
}

#[test]
fn errors_have_the_numbers_and_names_of_linux() {
    let table = [
        (Errno::EPERM, 1, "EPERM"),
        (Errno::ENOENT, 2, "ENOENT"),
        (Errno::EACCES, 13, "EACCES"),
        (Errno::EBUSY, 16, "EBUSY"),
        (Errno::EEXIST, 17, "EEXIST"),
        (Errno::ENODEV, 19, "ENODEV"),
        (Errno::EINVAL, 22, "EINVAL"),
        (Errno::ENOSPC, 28, "ENOSPC"),
        (Errno::EOPNOTSUPP, 95, "EOPNOTSUPP"),
        (Errno::EDQUOT, 122, "EDQUOT"),
    ];
    assert_eq!(Errno::ALL.len(), table.len());
    for (errno, number, name) in table {
        assert_eq!((errno.number(), errno.name()), (number, name));
        assert_eq!(Errno::from_name(name), Some(errno));
        assert_eq!(
            (errno.to_string().as_str(), format!("{errno:?}").as_str()),
            (name, name)
        );
    }
    assert_eq!(Errno::from_name("EAGAIN"), None);
}

#[test]
fn sockets_have_a_class_each() {
    let table = [
        (SocketKind::Unix, ObjectClass::Unix),
        (SocketKind::Ip(Transport::Tcp), ObjectClass::Tcp),
        (SocketKind::Ip(Transport::Udp), ObjectClass::Udp),
        (SocketKind::Intercore, ObjectClass::Intercore),
        (SocketKind::Other, ObjectClass::Socket),
    ];
    for (socket, class) in table {
        assert_eq!(ObjectClass::of_socket(socket), class);
    }
}

#[test]
fn words_name_the_attempt_and_the_next_step() {
    use Capability as Key;
    use ObjectClass as Class;
    let table = [
        (
            Hook::SocketConnect,
            Class::Tcp,
            Some(Key::AllowedConnections),
            1,
            "connect to an address by TCP: refused once (EPERM); add the host to \"AllowedConnections\" in the manifest",
        ),
        (
            Hook::SocketConnect,
            Class::Udp,
            Some(Key::AllowedConnections),
            2,
            "connect to an address by UDP: refused 2 times (EPERM); add the host to \"AllowedConnections\" in the manifest",
        ),
        (
            Hook::SocketSendmsg,
            Class::Tcp,
            Some(Key::AllowedConnections),
            1,
            "send to an address by TCP: refused once (EPERM); add the host to \"AllowedConnections\" in the manifest",
        ),
        (
            Hook::SocketSendmsg,
            Class::Udp,
            Some(Key::AllowedConnections),
            1,
            "send to an address by UDP: refused once (EPERM); add the host to \"AllowedConnections\" in the manifest",
        ),
        (
            Hook::SocketBind,
            Class::Tcp,
            Some(Key::AllowedTcpServerPorts),
            1,
            "bind a socket to a TCP port: refused once (EPERM); add the port to \"AllowedTcpServerPorts\" in the manifest",
        ),
        (
            Hook::SocketBind,
            Class::Udp,
            Some(Key::AllowedUdpServerPorts),
            1,
            "bind a socket to a UDP port: refused once (EPERM); add the port to \"AllowedUdpServerPorts\" in the manifest",
        ),
        (
            Hook::SocketListen,
            Class::Tcp,
            Some(Key::AllowedTcpServerPorts),
            1,
            "listen on a TCP port: refused once (EPERM); add the port to \"AllowedTcpServerPorts\" in the manifest",
        ),
        (
            Hook::SocketCreate,
            Class::Tcp,
            Some(Key::AllowedConnections),
            1,
            "use the network by TCP: refused once (EPERM); add the host to \"AllowedConnections\" in the manifest",
        ),
        (
            Hook::UnixMaySend,
            Class::Unix,
            Some(Key::AllowedApplicationConnections),
            1,
            "reach a local socket of another app: refused once (EPERM); have both apps list the component id of \
             the other in \"AllowedApplicationConnections\" in the manifest",
        ),
        (
            Hook::Capable,
            Class::Capability,
            Some(Key::PowerControls),
            1,
            "use a privilege of Linux: refused once (EPERM); add what it shall do to \"PowerControls\" in the manifest",
        ),
        (
            Hook::Settime,
            Class::Clock,
            Some(Key::SystemTime),
            1,
            "set the clock: refused once (EPERM); set \"SystemTime\" to true in the manifest",
        ),
        (
            Hook::Any,
            Class::Any,
            Some(Key::Gpio),
            1,
            "various things, beyond those listed: refused once (EPERM); ask for it with \"Gpio\" in the manifest",
        ),
        (
            Hook::Bpf,
            Class::Bpf,
            None,
            0,
            "use the bpf system call: refused 0 times (EPERM); no key of the manifest allows it",
        ),
        (
            Hook::Any,
            Class::Any,
            None,
            1,
            "various things, beyond those listed: refused once (EPERM); see the other records of the app",
        ),
    ];
    for (hook, class, key, count, words) in table {
        let record = DenialRecord {
            hook,
            class,
            key,
            count,
            ..record()
        };
        assert_eq!(record.in_words().to_string(), words);
    }
    // Nothing in the words depends on who the app is.
    let other = DenialRecord {
        component: ComponentId::NIL,
        last: 0,
        ..record()
    };
    assert_eq!(
        other.in_words().to_string(),
        record().in_words().to_string()
    );
}
