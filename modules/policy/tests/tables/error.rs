// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 OR MIT

//! Device errors: their value, their text and their names.

use policy::DeviceError;

#[test]
fn value_category_and_id_belong_together() {
    let error = DeviceError::MANIFEST_ALLOWED_TCP_PORTS_PARSE_ERROR;
    assert_eq!(
        (error.value(), error.category(), error.id()),
        (2_097_188, 2, 36)
    );
    assert_eq!(DeviceError::from_value(2_097_188), error);
    assert_eq!(DeviceError::new(2, 36), error);
    assert_eq!(DeviceError::new(0, 13).value(), 13);
}

#[test]
fn text_has_both_forms_and_the_name_where_there_is_one() {
    let error = DeviceError::new(2, 36);
    assert_eq!(error.to_string(), "2.36 (2097188)");
    assert_eq!(error.name(), Some("AllowedTcpPortsParseError"));
    assert_eq!(error.category_name(), Some("AppManifestError"));
    assert_eq!(
        format!("{error:?}"),
        "2.36 (2097188) AllowedTcpPortsParseError"
    );
    assert_eq!(DeviceError::new(2, 12).name(), None);
    assert_eq!(DeviceError::new(2, 12).to_string(), "2.12 (2097164)");
    assert_eq!(format!("{:?}", DeviceError::new(2, 12)), "2.12 (2097164)");
    assert_eq!(DeviceError::from_value(u32::MAX).name(), None);
    assert_eq!(DeviceError::from_value(u32::MAX).category_name(), None);
}

/// Every published code of the categories that this system has is named, and none is made up.
#[test]
fn names_are_the_published_ones() {
    let Ok(directory) = std::env::var("NACRE_SHARED_DATA") else {
        println!("skipped");
        return;
    };
    let table = std::fs::read_to_string(format!("{directory}/error-codes.csv")).unwrap();
    let mut published = 0;
    for line in table.lines().skip(1) {
        let [_, category, _, name, value, ..] = line.split(',').collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        let error = DeviceError::from_value(value.parse().unwrap());
        if error.category_name().is_none() {
            assert_eq!(error.name(), None, "{line}");
            continue;
        }
        published += 1;
        assert_eq!(error.category_name(), Some(category), "{line}");
        assert_eq!(
            error.name(),
            Some(name.trim_start_matches("__DEPRECATED_")),
            "{line}"
        );
    }
    let named = (0..64)
        .flat_map(|category| (0..512).map(move |id| DeviceError::new(category, id)))
        .filter(|error| error.name().is_some())
        .count();
    assert_eq!((published, named), (288, 288));
}
