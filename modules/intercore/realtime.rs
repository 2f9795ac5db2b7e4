// SPDX-License-Identifier: GPL-2.0

//! A real-time core: how it is started and stopped, and what becomes of it.

use kernel::{
    fmt,
    impl_has_delayed_work,
    impl_has_work,
    new_delayed_work,
    new_mutex,
    new_poll_condvar,
    new_work,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Full,
            Relaxed, //
        },
        poll::PollCondVar,
        Arc,
        Mutex, //
    },
    time::{
        msecs_to_jiffies,
        Delta,
        Msecs, //
    },
    workqueue::{
        self,
        DelayedWork,
        Work,
        WorkItem, //
    }, //
};

use intercore::{
    Channel,
    Cores,
    Doorbells,
    Fault,
    Partners,
    Side,
    StartError,
    Ticket, //
};
use policy::ComponentId;

use crate::{
    chip::{
        Chip,
        BUFFER_SIZE, //
    },
    registers::{
        Address,
        Command,
        Event,
        EventEnable,
        Kind,
        Outcome,
        Size,
        Status, //
    },
    run::{
        Again,
        Run, //
    }, //
};

/// How long core control may need for a command, and how often it is looked.
const PATIENCE: u32 = 1000;
const PERIOD: Delta = Delta::from_millis(1);

/// How long a core has before it is told where the buffers are. Firmware that was built with
/// MediaTek's library hangs for ever when that comes while it starts.
const HEAD_START: Delta = Delta::from_millis(50);

/// How long a message may stay unread before the core is rung again, at first and at last. Firmware
/// loses doorbells while it starts.
const FIRST_REMINDER: Msecs = 50;
const LAST_REMINDER: Msecs = 1000;

/// How long the ring waits when there is no memory for a message.
const NO_MEMORY: Msecs = 100;

/// What a core does, as user space is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub(crate) enum State {
    /// It was not started, or it was stopped.
    Stopped = 0,
    /// It runs.
    Running = 1,
    /// It has stopped by itself: it could not go on.
    LockedUp = 2,
    /// It has stopped by itself: its watchdog was not fed.
    Bitten = 3,
    /// It runs, but has broken the protocol.
    Halted = 4,
    /// It has reset itself, and was stopped: who is connected to it would not know.
    Reset = 5,
}

/// What both cores share.
#[pin_data]
pub(crate) struct Shared<C: Chip> {
    #[pin]
    pub(crate) cores: Mutex<Cores<Arc<Run<C>>>>,
    /// Held while a core is started: there is one place for images, and an app runs once.
    #[pin]
    starting: Mutex<()>,
}

impl<C: Chip> Shared<C> {
    pub(crate) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            cores <- new_mutex!(Cores::new(), "intercore::Shared::cores"),
            starting <- new_mutex!((), "intercore::Shared::starting"),
        })
    }

    /// Returns the run of an app.
    pub(crate) fn find(&self, component: ComponentId) -> Option<(Ticket, Arc<Run<C>>)> {
        let mut cores = self.cores.lock();
        let ticket = cores.find(component)?;
        Some((ticket, cores.get(ticket)?.clone()))
    }

    /// Returns a run that is not over.
    pub(crate) fn run(&self, ticket: Ticket) -> Option<Arc<Run<C>>> {
        self.cores.lock().get(ticket).cloned()
    }
}

/// What is done with a core by one at a time.
struct Control {
    /// What was written, and is not loaded yet.
    image: KVVec<u8>,
    /// The driver is unbound.
    gone: bool,
}

/// A real-time core.
#[pin_data]
pub(crate) struct Core<C: Chip> {
    index: usize,
    image_size: usize,
    shared: Arc<Shared<C>>,
    #[pin]
    pub(crate) chip: C,
    #[pin]
    control: Mutex<Control>,
    /// A [`State`], which changes with the lock of `control` held, or from running to halted.
    state: Atomic<i32>,
    /// The core has come to a state by itself that nobody has asked for since.
    news: Atomic<i32>,
    /// There is an open file.
    open: Atomic<i32>,
    #[pin]
    pub(crate) changed: PollCondVar,
    #[pin]
    drain: Work<Core<C>, 0>,
    #[pin]
    reminder: DelayedWork<Core<C>, 1>,
    /// How long the next reminder waits, in milliseconds, and 0 when none is on its way.
    delay: Atomic<u32>,
}

impl_has_work! {
    impl{C: Chip} HasWork<Core<C>, 0> for Core<C> { self.drain }
}

impl_has_delayed_work! {
    impl{C: Chip} HasDelayedWork<Core<C>, 1> for Core<C> { self.reminder }
}

impl<C: Chip> WorkItem<0> for Core<C> {
    type Pointer = Arc<Self>;

    fn run(this: Arc<Self>) {
        this.drain();
    }
}

impl<C: Chip> WorkItem<1> for Core<C> {
    type Pointer = Arc<Self>;

    fn run(this: Arc<Self>) {
        this.look_again();
    }
}

impl<C: Chip> Core<C> {
    pub(crate) fn new<'a>(
        index: usize,
        image_size: usize,
        shared: Arc<Shared<C>>,
        chip: impl PinInit<C> + 'a,
    ) -> impl PinInit<Self> + 'a {
        pin_init!(Self {
            index,
            image_size,
            shared,
            chip <- chip,
            control <- new_mutex!(
                Control {
                    image: KVVec::new(),
                    gone: false,
                },
                "intercore::Core::control"
            ),
            state: Atomic::new(State::Stopped as i32),
            news: Atomic::new(0),
            open: Atomic::new(0),
            changed <- new_poll_condvar!("intercore::Core::changed"),
            drain <- new_work!("intercore::Core::drain"),
            reminder <- new_delayed_work!("intercore::Core::reminder"),
            delay: Atomic::new(0),
        })
    }

    /// Returns what both cores share.
    #[cfg(CONFIG_KUNIT = "y")]
    pub(crate) fn shared(&self) -> &Shared<C> {
        &self.shared
    }

    /// Takes the core for a file; there is one at a time.
    pub(crate) fn open(&self) -> Result {
        if self.control.lock().gone {
            return Err(ENODEV);
        }
        self.open.cmpxchg(0, 1, Full).map_err(|_| EBUSY)?;
        Ok(())
    }

    /// The file is closed.
    pub(crate) fn release(&self) {
        if let Err(error) = self.stop() {
            if error != ENODEV {
                self.tell(format_args!("it could not be stopped: {error:?}"));
            }
        }
        self.open.store(0, Relaxed);
    }

    /// Appends to the image what `read` appends to a vector: all of `size` bytes, or nothing.
    pub(crate) fn append(
        &self,
        size: usize,
        read: impl FnOnce(&mut KVVec<u8>) -> Result<usize>,
    ) -> Result<usize> {
        let mut control = self.control()?;
        if self.is_up() {
            return Err(EBUSY);
        }
        let before = control.image.len();
        if size > self.image_size.saturating_sub(before) {
            return Err(EFBIG);
        }
        match read(&mut control.image) {
            Ok(appended) if appended == size => Ok(size),
            result => {
                control.image.truncate(before);
                Err(result.err().unwrap_or(EFAULT))
            }
        }
    }

    /// Starts the image that was written, as an app with these partners.
    pub(crate) fn start(self: &Arc<Self>, component: ComponentId, partners: KVec<u8>) -> Result {
        let mut control = self.control()?;
        if self.is_up() {
            return Err(EBUSY);
        }
        if control.image.is_empty() {
            return Err(ENODATA);
        }
        if component == ComponentId::NIL {
            return Err(EINVAL);
        }
        Partners::parse(&partners).map_err(|error| {
            self.tell(format_args!("{component}: {error}"));
            EINVAL
        })?;
        let _starting = self.shared.starting.lock();
        if self.shared.cores.lock().find(component).is_some() {
            return Err(EEXIST);
        }
        // A new start is no news.
        self.set(State::Stopped);
        let started = self.launch(&control.image).and_then(|channel| {
            let run = Run::new(self.clone(), component, partners, channel);
            let run = Arc::pin_init(run, GFP_KERNEL)?;
            let started = self.shared.cores.lock().start(self.index, component, run);
            started.map_err(|error| match error {
                StartError::Running => EEXIST,
                StartError::Busy => EBUSY,
                _ => EINVAL,
            })
        });
        if let Err(error) = started {
            self.tell(format_args!("{component} is not started: {error:?}"));
            // Nothing runs half, and no buffer is left to the core.
            let _ = self.command(Command::STOP);
            return Err(error);
        }
        control.image = KVVec::new();
        self.set(State::Running);
        // It may have written already.
        self.schedule();
        Ok(())
    }

    /// Loads an image, lets the core reach two empty buffers, starts it, and tells it where they are.
    fn launch(&self, image: &[u8]) -> Result<Channel<C::Memory>> {
        self.accept(Command::STOP)?;
        let address = self.chip.place(image)?;
        self.chip.write(Address(address))?;
        self.chip.write(Size(u32::try_from(image.len())?))?;
        self.accept(Command::LOAD)?;

        let (buffers, inbound, outbound) = self.chip.buffers();
        let channel = Channel::new(Side::HighLevel, inbound, outbound).map_err(|error| {
            self.tell(format_args!("{error}"));
            EINVAL
        })?;
        for (kind, buffer) in [
            (Kind::INBOUND, buffers.to_high_level()),
            (Kind::OUTBOUND, buffers.to_real_time()),
        ] {
            self.chip.write(kind)?;
            self.chip.write(Address(buffer.address()))?;
            self.chip.write(Size(BUFFER_SIZE))?;
            self.accept(Command::GRANT)?;
        }
        self.accept(Command::START)?;
        self.chip.pause(HEAD_START);
        for entry in buffers.entries() {
            self.chip.post(entry).map_err(|error| {
                self.tell(format_args!("its mailbox takes no entry: {error:?}"));
                ETIMEDOUT
            })?;
        }
        Ok(channel)
    }

    /// Stops the core, and forgets the image.
    pub(crate) fn stop(&self) -> Result {
        let mut control = self.control()?;
        self.end();
        self.accept(Command::STOP)?;
        control.image = KVVec::new();
        self.set(State::Stopped);
        Ok(())
    }

    /// The driver is about to be unbound: the core is stopped, and nobody uses it any more.
    pub(crate) fn retire(&self) {
        let mut control = self.control.lock();
        control.gone = true;
        control.image = KVVec::new();
        self.end();
        if let Err(error) = self.accept(Command::STOP) {
            self.tell(format_args!("it could not be stopped: {error:?}"));
        }
        let _ = self.chip.write(EventEnable(0));
        self.set(State::Stopped);
        drop(control);
        self.changed.notify_all();
        self.chip.disconnect();
    }

    /// Has events of the core interrupt.
    pub(crate) fn listen(&self) -> Result {
        self.accept(Command::STOP)?;
        self.chip.write(Event::STOPPED)?;
        self.chip.write(EventEnable(1))
    }

    /// Returns what the core does. What is asked for is no news any more.
    pub(crate) fn state(&self) -> Result<u32> {
        let _control = self.control()?;
        self.news.store(0, Relaxed);
        Ok(self.state.load(Relaxed).unsigned_abs())
    }

    /// Returns whether there are news, and whether the driver is unbound.
    pub(crate) fn news(&self) -> (bool, bool) {
        let gone = self.control.lock().gone;
        (self.news.load(Relaxed) != 0, gone)
    }

    /// The core may have stopped or been reset by itself.
    pub(crate) fn event(&self) {
        let Ok(_control) = self.control() else {
            return;
        };
        let Ok(status) = self.chip.read::<Status>() else {
            return;
        };
        if !self.is_up() {
            return;
        }
        let state = match status {
            _ if status.is_reset() => State::Reset,
            _ if status.is_running() || status.is_busy() => return,
            _ if status.is_locked_up() => State::LockedUp,
            _ if status.is_bitten() => State::Bitten,
            _ => State::Stopped,
        };
        self.end();
        if state == State::Reset {
            // If that fails it runs on without buffers, and a start tries again.
            let _ = self.accept(Command::STOP);
        }
        self.set(state);
        self.tell(format_args!("it has stopped by itself: {state:?}"));
        self.news.store(1, Relaxed);
        self.changed.notify_all();
    }

    /// The app on the core has broken the protocol.
    pub(crate) fn halted(&self, run: &Run<C>, fault: Fault) {
        let (from, to) = (State::Running as i32, State::Halted as i32);
        if self.state.cmpxchg(from, to, Full).is_err() {
            return;
        }
        run.tell(format_args!("its channel is halted: {fault}"));
        self.news.store(1, Relaxed);
        self.changed.notify_all();
    }

    /// Has the ring of the core read, by a worker of the kernel.
    pub(crate) fn schedule(self: &Arc<Self>) {
        // It is no error that it is about to be read anyway.
        let _ = workqueue::system().enqueue::<Arc<Self>, 0>(self.clone());
    }

    /// Rings doorbells of the core.
    pub(crate) fn ring(&self, doorbells: Doorbells) {
        if !doorbells.is_empty() {
            self.chip.ring(doorbells);
        }
    }

    /// Has the core rung again when it does not read.
    pub(crate) fn remind(self: &Arc<Self>) {
        if self.delay.cmpxchg(0, FIRST_REMINDER, Full).is_ok() {
            self.look_later(FIRST_REMINDER);
        }
    }

    fn look_later(self: &Arc<Self>, delay: Msecs) {
        let _ = workqueue::system()
            .enqueue_delayed::<Arc<Self>, 1>(self.clone(), msecs_to_jiffies(delay));
    }

    /// Reads the ring of the core, and rings the core again if it has not read all that was sent.
    fn look_again(self: &Arc<Self>) {
        self.drain();
        let doorbells = self.current().and_then(|run| run.reminder());
        let Some(doorbells) = doorbells else {
            self.delay.store(0, Relaxed);
            return;
        };
        self.ring(doorbells);
        let delay = (self.delay.load(Relaxed) * 2).clamp(FIRST_REMINDER, LAST_REMINDER);
        self.delay.store(delay, Relaxed);
        self.look_later(delay);
    }

    /// Returns the run of the app on this core.
    fn current(&self) -> Option<Arc<Run<C>>> {
        let mut cores = self.shared.cores.lock();
        let ticket = cores.running(self.index)?;
        cores.get(ticket).cloned()
    }

    /// Reads the ring of the core.
    fn drain(self: &Arc<Self>) {
        let Some(run) = self.current() else {
            return;
        };
        let drained = run.drain();
        self.ring(drained.ring);
        if let Some(fault) = drained.fault {
            run.halted(fault);
        }
        match drained.again {
            Again::WhenRung => {}
            Again::Soon => self.schedule(),
            Again::Later => self.look_later(NO_MEMORY),
        }
    }

    pub(crate) fn tell(&self, what: fmt::Arguments<'_>) {
        self.chip.tell(what);
    }

    /// Locks the core, if the driver is bound.
    fn control(&self) -> Result<kernel::sync::lock::mutex::MutexGuard<'_, Control>> {
        let control = self.control.lock();
        if control.gone {
            return Err(ENODEV);
        }
        Ok(control)
    }

    fn set(&self, state: State) {
        self.state.store(state as i32, Relaxed);
        self.news.store(0, Relaxed);
    }

    /// Whether an app is on the core.
    fn is_up(&self) -> bool {
        let state = self.state.load(Relaxed);
        state == State::Running as i32 || state == State::Halted as i32
    }

    /// Ends the run: nobody finds it any more, and then it is taken down.
    fn end(&self) {
        let run = self.shared.cores.lock().stop(self.index);
        if let Some((_, run)) = run {
            run.close();
        }
    }

    /// Gives a command, which must be carried out.
    fn accept(&self, command: Command) -> Result {
        let outcome = self.command(command)?;
        if outcome == Outcome::DONE {
            return Ok(());
        }
        self.tell(format_args!("core control: {}", outcome.as_str()));
        Err(match outcome {
            Outcome::NOT_FIRMWARE | Outcome::BAD_VECTORS => ENOEXEC,
            Outcome::TOO_LARGE => EFBIG,
            _ => EIO,
        })
    }

    /// Gives a command, and waits until core control has carried it out.
    fn command(&self, command: Command) -> Result<Outcome> {
        self.settle()?;
        self.chip.write(command)?;
        let outcome = self.chip.read()?;
        self.settle()?;
        Ok(outcome)
    }

    /// Waits until core control is not busy.
    fn settle(&self) -> Result {
        for _ in 0..PATIENCE {
            if !self.chip.read::<Status>()?.is_busy() {
                return Ok(());
            }
            self.chip.pause(PERIOD);
        }
        self.tell(format_args!("core control does not answer"));
        Err(ETIMEDOUT)
    }
}
