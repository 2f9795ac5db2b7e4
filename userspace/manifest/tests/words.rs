// SPDX-License-Identifier: Apache-2.0 OR MIT

//! What people read: grants in words, and warnings.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use common::{COMPONENT, accepted, changed, real_time, with};
use manifest::{grant_in_words, warnings};
use policy::Capability;

#[test]
fn a_grant_is_one_line_for_each_thing() {
    let manifest = accepted(&with(
        "{
            \"AllowedConnections\": [\"example.com\", \"10.0.0.1\"],
            \"AllowedTcpServerPorts\": [8080],
            \"AllowedUdpServerPorts\": [5353],
            \"AllowedApplicationConnections\": [\"005180BC-402F-4CB3-A662-72937DBCDE47\"],
            \"DeviceAuthentication\": \"00000000-0000-0000-0000-000000000000\",
            \"MutableStorage\": {\"SizeKB\": 8},
            \"PowerControls\": [\"ForceReboot\", \"ForcePowerDown\", \"SetPowerProfile\"],
            \"Gpio\": [12, 8],
            \"Uart\": [\"ISU0\"],
            \"Adc\": [\"ADC-CONTROLLER-0\"],
            \"WifiConfig\": true,
            \"SystemTime\": false
        }",
    ));
    assert_eq!(
        grant_in_words(&manifest.grant()),
        [
            "may use analogue-to-digital controller 0 (Adc)",
            "may exchange messages with app 005180bc-402f-4cb3-a662-72937dbcde47, if that app lists this one (AllowedApplicationConnections)",
            "may connect to example.com (AllowedConnections)",
            "may connect to 10.0.0.1 (AllowedConnections)",
            "may listen on TCP port 8080 (AllowedTcpServerPorts)",
            "may receive on UDP port 5353 (AllowedUdpServerPorts)",
            "may prove the identity of the device to tenant 00000000-0000-0000-0000-000000000000 (DeviceAuthentication)",
            "may use pin 8 (Gpio)",
            "may use pin 12 (Gpio)",
            "may keep 8 KB across restarts (MutableStorage)",
            "may restart the device (PowerControls)",
            "may power the device down (PowerControls)",
            "may choose the power profile (PowerControls)",
            "may use UART ISU0 (Uart)",
            "may read and change Wi-Fi settings (WifiConfig)",
        ]
    );
}

#[test]
fn an_app_without_capabilities_has_no_line() {
    assert!(grant_in_words(&accepted(&with("{}")).grant()).is_empty());
}

#[test]
fn every_toggle_and_every_line_of_a_real_time_app_has_words() {
    for &capability in Capability::ALL {
        if capability.is_toggle() {
            let manifest = accepted(&with(&format!("{{\"{capability}\": true}}")));
            let words = grant_in_words(&manifest.grant());
            assert_eq!(words.len(), 1, "{capability}");
            assert!(words[0].ends_with(&format!(" ({capability})")), "{words:?}");
        }
    }
    let lines = "{\"ExternalInterrupt\": [\"EINT1\"], \"I2sSubordinate\": [\"I2S0\"]}";
    assert_eq!(
        grant_in_words(&accepted(&real_time(lines)).grant()),
        [
            "may use external interrupt 1 (ExternalInterrupt)",
            "may use I2S controller 0 (I2sSubordinate)",
        ]
    );
}

#[test]
fn likely_mistakes_are_warnings_at_their_place() {
    let list = |text: &str| -> Vec<String> {
        let warnings = warnings(text.as_bytes()).unwrap();
        warnings
            .iter()
            .map(|warning| format!("{}: {}", warning.location.path, warning.message))
            .collect()
    };
    let zero = "\"00000000-0000-0000-0000-000000000000\"";
    let own = format!(
        "{{\"AllowedApplicationConnections\": [\"{}\"]}}",
        COMPONENT.to_uppercase()
    );
    let tenant = format!("{{\"DeviceAuthentication\": {zero}}}");
    let long = format!("\"{}\"", "é".repeat(32));
    let longest = format!("\"{}\"", "é".repeat(31));
    for (key, value, expected) in [
        (
            "Name",
            long.as_str(),
            "Name: the name has 32 characters: image packages keep the first 31",
        ),
        ("Name", longest.as_str(), ""),
        ("Name", "\"\"", "Name: the name is empty"),
        (
            "ComponentId",
            zero,
            "ComponentId: the zero id names no app: make one",
        ),
        (
            "AzureSphereTargetApiSet",
            "\"6\"",
            "AzureSphereTargetApiSet: not a field of manifests: the device ignores it",
        ),
        ("MallocVersion", "2", ""),
        (
            "Capabilities",
            "{\"AllowedConnections\": [\"a.example\", \"b.example\", \"A.example\"]}",
            "Capabilities.AllowedConnections[2]: the entry stands twice in the list",
        ),
        (
            "Capabilities",
            own.as_str(),
            "Capabilities.AllowedApplicationConnections[0]: the app lists itself",
        ),
        (
            "Capabilities",
            tenant.as_str(),
            "Capabilities.DeviceAuthentication: the zero id names no tenant: write yours before you deploy",
        ),
        (
            "Capabilities",
            "{\"MutableStorage\": {\"SizeKB\": 8, \"Path\": 1}}",
            "Capabilities.MutableStorage.Path: not a field of MutableStorage: the device ignores it",
        ),
        (
            "Capabilities",
            "{\"AllowedConnections\": [\"a.example\", \"b.example\"]}",
            "",
        ),
    ] {
        let text = changed(key, Some(value));
        accepted(&text);
        assert_eq!(list(&text).join("\n"), expected, "{key}: {value}");
    }
}

#[test]
fn warnings_of_broken_text_are_its_error() {
    assert!(warnings(b"{").is_err());
    assert!(warnings(b"[]").unwrap().is_empty());
    assert!(
        warnings(b"{\"Name\": 1, \"Capabilities\": [], \"ComponentId\": {}}")
            .unwrap()
            .is_empty()
    );
}

#[test]
fn a_warning_is_one_line() {
    let warnings = warnings(b"{\n  \"Nmae\": \"app\"\n}").unwrap();
    assert_eq!(
        warnings[0].to_string(),
        "line 2, column 3, Nmae: not a field of manifests: the device ignores it"
    );
}
