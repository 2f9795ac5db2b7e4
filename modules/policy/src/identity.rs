// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 OR MIT

//! Who a process is: component, tenant, rights, and the forms in which the kernel takes and gives them.

use core::fmt;

use crate::bytes::{Reader, joined};
use crate::grant::MAX_TENANT_LENGTH;
use crate::{ComponentId, Errno, Grant, Rights};

/// The version in the first field of [`Identity::encode`].
const VERSION: u32 = 1;

/// The flag of an identity whose processes may make process groups and sessions.
const JOB_CONTROL: u32 = 1;

/// The flags of the original 88-byte form.
const ORIGINAL_MANAGER: u8 = 0b01;
const ORIGINAL_JOB_CONTROL: u8 = 0b10;

/// A tenant or catalogue id: printable ASCII, up to [`MAX_TENANT_LENGTH`] characters, possibly none.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tenant([u8; MAX_TENANT_LENGTH]);

impl Tenant {
    /// No tenant.
    pub const NONE: Self = Self([0; MAX_TENANT_LENGTH]);

    /// From the field of an identity: text, then only NULs. None for anything else.
    #[must_use]
    pub fn from_bytes(bytes: [u8; MAX_TENANT_LENGTH]) -> Option<Self> {
        let mut rest = bytes
            .iter()
            .skip_while(|character| matches!(character, b' '..=b'~'));
        rest.all(|&byte| byte == 0).then_some(Self(bytes))
    }

    /// From a text; none when it is too long or has other than printable ASCII characters.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let mut bytes = [0; MAX_TENANT_LENGTH];
        bytes
            .get_mut(..text.len())?
            .copy_from_slice(text.as_bytes());
        Self::from_bytes(bytes).filter(|tenant| tenant.as_str() == text)
    }

    /// The field of an identity.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; MAX_TENANT_LENGTH] {
        self.0
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let text = self.0.split(|&byte| byte == 0).next().unwrap_or_default();
        core::str::from_utf8(text).unwrap_or_default()
    }
}

impl fmt::Display for Tenant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Debug for Tenant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), formatter)
    }
}

/// Who a process is. Once a process has it, it can only shrink; see [`Identity::reduce`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    component: ComponentId,
    tenant: Tenant,
    rights: Rights,
    job_control: bool,
}

/// Why bytes are no identity; the system call returns `EINVAL` for all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IdentityError {
    /// Not [`Identity::SIZE`] bytes.
    Size,
    /// A version that this code does not know.
    Version,
    /// A flag without meaning.
    Flags,
    /// The component id with all bits zero.
    Nil,
    /// Other than printable ASCII, or something after the first NUL.
    Tenant,
    /// A right without meaning.
    Rights,
    /// The last field is not zero.
    Reserved,
}

impl IdentityError {
    /// What the system call returns.
    #[must_use]
    pub const fn errno(self) -> Errno {
        Errno::EINVAL
    }

    /// The reason in words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Size => "not 96 bytes",
            Self::Version => "a version other than 1",
            Self::Flags => "an unknown flag",
            Self::Nil => "the nil component id",
            Self::Tenant => "a tenant that is not NUL-padded printable ASCII",
            Self::Rights => "an unknown right",
            Self::Reserved => "a reserved field that is not zero",
        }
    }
}

impl fmt::Display for IdentityError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "not an identity: {}", self.as_str())
    }
}

impl core::error::Error for IdentityError {}

impl Identity {
    /// The length of [`Identity::encode`].
    pub const SIZE: usize = 96;

    /// The length of the original system's form.
    pub const ORIGINAL_SIZE: usize = 88;

    /// The most characters of the text form: three lines.
    pub const MAX_TEXT_LENGTH: usize = 42 + 6 + MAX_TENANT_LENGTH + 15;

    /// The identity of a component without tenant and rights; none for the nil id, which names nobody.
    #[must_use]
    pub fn new(component: ComponentId) -> Option<Self> {
        (component != ComponentId::NIL).then_some(Self {
            component,
            tenant: Tenant::NONE,
            rights: Rights::NONE,
            job_control: false,
        })
    }

    /// The identity of an app by its grant. Manifests grant no rights towards the secure world.
    ///
    /// # Errors
    ///
    /// The nil component id, or a tenant that an identity cannot hold.
    pub fn of(grant: &Grant<'_>) -> Result<Self, IdentityError> {
        let tenant = Tenant::from_text(grant.tenant.unwrap_or_default());
        let tenant = tenant.ok_or(IdentityError::Tenant)?;
        let identity = Self::new(grant.component).ok_or(IdentityError::Nil)?;
        Ok(identity.with_tenant(tenant))
    }

    /// The identity with another tenant.
    #[must_use]
    pub const fn with_tenant(self, tenant: Tenant) -> Self {
        Self { tenant, ..self }
    }

    /// The identity with other rights.
    #[must_use]
    pub const fn with_rights(self, rights: Rights) -> Self {
        Self { rights, ..self }
    }

    /// The identity with or without the permission to make process groups.
    #[must_use]
    pub const fn with_job_control(self, job_control: bool) -> Self {
        Self {
            job_control,
            ..self
        }
    }

    /// The component.
    #[must_use]
    pub const fn component(&self) -> ComponentId {
        self.component
    }

    /// The tenant.
    #[must_use]
    pub const fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    /// The rights towards the secure world.
    #[must_use]
    pub const fn rights(&self) -> Rights {
        self.rights
    }

    /// Whether processes may make process groups and sessions.
    #[must_use]
    pub const fn job_control(&self) -> bool {
        self.job_control
    }

    /// From the value of `LSM_ATTR_EXEC` or `LSM_ATTR_CURRENT`.
    ///
    /// # Errors
    ///
    /// The first field that is not as it must be.
    pub fn parse(bytes: &[u8]) -> Result<Self, IdentityError> {
        let bytes: &[u8; Self::SIZE] = bytes.try_into().map_err(|_| IdentityError::Size)?;
        let mut reader = Reader(bytes);
        if reader.u32() != Some(VERSION) {
            return Err(IdentityError::Version);
        }
        let job_control = match reader.u32() {
            Some(0) => false,
            Some(JOB_CONTROL) => true,
            _ => return Err(IdentityError::Flags),
        };
        let component = reader.array().map(ComponentId::from_bytes);
        let identity = component
            .and_then(Self::new)
            .ok_or(IdentityError::Nil)?
            .with_job_control(job_control);
        let tenant = reader.array().and_then(Tenant::from_bytes);
        let tenant = tenant.ok_or(IdentityError::Tenant)?;
        let rights = reader.u32().and_then(Rights::from_bits);
        let rights = rights.ok_or(IdentityError::Rights)?;
        if reader.u32() != Some(0) {
            return Err(IdentityError::Reserved);
        }
        Ok(identity.with_tenant(tenant).with_rights(rights))
    }

    /// The value of `LSM_ATTR_EXEC` or `LSM_ATTR_CURRENT`.
    #[must_use]
    pub fn encode(&self) -> [u8; Self::SIZE] {
        Form::of(self).encode()
    }

    /// The identity of a process that gives up rights: the wanted one, if only rights are missing in it.
    /// There is no way back, as the result can only be reduced further.
    #[must_use]
    pub fn reduce(&self, wanted: &Self) -> Option<Self> {
        let same = self.with_rights(wanted.rights) == *wanted;
        (same && self.rights.contains(wanted.rights)).then_some(*wanted)
    }
}

/// What the forms of an identity show; also for a process without one.
#[derive(Clone, Copy)]
pub(crate) struct Form {
    component: ComponentId,
    tenant: Tenant,
    rights: Rights,
    job_control: bool,
    manager: bool,
}

impl Form {
    /// The form of a process that is no component.
    pub(crate) const fn without_component(manager: bool) -> Self {
        Self {
            component: ComponentId::NIL,
            tenant: Tenant::NONE,
            rights: Rights::NONE,
            job_control: false,
            manager,
        }
    }

    /// The form of a component's process.
    pub(crate) const fn of(identity: &Identity) -> Self {
        Self {
            component: identity.component,
            tenant: identity.tenant,
            rights: identity.rights,
            job_control: identity.job_control,
            manager: false,
        }
    }

    /// The 96 bytes of [`Identity::encode`].
    pub(crate) fn encode(self) -> [u8; Identity::SIZE] {
        let flags = if self.job_control { JOB_CONTROL } else { 0 };
        joined([
            &VERSION.to_le_bytes(),
            &flags.to_le_bytes(),
            &self.component.to_bytes(),
            &self.tenant.to_bytes(),
            &self.rights.bits().to_le_bytes(),
        ])
    }

    /// The 88 bytes that the original system shows in `attr/exec`.
    pub(crate) fn original(self) -> [u8; Identity::ORIGINAL_SIZE] {
        let mut tenant = self.tenant.to_bytes();
        // Who reads this form counts on a NUL at the end.
        if let Some(last) = tenant.last_mut() {
            *last = 0;
        }
        let manager = if self.manager { ORIGINAL_MANAGER } else { 0 };
        let job_control = if self.job_control {
            ORIGINAL_JOB_CONTROL
        } else {
            0
        };
        joined([
            &self.component.to_guid_bytes(),
            &tenant,
            &[manager + job_control, 0, 0, 0],
            &self.rights.bits().to_le_bytes(),
            &[],
        ])
    }
}

impl fmt::Display for Form {
    /// The three lines of `attr/current`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "CID: {:X}", self.component)?;
        writeln!(formatter, "TID: {}", self.tenant)?;
        writeln!(formatter, "CAPS: {}", self.rights)
    }
}

impl fmt::Display for Identity {
    /// The three lines of `attr/current`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        Form::of(self).fmt(formatter)
    }
}
