// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The protocol between the application manager and the device API.
//!
//! One connected `SOCK_SEQPACKET` pair, made by the manager before it starts the device API, so that
//! no path leads to it. One request packet is answered by one reply packet, in order. A packet is a
//! tag byte and a body: `J` with JSON, or `B` with raw bytes (a chunk of a staged image one way, a log
//! the other way). A packet holds at most [`MAX_PACKET`] bytes. A chunk is answered by [`Reply::Done`] or
//! [`Reply::Error`]; after an error the transfer is over.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)
)]

pub mod channel;

pub use channel::{Channel, ChannelError, Incoming, MAX_BYTES};

use policy::{ComponentId, DeviceError};
use serde::{Deserialize, Serialize};

/// The largest packet in bytes, tag included: what a default socket buffer takes in one piece.
pub const MAX_PACKET: usize = 32 * 1024;

/// What the device API asks of the manager.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "camelCase")]
#[non_exhaustive]
pub enum Request {
    /// Versions, enforced layers and memory of the device. Answer: [`Reply::Device`].
    Device,
    /// Installed and staged components. Answer: [`Reply::Images`].
    Images,
    /// Open the one staging slot for an image of `length` bytes. Answer: [`Reply::Done`].
    StageBegin {
        /// Size of the whole image package, from the request's `Content-Length`.
        length: u64,
    },
    /// Verify and keep what was sent in chunks since [`Request::StageBegin`]. Answer: [`Reply::Done`].
    StageEnd,
    /// Forget what was sent since [`Request::StageBegin`]. Answer: [`Reply::Done`].
    StageAbort,
    /// Install all staged images. Answer: [`Reply::Done`].
    Install {
        /// Whether the installed apps are started.
        mode: AppControlMode,
    },
    /// Stop and remove an app and its storage. Answer: [`Reply::Done`], also for an unknown id.
    Delete {
        /// The app.
        component: ComponentId,
    },
    /// The state of an app. Answer: [`Reply::AppState`].
    AppState {
        /// The app.
        component: ComponentId,
    },
    /// Start or stop an app. Answer: [`Reply::AppState`].
    AppControl {
        /// The app.
        component: ComponentId,
        /// What to do.
        trigger: Trigger,
    },
    /// Use and limit of an app's mutable storage. Answer: [`Reply::Quota`].
    AppQuota {
        /// The app.
        component: ComponentId,
    },
    /// Everything the manager knows of an app. Answer: [`Reply::App`].
    App {
        /// The app.
        component: ComponentId,
    },
    /// What an app printed, oldest first, bounded. Answer: raw bytes.
    AppLog {
        /// The app.
        component: ComponentId,
    },
    /// What the security module refused an app. Answer: raw bytes, [`Denials`] as JSON, which the device API passes
    /// on as it is.
    AppDenials {
        /// The app, or a service of the system.
        component: ComponentId,
    },
    /// Memory of the app group. Answer: [`Reply::Memory`].
    Memory,
    /// The manager's own log, oldest first, bounded, never empty. Answer: raw bytes.
    Log,
    /// Stop all apps and restart the device. Answer: [`Reply::Done`] with `restarting`.
    Restart,
}

/// The answer to a [`Request`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "camelCase")]
#[non_exhaustive]
pub enum Reply {
    /// Done.
    Done {
        /// The device restarts now.
        restarting: bool,
    },
    /// Answer to [`Request::Device`].
    Device(DeviceInfo),
    /// Answer to [`Request::Images`].
    Images(Images),
    /// Answer to [`Request::AppState`] and [`Request::AppControl`].
    AppState {
        /// The state after the request.
        state: AppState,
        /// The real-time core that the app has, if any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        core: Option<u8>,
    },
    /// Answer to [`Request::AppQuota`].
    Quota(Quota),
    /// Answer to [`Request::App`].
    App(Box<AppInfo>),
    /// Answer to [`Request::Memory`].
    Memory(MemoryStats),
    /// The manager refused or failed; nothing was changed.
    Error(Refusal),
}

/// Why the manager refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The documented device error.
    pub error: DeviceError,
    /// One line: what, where, and how to mend it.
    pub detail: String,
    /// What kind of failure it is, for the HTTP status.
    pub kind: RefusalKind,
}

/// Kinds of failure that a client can tell apart by HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RefusalKind {
    /// The request itself is wrong (400).
    BadRequest,
    /// The device does not allow it (403).
    Forbidden,
    /// It does not exist (404).
    NotFound,
    /// It does not fit the present state (409).
    Conflict,
    /// It failed inside: manifests, signatures, space (500).
    Internal,
}

/// Whether an installation starts the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum AppControlMode {
    /// Start what was installed.
    #[default]
    Auto,
    /// Leave it stopped.
    Manual,
}

/// What to do with an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Trigger {
    /// Start it; nothing happens when it runs.
    Start,
    /// Stop it: SIGTERM, then SIGKILL after two seconds.
    Stop,
    /// Start it under the debugger.
    StartDebug,
}

/// The states of an app that the REST interface names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum AppState {
    /// Its process exists, or it waits for its restart.
    Running,
    /// It is installed and not to run.
    Stopped,
    /// It runs under the debugger.
    Debugging,
    /// There is no such app.
    NotPresent,
}

/// One protection layer and whether this device enforces it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LayerStatus {
    /// Short stable name, such as `seccomp`.
    pub name: String,
    /// Whether the kernel enforces it; no app starts unless all are.
    pub enforced: bool,
    /// One line in words: what it does, or what is missing.
    pub detail: String,
}

/// Versions, layers and memory of the device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceInfo {
    /// Version of this OS, such as `0.1.0`.
    pub os_version: String,
    /// `uname -r` and `-v` of the kernel.
    pub kernel: String,
    /// Name of the board.
    pub board: String,
    /// Highest ABI versions provided: secure world, OS, application runtime.
    pub abi: AbiVersions,
    /// Device capabilities (11 = app development).
    pub capabilities: Vec<u32>,
    /// All layers an app needs.
    pub layers: Vec<LayerStatus>,
    /// `MemTotal` in KiB.
    pub memory_total_kib: u64,
    /// `MemAvailable` in KiB.
    pub memory_available_kib: u64,
}

/// The numbers behind `/abi_versions`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AbiVersions {
    /// Secure world runtime.
    pub secure_world_runtime: u32,
    /// OS runtime.
    #[serde(rename = "OSRuntime")]
    pub os_runtime: u32,
    /// Application runtime (the API set).
    pub application_runtime: u32,
}

/// Installed and staged components, as in `/images`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct Images {
    /// Whether anything waits for installation.
    pub has_staged_updates: bool,
    /// The components.
    pub components: Vec<Component>,
}

/// One installed or staged component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Component {
    /// Component id.
    pub uid: ComponentId,
    /// Image type; 10 is an application.
    pub image_type: u16,
    /// Whether an image of it is staged.
    pub is_update_staged: bool,
    /// Name from the image metadata.
    pub name: String,
    /// Its images.
    pub images: Vec<Image>,
}

/// One image of a component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Image id.
    pub uid: ComponentId,
    /// Size of the image package in bytes.
    pub length_in_bytes: u64,
    /// `Staged` or `Installed`.
    pub replica_type: ReplicaType,
}

/// Where an image lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReplicaType {
    /// Installed.
    Installed,
    /// Staged and waiting.
    Staged,
}

/// Use and limit of an app's mutable storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Quota {
    /// Used, in KiB, rounded up.
    #[serde(rename = "UsageKB")]
    pub usage_kb: u32,
    /// Limit, in KiB: `MutableStorage.SizeKB` of the manifest.
    #[serde(rename = "LimitKB")]
    pub limit_kb: u32,
}

/// What the security module refused an app since boot, or since its rules were first written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Denials {
    /// `CLOCK_MONOTONIC` of the device at this answer, in nanoseconds.
    pub now_ns: u64,
    /// The kinds of refusal; the kernel keeps few, and the last one counts what found no room.
    pub denials: Vec<Denial>,
}

/// One kind of refusal, counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Denial {
    /// How often it happened; it stays at the highest number.
    pub count: u32,
    /// `CLOCK_MONOTONIC` when it happened last, in nanoseconds.
    pub last_ns: u64,
    /// What was tried, by the name of the kernel's hook; `*` for all that found no room in the list.
    pub hook: String,
    /// What it was tried on.
    pub object: String,
    /// The error that the call returned, such as `EPERM`.
    pub errno: String,
    /// The key of the manifest's `Capabilities` that would allow it; none when no manifest can.
    pub key: Option<String>,
}

/// Memory of the app group in bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MemoryStats {
    /// All memory charged to apps, kernel buffers included.
    pub current: u64,
    /// User pages.
    pub user: u64,
    /// The most user and kernel memory seen since boot.
    pub peak: u64,
    /// Process ids by running app.
    pub apps: Vec<(ComponentId, Vec<i32>)>,
}

/// Everything the manager knows of an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AppInfo {
    /// Component id.
    pub component: ComponentId,
    /// Image id.
    pub image: ComponentId,
    /// Name from the manifest.
    pub name: String,
    /// Its state.
    pub state: AppState,
    /// The real-time core that it has, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub real_time_core: Option<u8>,
    /// Its user id, derived from the component id.
    pub uid: u32,
    /// What its manifest grants, one line in words each; empty when nothing is granted.
    pub grants: Vec<String>,
    /// How often it was started since boot.
    pub starts: u32,
    /// How its last process ended, if one has.
    pub last_exit: Option<ExitReason>,
    /// Why it could not be started, if so.
    pub refused: Option<String>,
    /// Memory charged to it now, in bytes.
    pub memory_bytes: Option<u64>,
    /// The most memory charged to it, in bytes.
    pub memory_peak_bytes: Option<u64>,
    /// `CLOCK_MONOTONIC` at its first output since boot, in nanoseconds.
    pub first_output_ns: Option<u64>,
}

/// How a process of an app ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
#[non_exhaustive]
pub enum ExitReason {
    /// It returned or called `exit`.
    Exited {
        /// Its exit code.
        code: i32,
    },
    /// A signal ended it.
    Signaled {
        /// The signal's number.
        signal: i32,
    },
    /// It went over its memory limit.
    OutOfMemory,
    /// Its real-time core locked up.
    LockedUp,
    /// The watchdog of its real-time core ended it.
    Watchdog,
    /// Its real-time core reset itself.
    Reset,
    /// The manager stopped it; `forced` when it took SIGKILL.
    Stopped {
        /// It did not go within two seconds of SIGTERM.
        forced: bool,
    },
    /// It never ran: a step of its sandbox or its `execve` failed.
    SetupFailed {
        /// The error number.
        errno: i32,
    },
}
