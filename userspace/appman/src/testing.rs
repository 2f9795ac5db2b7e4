// SPDX-License-Identifier: Apache-2.0 OR MIT

//! What the tests of this crate share: packages, a disk whose power can be cut, a made-up machine.

use std::cell::RefCell;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use ::broker::Request;
use control::{Denial, ExitReason, LayerStatus};
use image_package::{Abi, Builder, Signer, TemporaryFlags, TrustStore};
use nix::errno::Errno;
use policy::{Capability, ComponentId, Grant};
use sys::real_time::State;

use crate::board::Board;
use crate::broker::Broker;
use crate::journal::Journal;
use crate::machine::{
    AppMemory, DeviceMemory, Firmware, GroupMemory, Launch, Machine, MachineError, Started,
};
use crate::manager::Manager;
use crate::store::{Content, Disk, Layout, Store, SystemDisk, Verifier};
use crate::{elf, firmware};

const KEY: &str = include_str!("../../image-package/keys/development-signing.key.pem");
const CERTIFICATE: &str = include_str!("../../image-package/keys/development-signing.crt.pem");

/// An app's component id.
pub(crate) const APP: &str = "2f074b0f-d99d-4692-82d9-ef93a7d6463c";
/// Another one.
pub(crate) const OTHER: &str = "ae4714aa-03aa-492b-9663-962f966a9cc3";

pub(crate) fn id(text: &str) -> ComponentId {
    text.parse().unwrap()
}

pub(crate) fn signer() -> Signer {
    Signer::from_pem(KEY, CERTIFICATE).unwrap()
}

pub(crate) fn verifier(development: bool) -> Verifier {
    let trust = TrustStore::from_der_certificates([signer().certificate()]).unwrap();
    Verifier::new(trust, development).with_real_time_cores(true)
}

/// A package in the making, good unless changed.
pub(crate) struct Image {
    pub(crate) component: ComponentId,
    pub(crate) image: ComponentId,
    pub(crate) capabilities: &'static str,
    pub(crate) entry_point: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) manifest: Option<String>,
    pub(crate) depends: Vec<Abi>,
    pub(crate) flags: TemporaryFlags,
    pub(crate) program: Vec<u8>,
    pub(crate) executable: bool,
}

impl Image {
    pub(crate) fn new(component: &str) -> Self {
        Self {
            component: id(component),
            image: id("6415a939-c098-48cf-8e5c-02b52a9f0ffb"),
            capabilities: "{}",
            entry_point: "/bin/app",
            kind: "Default",
            manifest: None,
            depends: vec![Abi::application_runtime(12)],
            flags: TemporaryFlags::UNDER_DEVELOPMENT,
            program: elf::tests::program(Some(elf::INTERPRETER)),
            executable: true,
        }
    }

    /// An app for a real-time core.
    pub(crate) fn real_time(component: &str) -> Self {
        Self {
            kind: "RealTimeCapable",
            program: firmware::tests::firmware(),
            ..Self::new(component)
        }
    }

    /// The same app, another build.
    pub(crate) fn build(mut self, number: u8) -> Self {
        self.image = ComponentId::from_bytes([number; 16]);
        self
    }

    pub(crate) fn capabilities(mut self, capabilities: &'static str) -> Self {
        self.capabilities = capabilities;
        self
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let manifest = self.manifest.clone().unwrap_or_else(|| {
            format!(
                r#"{{"SchemaVersion":1,"Name":"test","ComponentId":"{}","EntryPoint":"{}","CmdArgs":[],"Capabilities":{},"ApplicationType":"{}","TargetApplicationRuntimeVersion":12}}"#,
                self.component, self.entry_point, self.capabilities, self.kind
            )
        });
        let mut builder = Builder::new(self.component, "test").unwrap();
        builder
            .image(self.image)
            .temporary(self.flags)
            .depends(&self.depends);
        builder.manifest(manifest.as_bytes()).unwrap();
        builder
            .file("bin/app", &self.program, self.executable)
            .unwrap();
        builder.build(&signer()).unwrap()
    }
}

/// Sends an image in two chunks.
pub(crate) fn stage<D: Disk>(
    store: &mut Store<D>,
    bytes: &[u8],
) -> Result<ComponentId, crate::store::StoreError> {
    store.begin(bytes.len() as u64, u64::MAX, u64::MAX)?;
    let (first, second) = bytes.split_at(bytes.len() / 2);
    store.chunk(first)?;
    store.chunk(second)?;
    store.end()
}

/// What can be lost when the power goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loss {
    /// Nothing: everything had reached the medium.
    Nothing,
    /// Content that was not synchronised; names had reached the medium.
    Content,
    /// Everything that was not synchronised.
    Everything,
}

enum Undo {
    Content {
        file: File,
        length: u64,
    },
    Creation {
        path: PathBuf,
    },
    Removal {
        path: PathBuf,
        content: Vec<u8>,
    },
    Rename {
        from: PathBuf,
        to: PathBuf,
        replaced: Option<Vec<u8>>,
    },
}

impl Undo {
    fn is_within(&self, directory: &Path) -> bool {
        let path = match self {
            Self::Content { .. } => return false,
            Self::Creation { path } | Self::Removal { path, .. } => path,
            Self::Rename { to, .. } => to,
        };
        path.parent() == Some(directory)
    }
}

#[derive(Default)]
struct Power {
    left: Option<usize>,
    free: Option<u64>,
    unsynchronised: Vec<Undo>,
}

/// A disk whose power goes after a number of operations, which loses what was not synchronised, and
/// which can be full.
#[derive(Clone, Default)]
pub(crate) struct TestDisk {
    power: Rc<RefCell<Power>>,
}

impl TestDisk {
    /// The power goes after this many operations.
    pub(crate) fn cut_after(&self, operations: usize) {
        self.power.borrow_mut().left = Some(operations);
    }

    /// Only this many bytes are free.
    pub(crate) fn set_free(&self, bytes: u64) {
        self.power.borrow_mut().free = Some(bytes);
    }

    /// The power goes now; what may be lost is lost.
    pub(crate) fn lose(&self, loss: Loss) {
        let undos = std::mem::take(&mut self.power.borrow_mut().unsynchronised);
        for undo in undos.into_iter().rev() {
            // What was synchronised under a later name has no earlier name to go back to.
            match undo {
                _ if loss == Loss::Nothing => {}
                Undo::Content { file, length } => file.set_len(length).unwrap(),
                _ if loss == Loss::Content => {}
                Undo::Creation { path } => drop(fs::remove_file(path)),
                Undo::Removal { path, content } => fs::write(path, content).unwrap(),
                Undo::Rename { from, to, replaced } => {
                    if fs::rename(&to, from).is_ok()
                        && let Some(content) = replaced
                    {
                        fs::write(to, content).unwrap();
                    }
                }
            }
        }
    }

    fn operation(&self) -> io::Result<()> {
        let mut power = self.power.borrow_mut();
        match &mut power.left {
            Some(0) => Err(io::Error::other("the power is gone")),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn note(&self, undo: Undo) {
        self.power.borrow_mut().unsynchronised.push(undo);
    }
}

impl Disk for TestDisk {
    fn make_directory(&mut self, path: &Path) -> io::Result<()> {
        self.operation()?;
        SystemDisk.make_directory(path)
    }

    fn create(&mut self, path: &Path) -> io::Result<File> {
        self.operation()?;
        if let Ok(content) = fs::read(path) {
            let path = path.to_path_buf();
            self.note(Undo::Removal { path, content });
        }
        let file = SystemDisk.create(path)?;
        let path = path.to_path_buf();
        self.note(Undo::Creation { path });
        Ok(file)
    }

    fn append(&mut self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        let length = file.metadata()?.len();
        self.note(Undo::Content {
            file: file.try_clone()?,
            length,
        });
        if let Err(error) = self.operation() {
            // The power may go in the middle of a write.
            file.write_all(bytes.get(..bytes.len() / 2).unwrap())?;
            return Err(error);
        }
        SystemDisk.append(file, bytes)
    }

    fn sync(&mut self, file: &File) -> io::Result<()> {
        self.operation()?;
        let mut power = self.power.borrow_mut();
        power
            .unsynchronised
            .retain(|undo| !matches!(undo, Undo::Content { .. }));
        SystemDisk.sync(file)
    }

    fn sync_directory(&mut self, path: &Path) -> io::Result<()> {
        self.operation()?;
        let mut power = self.power.borrow_mut();
        power.unsynchronised.retain(|undo| !undo.is_within(path));
        SystemDisk.sync_directory(path)
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.operation()?;
        self.note(Undo::Rename {
            from: from.to_path_buf(),
            to: to.to_path_buf(),
            replaced: fs::read(to).ok(),
        });
        SystemDisk.rename(from, to)
    }

    fn remove_file(&mut self, path: &Path) -> io::Result<()> {
        self.operation()?;
        if let Ok(content) = fs::read(path) {
            let path = path.to_path_buf();
            self.note(Undo::Removal { path, content });
        }
        SystemDisk.remove_file(path)
    }

    fn remove_directory(&mut self, path: &Path) -> io::Result<()> {
        self.operation()?;
        SystemDisk.remove_directory(path)
    }

    fn share(&mut self, file: &File) -> io::Result<()> {
        self.operation()?;
        SystemDisk.share(file)
    }

    fn free_space(&self, path: &Path) -> io::Result<u64> {
        match self.power.borrow().free {
            Some(free) => Ok(free),
            None => SystemDisk.free_space(path),
        }
    }
}

/// A store in a directory of its own.
pub(crate) fn store(root: &Path) -> (Store<TestDisk>, TestDisk) {
    let disk = TestDisk::default();
    let (store, notes) = Store::open(disk.clone(), Layout::new(root), verifier(true)).unwrap();
    assert!(notes.is_empty(), "{notes:?}");
    (store, disk)
}

/// What a made-up machine was told and is to answer.
#[derive(Default)]
pub(crate) struct Fake {
    pub(crate) now: Duration,
    pub(crate) mounted: Vec<ComponentId>,
    pub(crate) launched: Vec<(ComponentId, Option<PathBuf>)>,
    pub(crate) terminated: Vec<ComponentId>,
    pub(crate) killed: Vec<ComponentId>,
    pub(crate) pipes: Vec<File>,
    pub(crate) vouched: Vec<ComponentId>,
    pub(crate) rules: Vec<ComponentId>,
    pub(crate) tracing: bool,
    pub(crate) denied: Vec<(ComponentId, Denial)>,
    pub(crate) attach_fails: bool,
    pub(crate) module_fails: Option<&'static str>,
    pub(crate) launch_fails: bool,
    pub(crate) end: Option<ExitReason>,
    /// Which app each core runs.
    pub(crate) cores: [Option<ComponentId>; 2],
    pub(crate) partners: Vec<ComponentId>,
    pub(crate) core_state: Option<Result<State, Errno>>,
    /// What apps got to ask for pins with.
    pub(crate) sockets: Vec<OwnedFd>,
    pub(crate) pins: Vec<Request>,
}

impl Fake {
    /// The answer of the security module to this request.
    fn module(&self, request: &str) -> Result<(), MachineError> {
        match self.module_fails {
            Some(failing) if failing == request => Err(machine_error("the module refuses")),
            _ => Ok(()),
        }
    }
}

/// A made-up machine. Processes are numbered from 100 on.
#[derive(Clone)]
pub(crate) struct TestMachine(pub(crate) Rc<RefCell<Fake>>, Rc<OwnedFd>);

impl Default for TestMachine {
    fn default() -> Self {
        let (never, _) = nix::unistd::pipe().unwrap();
        Self(Rc::default(), Rc::new(never))
    }
}

impl TestMachine {
    pub(crate) fn wait(&self, time: Duration) {
        self.0.borrow_mut().now += time;
    }
}

fn machine_error(message: &str) -> MachineError {
    MachineError {
        message: message.to_owned(),
        errno: 12,
        lasting: false,
    }
}

impl Machine for TestMachine {
    fn now(&self) -> Duration {
        self.0.borrow().now
    }

    fn attach(&mut self, component: ComponentId, content: &Content) -> Result<(), MachineError> {
        let mut fake = self.0.borrow_mut();
        if fake.attach_fails {
            return Err(machine_error("no loop device is free"));
        }
        assert!(content.file_system_size > 0);
        assert!(!fake.mounted.contains(&component));
        fake.mounted.push(component);
        Ok(())
    }

    fn detach(&mut self, component: ComponentId) -> Result<(), MachineError> {
        let mut fake = self.0.borrow_mut();
        assert!(fake.mounted.contains(&component));
        fake.mounted.retain(|mounted| *mounted != component);
        fake.vouched.retain(|vouched| *vouched != component);
        Ok(())
    }

    fn vouch(&mut self, component: ComponentId) -> Result<(), MachineError> {
        let mut fake = self.0.borrow_mut();
        fake.module("vouch")?;
        assert!(fake.mounted.contains(&component));
        assert!(!fake.vouched.contains(&component));
        fake.vouched.push(component);
        Ok(())
    }

    fn set_rules(&mut self, grant: &Grant<'_>) -> Result<(), MachineError> {
        let mut fake = self.0.borrow_mut();
        fake.module("set rules")?;
        fake.rules.retain(|known| *known != grant.component);
        fake.rules.push(grant.component);
        Ok(())
    }

    fn forget_rules(&mut self, component: ComponentId) -> Result<(), MachineError> {
        let mut fake = self.0.borrow_mut();
        fake.module("forget rules")?;
        fake.rules.retain(|known| *known != component);
        Ok(())
    }

    fn allow_tracing(&mut self) -> Result<(), MachineError> {
        let mut fake = self.0.borrow_mut();
        fake.module("allow tracing")?;
        assert!(fake.rules.is_empty(), "too late");
        fake.tracing = true;
        Ok(())
    }

    fn denials(&self, component: ComponentId) -> Result<Vec<Denial>, MachineError> {
        let fake = self.0.borrow();
        fake.module("denials")?;
        let denied = fake.denied.iter().filter(|(of, _)| *of == component);
        Ok(denied.map(|(_, denial)| denial.clone()).collect())
    }

    fn launch(&mut self, launch: Launch<'_>) -> Result<Started, MachineError> {
        let mut fake = self.0.borrow_mut();
        if fake.launch_fails {
            return Err(machine_error("no process is free"));
        }
        let component = launch.manifest.component();
        assert!(fake.mounted.contains(&component));
        assert!(fake.vouched.contains(&component));
        assert!(fake.rules.contains(&component));
        fake.launched
            .push((component, launch.mutable_file.map(Path::to_path_buf)));
        let (output, input) = nix::unistd::pipe2(nix::fcntl::OFlag::O_NONBLOCK).unwrap();
        fake.pipes.push(File::from(input));
        let asks = launch.manifest.grant().has(Capability::Gpio);
        let pair = asks.then(|| Broker::pair().unwrap());
        let (broker, socket) = pair.unzip();
        fake.sockets.extend(socket);
        Ok(Started {
            broker,
            process: 99 + i32::try_from(fake.launched.len()).unwrap(),
            output: File::from(output),
        })
    }

    fn terminate(&mut self, component: ComponentId) {
        self.0.borrow_mut().terminated.push(component);
    }

    fn kill(&mut self, component: ComponentId) {
        self.0.borrow_mut().killed.push(component);
    }

    fn collect(&mut self, _: ComponentId, status: i32) -> ExitReason {
        let end = self.0.borrow_mut().end.take();
        end.unwrap_or(ExitReason::Exited { code: status })
    }

    fn start_core(&mut self, firmware: &Firmware<'_>) -> Result<u8, MachineError> {
        let mut fake = self.0.borrow_mut();
        if fake.launch_fails {
            return Err(machine_error("no core answers"));
        }
        assert!(!firmware.content.program.is_empty());
        let free = fake.cores.iter().position(Option::is_none).unwrap();
        fake.cores[free] = Some(firmware.component);
        fake.partners = firmware.partners.to_vec();
        Ok(u8::try_from(free).unwrap())
    }

    fn stop_core(&mut self, component: ComponentId) {
        for core in &mut self.0.borrow_mut().cores {
            core.take_if(|app| *app == component);
        }
    }

    fn core_state(&self, _: ComponentId) -> Result<State, Errno> {
        self.0
            .borrow_mut()
            .core_state
            .take()
            .unwrap_or(Ok(State::Running))
    }

    fn core_event(&self, component: ComponentId) -> Option<BorrowedFd<'_>> {
        let running = self.0.borrow().cores.contains(&Some(component));
        running.then(|| self.1.as_fd())
    }

    fn open_pin(&mut self, request: Request) -> Result<OwnedFd, Errno> {
        self.0.borrow_mut().pins.push(request);
        Ok(File::open("/dev/null").unwrap().into())
    }

    fn app_memory(&self, _: ComponentId) -> Option<AppMemory> {
        Some(AppMemory {
            current: 4096,
            peak: 8192,
        })
    }

    fn app_processes(&self, _: ComponentId) -> Vec<i32> {
        vec![7]
    }

    fn group_memory(&self) -> GroupMemory {
        GroupMemory {
            current: 3,
            user: 2,
            peak: 5,
        }
    }

    fn device_memory(&self) -> DeviceMemory {
        DeviceMemory {
            total_kib: 57_344,
            available_kib: 50_000,
        }
    }

    fn kernel(&self) -> String {
        "6.18.15 test".to_owned()
    }
}

/// A board with the app-development capability.
pub(crate) fn board() -> Board {
    Board::parse(
        br#"{"name":"test","osVersion":"0.1.0","data":{"source":"d","type":"t"},
        "serviceInterface":{"name":"eth0","address":"192.168.35.2","netmask":"255.255.255.0"},
        "capabilities":[11]}"#,
    )
    .unwrap()
}

/// A kind of refusal, met by this hook.
pub(crate) fn denial(hook: &str) -> Denial {
    Denial {
        count: 3,
        last_ns: 7_000_000_000,
        hook: hook.to_owned(),
        object: "tcp".to_owned(),
        errno: "EPERM".to_owned(),
        key: Some("AllowedConnections".to_owned()),
    }
}

pub(crate) fn layer(enforced: bool) -> LayerStatus {
    LayerStatus {
        name: "seccomp".to_owned(),
        enforced,
        detail: "not built in".to_owned(),
    }
}

/// A manager over a store in a directory, with what is installed there started.
pub(crate) fn manager(root: &Path) -> (Manager<TestMachine, TestDisk>, TestMachine) {
    let machine = TestMachine::default();
    let journal = Journal::new(Box::new(io::sink()), Duration::ZERO);
    let store = Ok(store(root).0);
    let layers = vec![layer(true)];
    let mut manager = Manager::new(machine.clone(), journal, board(), layers, store);
    manager.load_apps();
    assert!(manager.advance().is_none());
    (manager, machine)
}
