// SPDX-License-Identifier: Apache-2.0 OR MIT

//! What holds for every input.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use manifest::{MAX_SIZE, Manifest, grant_in_words, pack, warnings};
use policy::{Capability, Peripherals};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

/// Everything that reads a manifest, on bytes of any kind. Returns the manifest, if it is one.
fn read(bytes: &[u8]) -> Option<Manifest> {
    let likely = warnings(bytes);
    let packed = pack(bytes, None, 12, Some("\"beta\""));
    match Manifest::parse(bytes) {
        Ok(manifest) => {
            assert!(likely.is_ok() && bytes.len() <= MAX_SIZE);
            let again = Manifest::parse(&packed.unwrap()).unwrap();
            assert_eq!(again.grant(), manifest.grant());
            assert_eq!(again.runtime_version(), Some(12));
            assert_eq!(again.beta_apis(), Some("\"beta\""));
            assert!(
                grant_in_words(&manifest.grant())
                    .iter()
                    .all(|line| !line.contains('\n'))
            );
            Some(manifest)
        }
        Err(error) => {
            assert!(packed.is_err());
            assert!(error.location().line >= 1 && error.location().column >= 1);
            assert!(error.code().name().is_some(), "{error}");
            assert!(!error.to_string().contains('\n'), "{error}");
            None
        }
    }
}

/// JSON of any shape, with the words of manifests in it.
fn json() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        select(vec![
            "Name",
            "Capabilities",
            "Gpio",
            "SizeKB",
            "ISU0",
            "$X",
            "Uart",
            "example.com",
            "\\n",
            "a\\u0000b"
        ])
        .prop_map(str::to_owned),
        "[a-zA-Z0-9 .$-]{0,8}",
    ];
    let text = word.clone().prop_map(|word| format!("\"{word}\""));
    let leaf = prop_oneof![
        text,
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_map(|number| format!("{number:e}")),
        select(vec![
            "null", "true", "false", "0", "1", "8", "8080", "1e400"
        ])
        .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(6, 48, 6, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(|list| format!("[{}]", list.join(" , "))),
            vec((word.clone(), inner), 0..6).prop_map(|members| {
                let members: Vec<_> = members
                    .into_iter()
                    .map(|(key, value)| format!("\"{key}\" : {value}"))
                    .collect();
                format!("{{{}}}", members.join("\n,"))
            }),
        ]
    })
}

/// A list of JSON texts as JSON.
fn list(entries: Vec<String>) -> String {
    format!("[{}]", entries.join(", "))
}

fn quoted(texts: Vec<&'static str>) -> Vec<String> {
    texts
        .into_iter()
        .map(|text| format!("\"{text}\""))
        .collect()
}

/// The capabilities of a valid high-level app, some of them, in any order.
fn capabilities() -> impl Strategy<Value = String> {
    let toggles: Vec<_> = Capability::ALL
        .iter()
        .filter(|key| key.is_toggle())
        .collect();
    let toggles = subsequence(toggles, 0..4).prop_flat_map(|keys| {
        let length = keys.len();
        (Just(keys), vec(any::<bool>(), length))
    });
    let toggles = toggles.prop_map(|(keys, values)| {
        let pairs = keys.into_iter().zip(values);
        pairs
            .map(|(key, value)| (key.key().to_owned(), value.to_string()))
            .collect::<Vec<_>>()
    });
    let pins = subsequence(vec![0, 1, 2, 3, 12, 13, 23, 56, 60, 80], 0..6);
    let pins = pins.prop_map(|pins| list(pins.iter().map(i32::to_string).collect()));
    let units = subsequence(vec!["ISU0", "ISU1", "ISU2", "ISU3", "ISU4"], 0..5).prop_shuffle();
    let units = (units, any::<bool>()).prop_map(|(units, spi)| {
        let key = if spi { "SpiMaster" } else { "Uart" };
        (key.to_owned(), list(quoted(units)))
    });
    let hosts = subsequence(vec!["example.com", "A.B", "1.2.3.4", "_x._tcp.local"], 0..4);
    let ports = proptest::collection::btree_set(1024u16.., 0..4);
    let ports = ports.prop_map(|ports| list(ports.iter().map(u16::to_string).collect()));
    let controls = vec!["ForceReboot", "ForcePowerDown", "SetPowerProfile"];
    let controls = subsequence(controls, 1..=3).prop_shuffle();
    let storage = (1..=64u32).prop_map(|size| format!("{{ \"SizeKB\": {size} }}"));
    let lists = (pins, units, hosts, ports.clone(), ports, controls, storage);
    let all = (toggles, lists).prop_map(|(mut all, lists)| {
        let (pins, units, hosts, tcp, udp, controls, storage) = lists;
        all.push(("Gpio".to_owned(), pins));
        all.push(units);
        all.push(("AllowedConnections".to_owned(), list(quoted(hosts))));
        all.push(("AllowedTcpServerPorts".to_owned(), tcp));
        all.push(("AllowedUdpServerPorts".to_owned(), udp));
        all.push(("PowerControls".to_owned(), list(quoted(controls))));
        all.push(("MutableStorage".to_owned(), storage));
        all
    });
    let some = all.prop_flat_map(|all| {
        let length = all.len();
        subsequence(all, 0..=length).prop_shuffle()
    });
    some.prop_map(|members| {
        let members: Vec<_> = members
            .into_iter()
            .map(|(key, value)| format!("\"{key}\": {value}"))
            .collect();
        format!("{{ {} }}", members.join(",\n"))
    })
}

proptest! {
    #[test]
    fn any_bytes_are_a_manifest_or_refused(bytes in vec(any::<u8>(), 0..512)) {
        read(&bytes);
    }

    #[test]
    fn any_json_is_a_manifest_or_refused(text in json()) {
        read(text.as_bytes());
    }

    #[test]
    fn any_field_is_read_or_refused(
        key in select(vec![
            "SchemaVersion", "Name", "ComponentId", "EntryPoint", "CmdArgs", "Capabilities",
            "ApplicationType", "MallocVersion", "TargetApplicationRuntimeVersion", "Other",
        ]),
        value in json(),
    ) {
        read(common::changed(key, Some(&value)).as_bytes());
    }

    #[test]
    fn any_value_of_a_capability_is_read_or_refused(
        capability in select(Capability::ALL),
        value in json(),
        is_real_time: bool,
    ) {
        let capabilities = format!("{{ \"{capability}\": {value} }}");
        let text = if is_real_time { common::real_time(&capabilities) } else { common::with(&capabilities) };
        if let Some(manifest) = read(text.as_bytes()) {
            let grant = manifest.grant();
            prop_assert!(Capability::ALL.iter().all(|other| other == &capability || !grant.has(*other)));
        }
    }

    /// A valid manifest is read, packed and read again without a change of what it grants.
    #[test]
    fn valid_manifests_round_trip(capabilities in capabilities()) {
        let text = common::with(&capabilities);
        let manifest = read(text.as_bytes());
        prop_assert!(manifest.is_some(), "{}", common::refused(&text));
        let grant = manifest.as_ref().map(Manifest::grant);
        let pins = grant.map_or(Peripherals::EMPTY, |grant| grant.peripherals);
        let occupied: usize = pins.iter().map(|peripheral| peripheral.pins().iter().count()).sum();
        prop_assert_eq!(occupied, pins.pins().iter().count());
    }

    /// A valid manifest with bytes exchanged, removed or inserted is read or refused.
    #[test]
    fn mutated_manifests_are_read_or_refused(
        capabilities in capabilities(),
        mutations in vec((any::<prop::sample::Index>(), 0..3u8, any::<u8>()), 1..4),
    ) {
        let mut bytes = common::with(&capabilities).into_bytes();
        for (place, how, byte) in mutations {
            let index = place.index(bytes.len());
            // Most bytes of a text are worth nothing; half of the new ones are taken from JSON.
            let byte = if byte < 128 { b"{}[]:,\"\\0189eE.-+ntf$u \n"[usize::from(byte) % 24] } else { byte };
            match how {
                0 => bytes[index] = byte,
                1 => {
                    bytes.remove(index);
                }
                _ => bytes.insert(index, byte),
            }
        }
        read(&bytes);
    }

    /// A valid manifest that ends early is refused.
    #[test]
    fn shortened_manifests_are_refused(capabilities in capabilities(), end in any::<prop::sample::Index>()) {
        let text = common::with(&capabilities);
        let bytes = text.as_bytes();
        prop_assert!(read(&bytes[..end.index(bytes.len())]).is_none());
    }
}
