// SPDX-License-Identifier: Apache-2.0 OR MIT

//! A refused request: HTTP status, device error number and one line for the person who reads it.

use std::borrow::Cow;

use control::{Refusal, RefusalKind};
use policy::DeviceError;
use serde::Serialize;

use crate::http::{Method, Response, Status};

/// `15.1` `HttpError::InvalidRequestMethod`.
pub const HTTP_INVALID_REQUEST_METHOD: DeviceError = DeviceError::new(15, 1);
/// `15.2` `HttpError::InvalidRequestUri`, what the device answers to a path that it does not know.
pub const HTTP_INVALID_REQUEST_URI: DeviceError = DeviceError::new(15, 2);
/// `15.3` `HttpError::InvalidRequestProtocol`.
pub const HTTP_INVALID_REQUEST_PROTOCOL: DeviceError = DeviceError::new(15, 3);
/// `15.4` `HttpError::InvalidContentLength`; the published client words it "the content provided is too large".
pub const HTTP_INVALID_CONTENT_LENGTH: DeviceError = DeviceError::new(15, 4);
/// `15.7` `HttpError::RequestHeaderIsTooLarge`.
pub const HTTP_REQUEST_HEADER_IS_TOO_LARGE: DeviceError = DeviceError::new(15, 7);
/// `15.8` `HttpError::NetSocketError`.
pub const HTTP_NET_SOCKET_ERROR: DeviceError = DeviceError::new(15, 8);

/// Why a request was not carried out. The device is as it was before.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{status} {error}: {detail}")]
pub struct Problem {
    /// HTTP status of the answer.
    pub status: Status,
    /// Device error number, key `error` of the body.
    pub error: DeviceError,
    /// One line: what, where, and how to mend it; key `detail` of the body, which is an addition of
    /// Nacre to the documented `error`.
    pub detail: Cow<'static, str>,
    /// The methods that the resource has, when the status is 405.
    pub allow: &'static [Method],
}

/// The body of an answer that refuses.
#[derive(Serialize)]
struct Body<'a> {
    error: u32,
    detail: &'a str,
}

impl Problem {
    /// A refusal of this interface itself.
    pub fn new(status: Status, error: DeviceError, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            error,
            detail: detail.into(),
            allow: &[],
        }
    }

    /// 400 with a detail.
    pub fn bad(error: DeviceError, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Status::BAD_REQUEST, error, detail)
    }

    /// 500 `10.6`: the manager could not be asked, or answered out of turn.
    pub fn internal(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(
            Status::INTERNAL_SERVER_ERROR,
            DeviceError::REST_INTERNAL_ERROR,
            detail,
        )
    }

    /// The answer that tells the client.
    #[must_use]
    pub fn response(&self) -> Response {
        let body = Response::json(&Body {
            error: self.error.value(),
            detail: &self.detail,
        });
        Response {
            status: self.status,
            allow: self.allow,
            ..body
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let status = match refusal.kind {
            RefusalKind::BadRequest => Status::BAD_REQUEST,
            RefusalKind::Forbidden => Status::FORBIDDEN,
            RefusalKind::NotFound => Status::NOT_FOUND,
            RefusalKind::Conflict => Status::CONFLICT,
            RefusalKind::Internal => Status::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, refusal.error, refusal.detail)
    }
}
