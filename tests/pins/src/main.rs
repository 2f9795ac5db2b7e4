// SPDX-License-Identifier: Apache-2.0 OR MIT

//! An app that asks for pins, rightly and wrongly. Its manifest's CmdArgs say what it does, one after the other; it prints
//! each with `ok`, a value or the error, and waits to be stopped.
//!
//! `output PIN LEVEL` `input PIN`  asks for a pin and keeps it
//! `drive PIN MODE`                asks for an output that is driven in this mode, by its number
//! `read PIN` `set PIN LEVEL`      uses a pin that it has
//! `turn PIN`                      turns a pin that it has around
//! `close PIN`                     gives it back
//! `devices`                       lists /dev
//! `garbage` `flood`               breaks the protocol: sends no request, reads no reply

#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::os::fd::OwnedFd;
use std::thread;

use broker::{DESCRIPTOR, Drive, Reply, Request, VARIABLE};
use sys::Errno;
use sys::gpio::{self, Line, Use};

struct App {
    socket: Option<OwnedFd>,
    lines: BTreeMap<u32, Line>,
}

impl App {
    /// The socket, if there is one where the environment says.
    fn new() -> Self {
        let told = env::var(VARIABLE).is_ok_and(|number| number == DESCRIPTOR.to_string());
        let socket = told.then(|| sys::descriptor::take_inherited(DESCRIPTOR).ok());
        Self {
            socket: socket.flatten(),
            lines: BTreeMap::new(),
        }
    }

    fn socket(&self) -> Result<&OwnedFd, Errno> {
        self.socket.as_ref().ok_or(Errno::ENOTCONN)
    }

    /// Sends bytes, whatever they mean, and keeps what comes back as this pin.
    fn ask(&mut self, pin: u32, bytes: &[u8]) -> Result<String, Errno> {
        sys::socket::send(self.socket()?, bytes, &[])?;
        let mut buffer = [0; Reply::SIZE];
        let received = sys::socket::receive(self.socket()?, &mut buffer)?;
        let [descriptor, ..] = received.descriptors;
        match (received.length, Reply::parse(&buffer), descriptor) {
            (0, ..) => Err(Errno::EPIPE),
            (Reply::SIZE, Some(Reply::Granted), Some(line)) => {
                self.lines.insert(pin, Line::new(line));
                Ok("ok".to_owned())
            }
            (Reply::SIZE, Some(Reply::Refused(errno)), None) => {
                Err(Errno::from_raw(i32::try_from(errno).unwrap_or_default()))
            }
            _ => Err(Errno::EPROTO),
        }
    }

    fn line(&self, pin: u32) -> Result<&Line, Errno> {
        self.lines.get(&pin).ok_or(Errno::EBADF)
    }

    fn run(&mut self, words: &[&str]) -> Result<String, Errno> {
        let number = |place: usize| -> Result<u32, Errno> {
            let word = words.get(place).ok_or(Errno::EINVAL)?;
            word.parse().map_err(|_| Errno::EINVAL)
        };
        let output = |pin, high| Request::Output {
            pin,
            drive: Drive::PushPull,
            high,
        };
        let done = |()| "ok".to_owned();
        match words.first().copied() {
            Some("input") => {
                let pin = number(1)?;
                self.ask(pin, &Request::Input { pin }.encode())
            }
            Some("output") => {
                let (pin, level) = (number(1)?, number(2)?);
                self.ask(pin, &output(pin, level == 1).encode())
            }
            Some("drive") => {
                let pin = number(1)?;
                let mut bytes = output(pin, false).encode();
                bytes[8] = u8::try_from(number(2)?).map_err(|_| Errno::EINVAL)?;
                self.ask(pin, &bytes)
            }
            Some("read") => {
                let high = self.line(number(1)?)?.is_high()?;
                Ok(u8::from(high).to_string())
            }
            Some("set") => self.line(number(1)?)?.set(number(2)? == 1).map(done),
            Some("turn") => {
                let turned = Use::Output {
                    drive: gpio::Drive::PushPull,
                    high: true,
                };
                self.line(number(1)?)?.configure(turned).map(done)
            }
            Some("close") => {
                self.lines.remove(&number(1)?);
                Ok(done(()))
            }
            Some("devices") => devices(),
            Some("garbage") => self.ask(0, b"garbage"),
            // The manager has had enough before this ends.
            Some("flood") => loop {
                let request = Request::Input { pin: 0 }.encode();
                sys::socket::send(self.socket()?, &request, &[])?;
            },
            _ => Err(Errno::EINVAL),
        }
    }
}

fn devices() -> Result<String, Errno> {
    let entries = fs::read_dir("/dev").map_err(|_| Errno::ENOENT)?;
    let names = entries.flatten().map(|entry| entry.file_name());
    let mut names: Vec<_> = names
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    names.sort();
    Ok(names.join(" "))
}

fn main() {
    let mut app = App::new();
    for argument in env::args().skip(1) {
        let words: Vec<&str> = argument.split(' ').collect();
        match app.run(&words) {
            Ok(answer) => println!("{argument}: {answer}"),
            Err(errno) => println!("{argument}: {errno:?}"),
        }
    }
    println!("done");
    loop {
        thread::park();
    }
}
