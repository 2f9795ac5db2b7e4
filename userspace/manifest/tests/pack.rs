// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The packed manifest, byte for byte.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::path::Path;

use common::{COMPONENT, real_time, with};
use manifest::{HardwareDefinition, Manifest, pack};

fn appliance() -> HardwareDefinition {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/hardware/appliance.json");
    HardwareDefinition::load(&file, &[]).unwrap()
}

fn packed(text: &str, beta_apis: Option<&str>) -> String {
    let bytes = pack(text.as_bytes(), Some(&appliance()), 5, beta_apis).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn keys_keep_their_order_and_names_become_values() {
    let id = COMPONENT.to_uppercase();
    let lines = [
        r#"{"#,
        r#"  "Name": "a  b \u00e9 é","#,
        r#"  "Capabilities": {"#,
        r#"    "Uart": [ "$APP_UART" ],"#,
        r#"    "Gpio": [ "$APP_BUTTON", 12, "$APP_LED" ],"#,
        r#"    "MutableStorage": { "SizeKB" : 8 },"#,
        r#"    "AllowedConnections": [ ]"#,
        r#"  },"#,
        r#"  "CmdArgs": [ "$APP_LED", "" ],"#,
        r#"  "SchemaVersion": 1,"#,
        r#"  "Unknown": [ { }, [ 1.50, null ], true ],"#,
        r#"  "EntryPoint": "/bin/app","#,
        &format!(r#"  "ComponentId": "{id}""#),
        r#"}"#,
        r#""#,
    ];
    let text = lines.join("\r\n");
    let expected = [
        r#"{"Name":"a  b \u00e9 é","#,
        r#""Capabilities":{"Uart":["ISU0"],"Gpio":[9,12,8],"#,
        r#""MutableStorage":{"SizeKB":8},"AllowedConnections":[]},"#,
        r#""CmdArgs":["$APP_LED",""],"SchemaVersion":1,"#,
        r#""Unknown":[{},[1.50,null],true],"EntryPoint":"/bin/app","#,
        &format!(r#""ComponentId":"{id}","TargetApplicationRuntimeVersion":5}}"#),
    ]
    .concat();
    assert_eq!(packed(&text, None), expected);
}

#[test]
fn the_api_set_comes_last_and_stands_once() {
    let text = packed(&with("{}"), Some("Beta1909"));
    let end = "\"Capabilities\":{},\"TargetApplicationRuntimeVersion\":5,\"TargetBetaApis\":\"Beta1909\"}";
    assert!(text.ends_with(end), "{text}");
    let again = packed(&text, None);
    assert!(
        again.ends_with("\"Capabilities\":{},\"TargetApplicationRuntimeVersion\":5}"),
        "{again}"
    );
    assert_eq!(packed(&again, None), again);
}

#[test]
fn every_kind_of_name_is_replaced() {
    let capabilities = r#"{
        "SpiMaster": ["$APP_SENSOR_SPI"], "Pwm": ["$APP_DIMMER"],
        "Adc": ["$CHIP_ADC_CONTROLLER0"], "I2cMaster": ["$CHIP_ISU0_I2C"]
    }"#;
    let text = packed(&with(capabilities), None);
    let expected = [
        r#"{"SpiMaster":["ISU1"],"Pwm":["PWM-CONTROLLER-2"],"#,
        r#""Adc":["ADC-CONTROLLER-0"],"I2cMaster":["ISU0"]}"#,
    ]
    .concat();
    assert!(text.contains(&expected), "{text}");
    assert!(!text.contains('$'));
}

#[test]
fn what_the_device_would_refuse_is_not_packed() {
    let names = with("{\"Gpio\": [\"$APP_LED\"]}");
    let error = pack(names.as_bytes(), None, 5, None).unwrap_err();
    assert_eq!((error.code().category(), error.code().id()), (2, 10));
    assert!(pack(names.as_bytes(), Some(&appliance()), 5, None).is_ok());

    let real_time_names = real_time("{\"Gpio\": [\"$APP_LED\"]}");
    assert!(pack(real_time_names.as_bytes(), Some(&appliance()), 5, None).is_err());
    assert!(pack(real_time("{\"Gpio\": [8]}").as_bytes(), None, 5, None).is_ok());

    assert!(pack(with("{\"Gpios\": [8]}").as_bytes(), None, 5, None).is_err());
    assert!(pack(b"{}", None, 5, None).is_err());
    assert!(pack(b"", None, 5, None).is_err());
}

#[test]
fn the_device_reads_what_was_packed() {
    let source = with("{\"Gpio\": [\"$APP_LED\"], \"AllowedConnections\": [\"example.com\"]}");
    let hardware = appliance();
    let bytes = pack(source.as_bytes(), Some(&hardware), 5, Some("Beta")).unwrap();
    let device = Manifest::parse(&bytes).unwrap();
    assert_eq!(device.runtime_version(), Some(5));
    assert_eq!(device.beta_apis(), Some("Beta"));
    let project = Manifest::parse_with(source.as_bytes(), &hardware).unwrap();
    assert_eq!(device.grant(), project.grant());
}
