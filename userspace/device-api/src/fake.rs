// SPDX-License-Identifier: Apache-2.0 OR MIT

//! A device without hardware: an application manager in memory that checks packages as the real one does and
//! pretends to run them. For tests of this interface and of its clients; no part of the device.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use control::{
    AbiVersions, AppControlMode, AppInfo, AppState, Component, Denial, Denials, DeviceInfo,
    ExitReason, Image, Images, LayerStatus, MemoryStats, Quota, Refusal, RefusalKind, ReplicaType,
    Reply, Request, Trigger,
};
use image_package::{
    ImagePackage, KeyError, MANIFEST_PATH, PackageError, TrustStore, Verified, certificate_from_pem,
};
use manifest::{MAX_SIZE, Manifest, grant_in_words};
use policy::{AppKind, ComponentId, DeviceError};

use crate::manager::{Manager, ManagerError};

/// How many bytes of packages the fake holds, staged or installed.
pub const SPACE: u64 = 1024 * 1024;

/// The API set that the fake pretends to provide.
pub const API_SET: u32 = 16;

/// The development certificate that packages are usually signed with.
const DEVELOPMENT_CERTIFICATE: &str =
    include_str!("../../image-package/keys/development-signing.crt.pem");

/// The fake manager; clones are the same device.
#[derive(Debug, Clone)]
pub struct FakeManager {
    trusted: Arc<TrustStore>,
    device: Arc<Mutex<Device>>,
}

#[derive(Debug, Default)]
struct Device {
    capabilities: Vec<u32>,
    incoming: Option<(u64, Vec<u8>)>,
    staged: BTreeMap<ComponentId, Package>,
    apps: BTreeMap<ComponentId, App>,
    log: Vec<u8>,
}

/// A package whose signature was verified.
#[derive(Debug)]
struct Package {
    bytes: Vec<u8>,
    image: ComponentId,
    name: String,
}

#[derive(Debug)]
struct App {
    package: Package,
    manifest: Manifest,
    state: AppState,
    starts: u32,
    last_exit: Option<ExitReason>,
    log: Vec<u8>,
    denials: Vec<Denial>,
}

/// How long the fake pretends to have run, in nanoseconds.
pub const RUNNING_FOR_NS: u64 = 100_000_000_000;

impl FakeManager {
    /// A fresh device that trusts the development key and has the app development capability.
    ///
    /// # Errors
    /// When the development certificate cannot be read.
    pub fn new() -> Result<Self, KeyError> {
        let certificate = certificate_from_pem(DEVELOPMENT_CERTIFICATE)?;
        let device = Device {
            capabilities: vec![crate::service::APP_DEVELOPMENT],
            log: b"fake device started\n".to_vec(),
            ..Device::default()
        };
        Ok(Self {
            trusted: Arc::new(TrustStore::from_der_certificates([certificate])?),
            device: Arc::new(Mutex::new(device)),
        })
    }

    /// Takes all device capabilities away, before the first request.
    #[must_use]
    pub fn locked(self) -> Self {
        self.device().capabilities.clear();
        self
    }

    /// Pretends that an app prints something; nothing happens without such an app.
    pub fn print(&self, component: ComponentId, bytes: &[u8]) {
        if let Some(app) = self.device().apps.get_mut(&component) {
            app.log.extend_from_slice(bytes);
        }
    }

    /// Pretends that an app was refused something; nothing happens without such an app.
    pub fn deny(&self, component: ComponentId, denial: Denial) {
        if let Some(app) = self.device().apps.get_mut(&component) {
            app.denials.push(denial);
        }
    }

    fn device(&self) -> MutexGuard<'_, Device> {
        self.device.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end_staging(&self) -> Result<Reply, ManagerError> {
        let mut device = self.device();
        let incoming = device.incoming.take();
        let complete = incoming.filter(|(length, bytes)| *length == bytes.len() as u64);
        let (_, bytes) = complete.ok_or_else(|| {
            let code = DeviceError::IMAGE_UPDATE_IMAGE_STAGING_FAILED;
            refused(code, RefusalKind::Internal, "the image is not complete")
        })?;
        let package = ImagePackage::open(Cursor::new(bytes)).map_err(refuse_package)?;
        let verified: Verified = package
            .verify_in_place(&self.trusted)
            .map_err(refuse_package)?;
        let name = package.metadata().name.clone();
        let staged = Package {
            bytes: package.into_reader().into_inner(),
            image: verified.image(),
            name,
        };
        device.staged.insert(verified.component(), staged);
        Ok(done())
    }
}

impl Manager for FakeManager {
    fn ask(&self, request: &Request) -> Result<Reply, ManagerError> {
        if matches!(request, Request::StageEnd) {
            return self.end_staging();
        }
        let mut device = self.device();
        match request {
            Request::Device => Ok(Reply::Device(device.info())),
            Request::Images => Ok(Reply::Images(device.images())),
            Request::StageBegin { length } => {
                if device.used().saturating_add(*length) > SPACE {
                    let code = DeviceError::REST_APP_NOT_ENOUGH_FREE_SPACE;
                    let detail = "the device has no room for the image: delete an app";
                    return Err(refused(code, RefusalKind::Internal, detail));
                }
                device.incoming = Some((*length, Vec::new()));
                Ok(done())
            }
            Request::StageAbort => {
                device.incoming = None;
                Ok(done())
            }
            Request::Install { mode } => device.install(*mode),
            Request::Delete { component } => {
                device.apps.remove(component);
                Ok(done())
            }
            Request::AppState { component } => {
                let app = device.apps.get(component);
                Ok(Reply::AppState {
                    state: app.map_or(AppState::NotPresent, |app| app.state),
                    core: app.and_then(App::core),
                })
            }
            Request::AppControl { component, trigger } => device.control(component, *trigger),
            Request::AppQuota { component } => {
                let app = device.app(component, RefusalKind::NotFound)?;
                Ok(Reply::Quota(Quota {
                    usage_kb: 0,
                    limit_kb: app.manifest.grant().storage_kb,
                }))
            }
            Request::App { component } => {
                let app = device.app(component, RefusalKind::NotFound)?;
                Ok(Reply::App(Box::new(app.info(*component))))
            }
            Request::Memory => Ok(Reply::Memory(device.memory())),
            Request::Restart => {
                device.staged.clear();
                Ok(Reply::Done { restarting: true })
            }
            _ => Err(ManagerError::OutOfTurn),
        }
    }

    fn ask_bytes(&self, request: &Request) -> Result<Vec<u8>, ManagerError> {
        let mut device = self.device();
        match request {
            Request::Log => Ok(device.log.clone()),
            Request::AppLog { component } => {
                let app = device.app(component, RefusalKind::NotFound)?;
                Ok(app.log.clone())
            }
            Request::AppDenials { component } => {
                let app = device.app(component, RefusalKind::NotFound)?;
                let denials = Denials {
                    now_ns: RUNNING_FOR_NS,
                    denials: app.denials.clone(),
                };
                serde_json::to_vec(&denials).map_err(|_| ManagerError::OutOfTurn)
            }
            _ => Err(ManagerError::OutOfTurn),
        }
    }

    fn chunk(&self, bytes: &[u8]) -> Result<(), ManagerError> {
        let mut device = self.device();
        let (_, incoming) = device.incoming.as_mut().ok_or_else(|| {
            let code = DeviceError::IMAGE_UPDATE_BAD_HANDLE;
            refused(code, RefusalKind::Conflict, "nothing is being staged")
        })?;
        incoming.extend_from_slice(bytes);
        Ok(())
    }
}

impl Device {
    fn info(&self) -> DeviceInfo {
        DeviceInfo {
            os_version: "0.1.0".to_owned(),
            kernel: "none".to_owned(),
            board: "fake".to_owned(),
            abi: AbiVersions {
                secure_world_runtime: 0,
                os_runtime: 4,
                application_runtime: API_SET,
            },
            capabilities: self.capabilities.clone(),
            layers: vec![LayerStatus {
                name: "none".to_owned(),
                enforced: false,
                detail: "a fake device runs nothing".to_owned(),
            }],
            memory_total_kib: 4096,
            memory_available_kib: 2048,
        }
    }

    fn used(&self) -> u64 {
        let staged = self.staged.values();
        let installed = self.apps.values().map(|app| &app.package);
        staged
            .chain(installed)
            .map(|package| package.bytes.len() as u64)
            .sum()
    }

    fn images(&self) -> Images {
        let mut components: BTreeMap<ComponentId, Component> = BTreeMap::new();
        let installed = self
            .apps
            .iter()
            .map(|(id, app)| (id, &app.package, ReplicaType::Installed));
        let staged = self
            .staged
            .iter()
            .map(|(id, package)| (id, package, ReplicaType::Staged));
        for (id, package, replica_type) in installed.chain(staged) {
            let component = components.entry(*id).or_insert_with(|| Component {
                uid: *id,
                image_type: 10,
                is_update_staged: false,
                name: package.name.clone(),
                images: Vec::new(),
            });
            component.is_update_staged |= replica_type == ReplicaType::Staged;
            component.images.push(Image {
                uid: package.image,
                length_in_bytes: package.bytes.len() as u64,
                replica_type,
            });
        }
        Images {
            has_staged_updates: !self.staged.is_empty(),
            components: components.into_values().collect(),
        }
    }

    fn install(&mut self, mode: AppControlMode) -> Result<Reply, ManagerError> {
        let staged = std::mem::take(&mut self.staged);
        let mut apps = Vec::new();
        for (component, package) in staged {
            let manifest = read_manifest(&package.bytes)?;
            apps.push((component, package, manifest));
        }
        for (component, package, manifest) in apps {
            let mut app = App {
                log: Vec::new(),
                denials: Vec::new(),
                package,
                manifest,
                state: AppState::Stopped,
                starts: 0,
                last_exit: None,
            };
            if mode == AppControlMode::Auto {
                app.start();
            }
            self.apps.insert(component, app);
        }
        Ok(done())
    }

    fn app(
        &mut self,
        component: &ComponentId,
        kind: RefusalKind,
    ) -> Result<&mut App, ManagerError> {
        self.apps.get_mut(component).ok_or_else(|| {
            let code = DeviceError::REST_APP_APP_NOT_PRESENT;
            refused(code, kind, "no such app: see /images")
        })
    }

    fn control(
        &mut self,
        component: &ComponentId,
        trigger: Trigger,
    ) -> Result<Reply, ManagerError> {
        let app = self.app(component, RefusalKind::Conflict)?;
        match trigger {
            Trigger::Start => app.start(),
            Trigger::Stop => {
                app.state = AppState::Stopped;
                app.last_exit = Some(ExitReason::Stopped { forced: false });
            }
            Trigger::StartDebug => {
                let code = DeviceError::LIFETIME_NO_DEBUGGER_AVAILABLE;
                let detail = "there is no debugger on this device: use start";
                return Err(refused(code, RefusalKind::Internal, detail));
            }
        }
        Ok(Reply::AppState {
            state: app.state,
            core: app.core(),
        })
    }

    fn memory(&self) -> MemoryStats {
        let running = self
            .apps
            .iter()
            .filter(|(_, app)| app.state == AppState::Running);
        MemoryStats {
            current: 0,
            user: 0,
            peak: 0,
            apps: running.map(|(id, _)| (*id, vec![2])).collect(),
        }
    }
}

impl App {
    fn start(&mut self) {
        if self.state != AppState::Running {
            self.state = AppState::Running;
            self.starts = self.starts.saturating_add(1);
            let line = format!("{} started\n", self.manifest.name());
            self.log.extend_from_slice(line.as_bytes());
        }
    }

    /// All apps for real-time cores share the first.
    fn core(&self) -> Option<u8> {
        let real_time = self.manifest.application_type() == AppKind::RealTime;
        (real_time && self.state == AppState::Running).then_some(0)
    }

    fn info(&self, component: ComponentId) -> AppInfo {
        AppInfo {
            component,
            image: self.package.image,
            name: self.manifest.name().to_owned(),
            state: self.state,
            real_time_core: self.core(),
            uid: component.uid(),
            grants: grant_in_words(&self.manifest.grant()),
            starts: self.starts,
            last_exit: self.last_exit,
            refused: None,
            memory_bytes: None,
            memory_peak_bytes: None,
            first_output_ns: None,
        }
    }
}

fn read_manifest(package: &[u8]) -> Result<Manifest, ManagerError> {
    let limit = u32::try_from(MAX_SIZE).unwrap_or(u32::MAX);
    let bytes = ImagePackage::open(Cursor::new(package))
        .and_then(|mut package| package.read_file(MANIFEST_PATH, limit))
        .map_err(refuse_package)?;
    Manifest::parse(&bytes)
        .map_err(|error| refused(error.code(), RefusalKind::Internal, &error.to_string()))
}

fn done() -> Reply {
    Reply::Done { restarting: false }
}

fn refused(error: DeviceError, kind: RefusalKind, detail: &str) -> ManagerError {
    ManagerError::Refused(Refusal {
        error,
        detail: detail.to_owned(),
        kind,
    })
}

fn refuse_package(error: PackageError) -> ManagerError {
    refused(error.code(), RefusalKind::Internal, &error.to_string())
}
