// SPDX-License-Identifier: Apache-2.0 OR MIT

//! What the apps do: each act is done by a process that was executed as one.

use std::fs::OpenOptions;
use std::time::Duration;

use crate::foreign;
use crate::machine::{APP, ELSEWHERE, LIMIT, OTHER, REAL_TIME};
use crate::socket::{POLLERR, POLLHUP, POLLIN, POLLOUT, Socket, address};
use crate::stream::Stream;
use crate::sys::{Attempt, number};

/// What went otherwise than it should; an error number that no call here returns.
pub const WRONG: i32 = libc::EPROTO;

/// An act, with the words that it was given.
pub type Act = fn(&[String]) -> Attempt;

/// All of them.
pub const ACTS: &[(&str, Act)] = &[
    ("open_device", open_device),
    ("make", make),
    ("make_stream", make_stream),
    ("make_protocol", make_protocol),
    ("connect", connect),
    ("addresses", addresses),
    ("twice", twice),
    ("datagrams", datagrams),
    ("echo", echo),
    ("burst", burst),
    ("lazy", lazy),
    ("ask", ask),
    ("hang_up", hang_up),
    ("full", full),
    ("pour", foreign::pour),
];

fn word(words: &[String], index: usize) -> usize {
    let word = words.get(index).and_then(|word| word.parse().ok());
    word.unwrap_or_default()
}

fn right(what: bool, name: &str) -> Attempt {
    if !what {
        println!("# wrong: {name}");
        return Err(WRONG);
    }
    Ok(())
}

/// That a call fails with this error.
fn fails<T>(result: Attempt<T>, error: i32, name: &str) -> Attempt {
    match result {
        Err(number) if number == error => Ok(()),
        Err(number) => {
            println!("# {name}: error {number} instead of {error}");
            Err(WRONG)
        }
        Ok(_) => right(false, name),
    }
}

fn open_device(_: &[String]) -> Attempt {
    let opened = OpenOptions::new().write(true).open("/dev/rtcore0");
    opened.map(drop).map_err(|error| number(&error))
}

fn make(_: &[String]) -> Attempt {
    Socket::new().map(drop)
}

fn make_stream(_: &[String]) -> Attempt {
    Socket::make(libc::SOCK_STREAM, 0).map(drop)
}

fn make_protocol(_: &[String]) -> Attempt {
    Socket::make(libc::SOCK_DGRAM, 1).map(drop)
}

fn connect(words: &[String]) -> Attempt {
    Socket::new()?.connect(&address(&REAL_TIME[word(words, 0)]))
}

/// Binding, names, and addresses that are none.
fn addresses(_: &[String]) -> Attempt {
    let socket = Socket::new()?;
    let good = address(&REAL_TIME[0]);
    fails(
        socket.name(true),
        libc::ENOTCONN,
        "peer of a socket that has none",
    )?;
    fails(socket.send(b"x"), libc::ENOTCONN, "send without a peer")?;
    fails(socket.receive(), libc::ENOTCONN, "receive without a peer")?;
    fails(
        socket.send_to(b"x", 0, Some(&good)),
        libc::ENOTCONN,
        "send to an address without a peer",
    )?;
    let mut port = good.clone();
    port[2] = 1;
    let mut family = good.clone();
    family[0] = 1;
    for (name, wrong) in [
        ("too short", good[..19].to_vec()),
        ("too long", [&good[..], &[0]].concat()),
        ("a port", port),
        ("another family", family),
        ("nobody", address(&[0; 16])),
    ] {
        fails(socket.connect(&wrong), libc::EINVAL, name)?;
        fails(socket.bind(&wrong), libc::EINVAL, name)?;
    }
    fails(
        socket.bind(&address(&OTHER)),
        libc::EINVAL,
        "bind as another app",
    )?;
    socket.bind(&address(&APP))?;
    right(socket.name(false)? == address(&APP), "own name")?;
    fails(
        socket.connect(&address(&ELSEWHERE)),
        libc::EACCES,
        "an app that is not listed",
    )?;
    socket.connect(&good)?;
    right(socket.name(true)? == good, "name of the peer")?;
    fails(socket.connect(&good), libc::EISCONN, "connect again")?;
    // An address is no way to anybody else, nor are other flags or the like of any use.
    fails(
        socket.send_to(b"x", 0, Some(&address(&REAL_TIME[1]))),
        libc::EINVAL,
        "send to another",
    )?;
    fails(
        socket.send_to(b"x", libc::MSG_OOB, None),
        libc::EINVAL,
        "out of band",
    )?;
    socket.send_to(b"x", libc::MSG_NOSIGNAL, Some(&good))?;
    right(socket.receive()? == b"x", "the echo")
}

/// One socket for each pair: `EADDRINUSE`.
fn twice(_: &[String]) -> Attempt {
    let first = Socket::to(0)?;
    fails(Socket::to(0), libc::EADDRINUSE, "a second socket")?;
    // The twins: another core, and the same one when the first is closed.
    drop(Socket::to(1)?);
    drop(first);
    Socket::to(0).map(drop)
}

/// What datagrams do: truncation, peeking, not waiting, time limits, sizes.
fn datagrams(_: &[String]) -> Attempt {
    let socket = Socket::to(0)?;
    fails(
        socket.receive_with(16, libc::MSG_DONTWAIT),
        libc::EAGAIN,
        "receive without a message",
    )?;
    socket.limit(Duration::from_millis(50))?;
    fails(socket.receive(), libc::EAGAIN, "receive within a time")?;
    socket.limit(LIMIT)?;
    fails(
        socket.send(&[0; 1025]),
        libc::EMSGSIZE,
        "a message that is too long",
    )?;
    right(
        socket.poll(POLLIN | POLLOUT, LIMIT)? == POLLOUT,
        "only writable",
    )?;

    socket.send(b"0123456789")?;
    right(socket.poll(POLLIN, LIMIT)? == POLLIN, "readable")?;
    let peer = address(&REAL_TIME[0]);
    let (result, bytes, name) = socket.receive_with(4, libc::MSG_PEEK)?;
    right(
        (result, &bytes[..], name) == (4, b"0123", peer.clone()),
        "a peek",
    )?;
    let (result, _, _) = socket.receive_with(4, libc::MSG_PEEK | libc::MSG_TRUNC)?;
    right(result == 10, "its whole length")?;
    let (result, bytes, name) = socket.receive_with(4, 0)?;
    right(
        (result, &bytes[..], name) == (4, b"0123", peer),
        "what there is room for",
    )?;
    fails(
        socket.receive_with(4, libc::MSG_DONTWAIT),
        libc::EAGAIN,
        "what there was no room for is lost",
    )?;
    // A message without any bytes is one.
    socket.send(b"")?;
    right(socket.receive()?.is_empty(), "an empty message")
}

/// Messages of all lengths come back.
fn echo(words: &[String]) -> Attempt {
    let socket = Socket::to(word(words, 0))?;
    for length in (0..=64).chain((64..1024).step_by(31)).chain(1016..=1024) {
        let message: Vec<u8> = (0..length).map(|index| (length + index) as u8).collect();
        socket.send(&message)?;
        right(socket.receive()? == message, "an echo")?;
    }
    Ok(())
}

/// So many messages each way with `burst`, at the same time.
fn burst(words: &[String]) -> Attempt {
    let (core, count, seed) = (word(words, 0), word(words, 1) as u32, word(words, 2) as u32);
    let socket = Socket::to(core)?;
    let request = [count.to_le_bytes(), seed.to_le_bytes()].concat();
    socket.send(&request)?;
    let (mut ours, mut theirs) = (Stream::new(seed.wrapping_add(1)), Stream::new(seed));
    loop {
        let wanted = if ours.number < count {
            POLLIN | POLLOUT
        } else {
            POLLIN
        };
        let found = socket.poll(wanted, LIMIT)?;
        right(
            found & (POLLERR | POLLHUP) == 0 && found != 0,
            "the socket goes on",
        )?;
        if found & POLLOUT != 0 {
            match socket.send_to(&ours.message(), libc::MSG_DONTWAIT, None) {
                Ok(_) => ours.advance(),
                Err(libc::EAGAIN) => {}
                Err(error) => return Err(error),
            }
        }
        if found & POLLIN != 0 {
            let message = socket.receive()?;
            if theirs.number == count {
                let report = [count, count, 0].map(u32::to_le_bytes).concat();
                right(ours.number == count, "the report comes last")?;
                return right(message == report, "the report");
            }
            right(message == theirs.message(), "a message, in order")?;
            theirs.advance();
        }
    }
}

/// As `burst`, but nothing is read before the core can send no more, nor sent before it has read.
fn lazy(words: &[String]) -> Attempt {
    let count = 200_u32;
    let socket = Socket::to(word(words, 0))?;
    // The smallest buffer that there is.
    socket.set(libc::SO_RCVBUF, &1_i32.to_ne_bytes())?;
    socket.send(&[count.to_le_bytes(), 5_u32.to_le_bytes()].concat())?;
    std::thread::sleep(Duration::from_millis(500));
    let mut ours = Stream::new(6);
    let mut theirs = Stream::new(5);
    while theirs.number < count {
        right(socket.receive()? == theirs.message(), "a message, in order")?;
        theirs.advance();
    }
    while ours.number < count {
        // This waits for room in the ring.
        socket.send(&ours.message())?;
        ours.advance();
    }
    let report = [count, count, 0].map(u32::to_le_bytes).concat();
    right(socket.receive()? == report, "the report")
}

/// Sends what the words say: text, or numbers behind a letter; does not wait for an answer.
fn ask(words: &[String]) -> Attempt {
    let socket = Socket::to(word(words, 0))?;
    let mut message = words
        .get(1)
        .map_or_else(Vec::new, |word| word.clone().into_bytes());
    for word in words.get(2..).unwrap_or_default() {
        message.extend(word.parse::<u32>().map_err(|_| WRONG)?.to_le_bytes());
    }
    socket.send(&message)?;
    // Until the core has read it, so that what comes of it is on its way.
    std::thread::sleep(Duration::from_millis(20));
    Ok(())
}

/// Waits until the core is gone, which every call says then.
fn hang_up(words: &[String]) -> Attempt {
    let socket = Socket::to(word(words, 0))?;
    fails(
        socket.receive(),
        libc::ECONNRESET,
        "receive when the core goes",
    )?;
    let gone = POLLERR | POLLHUP;
    right(
        socket.poll(POLLIN, LIMIT)? & gone == gone,
        "poll when the core is gone",
    )?;
    fails(
        socket.send(b"x"),
        libc::ECONNRESET,
        "send when the core is gone",
    )?;
    fails(
        socket.receive_with(4, libc::MSG_DONTWAIT),
        libc::ECONNRESET,
        "receive when the core is gone",
    )
}

/// A core that does not read: what has no room fails or waits, and nothing is kept of it.
fn full(words: &[String]) -> Attempt {
    let socket = Socket::to(word(words, 0))?;
    let message = [0; 1024];
    // It obeys the first word and reads no more.
    socket.send(b"s")?;
    std::thread::sleep(Duration::from_millis(100));
    let mut sent = 0;
    loop {
        match socket.send_to(&message, libc::MSG_DONTWAIT, None) {
            Ok(_) => sent += 1,
            Err(libc::EAGAIN) => break,
            Err(error) => return Err(error),
        }
        right(sent < 5, "the ring has an end")?;
    }
    right(sent >= 3, "there is room for some")?;
    right(socket.poll(POLLOUT, Duration::ZERO)? == 0, "not writable")?;
    socket.limit(Duration::from_millis(50))?;
    fails(socket.send(&message), libc::EAGAIN, "send within a time")
}
