// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Published manifests and hardware definitions, read where they lie: exact counts, so that a change of
//! mind about any of them shows.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use manifest::{HardwareDefinition, HardwareError, Manifest, ManifestError, pack, warnings};
use policy::{AppKind, Capability, DeviceError, PeripheralKind, Verdict, check_install};

/// The boards of the samples, with the name of their column in `names-resolved.csv`.
const BOARDS: [&str; 5] = [
    "mt3620_rdb",
    "avnet_mt3620_sk",
    "avnet_mt3620_sk_rev2",
    "seeed_mt3620_mdb",
    "usi_mt3620_bt_evb",
];

/// Where the published copies of the board and chip files are; the first has the newer ones.
const DIRECTORIES: [&str; 2] = [
    "anvil-azure-sphere-re/tools/anvil_azure_sphere_test_app",
    "wizio-framework/Hardwares/json",
];

/// The directory of the data, if there is one.
fn data() -> Option<PathBuf> {
    let directory = std::env::var_os("NACRE_SHARED_DATA").map(PathBuf::from);
    if directory.is_none() {
        println!("skipped");
    }
    directory
}

/// Loads a definition by its path in its repository; the data keep all files in one directory, with two
/// underscores for a slash.
fn load(data: &Path, file: &str) -> Result<HardwareDefinition, HardwareError> {
    let directories = DIRECTORIES.map(PathBuf::from);
    HardwareDefinition::load_with(Path::new(file), &directories, &|path| {
        let flat = path.to_str().unwrap().replace('/', "__");
        fs::read(data.join("hardware").join(flat))
    })
}

/// The definition of the samples for a board.
fn board(data: &Path, board: &str) -> Result<HardwareDefinition, HardwareError> {
    let file = format!("azure-sphere-samples/HardwareDefinitions/{board}/sample_appliance.json");
    load(data, &file)
}

/// All published definitions, by path in their repository.
fn definitions(data: &Path) -> BTreeMap<String, Result<HardwareDefinition, HardwareError>> {
    let files = fs::read_dir(data.join("hardware")).unwrap();
    let files = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    files
        .map(|file| file.replace("__", "/"))
        .map(|file| (file.clone(), load(data, &file)))
        .collect()
}

/// All published manifests, by file name without what all names end with.
fn manifests(data: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(data.join("manifests")).unwrap();
    let files = files.map(|file| file.unwrap().path());
    files
        .map(|file| {
            let name = file.file_name().unwrap().to_str().unwrap();
            let name = name.strip_suffix("__app_manifest.json").unwrap().to_owned();
            (name, fs::read(file).unwrap())
        })
        .collect()
}

/// `2.10` for an error, `accepted` otherwise.
fn outcome(result: &Result<Manifest, ManifestError>) -> String {
    match result {
        Ok(_) => "accepted".to_owned(),
        Err(error) => format!("{}.{}", error.code().category(), error.code().id()),
    }
}

/// How often each outcome occurs.
fn count(outcomes: impl Iterator<Item = String>) -> Vec<(String, usize)> {
    let mut counts = BTreeMap::new();
    for outcome in outcomes {
        *counts.entry(outcome).or_default() += 1;
    }
    counts.into_iter().collect()
}

fn counts<const N: usize>(expected: [(&str, usize); N]) -> Vec<(String, usize)> {
    expected
        .map(|(outcome, count)| (outcome.to_owned(), count))
        .to_vec()
}

#[test]
fn definitions_are_read_but_for_a_board_file_that_is_not_public() {
    let Some(data) = data() else { return };
    let all = definitions(&data);
    assert_eq!(all.len(), 40);
    let refused: Vec<_> = all
        .iter()
        .filter_map(|(file, result)| Some((file.as_str(), result.as_ref().err()?)))
        .collect();
    let files = [
        "azure-sphere-gallery/DRAMClickboard/HardwareDefinitions/avnet_mt3620_sk_rev2/sample_appliance.json",
        "azure-sphere-samples/HardwareDefinitions/avnet_mt3620_sk_rev2/sample_appliance.json",
    ];
    assert_eq!(
        refused.iter().map(|(file, _)| *file).collect::<Vec<_>>(),
        files
    );
    for (file, error) in refused {
        let start = format!("{file}: the import avnet_mt3620_sk_rev2.json is in none of: ");
        assert!(error.to_string().starts_with(&start), "{error}");
    }
}

#[test]
fn names_have_the_published_values() {
    let Some(data) = data() else { return };
    let table = fs::read_to_string(data.join("names-resolved.csv")).unwrap();
    // For each board: names with the published value, and names whose entry is in no public file.
    for (column, expected) in [
        (0, Some((21, vec![]))),
        (
            1,
            Some((
                25,
                vec![
                    "AVNET_MT3620_SK_ADC_CONTROLLER0",
                    "SAMPLE_LED_PWM_CONTROLLER",
                    "SAMPLE_POTENTIOMETER_ADC_CONTROLLER",
                ],
            )),
        ),
        (2, None),
        (
            3,
            Some((
                17,
                vec![
                    "SAMPLE_LED_PWM_CONTROLLER",
                    "SAMPLE_POTENTIOMETER_ADC_CONTROLLER",
                ],
            )),
        ),
        (
            4,
            Some((
                17,
                vec![
                    "SAMPLE_LED_PWM_CONTROLLER",
                    "SAMPLE_POTENTIOMETER_ADC_CONTROLLER",
                ],
            )),
        ),
    ] {
        let Ok(hardware) = board(&data, BOARDS[column]) else {
            assert_eq!(expected, None);
            continue;
        };
        let (mut same, mut missing) = (0, vec![]);
        for line in table.lines().skip(1) {
            let cells: Vec<_> = line.split(',').collect();
            let (name, published) = (cells[0], cells[column + 1]);
            let found = PeripheralKind::ALL
                .into_iter()
                .find_map(|kind| hardware.resolve(name, kind).ok())
                .map(|peripheral| format!("{}{}", peripheral.kind().prefix(), peripheral.number()));
            match found {
                Some(value) => {
                    assert_eq!(value, published, "{name} on {}", BOARDS[column]);
                    same += 1;
                }
                None if !published.is_empty() => missing.push(name),
                None => {}
            }
        }
        assert_eq!(Some((same, missing)), expected, "{}", BOARDS[column]);
    }
}

/// Those that the device reads have no names in them; 2.10 and 2.13 are names, which a packer replaces.
#[test]
fn the_device_reads_manifests_as_they_are_published() {
    let Some(data) = data() else { return };
    let all = manifests(&data);
    let outcomes = all.values().map(|text| outcome(&Manifest::parse(text)));
    let expected = [
        ("2.10", 23),
        ("2.13", 7),
        ("2.16", 1),
        ("2.4", 5),
        ("2.9", 3),
        ("accepted", 20),
    ];
    assert_eq!(count(outcomes), counts(expected));
    assert_eq!(all.len(), 59);
}

/// 5.3 and 5.7 are names that the board does not define.
#[test]
fn the_packer_reads_manifests_with_the_definition_of_a_board() {
    let Some(data) = data() else { return };
    for (name, undefined_pins, undefined_peripherals, accepted) in [
        ("mt3620_rdb", 3, 1, 46),
        ("avnet_mt3620_sk", 2, 5, 43),
        ("seeed_mt3620_mdb", 4, 5, 41),
        ("usi_mt3620_bt_evb", 4, 5, 41),
    ] {
        let hardware = board(&data, name).unwrap();
        let all = manifests(&data);
        let outcomes = all
            .values()
            .map(|text| outcome(&Manifest::parse_with(text, &hardware)));
        let expected = [
            ("2.16", 1),
            ("2.4", 5),
            ("2.9", 3),
            ("5.3", undefined_pins),
            ("5.7", undefined_peripherals),
            ("accepted", accepted),
        ];
        assert_eq!(count(outcomes), counts(expected), "{name}");
    }
}

#[test]
fn manifests_that_no_definition_makes_good_have_their_reasons() {
    let Some(data) = data() else { return };
    let definitions = definitions(&data);
    let definitions: Vec<_> = definitions.values().flatten().collect();
    let never: Vec<_> = manifests(&data)
        .into_iter()
        .filter_map(|(name, text)| {
            let good =
                |hardware: &&&HardwareDefinition| Manifest::parse_with(&text, hardware).is_ok();
            match definitions.iter().find(good) {
                Some(_) => None,
                None => Some((name, Manifest::parse(&text).unwrap_err())),
            }
        })
        .map(|(name, error)| {
            (
                name,
                error.code().to_string(),
                error.location().path.clone(),
            )
        })
        .collect();
    let fragment = "azure-sphere-samples__CodeSnippets";
    let expected = [
        // Placeholders that the developer is to replace.
        (
            "azure-sphere-gallery__AzureEventGrid",
            "2.9 (2097161)",
            "Capabilities.AllowedConnections[0]",
        ),
        (
            "azure-sphere-gallery__HTTPS_MutualAuth__Azsphere",
            "2.9 (2097161)",
            "Capabilities.AllowedConnections[0]",
        ),
        // Fragments of documentation.
        (
            &format!("{fragment}__Networking__AutomaticDns"),
            "2.4 (2097156)",
            "SchemaVersion",
        ),
        (
            &format!("{fragment}__Networking__Proxy__EnableDisableProxy"),
            "2.4 (2097156)",
            "SchemaVersion",
        ),
        (
            &format!("{fragment}__Networking__Proxy__GetProxySettings"),
            "2.4 (2097156)",
            "SchemaVersion",
        ),
        (
            &format!("{fragment}__Peripherals__ADC__AdvancedFunctions"),
            "2.4 (2097156)",
            "SchemaVersion",
        ),
        (
            &format!("{fragment}__Peripherals__ADC__SimplifiedFunctions"),
            "2.4 (2097156)",
            "SchemaVersion",
        ),
        // A placeholder again.
        (
            "azure-sphere-samples__Samples__Iperf",
            "2.9 (2097161)",
            "Capabilities.AllowedConnections[0]",
        ),
        // A template of a third party, with an empty name and an empty entry point.
        ("wizio-re__packer", "2.16 (2097168)", "EntryPoint"),
    ];
    let expected =
        expected.map(|(name, code, path)| (name.to_owned(), code.to_owned(), path.to_owned()));
    assert_eq!(never, expected);
}

/// The index was made by other means: names, ids, types and capabilities agree with it.
#[test]
fn manifests_are_what_the_index_says() {
    let Some(data) = data() else { return };
    let definitions = definitions(&data);
    let index = fs::read_to_string(data.join("manifests-index.csv")).unwrap();
    let index: BTreeMap<_, Vec<_>> = index
        .lines()
        .skip(1)
        .map(|line| {
            (
                line.split("__app_manifest.json").next().unwrap(),
                line.split(',').collect(),
            )
        })
        .collect();
    let mut compared = 0;
    for (file, text) in manifests(&data) {
        let good = definitions.values().flatten();
        let mut good = good
            .filter_map(|hardware| Some((hardware, Manifest::parse_with(&text, hardware).ok()?)));
        let Some((hardware, manifest)) = good.next() else {
            continue;
        };
        let row = &index[file.as_str()];
        assert_eq!(manifest.name(), row[6]);
        assert_eq!(manifest.component().to_string(), row[7].to_lowercase());
        let kind = AppKind::from_text(if row[8].is_empty() { "Default" } else { row[8] });
        assert_eq!(Some(manifest.application_type()), kind);
        assert_eq!(manifest.entry_point(), row[9]);
        assert_eq!(manifest.malloc_version(), row[10].parse().unwrap_or(1));
        let listed: BTreeSet<_> = row[11].split(';').collect();
        let grant = manifest.grant();
        let granted = Capability::ALL
            .iter()
            .filter(|capability| grant.has(**capability));
        assert!(
            granted
                .into_iter()
                .all(|capability| listed.contains(capability.key())),
            "{file}"
        );

        let packed = pack(&text, Some(hardware), 12, None).unwrap();
        assert!(
            !packed.contains(&b'\n') && !packed.contains(&b'$'),
            "{file}"
        );
        let on_device = Manifest::parse(&packed).unwrap();
        assert_eq!(on_device.runtime_version(), Some(12));
        assert_eq!(on_device.grant(), grant);
        assert_eq!(on_device.arguments(), manifest.arguments());
        compared += 1;
    }
    assert_eq!(compared, 50);
}

#[test]
fn likely_mistakes_are_found() {
    let Some(data) = data() else { return };
    let messages = manifests(&data)
        .into_values()
        .flat_map(|text| warnings(&text).unwrap())
        .map(|warning| {
            warning
                .message
                .split(':')
                .next()
                .unwrap()
                .replace(char::is_numeric, "?")
        });
    let expected = [
        ("the name has ?? characters", 9),
        ("the name is empty", 1),
        ("the zero id names no tenant", 4),
    ];
    assert_eq!(count(messages), counts(expected));
}

/// Partners whose ids differ in the case of letters talk to each other; both fit on one device.
#[test]
fn partners_fit_together() {
    let Some(data) = data() else { return };
    let definitions = definitions(&data);
    let read = |name: &str| {
        let text = &manifests(&data)[name];
        let mut good = definitions.values().flatten();
        good.find_map(|hardware| Manifest::parse_with(text, hardware).ok())
            .unwrap()
    };
    for (high_level, real_time) in [
        (
            "azure-sphere-samples__Samples__IntercoreComms__IntercoreComms_HighLevelApp",
            "azure-sphere-samples__Samples__IntercoreComms__IntercoreComms_RTApp_MT3620_BareMetal",
        ),
        (
            "azure-sphere-gallery__LittleFs_SDCard__src__AzureSphere__SDCard_HighLevelApp",
            "azure-sphere-gallery__LittleFs_SDCard__src__AzureSphere__SDCard_RealTimeApp",
        ),
        (
            "azure-sphere-gallery__IndustrialDeviceController__Software__HighLevelApp",
            "azure-sphere-gallery__IndustrialDeviceController__Software__MT3620_IDC_RTApp",
        ),
    ] {
        let (high_level, real_time) = (read(high_level), read(real_time));
        let (one, two) = (high_level.grant(), real_time.grant());
        assert_eq!(
            (one.kind, two.kind),
            (AppKind::HighLevel, AppKind::RealTime)
        );
        assert_eq!(one.decide_peers(&two), Verdict::Allow);
        assert_eq!(two.decide_peers(&one), Verdict::Allow);
        assert_eq!(check_install(&two, &[one]), Ok(()));
    }
}

#[test]
fn two_samples_cannot_share_a_button() {
    let Some(data) = data() else { return };
    let hardware = board(&data, "mt3620_rdb").unwrap();
    let all = manifests(&data);
    let read = |name: &str| Manifest::parse_with(&all[name], &hardware).unwrap();
    let buttons = read("azure-sphere-samples__Samples__GPIO__GPIO_HighLevelApp");
    let storage = read("azure-sphere-samples__Samples__MutableStorage");
    let conflict = check_install(&storage.grant(), &[buttons.grant()]).unwrap_err();
    assert_eq!(
        conflict.code,
        DeviceError::PERIPHERAL_REQUESTED_GPIO_ALREADY_IN_USE
    );
    assert_eq!(conflict.owner, buttons.component());
    let https = read("azure-sphere-samples__Samples__HTTPS__HTTPS_Curl_Easy");
    assert_eq!(check_install(&https.grant(), &[buttons.grant()]), Ok(()));
}
