// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Local sockets between components, and open files that are passed on.

use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;

use libc::{AF_UNIX, EACCES, EPERM, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM};

use crate::case::Role::{App, Manager, Pending};
use crate::case::{Case, attack, holds, twin};
use crate::net::{bind, connect, listen, send, send_to, socket};
use crate::stage::{
    ADMIRER, App as Component, GIFT, PEER_ONE, PEER_TWO, PLAIN, SECOND_GIFT, STRANGER, Stage,
};
use crate::sys::{self, Attempt, number};
use crate::wire::unix;

const STREAM: &str = "unix_stream_connect";
const DATAGRAM: &str = "unix_may_send";
const RECEIVE: &str = "file_receive";
const NO: &[i32] = &[EPERM];

/// The abstract names and the path on which helpers listen.
const ABSTRACT: &[u8] = b"\0nacre-stream";
const PACKETS: &[u8] = b"\0nacre-packets";
const DATAGRAMS: &[u8] = b"\0nacre-datagrams";
const PATH: &[u8] = b"/tmp/nacre-stream";

/// The cases of this area.
pub const CASES: &[Case] = &[
    // Connections.
    attack(
        STREAM,
        "local",
        "connect_to_another_component",
        App(&PLAIN),
        to_abstract,
        NO,
    )
    .against(App(&STRANGER), serve),
    attack(
        STREAM,
        "local",
        "connect_to_another_component_by_a_path",
        App(&PLAIN),
        to_path,
        NO,
    )
    .against(App(&STRANGER), serve),
    attack(
        STREAM,
        "local",
        "connect_for_packets_to_another_component",
        App(&PLAIN),
        to_packets,
        NO,
    )
    .against(App(&STRANGER), serve),
    attack(
        STREAM,
        "local",
        "connect_to_a_component_that_does_not_list_this_one",
        App(&ADMIRER),
        to_abstract,
        NO,
    )
    .against(App(&PEER_ONE), serve),
    attack(
        STREAM,
        "local",
        "connect_to_a_component_that_this_one_does_not_list",
        App(&PEER_ONE),
        to_abstract,
        NO,
    )
    .against(App(&ADMIRER), serve),
    attack(
        STREAM,
        "D04",
        "connect_to_the_manager",
        App(&PLAIN),
        to_abstract,
        NO,
    )
    .against(Manager, serve),
    attack(
        STREAM,
        "D04",
        "connect_to_the_manager_by_a_path",
        App(&PLAIN),
        to_path,
        NO,
    )
    .against(Manager, serve),
    attack(
        STREAM,
        "S50",
        "connect_a_socket_of_the_manager_to_another_component",
        Manager,
        gift_stream,
        NO,
    )
    .against(App(&STRANGER), serve),
    twin(
        STREAM,
        "local",
        "connect_to_the_same_component",
        App(&PLAIN),
        to_abstract,
    )
    .against(App(&PLAIN), serve),
    twin(
        STREAM,
        "local",
        "connect_to_the_same_component_by_a_path",
        App(&PLAIN),
        to_path,
    )
    .against(App(&PLAIN), serve),
    twin(
        STREAM,
        "local",
        "connect_to_a_peer",
        App(&PEER_ONE),
        to_abstract,
    )
    .against(App(&PEER_TWO), serve),
    twin(
        STREAM,
        "local",
        "connect_for_packets_to_a_peer",
        App(&PEER_TWO),
        to_packets,
    )
    .against(App(&PEER_ONE), serve),
    twin(
        STREAM,
        "local",
        "manager_connects_to_the_manager",
        Manager,
        to_abstract,
    )
    .against(Manager, serve),
    // Datagrams.
    attack(
        DATAGRAM,
        "local",
        "send_to_another_component",
        App(&PLAIN),
        to_datagrams,
        NO,
    )
    .against(App(&STRANGER), serve),
    attack(
        DATAGRAM,
        "local",
        "connect_for_datagrams_to_another_component",
        App(&PLAIN),
        connect_datagrams,
        NO,
    )
    .against(App(&STRANGER), serve),
    attack(
        DATAGRAM,
        "local",
        "send_to_a_component_that_does_not_list_this_one",
        App(&ADMIRER),
        to_datagrams,
        NO,
    )
    .against(App(&PEER_ONE), serve),
    attack(
        DATAGRAM,
        "D04",
        "send_to_the_manager",
        App(&PLAIN),
        to_datagrams,
        NO,
    )
    .against(Manager, serve),
    twin(
        DATAGRAM,
        "local",
        "send_to_the_same_component",
        App(&PLAIN),
        to_datagrams,
    )
    .against(App(&PLAIN), serve),
    twin(
        DATAGRAM,
        "local",
        "send_to_a_peer",
        App(&PEER_ONE),
        to_datagrams,
    )
    .against(App(&PEER_TWO), serve),
    twin(
        DATAGRAM,
        "local",
        "connect_for_datagrams_to_a_peer",
        App(&PEER_ONE),
        connect_datagrams,
    )
    .against(App(&PEER_TWO), serve),
    twin(DATAGRAM, "local", "send_through_a_pair", App(&PLAIN), pair),
    // Open files.
    attack(
        RECEIVE,
        "D05",
        "receive_a_file_of_another_component",
        Manager,
        |stage| pass(stage, &STRANGER, &PLAIN),
        &[EACCES],
    ),
    attack(
        RECEIVE,
        "D05",
        "receive_a_file_of_a_component_that_is_not_listed",
        Manager,
        |stage| pass(stage, &ADMIRER, &PEER_ONE),
        &[EACCES],
    ),
    attack(
        RECEIVE,
        "D05",
        "receive_a_file_of_a_component_that_does_not_list_this_one",
        Manager,
        |stage| pass(stage, &PEER_ONE, &ADMIRER),
        &[EACCES],
    ),
    twin(
        RECEIVE,
        "D05",
        "receive_a_file_of_the_same_component",
        Manager,
        |stage| pass(stage, &PLAIN, &PLAIN),
    ),
    twin(
        RECEIVE,
        "D05",
        "receive_a_file_of_a_peer",
        Manager,
        |stage| pass(stage, &PEER_ONE, &PEER_TWO),
    ),
    twin(
        RECEIVE,
        "D05",
        "receive_a_file_of_the_manager",
        Manager,
        receive_gift,
    ),
    twin(
        RECEIVE,
        "D05",
        "manager_receives_a_file_of_an_app",
        Manager,
        receive_as_manager,
    ),
    twin(
        RECEIVE,
        "D05",
        "receive_before_the_exec",
        Pending(&PLAIN),
        receive_own,
    ),
];

/// A helper that listens in all ways, and takes nothing.
fn serve(stage: &Stage) -> Attempt {
    let mut servers = Vec::new();
    let _absent = std::fs::remove_file("/tmp/nacre-stream");
    for (kind, name) in [
        (SOCK_STREAM, ABSTRACT),
        (SOCK_STREAM, PATH),
        (SOCK_SEQPACKET, PACKETS),
        (SOCK_DGRAM, DATAGRAMS),
    ] {
        let server = socket(AF_UNIX, kind, 0)?;
        bind(&server, &unix(name))?;
        if kind != SOCK_DGRAM {
            listen(&server)?;
        }
        servers.push(server);
    }
    stage.ready()
}

fn to(kind: i32, name: &[u8]) -> Attempt {
    let client = socket(AF_UNIX, kind, 0)?;
    connect(&client, &unix(name))?;
    send(&client)
}

fn to_abstract(_: &Stage) -> Attempt {
    to(SOCK_STREAM, ABSTRACT)
}

fn to_path(_: &Stage) -> Attempt {
    to(SOCK_STREAM, PATH)
}

fn to_packets(_: &Stage) -> Attempt {
    to(SOCK_SEQPACKET, PACKETS)
}

fn to_datagrams(_: &Stage) -> Attempt {
    send_to(&socket(AF_UNIX, SOCK_DGRAM, 0)?, &unix(DATAGRAMS), 0)
}

fn connect_datagrams(_: &Stage) -> Attempt {
    to(SOCK_DGRAM, DATAGRAMS)
}

fn pair(_: &Stage) -> Attempt {
    let (one, _other) = sys::socket_pair(SOCK_DGRAM)?;
    send(&one)
}

fn gift_stream(stage: &Stage) -> Attempt {
    sys::place(&socket(AF_UNIX, SOCK_STREAM, 0)?, GIFT)?;
    stage.have(&PLAIN, "connect-local-on-gift")
}

/// Connects the socket that this process was started with.
pub fn connect_on_gift(_: &Stage) -> Attempt {
    connect(&sys::inherited(GIFT)?, &unix(ABSTRACT))
}

/// Has one app open a file and pass it to another, through a pair of sockets that the manager gave both.
fn pass(stage: &Stage, from: &Component, to: &Component) -> Attempt {
    let (one, other) = sys::socket_pair(SOCK_STREAM)?;
    sys::place(&one, GIFT)?;
    sys::place(&other, SECOND_GIFT)?;
    stage.have(from, "send-file-on-gift")?;
    stage.have(to, "receive-file-on-gift")
}

fn receive_gift(stage: &Stage) -> Attempt {
    let (one, other) = sys::socket_pair(SOCK_STREAM)?;
    sys::send_descriptor(&one, &scratch()?)?;
    sys::place(&other, SECOND_GIFT)?;
    stage.have(&PLAIN, "receive-file-on-gift")
}

fn receive_as_manager(stage: &Stage) -> Attempt {
    let (one, other) = sys::socket_pair(SOCK_STREAM)?;
    sys::place(&one, GIFT)?;
    stage.have(&PLAIN, "send-file-on-gift")?;
    received(&other)
}

fn receive_own(_: &Stage) -> Attempt {
    let (one, other) = sys::socket_pair(SOCK_STREAM)?;
    sys::send_descriptor(&one, &scratch()?)?;
    received(&other)
}

/// A file of this process's own.
fn scratch() -> Attempt<OwnedFd> {
    let path = format!("/tmp/passed-{}", sys::process_id());
    File::options()
        .create(true)
        .truncate(true)
        .read(true)
        .write(true)
        .open(path)
        .map(Into::into)
        .map_err(|error| number(&error))
}

/// Opens a file and passes it on.
pub fn send_file_on_gift(_: &Stage) -> Attempt {
    sys::send_descriptor(&sys::inherited(GIFT)?, &scratch()?)
}

/// Receives a file. The kernel gives the message without what it may not bring.
pub fn receive_file_on_gift(_: &Stage) -> Attempt {
    received(&sys::inherited(SECOND_GIFT)?)
}

fn received(socket: &OwnedFd) -> Attempt {
    let Some(file) = sys::receive_descriptor(socket)? else {
        return Err(EACCES);
    };
    holds(File::from(file).write(b"x").is_ok())
}
