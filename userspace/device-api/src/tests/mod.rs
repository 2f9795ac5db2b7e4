// SPDX-License-Identifier: Apache-2.0 OR MIT

//! A manager with written answers and a connection in memory, for the tests of this crate.

mod http;
mod manager;
mod resources;
mod session;
mod upload;

use std::collections::VecDeque;
use std::io;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use control::{
    AbiVersions, AppInfo, AppState, Component, DeviceInfo, Image, Images, LayerStatus, MemoryStats,
    Quota, Refusal, RefusalKind, ReplicaType, Reply, Request,
};
use policy::{ComponentId, DeviceError};

use crate::manager::{Manager, ManagerError};
use crate::service::Service;
use crate::session::{Limits, serve};
use crate::wire::Wire;

/// The app that the written manager has.
pub const KNOWN: &str = "2f074b0f-d99d-4692-82d9-ef93a7d6463c";
/// A well-formed id that it does not have.
pub const UNKNOWN: &str = "00000000-0000-0000-0000-00000000000a";

/// Limits of which no test waits for the end.
pub const LIMITS: Limits = Limits {
    head: Duration::from_secs(60),
    body_pause: Duration::from_secs(60),
    body: Duration::from_secs(60),
    bytes_per_second: 1024,
    answer: Duration::from_secs(60),
    idle: Duration::from_secs(60),
    linger: Duration::from_secs(60),
};

/// A manager that notes what it is asked and answers by the book.
pub struct Written {
    pub asked: Mutex<Vec<Request>>,
    pub image: Mutex<Vec<u8>>,
    pub capabilities: Vec<u32>,
    /// Refuses this one request with the refusal.
    pub refuse: Option<(Request, Refusal)>,
    /// Refuses the chunk with this number, counted from zero.
    pub refuse_chunk: Option<usize>,
    pub chunks: Mutex<usize>,
}

impl Written {
    pub fn new() -> Self {
        Self {
            asked: Mutex::default(),
            image: Mutex::default(),
            capabilities: vec![11],
            refuse: None,
            refuse_chunk: None,
            chunks: Mutex::default(),
        }
    }

    pub fn refusing(request: Request, error: DeviceError, kind: RefusalKind) -> Self {
        Self {
            refuse: Some((request, refusal(error, kind))),
            ..Self::new()
        }
    }

    /// What was asked besides the capabilities.
    pub fn asked(&self) -> Vec<Request> {
        let asked = self.asked.lock().unwrap();
        asked
            .iter()
            .filter(|request| **request != Request::Device)
            .cloned()
            .collect()
    }
}

pub fn refusal(error: DeviceError, kind: RefusalKind) -> Refusal {
    Refusal {
        error,
        detail: "refused by the book".to_owned(),
        kind,
    }
}

pub fn id(text: &str) -> ComponentId {
    text.parse().unwrap()
}

fn reply(request: &Request, capabilities: &[u32]) -> Reply {
    let known = |component: &ComponentId| *component == id(KNOWN);
    match request {
        Request::Device => Reply::Device(DeviceInfo {
            os_version: "0.1.0".to_owned(),
            kernel: "6.18.15".to_owned(),
            board: "qemu-virt".to_owned(),
            abi: AbiVersions {
                secure_world_runtime: 0,
                os_runtime: 4,
                application_runtime: 16,
            },
            capabilities: capabilities.to_vec(),
            layers: vec![LayerStatus {
                name: "seccomp".to_owned(),
                enforced: true,
                detail: "allow-list".to_owned(),
            }],
            memory_total_kib: 4096,
            memory_available_kib: 1024,
        }),
        Request::Images => Reply::Images(Images {
            has_staged_updates: true,
            components: vec![Component {
                uid: id(KNOWN),
                image_type: 10,
                is_update_staged: true,
                name: "Blink".to_owned(),
                images: [ReplicaType::Installed, ReplicaType::Staged]
                    .map(|replica_type| Image {
                        uid: id(UNKNOWN),
                        length_in_bytes: 16_596,
                        replica_type,
                    })
                    .to_vec(),
            }],
        }),
        Request::Restart => Reply::Done { restarting: true },
        Request::AppState { component } if known(component) => Reply::AppState {
            state: AppState::Running,
            core: Some(1),
        },
        Request::AppState { .. } => Reply::AppState {
            state: AppState::NotPresent,
            core: None,
        },
        Request::AppControl { component, .. } if known(component) => Reply::AppState {
            state: AppState::Stopped,
            core: None,
        },
        Request::AppControl { .. } => Reply::Error(refusal(
            DeviceError::REST_APP_APP_NOT_PRESENT,
            RefusalKind::Conflict,
        )),
        Request::AppQuota { component } if known(component) => Reply::Quota(Quota {
            usage_kb: 1,
            limit_kb: 8,
        }),
        Request::App { component } if known(component) => Reply::App(Box::new(AppInfo {
            component: *component,
            image: id(UNKNOWN),
            name: "Blink".to_owned(),
            state: AppState::Running,
            real_time_core: Some(1),
            uid: 0x1000_0001,
            grants: vec!["may connect to example.com (AllowedConnections)".to_owned()],
            starts: 1,
            last_exit: None,
            refused: None,
            memory_bytes: Some(1),
            memory_peak_bytes: Some(2),
            first_output_ns: None,
        })),
        Request::Memory => Reply::Memory(MemoryStats {
            current: 3,
            user: 1,
            peak: 2,
            apps: vec![(id(KNOWN), vec![77])],
        }),
        Request::AppQuota { .. }
        | Request::App { .. }
        | Request::AppLog { .. }
        | Request::AppDenials { .. } => Reply::Error(refusal(
            DeviceError::REST_APP_APP_NOT_PRESENT,
            RefusalKind::NotFound,
        )),
        _ => Reply::Done { restarting: false },
    }
}

impl Manager for Written {
    fn ask(&self, request: &Request) -> Result<Reply, ManagerError> {
        self.asked.lock().unwrap().push(request.clone());
        match &self.refuse {
            Some((refused, refusal)) if refused == request => {
                Err(ManagerError::Refused(refusal.clone()))
            }
            _ => match reply(request, &self.capabilities) {
                Reply::Error(refusal) => Err(ManagerError::Refused(refusal)),
                reply => Ok(reply),
            },
        }
    }

    fn ask_bytes(&self, request: &Request) -> Result<Vec<u8>, ManagerError> {
        match request {
            Request::Log => Ok(b"\x01log".to_vec()),
            Request::AppLog { component } if *component == id(KNOWN) => Ok(b"hello\n".to_vec()),
            Request::AppDenials { component } if *component == id(KNOWN) => {
                Ok(b"{\"nowNs\":9,\"denials\":[]}".to_vec())
            }
            other => self.ask(other).and(Err(ManagerError::OutOfTurn)),
        }
    }

    fn chunk(&self, bytes: &[u8]) -> Result<(), ManagerError> {
        let mut chunks = self.chunks.lock().unwrap();
        if self.refuse_chunk == Some(*chunks) {
            return Err(ManagerError::Refused(refusal(
                DeviceError::IMAGE_UPDATE_WRITE_FAILED,
                RefusalKind::Internal,
            )));
        }
        *chunks += 1;
        self.image.lock().unwrap().extend_from_slice(bytes);
        Ok(())
    }
}

/// What a client does when it has sent everything.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Then {
    Closes,
    KeepsSilent,
}

/// A connection that delivers its pieces one read at a time.
pub struct MemoryWire {
    pub pieces: VecDeque<Vec<u8>>,
    pub then: Then,
    pub sent: Vec<u8>,
    pub lingered: Option<bool>,
}

impl MemoryWire {
    pub fn new(pieces: &[&[u8]], then: Then) -> Self {
        Self {
            pieces: pieces.iter().map(|piece| piece.to_vec()).collect(),
            then,
            sent: Vec::new(),
            lingered: None,
        }
    }
}

impl Wire for MemoryWire {
    fn read(&mut self, buffer: &mut [u8], _: Instant) -> io::Result<usize> {
        let Some(mut piece) = self.pieces.pop_front() else {
            return match self.then {
                Then::Closes => Ok(0),
                Then::KeepsSilent => Err(io::ErrorKind::TimedOut.into()),
            };
        };
        let length = piece.len().min(buffer.len());
        buffer[..length].copy_from_slice(&piece[..length]);
        let rest = piece.split_off(length);
        if !rest.is_empty() {
            self.pieces.push_front(rest);
        }
        Ok(length)
    }

    fn write_all(&mut self, bytes: &[u8], _: Instant) -> io::Result<()> {
        self.sent.extend_from_slice(bytes);
        Ok(())
    }

    fn wait_for_request(&mut self) -> bool {
        !self.pieces.is_empty()
    }

    fn finish(&mut self, linger: bool) {
        self.lingered = Some(linger);
    }
}

/// Serves pieces as one connection: everything sent back, and whether the end lingered.
pub fn talk(service: &Service<Written>, pieces: &[&[u8]], then: Then) -> (String, bool) {
    let mut wire = MemoryWire::new(pieces, then);
    serve(&mut wire, service, &LIMITS);
    let text = String::from_utf8_lossy(&wire.sent).into_owned();
    (text, wire.lingered.unwrap())
}

/// One answer of the device, taken apart.
#[derive(Debug, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<String>,
    pub body: String,
}

impl Answer {
    pub fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap();
        Self {
            status: status.parse().unwrap(),
            headers: lines.map(str::to_owned).collect(),
            body: body.to_owned(),
        }
    }

    pub fn has(&self, header: &str) -> bool {
        self.headers.iter().any(|line| line == header)
    }

    /// The number under `error`; checks that the body is of the documented shape.
    pub fn error(&self) -> u32 {
        let value: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        let detail = value["detail"].as_str().unwrap();
        assert!(!detail.is_empty() && !detail.contains('\n'), "{detail}");
        value["error"].as_u64().unwrap().try_into().unwrap()
    }
}

/// One request without body.
pub fn request(method: &str, path: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: *.devices.sphere.azure.local\r\n\r\n")
}

/// One request with a body.
pub fn request_with(method: &str, path: &str, media: &str, body: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {media}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Sends one request and takes the answer apart.
pub fn exchange(manager: Written, request: &str) -> (Answer, Service<Written>) {
    let service = Service::new(manager);
    let (text, _) = talk(&service, &[request.as_bytes()], Then::Closes);
    (Answer::parse(&text), service)
}
