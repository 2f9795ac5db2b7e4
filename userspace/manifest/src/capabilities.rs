// SPDX-License-Identifier: Apache-2.0 OR MIT

//! `Capabilities`: every key, its shape, its limits and its code.

use policy::{
    AppKind, Capability, ComponentId, DeviceError, Peripheral, PeripheralKind, PowerControl,
    PowerControls, conflict,
};

use crate::document::Element;
use crate::error::{ManifestError, Problem};
use crate::hardware::HardwareDefinition;
use crate::host_name::is_host;
use crate::manifest::{Granted, MAX_LIST_LENGTH, PORTS, is_policy_field};

/// Where the values of `$NAME`s come from.
pub(crate) trait Names {
    /// The peripheral of a kind that a name (with its `$`) stands for.
    fn resolve(&self, name: &str, kind: PeripheralKind) -> Result<Peripheral, Problem>;
}

/// The device, which has no hardware definitions.
pub(crate) struct NoNames;

impl Names for NoNames {
    fn resolve(&self, name: &str, _kind: PeripheralKind) -> Result<Peripheral, Problem> {
        let name = name.to_owned();
        Err(Problem::UnresolvedName { name })
    }
}

impl Names for HardwareDefinition {
    fn resolve(&self, name: &str, kind: PeripheralKind) -> Result<Peripheral, Problem> {
        let plain = name.strip_prefix('$').unwrap_or(name);
        Ok(Self::resolve(self, plain, kind)?)
    }
}

/// Reads all capabilities of an app.
pub(crate) fn read(
    capabilities: &Element<'_, '_>,
    kind: AppKind,
    names: &dyn Names,
) -> Result<Granted, ManifestError> {
    let members = capabilities.object().ok_or_else(|| {
        let needed = "an object, {} for an app without capabilities";
        let code = DeviceError::MANIFEST_MISSING_CAPABILITIES_LIST;
        capabilities.error(code, Problem::Wrong { needed })
    })?;
    let mut granted = Granted::default();
    for member in &members {
        // Whether the original device ignores a misspelt capability is not known; refusing it is safe.
        let illegal = DeviceError::APP_MANAGER_CUSTOMER_REQUESTED_ILLEGAL_CAPABILITY;
        let Some(capability) = Capability::from_key(&member.key) else {
            let (code, problem) = if is_policy_field(&member.key) {
                let code = DeviceError::APP_MANAGER_CUSTOMER_MANIFEST_HAS_POLICY;
                (code, Problem::PolicyField)
            } else {
                let meant = meant_by(&member.key);
                (illegal, Problem::UnknownCapability { meant })
            };
            return Err(capabilities.key_error(member, code, problem));
        };
        if !capability.is_for(kind) {
            let problem = Problem::NotForKind { kind };
            return Err(capabilities.key_error(member, illegal, problem));
        }
        granted.add(capability, &capabilities.member(member), kind, names)?;
    }
    Ok(granted)
}

/// The capability whose key differs from this one in the case of letters only.
fn meant_by(key: &str) -> Option<Capability> {
    Capability::ALL
        .iter()
        .copied()
        .find(|capability| capability.key().eq_ignore_ascii_case(key))
}

impl Granted {
    /// Reads one capability.
    fn add(
        &mut self,
        capability: Capability,
        value: &Element<'_, '_>,
        app: AppKind,
        names: &dyn Names,
    ) -> Result<(), ManifestError> {
        if let Some(kind) = PeripheralKind::of(capability) {
            return self.add_peripherals(kind, value, app, names);
        }
        match capability {
            Capability::AllowedApplicationConnections => self.peers = read_peers(value)?,
            Capability::AllowedConnections => self.hosts = read_hosts(value)?,
            Capability::AllowedTcpServerPorts => {
                self.tcp_ports = read_ports(
                    value,
                    DeviceError::MANIFEST_ALLOWED_TCP_PORTS_PARSE_ERROR,
                    DeviceError::MANIFEST_ILLEGAL_TCP_PORTS_VALUE,
                )?;
            }
            Capability::AllowedUdpServerPorts => {
                self.udp_ports = read_ports(
                    value,
                    DeviceError::MANIFEST_ALLOWED_UDP_PORTS_PARSE_ERROR,
                    DeviceError::MANIFEST_ILLEGAL_UDP_PORTS_VALUE,
                )?;
            }
            Capability::DeviceAuthentication => self.tenant = Some(read_tenant(value)?),
            Capability::MutableStorage => self.storage_kb = read_storage(value)?,
            Capability::PowerControls => self.power = read_power_controls(value)?,
            toggle => {
                if read_toggle(value, toggle_code(toggle))? {
                    self.toggles.insert(toggle);
                }
            }
        }
        Ok(())
    }

    /// Reads a list of pins, controllers or lines.
    fn add_peripherals(
        &mut self,
        kind: PeripheralKind,
        value: &Element<'_, '_>,
        app: AppKind,
        names: &dyn Names,
    ) -> Result<(), ManifestError> {
        for_each(value, list_code(kind), |entry| {
            let added = read_peripheral(entry, kind, app, names)?;
            let code = DeviceError::MANIFEST_REQUESTED_PERIPHERALS_REQUIRE_SAME_PIN;
            if self.peripherals.contains(added) {
                return Err(entry.error(code, Problem::DuplicateEntry));
            }
            if let Some((other, pin)) = conflict::shared_pin(&self.peripherals, added) {
                return Err(entry.error(code, Problem::SharedPin { added, other, pin }));
            }
            self.peripherals.insert(added);
            Ok(())
        })
    }
}

/// Reads one entry of a list of peripherals: the value of the chip, or a name that stands for it.
pub(crate) fn read_peripheral(
    entry: &Element<'_, '_>,
    kind: PeripheralKind,
    app: AppKind,
    names: &dyn Names,
) -> Result<Peripheral, ManifestError> {
    let text = entry.string();
    if let Some(name) = text.as_deref().filter(|text| text.starts_with('$')) {
        if app == AppKind::RealTime {
            let name = name.to_owned();
            return Err(entry.error(list_code(kind), Problem::NameInRealTimeApp { name }));
        }
        return names.resolve(name, kind).map_err(|problem| {
            let code = match problem {
                Problem::UnresolvedName { .. } => list_code(kind),
                _ => undefined_code(kind),
            };
            entry.error(code, problem)
        });
    }
    if kind == PeripheralKind::Gpio {
        let needed = "the number of a pin";
        let number = entry
            .integer()
            .ok_or_else(|| entry.error(list_code(kind), Problem::Wrong { needed }))?;
        return u8::try_from(number)
            .map(Peripheral::Gpio)
            .ok()
            .filter(|pin| pin.exists())
            .ok_or_else(|| entry.error(undefined_code(kind), Problem::NoSuchPin { number }));
    }
    let needed = "the text of a peripheral";
    let text = text.ok_or_else(|| entry.error(list_code(kind), Problem::Wrong { needed }))?;
    Peripheral::from_text(kind, &text).ok_or_else(|| {
        let problem = Problem::NoSuchPeripheral {
            capability: kind.capability(),
            text,
            choice: choice(kind),
        };
        entry.error(undefined_code(kind), problem)
    })
}

/// The values of a kind of peripheral, in words.
fn choice(kind: PeripheralKind) -> String {
    let prefix = kind.prefix();
    match kind.count() {
        1 => format!("{prefix}0"),
        count => format!("{prefix}0 to {prefix}{}", count - 1),
    }
}

/// The code for a list of peripherals that cannot be read.
fn list_code(kind: PeripheralKind) -> DeviceError {
    match kind {
        PeripheralKind::Gpio => DeviceError::MANIFEST_GPIO_PARSE_ERROR,
        _ => DeviceError::MANIFEST_PERIPHERAL_PARSE_ERROR,
    }
}

/// The code for a peripheral that the device does not have.
fn undefined_code(kind: PeripheralKind) -> DeviceError {
    match kind {
        PeripheralKind::Gpio => DeviceError::PERIPHERAL_UNDEFINED_GPIO_IN_MANIFEST,
        _ => DeviceError::PERIPHERAL_UNDEFINED_PERIPHERAL_IN_MANIFEST,
    }
}

/// The code for a toggle that is neither `true` nor `false`.
fn toggle_code(capability: Capability) -> DeviceError {
    match capability {
        Capability::CertStore => DeviceError::MANIFEST_CERT_STORE_PARSE_ERROR,
        Capability::DhcpService => DeviceError::MANIFEST_DHCP_SERVICE_PARSE_ERROR,
        Capability::EnterpriseWifiConfig => {
            DeviceError::MANIFEST_ENTERPRISE_WIFI_CONFIG_PARSE_ERROR
        }
        Capability::HardwareAddressConfig => {
            DeviceError::MANIFEST_HARDWARE_ADDRESS_CONFIG_PARSE_ERROR
        }
        Capability::HeapMemStats => DeviceError::MANIFEST_HEAP_MEM_STATS_PARSE_ERROR,
        Capability::NetworkConfig => DeviceError::MANIFEST_NETWORK_CONFIG_PARSE_ERROR,
        Capability::ReadNetworkProxyConfig => {
            DeviceError::MANIFEST_READ_NETWORK_PROXY_CONFIG_PARSE_ERROR
        }
        Capability::ResetMemoryWatermarks => {
            DeviceError::MANIFEST_RESET_MEMORY_WATERMARKS_PARSE_ERROR
        }
        Capability::SntpService => DeviceError::MANIFEST_SNTP_SERVICE_PARSE_ERROR,
        Capability::SoftwareUpdateDeferral => {
            DeviceError::MANIFEST_SOFTWARE_UPDATE_DEFERRAL_PARSE_ERROR
        }
        Capability::SystemEventNotifications => {
            DeviceError::MANIFEST_SYSTEM_EVENT_NOTIFICATIONS_PARSE_ERROR
        }
        Capability::SystemTime => DeviceError::MANIFEST_SYSTEM_TIME_PARSE_ERROR,
        Capability::TimeSyncConfig => DeviceError::MANIFEST_TIME_SYNC_CONFIG_PARSE_ERROR,
        Capability::WifiConfig => DeviceError::MANIFEST_WIFI_PARSE_ERROR,
        _ => DeviceError::MANIFEST_TOGGLE_STATE_PARSE_ERROR,
    }
}

/// Calls a function with each entry of a list.
fn for_each(
    value: &Element<'_, '_>,
    code: DeviceError,
    mut read: impl FnMut(&Element<'_, '_>) -> Result<(), ManifestError>,
) -> Result<(), ManifestError> {
    let needed = "a list";
    let list = value
        .list()
        .ok_or_else(|| value.error(code, Problem::Wrong { needed }))?;
    for (index, raw) in list.into_iter().enumerate() {
        read(&value.entry(index, raw))?;
    }
    Ok(())
}

/// Like [`for_each`], for a list whose length only our limit bounds.
fn for_each_limited(
    value: &Element<'_, '_>,
    code: DeviceError,
    mut read: impl FnMut(&Element<'_, '_>) -> Result<(), ManifestError>,
) -> Result<(), ManifestError> {
    let mut count = 0;
    for_each(value, code, |entry| {
        if count == MAX_LIST_LENGTH {
            return Err(entry.error(code, Problem::ListTooLong));
        }
        count += 1;
        read(entry)
    })
}

fn read_toggle(value: &Element<'_, '_>, code: DeviceError) -> Result<bool, ManifestError> {
    let needed = "true or false";
    value
        .boolean()
        .ok_or_else(|| value.error(code, Problem::Wrong { needed }))
}

/// The hosts, one a line.
fn read_hosts(value: &Element<'_, '_>) -> Result<String, ManifestError> {
    let code = DeviceError::MANIFEST_CONNECTIONS_PARSE_ERROR;
    let mut lines = String::new();
    for_each_limited(value, code, |entry| {
        let needed = "a host name or an IPv4 address, without scheme, port, path and wildcard";
        let host = entry
            .string()
            .filter(|text| is_host(text))
            .ok_or_else(|| entry.error(code, Problem::Wrong { needed }))?;
        lines.push_str(&host);
        lines.push('\n');
        Ok(())
    })?;
    Ok(lines)
}

fn read_peers(value: &Element<'_, '_>) -> Result<Vec<ComponentId>, ManifestError> {
    let code = DeviceError::MANIFEST_ALLOWED_APPLICATION_CONNECTIONS_PARSE_ERROR;
    let mut peers = Vec::new();
    for_each_limited(value, code, |entry| {
        let needed = "the component id of an app";
        let peer = entry
            .string()
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| entry.error(code, Problem::Wrong { needed }))?;
        peers.push(peer);
        Ok(())
    })?;
    Ok(peers)
}

fn read_ports(
    value: &Element<'_, '_>,
    malformed: DeviceError,
    illegal: DeviceError,
) -> Result<Vec<u16>, ManifestError> {
    let mut ports = Vec::new();
    for_each_limited(value, malformed, |entry| {
        let needed = "the number of a port";
        let port = entry
            .integer()
            .ok_or_else(|| entry.error(malformed, Problem::Wrong { needed }))?;
        let port = u16::try_from(port)
            .ok()
            .filter(|port| PORTS.contains(port))
            .ok_or_else(|| entry.error(illegal, Problem::PortOutOfRange { port }))?;
        if ports.contains(&port) {
            let code = DeviceError::LIFETIME_DUPLICATE_TCP_UDP_PORT_DETECTED;
            return Err(entry.error(code, Problem::DuplicateEntry));
        }
        ports.push(port);
        Ok(())
    })?;
    Ok(ports)
}

fn read_tenant(value: &Element<'_, '_>) -> Result<String, ManifestError> {
    let needed = "the GUID of a tenant or catalogue";
    let wrong = |code| value.error(code, Problem::Wrong { needed });
    let text = value
        .string()
        .ok_or_else(|| wrong(DeviceError::MANIFEST_DEVICE_AUTH_TENANT_ID_PARSE_ERROR))?;
    if text.len() > policy::grant::MAX_TENANT_LENGTH {
        let code = DeviceError::MANIFEST_DEVICE_AUTH_TENANT_ID_TOO_LONG;
        return Err(value.error(code, Problem::TenantTooLong));
    }
    // A tenant id has the form of a component id, in either case of letters.
    match text.parse::<ComponentId>() {
        Ok(_) => Ok(text),
        Err(_) => Err(wrong(DeviceError::MANIFEST_INVALID_TENANT_ID)),
    }
}

fn read_storage(value: &Element<'_, '_>) -> Result<u32, ManifestError> {
    let needed = "an object, such as { \"SizeKB\": 8 }";
    let members = value.object().ok_or_else(|| {
        let code = DeviceError::MANIFEST_NON_OBJECT_MUTABLE_STORAGE_TYPE;
        value.error(code, Problem::Wrong { needed })
    })?;
    let size = members
        .iter()
        .find(|member| member.key == "SizeKB")
        .ok_or_else(|| {
            let code = DeviceError::MANIFEST_MUTABLE_STORAGE_MISSING_REQUIRED_FIELD;
            value.missing("SizeKB", code, "the size in KB")
        })?;
    let size = value.member(size);
    let needed = "a whole number of KB, at least 1";
    let kilobytes = size
        .integer()
        .and_then(|number| u64::try_from(number).ok())
        .filter(|&number| number > 0)
        .ok_or_else(|| {
            let code = DeviceError::MANIFEST_ERROR_PARSING_MUTABLE_STORAGE_FIELD;
            size.error(code, Problem::Wrong { needed })
        })?;
    u32::try_from(kilobytes)
        .ok()
        .filter(|&kilobytes| kilobytes <= policy::grant::MAX_STORAGE_KB)
        .ok_or_else(|| {
            let code = DeviceError::MANIFEST_MUTABLE_STORAGE_REQUEST_TOO_LARGE;
            size.error(code, Problem::StorageTooLarge { kilobytes })
        })
}

fn read_power_controls(value: &Element<'_, '_>) -> Result<PowerControls, ManifestError> {
    let malformed = DeviceError::MANIFEST_POWER_CONTROLS_MALFORMED_PARSE_ERROR;
    let mut controls = PowerControls::EMPTY;
    for_each(value, malformed, |entry| {
        let needed = "ForceReboot, ForcePowerDown or SetPowerProfile";
        let wrong = |code| entry.error(code, Problem::Wrong { needed });
        let text = entry.string().ok_or_else(|| wrong(malformed))?;
        let invalid = DeviceError::MANIFEST_POWER_CONTROLS_INVALID_ENTRY_PARSE_ERROR;
        let control = PowerControl::from_text(&text).ok_or_else(|| wrong(invalid))?;
        if !controls.insert(control) {
            return Err(entry.error(malformed, Problem::DuplicateEntry));
        }
        Ok(())
    })?;
    if controls.is_empty() {
        let code = DeviceError::MANIFEST_POWER_CONTROLS_EMPTY_PARSE_ERROR;
        return Err(value.error(code, Problem::EmptyList));
    }
    Ok(controls)
}
