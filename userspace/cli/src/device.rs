// SPDX-License-Identifier: Apache-2.0 OR MIT

//! `nacre device`: what is asked of a device, and how its answers are told.

use std::fs::{self, File};
use std::io::{self, IsTerminal, Read};
use std::path::Path;
use std::thread;
use std::time::Duration;

use control::{AppInfo, AppState, DeviceInfo, ExitReason};
use policy::ComponentId;
use serde::Deserialize;
use serde_json::{Value, json};
use ureq::http::Method;

use crate::arguments::{
    AppCommand, DeleteArguments, DeployArguments, DeviceCommand, LogsArguments, SideloadCommand,
};
use crate::client::Device;
use crate::explain;
use crate::failure::Failure;
use crate::follow::new_part;
use crate::output::{self, Report, field, line, printable};
use crate::package;

/// The name of the debugger's component, which deletes and starts of all apps leave out.
const DEBUGGER: &str = "gdbserver";

/// `image_type` of an app.
const APPLICATION: u16 = 10;

/// How often a followed log is read.
const FOLLOW_INTERVAL: Duration = Duration::from_millis(500);

/// The part of `/images` that is used here.
#[derive(Deserialize)]
struct Images {
    components: Vec<Component>,
}

#[derive(Deserialize)]
struct Component {
    uid: ComponentId,
    image_type: u16,
    name: String,
}

#[derive(Deserialize)]
struct Uptime {
    uptime: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct State {
    state: AppState,
    real_time_core: Option<u8>,
}

impl State {
    /// The state, and the core of an app that has one.
    fn in_words(&self) -> String {
        match self.real_time_core {
            Some(core) => format!("{} on real-time core {core}", word(self.state)),
            None => word(self.state).to_owned(),
        }
    }
}

/// Runs a command; `None` when it printed what it had to say itself.
///
/// # Errors
/// [`Failure::Refused`] and [`Failure::Unreachable`] foremost.
pub fn run(
    device: &Device,
    command: &DeviceCommand,
    as_json: bool,
) -> Result<Option<Report>, Failure> {
    let report = match command {
        DeviceCommand::Status => status(device)?,
        DeviceCommand::Restart => restart(device)?,
        DeviceCommand::Sideload(SideloadCommand::Deploy(arguments)) => deploy(device, arguments)?,
        DeviceCommand::Sideload(SideloadCommand::Delete(arguments)) => delete(device, arguments)?,
        DeviceCommand::App(AppCommand::Start(app)) => control(device, app.component_id, "start")?,
        DeviceCommand::App(AppCommand::Stop(app)) => control(device, app.component_id, "stop")?,
        DeviceCommand::App(AppCommand::Status(app)) => app_status(device, app.component_id)?,
        DeviceCommand::App(AppCommand::Grants(app)) => grants(device, app.component_id)?,
        DeviceCommand::App(AppCommand::Denials(app)) => {
            explain::denials(device, &chosen(device, app.component_id)?)?
        }
        DeviceCommand::App(AppCommand::Logs(arguments)) => {
            logs(device, arguments, as_json)?;
            return Ok(None);
        }
    };
    Ok(Some(report))
}

fn status(device: &Device) -> Result<Report, Failure> {
    let action = "read the status of the device";
    let Uptime { uptime } = device.get(action, "/status")?;
    let info: DeviceInfo = device.get(action, "/nacre/device")?;
    let mut text = String::new();
    field(&mut text, "Board", &info.board);
    field(&mut text, "OS version", &info.os_version);
    field(&mut text, "Kernel", &info.kernel);
    field(&mut text, "API set", info.abi.application_runtime);
    field(&mut text, "Uptime", format!("{uptime} s"));
    let memory = format!(
        "{} KiB of {} KiB available",
        info.memory_available_kib, info.memory_total_kib
    );
    field(&mut text, "Memory", memory);
    let capabilities: Vec<String> = info.capabilities.iter().map(capability).collect();
    field(&mut text, "Capabilities", capabilities.join(", "));
    line(&mut text, "Layers:");
    for layer in &info.layers {
        let state = if layer.enforced {
            "enforced"
        } else {
            "MISSING"
        };
        line(
            &mut text,
            format_args!("  {:<16}{state:<10}{}", layer.name, layer.detail),
        );
    }
    let mut json = json!(info);
    if let Some(object) = json.as_object_mut() {
        object.insert("uptime".to_owned(), uptime.into());
    }
    Ok(Report::new(json, text))
}

/// A device capability with its name.
fn capability(number: &u32) -> String {
    match number {
        11 => "11 (app development)".to_owned(),
        12 => "12 (RF test)".to_owned(),
        13 => "13 (field servicing)".to_owned(),
        other => other.to_string(),
    }
}

fn restart(device: &Device) -> Result<Report, Failure> {
    let json = device.act("restart the device", Method::POST, "/restart")?;
    Ok(Report::new(json, "the device restarts\n"))
}

fn deploy(device: &Device, arguments: &DeployArguments) -> Result<Report, Failure> {
    let path = arguments.package.image_package.as_path();
    let component = match package::open(path) {
        Ok(package) => Some(package.metadata().component),
        Err(_) if arguments.force => None,
        Err(failure) => return Err(failure),
    };
    let action = format!("deploy {}", path.display());
    stage(device, &action, path)?;
    let mode = if arguments.manual_start {
        "Manual"
    } else {
        "Auto"
    };
    let body = json!({"appControlMode": mode});
    let answer = device.send_json(&action, Method::POST, "/update/install", &body)?;
    let mut text = format!("deployed {}\n", path.display());
    let state = match component {
        Some(component) => {
            let state = state(device, component)?;
            line(&mut text, format_args!("{component}: {}", state.in_words()));
            Some(state.state)
        }
        None => None,
    };
    if answer.get("restartingSystem") == Some(&Value::Bool(true)) {
        line(&mut text, "the device restarts");
    }
    let json = json!({"componentId": component, "state": state, "device": answer});
    Ok(Report::new(json, text))
}

/// Sends an image package, with progress when someone watches.
fn stage(device: &Device, action: &str, path: &Path) -> Result<(), Failure> {
    let file = File::open(path).map_err(Failure::read(path))?;
    let length = fs::metadata(path).map_err(Failure::read(path))?.len();
    let mut progress = Progress {
        file,
        length,
        sent: 0,
        shown: None,
        watched: io::stderr().is_terminal(),
    };
    let result = device.stage(action, &mut progress, length);
    progress.clear();
    result
}

/// A file that shows how much of it was read.
struct Progress {
    file: File,
    length: u64,
    sent: u64,
    shown: Option<u64>,
    watched: bool,
}

impl Progress {
    fn show(&mut self) {
        let percent = self.sent.saturating_mul(100).checked_div(self.length);
        if self.watched && percent != self.shown {
            self.shown = percent;
            let percent = percent.unwrap_or(100);
            eprint!("\rsending {percent:>3} % of {} bytes", self.length);
        }
    }

    fn clear(&self) {
        if self.shown.is_some() {
            eprint!("\r\x1b[K");
        }
    }
}

impl Read for Progress {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.sent = self.sent.saturating_add(read as u64);
        self.show();
        Ok(read)
    }
}

fn delete(device: &Device, arguments: &DeleteArguments) -> Result<Report, Failure> {
    let components = match arguments.component_id {
        Some(component) => vec![component],
        None => apps(device, "list the apps to delete")?
            .into_iter()
            .map(|(component, _)| component)
            .filter(|component| !arguments.except_component_ids.contains(component))
            .collect(),
    };
    let mut text = String::new();
    for component in &components {
        let action = format!("delete {component}");
        device.act(&action, Method::DELETE, &format!("/app/image/{component}"))?;
        line(&mut text, format_args!("{component}: deleted"));
    }
    if components.is_empty() {
        line(&mut text, "there is no app to delete");
    }
    Ok(Report::new(json!({"deleted": components}), text))
}

/// All apps but the debugger, with their names.
fn apps(device: &Device, action: &str) -> Result<Vec<(ComponentId, String)>, Failure> {
    let images: Images = device.get(action, "/images")?;
    Ok(images
        .components
        .into_iter()
        .filter(|component| component.image_type == APPLICATION && component.name != DEBUGGER)
        .map(|component| (component.uid, component.name))
        .collect())
}

/// The one app that was named, or all of them.
fn chosen(
    device: &Device,
    component: Option<ComponentId>,
) -> Result<Vec<(ComponentId, String)>, Failure> {
    match component {
        Some(component) => Ok(vec![(component, String::new())]),
        None => apps(device, "list the apps"),
    }
}

fn control(
    device: &Device,
    component: Option<ComponentId>,
    trigger: &str,
) -> Result<Report, Failure> {
    let mut text = String::new();
    let mut states = Vec::new();
    for (component, name) in chosen(device, component)? {
        let action = format!("{trigger} {component}");
        let path = format!("/app/status/{component}");
        let body = json!({"trigger": trigger});
        let answer = device.send_json(&action, Method::PATCH, &path, &body)?;
        let state = State::deserialize(&answer).map_err(|error| Failure::Answer {
            action,
            what: format!("no state ({error})"),
        })?;
        add_state(&mut text, &mut states, component, &name, &state);
    }
    Ok(state_report(text, states))
}

fn app_status(device: &Device, component: Option<ComponentId>) -> Result<Report, Failure> {
    let mut text = String::new();
    let mut states = Vec::new();
    for (component, name) in chosen(device, component)? {
        let state = state(device, component)?;
        add_state(&mut text, &mut states, component, &name, &state);
    }
    Ok(state_report(text, states))
}

fn state(device: &Device, component: ComponentId) -> Result<State, Failure> {
    let action = format!("read the status of {component}");
    device.get(&action, &format!("/app/status/{component}"))
}

fn add_state(
    text: &mut String,
    states: &mut Vec<Value>,
    component: ComponentId,
    name: &str,
    state: &State,
) {
    let name_part = if name.is_empty() {
        String::new()
    } else {
        format!(" ({name})")
    };
    line(
        text,
        format_args!("{component}{name_part}: {}", state.in_words()),
    );
    let mut json = json!({"componentId": component, "state": state.state});
    if let (Some(object), Some(core)) = (json.as_object_mut(), state.real_time_core) {
        object.insert("realTimeCore".to_owned(), core.into());
    }
    states.push(json);
}

fn state_report(mut text: String, states: Vec<Value>) -> Report {
    if states.is_empty() {
        line(&mut text, "there is no app on the device");
    }
    Report::new(json!({"apps": states}), text)
}

const fn word(state: AppState) -> &'static str {
    match state {
        AppState::Running => "running",
        AppState::Stopped => "stopped",
        AppState::Debugging => "debugging",
        AppState::NotPresent => "not present",
    }
}

fn grants(device: &Device, component: ComponentId) -> Result<Report, Failure> {
    let action = format!("read what {component} may do");
    let app: AppInfo = device.get(&action, &format!("/nacre/app/{component}"))?;
    let mut text = String::new();
    field(
        &mut text,
        "App",
        format!("{} ({})", app.name, app.component),
    );
    let starts = format!(
        "{}, started {} times since boot",
        word(app.state),
        app.starts
    );
    field(&mut text, "State", starts);
    if let Some(core) = app.real_time_core {
        field(&mut text, "Real-time core", core);
    }
    if let Some(exit) = app.last_exit {
        field(&mut text, "Last end", exit_words(exit));
    }
    if let Some(reason) = &app.refused {
        field(&mut text, "Not started", reason);
    }
    field(&mut text, "User id", app.uid);
    if let (Some(now), Some(peak)) = (app.memory_bytes, app.memory_peak_bytes) {
        field(
            &mut text,
            "Memory",
            format!("{now} bytes, at most {peak} bytes"),
        );
    }
    package::list_grants(&mut text, &app.grants);
    Ok(Report::new(json!(app), text))
}

/// How a process ended, in words.
fn exit_words(exit: ExitReason) -> String {
    match exit {
        ExitReason::Exited { code } => format!("exit code {code}"),
        ExitReason::Signaled { signal } => format!("ended by signal {signal}"),
        ExitReason::OutOfMemory => "over its memory limit".to_owned(),
        ExitReason::LockedUp => "its real-time core locked up".to_owned(),
        ExitReason::Watchdog => "ended by the watchdog of its real-time core".to_owned(),
        ExitReason::Reset => "its real-time core reset itself".to_owned(),
        ExitReason::Stopped { forced: false } => "stopped".to_owned(),
        ExitReason::Stopped { forced: true } => "stopped with SIGKILL".to_owned(),
        ExitReason::SetupFailed { errno } => {
            let error = io::Error::from_raw_os_error(errno);
            format!("could not be started: {error}")
        }
        _ => "in a way that this version does not know".to_owned(),
    }
}

fn logs(device: &Device, arguments: &LogsArguments, as_json: bool) -> Result<(), Failure> {
    let component = arguments.app.component_id;
    let action = format!("read what {component} printed");
    let path = format!("/nacre/app/{component}/log");
    let mut before = device.get_bytes(&action, &path)?;
    print_log(&before, as_json)?;
    if !arguments.follow {
        return Ok(());
    }
    loop {
        thread::sleep(FOLLOW_INTERVAL);
        let now = device.get_bytes(&action, &path)?;
        let new = new_part(&before, &now);
        if !new.is_empty() {
            print_log(new, as_json)?;
        }
        before = now;
    }
}

fn print_log(bytes: &[u8], as_json: bool) -> Result<(), Failure> {
    let printed = if as_json {
        let text = String::from_utf8_lossy(bytes);
        output::print(format!("{}\n", json!({"log": text})).as_bytes())
    } else if io::stdout().is_terminal() {
        output::print(printable(bytes, true).as_bytes())
    } else {
        output::print(bytes)
    };
    printed.map_err(Failure::write(Path::new("standard output")))
}
