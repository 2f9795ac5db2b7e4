// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The device REST API as a client: pinned authority, checked name, errors with their numbers.

use std::fmt;
use std::fs;
use std::io::{self, Read};
use std::net::ToSocketAddrs;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use policy::DeviceError;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use ureq::config::Config;
use ureq::http::{Method, Response, Uri};
use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsProvider};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Body, RequestExt, SendBody};

use crate::failure::Failure;

/// The port of the device interface.
const PORT: u16 = 443;

/// The name that the device's certificate is checked against: it is issued for all names of this domain.
const NAME: &str = "nacre.devices.sphere.azure.local";

/// The authority of development devices.
const DEVELOPMENT_AUTHORITY: &str = include_str!("../../../board/common/keys/device-ca.crt.pem");

/// How long to wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long to wait for an answer: an installation writes flash, and a stop gives the app two seconds.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// The most bytes of an answer that are read; logs are the longest, and bounded by the device.
const MAX_ANSWER: u64 = 4 * 1024 * 1024;

/// Where a device is: host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    host: String,
    port: u16,
}

/// An address that cannot be understood.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("write HOST, HOST:PORT or [IPV6]:PORT")]
pub struct AddressError;

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => match rest.split_once(']').ok_or(AddressError)? {
                (host, "") => (host, None),
                (host, port) => (host, Some(port.strip_prefix(':').ok_or(AddressError)?)),
            },
            None => match text.split_once(':') {
                // More than one colon: an IPv6 address.
                Some((_, rest)) if rest.contains(':') => (text, None),
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        let port = match port {
            Some(port) => port.parse().map_err(|_| AddressError)?,
            None => PORT,
        };
        if host.is_empty() || port == 0 || host.contains(['/', '@', ' ']) {
            return Err(AddressError);
        }
        let host = host.to_owned();
        Ok(Self { host, port })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(formatter, "[{}]:{}", self.host, self.port)
        } else {
            write!(formatter, "{}:{}", self.host, self.port)
        }
    }
}

/// Leads every name to the one address of the device.
impl Resolver for Address {
    fn resolve(
        &self,
        _: &Uri,
        _: &Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let mut resolved = self.empty();
        // `ureq` holds 16 addresses and panics on more.
        for address in (self.host.as_str(), self.port).to_socket_addrs()?.take(16) {
            resolved.push(address);
        }
        if resolved.is_empty() {
            return Err(ureq::Error::HostNotFound);
        }
        Ok(resolved)
    }
}

/// A device that can be asked.
#[derive(Debug)]
pub struct Device {
    agent: Agent,
    address: Address,
}

/// What the device says when it refuses.
#[derive(Deserialize)]
struct Refusal {
    error: u32,
    detail: Option<String>,
}

impl Device {
    /// For the device at `address`, whose certificate must be signed by the authority in the file `authority`
    /// or, without one, by the development authority. Nothing is sent yet.
    ///
    /// # Errors
    /// [`Failure::Read`] when the authority is no PEM certificate.
    pub fn new(address: Address, authority: Option<&Path>) -> Result<Self, Failure> {
        let certificate = match authority {
            None => Certificate::from_pem(DEVELOPMENT_AUTHORITY.as_bytes()),
            Some(path) => Certificate::from_pem(&fs::read(path).map_err(Failure::read(path))?),
        };
        let path = authority.unwrap_or_else(|| Path::new("the development authority"));
        let certificate = certificate.map_err(|error| {
            let words = format!("not a PEM certificate: {error}");
            Failure::read(path)(io::Error::new(io::ErrorKind::InvalidData, words))
        })?;
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .root_certs(RootCerts::Specific(Arc::new(vec![certificate])))
            .build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .https_only(true)
            .proxy(None)
            .max_redirects(0)
            .http_status_as_error(false)
            .user_agent(concat!("nacre/", env!("CARGO_PKG_VERSION")))
            .accept("application/json")
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_recv_response(Some(ANSWER_TIMEOUT))
            .build();
        let agent = Agent::with_parts(config, DefaultConnector::default(), address.clone());
        Ok(Self { agent, address })
    }

    /// Reads a JSON resource. `action` says in a few words what for, should it fail.
    ///
    /// # Errors
    /// [`Failure::Refused`], [`Failure::Unreachable`], and [`Failure::Answer`] for an answer of another shape.
    pub fn get<T: DeserializeOwned>(&self, action: &str, path: &str) -> Result<T, Failure> {
        let bytes = self.get_bytes(action, path)?;
        serde_json::from_slice(&bytes).map_err(|error| Failure::Answer {
            action: action.to_owned(),
            what: format!("something else than expected ({error})"),
        })
    }

    /// Reads a resource of raw bytes.
    ///
    /// # Errors
    /// [`Failure::Refused`] and [`Failure::Unreachable`].
    pub fn get_bytes(&self, action: &str, path: &str) -> Result<Vec<u8>, Failure> {
        self.send(action, Method::GET, path, &[], SendBody::none())
    }

    /// Sends JSON and reads a JSON answer.
    ///
    /// # Errors
    /// As [`Device::get`].
    pub fn send_json(
        &self,
        action: &str,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Result<Value, Failure> {
        let text = body.to_string();
        let length = text.len().to_string();
        let headers = [
            ("Content-Type", "application/json"),
            ("Content-Length", length.as_str()),
        ];
        let mut reader = text.as_bytes();
        let body = SendBody::from_reader(&mut reader);
        let answer = self.send(action, method, path, &headers, body)?;
        parse(action, &answer)
    }

    /// Acts on a resource without a body.
    ///
    /// # Errors
    /// As [`Device::get`].
    pub fn act(&self, action: &str, method: Method, path: &str) -> Result<Value, Failure> {
        // Said in so many words, or `ureq` would announce a chunked body for POST.
        let headers = [("Content-Length", "0")];
        let answer = self.send(action, method, path, &headers, SendBody::none())?;
        parse(action, &answer)
    }

    /// Stages an image package of `length` bytes.
    ///
    /// # Errors
    /// As [`Device::get`].
    pub fn stage(&self, action: &str, image: &mut dyn Read, length: u64) -> Result<(), Failure> {
        let length = length.to_string();
        let headers = [
            ("Content-Type", "application/octet-stream"),
            ("Content-Length", length.as_str()),
            // A device that will refuse says so before the image is sent.
            ("Expect", "100-continue"),
        ];
        let mut image = image;
        let body = SendBody::from_reader(&mut image);
        self.send(action, Method::PUT, "/update/stage", &headers, body)?;
        Ok(())
    }

    fn send(
        &self,
        action: &str,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: SendBody<'_>,
    ) -> Result<Vec<u8>, Failure> {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("https://{NAME}:{}{path}", self.address.port));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let unreachable = |error: ureq::Error| Failure::Unreachable {
            address: self.address.to_string(),
            source: Box::new(error),
        };
        let request = request
            .body(body)
            .map_err(|error| unreachable(error.into()))?;
        let response = request.with_agent(&self.agent).run().map_err(unreachable)?;
        let status = response.status().as_u16();
        let answer = read_body(response).map_err(unreachable)?;
        if matches!(status, 200 | 201) {
            return Ok(answer);
        }
        Err(match serde_json::from_slice::<Refusal>(&answer) {
            Ok(refusal) => Failure::Refused {
                action: action.to_owned(),
                status,
                code: DeviceError::from_value(refusal.error),
                detail: refusal.detail,
            },
            Err(_) => Failure::Answer {
                action: action.to_owned(),
                what: format!("HTTP status {status} without an error number"),
            },
        })
    }
}

fn parse(action: &str, answer: &[u8]) -> Result<Value, Failure> {
    serde_json::from_slice(answer).map_err(|_| Failure::Answer {
        action: action.to_owned(),
        what: "something else than JSON".to_owned(),
    })
}

fn read_body(response: Response<Body>) -> Result<Vec<u8>, ureq::Error> {
    response
        .into_body()
        .into_with_config()
        .limit(MAX_ANSWER)
        .read_to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_a_host_and_perhaps_a_port() {
        for (text, shown) in [
            ("192.168.35.2", "192.168.35.2:443"),
            ("192.168.35.2:8443", "192.168.35.2:8443"),
            ("board.example", "board.example:443"),
            ("[::1]:8443", "[::1]:8443"),
            ("[::1]", "[::1]:443"),
            ("fe80::1", "[fe80::1]:443"),
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!(address.to_string(), shown);
        }
        for text in [
            "",
            ":443",
            "a:",
            "a:x",
            "a:0",
            "a:65536",
            "[::1",
            "[::1]x",
            "https://a",
            "a b",
        ] {
            assert_eq!(text.parse::<Address>(), Err(AddressError), "{text}");
        }
    }
}
