// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Every capability: what it grants, each way to be refused, and which kind of app may have it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use common::{accepted, real_time, refused, verdict, with};
use manifest::{MAX_HOST_LENGTH, MAX_LIST_LENGTH, Problem};
use policy::{AppKind, Capability, Peripheral, PowerControl};

/// A value that is fine for a capability.
fn example(capability: Capability) -> &'static str {
    match capability {
        Capability::Adc => "[\"ADC-CONTROLLER-0\"]",
        Capability::AllowedApplicationConnections => "[\"005180BC-402F-4CB3-A662-72937DBCDE47\"]",
        Capability::AllowedConnections => "[\"example.com\"]",
        Capability::AllowedTcpServerPorts | Capability::AllowedUdpServerPorts => "[8080]",
        Capability::DeviceAuthentication => "\"00000000-0000-0000-0000-000000000000\"",
        Capability::ExternalInterrupt => "[\"EINT12\"]",
        Capability::Gpio => "[8]",
        Capability::I2cMaster => "[\"ISU0\"]",
        Capability::I2sSubordinate => "[\"I2S0\"]",
        Capability::MutableStorage => "{\"SizeKB\": 8}",
        Capability::PowerControls => "[\"ForceReboot\"]",
        Capability::Pwm => "[\"PWM-CONTROLLER-0\"]",
        Capability::SpiMaster => "[\"ISU1\"]",
        Capability::Uart => "[\"ISU2\"]",
        _ => "true",
    }
}

#[test]
fn every_capability_is_granted_to_its_kind_of_app_alone() {
    for &capability in Capability::ALL {
        let capabilities = format!("{{\"{capability}\": {}}}", example(capability));
        for (text, kind) in [
            (with(&capabilities), AppKind::HighLevel),
            (real_time(&capabilities), AppKind::RealTime),
        ] {
            if !capability.is_for(kind) {
                let expected = (1, 3, format!("Capabilities.{capability}"));
                assert_eq!(verdict(&text), expected);
                continue;
            }
            let manifest = accepted(&text);
            let grant = manifest.grant();
            let had: Vec<_> = Capability::ALL
                .iter()
                .filter(|other| grant.has(**other))
                .collect();
            assert_eq!(had, [&capability]);
        }
    }
}

#[test]
fn every_toggle_wants_a_truth_value() {
    for (key, id) in [
        ("CertStore", 44),
        ("DhcpService", 41),
        ("EnterpriseWifiConfig", 45),
        ("HardwareAddressConfig", 51),
        ("HeapMemStats", 58),
        ("NetworkConfig", 11),
        ("ReadNetworkProxyConfig", 56),
        ("ResetMemoryWatermarks", 57),
        ("SntpService", 42),
        ("SoftwareUpdateDeferral", 47),
        ("SystemEventNotifications", 46),
        ("SystemTime", 30),
        ("TimeSyncConfig", 40),
        ("WifiConfig", 15),
    ] {
        let capability = Capability::from_key(key).unwrap();
        assert!(
            accepted(&with(&format!("{{\"{key}\": true}}")))
                .grant()
                .has(capability)
        );
        assert!(
            !accepted(&with(&format!("{{\"{key}\": false}}")))
                .grant()
                .has(capability)
        );
        for value in ["1", "\"true\"", "null", "[]", "{}", "[true]"] {
            let expected = (2, id, format!("Capabilities.{key}"));
            assert_eq!(verdict(&with(&format!("{{\"{key}\": {value}}}"))), expected);
        }
    }
}

#[test]
fn wrong_values_are_refused_with_their_code_and_place() {
    let too_long = format!("[\"{}.example\"]", "a".repeat(MAX_HOST_LENGTH));
    let tenant = format!("\"{}\"", "a".repeat(65));
    for (key, value, category, id, place) in [
        ("Adc", "\"ADC-CONTROLLER-0\"", 2, 13, ""),
        ("Adc", "[0]", 2, 13, "[0]"),
        ("Adc", "[\"ADC-CONTROLLER-1\"]", 5, 7, "[0]"),
        ("AllowedApplicationConnections", "{}", 2, 43, ""),
        ("AllowedApplicationConnections", "[1]", 2, 43, "[0]"),
        ("AllowedApplicationConnections", "[\"app\"]", 2, 43, "[0]"),
        ("AllowedConnections", "\"example.com\"", 2, 9, ""),
        ("AllowedConnections", "null", 2, 9, ""),
        ("AllowedConnections", "[\"a\", 1]", 2, 9, "[1]"),
        ("AllowedConnections", "[\"\"]", 2, 9, "[0]"),
        (
            "AllowedConnections",
            "[\"https://example.com\"]",
            2,
            9,
            "[0]",
        ),
        ("AllowedConnections", "[\"example.com:443\"]", 2, 9, "[0]"),
        ("AllowedConnections", "[\"*.example.com\"]", 2, 9, "[0]"),
        ("AllowedConnections", "[\"a\\nb\"]", 2, 9, "[0]"),
        ("AllowedConnections", "[\"a\\u0000\"]", 2, 9, "[0]"),
        ("AllowedConnections", "[\"<your host>\"]", 2, 9, "[0]"),
        ("AllowedConnections", too_long.as_str(), 2, 9, "[0]"),
        ("AllowedTcpServerPorts", "80", 2, 36, ""),
        ("AllowedTcpServerPorts", "[\"8080\"]", 2, 36, "[0]"),
        ("AllowedTcpServerPorts", "[8080.0]", 2, 36, "[0]"),
        ("AllowedTcpServerPorts", "[1e4]", 2, 36, "[0]"),
        ("AllowedTcpServerPorts", "[true]", 2, 36, "[0]"),
        (
            "AllowedTcpServerPorts",
            "[99999999999999999999]",
            2,
            36,
            "[0]",
        ),
        ("AllowedTcpServerPorts", "[1023]", 2, 38, "[0]"),
        ("AllowedTcpServerPorts", "[8080, 0]", 2, 38, "[1]"),
        ("AllowedTcpServerPorts", "[65536]", 2, 38, "[0]"),
        ("AllowedTcpServerPorts", "[-1]", 2, 38, "[0]"),
        ("AllowedTcpServerPorts", "[8080, 8080]", 3, 20, "[1]"),
        ("AllowedUdpServerPorts", "{}", 2, 37, ""),
        ("AllowedUdpServerPorts", "[null]", 2, 37, "[0]"),
        ("AllowedUdpServerPorts", "[80]", 2, 39, "[0]"),
        ("AllowedUdpServerPorts", "[5353, 5353]", 3, 20, "[1]"),
        ("DeviceAuthentication", "true", 2, 24, ""),
        ("DeviceAuthentication", "null", 2, 24, ""),
        ("DeviceAuthentication", "\"<your tenant>\"", 2, 28, ""),
        ("DeviceAuthentication", "\"\"", 2, 28, ""),
        ("DeviceAuthentication", tenant.as_str(), 2, 29, ""),
        ("Gpio", "8", 2, 10, ""),
        ("Gpio", "[\"8\"]", 2, 10, "[0]"),
        ("Gpio", "[8.0]", 2, 10, "[0]"),
        ("Gpio", "[null]", 2, 10, "[0]"),
        ("Gpio", "[8, 24]", 5, 3, "[1]"),
        ("Gpio", "[-1]", 5, 3, "[0]"),
        ("Gpio", "[81]", 5, 3, "[0]"),
        ("Gpio", "[264]", 5, 3, "[0]"),
        ("Gpio", "[8, 8]", 2, 35, "[1]"),
        ("I2cMaster", "[2]", 2, 13, "[0]"),
        ("I2cMaster", "[\"ISU5\"]", 5, 7, "[0]"),
        ("MutableStorage", "8", 2, 31, ""),
        ("MutableStorage", "[]", 2, 31, ""),
        ("MutableStorage", "null", 2, 31, ""),
        ("MutableStorage", "{}", 2, 32, ".SizeKB"),
        ("MutableStorage", "{\"SizeKb\": 8}", 2, 32, ".SizeKB"),
        ("MutableStorage", "{\"SizeKB\": \"8\"}", 2, 33, ".SizeKB"),
        ("MutableStorage", "{\"SizeKB\": 8.5}", 2, 33, ".SizeKB"),
        ("MutableStorage", "{\"SizeKB\": 0}", 2, 33, ".SizeKB"),
        ("MutableStorage", "{\"SizeKB\": -1}", 2, 33, ".SizeKB"),
        ("MutableStorage", "{\"SizeKB\": null}", 2, 33, ".SizeKB"),
        ("MutableStorage", "{\"SizeKB\": 65}", 2, 34, ".SizeKB"),
        (
            "MutableStorage",
            "{\"SizeKB\": 9007199254740993}",
            2,
            34,
            ".SizeKB",
        ),
        ("PowerControls", "\"ForceReboot\"", 2, 48, ""),
        ("PowerControls", "[1]", 2, 48, "[0]"),
        (
            "PowerControls",
            "[\"ForceReboot\", \"ForceReboot\"]",
            2,
            48,
            "[1]",
        ),
        ("PowerControls", "[]", 2, 49, ""),
        ("PowerControls", "[\"forceReboot\"]", 2, 50, "[0]"),
        ("Pwm", "[\"PWM-CONTROLLER-3\"]", 5, 7, "[0]"),
        ("Pwm", "[[]]", 2, 13, "[0]"),
        ("SpiMaster", "{}", 2, 13, ""),
        ("SpiMaster", "[\"ISU0, ISU1\"]", 5, 7, "[0]"),
        ("Uart", "[\"\"]", 5, 7, "[0]"),
        ("Uart", "[true]", 2, 13, "[0]"),
        ("Uart", "[\"ISU0\", \"ISU0\"]", 2, 35, "[1]"),
    ] {
        let text = with(&format!("{{\"{key}\": {value}}}"));
        let expected = (category, id, format!("Capabilities.{key}{place}"));
        assert_eq!(verdict(&text), expected, "{key}: {value}");
    }
}

#[test]
fn values_next_to_the_wrong_ones_are_granted() {
    let manifest = accepted(&with(
        "{
            \"AllowedConnections\": [\"Example.com\", \"_http._tcp.home\", \"255.255.255.255\"],
            \"AllowedTcpServerPorts\": [1024, 65535],
            \"AllowedUdpServerPorts\": [1024],
            \"AllowedApplicationConnections\": [\"005180BC-402F-4CB3-A662-72937DBCDE47\"],
            \"DeviceAuthentication\": \"AAAAAAAA-0000-0000-0000-000000000000\",
            \"MutableStorage\": {\"SizeKB\": 64, \"Other\": 1},
            \"PowerControls\": [\"SetPowerProfile\", \"ForceReboot\"],
            \"Gpio\": [0, 23, 30, 80],
            \"Uart\": [\"ISU0\", \"ISU4\"],
            \"Adc\": [\"ADC-CONTROLLER-0\"],
            \"Pwm\": [\"PWM-CONTROLLER-2\"]
        }",
    ));
    let grant = manifest.grant();
    let hosts: Vec<_> = grant.hosts.iter().collect();
    assert_eq!(hosts, ["Example.com", "_http._tcp.home", "255.255.255.255"]);
    assert_eq!(
        (grant.tcp_ports, grant.udp_ports),
        (&[1024, 65535][..], &[1024][..])
    );
    assert_eq!(
        grant.peers[0].to_string(),
        "005180bc-402f-4cb3-a662-72937dbcde47"
    );
    assert_eq!(grant.tenant, Some("AAAAAAAA-0000-0000-0000-000000000000"));
    assert_eq!(grant.storage_kb, 64);
    let controls = [PowerControl::ForceReboot, PowerControl::SetPowerProfile];
    assert_eq!(grant.power.iter().collect::<Vec<_>>(), controls);
    assert_eq!(
        grant.peripherals.gpio().iter().collect::<Vec<_>>(),
        [0, 23, 30, 80]
    );
    assert!(grant.peripherals.contains(Peripheral::Uart(4)));
}

#[test]
fn lists_may_be_empty_where_the_device_allows_it() {
    for capability in Capability::ALL {
        if !example(*capability).starts_with('[') || *capability == Capability::PowerControls {
            continue;
        }
        let capabilities = format!("{{\"{capability}\": []}}");
        let text = if capability.is_for(AppKind::HighLevel) {
            with(&capabilities)
        } else {
            real_time(&capabilities)
        };
        assert!(!accepted(&text).grant().has(*capability), "{capability}");
    }
}

#[test]
fn lists_without_a_limit_of_their_own_have_ours() {
    let list = |length, entry: &dyn Fn(usize) -> String| {
        let entries: Vec<_> = (0..length).map(entry).collect();
        format!("[{}]", entries.join(","))
    };
    let host = |index: usize| format!("\"host{index}.example\"");
    let port = |index: usize| (2000 + index).to_string();
    let peer = |index: usize| format!("\"00000000-0000-0000-0000-{index:012}\"");
    let cases: [(_, _, &dyn Fn(usize) -> String); 4] = [
        ("AllowedConnections", 9, &host),
        ("AllowedTcpServerPorts", 36, &port),
        ("AllowedUdpServerPorts", 37, &port),
        ("AllowedApplicationConnections", 43, &peer),
    ];
    for (key, id, entry) in cases {
        let text = |length| with(&format!("{{\"{key}\": {}}}", list(length, entry)));
        accepted(&text(MAX_LIST_LENGTH));
        let expected = (2, id, format!("Capabilities.{key}[{MAX_LIST_LENGTH}]"));
        assert_eq!(verdict(&text(MAX_LIST_LENGTH + 1)), expected);
    }
}

#[test]
fn a_pin_serves_one_peripheral() {
    for (capabilities, place) in [
        (
            "{\"Uart\": [\"ISU0\"], \"I2cMaster\": [\"ISU0\"]}",
            "I2cMaster[0]",
        ),
        (
            "{\"SpiMaster\": [\"ISU1\"], \"Uart\": [\"ISU0\", \"ISU1\"]}",
            "Uart[1]",
        ),
        ("{\"Gpio\": [26], \"Uart\": [\"ISU0\"]}", "Uart[0]"),
        ("{\"SpiMaster\": [\"ISU0\"], \"Gpio\": [30]}", "Gpio[0]"),
        (
            "{\"Adc\": [\"ADC-CONTROLLER-0\"], \"Gpio\": [8, 41]}",
            "Gpio[1]",
        ),
        (
            "{\"Pwm\": [\"PWM-CONTROLLER-2\"], \"Gpio\": [12, 11]}",
            "Gpio[1]",
        ),
    ] {
        let expected = (2, 35, format!("Capabilities.{place}"));
        assert_eq!(verdict(&with(capabilities)), expected);
    }
    let lines = "{\"Gpio\": [12], \"ExternalInterrupt\": [\"EINT12\"]}";
    assert_eq!(verdict(&real_time(lines)).1, 35);
    for capabilities in [
        "{\"Uart\": [\"ISU0\"], \"I2cMaster\": [\"ISU1\"], \"SpiMaster\": [\"ISU2\"]}",
        "{\"Uart\": [\"ISU0\"], \"Gpio\": [30, 31]}",
        "{\"Adc\": [\"ADC-CONTROLLER-0\"], \"Gpio\": [40]}",
        "{\"Pwm\": [\"PWM-CONTROLLER-2\"], \"Gpio\": [12, 7]}",
    ] {
        accepted(&with(capabilities));
    }
    accepted(&real_time(
        "{\"Gpio\": [13], \"ExternalInterrupt\": [\"EINT12\"]}",
    ));
}

#[test]
fn an_unknown_capability_is_refused_with_the_one_that_was_meant() {
    for (key, meant) in [
        ("gpio", Some("Gpio")),
        ("WiFiConfig", Some("WifiConfig")),
        ("Spi", None),
        ("", None),
        ("Gpio ", None),
    ] {
        let text = with(&format!("{{\"{key}\": []}}"));
        assert_eq!(verdict(&text), (1, 3, format!("Capabilities.{key}")));
        let error = refused(&text);
        let Problem::UnknownCapability { meant: found } = error.problem() else {
            panic!("{error}");
        };
        assert_eq!(found.map(Capability::key), meant);
    }
}

#[test]
fn names_are_for_the_packer_and_never_for_real_time_apps() {
    for (capabilities, id, place) in [
        ("{\"Gpio\": [8, \"$LED\"]}", 10, "Gpio[1]"),
        ("{\"Uart\": [\"$UART\"]}", 13, "Uart[0]"),
        ("{\"Pwm\": [\"$\"]}", 13, "Pwm[0]"),
    ] {
        for text in [with(capabilities), real_time(capabilities)] {
            assert_eq!(verdict(&text), (2, id, format!("Capabilities.{place}")));
        }
        let error = refused(&with(capabilities));
        assert!(matches!(error.problem(), Problem::UnresolvedName { .. }));
        let error = refused(&real_time(capabilities));
        assert!(matches!(error.problem(), Problem::NameInRealTimeApp { .. }));
    }
}
