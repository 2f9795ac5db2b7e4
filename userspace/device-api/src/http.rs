// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Request heads in, responses out: the part of HTTP/1.1 that the device REST API uses.

use std::fmt;

use policy::DeviceError;
use serde::Serialize;

use crate::problem::{
    HTTP_INVALID_CONTENT_LENGTH, HTTP_INVALID_REQUEST_PROTOCOL, HTTP_INVALID_REQUEST_URI,
    HTTP_REQUEST_HEADER_IS_TOO_LARGE, Problem,
};

/// The most bytes a request line and its headers may take. The largest header of a real client,
/// `AZSPHERE-CAPABILITIES`, is a capability file of about 400 bytes in base64.
pub const MAX_HEAD: usize = 8 * 1024;

/// The most headers a request may have; real clients send six to eight.
pub const MAX_HEADERS: usize = 32;

/// The version of the API description that the resources follow, sent in every answer.
pub const REST_API_VERSION: &str = "4.6.0";

/// An HTTP status code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status(u16);

impl Status {
    /// 200.
    pub const OK: Self = Self(200);
    /// 400, for what was understood as a request and refused.
    pub const BAD_REQUEST: Self = Self(400);
    /// 403.
    pub const FORBIDDEN: Self = Self(403);
    /// 404.
    pub const NOT_FOUND: Self = Self(404);
    /// 405; not in the API description, which leaves the case open.
    pub const METHOD_NOT_ALLOWED: Self = Self(405);
    /// 408; not in the API description, which leaves the case open.
    pub const REQUEST_TIMEOUT: Self = Self(408);
    /// 409.
    pub const CONFLICT: Self = Self(409);
    /// 411; not in the API description, which leaves the case open.
    pub const LENGTH_REQUIRED: Self = Self(411);
    /// 415.
    pub const UNSUPPORTED_MEDIA_TYPE: Self = Self(415);
    /// 500.
    pub const INTERNAL_SERVER_ERROR: Self = Self(500);

    /// The number.
    #[must_use]
    pub const fn code(self) -> u16 {
        self.0
    }

    /// The words of the status line.
    const fn reason(self) -> &'static str {
        match self.0 {
            200 => "OK",
            400 => "Bad Request",
            403 => "Forbidden",
            404 => "Not Found",
            405 => "Method Not Allowed",
            408 => "Request Timeout",
            409 => "Conflict",
            411 => "Length Required",
            415 => "Unsupported Media Type",
            _ => "Internal Server Error",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.0, self.reason())
    }
}

/// The methods that resources know, and any other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Read.
    Get,
    /// Replace.
    Put,
    /// Act.
    Post,
    /// Change.
    Patch,
    /// Remove.
    Delete,
    /// Read without the body; no resource offers it, and its refusal carries no body.
    Head,
    /// Anything else.
    Other,
}

impl Method {
    fn parse(name: &str) -> Self {
        match name {
            "GET" => Self::Get,
            "PUT" => Self::Put,
            "POST" => Self::Post,
            "PATCH" => Self::Patch,
            "DELETE" => Self::Delete,
            "HEAD" => Self::Head,
            _ => Self::Other,
        }
    }

    /// The name in an `Allow` header.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Put => "PUT",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Head => "HEAD",
            Self::Other => "",
        }
    }
}

/// The media types that matter here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Media {
    /// `application/json`.
    Json,
    /// `application/octet-stream`.
    Octets,
    /// `text/plain`.
    Text,
    /// Any other.
    Other,
}

impl Media {
    /// By the type itself, without parameters and without regard to case.
    fn parse(value: &str) -> Self {
        let essence = value.split(';').next().unwrap_or_default().trim();
        if essence.eq_ignore_ascii_case("application/json") {
            Self::Json
        } else if essence.eq_ignore_ascii_case("application/octet-stream") {
            Self::Octets
        } else if essence.eq_ignore_ascii_case("text/plain") {
            Self::Text
        } else {
            Self::Other
        }
    }

    const fn header(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Text => "text/plain; charset=utf-8",
            Self::Octets | Self::Other => "application/octet-stream",
        }
    }
}

/// What the head of a request says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The method.
    pub method: Method,
    /// The path, beginning with `/`, never with a query.
    pub path: String,
    /// `Content-Length`, when there is one.
    pub length: Option<u64>,
    /// `Content-Type`, when there is one.
    pub media: Option<Media>,
    /// The client waits for `100 Continue` before it sends the body.
    pub expects_continue: bool,
    /// The client takes no further answer on this connection.
    pub close: bool,
}

/// Reads a request head from the start of `bytes`; `None` when it is not complete yet, otherwise the head
/// and the number of bytes it took.
///
/// # Errors
/// A [`Problem`] with status 400 or 411 when the head is malformed or outside the limits; nothing that
/// follows on the connection can be understood then, so it has to be closed.
pub fn parse_head(bytes: &[u8]) -> Result<Option<(Head, usize)>, Problem> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let taken = match request.parse(bytes) {
        Ok(httparse::Status::Complete(taken)) if taken <= MAX_HEAD => taken,
        Ok(httparse::Status::Partial) if bytes.len() < MAX_HEAD => return Ok(None),
        Ok(_) => return Err(head_too_large()),
        Err(httparse::Error::TooManyHeaders) => {
            return Err(Problem::bad(
                HTTP_REQUEST_HEADER_IS_TOO_LARGE,
                format!("the request has more than {MAX_HEADERS} headers: send fewer"),
            ));
        }
        Err(error) => return Err(malformed(format!("the request is not HTTP/1.1: {error}"))),
    };

    let target = request.path.unwrap_or_default();
    if target.contains('?') {
        return Err(Problem::bad(
            DeviceError::REST_INVALID_QUERY_STRING,
            "no resource takes a query: leave out `?` and what follows",
        ));
    }
    if !target.starts_with('/') {
        return Err(Problem::bad(
            HTTP_INVALID_REQUEST_URI,
            "the request target must be a path that begins with `/`",
        ));
    }
    let is_version_1_1 = request.version == Some(1);
    let mut head = Head {
        method: Method::parse(request.method.unwrap_or_default()),
        path: target.to_owned(),
        length: None,
        media: None,
        expects_continue: false,
        close: !is_version_1_1,
    };
    let mut has_host = false;
    for header in request.headers.iter() {
        head.take_header(header, &mut has_host)?;
    }
    if is_version_1_1 && !has_host {
        return Err(malformed("the request has no Host header"));
    }
    Ok(Some((head, taken)))
}

impl Head {
    fn take_header(
        &mut self,
        header: &httparse::Header<'_>,
        has_host: &mut bool,
    ) -> Result<(), Problem> {
        let is = |name: &str| header.name.eq_ignore_ascii_case(name);
        let value = || {
            std::str::from_utf8(header.value.trim_ascii())
                .map_err(|_| malformed(format!("the header {} is not UTF-8", header.name)))
        };
        if is("host") {
            if std::mem::replace(has_host, true) {
                return Err(malformed("the request has two Host headers"));
            }
        } else if is("content-length") {
            // Two lengths, even equal ones, are how requests are smuggled past each other.
            if self.length.is_some() {
                return Err(bad_length("the request has two Content-Length headers"));
            }
            self.length = Some(parse_length(value()?)?);
        } else if is("transfer-encoding") {
            return Err(Problem::new(
                Status::LENGTH_REQUIRED,
                DeviceError::REST_CONTENT_LENGTH_EXPECTED,
                "Transfer-Encoding is not supported: send the body with a Content-Length",
            ));
        } else if is("content-type") {
            if self.media.is_some() {
                return Err(malformed("the request has two Content-Type headers"));
            }
            self.media = Some(Media::parse(value()?));
        } else if is("expect") {
            if !value()?.eq_ignore_ascii_case("100-continue") {
                return Err(malformed("the only Expect header known is `100-continue`"));
            }
            self.expects_continue = true;
        } else if is("connection") {
            let close = value()?
                .split(',')
                .any(|option| option.trim().eq_ignore_ascii_case("close"));
            self.close |= close;
        }
        Ok(())
    }
}

/// Only decimal digits: a sign or a blank would pass through `str::parse` in some implementations and be
/// read differently by the next one.
fn parse_length(value: &str) -> Result<u64, Problem> {
    if !value.is_empty()
        && value.bytes().all(|byte| byte.is_ascii_digit())
        && let Ok(length) = value.parse()
    {
        return Ok(length);
    }
    Err(bad_length("Content-Length must be a decimal number"))
}

fn bad_length(detail: &'static str) -> Problem {
    Problem::bad(HTTP_INVALID_CONTENT_LENGTH, detail)
}

fn malformed(detail: impl Into<std::borrow::Cow<'static, str>>) -> Problem {
    Problem::bad(HTTP_INVALID_REQUEST_PROTOCOL, detail)
}

fn head_too_large() -> Problem {
    Problem::bad(
        HTTP_REQUEST_HEADER_IS_TOO_LARGE,
        format!("the request line and headers are over {MAX_HEAD} bytes: send fewer headers"),
    )
}

/// One answer, complete before the first byte of it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// Status code.
    pub status: Status,
    /// Type of the body.
    pub media: Media,
    /// The body.
    pub body: Vec<u8>,
    /// The methods that the resource has, for 405.
    pub allow: &'static [Method],
}

impl Response {
    /// 200 with this body.
    #[must_use]
    pub fn new(media: Media, body: Vec<u8>) -> Self {
        Self {
            status: Status::OK,
            media,
            body,
            allow: &[],
        }
    }

    /// 200 with `value` as JSON. Every type that is answered here has string keys and finite numbers, so
    /// writing it cannot fail; an empty object would be sent if it ever did.
    pub fn json<T: Serialize>(value: &T) -> Self {
        Self::new(
            Media::Json,
            serde_json::to_vec(value).unwrap_or_else(|_| b"{}".to_vec()),
        )
    }

    /// The bytes to send. `with_body` is false for an answer to `HEAD`.
    #[must_use]
    pub fn to_bytes(&self, close: bool, with_body: bool) -> Vec<u8> {
        let mut text = format!(
            "HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nREST-API-Version: {REST_API_VERSION}\r\n",
            self.status,
            self.media.header(),
            self.body.len(),
        );
        if let [first, rest @ ..] = self.allow {
            text.push_str("Allow: ");
            text.push_str(first.name());
            for method in rest {
                text.push_str(", ");
                text.push_str(method.name());
            }
            text.push_str("\r\n");
        }
        if close {
            text.push_str("Connection: close\r\n");
        }
        text.push_str("\r\n");
        let mut bytes = text.into_bytes();
        if with_body {
            bytes.extend_from_slice(&self.body);
        }
        bytes
    }
}
