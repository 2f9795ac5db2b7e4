// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 OR MIT

//! The forms of identifiers in JSON.

use policy::{ComponentId, DeviceError};

#[test]
fn component_ids_are_texts_and_device_errors_are_numbers() {
    let id: ComponentId = serde_json::from_str("\"25025D2C-66DA-4448-BAE1-AC26FCDD3627\"").unwrap();
    let text = "\"25025d2c-66da-4448-bae1-ac26fcdd3627\"";
    assert_eq!(serde_json::to_string(&id).unwrap(), text);
    let error: DeviceError = serde_json::from_str("2097188").unwrap();
    assert_eq!(error, DeviceError::new(2, 36));
    assert_eq!(serde_json::to_string(&error).unwrap(), "2097188");
}

#[test]
fn other_values_are_refused_with_the_reason() {
    for (text, reason) in [
        ("\"25025d2c\"", "not a component id"),
        ("7", "a component id as text"),
        ("null", "a component id as text"),
    ] {
        let error = serde_json::from_str::<ComponentId>(text).unwrap_err();
        assert!(error.to_string().contains(reason), "{error}");
    }
    for text in ["-1", "4294967296", "\"2.36\"", "1.5"] {
        assert!(serde_json::from_str::<DeviceError>(text).is_err(), "{text}");
    }
}
