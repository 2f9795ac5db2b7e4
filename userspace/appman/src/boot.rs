// SPDX-License-Identifier: Apache-2.0 OR MIT

//! From the first instruction of PID 1 to the poll loop, and from there to the end of the run.
//!
//! Whatever fails here says so on the console. What the device can do without, such as the writable file
//! system, is left out, so that the device API still serves and tells why; without the rest the device is
//! switched off in order. A panic of PID 1 would be one of the kernel, so a panic restarts the device.

use std::io;
use std::path::Path;
use std::time::Duration;

use control::LayerStatus;
use nix::errno::Errno;
use nix::sys::reboot::set_cad_enabled;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use policy::{AppKind, Grant};
use sandbox::DEVICE_API;
use sandbox::layers::MODULE;
use sys::gpio::RisingEdges;

use crate::board::{BOARD_FILE, Board, BoardError, CAPABILITY_APP_DEVELOPMENT, PowerButton};
use crate::journal::Journal;
use crate::machine::{Machine, MachineError};
use crate::manager::Manager;
use crate::server::{Server, StartDeviceApi};
use crate::store::{Layout, Store, SystemDisk, Verifier};
use crate::system::device_api::{DeviceApi, PORT};
use crate::system::machine::SystemMachine;
use crate::system::mounts::{self, MountError};
use crate::system::power::{self, End};
use crate::system::settings;
use crate::trust;

/// How long the line of a failed boot stays readable before the power goes.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Why the device cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BootError {
    /// A mount that nothing works without failed.
    #[error("{0}")]
    Mount(#[from] MountError),
    /// The board is not described.
    #[error("{0}")]
    Board(#[from] BoardError),
    /// Signals cannot be taken.
    #[error("cannot take signals: {0}")]
    Signals(#[source] Errno),
}

type DeviceServer = Server<SystemMachine, SystemDisk>;

/// Boots the device, serves, and ends its run.
pub fn run() -> ! {
    if std::process::id() != 1 {
        power::say("appman is the first process of a device; boot the image instead");
        std::process::exit(64);
    }
    std::panic::set_hook(Box::new(|panic| {
        power::say(&format!("the manager failed: {panic}"));
        power::say(End::Restart.marker());
        power::kill_everything();
        power::finish(End::Restart);
    }));
    let end = match boot() {
        Ok(mut server) => server.run().unwrap_or_else(|error| {
            power::say(&format!("the manager cannot wait for events: {error}"));
            End::Restart
        }),
        Err(error) => {
            power::say(&format!("cannot boot: {error}"));
            power::say(End::PowerOff.marker());
            std::thread::sleep(LAST_WORDS);
            End::PowerOff
        }
    };
    power::kill_everything();
    if let Err(error) = mounts::unmount_data() {
        power::say(&format!("cannot unmount {}: {error}", mounts::DATA));
    }
    power::finish(end)
}

fn boot() -> Result<DeviceServer, BootError> {
    let signals = take_signals().map_err(BootError::Signals)?;
    let mut failed = Vec::new();
    for mount in mounts::BOOT_MOUNTS {
        match mounts::make(mount) {
            Err(error) if mount.is_needed() => return Err(error.into()),
            other => failed.extend(other.err()),
        }
    }
    let (mut machine, layers) = SystemMachine::start();
    let mut journal = Journal::new(Box::new(io::stdout()), machine.now());
    let mut note = |line: &str| journal.note(machine.now(), line);
    failed.iter().for_each(|error| note(&error.to_string()));
    for error in settings::harden(Path::new("/proc/sys")) {
        note(&error.to_string());
    }
    let board = Board::load(Path::new(BOARD_FILE))?;
    let missing = machine.set_board(&board).err();
    let mut note = |line: &str| journal.note(machine.now(), line);
    missing.iter().for_each(|error| note(&error.to_string()));
    for layer in &layers {
        note(&layer_marker(layer));
    }
    let component = has_module(&layers).then_some(DEVICE_API);
    if component.is_some() {
        for error in prepare_module(&mut machine, &board) {
            journal.note(machine.now(), &error.to_string());
        }
    }
    let mut note = |line: &str| journal.note(machine.now(), line);
    let store = open_store(&board, &mut note);
    let button = board
        .power_button
        .as_ref()
        .and_then(|button| open_button(button, &mut note));
    let mut device_api = DeviceApi {
        interface: board.service_interface.clone(),
        listener: None,
        network: machine.network(),
        cgroups: machine.cgroups().cloned(),
        component,
    };
    let start: StartDeviceApi = Box::new(move |control| device_api.start(&control));
    let address = board.service_interface.address;
    let ready = format!("ready: device API on {address}:{PORT}");
    let mut manager = Manager::new(machine, journal, board, layers, store);
    manager.load_apps();
    Ok(Server::new(manager, signals, button, start, ready))
}

/// Takes the signals that matter out of the asynchronous world. Ctrl-Alt-Del becomes `SIGINT`.
fn take_signals() -> Result<SignalFd, Errno> {
    let mut wanted = SigSet::empty();
    for signal in [Signal::SIGCHLD, Signal::SIGTERM, Signal::SIGINT] {
        wanted.add(signal);
    }
    wanted.thread_block()?;
    // A kernel without the keys has nothing to switch.
    set_cad_enabled(false).ok();
    SignalFd::with_flags(&wanted, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
}

/// Whether the security module is there.
fn has_module(layers: &[LayerStatus]) -> bool {
    let mut layers = layers.iter();
    layers.any(|layer| layer.name == MODULE && layer.enforced)
}

/// Tells the security module what holds from boot on: whether apps may be traced, and that the device API may do
/// nothing by itself. Answers what it refused.
fn prepare_module<M: Machine>(machine: &mut M, board: &Board) -> Vec<MachineError> {
    let mut refused = Vec::new();
    // Before the first rules, so before anybody can become what they are for.
    if board.has_capability(CAPABILITY_APP_DEVELOPMENT) {
        refused.extend(machine.allow_tracing().err());
    }
    let nothing = Grant::none(DEVICE_API, AppKind::HighLevel);
    refused.extend(machine.set_rules(&nothing).err());
    refused
}

/// The console line of a layer.
fn layer_marker(layer: &LayerStatus) -> String {
    let state = if layer.enforced {
        "enforced"
    } else {
        "missing"
    };
    format!("layer {}: {state}: {}", layer.name, layer.detail)
}

fn open_store(board: &Board, note: &mut dyn FnMut(&str)) -> Result<Store<SystemDisk>, String> {
    let (trust, notes) = trust::load(Path::new(trust::TRUSTED_KEYS));
    notes.iter().for_each(|line| note(line));
    let verifier = Verifier::new(trust, board.has_capability(CAPABILITY_APP_DEVELOPMENT))
        .with_real_time_cores(!board.real_time_cores.is_empty());
    let opened = mounts::make_data(&board.data)
        .map_err(|error| error.to_string())
        .and_then(|()| {
            Store::open(SystemDisk, Layout::new(mounts::DATA), verifier)
                .map_err(|error| error.to_string())
        });
    match opened {
        Ok((store, notes)) => {
            notes.iter().for_each(|error| note(&error.to_string()));
            Ok(store)
        }
        Err(error) => {
            note(&format!("no app can be installed or started: {error}"));
            Err(error)
        }
    }
}

fn open_button(button: &PowerButton, note: &mut dyn FnMut(&str)) -> Option<RisingEdges> {
    match RisingEdges::open(&button.chip, button.line, "nacre power button") {
        Ok(line) => Some(line),
        Err(error) => {
            note(&format!(
                "no power button at line {} of {}: {error}",
                button.line, button.chip
            ));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestMachine;

    #[test]
    fn layer_markers_have_the_form_that_tools_look_for() {
        let layer = crate::testing::layer(false);
        assert_eq!(layer_marker(&layer), "layer seccomp: missing: not built in");
        let layer = crate::testing::layer(true);
        assert!(layer_marker(&layer).starts_with("layer seccomp: enforced: "));
    }

    #[test]
    fn only_a_board_for_development_lets_apps_be_traced() {
        for (capabilities, tracing) in [("[11]", true), ("[]", false), ("[13]", false)] {
            let mut board = crate::testing::board();
            board.capabilities = serde_json::from_str(capabilities).unwrap();
            let mut machine = TestMachine::default();
            assert_eq!(prepare_module(&mut machine, &board), []);
            assert_eq!(machine.0.borrow().tracing, tracing);
            assert_eq!(machine.0.borrow().rules, [DEVICE_API]);
        }
    }

    #[test]
    fn what_the_module_refuses_at_boot_is_told_and_the_rest_is_done() {
        for (failing, rules) in [("allow tracing", &[DEVICE_API][..]), ("set rules", &[])] {
            let mut machine = TestMachine::default();
            machine.0.borrow_mut().module_fails = Some(failing);
            let refused = prepare_module(&mut machine, &crate::testing::board());
            assert_eq!(refused.len(), 1, "{refused:?}");
            assert_eq!(machine.0.borrow().rules, rules);
        }
    }

    #[test]
    fn a_module_that_is_not_enforced_is_none() {
        let module = |name: &str, enforced| LayerStatus {
            name: name.to_owned(),
            ..crate::testing::layer(enforced)
        };
        assert!(has_module(&[module("seccomp", true), module("lsm", true)]));
        assert!(!has_module(&[module("lsm", false)]));
        assert!(!has_module(&[module("seccomp", true)]));
    }

    #[test]
    fn a_missing_button_is_told_and_no_reason_to_stop() {
        let mut notes = Vec::new();
        let mut note = |line: &str| notes.push(line.to_owned());
        let button = PowerButton {
            chip: "/nonexistent/gpiochip0".to_owned(),
            line: 3,
        };
        assert!(open_button(&button, &mut note).is_none());
        assert_eq!(notes.len(), 1, "{notes:?}");
    }
}
