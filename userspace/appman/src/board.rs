// SPDX-License-Identifier: Apache-2.0 OR MIT

//! What the manager has to know of the board it runs on: `/etc/nacre/board.json`.

use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::path::Path;

use serde::Deserialize;

/// Where the description lies on the device.
pub const BOARD_FILE: &str = "/etc/nacre/board.json";

/// The device capability that unlocks a device for app development; without it images that carry the
/// flag "under development" are refused.
pub const CAPABILITY_APP_DEVELOPMENT: u32 = 11;

/// The board. Unknown keys are refused: a misspelt key must not silently lose a setting.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Board {
    /// Name of the board, such as `qemu-virt`.
    pub name: String,
    /// Version of the OS image, such as `0.1.0`.
    pub os_version: String,
    /// Where the writable file system lies.
    pub data: DataVolume,
    /// The one network interface that serves the device API.
    pub service_interface: ServiceInterface,
    /// The line that asks for an orderly power off, if the board has one.
    #[serde(default)]
    pub power_button: Option<PowerButton>,
    /// The label of the GPIO chip whose lines are the pins of apps, if the board has them.
    #[serde(default)]
    pub gpio_chip: Option<String>,
    /// The device nodes of the real-time cores, by number.
    #[serde(default)]
    pub real_time_cores: Vec<String>,
    /// Device capabilities, such as [`CAPABILITY_APP_DEVELOPMENT`].
    pub capabilities: Vec<u32>,
}

/// A mount source and its file system type.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DataVolume {
    /// Mount source, such as `mtd:data`.
    pub source: String,
    /// File system type, such as `jffs2`.
    #[serde(rename = "type")]
    pub kind: String,
}

/// The interface of the device API.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServiceInterface {
    /// Name of the interface, such as `eth0`.
    pub name: String,
    /// Its address.
    pub address: Ipv4Addr,
    /// Its network mask.
    pub netmask: Ipv4Addr,
}

/// A line of a GPIO chip.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PowerButton {
    /// Device node of the chip, such as `/dev/gpiochip0`.
    pub chip: String,
    /// Offset of the line.
    pub line: u32,
}

/// Why the board description cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BoardError {
    /// The file cannot be read.
    #[error("{BOARD_FILE} cannot be read: {0}; the root file system is incomplete")]
    Read(#[source] io::Error),
    /// The file does not say what it must.
    #[error("{BOARD_FILE}: {0}; correct the board's file and rebuild the root file system")]
    Parse(#[source] serde_json::Error),
}

impl Board {
    /// Reads the description from a file.
    ///
    /// # Errors
    /// [`BoardError::Read`] and [`BoardError::Parse`].
    pub fn load(path: &Path) -> Result<Self, BoardError> {
        Self::parse(&fs::read(path).map_err(BoardError::Read)?)
    }

    /// Reads the description from JSON.
    ///
    /// # Errors
    /// [`BoardError::Parse`], also for an unknown key.
    pub fn parse(json: &[u8]) -> Result<Self, BoardError> {
        serde_json::from_slice(json).map_err(BoardError::Parse)
    }

    /// Whether the device has a capability.
    pub fn has_capability(&self, capability: u32) -> bool {
        self.capabilities.contains(&capability)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"name":"qemu-virt","osVersion":"0.1.0",
        "data":{"source":"mtd:data","type":"jffs2"},
        "serviceInterface":{"name":"eth0","address":"192.168.35.2","netmask":"255.255.255.0"},
        "powerButton":{"chip":"/dev/gpiochip0","line":3},"capabilities":[11]}"#;

    #[test]
    fn reads_a_board() {
        let board = Board::parse(GOOD.as_bytes()).unwrap();
        assert_eq!(board.data.kind, "jffs2");
        assert_eq!(
            board.service_interface.address,
            Ipv4Addr::new(192, 168, 35, 2)
        );
        assert_eq!(board.power_button.as_ref().unwrap().line, 3);
        assert!(board.has_capability(CAPABILITY_APP_DEVELOPMENT));
        assert!(!board.has_capability(13));
    }

    #[test]
    fn a_board_needs_no_power_button() {
        let json = GOOD.replace(r#""powerButton":{"chip":"/dev/gpiochip0","line":3},"#, "");
        assert_eq!(Board::parse(json.as_bytes()).unwrap().power_button, None);
    }

    #[test]
    fn pins_and_cores_are_there_when_they_are_named() {
        let plain = Board::parse(GOOD.as_bytes()).unwrap();
        assert_eq!((plain.gpio_chip, plain.real_time_cores.len()), (None, 0));
        let named = r#""gpioChip":"mt3620","realTimeCores":["/dev/rtcore0"],"capabilities""#;
        let json = GOOD.replace("\"capabilities\"", named);
        let board = Board::parse(json.as_bytes()).unwrap();
        assert_eq!(board.gpio_chip.as_deref(), Some("mt3620"));
        assert_eq!(board.real_time_cores, ["/dev/rtcore0"]);
    }

    #[test]
    fn unknown_or_missing_keys_and_bad_values_are_refused_with_their_place() {
        for (from, to, said) in [
            ("\"name\":\"qemu-virt\"", "\"nane\":\"qemu-virt\"", "`nane`"),
            ("\"type\"", "\"kind\"", "`kind`"),
            ("\"osVersion\":\"0.1.0\",", "", "`osVersion`"),
            ("192.168.35.2", "192.168.35.256", "line 3"),
            ("[11]", "[-11]", "-11"),
        ] {
            let error = Board::parse(GOOD.replace(from, to).as_bytes()).unwrap_err();
            assert!(error.to_string().contains(said), "{error}");
        }
    }

    #[test]
    fn a_missing_file_is_told() {
        let message = Board::load(Path::new("/nonexistent/board.json"))
            .unwrap_err()
            .to_string();
        assert!(message.contains("cannot be read"), "{message}");
    }
}
