// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The control socket: requests and replies pass, and a manager out of turn is an error, not a hang.

use std::thread;

use control::channel::Incoming;
use control::{Channel, RefusalKind, Reply, Request};
use policy::DeviceError;

use super::refusal;
use crate::http::Status;
use crate::manager::{ControlSocket, Manager, ManagerError};
use crate::problem::Problem;

/// Runs `ask` against a manager that answers its first packet with `reply`.
fn against<T>(
    reply: impl FnOnce(&mut Channel, String) + Send + 'static,
    ask: impl FnOnce(&ControlSocket) -> T,
) -> T {
    let (mine, theirs) = Channel::pair().unwrap();
    let manager = thread::spawn(move || {
        let mut channel = Channel::new(theirs);
        let got = match channel.receive::<Request>().unwrap() {
            Incoming::Message(request) => format!("{request:?}"),
            Incoming::Bytes(bytes) => format!("{} bytes", bytes.len()),
        };
        reply(&mut channel, got);
    });
    let answer = ask(&ControlSocket::new(mine));
    manager.join().unwrap();
    answer
}

#[test]
fn messages_bytes_and_chunks_pass() {
    let done = || Reply::Done { restarting: true };
    let reply = against(
        move |channel, got| {
            assert_eq!(got, "Restart");
            channel.send(&done()).unwrap();
        },
        |socket| socket.ask(&Request::Restart),
    );
    assert_eq!(reply.unwrap(), done());
    let bytes = against(
        |channel, got| {
            assert_eq!(got, "Log");
            channel.send_bytes(b"log").unwrap();
        },
        |socket| socket.ask_bytes(&Request::Log),
    );
    assert_eq!(bytes.unwrap(), b"log");
    let chunk = against(
        move |channel, got| {
            assert_eq!(got, "3 bytes");
            channel.send(&done()).unwrap();
        },
        |socket| socket.chunk(b"abc"),
    );
    assert!(chunk.is_ok());
}

#[test]
fn refusals_are_errors_for_all_kinds_of_requests() {
    let refuse = |channel: &mut Channel, _| {
        let code = DeviceError::REST_APP_APP_NOT_PRESENT;
        let reply = Reply::Error(refusal(code, RefusalKind::Conflict));
        channel.send(&reply).unwrap();
    };
    let errors = [
        against(refuse, |socket| socket.ask(&Request::Images).unwrap_err()),
        against(refuse, |socket| {
            socket.ask_bytes(&Request::Log).unwrap_err()
        }),
        against(refuse, |socket| socket.chunk(b"x").unwrap_err()),
    ];
    for error in errors {
        assert!(matches!(&error, ManagerError::Refused(_)), "{error}");
        assert_eq!(Problem::from(error).status, Status::CONFLICT);
    }
}

#[test]
fn replies_out_of_turn_are_internal_errors() {
    let bytes = |channel: &mut Channel, _| channel.send_bytes(b"?").unwrap();
    let done = |channel: &mut Channel, _| channel.send(&Reply::Done { restarting: false }).unwrap();
    let state = |channel: &mut Channel, _| {
        let state = control::AppState::Running;
        let reply = Reply::AppState { state, core: None };
        channel.send(&reply).unwrap();
    };
    let gone = |_: &mut Channel, _| {};
    let errors = [
        against(bytes, |socket| socket.ask(&Request::Images).unwrap_err()),
        against(done, |socket| socket.ask_bytes(&Request::Log).unwrap_err()),
        against(state, |socket| socket.chunk(b"x").unwrap_err()),
        against(gone, |socket| socket.ask(&Request::Images).unwrap_err()),
    ];
    for error in errors {
        let problem = Problem::from(error);
        assert_eq!(problem.status, Status::INTERNAL_SERVER_ERROR, "{problem}");
        assert_eq!(problem.error, DeviceError::REST_INTERNAL_ERROR);
    }
}
