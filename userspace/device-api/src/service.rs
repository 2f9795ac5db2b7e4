// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The answers: what each resource means, asked of the application manager.

use std::io;
use std::sync::{Mutex, OnceLock, TryLockError};

use control::{AppControlMode, Images, MemoryStats, ReplicaType, Reply, Request, Trigger};
use nix::time::{ClockId, clock_gettime};
use policy::{ComponentId, DeviceError};
use serde::{Deserialize, Serialize};
use serde_json::error::Category;

use crate::http::{Media, Method, Response, Status};
use crate::manager::{Manager, ManagerError};
use crate::problem::{HTTP_INVALID_CONTENT_LENGTH, HTTP_NET_SOCKET_ERROR, Problem};
use crate::resource::Resource;

/// The device capability that opens the resources of development: 11, app development.
pub const APP_DEVELOPMENT: u32 = 11;

/// How much of an image goes to the manager at a time: one TLS record.
const CHUNK: usize = 16 * 1024;

/// `replica_type` of an installed image in `/images`. The API description says integer; the only published
/// listing of a device shows 0 for installed images.
pub const REPLICA_INSTALLED: i32 = 0;

/// `replica_type` of a staged image in `/images`; no published listing shows one.
pub const REPLICA_STAGED: i32 = 1;

/// The body of an upload, read as it arrives.
pub trait Body {
    /// Tells a client that waits for `100 Continue` to go on.
    ///
    /// # Errors
    /// When the client is gone.
    fn proceed(&mut self) -> io::Result<()>;

    /// Reads up to `buffer.len()` bytes; 0 at the end of the body.
    ///
    /// # Errors
    /// When the client is gone or too slow.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize>;
}

/// The resources in front of one manager.
#[derive(Debug)]
pub struct Service<M> {
    manager: M,
    /// Asked once: capabilities change only with a restart.
    capabilities: OnceLock<Vec<u32>>,
    /// Held while an image is staged, for the manager has one staging slot.
    staging: Mutex<()>,
}

#[derive(Serialize)]
struct Uptime {
    uptime: u64,
}

#[derive(Serialize)]
struct OsVersion<'a> {
    osversion: &'a str,
}

#[derive(Serialize)]
struct Capabilities<'a> {
    device_capabilities: &'a [u32],
}

#[derive(Serialize)]
struct ImageList<'a> {
    has_staged_updates: bool,
    is_ota_update_in_progress: bool,
    restart_required: bool,
    components: Vec<ComponentEntry<'a>>,
}

#[derive(Serialize)]
struct ComponentEntry<'a> {
    uid: ComponentId,
    image_type: u16,
    is_update_staged: bool,
    does_image_type_require_restart: bool,
    name: &'a str,
    images: Vec<ImageEntry>,
}

#[derive(Serialize)]
struct ImageEntry {
    uid: ComponentId,
    length_in_bytes: u64,
    uncompressed_length_in_bytes: u64,
    replica_type: i32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct State {
    state: control::AppState,
    #[serde(skip_serializing_if = "Option::is_none")]
    real_time_core: Option<u8>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Done {
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    restarting_system: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MemoryReport {
    memory_stats: MemoryNumbers,
    apps: Vec<AppProcesses>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MemoryNumbers {
    current_memory_usage_in_bytes: u64,
    user_mode_memory_usage_in_bytes: u64,
    peak_user_mode_memory_usage_in_bytes: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AppProcesses {
    component_id: ComponentId,
    processes: Vec<Process>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Process {
    pid: i32,
    /// Always empty: it takes the debug allocator of the original, which this system does not have.
    heap_usage_by_caller: [u8; 0],
}

#[derive(Deserialize)]
struct InstallBody {
    #[serde(default, rename = "appControlMode")]
    mode: AppControlMode,
}

#[derive(Deserialize)]
struct TriggerBody {
    trigger: String,
}

impl<M: Manager> Service<M> {
    /// In front of `manager`.
    pub fn new(manager: M) -> Self {
        Self {
            manager,
            capabilities: OnceLock::new(),
            staging: Mutex::new(()),
        }
    }

    /// The manager behind it.
    pub const fn manager(&self) -> &M {
        &self.manager
    }

    /// Checks that the device allows the resource to anyone who can reach the service interface.
    ///
    /// # Errors
    /// 403 `1.20` when the resource needs the app development capability and the device does not have it.
    pub fn check_access(&self, resource: Resource) -> Result<(), Problem> {
        if resource.is_open() {
            return Ok(());
        }
        let capabilities = match self.capabilities.get() {
            Some(known) => known,
            None => {
                let device = self.device()?;
                self.capabilities.get_or_init(|| device.capabilities)
            }
        };
        if capabilities.contains(&APP_DEVELOPMENT) {
            return Ok(());
        }
        Err(Problem::new(
            Status::FORBIDDEN,
            DeviceError::APP_MANAGER_DEVICE_NOT_DEV_UNLOCKED,
            "the device does not have the app development capability (11): see /device/capabilities",
        ))
    }

    /// Answers a request whose body, if it has one, was read whole.
    ///
    /// # Errors
    /// What is wrong with the body, or why the manager refused.
    pub fn answer(
        &self,
        resource: Resource,
        method: Method,
        body: &[u8],
    ) -> Result<Response, Problem> {
        match resource {
            Resource::Status => Ok(Response::json(&Uptime { uptime: uptime() })),
            Resource::OsVersion => {
                let device = self.device()?;
                Ok(Response::json(&OsVersion {
                    osversion: &device.os_version,
                }))
            }
            Resource::AbiVersions => Ok(Response::json(&self.device()?.abi)),
            Resource::Capabilities => {
                let device = self.device()?;
                Ok(Response::json(&Capabilities {
                    device_capabilities: &device.capabilities,
                }))
            }
            Resource::Images => match self.manager.ask(&Request::Images)? {
                Reply::Images(images) => Ok(image_list(&images)),
                _ => Err(ManagerError::OutOfTurn.into()),
            },
            Resource::Install => {
                let mode = if body.is_empty() {
                    AppControlMode::default()
                } else {
                    parse::<InstallBody>(body)?.mode
                };
                self.done(&Request::Install { mode })
            }
            Resource::AppStatus(component) if method == Method::Patch => {
                let trigger = parse_trigger(body)?;
                self.state(&Request::AppControl { component, trigger })
            }
            Resource::AppStatus(component) => self.state(&Request::AppState { component }),
            Resource::AppImage(component) => self.done(&Request::Delete { component }),
            Resource::AppQuota(component) => {
                match self.manager.ask(&Request::AppQuota { component })? {
                    Reply::Quota(quota) => Ok(Response::json(&quota)),
                    _ => Err(ManagerError::OutOfTurn.into()),
                }
            }
            Resource::MemoryStats => match self.manager.ask(&Request::Memory)? {
                Reply::Memory(memory) => Ok(memory_report(memory)),
                _ => Err(ManagerError::OutOfTurn.into()),
            },
            Resource::Log => Ok(Response::new(
                Media::Octets,
                self.manager.ask_bytes(&Request::Log)?,
            )),
            Resource::Restart => self.done(&Request::Restart),
            Resource::NacreDevice => Ok(Response::json(&self.device()?)),
            Resource::NacreApp(component) => {
                match self.manager.ask(&Request::App { component })? {
                    Reply::App(app) => Ok(Response::json(&app)),
                    _ => Err(ManagerError::OutOfTurn.into()),
                }
            }
            Resource::NacreAppLog(component) => Ok(Response::new(
                Media::Text,
                self.manager.ask_bytes(&Request::AppLog { component })?,
            )),
            Resource::NacreAppDenials(component) => Ok(Response::new(
                Media::Json,
                self.manager.ask_bytes(&Request::AppDenials { component })?,
            )),
            // The session reads images as they arrive and calls `stage`.
            Resource::Stage => Err(Problem::internal("an image was read whole")),
        }
    }

    /// Passes an image of `length` bytes on to the manager while it arrives.
    ///
    /// # Errors
    /// 409 `10.5` while another image is being staged; what the manager refuses; 408 when the image does
    /// not arrive in time. Whatever was sent to the manager is forgotten then.
    pub fn stage(&self, length: u64, body: &mut dyn Body) -> Result<Response, Problem> {
        let _slot = match self.staging.try_lock() {
            Ok(slot) => slot,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                return Err(Problem::new(
                    Status::CONFLICT,
                    DeviceError::REST_INTERFACE_IS_BUSY,
                    "another image is being staged: try again when that is done",
                ));
            }
        };
        self.manager.ask(&Request::StageBegin { length })?;
        match self.send_image(length, body) {
            Ok(()) => self.done(&Request::StageEnd),
            Err(problem) => {
                // The first failure is the one to tell; the manager drops what it has at its next
                // `StageBegin` if this does not reach it.
                self.manager.ask(&Request::StageAbort).ok();
                Err(problem)
            }
        }
    }

    fn send_image(&self, length: u64, body: &mut dyn Body) -> Result<(), Problem> {
        body.proceed().map_err(|error| upload_problem(&error))?;
        let mut chunk = vec![0; CHUNK];
        let mut left = length;
        while left > 0 {
            let mut filled = 0;
            let wanted = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
            while let Some(room) = chunk
                .get_mut(filled..wanted)
                .filter(|room| !room.is_empty())
            {
                match body.read(room) {
                    Ok(0) => return Err(upload_problem(&io::ErrorKind::UnexpectedEof.into())),
                    Ok(read) => filled = filled.saturating_add(read).min(wanted),
                    Err(error) => return Err(upload_problem(&error)),
                }
            }
            self.manager
                .chunk(chunk.get(..wanted).unwrap_or_default())?;
            left = left.saturating_sub(wanted as u64);
        }
        Ok(())
    }

    fn device(&self) -> Result<control::DeviceInfo, Problem> {
        match self.manager.ask(&Request::Device)? {
            Reply::Device(device) => Ok(device),
            _ => Err(ManagerError::OutOfTurn.into()),
        }
    }

    fn done(&self, request: &Request) -> Result<Response, Problem> {
        match self.manager.ask(request)? {
            Reply::Done { restarting } => Ok(Response::json(&Done {
                restarting_system: restarting,
            })),
            _ => Err(ManagerError::OutOfTurn.into()),
        }
    }

    fn state(&self, request: &Request) -> Result<Response, Problem> {
        match self.manager.ask(request)? {
            Reply::AppState { state, core } => Ok(Response::json(&State {
                state,
                real_time_core: core,
            })),
            _ => Err(ManagerError::OutOfTurn.into()),
        }
    }
}

/// Seconds since the device started, time asleep included.
fn uptime() -> u64 {
    clock_gettime(ClockId::CLOCK_BOOTTIME)
        .ok()
        .and_then(|time| u64::try_from(time.tv_sec()).ok())
        .unwrap_or(0)
}

fn image_list(images: &Images) -> Response {
    let components = images.components.iter().map(|component| ComponentEntry {
        uid: component.uid,
        image_type: component.image_type,
        is_update_staged: component.is_update_staged,
        does_image_type_require_restart: false,
        name: &component.name,
        images: component
            .images
            .iter()
            .map(|image| ImageEntry {
                uid: image.uid,
                length_in_bytes: image.length_in_bytes,
                // Image packages of apps are not compressed.
                uncompressed_length_in_bytes: image.length_in_bytes,
                replica_type: match image.replica_type {
                    ReplicaType::Installed => REPLICA_INSTALLED,
                    ReplicaType::Staged => REPLICA_STAGED,
                },
            })
            .collect(),
    });
    Response::json(&ImageList {
        has_staged_updates: images.has_staged_updates,
        // There is no update service, and no app image takes a restart to install.
        is_ota_update_in_progress: false,
        restart_required: false,
        components: components.collect(),
    })
}

fn memory_report(memory: MemoryStats) -> Response {
    let apps = memory
        .apps
        .into_iter()
        .map(|(component_id, pids)| AppProcesses {
            component_id,
            processes: pids
                .into_iter()
                .map(|pid| Process {
                    pid,
                    heap_usage_by_caller: [],
                })
                .collect(),
        });
    Response::json(&MemoryReport {
        memory_stats: MemoryNumbers {
            current_memory_usage_in_bytes: memory.current,
            user_mode_memory_usage_in_bytes: memory.user,
            peak_user_mode_memory_usage_in_bytes: memory.peak,
        },
        apps: apps.collect(),
    })
}

fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Problem> {
    let parsed = serde_json::from_slice(body).map_err(|error| {
        let code = match error.classify() {
            Category::Data => DeviceError::REST_INVALID_JSON_DATA,
            _ => DeviceError::REST_INVALID_JSON_REQUEST,
        };
        Problem::bad(code, format!("the body: {error}"))
    })?;
    // serde takes the fields from an array, too; the interface knows objects only.
    if body.trim_ascii_start().first() == Some(&b'{') {
        Ok(parsed)
    } else {
        Err(Problem::bad(
            DeviceError::REST_INVALID_JSON_DATA,
            "the body: it must be a JSON object".to_owned(),
        ))
    }
}

fn parse_trigger(body: &[u8]) -> Result<Trigger, Problem> {
    match parse::<TriggerBody>(body)?.trigger.as_str() {
        "start" => Ok(Trigger::Start),
        "stop" => Ok(Trigger::Stop),
        "startDebug" => Ok(Trigger::StartDebug),
        _ => Err(Problem::bad(
            DeviceError::REST_APP_TRIGGER_DOES_NOT_EXIST,
            "unknown trigger: send \"start\", \"stop\" or \"startDebug\"",
        )),
    }
}

fn upload_problem(error: &io::Error) -> Problem {
    if error.kind() == io::ErrorKind::TimedOut {
        Problem::new(
            Status::REQUEST_TIMEOUT,
            HTTP_NET_SOCKET_ERROR,
            "the body did not arrive in time: try again on a better line",
        )
    } else {
        Problem::bad(
            HTTP_INVALID_CONTENT_LENGTH,
            "the body ended before its Content-Length: send all of it",
        )
    }
}
