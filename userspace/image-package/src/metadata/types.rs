// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The numbers and names of the metadata, each with its own type.

use std::fmt;

/// What an image is, as the number in its metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ImageType(pub u16);

impl ImageType {
    /// High-level apps, real-time apps and the debugger.
    pub const APPLICATION: Self = Self(10);

    /// The name of the type, when it is a known one.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            0 => "invalid",
            1 => "first boot loader",
            2 => "Pluton runtime",
            3 => "Wi-Fi firmware",
            4 => "security monitor",
            5 => "normal-world loader",
            6 => "device tree",
            7 => "kernel",
            8 => "root file system",
            9 => "services",
            10 => "application",
            13 => "firmware configuration",
            16 => "boot manifest",
            17 => "normal-world file system",
            19 => "trusted key store",
            20 => "policy",
            21 => "customer board configuration",
            22 => "update certificate store",
            23 => "base system update manifest",
            24 => "firmware update manifest",
            25 => "customer update manifest",
            26 => "recovery manifest",
            27 => "manifest set",
            28 => "other",
            _ => return None,
        })
    }
}

impl fmt::Display for ImageType {
    /// The number, and the name if there is one: `10 (application)`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(formatter, "{} ({name})", self.0),
            None => write!(formatter, "{} (unknown)", self.0),
        }
    }
}

/// The SHA-1 of a DER certificate: the name of a key, not a proof of anything.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Thumbprint(pub [u8; 20]);

impl Thumbprint {
    /// The thumbprint of a DER certificate.
    #[must_use]
    pub fn of_certificate(der: &[u8]) -> Self {
        let digest = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, der);
        let mut bytes = [0; 20];
        for (to, from) in bytes.iter_mut().zip(digest.as_ref()) {
            *to = *from;
        }
        Self(bytes)
    }
}

impl fmt::Display for Thumbprint {
    /// 40 lower-case hexadecimal digits.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for Thumbprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// The signature algorithm of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SigningType {
    /// ECDSA over P-256 with SHA-256: 64 bytes.
    EcdsaP256,
    /// ECDSA over P-384 with SHA-384: 96 bytes.
    EcdsaP384,
}

impl SigningType {
    /// The number in the metadata.
    #[must_use]
    pub const fn value(self) -> u32 {
        match self {
            Self::EcdsaP256 => 1,
            Self::EcdsaP384 => 2,
        }
    }

    pub(super) const fn from_value(value: u32) -> Option<Self> {
        match value {
            1 => Some(Self::EcdsaP256),
            2 => Some(Self::EcdsaP384),
            _ => None,
        }
    }

    /// Bytes of a signature.
    pub(crate) const fn signature_bytes(self) -> usize {
        match self {
            Self::EcdsaP256 => 64,
            Self::EcdsaP384 => 96,
        }
    }

    /// Bytes of a signature, for arithmetic on file offsets.
    pub(crate) const fn signature_length(self) -> u64 {
        self.signature_bytes() as u64
    }
}

impl fmt::Display for SigningType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::EcdsaP256 => "ECDSA P-256",
            Self::EcdsaP384 => "ECDSA P-384",
        })
    }
}

/// The flags of a temporary image; bits without a meaning are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct TemporaryFlags(pub u32);

impl TemporaryFlags {
    /// No flag: an image that stays.
    pub const NONE: Self = Self(0);
    /// The image is deleted when the device boots.
    pub const REMOVE_AT_BOOT: Self = Self(1);
    /// The image needs a device with the app-development capability; every image packed by the published tools.
    pub const UNDER_DEVELOPMENT: Self = Self(2);

    /// Whether the image is deleted when the device boots.
    #[must_use]
    pub const fn remove_at_boot(self) -> bool {
        self.0 & Self::REMOVE_AT_BOOT.0 != 0
    }

    /// Whether the image needs a device with the app-development capability.
    #[must_use]
    pub const fn under_development(self) -> bool {
        self.0 & Self::UNDER_DEVELOPMENT.0 != 0
    }
}

/// What kind of interface an [`Abi`] versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AbiType(pub u32);

impl AbiType {
    /// Needs nothing.
    pub const NONE: Self = Self(0);
    /// The secure world's runtime.
    pub const SECURE_WORLD_RUNTIME: Self = Self(1);
    /// The operating system's runtime.
    pub const OS_RUNTIME: Self = Self(2);
    /// The application runtime; its version is the API set.
    pub const APPLICATION_RUNTIME: Self = Self(3);

    /// The name of the type, when it is a known one.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::NONE => "none",
            Self::SECURE_WORLD_RUNTIME => "SecureWorldRuntime",
            Self::OS_RUNTIME => "OSRuntime",
            Self::APPLICATION_RUNTIME => "ApplicationRuntime",
            _ => return None,
        })
    }
}

impl fmt::Display for AbiType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => formatter.write_str(name),
            None => write!(formatter, "unknown type {}", self.0),
        }
    }
}

/// A version of an interface that an image needs or provides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Abi {
    /// The version; the API set number for [`AbiType::APPLICATION_RUNTIME`].
    pub version: u32,
    /// The interface.
    pub kind: AbiType,
}

impl Abi {
    /// The application runtime of an API set, `TargetApplicationRuntimeVersion` in the manifest.
    #[must_use]
    pub const fn application_runtime(version: u32) -> Self {
        Self {
            version,
            kind: AbiType::APPLICATION_RUNTIME,
        }
    }
}

/// How an image is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Compression {
    /// Bytes after decompression.
    pub uncompressed_size: u32,
    /// The method; 1 is LZMA.
    pub method: u32,
}

/// The two letters that name a section, in file order.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SectionId(pub [u8; 2]);

impl SectionId {
    /// Image type, component id, image id.
    pub const IDENTITY: Self = Self(*b"ID");
    /// Thumbprint and signature algorithm.
    pub const SIGNATURE: Self = Self(*b"SG");
    /// Build time and name.
    pub const DEBUG: Self = Self(*b"DB");
    /// Flags of a temporary image.
    pub const TEMPORARY: Self = Self(*b"TP");
    /// What the image needs.
    pub const NEEDS: Self = Self(*b"ND");
    /// What the image provides.
    pub const PROVIDES: Self = Self(*b"NP");
    /// Compression.
    pub const COMPRESSION: Self = Self(*b"CM");
    /// Security version for revocation.
    pub const REVOCATION: Self = Self(*b"RV");
    /// Required flash offset.
    pub const REQUIRED_OFFSET: Self = Self(*b"RO");
    /// Image policy.
    pub const POLICY: Self = Self(*b"IP");
    /// A section of the time before extensible metadata.
    pub const LEGACY: Self = Self(*b"LG");
    /// The former [`SectionId::NEEDS`].
    pub const LEGACY_NEEDS: Self = Self(*b"AD");
    /// The former [`SectionId::PROVIDES`].
    pub const LEGACY_PROVIDES: Self = Self(*b"AP");

    /// Whether this is a section of the format; unknown ones are kept and not interpreted.
    #[must_use]
    pub const fn is_known(self) -> bool {
        matches!(
            self,
            Self::IDENTITY
                | Self::SIGNATURE
                | Self::DEBUG
                | Self::TEMPORARY
                | Self::NEEDS
                | Self::PROVIDES
                | Self::COMPRESSION
                | Self::REVOCATION
                | Self::REQUIRED_OFFSET
                | Self::POLICY
                | Self::LEGACY
                | Self::LEGACY_NEEDS
                | Self::LEGACY_PROVIDES
        )
    }
}

impl fmt::Display for SectionId {
    /// The two letters, or four hexadecimal digits when they are no letters.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second] = self.0;
        if first.is_ascii_alphanumeric() && second.is_ascii_alphanumeric() {
            write!(formatter, "{}{}", char::from(first), char::from(second))
        } else {
            write!(formatter, "{first:02x}{second:02x}")
        }
    }
}

impl fmt::Debug for SectionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// A section that is kept as it is: legacy or unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Its name.
    pub id: SectionId,
    /// Its data, 1 to 65,535 bytes.
    pub data: Vec<u8>,
}
