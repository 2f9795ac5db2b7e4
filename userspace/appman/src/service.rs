// SPDX-License-Identifier: Apache-2.0 OR MIT

//! What the device API may ask, and the answers.

use std::collections::BTreeMap;

use control::{
    AppInfo, Component, Denials, DeviceInfo, Image, Images, Incoming, MemoryStats, Quota, Refusal,
    RefusalKind, ReplicaType, Reply, Request,
};
use manifest::grant_in_words;
use policy::{ComponentId, DeviceError};

use crate::machine::Machine;
use crate::manager::{Manager, available, not_present};
use crate::store::Disk;
use crate::store::package::PROVIDED;

/// The image type of applications.
const IMAGE_TYPE_APPLICATION: u16 = 10;
/// Bytes in one KiB.
const KIB: u64 = 1024;

/// The answer to one packet.
#[derive(Debug, PartialEq)]
pub enum Answer {
    /// A message.
    Message(Reply),
    /// Raw bytes.
    Bytes(Vec<u8>),
    /// It comes later, from [`Manager::advance`].
    Later,
    /// A message; and the device is to restart once all apps are gone.
    Restart(Reply),
}

impl From<Reply> for Answer {
    fn from(reply: Reply) -> Self {
        Self::Message(reply)
    }
}

impl From<Option<Reply>> for Answer {
    fn from(reply: Option<Reply>) -> Self {
        reply.map_or(Self::Later, Self::Message)
    }
}

/// Does what one packet asks.
pub fn answer<M: Machine, D: Disk>(
    manager: &mut Manager<M, D>,
    packet: Incoming<'_, Request>,
) -> Answer {
    let result = match packet {
        Incoming::Bytes(chunk) => take_chunk(manager, chunk),
        Incoming::Message(request) => answer_request(manager, request),
    };
    result.unwrap_or_else(|refusal| Answer::Message(Reply::Error(refusal)))
}

fn take_chunk<M: Machine, D: Disk>(
    manager: &mut Manager<M, D>,
    chunk: &[u8],
) -> Result<Answer, Refusal> {
    available(&mut manager.store)?.chunk(chunk)?;
    Ok(done())
}

fn answer_request<M: Machine, D: Disk>(
    manager: &mut Manager<M, D>,
    request: Request,
) -> Result<Answer, Refusal> {
    if manager.is_ending() {
        return Err(Refusal {
            error: DeviceError::REST_INTERFACE_IS_BUSY,
            kind: RefusalKind::Conflict,
            detail: "the device is going down: ask again when it is back".to_owned(),
        });
    }
    match request {
        Request::Device => Ok(Reply::Device(device(manager)).into()),
        Request::Images => Ok(Reply::Images(images(manager)).into()),
        Request::StageBegin { length } => stage_begin(manager, length),
        Request::StageEnd => stage_end(manager),
        Request::StageAbort => {
            manager.forget_transfer();
            Ok(done())
        }
        Request::Install { mode } => manager.install(mode).map(Answer::from),
        Request::Delete { component } => Ok(manager.delete(component).into()),
        Request::AppState { component } => Ok(manager.state(component).into()),
        Request::AppControl { component, trigger } => {
            manager.control(component, trigger).map(Answer::from)
        }
        Request::AppQuota { component } => quota(manager, component),
        Request::App { component } => app(manager, component),
        Request::AppLog { component } => {
            let app = manager.apps.get_mut(&component);
            let app = app.ok_or_else(|| not_present(component))?;
            Ok(Answer::Bytes(app.log.contents().to_vec()))
        }
        Request::AppDenials { component } => denials(manager, component),
        Request::Memory => Ok(Reply::Memory(memory(manager)).into()),
        Request::Log => Ok(Answer::Bytes(manager.journal.contents().to_vec())),
        Request::Restart => Ok(Answer::Restart(Reply::Done { restarting: true })),
        other => Err(Refusal {
            error: DeviceError::APP_MANAGER_ILLEGAL_REQUEST,
            kind: RefusalKind::BadRequest,
            detail: format!("the manager does not know the request {other:?}"),
        }),
    }
}

fn done() -> Answer {
    Answer::Message(Reply::Done { restarting: false })
}

fn stage_begin<M: Machine, D: Disk>(
    manager: &mut Manager<M, D>,
    length: u64,
) -> Result<Answer, Refusal> {
    let available_kib = manager.machine.device_memory().available_kib;
    let promises = manager
        .apps
        .values()
        .map(|app| (app.component, app.storage_kb()));
    let store = available(&mut manager.store)?;
    let free = store.unpromised(promises)?;
    // Half of what is free, so that verifying an image never starves the apps.
    store.begin(length, free, available_kib * KIB / 2)?;
    Ok(done())
}

fn stage_end<M: Machine, D: Disk>(manager: &mut Manager<M, D>) -> Result<Answer, Refusal> {
    let staged = available(&mut manager.store)?.end();
    match staged {
        Ok(component) => {
            manager.note(&format!("image of app {component}: staged"));
            Ok(done())
        }
        Err(error) => {
            manager.note(&format!("image: refused: {error}"));
            Err(error.into())
        }
    }
}

fn device<M: Machine, D: Disk>(manager: &Manager<M, D>) -> DeviceInfo {
    let memory = manager.machine.device_memory();
    DeviceInfo {
        os_version: manager.board.os_version.clone(),
        kernel: manager.machine.kernel(),
        board: manager.board.name.clone(),
        abi: PROVIDED,
        capabilities: manager.board.capabilities.clone(),
        layers: manager.layers.clone(),
        memory_total_kib: memory.total_kib,
        memory_available_kib: memory.available_kib,
    }
}

fn images<M: Machine, D: Disk>(manager: &Manager<M, D>) -> Images {
    let mut components: BTreeMap<ComponentId, Component> = manager
        .apps
        .values()
        .map(|app| {
            let name = app.facts.as_ref().map(|facts| facts.name.clone());
            let component = Component {
                uid: app.component,
                image_type: IMAGE_TYPE_APPLICATION,
                is_update_staged: false,
                name: name.unwrap_or_default(),
                images: vec![Image {
                    uid: app.image(),
                    length_in_bytes: app.length,
                    replica_type: ReplicaType::Installed,
                }],
            };
            (app.component, component)
        })
        .collect();
    let staged = manager
        .store
        .as_ref()
        .map_or(&[][..], |store| store.staged());
    for one in staged {
        let component = components
            .entry(one.component)
            .or_insert_with(|| Component {
                uid: one.component,
                image_type: IMAGE_TYPE_APPLICATION,
                is_update_staged: false,
                name: one.name.clone(),
                images: Vec::new(),
            });
        component.is_update_staged = true;
        component.images.push(Image {
            uid: one.image,
            length_in_bytes: one.length,
            replica_type: ReplicaType::Staged,
        });
    }
    Images {
        has_staged_updates: !staged.is_empty(),
        components: components.into_values().collect(),
    }
}

fn quota<M: Machine, D: Disk>(
    manager: &mut Manager<M, D>,
    component: ComponentId,
) -> Result<Answer, Refusal> {
    let app = manager
        .apps
        .get(&component)
        .ok_or_else(|| not_present(component))?;
    let limit_kb = app.storage_kb();
    let used = match limit_kb {
        0 => 0,
        _ => available(&mut manager.store)?.mutable_length(component),
    };
    let usage_kb = u32::try_from(used.div_ceil(KIB)).unwrap_or(u32::MAX);
    Ok(Reply::Quota(Quota { usage_kb, limit_kb }).into())
}

fn app<M: Machine, D: Disk>(
    manager: &Manager<M, D>,
    component: ComponentId,
) -> Result<Answer, Refusal> {
    let app = manager.apps.get(&component).ok_or_else(|| Refusal {
        kind: RefusalKind::NotFound,
        ..not_present(component)
    })?;
    let memory = manager.machine.app_memory(component);
    let nanoseconds = app.first_output.map(|time| time.as_nanos());
    let info = AppInfo {
        component,
        image: app.image(),
        name: app.name().to_owned(),
        state: app.state(),
        real_time_core: app.core,
        uid: component.uid(),
        grants: app
            .grant()
            .map(|grant| grant_in_words(&grant))
            .unwrap_or_default(),
        starts: app.life.starts(),
        last_exit: app.life.last_exit(),
        refused: app.life.refusal().map(str::to_owned),
        memory_bytes: memory.map(|memory| memory.current),
        memory_peak_bytes: memory.map(|memory| memory.peak),
        first_output_ns: nanoseconds.and_then(|time| u64::try_from(time).ok()),
    };
    Ok(Reply::App(Box::new(info)).into())
}

fn denials<M: Machine, D: Disk>(
    manager: &Manager<M, D>,
    component: ComponentId,
) -> Result<Answer, Refusal> {
    let internal = |detail| Refusal {
        error: DeviceError::REST_INTERNAL_ERROR,
        kind: RefusalKind::Internal,
        detail,
    };
    let told = manager.machine.denials(component);
    let mut denials = told.map_err(|error| internal(error.message))?;
    if let Some(app) = manager.apps.get(&component) {
        denials.extend(app.denials.told());
    }
    // Services of the system are not among the apps; what they were refused can be asked for all the same.
    if denials.is_empty() && !manager.apps.contains_key(&component) {
        return Err(Refusal {
            kind: RefusalKind::NotFound,
            ..not_present(component)
        });
    }
    let now_ns = u64::try_from(manager.machine.now().as_nanos()).unwrap_or(u64::MAX);
    let json = serde_json::to_vec(&Denials { now_ns, denials });
    json.map(Answer::Bytes)
        .map_err(|error| internal(error.to_string()))
}

fn memory<M: Machine, D: Disk>(manager: &Manager<M, D>) -> MemoryStats {
    let group = manager.machine.group_memory();
    let apps = manager
        .apps
        .values()
        .filter(|app| app.process.is_some())
        .map(|app| {
            let processes = manager.machine.app_processes(app.component);
            (app.component, processes)
        })
        .collect();
    MemoryStats {
        current: group.current,
        user: group.user,
        peak: group.peak,
        apps,
    }
}

#[cfg(test)]
mod tests;
