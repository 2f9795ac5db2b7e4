// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Hardware definitions: imports, names, and each way to be refused with file and entry.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use common::with;
use manifest::{HardwareDefinition, HardwareError, Manifest, NameError, Problem};
use policy::{Peripheral, PeripheralKind};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/hardware")
}

fn appliance() -> HardwareDefinition {
    HardwareDefinition::load(&fixtures().join("appliance.json"), &[]).unwrap()
}

/// Reads from texts instead of files.
fn load(
    file: &str,
    directories: &[&str],
    files: &[(&str, &str)],
) -> Result<HardwareDefinition, HardwareError> {
    let files: BTreeMap<&Path, &str> = files
        .iter()
        .map(|(path, text)| (Path::new(*path), *text))
        .collect();
    let directories: Vec<_> = directories.iter().map(PathBuf::from).collect();
    HardwareDefinition::load_with(
        Path::new(file),
        &directories,
        &|path| match files.get(path) {
            Some(&"unreadable") => Err(io::ErrorKind::PermissionDenied.into()),
            Some(text) => Ok(text.as_bytes().to_vec()),
            None => Err(io::ErrorKind::NotFound.into()),
        },
    )
}

/// A file with these imports and entries.
fn file(imports: &[&str], peripherals: &str) -> String {
    let imports: Vec<_> = imports
        .iter()
        .map(|path| format!("{{\"Path\": \"{path}\"}}"))
        .collect();
    let imports = imports.join(",");
    let metadata = r#"{"Type": "Azure Sphere Hardware Definition", "Version": 1}"#;
    format!(r#"{{"Metadata": {metadata}, "Imports": [{imports}], "Peripherals": [{peripherals}]}}"#)
}

const PIN: &str = "{\"Name\": \"PIN\", \"Type\": \"Gpio\", \"AppManifestValue\": 12}";

#[test]
fn names_lead_to_peripherals_through_all_files() {
    let hardware = appliance();
    let names: Vec<_> = hardware
        .files()
        .iter()
        .filter_map(|file| file.file_name())
        .collect();
    assert_eq!(names, ["appliance.json", "board.json", "chip.json"]);
    for (name, kind, expected) in [
        ("APP_LED", PeripheralKind::Gpio, Peripheral::Gpio(8)),
        ("BOARD_BUTTON", PeripheralKind::Gpio, Peripheral::Gpio(9)),
        ("CHIP_GPIO9", PeripheralKind::Gpio, Peripheral::Gpio(9)),
        ("APP_UART", PeripheralKind::Uart, Peripheral::Uart(0)),
        (
            "CHIP_ISU0_I2C",
            PeripheralKind::I2cMaster,
            Peripheral::I2cMaster(0),
        ),
        (
            "APP_SENSOR_SPI",
            PeripheralKind::SpiMaster,
            Peripheral::SpiMaster(1),
        ),
        ("APP_DIMMER", PeripheralKind::Pwm, Peripheral::Pwm(2)),
        (
            "CHIP_ADC_CONTROLLER0",
            PeripheralKind::Adc,
            Peripheral::Adc(0),
        ),
    ] {
        assert_eq!(hardware.resolve(name, kind), Ok(expected), "{name}");
    }
}

#[test]
fn names_that_lead_nowhere_are_refused_with_file_and_entry() {
    let hardware = appliance();
    for (name, kind, file, reason) in [
        (
            "MISSING",
            PeripheralKind::Gpio,
            "appliance.json",
            "neither it nor its imports define \"MISSING\"",
        ),
        (
            "app_led",
            PeripheralKind::Gpio,
            "appliance.json",
            "neither it nor its imports define \"app_led\"",
        ),
        (
            "$APP_LED",
            PeripheralKind::Gpio,
            "appliance.json",
            "neither it nor its imports define \"$APP_LED\"",
        ),
        (
            "",
            PeripheralKind::Gpio,
            "appliance.json",
            "neither it nor its imports define \"\"",
        ),
        (
            "APP_NOWHERE",
            PeripheralKind::Gpio,
            "appliance.json",
            "APP_NOWHERE maps to BOARD_NOTHING, which no file defines",
        ),
        (
            "APP_CIRCLE_2",
            PeripheralKind::Gpio,
            "appliance.json",
            "APP_CIRCLE_2 maps to itself, directly or through others",
        ),
        (
            "APP_SENSOR_CS",
            PeripheralKind::SpiMaster,
            "chip.json",
            "CHIP_SPI_CS_A is an int constant for C code and no peripheral",
        ),
        (
            "CHIP_SPI_CS_A",
            PeripheralKind::Gpio,
            "chip.json",
            "CHIP_SPI_CS_A is an int constant for C code and no peripheral",
        ),
        (
            "APP_LED",
            PeripheralKind::Uart,
            "appliance.json",
            "APP_LED is of type Gpio, not Uart",
        ),
        (
            "APP_UART",
            PeripheralKind::I2cMaster,
            "appliance.json",
            "APP_UART is of type Uart, not I2cMaster",
        ),
        (
            "APP_MISTAKEN",
            PeripheralKind::Gpio,
            "appliance.json",
            "APP_MISTAKEN is of type Uart, not Gpio",
        ),
        (
            "APP_NO_PIN",
            PeripheralKind::Gpio,
            "chip.json",
            "CHIP_GPIO24 has the value 24, which is no Gpio of the chip",
        ),
    ] {
        let message = hardware.resolve(name, kind).unwrap_err().to_string();
        assert!(message.ends_with(&format!("{file}: {reason}")), "{message}");
    }
}

#[test]
fn values_of_the_wrong_type_are_refused() {
    for (kind, value, reason) in [
        (
            "Gpio",
            "\"8\"",
            "X has the value \"8\", which is no Gpio of the chip",
        ),
        (
            "Gpio",
            "-1",
            "X has the value -1, which is no Gpio of the chip",
        ),
        (
            "Gpio",
            "264",
            "X has the value 264, which is no Gpio of the chip",
        ),
        (
            "Uart",
            "0",
            "X has the value 0, which is no Uart of the chip",
        ),
        (
            "Uart",
            "\"ISU5\"",
            "X has the value \"ISU5\", which is no Uart of the chip",
        ),
    ] {
        let entry =
            format!("{{\"Name\": \"X\", \"Type\": \"{kind}\", \"AppManifestValue\": {value}}}");
        let hardware = load("a", &[], &[("a", &file(&[], &entry))]).unwrap();
        let kind = PeripheralKind::ALL
            .into_iter()
            .find(|known| known.capability().key() == kind);
        let error = hardware.resolve("X", kind.unwrap()).unwrap_err();
        assert!(matches!(error, NameError::WrongValue { .. }));
        assert_eq!(error.to_string(), format!("a: {reason}"));
    }
}

#[test]
fn a_manifest_with_names_is_read_with_a_definition() {
    let hardware = appliance();
    let text = with("{\"Gpio\": [\"$APP_BUTTON\", 12, \"$APP_LED\"], \"Uart\": [\"$APP_UART\"]}");
    let manifest = Manifest::parse_with(text.as_bytes(), &hardware).unwrap();
    let plain = with("{\"Gpio\": [9, 12, 8], \"Uart\": [\"ISU0\"]}");
    assert_eq!(manifest, Manifest::parse(plain.as_bytes()).unwrap());
}

#[test]
fn a_manifest_is_refused_at_the_name() {
    let hardware = appliance();
    for (capabilities, category, id, path) in [
        ("{\"Gpio\": [8, \"$MISSING\"]}", 5, 3, "Gpio[1]"),
        ("{\"Gpio\": [\"$APP_SENSOR_CS\"]}", 5, 3, "Gpio[0]"),
        ("{\"Uart\": [\"$APP_LED\"]}", 5, 7, "Uart[0]"),
        (
            "{\"SpiMaster\": [\"$APP_SENSOR_CS\"]}",
            5,
            7,
            "SpiMaster[0]",
        ),
        (
            "{\"Gpio\": [\"$APP_LED\", \"$APP_STATUS\"]}",
            2,
            35,
            "Gpio[1]",
        ),
        ("{\"Gpio\": [\"APP_LED\"]}", 2, 10, "Gpio[0]"),
        ("{\"Uart\": [\"APP_UART\"]}", 5, 7, "Uart[0]"),
    ] {
        let error = Manifest::parse_with(with(capabilities).as_bytes(), &hardware).unwrap_err();
        let code = (error.code().category(), error.code().id());
        assert_eq!(code, (category, id), "{error}");
        assert_eq!(error.location().path, format!("Capabilities.{path}"));
    }
    let text = common::real_time("{\"Gpio\": [\"$APP_LED\"]}");
    let error = Manifest::parse_with(text.as_bytes(), &hardware).unwrap_err();
    assert!(matches!(error.problem(), Problem::NameInRealTimeApp { .. }));
}

#[test]
fn imports_are_found_beside_the_file_before_the_directories() {
    let pin = |number: u8| file(&[], &PIN.replace("12", &number.to_string()));
    let (beside, first, second) = (pin(0), pin(1), pin(2));
    let root = file(&["sub/chip"], "");
    let all = [
        ("app/root", root.as_str()),
        ("app/sub/chip", &beside),
        ("one/sub/chip", &first),
        ("two/sub/chip", &second),
    ];
    for (skipped, expected) in [(0, 0), (1, 1), (2, 2)] {
        let files: Vec<_> = all[..1]
            .iter()
            .chain(&all[1 + skipped..])
            .copied()
            .collect();
        let hardware = load("app/root", &["one", "two"], &files).unwrap();
        assert_eq!(
            hardware.resolve("PIN", PeripheralKind::Gpio),
            Ok(Peripheral::Gpio(expected))
        );
    }
    let error = load("app/root", &["one", "two"], &all[..1]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "app/root: the import sub/chip is in none of: app, one, two"
    );
}

#[test]
fn circles_and_diamonds_of_imports_are_read_once() {
    let chip = file(&["./app"], PIN);
    let left = file(&["chip"], "");
    let right = file(&["x/../chip"], "");
    let app = file(&["left", "right", "app"], "");
    let files = [
        ("app", app.as_str()),
        ("left", &left),
        ("right", &right),
        ("chip", &chip),
    ];
    let hardware = load("app", &[], &files).unwrap();
    assert_eq!(
        hardware.files(),
        [
            Path::new("app"),
            Path::new("left"),
            Path::new("chip"),
            Path::new("right")
        ]
    );
    assert!(hardware.resolve("PIN", PeripheralKind::Gpio).is_ok());
}

#[test]
fn files_are_refused_with_their_name() {
    let good = file(&[], PIN);
    let twice = file(&["b"], PIN);
    let type_unknown = file(
        &[],
        "{\"Name\": \"X\", \"Type\": \"Can\", \"AppManifestValue\": 1}",
    );
    let no_value = file(&[], "{\"Name\": \"X\", \"Type\": \"Gpio\"}");
    let metadata = good.replace("\"Version\": 1", "\"Version\": 2");
    let kind = good.replace("Hardware Definition", "Recipe");
    let repeated = good.replace("\"Imports\"", "\"Peripherals\": [], \"Imports\"");
    let missing = file(&["b"], "");
    for (text, other, message) in [
        ("unreadable", "", "a: cannot read the hardware definition: "),
        ("{", "", "a: not a hardware definition: EOF"),
        ("{}", "", "a: not a hardware definition: missing field"),
        (
            &repeated,
            "",
            "a: not a hardware definition: duplicate field",
        ),
        (
            &metadata,
            "",
            "a: Metadata must be { \"Type\": \"Azure Sphere Hardware Definition\", \"Version\": 1 }",
        ),
        (&kind, "", "a: Metadata must be"),
        (&type_unknown, "", "a: X has the unknown type Can"),
        (
            &no_value,
            "",
            "a: X has neither Mapping nor AppManifestValue",
        ),
        (&twice, &good, "a: PIN is defined a second time, first in b"),
        (
            &missing,
            "unreadable",
            "b: cannot read the hardware definition: ",
        ),
        (&missing, "[]", "b: not a hardware definition: "),
    ] {
        let error = load("a", &[], &[("a", text), ("b", other)]).unwrap_err();
        assert!(error.to_string().starts_with(message), "{error}");
    }
    assert!(load("a", &[], &[("a", &good)]).is_ok());
    assert!(load("a", &[], &[("a", &missing), ("b", &good)]).is_ok());
    let error = load("nowhere", &[], &[]).unwrap_err();
    assert!(matches!(error, HardwareError::Read { .. }), "{error}");
}

#[test]
fn sizes_have_limits() {
    let large = format!("{}{}", file(&[], PIN), " ".repeat(1024 * 1024));
    let error = load("a", &[], &[("a", &large)]).unwrap_err();
    assert_eq!(error.to_string(), "a: larger than 1048576 bytes");
    let chain: Vec<_> = (0..70)
        .map(|index| (index.to_string(), file(&[&(index + 1).to_string()], "")))
        .collect();
    let files: Vec<_> = chain
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    let error = load("0", &[], &files).unwrap_err();
    assert_eq!(error.to_string(), "64: more than 64 files are imported");
    let constants = |count| {
        let constant = |index| format!("{{\"Name\": \"C{index}\", \"Type\": \"int\"}}");
        let constants: Vec<_> = (0..count).map(constant).collect();
        file(&[], &constants.join(","))
    };
    assert!(load("a", &[], &[("a", &constants(4096))]).is_ok());
    let error = load("a", &[], &[("a", &constants(4097))]).unwrap_err();
    assert_eq!(error.to_string(), "a: more than 4096 entries");
}

#[test]
fn doubtful_entries_of_the_file_itself_are_warnings() {
    let hardware = appliance();
    let warnings: Vec<_> = hardware
        .warnings()
        .iter()
        .map(|warning| warning.replace(&format!("{}/", fixtures().display()), ""))
        .collect();
    let far = "of chip/chip.json, which it does not import itself";
    assert_eq!(
        warnings,
        [
            format!("appliance.json: APP_SENSOR_SPI maps to CHIP_ISU1_SPI {far}"),
            format!("appliance.json: APP_SENSOR_CS maps to CHIP_SPI_CS_A {far}"),
            "appliance.json: APP_STATUS and APP_LED both map to BOARD_LED".to_owned(),
            format!("appliance.json: APP_DIMMER maps to CHIP_PWM_CONTROLLER2 {far}"),
            "appliance.json: APP_DIMMER and APP_LED are of different types in the block of pin 8".to_owned(),
            "appliance.json: APP_DIMMER and APP_BUTTON are of different types in the block of pin 8".to_owned(),
            "appliance.json: APP_DIMMER and APP_STATUS are of different types in the block of pin 8".to_owned(),
            "appliance.json: APP_NOWHERE maps to BOARD_NOTHING, which no file defines".to_owned(),
            "appliance.json: APP_CIRCLE_1 maps to itself, directly or through others".to_owned(),
            "appliance.json: APP_CIRCLE_2 maps to itself, directly or through others".to_owned(),
            "appliance.json: APP_MISTAKEN and APP_UART both map to BOARD_UART".to_owned(),
            format!("appliance.json: APP_NO_PIN maps to CHIP_GPIO24 {far}"),
        ]
    );
    let board = HardwareDefinition::load(&fixtures().join("board.json"), &[]).unwrap();
    assert!(board.warnings().is_empty(), "{:?}", board.warnings());
}
