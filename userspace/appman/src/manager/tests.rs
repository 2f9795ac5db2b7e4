// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Tests of the manager with a made-up machine and a real store.

use std::fs;
use std::io::Write;
use std::path::Path;

use control::{AppControlMode, AppState, RefusalKind, Trigger};
use policy::DeviceError;
use tempfile::{TempDir, tempdir};

use super::*;
use crate::backoff::FIRST_DELAY;
use crate::lifecycle::STOP_GRACE;
use crate::testing::{APP, Image, OTHER, TestDisk, TestMachine, id, layer, manager, stage, store};

type TestManager = Manager<TestMachine, TestDisk>;

const DONE: Reply = Reply::Done { restarting: false };

fn install_before_boot(root: &Path, image: &Image) {
    let (mut store, _) = store(root);
    let component = stage(&mut store, &image.bytes()).unwrap();
    store.install(component).unwrap();
}

/// A manager with one app that runs.
fn running() -> (TempDir, TestManager, TestMachine) {
    let root = tempdir().unwrap();
    install_before_boot(root.path(), &Image::new(APP).build(1));
    let (manager, machine) = manager(root.path());
    assert_eq!(manager.apps[&id(APP)].process, Some(100));
    (root, manager, machine)
}

fn stage_image(manager: &mut TestManager, image: &Image) {
    stage(manager.store.as_mut().unwrap(), &image.bytes()).unwrap();
}

fn log(manager: &mut TestManager) -> String {
    String::from_utf8(manager.journal.contents().to_vec()).unwrap()
}

fn state(manager: &TestManager) -> AppState {
    manager.apps[&id(APP)].state()
}

#[test]
fn installed_apps_start_at_boot() {
    let (_root, mut manager, machine) = running();
    assert_eq!(machine.0.borrow().mounted, [id(APP)]);
    assert_eq!(state(&manager), AppState::Running);
    assert!(log(&mut manager).contains(&format!("app {APP} (test): started\n")));
}

#[test]
fn apps_start_one_by_one() {
    let root = tempdir().unwrap();
    install_before_boot(root.path(), &Image::new(APP));
    install_before_boot(root.path(), &Image::new(OTHER));
    let (mut manager, machine) = manager(root.path());
    assert_eq!(machine.0.borrow().launched.len(), 1);
    assert_eq!(manager.deadline(), Some(Duration::ZERO));
    manager.advance();
    assert_eq!(machine.0.borrow().launched.len(), 2);
    assert_eq!(manager.deadline(), None);
}

#[test]
fn no_app_starts_while_a_layer_is_missing_and_all_do_with_it() {
    let root = tempdir().unwrap();
    install_before_boot(root.path(), &Image::new(APP));
    let (mut manager, machine) = manager(root.path());
    machine.0.borrow_mut().launched.clear();
    manager.layers.push(layer(false));
    manager.process_ended(100, 0);
    machine.wait(FIRST_DELAY);
    manager.advance();
    assert!(machine.0.borrow().launched.is_empty());
    let app = &manager.apps[&id(APP)];
    assert_eq!(app.state(), AppState::Stopped);
    assert_eq!(
        app.life.refusal(),
        Some("layer seccomp is missing: not built in")
    );
    let error = manager.control(id(APP), Trigger::Start).unwrap_err();
    assert_eq!(error.error, DeviceError::REST_APP_CANNOT_START_APP);
    manager.layers.pop();
    let reply = manager.control(id(APP), Trigger::Start).unwrap();
    assert_eq!(
        reply,
        Some(Reply::AppState {
            state: AppState::Running,
            core: None,
        })
    );
}

#[test]
fn a_broken_package_is_refused_at_boot_and_can_be_replaced() {
    let root = tempdir().unwrap();
    install_before_boot(root.path(), &Image::new(APP));
    let path = root.path().join(format!("packages/{APP}.imagepackage"));
    let mut bytes = fs::read(&path).unwrap();
    bytes[8200] ^= 1;
    fs::remove_file(&path).unwrap();
    fs::write(&path, bytes).unwrap();
    let (mut manager, machine) = manager(root.path());
    assert!(machine.0.borrow().launched.is_empty());
    assert_eq!(state(&manager), AppState::Stopped);
    assert!(log(&mut manager).contains("refused: "));
    manager.control(id(APP), Trigger::Start).unwrap_err();
    stage_image(&mut manager, &Image::new(APP));
    assert_eq!(manager.install(AppControlMode::Auto).unwrap(), Some(DONE));
    assert_eq!(state(&manager), AppState::Running);
    assert_eq!(manager.apps[&id(APP)].life.refusal(), None);
}

#[test]
fn a_temporary_package_is_removed_at_boot() {
    let root = tempdir().unwrap();
    let mut image = Image::new(APP);
    image.flags = image_package::TemporaryFlags(3);
    install_before_boot(root.path(), &image);
    install_before_boot(root.path(), &Image::new(OTHER));
    let (manager, _) = manager(root.path());
    assert!(!manager.apps.contains_key(&id(APP)));
    assert!(manager.apps.contains_key(&id(OTHER)));
    let installed = manager.store.unwrap().installed().unwrap();
    assert_eq!(installed, [id(OTHER)]);
}

#[test]
fn an_app_that_ends_is_restarted_after_the_delay() {
    let (_root, mut manager, machine) = running();
    assert!(!manager.process_ended(4711, 0));
    assert!(manager.process_ended(100, 3));
    assert_eq!(state(&manager), AppState::Running);
    assert!(log(&mut manager).contains("exited with code 3\n"));
    assert_eq!(manager.deadline(), Some(FIRST_DELAY));
    manager.advance();
    assert_eq!(manager.apps[&id(APP)].process, None);
    machine.wait(FIRST_DELAY);
    manager.advance();
    let app = &manager.apps[&id(APP)];
    assert_eq!((app.process, app.life.starts()), (Some(101), 2));
    assert_eq!(machine.0.borrow().mounted, [id(APP)]);
}

#[test]
fn ends_are_told_in_words() {
    for (end, words) in [
        (ExitReason::Signaled { signal: 11 }, "ended by signal 11\n"),
        (ExitReason::OutOfMemory, "out of memory\n"),
        (ExitReason::SetupFailed { errno: 2 }, "refused: "),
    ] {
        let (_root, mut manager, machine) = running();
        machine.0.borrow_mut().end = Some(end);
        manager.process_ended(100, 0);
        let text = log(&mut manager);
        assert!(text.contains(words), "{text}");
        let app = &manager.apps[&id(APP)];
        assert_eq!(app.life.last_exit(), Some(end));
        let refused = matches!(end, ExitReason::SetupFailed { .. });
        assert_eq!(app.life.refusal().is_some(), refused);
    }
}

#[test]
fn stop_waits_for_the_end_and_lasts_until_start() {
    let (_root, mut manager, machine) = running();
    assert_eq!(manager.control(id(APP), Trigger::Stop).unwrap(), None);
    assert!(manager.is_busy());
    assert_eq!(machine.0.borrow().terminated, [id(APP)]);
    assert_eq!(manager.advance(), None);
    manager.process_ended(100, 0);
    let stopped = Reply::AppState {
        state: AppState::Stopped,
        core: None,
    };
    assert_eq!(manager.advance(), Some(stopped.clone()));
    assert!(!manager.is_busy());
    assert!(machine.0.borrow().mounted.is_empty());
    assert!(machine.0.borrow().killed.is_empty());
    assert!(log(&mut manager).contains("): stopped\n"));
    machine.wait(FIRST_DELAY * 100);
    assert_eq!(manager.advance(), None);
    assert_eq!(state(&manager), AppState::Stopped);
    assert_eq!(
        manager.control(id(APP), Trigger::Stop).unwrap(),
        Some(stopped)
    );
    manager.control(id(APP), Trigger::Start).unwrap();
    assert_eq!(manager.apps[&id(APP)].process, Some(101));
}

#[test]
fn an_app_that_does_not_stop_is_killed_after_two_seconds() {
    let (_root, mut manager, machine) = running();
    manager.control(id(APP), Trigger::Stop).unwrap();
    machine.wait(STOP_GRACE);
    assert_eq!(manager.advance(), None);
    assert_eq!(machine.0.borrow().killed, [id(APP)]);
    manager.process_ended(100, 9);
    assert!(manager.advance().is_some());
    assert_eq!(
        manager.apps[&id(APP)].life.last_exit(),
        Some(ExitReason::Stopped { forced: true })
    );
}

#[test]
fn a_request_does_not_wait_for_ever() {
    let (_root, mut manager, machine) = running();
    manager.control(id(APP), Trigger::Stop).unwrap();
    machine.wait(STOP_GRACE + KILL_GRACE);
    assert_eq!(manager.deadline(), Some(STOP_GRACE));
    let Some(Reply::Error(refusal)) = manager.advance() else {
        panic!("no refusal");
    };
    assert_eq!(
        refusal.error,
        DeviceError::APP_MANAGER_FAILED_TO_KILL_APPLICATION
    );
    assert!(!manager.is_busy());
}

#[test]
fn control_of_an_unknown_app_and_debugging_are_refused() {
    let (_root, mut manager, _) = running();
    for trigger in [Trigger::Start, Trigger::Stop] {
        let error = manager.control(id(OTHER), trigger).unwrap_err();
        assert_eq!(error.error.value(), 14_680_076);
        assert_eq!(error.kind, RefusalKind::Conflict);
    }
    let error = manager.control(id(APP), Trigger::StartDebug).unwrap_err();
    assert_eq!(error.error, DeviceError::LIFETIME_NO_DEBUGGER_AVAILABLE);
    assert_eq!(state(&manager), AppState::Running);
}

#[test]
fn an_update_replaces_a_running_app() {
    let (_root, mut manager, machine) = running();
    let new = Image::new(APP).build(2);
    stage_image(&mut manager, &new);
    assert_eq!(manager.install(AppControlMode::Auto).unwrap(), None);
    assert_eq!(machine.0.borrow().terminated, [id(APP)]);
    manager.process_ended(100, 0);
    assert_eq!(manager.advance(), Some(DONE));
    let app = &manager.apps[&id(APP)];
    assert_eq!((app.image(), app.process), (new.image, Some(101)));
    let loaded = manager.store.as_ref().unwrap().load(id(APP)).unwrap();
    assert_eq!(loaded.facts.image, new.image);
}

#[test]
fn manual_installation_does_not_start() {
    let (_root, mut manager, machine) = running();
    stage_image(&mut manager, &Image::new(APP).build(2));
    stage_image(&mut manager, &Image::new(OTHER));
    manager.install(AppControlMode::Manual).unwrap();
    manager.process_ended(100, 0);
    assert_eq!(manager.advance(), Some(DONE));
    assert_eq!(state(&manager), AppState::Stopped);
    assert_eq!(machine.0.borrow().launched.len(), 1);
    manager.control(id(OTHER), Trigger::Start).unwrap();
    assert_eq!(machine.0.borrow().launched.len(), 2);
}

#[test]
fn installing_nothing_is_fine() {
    let (_root, mut manager, _) = running();
    assert_eq!(manager.install(AppControlMode::Auto).unwrap(), Some(DONE));
    assert_eq!(state(&manager), AppState::Running);
}

#[test]
fn a_conflict_installs_nothing_and_drops_only_the_refused_image() {
    let root = tempdir().unwrap();
    install_before_boot(
        root.path(),
        &Image::new(APP).capabilities(r#"{"Gpio":[8]}"#),
    );
    let (mut manager, machine) = manager(root.path());
    let third = "1689d8b2-c835-2e27-27ad-e894d6d15fa9";
    stage_image(&mut manager, &Image::new(third));
    stage_image(
        &mut manager,
        &Image::new(OTHER).capabilities(r#"{"Gpio":[8]}"#),
    );
    let error = manager.install(AppControlMode::Auto).unwrap_err();
    assert_eq!(error.error.value(), 5_242_884);
    assert_eq!(error.kind, RefusalKind::Conflict);
    assert!(error.detail.contains(APP), "{}", error.detail);
    assert_eq!(manager.apps.len(), 1);
    assert!(machine.0.borrow().terminated.is_empty());
    assert_eq!(manager.install(AppControlMode::Auto).unwrap(), Some(DONE));
    assert!(manager.apps.contains_key(&id(third)));
    assert!(!manager.apps.contains_key(&id(OTHER)));
}

#[test]
fn images_that_are_installed_together_must_not_conflict_either() {
    let root = tempdir().unwrap();
    let (mut manager, _) = manager(root.path());
    for component in [APP, OTHER] {
        stage_image(
            &mut manager,
            &Image::new(component).capabilities(r#"{"Gpio":[8]}"#),
        );
    }
    let error = manager.install(AppControlMode::Auto).unwrap_err();
    assert_eq!(error.error.value(), 5_242_884);
    assert!(manager.apps.is_empty());
}

#[test]
fn an_update_may_keep_its_own_resources() {
    let root = tempdir().unwrap();
    let image = Image::new(APP).capabilities(r#"{"Gpio":[8]}"#);
    install_before_boot(root.path(), &image);
    let (mut manager, _) = manager(root.path());
    stage_image(&mut manager, &image);
    assert_eq!(manager.install(AppControlMode::Auto).unwrap(), None);
}

#[test]
fn storage_that_does_not_fit_is_refused() {
    let root = tempdir().unwrap();
    let (mut manager, machine) = manager(root.path());
    let (store, disk) = store(root.path());
    manager.store = Ok(store);
    let image = Image::new(APP).capabilities(r#"{"MutableStorage":{"SizeKB":8}}"#);
    stage_image(&mut manager, &image);
    disk.set_free(crate::store::SPACE_MARGIN + 8 * 1024 - 1);
    let error = manager.install(AppControlMode::Auto).unwrap_err();
    assert_eq!(error.error.value(), 6_291_467);
    stage_image(&mut manager, &image);
    disk.set_free(crate::store::SPACE_MARGIN + 8 * 1024);
    assert_eq!(manager.install(AppControlMode::Auto).unwrap(), Some(DONE));
    let file = root.path().join(format!("config/{APP}/mutable"));
    assert_eq!(machine.0.borrow().launched[0].1, Some(file));
}

#[test]
fn an_app_without_storage_gets_no_file() {
    let (root, _manager, machine) = running();
    assert_eq!(machine.0.borrow().launched[0].1, None);
    assert!(!root.path().join("config").join(APP).exists());
}

#[test]
fn a_power_loss_while_installing_leaves_the_manager_with_what_is_on_the_disk() {
    let (root, mut manager, _) = running();
    let (store, disk) = store(root.path());
    manager.store = Ok(store);
    stage_image(&mut manager, &Image::new(APP).build(2));
    disk.cut_after(0);
    manager.install(AppControlMode::Auto).unwrap();
    manager.process_ended(100, 0);
    let Some(Reply::Error(refusal)) = manager.advance() else {
        panic!("no refusal");
    };
    assert_eq!(refusal.error, DeviceError::IMAGE_UPDATE_WRITE_FAILED);
    let old = ComponentId::from_bytes([1; 16]);
    assert_eq!(manager.apps[&id(APP)].image(), old);
    manager.control(id(APP), Trigger::Start).unwrap();
    assert_eq!(manager.apps[&id(APP)].process, Some(101));
}

#[test]
fn deleting_stops_and_removes_and_is_fine_for_an_unknown_app() {
    let (root, mut manager, machine) = running();
    assert_eq!(manager.delete(id(OTHER)), Some(DONE));
    assert_eq!(manager.delete(id(APP)), None);
    manager.process_ended(100, 0);
    assert_eq!(manager.advance(), Some(DONE));
    assert!(manager.apps.is_empty());
    assert!(machine.0.borrow().mounted.is_empty());
    let packages = fs::read_dir(root.path().join("packages")).unwrap();
    assert_eq!(packages.count(), 0);
}

#[test]
fn output_is_kept_and_its_first_line_marked() {
    let (_root, mut manager, machine) = running();
    machine.wait(Duration::from_millis(5));
    manager.output_ready(id(APP));
    assert_eq!(manager.apps[&id(APP)].first_output, None);
    machine.0.borrow_mut().pipes[0]
        .write_all(b"hello\n")
        .unwrap();
    manager.output_ready(id(APP));
    machine.0.borrow_mut().pipes[0]
        .write_all(b"last\n")
        .unwrap();
    manager.process_ended(100, 0);
    let app = manager.apps.get_mut(&id(APP)).unwrap();
    assert_eq!(app.log.contents(), b"hello\nlast\n");
    assert_eq!(app.first_output, Some(Duration::from_millis(5)));
    let marker = format!(
        "first output: app={APP} monotonic_ns=5000000 mem_total_kib=57344 mem_available_kib=50000\n"
    );
    assert_eq!(log(&mut manager).matches(&marker).count(), 1);
}

#[test]
fn a_package_that_cannot_be_mounted_is_refused_and_a_process_that_cannot_be_made_is_tried_again() {
    let (_root, mut manager, machine) = running();
    manager.control(id(APP), Trigger::Stop).unwrap();
    manager.process_ended(100, 0);
    manager.advance();
    machine.0.borrow_mut().attach_fails = true;
    let error = manager.control(id(APP), Trigger::Start).unwrap_err();
    assert!(error.detail.contains("no loop device"), "{}", error.detail);
    assert_eq!(error.error, DeviceError::REST_APP_CANNOT_START_APP);
    assert_eq!(state(&manager), AppState::Stopped);
    machine.0.borrow_mut().attach_fails = false;
    machine.0.borrow_mut().launch_fails = true;
    let error = manager.control(id(APP), Trigger::Start).unwrap_err();
    assert!(error.detail.contains("no process"), "{}", error.detail);
    assert_eq!(error.error.value(), 1_048_591);
    assert_eq!(state(&manager), AppState::Running);
    machine.0.borrow_mut().launch_fails = false;
    machine.wait(FIRST_DELAY);
    manager.advance();
    let app = &manager.apps[&id(APP)];
    assert_eq!((app.process, app.life.refusal()), (Some(101), None));
}

#[test]
fn the_kernel_is_told_of_an_app_before_it_starts_and_forgets_it_with_it() {
    let (_root, mut manager, machine) = running();
    assert_eq!(machine.0.borrow().vouched, [id(APP)]);
    assert_eq!(machine.0.borrow().rules, [id(APP)]);
    manager.control(id(APP), Trigger::Stop).unwrap();
    manager.process_ended(100, 0);
    manager.advance();
    assert!(machine.0.borrow().vouched.is_empty());
    assert_eq!(machine.0.borrow().rules, [id(APP)]);
    assert_eq!(manager.delete(id(APP)), Some(DONE));
    assert!(machine.0.borrow().rules.is_empty());
}

#[test]
fn an_app_of_which_the_kernel_will_not_be_told_is_refused_and_no_other_one() {
    for failing in ["vouch", "set rules"] {
        let (_root, mut manager, machine) = running();
        manager.control(id(APP), Trigger::Stop).unwrap();
        manager.process_ended(100, 0);
        manager.advance();
        machine.0.borrow_mut().module_fails = Some(failing);
        let error = manager.control(id(APP), Trigger::Start).unwrap_err();
        assert!(error.detail.contains("module refuses"), "{}", error.detail);
        assert_eq!(error.error, DeviceError::REST_APP_CANNOT_START_APP);
        assert_eq!(state(&manager), AppState::Stopped);
        assert!(log(&mut manager).contains("refused: the module refuses"));
        assert_eq!(machine.0.borrow().launched.len(), 1);
        // Nothing that was not vouched for stays mounted.
        let mounted = machine.0.borrow().mounted.len();
        assert_eq!(mounted, usize::from(failing == "set rules"));
        machine.0.borrow_mut().module_fails = None;
        stage_image(&mut manager, &Image::new(OTHER));
        assert_eq!(manager.install(AppControlMode::Auto).unwrap(), Some(DONE));
        manager.control(id(APP), Trigger::Start).unwrap();
        assert_eq!(machine.0.borrow().launched.len(), 3);
    }
}

#[test]
fn an_app_is_removed_also_when_the_kernel_will_not_forget_it() {
    let (_root, mut manager, machine) = running();
    machine.0.borrow_mut().module_fails = Some("forget rules");
    manager.delete(id(APP));
    manager.process_ended(100, 0);
    assert_eq!(manager.advance(), Some(DONE));
    assert!(manager.apps.is_empty());
    assert!(log(&mut manager).contains(&format!("app {APP}: the module refuses\n")));
}

#[test]
fn a_package_changed_while_stopped_is_refused_at_start() {
    let (root, mut manager, _) = running();
    manager.control(id(APP), Trigger::Stop).unwrap();
    manager.process_ended(100, 0);
    manager.advance();
    let path = root.path().join(format!("packages/{APP}.imagepackage"));
    let good = fs::read(&path).unwrap();
    let mut bytes = good.clone();
    bytes[8200] ^= 1;
    fs::remove_file(&path).unwrap();
    fs::write(&path, bytes).unwrap();
    manager.control(id(APP), Trigger::Start).unwrap_err();
    fs::write(&path, good).unwrap();
    manager.control(id(APP), Trigger::Start).unwrap();
}

#[test]
fn without_a_store_everything_else_works() {
    let machine = TestMachine::default();
    let journal = Journal::new(Box::new(std::io::sink()), Duration::ZERO);
    let mut manager: TestManager = Manager::new(
        machine,
        journal,
        crate::testing::board(),
        vec![layer(true)],
        Err("cannot mount mtd:data".to_owned()),
    );
    manager.load_apps();
    assert_eq!(manager.advance(), None);
    let error = manager.install(AppControlMode::Auto).unwrap_err();
    assert!(error.detail.contains("mtd:data"), "{}", error.detail);
    assert_eq!(manager.delete(id(APP)), Some(DONE));
}

#[test]
fn a_request_goes_on_without_the_one_who_asked() {
    let (_root, mut manager, _) = running();
    manager.delete(id(APP));
    manager.forget_client();
    assert!(manager.is_busy());
    manager.process_ended(100, 0);
    assert_eq!(manager.advance(), None);
    assert!(!manager.is_busy() && manager.apps.is_empty());
}

/// A manager with one app that runs on a core.
fn running_on_a_core() -> (TempDir, TestManager, TestMachine) {
    let root = tempdir().unwrap();
    let peers = r#"{"AllowedApplicationConnections":["ae4714aa-03aa-492b-9663-962f966a9cc3"]}"#;
    install_before_boot(
        root.path(),
        &Image::real_time(APP).build(1).capabilities(peers),
    );
    let (manager, machine) = manager(root.path());
    assert_eq!(machine.0.borrow().cores, [Some(id(APP)), None]);
    assert_eq!(machine.0.borrow().partners, [id(OTHER)]);
    (root, manager, machine)
}

fn state_reply(state: AppState, core: Option<u8>) -> Reply {
    Reply::AppState { state, core }
}

#[test]
fn an_app_on_a_core_starts_at_boot_without_a_process() {
    let (_root, mut manager, machine) = running_on_a_core();
    let running = state_reply(AppState::Running, Some(0));
    assert_eq!(manager.state(id(APP)), running);
    assert_eq!(
        manager.control(id(APP), Trigger::Start).unwrap(),
        Some(running)
    );
    assert!(log(&mut manager).contains("): started on real-time core 0\n"));
    let fake = machine.0.borrow();
    assert!(fake.mounted.is_empty() && fake.launched.is_empty() && fake.rules.is_empty());
}

#[test]
fn an_app_on_a_core_is_stopped_at_once_and_started_again() {
    let (root, mut manager, machine) = running_on_a_core();
    let stopped = state_reply(AppState::Stopped, None);
    assert_eq!(
        manager.control(id(APP), Trigger::Stop).unwrap(),
        Some(stopped)
    );
    assert!(!manager.is_busy());
    assert_eq!(machine.0.borrow().cores, [None, None]);
    let end = manager.apps[&id(APP)].life.last_exit();
    assert_eq!(end, Some(ExitReason::Stopped { forced: false }));
    machine.wait(FIRST_DELAY * 100);
    assert_eq!(manager.advance(), None);
    assert_eq!(machine.0.borrow().cores, [None, None]);
    // The package is looked at again, as of every app.
    let path = root.path().join(format!("packages/{APP}.imagepackage"));
    let good = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    fs::write(&path, b"another").unwrap();
    manager.control(id(APP), Trigger::Start).unwrap_err();
    fs::write(&path, good).unwrap();
    let running = state_reply(AppState::Running, Some(0));
    assert_eq!(
        manager.control(id(APP), Trigger::Start).unwrap(),
        Some(running)
    );
}

#[test]
fn a_core_that_stops_by_itself_is_started_again_after_the_delay() {
    for (state, reason, words) in [
        (Ok(State::LockedUp), ExitReason::LockedUp, "locked up\n"),
        (
            Ok(State::Watchdog),
            ExitReason::Watchdog,
            "by the watchdog of its real-time core\n",
        ),
        (Ok(State::Reset), ExitReason::Reset, "core reset itself\n"),
        (
            Ok(State::Stopped),
            ExitReason::SetupFailed { errno: 19 },
            "refused: ",
        ),
        (
            Err(Errno::ENODEV),
            ExitReason::SetupFailed { errno: 19 },
            "refused: ",
        ),
    ] {
        let (_root, mut manager, machine) = running_on_a_core();
        machine.0.borrow_mut().core_state = Some(state);
        manager.core_ready(id(APP));
        assert_eq!(machine.0.borrow().cores, [None, None]);
        assert_eq!(manager.state(id(APP)), state_reply(AppState::Running, None));
        assert_eq!(manager.apps[&id(APP)].life.last_exit(), Some(reason));
        assert!(log(&mut manager).contains(words), "{}", log(&mut manager));
        assert_eq!(manager.deadline(), Some(FIRST_DELAY));
        machine.wait(FIRST_DELAY);
        manager.advance();
        assert_eq!(machine.0.borrow().cores, [Some(id(APP)), None]);
        assert_eq!(manager.apps[&id(APP)].life.starts(), 2);
    }
}

#[test]
fn a_core_that_runs_goes_on_whatever_its_messages() {
    let (_root, mut manager, machine) = running_on_a_core();
    manager.core_ready(id(APP));
    machine.0.borrow_mut().core_state = Some(Ok(State::Halted));
    manager.core_ready(id(APP));
    assert_eq!(
        manager.state(id(APP)),
        state_reply(AppState::Running, Some(0))
    );
    assert_eq!(log(&mut manager).matches("broke the protocol").count(), 1);
}

#[test]
fn a_core_that_does_not_answer_is_tried_again() {
    let (_root, mut manager, machine) = running_on_a_core();
    manager.control(id(APP), Trigger::Stop).unwrap();
    machine.0.borrow_mut().launch_fails = true;
    let error = manager.control(id(APP), Trigger::Start).unwrap_err();
    assert!(error.detail.contains("no core answers"), "{}", error.detail);
    machine.0.borrow_mut().launch_fails = false;
    machine.wait(FIRST_DELAY);
    manager.advance();
    assert_eq!(
        manager.state(id(APP)),
        state_reply(AppState::Running, Some(0))
    );
}

#[test]
fn a_third_app_for_a_core_is_refused_and_changes_nothing() {
    let (_root, mut manager, machine) = running_on_a_core();
    stage_image(&mut manager, &Image::real_time(OTHER));
    assert_eq!(manager.install(AppControlMode::Auto).unwrap(), Some(DONE));
    let both = [Some(id(APP)), Some(id(OTHER))];
    assert_eq!(machine.0.borrow().cores, both);
    let third = "1689d8b2-c835-2e27-27ad-e894d6d15fa9";
    stage_image(&mut manager, &Image::real_time(third));
    let error = manager.install(AppControlMode::Auto).unwrap_err();
    assert_eq!(error.error, DeviceError::APP_MANAGER_NO_CORE_AVAILABLE);
    assert_eq!(error.error.value(), (1 << 20) + 31);
    assert_eq!(machine.0.borrow().cores, both);
    assert!(!manager.apps.contains_key(&id(third)));
    assert!(manager.store.as_ref().unwrap().staged().is_empty());
    // There is room for a high-level app, and for the third when one of the two is gone.
    stage_image(&mut manager, &Image::new(third));
    assert_eq!(manager.install(AppControlMode::Auto).unwrap(), Some(DONE));
    assert_eq!(manager.delete(id(APP)), Some(DONE));
    assert_eq!(machine.0.borrow().cores, [None, Some(id(OTHER))]);
    stage_image(&mut manager, &Image::real_time(APP));
    assert_eq!(manager.install(AppControlMode::Auto).unwrap(), Some(DONE));
    assert_eq!(machine.0.borrow().cores, both);
}

#[test]
fn an_update_replaces_the_app_on_its_core() {
    let (_root, mut manager, machine) = running_on_a_core();
    let new = Image::real_time(APP).build(2);
    stage_image(&mut manager, &new);
    assert_eq!(manager.install(AppControlMode::Auto).unwrap(), Some(DONE));
    assert_eq!(manager.apps[&id(APP)].image(), new.image);
    assert_eq!(machine.0.borrow().cores, [Some(id(APP)), None]);
    assert!(machine.0.borrow().partners.is_empty());
    // It may even become a process.
    stage_image(&mut manager, &Image::new(APP).build(3));
    assert_eq!(manager.install(AppControlMode::Auto).unwrap(), Some(DONE));
    assert_eq!(machine.0.borrow().cores, [None, None]);
    assert_eq!(manager.apps[&id(APP)].process, Some(100));
}

#[test]
fn the_end_stops_all_cores() {
    let (_root, mut manager, machine) = running_on_a_core();
    manager.begin_to_end();
    assert!(manager.has_ended());
    assert_eq!(machine.0.borrow().cores, [None, None]);
}

#[test]
fn pins_belong_to_one_core() {
    for (capabilities, code) in [
        (r#"{"Gpio":[8]}"#, 5_242_884),
        // Of one block of registers, which a core gets as a whole.
        (r#"{"Gpio":[9]}"#, 5_242_895),
        (r#"{"Pwm":["PWM-CONTROLLER-2"]}"#, 5_242_896),
    ] {
        let root = tempdir().unwrap();
        let high_level = Image::new(APP).capabilities(r#"{"Gpio":[8]}"#);
        install_before_boot(root.path(), &high_level);
        let (mut manager, machine) = manager(root.path());
        stage_image(
            &mut manager,
            &Image::real_time(OTHER).capabilities(capabilities),
        );
        let error = manager.install(AppControlMode::Auto).unwrap_err();
        assert_eq!(error.error.value(), code, "{capabilities}");
        assert!(error.detail.contains(APP), "{}", error.detail);
        assert_eq!(machine.0.borrow().cores, [None, None]);
        let free = Image::real_time(OTHER).capabilities(r#"{"Gpio":[12]}"#);
        stage_image(&mut manager, &free);
        assert_eq!(manager.install(AppControlMode::Auto).unwrap(), Some(DONE));
        assert_eq!(machine.0.borrow().cores, [Some(id(OTHER)), None]);
    }
}

#[test]
fn apps_that_do_not_go_together_do_not_start_together_either() {
    let root = tempdir().unwrap();
    // Each could be installed for itself, and power went between the two.
    let led = |component| Image::new(component).capabilities(r#"{"Gpio":[8]}"#);
    install_before_boot(root.path(), &led(APP));
    install_before_boot(root.path(), &led(OTHER));
    let (mut manager, machine) = manager(root.path());
    manager.advance();
    assert_eq!(machine.0.borrow().launched.len(), 1);
    assert_eq!(manager.apps[&id(APP)].process, Some(100));
    let refused = &manager.apps[&id(OTHER)];
    assert_eq!(refused.state(), AppState::Stopped);
    assert!(refused.life.refusal().unwrap().contains(APP));
    assert_eq!(manager.delete(id(OTHER)), Some(DONE));
}

#[test]
fn pins_are_given_to_the_app_that_was_granted_them() {
    let root = tempdir().unwrap();
    let image = Image::new(APP).capabilities(r#"{"Gpio":[8]}"#);
    install_before_boot(root.path(), &image);
    install_before_boot(root.path(), &Image::new(OTHER));
    let (mut manager, machine) = manager(root.path());
    manager.advance();
    assert_eq!(machine.0.borrow().launched.len(), 2);
    let socket = {
        let mut fake = machine.0.borrow_mut();
        assert_eq!(
            fake.sockets.len(),
            1,
            "an app without pins has nothing to ask"
        );
        fake.sockets.pop().unwrap()
    };
    let mut ask = |pin| {
        let request = ::broker::Request::Input { pin };
        sys::socket::send(&socket, &request.encode(), &[]).unwrap();
        manager.broker_ready(id(APP));
        let mut reply = [0; 4];
        let received = sys::socket::receive(&socket, &mut reply).unwrap();
        (u32::from_le_bytes(reply), received.descriptors[0].is_some())
    };
    assert_eq!(ask(8), (0, true));
    assert_eq!(ask(9), (13, false));
    machine.wait(Duration::from_nanos(7));
    assert_eq!(ask(10), (13, false));
    assert_eq!(ask(99), (19, false));
    assert_eq!(machine.0.borrow().pins.len(), 1);
    sys::socket::send(&socket, b"garbage", &[]).unwrap();
    manager.broker_ready(id(APP));
    manager.broker_ready(id(APP));
    assert_eq!(
        sys::socket::receive(&socket, &mut [0; 4]).unwrap().length,
        0
    );
    let told = log(&mut manager);
    assert!(told.contains("pin 9 is refused: "), "{told}");
    assert!(told.contains("gets no more pins: 7 bytes"), "{told}");
    assert_eq!(manager.apps[&id(APP)].process, Some(100));
    let denied = |app| {
        let told = manager.apps[&id(app)].denials.told();
        told.map(|denial| (denial.count, denial.last_ns, denial.errno, denial.key))
            .collect::<Vec<_>>()
    };
    let gpio = Some("Gpio".to_owned());
    let expected = [
        (2, 7, "EACCES".to_owned(), gpio),
        (1, 7, "ENODEV".to_owned(), None),
    ];
    assert_eq!(denied(APP), expected);
    assert_eq!(denied(OTHER), []);
}

#[test]
fn the_end_of_an_app_ends_its_requests() {
    let root = tempdir().unwrap();
    let image = Image::new(APP).capabilities(r#"{"Gpio":[8]}"#);
    install_before_boot(root.path(), &image);
    let (mut manager, _) = manager(root.path());
    assert!(manager.apps[&id(APP)].broker.is_some());
    manager.process_ended(100, 0);
    assert!(manager.apps[&id(APP)].broker.is_none());
}

#[test]
fn the_end_stops_all_apps() {
    let (_root, mut manager, machine) = running();
    manager.begin_to_end();
    manager.begin_to_end();
    assert_eq!(machine.0.borrow().terminated, [id(APP)]);
    assert!(manager.is_ending() && !manager.has_ended());
    machine.wait(STOP_GRACE);
    manager.advance();
    assert_eq!(machine.0.borrow().killed, [id(APP)]);
    manager.process_ended(100, 9);
    assert!(manager.has_ended());
    manager.unmount_all();
    assert!(machine.0.borrow().mounted.is_empty());
    machine.wait(FIRST_DELAY * 100);
    manager.advance();
    assert_eq!(machine.0.borrow().launched.len(), 1);
}
