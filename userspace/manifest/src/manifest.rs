// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The manifest as a whole: its fields, and the grant that they add up to.

use std::ops::RangeInclusive;

use policy::{
    AppKind, CapabilitySet, ComponentId, DeviceError, Grant, HostList, Peripherals, PowerControls,
};

use crate::capabilities::{self, Names, NoNames};
use crate::document::{Document, Element, Member};
use crate::error::{ManifestError, Problem};
use crate::hardware::HardwareDefinition;

/// The only schema version that there is.
pub const SCHEMA_VERSION: i64 = 1;

/// The longest entry point in bytes. The real limit is not known; an image holds paths of this length.
pub const MAX_ENTRY_POINT_LENGTH: usize = 255;

/// How many hosts, ports or partner apps a manifest can list. The real limit is not known; the longest
/// published list has 19 entries.
pub const MAX_LIST_LENGTH: usize = 64;

/// The ports that an app can ask for: those that need no privilege. The bounds are probable, not proven.
pub const PORTS: RangeInclusive<u16> = 1024..=65535;

/// The code for a missing or wrong `Name`: the device has none of its own.
const NAME_CODE: DeviceError = DeviceError::MANIFEST_INVALID_JSON;

/// The code for a missing or wrong `ComponentId`: the manifest codes have none of their own.
const COMPONENT_ID_CODE: DeviceError = DeviceError::IMAGE_UPDATE_INVALID_COMPONENT_ID;

/// Fields with which the maker of the system gives Linux groups, Linux capabilities and special powers
/// to first-party apps. `Debug` and `Update` are known from the device's codes; the other names are
/// assumed, and letters of either case are refused. A field that is not here is ignored, never obeyed.
pub(crate) const POLICY_FIELDS: &[&str] = &[
    "Debug",
    "LinuxCapabilities",
    "LinuxGroups",
    "Policy",
    "PolicyCapabilities",
    "PolicyGroups",
    "Update",
];

/// The fields that the device reads; others are ignored.
pub(crate) const FIELDS: &[&str] = &[
    "SchemaVersion",
    "Name",
    "ComponentId",
    "EntryPoint",
    "CmdArgs",
    "Capabilities",
    "ApplicationType",
    "MallocVersion",
    RUNTIME_VERSION,
    BETA_APIS,
];

/// The key of the API set that the packer chose.
pub(crate) const RUNTIME_VERSION: &str = "TargetApplicationRuntimeVersion";

/// The key of the beta API set that the packer chose.
pub(crate) const BETA_APIS: &str = "TargetBetaApis";

/// A valid manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    pub(crate) name: String,
    pub(crate) component: ComponentId,
    pub(crate) kind: AppKind,
    pub(crate) entry_point: String,
    pub(crate) arguments: Vec<String>,
    pub(crate) malloc_version: u8,
    pub(crate) runtime_version: Option<u32>,
    pub(crate) beta_apis: Option<String>,
    pub(crate) capabilities: Granted,
}

/// The capabilities of a manifest, in the form in which a grant borrows them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Granted {
    pub(crate) toggles: CapabilitySet,
    /// One host a line.
    pub(crate) hosts: String,
    pub(crate) tcp_ports: Vec<u16>,
    pub(crate) udp_ports: Vec<u16>,
    pub(crate) peers: Vec<ComponentId>,
    pub(crate) peripherals: Peripherals,
    pub(crate) power: PowerControls,
    pub(crate) storage_kb: u32,
    pub(crate) tenant: Option<String>,
}

impl Manifest {
    /// Reads the manifest of an image, in which all names are resolved.
    ///
    /// # Errors
    ///
    /// The first mistake, with the device's code and its place.
    pub fn parse(bytes: &[u8]) -> Result<Self, ManifestError> {
        Self::read(&Document::new(bytes)?, &NoNames)
    }

    /// Reads the manifest of a project, in which peripherals can be `$NAME`s of a hardware definition.
    ///
    /// # Errors
    ///
    /// The first mistake, with the device's code and its place.
    pub fn parse_with(bytes: &[u8], hardware: &HardwareDefinition) -> Result<Self, ManifestError> {
        Self::read(&Document::new(bytes)?, hardware)
    }

    /// The name; the image package keeps its first 31 characters.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The identity of the app.
    #[must_use]
    pub fn component(&self) -> ComponentId {
        self.component
    }

    /// `ApplicationType`.
    #[must_use]
    pub fn application_type(&self) -> AppKind {
        self.kind
    }

    /// The program, as an absolute path inside the image.
    #[must_use]
    pub fn entry_point(&self) -> &str {
        &self.entry_point
    }

    /// `CmdArgs`: the arguments after the name of the program.
    #[must_use]
    pub fn arguments(&self) -> &[String] {
        &self.arguments
    }

    /// The heap allocator that the app asks for, 1 or 2.
    #[must_use]
    pub fn malloc_version(&self) -> u8 {
        self.malloc_version
    }

    /// The API set that the app was packed for; none in the manifest of a project.
    #[must_use]
    pub fn runtime_version(&self) -> Option<u32> {
        self.runtime_version
    }

    /// The beta API set that the app was packed for.
    #[must_use]
    pub fn beta_apis(&self) -> Option<&str> {
        self.beta_apis.as_deref()
    }

    /// What the app may do.
    #[must_use]
    pub fn grant(&self) -> Grant<'_> {
        let Granted {
            toggles,
            hosts,
            tcp_ports,
            udp_ports,
            peers,
            peripherals,
            power,
            storage_kb,
            tenant,
        } = &self.capabilities;
        Grant {
            component: self.component,
            kind: self.kind,
            capabilities: *toggles,
            hosts: HostList::from_lines(hosts),
            tcp_ports,
            udp_ports,
            peers,
            peripherals: *peripherals,
            power: *power,
            storage_kb: *storage_kb,
            tenant: tenant.as_deref(),
        }
    }

    /// Reads the fields in the order of the documentation, whatever their order in the text.
    pub(crate) fn read(document: &Document<'_>, names: &dyn Names) -> Result<Self, ManifestError> {
        let root = document.root();
        let members = root.object().ok_or_else(|| {
            let needed = "an object";
            root.error(
                DeviceError::MANIFEST_INVALID_JSON,
                Problem::Wrong { needed },
            )
        })?;
        for member in &members {
            if is_policy_field(&member.key) {
                let code = DeviceError::APP_MANAGER_CUSTOMER_MANIFEST_HAS_POLICY;
                return Err(root.key_error(member, code, Problem::PolicyField));
            }
        }
        let fields = Fields {
            object: root,
            members: &members,
        };
        read_schema_version(&fields)?;
        let name = fields.required("Name", NAME_CODE, "a text")?;
        let name = fields.text(name, NAME_CODE, "a text without control characters")?;
        let component = read_component(&fields)?;
        let entry_point = read_entry_point(&fields)?;
        let arguments = read_arguments(&fields)?;
        let kind = read_kind(&fields)?;
        let malloc_version = read_malloc_version(&fields)?;
        let runtime_version = read_runtime_version(&fields)?;
        let beta_apis = read_beta_apis(&fields)?;
        let missing = DeviceError::MANIFEST_MISSING_CAPABILITIES_LIST;
        let needed = "an object, {} for an app without capabilities";
        let capabilities = fields.required("Capabilities", missing, needed)?;
        let capabilities = capabilities::read(&capabilities, kind, names)?;
        Ok(Self {
            name,
            component,
            kind,
            entry_point,
            arguments,
            malloc_version,
            runtime_version,
            beta_apis,
            capabilities,
        })
    }
}

/// Whether a key is a policy field.
pub(crate) fn is_policy_field(key: &str) -> bool {
    POLICY_FIELDS
        .iter()
        .any(|field| field.eq_ignore_ascii_case(key))
}

/// The members of the manifest, by key.
struct Fields<'a, 's> {
    object: Element<'a, 'static>,
    members: &'s [Member<'a>],
}

impl<'a> Fields<'a, '_> {
    /// The value of a key.
    fn optional(&self, key: &str) -> Option<Element<'a, '_>> {
        let member = self.members.iter().find(|member| member.key == key)?;
        Some(self.object.member(member))
    }

    /// The value of a key that must be there.
    fn required(
        &self,
        key: &str,
        code: DeviceError,
        needed: &'static str,
    ) -> Result<Element<'a, '_>, ManifestError> {
        self.optional(key)
            .ok_or_else(|| self.object.missing(key, code, needed))
    }

    /// A text without control characters, since a NUL ends an argument and a line feed a log line.
    fn text(
        &self,
        value: Element<'a, '_>,
        code: DeviceError,
        needed: &'static str,
    ) -> Result<String, ManifestError> {
        value
            .string()
            .filter(|text| !text.contains(char::is_control))
            .ok_or_else(|| value.error(code, Problem::Wrong { needed }))
    }
}

fn read_schema_version(fields: &Fields<'_, '_>) -> Result<(), ManifestError> {
    let code = DeviceError::MANIFEST_MISSING_SCHEMA_VERSION;
    let needed = "the number 1";
    let value = fields.required("SchemaVersion", code, needed)?;
    match value.integer() {
        Some(SCHEMA_VERSION) => Ok(()),
        Some(found) => Err(value.error(
            DeviceError::MANIFEST_INCOMPATIBLE_SCHEMA_VERSION,
            Problem::SchemaVersion { found },
        )),
        None => Err(value.error(code, Problem::Wrong { needed })),
    }
}

fn read_component(fields: &Fields<'_, '_>) -> Result<ComponentId, ManifestError> {
    let needed = "a GUID of 8-4-4-4-12 hexadecimal digits";
    let value = fields.required("ComponentId", COMPONENT_ID_CODE, needed)?;
    value
        .string()
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| value.error(COMPONENT_ID_CODE, Problem::Wrong { needed }))
}

fn read_entry_point(fields: &Fields<'_, '_>) -> Result<String, ManifestError> {
    let needed = "an absolute path inside the image, such as /bin/app";
    let missing = DeviceError::MANIFEST_MISSING_ENTRY_POINT;
    let value = fields.required("EntryPoint", missing, needed)?;
    let code = DeviceError::MANIFEST_BAD_ENTRY_POINT;
    let path = fields.text(value, code, needed)?;
    let is_plain = path.strip_prefix('/').is_some_and(|relative| {
        relative
            .split('/')
            .all(|name| !matches!(name, "" | "." | ".."))
    });
    if !is_plain {
        return Err(value.error(code, Problem::Wrong { needed }));
    }
    if path.len() > MAX_ENTRY_POINT_LENGTH {
        return Err(value.error(code, Problem::EntryPointTooLong));
    }
    Ok(path)
}

fn read_arguments(fields: &Fields<'_, '_>) -> Result<Vec<String>, ManifestError> {
    let code = DeviceError::MANIFEST_CMD_ARG_PARSE_ERROR;
    let Some(value) = fields.optional("CmdArgs") else {
        return Ok(Vec::new());
    };
    let needed = "a list of texts";
    let list = value
        .list()
        .ok_or_else(|| value.error(code, Problem::Wrong { needed }))?;
    list.into_iter()
        .enumerate()
        .map(|(index, raw)| {
            let entry = value.entry(index, raw);
            entry
                .string()
                .filter(|text| !text.contains('\0'))
                .ok_or_else(|| {
                    let needed = "a text without NUL";
                    entry.error(code, Problem::Wrong { needed })
                })
        })
        .collect()
}

fn read_kind(fields: &Fields<'_, '_>) -> Result<AppKind, ManifestError> {
    let needed = "Default, RealTimeCapable or Debugger";
    let Some(value) = fields.optional("ApplicationType") else {
        return Ok(AppKind::HighLevel);
    };
    let text = value.string().ok_or_else(|| {
        let code = DeviceError::MANIFEST_NON_STRING_APP_TYPE;
        value.error(code, Problem::Wrong { needed })
    })?;
    AppKind::from_text(&text).ok_or_else(|| {
        value.error(
            DeviceError::MANIFEST_BAD_APP_TYPE,
            Problem::Wrong { needed },
        )
    })
}

fn read_malloc_version(fields: &Fields<'_, '_>) -> Result<u8, ManifestError> {
    let Some(value) = fields.optional("MallocVersion") else {
        return Ok(1);
    };
    match value.integer() {
        Some(1) => Ok(1),
        Some(2) => Ok(2),
        _ => {
            let needed = "the number 1 or 2";
            let code = DeviceError::MANIFEST_MALLOC_VERSION_PARSE_ERROR;
            Err(value.error(code, Problem::Wrong { needed }))
        }
    }
}

fn read_runtime_version(fields: &Fields<'_, '_>) -> Result<Option<u32>, ManifestError> {
    let Some(value) = fields.optional(RUNTIME_VERSION) else {
        return Ok(None);
    };
    let version = value
        .integer()
        .and_then(|number| u32::try_from(number).ok())
        .filter(|&number| number > 0);
    match version {
        Some(version) => Ok(Some(version)),
        None => {
            let needed = "the number of an API set";
            let code = DeviceError::LIFETIME_INCOMPATIBLE_APPLICATION_RUNTIME;
            Err(value.error(code, Problem::Wrong { needed }))
        }
    }
}

fn read_beta_apis(fields: &Fields<'_, '_>) -> Result<Option<String>, ManifestError> {
    let code = DeviceError::LIFETIME_INCOMPATIBLE_APPLICATION_RUNTIME;
    fields
        .optional(BETA_APIS)
        .map(|value| fields.text(value, code, "the name of a beta API set"))
        .transpose()
}
