// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Tests of the loop's steps, with a made-up machine and a device API played by the test.

use std::cell::RefCell;
use std::io::Write;
use std::rc::Rc;

use control::{AppState, Incoming, Reply, Trigger};
use nix::sys::signal::SigSet;
use nix::sys::signalfd::SfdFlags;
use tempfile::{TempDir, tempdir};

use super::*;
use crate::backoff::FIRST_DELAY;
use crate::testing::{APP, Image, TestDisk, TestMachine, id, manager, stage, store};

/// A process id that no process can have.
const NOBODY: i32 = i32::MAX;

type TestServer = Server<TestMachine, TestDisk>;

/// What the test plays the device API with.
#[derive(Clone, Default)]
struct Started(Rc<RefCell<Vec<OwnedFd>>>);

impl Started {
    fn channel(&self) -> Channel {
        Channel::new(self.0.borrow_mut().pop().unwrap()).without_waiting()
    }
}

fn server(root: &TempDir) -> (TestServer, TestMachine, Started) {
    server_with(root, &Image::new(APP))
}

fn server_with(root: &TempDir, image: &Image) -> (TestServer, TestMachine, Started) {
    {
        let (mut store, _) = store(root.path());
        stage(&mut store, &image.bytes()).unwrap();
        store.install(id(APP)).unwrap();
    }
    let (manager, machine) = manager(root.path());
    let started = Started::default();
    let descriptors = started.0.clone();
    let start: StartDeviceApi = Box::new(move |descriptor| {
        descriptors.borrow_mut().push(descriptor);
        Ok(NOBODY)
    });
    let signals = SignalFd::with_flags(&SigSet::empty(), SfdFlags::SFD_NONBLOCK).unwrap();
    let mut server = Server::new(manager, signals, None, start, "ready".to_owned());
    server.advance();
    (server, machine, started)
}

fn reply(channel: &mut Channel) -> Reply {
    match channel.receive().unwrap() {
        Incoming::Message(reply) => reply,
        Incoming::Bytes(bytes) => panic!("{bytes:?}"),
    }
}

fn has(server: &TestServer, wanted: Source) -> bool {
    server.sources().iter().any(|(source, _)| *source == wanted)
}

#[test]
fn requests_are_answered() {
    let root = tempdir().unwrap();
    let (mut server, _, started) = server(&root);
    let mut api = started.channel();
    api.send(&Request::Images).unwrap();
    assert_eq!(server.wait().unwrap(), [Source::Control]);
    server.handle(Source::Control);
    assert!(matches!(reply(&mut api), Reply::Images(_)));
    api.send(&Request::Log).unwrap();
    server.handle(Source::Control);
    assert!(matches!(
        api.receive::<Reply>().unwrap(),
        Incoming::Bytes(log) if !log.is_empty()
    ));
    server.handle(Source::Control);
    assert!(server.channel.is_some());
    let log = String::from_utf8(server.manager.journal.contents().to_vec()).unwrap();
    assert_eq!(log.matches("ready\n").count(), 1);
}

#[test]
fn a_request_that_waits_holds_back_the_next_one() {
    let root = tempdir().unwrap();
    let (mut server, _, started) = server(&root);
    let mut api = started.channel();
    let component = id(APP);
    let trigger = Trigger::Stop;
    api.send(&Request::AppControl { component, trigger })
        .unwrap();
    api.send(&Request::Images).unwrap();
    server.handle(Source::Control);
    assert!(!has(&server, Source::Control));
    server.reaped(100, 0);
    server.advance();
    assert_eq!(
        reply(&mut api),
        Reply::AppState {
            state: AppState::Stopped,
            core: None
        }
    );
    assert!(has(&server, Source::Control));
    server.handle(Source::Control);
    assert!(matches!(reply(&mut api), Reply::Images(_)));
}

#[test]
fn a_device_api_that_breaks_the_protocol_is_replaced_and_the_apps_go_on() {
    let root = tempdir().unwrap();
    let (mut server, machine, started) = server(&root);
    let mut api = started.channel();
    api.send(&Request::StageBegin { length: 9 }).unwrap();
    server.handle(Source::Control);
    assert_eq!(reply(&mut api), Reply::Done { restarting: false });
    api.send(&"no request").unwrap();
    server.handle(Source::Control);
    assert!(server.channel.is_none() && !has(&server, Source::Control));
    server.handle(Source::Control);
    server.reaped(NOBODY, 9);
    server.advance();
    assert!(server.channel.is_none());
    machine.wait(FIRST_DELAY);
    server.advance();
    let mut api = started.channel();
    api.send(&Request::StageBegin { length: 9 }).unwrap();
    server.handle(Source::Control);
    assert_eq!(reply(&mut api), Reply::Done { restarting: false });
    assert_eq!(server.manager.apps[&id(APP)].process, Some(100));
}

#[test]
fn a_device_api_that_goes_is_replaced_and_gets_no_stranger_s_answer() {
    let root = tempdir().unwrap();
    let (mut server, machine, started) = server(&root);
    let mut api = started.channel();
    let component = id(APP);
    api.send(&Request::Delete { component }).unwrap();
    server.handle(Source::Control);
    drop(api);
    server.reaped(NOBODY, 0);
    machine.wait(FIRST_DELAY);
    server.advance();
    let mut api = started.channel();
    server.reaped(100, 0);
    server.advance();
    assert!(server.manager.apps.is_empty());
    assert!(matches!(
        api.receive::<Reply>(),
        Err(ChannelError::NotReady)
    ));
}

#[test]
fn a_device_api_that_cannot_be_started_is_tried_again() {
    let root = tempdir().unwrap();
    let (mut server, machine, started) = server(&root);
    server.reaped(NOBODY, 0);
    started.0.borrow_mut().clear();
    let start = std::mem::replace(
        &mut server.start_device_api,
        Box::new(|_| Err("no memory".to_owned())),
    );
    machine.wait(FIRST_DELAY);
    server.advance();
    assert!(server.channel.is_none());
    server.start_device_api = start;
    machine.wait(FIRST_DELAY * 2);
    server.advance();
    assert!(server.channel.is_some());
}

#[test]
fn output_wakes_the_loop_until_it_ends() {
    let root = tempdir().unwrap();
    let (mut server, machine, _started) = server(&root);
    let source = Source::Output(id(APP));
    machine.0.borrow_mut().pipes[0].write_all(b"x").unwrap();
    assert_eq!(server.wait().unwrap(), [source]);
    server.handle(source);
    machine.0.borrow_mut().pipes.clear();
    assert_eq!(server.wait().unwrap(), [source]);
    server.handle(source);
    assert!(!has(&server, source));
}

#[test]
fn what_an_app_asks_for_wakes_the_loop_until_it_is_done() {
    let root = tempdir().unwrap();
    let image = Image::new(APP).capabilities(r#"{"Gpio":[8]}"#);
    let (mut server, machine, _started) = server_with(&root, &image);
    let source = Source::Broker(id(APP));
    let socket = machine.0.borrow_mut().sockets.pop().unwrap();
    let request = ::broker::Request::Input { pin: 8 };
    sys::socket::send(&socket, &request.encode(), &[]).unwrap();
    assert_eq!(server.wait().unwrap(), [source]);
    server.handle(source);
    let received = sys::socket::receive(&socket, &mut [0; 4]).unwrap();
    assert!(received.descriptors[0].is_some());
    assert_eq!(machine.0.borrow().pins, [request]);
    drop(socket);
    assert_eq!(server.wait().unwrap(), [source]);
    server.handle(source);
    assert!(!has(&server, source));
}

#[test]
fn a_core_is_watched_while_it_runs() {
    let root = tempdir().unwrap();
    let (mut server, machine, _started) = server_with(&root, &Image::real_time(APP));
    let source = Source::Core(id(APP));
    assert!(has(&server, source));
    assert_eq!(source.events(), PollFlags::POLLPRI);
    machine.0.borrow_mut().core_state = Some(Ok(sys::real_time::State::Watchdog));
    server.handle(source);
    assert!(!has(&server, source));
    machine.wait(FIRST_DELAY);
    server.advance();
    assert!(has(&server, source));
}

#[test]
fn the_device_goes_down_when_all_apps_are_gone_and_the_answer_is_out() {
    let root = tempdir().unwrap();
    let (mut server, machine, started) = server(&root);
    let mut api = started.channel();
    api.send(&Request::Restart).unwrap();
    server.handle(Source::Control);
    assert_eq!(reply(&mut api), Reply::Done { restarting: true });
    server.begin_to_end(End::PowerOff);
    assert_eq!(machine.0.borrow().terminated, [id(APP)]);
    machine.wait(LAST_ANSWER);
    assert_eq!(server.ended(), None);
    server.reaped(100, 0);
    assert_eq!(server.ended(), Some(End::Restart));
    assert!(has(&server, Source::Control));
    assert_eq!(server.run(), Ok(End::Restart));
    assert!(machine.0.borrow().mounted.is_empty());
}

#[test]
fn the_device_goes_down_even_when_an_app_does_not_end() {
    let root = tempdir().unwrap();
    let (mut server, machine, _started) = server(&root);
    server.begin_to_end(End::PowerOff);
    machine.wait(STOP_GRACE);
    server.advance();
    assert_eq!(machine.0.borrow().killed, [id(APP)]);
    assert_eq!(server.ended(), None);
    machine.wait(KILL_GRACE);
    assert_eq!(server.ended(), Some(End::PowerOff));
}

#[test]
fn the_wait_is_as_long_as_nothing_is_due() {
    let root = tempdir().unwrap();
    let (mut server, _, _started) = server(&root);
    assert_eq!(server.timeout(), PollTimeout::NONE);
    server.reaped(100, 0);
    assert_eq!(server.timeout(), PollTimeout::from(1001_u16));
    server.begin_to_end(End::PowerOff);
    assert_eq!(server.timeout(), PollTimeout::from(501_u16));
}
