// SPDX-License-Identifier: Apache-2.0 OR MIT

//! What can be asked for: paths, their methods, and the bodies that belong to them.

use policy::{ComponentId, DeviceError};

use crate::http::{Media, Method, Status};
use crate::problem::{
    HTTP_INVALID_CONTENT_LENGTH, HTTP_INVALID_REQUEST_METHOD, HTTP_INVALID_REQUEST_URI, Problem,
};

/// The most bytes of an image package that are taken at all: the file system format cannot describe files
/// beyond 16 MiB. How much really fits is the manager's to say, before the first byte is read.
pub const MAX_IMAGE: u64 = 16 * 1024 * 1024;

/// The most bytes of a body other than an image; the longest legal one has about 30.
pub const MAX_BODY: u64 = 4 * 1024;

/// The error number beside status 415; which one the original sends was not observed.
pub const WRONG_MEDIA_TYPE: DeviceError = DeviceError::REST_INVALID_JSON_REQUEST;

/// Beginnings of paths that the documented API has and this device does not.
const NOT_PROVIDED: [&str; 6] = [
    "/certstore/",
    "/device/manufacturing_state",
    "/device/security_state",
    "/net/",
    "/telemetry",
    "/wifi/",
];

/// What a path stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// `/status`
    Status,
    /// `/osversion`
    OsVersion,
    /// `/abi_versions`
    AbiVersions,
    /// `/device/capabilities`
    Capabilities,
    /// `/images`
    Images,
    /// `/update/stage`
    Stage,
    /// `/update/install`
    Install,
    /// `/app/status/{component}`
    AppStatus(ComponentId),
    /// `/app/image/{component}`
    AppImage(ComponentId),
    /// `/app/quota/{component}`
    AppQuota(ComponentId),
    /// `/stats/memory/groups/applications`
    MemoryStats,
    /// `/log`
    Log,
    /// `/restart`
    Restart,
    /// `/nacre/device`
    NacreDevice,
    /// `/nacre/app/{component}`
    NacreApp(ComponentId),
    /// `/nacre/app/{component}/log`
    NacreAppLog(ComponentId),
    /// `/nacre/app/{component}/denials`
    NacreAppDenials(ComponentId),
}

/// What body a request to a resource has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyRule {
    /// None is expected; a small one is read and dropped, as clients send one by habit.
    Ignored,
    /// JSON, or nothing.
    OptionalJson,
    /// JSON.
    Json,
    /// An image package.
    Image,
}

impl Resource {
    /// The resource at a path.
    ///
    /// # Errors
    /// 404 `15.2` for a path without resource, 400 `14.15` for a component id that cannot be read.
    pub fn find(path: &str) -> Result<Self, Problem> {
        Ok(match path {
            "/status" => Self::Status,
            "/osversion" => Self::OsVersion,
            "/abi_versions" => Self::AbiVersions,
            "/device/capabilities" => Self::Capabilities,
            "/images" => Self::Images,
            "/update/stage" => Self::Stage,
            "/update/install" => Self::Install,
            "/stats/memory/groups/applications" => Self::MemoryStats,
            "/log" => Self::Log,
            "/restart" => Self::Restart,
            "/nacre/device" => Self::NacreDevice,
            path => return Self::find_by_component(path),
        })
    }

    fn find_by_component(path: &str) -> Result<Self, Problem> {
        if let Some(id) = path.strip_prefix("/app/status/") {
            component(id).map(Self::AppStatus)
        } else if let Some(id) = path.strip_prefix("/app/image/") {
            component(id).map(Self::AppImage)
        } else if let Some(id) = path.strip_prefix("/app/quota/") {
            component(id).map(Self::AppQuota)
        } else if let Some(rest) = path.strip_prefix("/nacre/app/") {
            match rest.split_once('/') {
                Some((id, "log")) => component(id).map(Self::NacreAppLog),
                Some((id, "denials")) => component(id).map(Self::NacreAppDenials),
                _ => component(rest).map(Self::NacreApp),
            }
        } else {
            let detail = if NOT_PROVIDED.iter().any(|known| path.starts_with(known)) {
                "this device does not provide that part of the device API"
            } else {
                "no such resource: check the path"
            };
            Err(Problem::new(
                Status::NOT_FOUND,
                HTTP_INVALID_REQUEST_URI,
                detail,
            ))
        }
    }

    /// The methods that the resource has.
    #[must_use]
    pub const fn methods(self) -> &'static [Method] {
        match self {
            Self::Stage => &[Method::Put],
            Self::Install | Self::Restart => &[Method::Post],
            Self::AppStatus(_) => &[Method::Get, Method::Patch],
            Self::AppImage(_) => &[Method::Delete],
            _ => &[Method::Get],
        }
    }

    /// Checks that the resource has the method.
    ///
    /// # Errors
    /// 405 `15.1` with the methods it has.
    pub fn check_method(self, method: Method) -> Result<(), Problem> {
        if self.methods().contains(&method) {
            return Ok(());
        }
        Err(Problem {
            allow: self.methods(),
            ..Problem::new(
                Status::METHOD_NOT_ALLOWED,
                HTTP_INVALID_REQUEST_METHOD,
                "the resource does not have this method: see the Allow header",
            )
        })
    }

    /// What body a request with this method has.
    #[must_use]
    pub const fn body(self, method: Method) -> BodyRule {
        match (self, method) {
            (Self::Stage, _) => BodyRule::Image,
            (Self::Install, _) => BodyRule::OptionalJson,
            (Self::AppStatus(_), Method::Patch) => BodyRule::Json,
            _ => BodyRule::Ignored,
        }
    }

    /// Whether everyone may ask, with or without the app development capability.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(
            self,
            Self::Status
                | Self::OsVersion
                | Self::AbiVersions
                | Self::Capabilities
                | Self::NacreDevice
        )
    }
}

impl BodyRule {
    /// Checks what the head says of the body, before a byte of it is read.
    ///
    /// # Errors
    /// 415 for the wrong type, 411 `10.4` for a missing length, 400 `10.3` for a body that is missing, 400
    /// `15.4` for one that is too long.
    pub fn check(self, media: Option<Media>, length: Option<u64>) -> Result<(), Problem> {
        let (wanted, is_required, limit) = match self {
            Self::Ignored => (None, false, MAX_BODY),
            Self::OptionalJson => (Some(Media::Json), false, MAX_BODY),
            Self::Json => (Some(Media::Json), true, MAX_BODY),
            Self::Image => (Some(Media::Octets), true, MAX_IMAGE),
        };
        let has_body = length.is_some_and(|length| length > 0);
        if let Some(wanted) = wanted
            && (has_body || is_required)
            && media != Some(wanted)
        {
            return Err(Problem::new(
                Status::UNSUPPORTED_MEDIA_TYPE,
                WRONG_MEDIA_TYPE,
                if wanted == Media::Json {
                    "the body must be JSON: send it with Content-Type: application/json"
                } else {
                    "the body must be an image package: send it with Content-Type: application/octet-stream"
                },
            ));
        }
        if is_required && length.is_none() {
            return Err(Problem::new(
                Status::LENGTH_REQUIRED,
                DeviceError::REST_CONTENT_LENGTH_EXPECTED,
                "the request has no Content-Length: send one",
            ));
        }
        if is_required && !has_body {
            return Err(Problem::bad(
                DeviceError::REST_REQUEST_DATA_EXPECTED,
                "the request has no body: send one",
            ));
        }
        if length.is_some_and(|length| length > limit) {
            return Err(Problem::bad(
                HTTP_INVALID_CONTENT_LENGTH,
                format!("the body is over the limit of {limit} bytes: send less"),
            ));
        }
        Ok(())
    }
}

fn component(text: &str) -> Result<ComponentId, Problem> {
    text.parse().map_err(|_| {
        Problem::bad(
            DeviceError::REST_APP_CANNOT_PARSE_COMPONENT_ID,
            "the path must end in a component id such as 2f074b0f-d99d-4692-82d9-ef93a7d6463c",
        )
    })
}
