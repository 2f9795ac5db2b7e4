// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Tests of requests and answers, as the device API sees them.

use std::fs;

use control::{AppControlMode, AppState, ExitReason, Trigger};
use tempfile::tempdir;

use super::*;
use crate::testing::{APP, Image, OTHER, TestDisk, TestMachine, denial, id, manager};

type TestManager = Manager<TestMachine, TestDisk>;

fn ask(manager: &mut TestManager, request: Request) -> Answer {
    answer(manager, Incoming::Message(request))
}

fn message(manager: &mut TestManager, request: Request) -> Reply {
    match ask(manager, request) {
        Answer::Message(reply) => reply,
        other => panic!("{other:?}"),
    }
}

fn refusal(manager: &mut TestManager, request: Request) -> Refusal {
    match message(manager, request) {
        Reply::Error(refusal) => refusal,
        other => panic!("{other:?}"),
    }
}

fn deploy(manager: &mut TestManager, image: &Image) {
    let bytes = image.bytes();
    let length = bytes.len() as u64;
    assert_eq!(ask(manager, Request::StageBegin { length }), done());
    for chunk in bytes.chunks(4096) {
        assert_eq!(answer(manager, Incoming::Bytes(chunk)), done());
    }
    assert_eq!(ask(manager, Request::StageEnd), done());
    let mode = AppControlMode::Auto;
    assert_eq!(ask(manager, Request::Install { mode }), done());
}

#[test]
fn the_device_is_described() {
    let root = tempdir().unwrap();
    let (mut manager, _) = manager(root.path());
    let Reply::Device(info) = message(&mut manager, Request::Device) else {
        panic!("no device");
    };
    assert_eq!(
        (info.os_version.as_str(), info.board.as_str()),
        ("0.1.0", "test")
    );
    assert_eq!(info.capabilities, [11]);
    assert_eq!(info.abi, PROVIDED);
    assert_eq!((info.memory_total_kib, info.layers.len()), (57_344, 1));
}

#[test]
fn an_app_is_deployed_shown_and_deleted() {
    let root = tempdir().unwrap();
    let (mut manager, machine) = manager(root.path());
    let image = Image::new(APP).capabilities(r#"{"Gpio":[8],"MutableStorage":{"SizeKB":8}}"#);
    deploy(&mut manager, &image);
    let component = id(APP);
    let Reply::App(info) = message(&mut manager, Request::App { component }) else {
        panic!("no app");
    };
    assert_eq!((info.image, info.uid), (image.image, component.uid()));
    assert_eq!((info.state, info.starts), (AppState::Running, 1));
    assert_eq!(info.grants.len(), 2, "{:?}", info.grants);
    assert_eq!(info.memory_peak_bytes, Some(8192));
    assert_eq!((info.last_exit, info.refused), (None, None));
    let Reply::Images(images) = message(&mut manager, Request::Images) else {
        panic!("no images");
    };
    assert!(!images.has_staged_updates);
    assert_eq!(images.components[0].uid, component);
    assert_eq!(
        images.components[0].images[0].replica_type,
        ReplicaType::Installed
    );
    let Reply::Memory(memory) = message(&mut manager, Request::Memory) else {
        panic!("no memory");
    };
    assert_eq!((memory.current, memory.user, memory.peak), (3, 2, 5));
    assert_eq!(memory.apps, [(component, vec![7])]);
    assert_eq!(
        ask(&mut manager, Request::Delete { component }),
        Answer::Later
    );
    machine.0.borrow_mut().end = Some(ExitReason::Exited { code: 0 });
    manager.process_ended(100, 0);
    assert_eq!(manager.advance(), Some(Reply::Done { restarting: false }));
    assert_eq!(
        message(&mut manager, Request::AppState { component }),
        Reply::AppState {
            state: AppState::NotPresent,
            core: None
        }
    );
    let error = refusal(&mut manager, Request::AppQuota { component });
    assert_eq!(error.error.value(), 14_680_076);
}

#[test]
fn denials_are_told_of_one_app_with_the_time() {
    let root = tempdir().unwrap();
    let (mut manager, machine) = manager(root.path());
    deploy(&mut manager, &Image::new(APP));
    let component = id(APP);
    let told = |manager: &mut TestManager, component| -> Denials {
        match ask(manager, Request::AppDenials { component }) {
            Answer::Bytes(json) => serde_json::from_slice(&json).unwrap(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(told(&mut manager, component).denials, []);
    let service = id("00000000-0000-0000-0000-00000000000b");
    machine.0.borrow_mut().denied = vec![
        (component, denial("socket_connect")),
        (service, denial("capable")),
    ];
    machine.wait(std::time::Duration::from_nanos(5));
    let of_app = told(&mut manager, component);
    assert_eq!(
        (of_app.now_ns, of_app.denials),
        (5, vec![denial("socket_connect")])
    );
    // What is no app can have been refused something, too.
    assert_eq!(told(&mut manager, service).denials, [denial("capable")]);

    let unknown = Request::AppDenials {
        component: id(OTHER),
    };
    assert_eq!(
        refusal(&mut manager, unknown.clone()).kind,
        RefusalKind::NotFound
    );
    machine.0.borrow_mut().module_fails = Some("denials");
    assert_eq!(refusal(&mut manager, unknown).kind, RefusalKind::Internal);
}

#[test]
fn staging_shows_in_the_list_and_changes_no_state() {
    let root = tempdir().unwrap();
    let (mut manager, _) = manager(root.path());
    deploy(&mut manager, &Image::new(APP).build(1));
    let bytes = Image::new(APP).build(2).bytes();
    let length = bytes.len() as u64;
    ask(&mut manager, Request::StageBegin { length });
    answer(&mut manager, Incoming::Bytes(&bytes));
    assert_eq!(ask(&mut manager, Request::StageEnd), done());
    let Reply::Images(images) = message(&mut manager, Request::Images) else {
        panic!("no images");
    };
    assert!(images.has_staged_updates);
    assert_eq!(images.components.len(), 1);
    assert!(images.components[0].is_update_staged);
    assert_eq!(images.components[0].images.len(), 2);
    let component = id(APP);
    assert_eq!(
        message(&mut manager, Request::AppState { component }),
        Reply::AppState {
            state: AppState::Running,
            core: None
        }
    );
}

#[test]
fn a_transfer_can_be_aborted_and_chunks_need_one() {
    let root = tempdir().unwrap();
    let (mut manager, _) = manager(root.path());
    let refused = answer(&mut manager, Incoming::Bytes(b"x"));
    assert!(
        matches!(&refused, Answer::Message(Reply::Error(refusal))
            if refusal.kind == RefusalKind::BadRequest),
        "{refused:?}"
    );
    assert_eq!(ask(&mut manager, Request::StageBegin { length: 9 }), done());
    assert_eq!(answer(&mut manager, Incoming::Bytes(b"x")), done());
    let busy = refusal(&mut manager, Request::StageBegin { length: 9 });
    assert_eq!(busy.kind, RefusalKind::Conflict);
    assert_eq!(ask(&mut manager, Request::StageAbort), done());
    assert_eq!(ask(&mut manager, Request::StageBegin { length: 9 }), done());
    let short = refusal(&mut manager, Request::StageEnd);
    assert_eq!(short.error.value(), 7_340_050);
}

#[test]
fn an_image_larger_than_half_the_free_memory_is_refused() {
    let root = tempdir().unwrap();
    let (mut manager, _) = manager(root.path());
    let length = 16 * 1024 * 1024 + 1;
    let error = refusal(&mut manager, Request::StageBegin { length });
    assert_eq!(error.error.value(), 7_340_051);
}

#[test]
fn quota_is_use_and_limit_in_whole_kibibytes() {
    let root = tempdir().unwrap();
    let (mut manager, _) = manager(root.path());
    deploy(&mut manager, &Image::new(OTHER));
    deploy(
        &mut manager,
        &Image::new(APP).capabilities(r#"{"MutableStorage":{"SizeKB":8}}"#),
    );
    let component = id(APP);
    let quota = |manager: &mut TestManager, component| match message(
        manager,
        Request::AppQuota { component },
    ) {
        Reply::Quota(quota) => (quota.usage_kb, quota.limit_kb),
        other => panic!("{other:?}"),
    };
    assert_eq!(quota(&mut manager, component), (0, 8));
    assert_eq!(quota(&mut manager, id(OTHER)), (0, 0));
    let path = root.path().join(format!("config/{APP}/mutable"));
    fs::write(path, [0; 1025]).unwrap();
    assert_eq!(quota(&mut manager, component), (2, 8));
}

#[test]
fn logs_are_raw_and_the_own_one_is_never_empty() {
    let root = tempdir().unwrap();
    let (mut manager, _) = manager(root.path());
    deploy(&mut manager, &Image::new(APP));
    let component = id(APP);
    assert_eq!(
        ask(&mut manager, Request::AppLog { component }),
        Answer::Bytes(Vec::new())
    );
    let Answer::Bytes(log) = ask(&mut manager, Request::Log) else {
        panic!("no log");
    };
    assert!(!log.is_empty());
    let component = id(OTHER);
    let error = refusal(&mut manager, Request::AppLog { component });
    assert_eq!(error.error.value(), 14_680_076);
    let error = refusal(&mut manager, Request::App { component });
    assert_eq!(error.kind, RefusalKind::NotFound);
}

#[test]
fn while_the_device_goes_down_nothing_is_started() {
    let root = tempdir().unwrap();
    let (mut manager, _) = manager(root.path());
    deploy(&mut manager, &Image::new(APP));
    assert_eq!(
        ask(&mut manager, Request::Restart),
        Answer::Restart(Reply::Done { restarting: true })
    );
    manager.begin_to_end();
    let component = id(APP);
    let trigger = Trigger::Start;
    let error = refusal(&mut manager, Request::AppControl { component, trigger });
    assert_eq!(error.error, DeviceError::REST_INTERFACE_IS_BUSY);
}
