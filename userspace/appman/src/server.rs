// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The poll loop: waits for what happens next, and lets the manager deal with it.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use control::{Channel, ChannelError, Request};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use nix::sys::signalfd::SignalFd;
use policy::ComponentId;
use sys::gpio::RisingEdges;
use sys::process::{Ended, Wait, wait_any};

use crate::lifecycle::STOP_GRACE;
use crate::machine::Machine;
use crate::manager::{KILL_GRACE, Manager};
use crate::service::{Answer, answer};
use crate::store::Disk;
use crate::supervisor::Supervisor;
use crate::system::power::End;

/// What the device API gets to send its last answer before the device goes down.
const LAST_ANSWER: Duration = Duration::from_millis(500);

/// Starts the device API with its end of the control channel. Answers its process.
pub type StartDeviceApi = Box<dyn FnMut(OwnedFd) -> Result<i32, String>>;

/// What can wake the loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Signals,
    Control,
    Button,
    Output(ComponentId),
    Broker(ComponentId),
    Core(ComponentId),
}

impl Source {
    /// What wakes.
    fn events(self) -> PollFlags {
        match self {
            // A core that stopped by itself.
            Self::Core(_) => PollFlags::POLLPRI,
            _ => PollFlags::POLLIN,
        }
    }
}

/// The loop and what it waits for.
pub struct Server<M, D> {
    manager: Manager<M, D>,
    signals: SignalFd,
    button: Option<RisingEdges>,
    device_api: Supervisor,
    start_device_api: StartDeviceApi,
    channel: Option<Channel>,
    end: Option<(End, Duration)>,
    ready: Option<String>,
}

impl<M: Machine, D: Disk> Server<M, D> {
    /// A loop around a manager. `signals` delivers `SIGCHLD`, `SIGTERM` and `SIGINT`; `ready` is the line
    /// of the log once the device API is started for the first time.
    pub fn new(
        manager: Manager<M, D>,
        signals: SignalFd,
        button: Option<RisingEdges>,
        start_device_api: StartDeviceApi,
        ready: String,
    ) -> Self {
        Self {
            manager,
            signals,
            button,
            device_api: Supervisor::new(),
            start_device_api,
            channel: None,
            end: None,
            ready: Some(ready),
        }
    }

    /// Runs until the device is to go down; all apps are stopped then.
    ///
    /// # Errors
    /// When `poll` fails, which leaves the manager blind.
    pub fn run(&mut self) -> Result<End, Errno> {
        loop {
            self.advance();
            if let Some(end) = self.ended() {
                self.manager.unmount_all();
                return Ok(end);
            }
            for source in self.wait()? {
                self.handle(source);
            }
        }
    }

    /// Does what is due; the apps come first, because people wait for them.
    fn advance(&mut self) {
        if let Some(reply) = self.manager.advance() {
            self.send(Answer::Message(reply));
        }
        self.supervise();
    }

    /// The end, once all apps are gone or were given up.
    fn ended(&self) -> Option<End> {
        let (end, since) = self.end?;
        let passed = self.manager.machine.now().saturating_sub(since);
        let patience = STOP_GRACE.saturating_add(KILL_GRACE);
        let ready = self.manager.has_ended() && passed >= LAST_ANSWER;
        (ready || passed >= patience).then_some(end)
    }

    fn begin_to_end(&mut self, end: End) {
        if self.end.is_none() {
            self.manager.note(end.marker());
            self.end = Some((end, self.manager.machine.now()));
        }
        self.manager.begin_to_end();
    }

    /// What can wake the loop now.
    fn sources(&self) -> Vec<(Source, BorrowedFd<'_>)> {
        let mut sources = vec![(Source::Signals, self.signals.as_fd())];
        // While a request waits for an app to end, the next one stays in the socket.
        if let Some(channel) = self.channel.as_ref().filter(|_| !self.manager.is_busy()) {
            sources.push((Source::Control, channel.as_fd()));
        }
        if let Some(button) = &self.button {
            sources.push((Source::Button, button.as_fd()));
        }
        for app in self.manager.apps.values() {
            if let Some(output) = &app.output {
                sources.push((Source::Output(app.component), output.as_fd()));
            }
            if let Some(broker) = &app.broker {
                sources.push((Source::Broker(app.component), broker.as_fd()));
            }
            if let Some(event) = self.manager.machine.core_event(app.component) {
                sources.push((Source::Core(app.component), event));
            }
        }
        sources
    }

    /// Waits for what happens next, or until something is due.
    fn wait(&self) -> Result<Vec<Source>, Errno> {
        let sources = self.sources();
        let mut waiting: Vec<PollFd<'_>> = sources
            .iter()
            .map(|(source, descriptor)| PollFd::new(*descriptor, source.events()))
            .collect();
        match poll(&mut waiting, self.timeout()) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error),
        }
        Ok(sources
            .iter()
            .zip(&waiting)
            .filter(|(_, entry)| entry.any().unwrap_or(true))
            .map(|((source, _), _)| *source)
            .collect())
    }

    fn timeout(&self) -> PollTimeout {
        let now = self.manager.machine.now();
        let end = self.end.map(|(_, since)| {
            if self.manager.has_ended() {
                since.saturating_add(LAST_ANSWER)
            } else {
                since.saturating_add(STOP_GRACE).saturating_add(KILL_GRACE)
            }
        });
        let device_api = self.device_api.deadline().filter(|_| self.end.is_none());
        let due = [self.manager.deadline(), device_api, end];
        match due.into_iter().flatten().min() {
            None => PollTimeout::NONE,
            Some(time) if time <= now => PollTimeout::ZERO,
            Some(time) => {
                // One more millisecond, because a wait that is cut off ends too early and turns for nothing.
                let wait = time
                    .saturating_sub(now)
                    .saturating_add(Duration::from_millis(1));
                PollTimeout::try_from(wait).unwrap_or(PollTimeout::MAX)
            }
        }
    }

    fn handle(&mut self, source: Source) {
        match source {
            Source::Signals => self.take_signals(),
            Source::Control => self.take_request(),
            Source::Button => self.take_press(),
            Source::Output(component) => self.manager.output_ready(component),
            Source::Broker(component) => self.manager.broker_ready(component),
            Source::Core(component) => self.manager.core_ready(component),
        }
    }

    fn take_signals(&mut self) {
        while let Ok(Some(signal)) = self.signals.read_signal() {
            let number = i32::try_from(signal.ssi_signo).unwrap_or_default();
            match Signal::try_from(number) {
                Ok(Signal::SIGTERM) => self.begin_to_end(End::PowerOff),
                Ok(Signal::SIGINT) => self.begin_to_end(End::Restart),
                _ => {}
            }
        }
        while let Ok(Some((process, status))) = wait_any(Wait::Poll) {
            self.reaped(process.as_raw(), status);
        }
    }

    fn reaped(&mut self, process: i32, status: i32) {
        if self.manager.process_ended(process, status) {
            return;
        }
        // Everything else is an orphan that only had to be reaped.
        if self.device_api.ended(process, self.manager.machine.now()) {
            let how = match Ended::from_status(status) {
                Some(Ended::Exited(code)) => format!("exited with code {code}"),
                Some(Ended::Signalled(signal)) => format!("ended by signal {signal}"),
                None => "ended".to_owned(),
            };
            self.manager
                .note(&format!("device API: {how}, is started again"));
            self.forget_device_api();
        }
    }

    fn take_press(&mut self) {
        let Some(button) = &self.button else { return };
        match button.take() {
            Ok(true) => self.begin_to_end(End::PowerOff),
            Ok(false) => {}
            Err(error) => {
                self.manager
                    .note(&format!("the power button is gone: {error}"));
                self.button = None;
            }
        }
    }

    fn take_request(&mut self) {
        let Some(channel) = &mut self.channel else {
            return;
        };
        let answer = match channel.receive::<Request>() {
            Ok(packet) => answer(&mut self.manager, packet),
            Err(ChannelError::NotReady) => return,
            Err(error) => return self.drop_device_api(&error),
        };
        self.send(answer);
    }

    fn send(&mut self, answer: Answer) {
        if let Answer::Restart(_) = answer {
            self.begin_to_end(End::Restart);
        }
        // The device API that asked may be gone; then nobody waits for the answer.
        let Some(channel) = &mut self.channel else {
            return;
        };
        let sent = match answer {
            Answer::Message(reply) | Answer::Restart(reply) => channel.send(&reply),
            Answer::Bytes(bytes) => channel.send_bytes(&bytes),
            Answer::Later => Ok(()),
        };
        if let Err(error) = sent {
            self.drop_device_api(&error);
        }
    }

    /// Starts the device API when it is due.
    fn supervise(&mut self) {
        let now = self.manager.machine.now();
        if self.end.is_some() || !self.device_api.is_due(now) {
            return;
        }
        let started = Channel::pair()
            .map_err(|error| error.to_string())
            .and_then(|(mine, theirs)| Ok((mine, (self.start_device_api)(theirs)?)));
        match started {
            Ok((channel, process)) => {
                self.channel = Some(channel.without_waiting());
                self.device_api.started(process, now);
                if let Some(line) = self.ready.take() {
                    self.manager.note(&line);
                }
            }
            Err(error) => {
                self.device_api.failed(now);
                self.manager
                    .note(&format!("device API: cannot be started: {error}"));
            }
        }
    }

    /// Ends a device API that broke the protocol; its successor starts afresh.
    fn drop_device_api(&mut self, error: &ChannelError) {
        if !matches!(error, ChannelError::Closed) {
            self.manager
                .note(&format!("device API: ended by the manager: {error}"));
        }
        self.forget_device_api();
        if let Some(process) = self.device_api.process() {
            let process = nix::unistd::Pid::from_raw(process);
            // It may have ended already, and is reaped then.
            nix::sys::signal::kill(process, Signal::SIGKILL).ok();
        }
    }

    fn forget_device_api(&mut self) {
        self.channel = None;
        self.manager.forget_client();
    }
}

#[cfg(test)]
mod tests;
