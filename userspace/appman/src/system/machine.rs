// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The real machine below the manager: packages are mounted, processes are made by the sandbox.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use broker::{Drive, Request};
use control::{Denial, ExitReason, LayerStatus};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::time::{ClockId, clock_gettime};
use nix::unistd::pipe2;
use policy::{Capability, ComponentId, Grant};
use sandbox::layers::{self, Complete};
use sandbox::{
    Cgroup, Cgroups, LaunchError, Launcher, Limits, Next, PackagePaths, Plan, Process, Report,
};
use sys::gpio::{self, Chip, Use};
use sys::process::{Ended, SingleThreaded};
use sys::real_time::{self, State};

use crate::board::Board;
use crate::broker::Broker;
use crate::cores::Cores;
use crate::machine::{
    AppMemory, DeviceMemory, Firmware, GroupMemory, Launch, Machine, MachineError, Started,
};
use crate::store::Content;
use crate::system::module::SecurityModule;
use crate::system::{devices, figures, mounts, packages};

/// Where the memory figures of the device are.
const MEMORY_INFO: &str = "/proc/meminfo";
/// The libraries that apps and services see.
pub const LIBRARIES: &str = "/lib";
/// Where the device nodes are.
const NODES: &str = "/dev";
/// The name under which the kernel lists the pins of apps.
const PIN_USER: &str = "nacre app";
/// How long a process may take to set up its sandbox and execute its program, before the manager turns
/// to other things. It needs a few milliseconds.
const SETUP_PATIENCE: Duration = Duration::from_secs(2);

/// A running app.
#[derive(Debug)]
struct Running {
    process: Process,
    cgroup: Cgroup,
    /// Kills for want of memory that the group had seen before.
    earlier_kills: u64,
    /// What was read before the start was told; the last word when nothing follows.
    first: Option<Report>,
}

/// The real machine.
#[derive(Debug)]
pub struct SystemMachine {
    complete: Option<Complete>,
    launcher: Option<Launcher>,
    cgroups: Option<Cgroups>,
    module: SecurityModule,
    running: BTreeMap<ComponentId, Running>,
    cores: Cores<real_time::Core>,
    pins: Option<Chip>,
}

impl SystemMachine {
    /// Looks for all layers and starts the launcher. Whatever is missing is a layer that is not enforced, so
    /// that no app starts.
    pub fn start() -> (Self, Vec<LayerStatus>) {
        let found = layers::probe();
        let mut statuses: Vec<LayerStatus> = found
            .iter()
            .map(|layer| status(layer.name, layer.enforced, layer.detail.clone()))
            .collect();
        let complete = layers::require(&found);
        let mut machine = Self {
            complete: complete.as_ref().ok().copied(),
            launcher: None,
            cgroups: None,
            module: SecurityModule::new(Path::new(layers::MODULE_FILES)),
            running: BTreeMap::new(),
            cores: Cores::new(&[]),
            pins: None,
        };
        match Cgroups::prepare(Path::new(sandbox::cgroup::ROOT)) {
            Ok(cgroups) => machine.cgroups = Some(cgroups),
            Err(error) => statuses.push(status("cgroup_tree", false, error.to_string())),
        }
        if let Err(error) = devices::make() {
            let detail = format!("cannot make {}: {error}", devices::DEVICES);
            statuses.push(status("devices", false, detail));
        }
        let started = machine.start_launcher();
        let detail = match &started {
            Ok(()) => "what all apps have in common is set up once".to_owned(),
            Err(error) => error.message.clone(),
        };
        statuses.push(status("launcher", started.is_ok(), detail));
        (machine, statuses)
    }

    /// Learns what the board has for apps: real-time cores and pins.
    ///
    /// # Errors
    /// When there is no chip with the label of the pins; apps get none then.
    pub fn set_board(&mut self, board: &Board) -> Result<(), MachineError> {
        self.cores = Cores::new(&board.real_time_cores);
        if let Some(label) = &board.gpio_chip {
            let found = Chip::find(Path::new(NODES), label);
            self.pins = Some(found.map_err(|errno| {
                let message = format!("no app gets a pin: there is no GPIO chip {label}");
                passing(message, errno as i32)
            })?);
        }
        Ok(())
    }

    fn start_launcher(&mut self) -> Result<(), MachineError> {
        let complete = self
            .complete
            .ok_or_else(|| passing("it needs all other layers".to_owned(), 0))?;
        let single = SingleThreaded::confirm().map_err(|errno| failed("count threads", errno))?;
        let launcher = Launcher::start(&single, complete).map_err(launch_failed)?;
        self.launcher = Some(launcher);
        Ok(())
    }

    /// The empty network, when there is a launcher that has it.
    pub fn network(&self) -> Option<OwnedFd> {
        let launcher = self.launcher.as_ref()?;
        launcher.network().try_clone_to_owned().ok()
    }

    /// The control groups, when there are any.
    pub fn cgroups(&self) -> Option<&Cgroups> {
        self.cgroups.as_ref()
    }

    /// Has a process made, by a new launcher when the old one is gone.
    fn make(
        &mut self,
        plan: &Plan,
        cgroup: &Cgroup,
        output: &OwnedFd,
        broker: Option<&OwnedFd>,
    ) -> Result<Process, MachineError> {
        let broker = broker.map(AsFd::as_fd);
        if let Some(launcher) = &self.launcher {
            match launcher.launch(plan, cgroup, output.as_fd(), broker) {
                Err(LaunchError::Gone { .. }) => self.launcher = None,
                other => return other.map_err(launch_failed),
            }
        }
        self.start_launcher()?;
        let launcher = self.launcher.as_ref();
        let launcher = launcher.ok_or_else(|| passing("there is no launcher".to_owned(), 0))?;
        launcher
            .launch(plan, cgroup, output.as_fd(), broker)
            .map_err(launch_failed)
    }
}

impl Machine for SystemMachine {
    fn now(&self) -> Duration {
        clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(Duration::ZERO, Duration::from)
    }

    fn attach(&mut self, component: ComponentId, content: &Content) -> Result<(), MachineError> {
        packages::attach(component, content)
    }

    fn detach(&mut self, component: ComponentId) -> Result<(), MachineError> {
        packages::detach(component)
    }

    fn vouch(&mut self, component: ComponentId) -> Result<(), MachineError> {
        self.module.vouch(component, &mounts::app_mount(component))
    }

    fn set_rules(&mut self, grant: &Grant<'_>) -> Result<(), MachineError> {
        self.module.set_rules(grant)
    }

    fn forget_rules(&mut self, component: ComponentId) -> Result<(), MachineError> {
        self.module.forget_rules(component)
    }

    fn allow_tracing(&mut self) -> Result<(), MachineError> {
        self.module.allow_tracing()
    }

    fn denials(&self, component: ComponentId) -> Result<Vec<Denial>, MachineError> {
        self.module.denials(component)
    }

    fn launch(&mut self, launch: Launch<'_>) -> Result<Started, MachineError> {
        let component = launch.manifest.component();
        let plan = plan(component, launch)?;
        let cgroups = self.cgroups.as_ref();
        let cgroups = cgroups.ok_or_else(|| lasting("there are no control groups".to_owned()))?;
        let cgroup = cgroups
            .app(component, &Limits::APP)
            .map_err(|error| passing(error.to_string(), 0))?;
        let (output, input) = pipe2(OFlag::O_CLOEXEC).map_err(|errno| failed("pipe", errno))?;
        // Only the reading end: the app waits when it prints faster than it is read.
        fcntl(&output, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))
            .map_err(|errno| failed("read without waiting", errno))?;
        let asks = launch.manifest.grant().has(Capability::Gpio);
        let pair = asks.then(Broker::pair).transpose();
        let (broker, theirs) = pair
            .map_err(|errno| failed("make a socket", errno))?
            .unzip();
        let earlier_kills = cgroup.out_of_memory().unwrap_or_default();
        let mut process = self.make(&plan, &cgroup, &input, theirs.as_ref())?;
        let first = first_report(&mut process);
        if let Some(Report::Refused(failure)) = first {
            bury(&process);
            // The next start takes over a group that stays.
            cgroup.remove().ok();
            return Err(passing(failure.to_string(), failure.errno as i32));
        }
        let number = process.pid.as_raw();
        let running = Running {
            process,
            cgroup,
            earlier_kills,
            first,
        };
        self.running.insert(component, running);
        Ok(Started {
            process: number,
            output: File::from(output),
            broker,
        })
    }

    fn terminate(&mut self, component: ComponentId) {
        if let Some(running) = self.running.get(&component) {
            // One that has ended already is about to be reaped.
            running.process.stop().ok();
        }
    }

    fn kill(&mut self, component: ComponentId) {
        if let Some(running) = self.running.get(&component) {
            // Both, because either alone is enough and neither must be the only one.
            running.cgroup.kill().ok();
            running.process.kill().ok();
        }
    }

    fn collect(&mut self, component: ComponentId, status: i32) -> ExitReason {
        let Some(mut running) = self.running.remove(&component) else {
            return reason(Ended::from_status(status));
        };
        let kills = running.cgroup.out_of_memory().unwrap_or_default();
        // A program that ends at once can be reported as ended and never as running.
        let told = last_report(&mut running.process).or(running.first);
        // The next start takes over a group that stays.
        running.cgroup.remove().ok();
        if kills > running.earlier_kills {
            return ExitReason::OutOfMemory;
        }
        match told {
            Some(Report::Ended(ended)) => reason(Some(ended)),
            Some(Report::Refused(failure)) => ExitReason::SetupFailed {
                errno: failure.errno as i32,
            },
            _ => reason(Ended::from_status(status)),
        }
    }

    fn start_core(&mut self, firmware: &Firmware<'_>) -> Result<u8, MachineError> {
        self.cores.start(firmware)
    }

    fn stop_core(&mut self, component: ComponentId) {
        self.cores.stop(component);
    }

    fn core_state(&self, component: ComponentId) -> Result<State, Errno> {
        self.cores.state(component)
    }

    fn core_event(&self, component: ComponentId) -> Option<BorrowedFd<'_>> {
        self.cores.event(component)
    }

    fn open_pin(&mut self, request: Request) -> Result<OwnedFd, Errno> {
        let chip = self.pins.as_ref().ok_or(Errno::ENODEV)?;
        let opened = chip.line(request.pin(), usage(request), PIN_USER);
        // The chip says so of a line that it does not have.
        opened.map_err(|errno| match errno {
            Errno::EINVAL => Errno::ENODEV,
            other => other,
        })
    }

    fn app_memory(&self, component: ComponentId) -> Option<AppMemory> {
        let memory = self.running.get(&component)?.cgroup.memory().ok()?;
        Some(AppMemory {
            current: memory.current,
            peak: memory.peak,
        })
    }

    fn app_processes(&self, component: ComponentId) -> Vec<i32> {
        let group = Path::new(mounts::CGROUPS).join("apps");
        figures::processes(&group.join(component.to_string()).join("cgroup.procs"))
    }

    fn group_memory(&self) -> GroupMemory {
        let memory = self.cgroups.as_ref().map(Cgroups::apps_memory);
        match memory {
            Some(Ok(memory)) => GroupMemory {
                current: memory.current,
                user: memory.user,
                peak: memory.peak,
            },
            _ => GroupMemory::default(),
        }
    }

    fn device_memory(&self) -> DeviceMemory {
        figures::device_memory(Path::new(MEMORY_INFO))
    }

    fn kernel(&self) -> String {
        nix::sys::utsname::uname().map_or_else(
            |_| String::new(),
            |name| {
                let release = name.release().to_string_lossy();
                format!("{release} {}", name.version().to_string_lossy())
            },
        )
    }
}

/// What a pin is used for.
fn usage(request: Request) -> Use {
    match request {
        Request::Output { drive, high, .. } => Use::Output {
            drive: match drive {
                Drive::PushPull => gpio::Drive::PushPull,
                Drive::OpenDrain => gpio::Drive::OpenDrain,
                Drive::OpenSource => gpio::Drive::OpenSource,
            },
            high,
        },
        Request::Input { .. } => Use::Input,
    }
}

fn status(name: &str, enforced: bool, detail: String) -> LayerStatus {
    LayerStatus {
        name: name.to_owned(),
        enforced,
        detail,
    }
}

fn plan(component: ComponentId, launch: Launch<'_>) -> Result<Plan, MachineError> {
    let package: PathBuf = mounts::app_mount(component);
    let arguments: Vec<&str> = launch
        .manifest
        .arguments()
        .iter()
        .map(String::as_str)
        .collect();
    let paths = PackagePaths {
        package: &package,
        libraries: Path::new(LIBRARIES),
        devices: Path::new(devices::DEVICES),
        mutable: launch.mutable_file,
        entry_point: launch.manifest.entry_point(),
        arguments: &arguments,
    };
    Plan::new(&launch.manifest.grant(), paths, &Limits::APP)
        .map_err(|error| lasting(error.to_string()))
}

/// Waits for the first report of a process. One that is slow is judged when it is collected.
fn first_report(process: &mut Process) -> Option<Report> {
    wait_readable(&process.reports).ok()?;
    match process.reports.take() {
        Next::Report(report) => Some(report),
        Next::Later | Next::Never => None,
    }
}

/// The report that tells how a process ended.
fn last_report(process: &mut Process) -> Option<Report> {
    let mut last = None;
    while let Next::Report(report) = process.reports.take() {
        last = Some(report);
    }
    last
}

/// Reaps a process that has reported its failure and is about to end.
fn bury(process: &Process) {
    process.kill().ok();
    if wait_readable(&process.handle).is_ok() {
        // Whatever is not reaped here is reaped as an orphan.
        waitpid(process.pid, Some(WaitPidFlag::WNOHANG)).ok();
    }
}

fn wait_readable(descriptor: &impl AsFd) -> Result<(), Errno> {
    let mut entries = [PollFd::new(descriptor.as_fd(), PollFlags::POLLIN)];
    let patience = PollTimeout::try_from(SETUP_PATIENCE).unwrap_or(PollTimeout::ZERO);
    match poll(&mut entries, patience)? {
        0 => Err(Errno::ETIMEDOUT),
        _ => Ok(()),
    }
}

fn reason(ended: Option<Ended>) -> ExitReason {
    match ended {
        Some(Ended::Exited(code)) => ExitReason::Exited {
            code: i32::from(code),
        },
        Some(Ended::Signalled(signal)) => ExitReason::Signaled { signal },
        // Only stopped processes have other states, and nobody can stop one.
        None => ExitReason::Signaled { signal: 0 },
    }
}

fn launch_failed(error: LaunchError) -> MachineError {
    let errno = match &error {
        LaunchError::Step(failure) => failure.errno as i32,
        LaunchError::Gone { errno } => *errno as i32,
        _ => 0,
    };
    passing(error.to_string(), errno)
}

fn failed(what: &str, errno: Errno) -> MachineError {
    passing(format!("cannot {what}: {}", errno.desc()), errno as i32)
}

fn passing(message: String, errno: i32) -> MachineError {
    MachineError {
        message,
        errno,
        lasting: false,
    }
}

fn lasting(message: String) -> MachineError {
    MachineError {
        message,
        errno: 0,
        lasting: true,
    }
}
