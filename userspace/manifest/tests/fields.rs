// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The fields beside the capabilities: each refused with its code, and its permitted twin.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use common::{COMPONENT, accepted, changed, refused, verdict, with};
use manifest::{MAX_ENTRY_POINT_LENGTH, Problem};
use policy::AppKind;

#[test]
fn a_whole_manifest_is_read() {
    let text = common::fields(&[
        ("SchemaVersion", "1"),
        ("Name", "\"Größe\""),
        ("ComponentId", "\"25025D2C-66DA-4448-BAE1-AC26FCDD3627\""),
        ("EntryPoint", "\"/bin/app\""),
        ("CmdArgs", "[\"--host\", \"\", \"a b\"]"),
        ("Capabilities", "{\"WifiConfig\": true}"),
        ("ApplicationType", "\"Default\""),
        ("MallocVersion", "2"),
        ("TargetApplicationRuntimeVersion", "12"),
        ("TargetBetaApis", "\"Beta1909\""),
    ]);
    let manifest = accepted(&text);
    assert_eq!(manifest.name(), "Größe");
    assert_eq!(manifest.component().to_string(), COMPONENT);
    assert_eq!(manifest.application_type(), AppKind::HighLevel);
    assert_eq!(manifest.entry_point(), "/bin/app");
    assert_eq!(manifest.arguments(), ["--host", "", "a b"]);
    assert_eq!(manifest.malloc_version(), 2);
    assert_eq!(manifest.runtime_version(), Some(12));
    assert_eq!(manifest.beta_apis(), Some("Beta1909"));
    assert_eq!(manifest.grant().component, manifest.component());
}

#[test]
fn optional_fields_have_their_defaults() {
    let manifest = accepted(&changed("CmdArgs", None));
    assert!(manifest.arguments().is_empty());
    assert_eq!(manifest.application_type(), AppKind::HighLevel);
    assert_eq!(manifest.malloc_version(), 1);
    assert_eq!(
        (manifest.runtime_version(), manifest.beta_apis()),
        (None, None)
    );
}

#[test]
fn required_fields_are_missed_with_their_code() {
    for (key, category, id) in [
        ("SchemaVersion", 2, 4),
        ("Name", 2, 1),
        ("ComponentId", 7, 47),
        ("EntryPoint", 2, 3),
        ("Capabilities", 2, 6),
    ] {
        let text = changed(key, None);
        assert_eq!(verdict(&text), (category, id, key.to_owned()));
        assert!(matches!(refused(&text).problem(), Problem::Missing { .. }));
    }
}

#[test]
fn wrong_values_are_refused_with_their_code() {
    let long = format!("\"/{}\"", "a".repeat(MAX_ENTRY_POINT_LENGTH));
    for (key, value, category, id) in [
        ("SchemaVersion", "2", 2, 17),
        ("SchemaVersion", "0", 2, 17),
        ("SchemaVersion", "-1", 2, 17),
        ("SchemaVersion", "\"1\"", 2, 4),
        ("SchemaVersion", "1.0", 2, 4),
        ("SchemaVersion", "null", 2, 4),
        ("SchemaVersion", "true", 2, 4),
        ("Name", "1", 2, 1),
        ("Name", "null", 2, 1),
        ("Name", "\"a\\u0000b\"", 2, 1),
        ("Name", "\"a\\nb\"", 2, 1),
        ("ComponentId", "1", 7, 47),
        ("ComponentId", "\"\"", 7, 47),
        ("ComponentId", "\"25025d2c66da4448bae1ac26fcdd3627\"", 7, 47),
        (
            "ComponentId",
            "\"{25025d2c-66da-4448-bae1-ac26fcdd3627}\"",
            7,
            47,
        ),
        ("EntryPoint", "1", 2, 16),
        ("EntryPoint", "null", 2, 16),
        ("EntryPoint", "\"\"", 2, 16),
        ("EntryPoint", "\"/\"", 2, 16),
        ("EntryPoint", "\"bin/app\"", 2, 16),
        ("EntryPoint", "\"/bin//app\"", 2, 16),
        ("EntryPoint", "\"/bin/app/\"", 2, 16),
        ("EntryPoint", "\"/bin/../app\"", 2, 16),
        ("EntryPoint", "\"/./app\"", 2, 16),
        ("EntryPoint", "\"/bin/app\\u0000x\"", 2, 16),
        ("EntryPoint", long.as_str(), 2, 16),
        ("CmdArgs", "\"a\"", 2, 5),
        ("CmdArgs", "null", 2, 5),
        ("CmdArgs", "{}", 2, 5),
        ("Capabilities", "[]", 2, 6),
        ("Capabilities", "null", 2, 6),
        ("Capabilities", "true", 2, 6),
        ("ApplicationType", "\"default\"", 2, 26),
        ("ApplicationType", "\"\"", 2, 26),
        ("ApplicationType", "1", 2, 27),
        ("ApplicationType", "null", 2, 27),
        ("MallocVersion", "0", 2, 59),
        ("MallocVersion", "3", 2, 59),
        ("MallocVersion", "\"2\"", 2, 59),
        ("MallocVersion", "2.0", 2, 59),
        ("MallocVersion", "null", 2, 59),
        ("TargetApplicationRuntimeVersion", "0", 3, 22),
        ("TargetApplicationRuntimeVersion", "-1", 3, 22),
        ("TargetApplicationRuntimeVersion", "4294967296", 3, 22),
        ("TargetApplicationRuntimeVersion", "\"12\"", 3, 22),
        ("TargetBetaApis", "1", 3, 22),
    ] {
        let expected = (category, id, key.to_owned());
        assert_eq!(
            verdict(&changed(key, Some(value))),
            expected,
            "{key}: {value}"
        );
    }
}

#[test]
fn values_next_to_the_wrong_ones_are_accepted() {
    let longest = format!("\"/{}\"", "a".repeat(MAX_ENTRY_POINT_LENGTH - 1));
    for (key, value) in [
        ("Name", "\"\""),
        (
            "Name",
            "\"a name that is longer than the image package can hold\"",
        ),
        ("ComponentId", "\"00000000-0000-0000-0000-000000000000\""),
        ("EntryPoint", "\"/app\""),
        ("EntryPoint", "\"/bin/..app\""),
        ("EntryPoint", longest.as_str()),
        ("CmdArgs", "[\"\\n\", \"é\"]"),
        ("ApplicationType", "\"Debugger\""),
        ("MallocVersion", "1"),
        ("TargetApplicationRuntimeVersion", "4294967295"),
    ] {
        accepted(&changed(key, Some(value)));
    }
}

#[test]
fn arguments_are_named_by_their_position() {
    for (value, index) in [
        ("[1]", 0),
        ("[\"a\", null]", 1),
        ("[\"a\", \"b\", \"c\\u0000\"]", 2),
    ] {
        let expected = (2, 5, format!("CmdArgs[{index}]"));
        assert_eq!(verdict(&changed("CmdArgs", Some(value))), expected);
    }
}

#[test]
fn policy_fields_are_refused_and_unknown_fields_are_ignored() {
    for key in [
        "Policy",
        "PolicyGroups",
        "LinuxCapabilities",
        "Update",
        "Debug",
        "debug",
        "UPDATE",
    ] {
        let expected = (1, 2, key.to_owned());
        assert_eq!(verdict(&changed(key, Some("[]"))), expected);
        let inside = with(&format!("{{\"{key}\": true}}"));
        assert_eq!(verdict(&inside), (1, 2, format!("Capabilities.{key}")));
    }
    for key in ["AzureSphereTargetApiSet", "Debugger", "Updates", "name", ""] {
        accepted(&changed(key, Some("\"6\"")));
    }
}

#[test]
fn the_order_of_the_text_does_not_matter() {
    let moved = |key, value| accepted(&changed(key, Some(value)));
    let id = format!("\"{COMPONENT}\"");
    let expected = accepted(&with("{}"));
    for (key, value) in [
        ("SchemaVersion", "1"),
        ("ComponentId", &id),
        ("CmdArgs", "[]"),
    ] {
        assert_eq!(moved(key, value), expected);
    }
}
