// SPDX-License-Identifier: Apache-2.0 OR MIT

//! One connection: its requests one after the other, within limits of size and time.

use std::io;
use std::time::{Duration, Instant};

use policy::DeviceError;

use crate::http::{Head, MAX_HEAD, Method, Response, Status, parse_head};
use crate::manager::Manager;
use crate::problem::{HTTP_NET_SOCKET_ERROR, Problem};
use crate::resource::{BodyRule, Resource};
use crate::service::{Body, Service};
use crate::wire::Wire;

/// How long things may take. A client that is slower loses its connection, not the device.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// From the first byte of a head to its last, also the whole TLS handshake.
    pub head: Duration,
    /// Between two parts of a body.
    pub body_pause: Duration,
    /// For a whole body, besides what the bytes that came have earned it.
    pub body: Duration,
    /// How many bytes earn a second: the least speed of an upload. The service line of the original, a UART,
    /// carries ten times this.
    pub bytes_per_second: u64,
    /// To take an answer.
    pub answer: Duration,
    /// Between two requests, while no other client waits.
    pub idle: Duration,
    /// To read and drop what a refused client still sends.
    pub linger: Duration,
}

impl Limits {
    /// The limits of the device.
    pub const DEVICE: Self = Self {
        head: Duration::from_secs(10),
        body_pause: Duration::from_secs(10),
        body: Duration::from_secs(10),
        bytes_per_second: 8 * 1024,
        answer: Duration::from_secs(20),
        idle: Duration::from_secs(15),
        linger: Duration::from_secs(2),
    };

    /// When the next part of a body has to be there.
    fn body_deadline(&self, started: Instant, received: u64) -> Instant {
        let earned = received.checked_div(self.bytes_per_second).unwrap_or(0);
        let whole = started + self.body + Duration::from_secs(earned);
        whole.min(Instant::now() + self.body_pause)
    }
}

/// Serves a connection until one side has had enough of it.
pub fn serve<M: Manager>(wire: &mut dyn Wire, service: &Service<M>, limits: &Limits) {
    let mut session = Session {
        wire,
        limits,
        arrived: Vec::with_capacity(MAX_HEAD),
    };
    let next = loop {
        match session.serve_one(service) {
            Ok(Next::Request) => {}
            Ok(next) => break next,
            Err(_) => break Next::End,
        }
    };
    session.wire.finish(next == Next::Linger);
}

/// What comes after a request.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    /// Another one.
    Request,
    /// The end of the connection.
    End,
    /// The end, while the client may still be sending what nobody wants.
    Linger,
}

struct Session<'a> {
    wire: &'a mut dyn Wire,
    limits: &'a Limits,
    /// What arrived and is not consumed: the start of a head, a body, or the next requests.
    arrived: Vec<u8>,
}

impl Session<'_> {
    /// Serves one request.
    fn serve_one<M: Manager>(&mut self, service: &Service<M>) -> io::Result<Next> {
        let head = match self.read_head() {
            Ok(Some(head)) => head,
            Ok(None) => return Ok(Next::End),
            Err(problem) => {
                self.send(&problem.response(), true, true)?;
                return Ok(Next::Linger);
            }
        };
        let mut left = head.length.unwrap_or(0);
        let answer = self.answer(&head, service, &mut left);
        // The device goes away after a restart, and a client had better connect anew.
        let restarts = answer.is_ok() && head.path == "/restart";
        let next = match (left, head.close || restarts) {
            (0, false) => Next::Request,
            (0, true) => Next::End,
            // What follows a body that was not read to its end is not a request.
            _ => Next::Linger,
        };
        let response = answer.unwrap_or_else(|problem| problem.response());
        self.send(
            &response,
            next != Next::Request,
            head.method != Method::Head,
        )?;
        Ok(next)
    }

    /// Reads up to the end of the next head; `None` when the connection ends or idles instead.
    fn read_head(&mut self) -> Result<Option<Head>, Problem> {
        if self.arrived.is_empty() && !self.wire.wait_for_request() {
            return Ok(None);
        }
        let until = Instant::now() + self.limits.head;
        loop {
            if let Some((head, taken)) = parse_head(&self.arrived)? {
                self.arrived.drain(..taken.min(self.arrived.len()));
                return Ok(Some(head));
            }
            match self.fill(until) {
                Ok(0) => return Ok(None),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                    return Err(Problem::new(
                        Status::REQUEST_TIMEOUT,
                        HTTP_NET_SOCKET_ERROR,
                        "the request did not arrive in time: try again on a better line",
                    ));
                }
                Err(_) => return Ok(None),
            }
        }
    }

    /// Reads once, up to the size of the largest head.
    fn fill(&mut self, until: Instant) -> io::Result<usize> {
        let held = self.arrived.len();
        self.arrived.resize(MAX_HEAD.max(held), 0);
        let room = self.arrived.get_mut(held..).unwrap_or_default();
        let read = self.wire.read(room, until);
        let now_held = held.saturating_add(*read.as_ref().unwrap_or(&0));
        self.arrived.truncate(now_held);
        read
    }

    fn answer<M: Manager>(
        &mut self,
        head: &Head,
        service: &Service<M>,
        left: &mut u64,
    ) -> Result<Response, Problem> {
        let resource = Resource::find(&head.path)?;
        resource.check_method(head.method)?;
        let rule = resource.body(head.method);
        rule.check(head.media, head.length)?;
        service.check_access(resource)?;
        let length = *left;
        let mut body = SessionBody {
            started: Instant::now(),
            session: self,
            length,
            left,
            expects_continue: head.expects_continue,
        };
        if rule == BodyRule::Image {
            return service.stage(length, &mut body);
        }
        let whole = body.read_whole()?;
        service.answer(resource, head.method, &whole)
    }

    fn send(&mut self, response: &Response, close: bool, with_body: bool) -> io::Result<()> {
        let until = Instant::now() + self.limits.answer;
        self.wire
            .write_all(&response.to_bytes(close, with_body), until)
    }
}

/// The body of the request under way.
struct SessionBody<'a, 'b> {
    session: &'a mut Session<'b>,
    /// How many bytes of it are not read.
    left: &'a mut u64,
    /// How many bytes it has.
    length: u64,
    /// When its time began.
    started: Instant,
    expects_continue: bool,
}

impl SessionBody<'_, '_> {
    /// Reads the whole body, whose length was checked against [`crate::resource::MAX_BODY`].
    fn read_whole(&mut self) -> Result<Vec<u8>, Problem> {
        let length = usize::try_from(*self.left).unwrap_or(0);
        if length == 0 {
            return Ok(Vec::new());
        }
        let incomplete = |_: io::Error| {
            Problem::new(
                Status::REQUEST_TIMEOUT,
                DeviceError::REST_REQUEST_DATA_EXPECTED,
                "the body did not arrive whole and in time: send it again",
            )
        };
        self.proceed().map_err(incomplete)?;
        let mut whole = vec![0; length];
        let mut filled = 0;
        while let Some(room) = whole.get_mut(filled..).filter(|room| !room.is_empty()) {
            match self.read(room) {
                Ok(0) => return Err(incomplete(io::ErrorKind::UnexpectedEof.into())),
                Ok(read) => filled = filled.saturating_add(read),
                Err(error) => return Err(incomplete(error)),
            }
        }
        Ok(whole)
    }
}

impl Body for SessionBody<'_, '_> {
    fn proceed(&mut self) -> io::Result<()> {
        // A client that sends the body along does not need to hear it.
        if self.expects_continue && self.session.arrived.is_empty() {
            let until = Instant::now() + self.session.limits.answer;
            self.session
                .wire
                .write_all(b"HTTP/1.1 100 Continue\r\n\r\n", until)?;
        }
        self.expects_continue = false;
        Ok(())
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(*self.left).unwrap_or(usize::MAX);
        let length = buffer.len().min(most);
        let Some(room) = buffer.get_mut(..length).filter(|room| !room.is_empty()) else {
            return Ok(0);
        };
        let arrived = &mut self.session.arrived;
        let read = if arrived.is_empty() {
            let received = self.length.saturating_sub(*self.left);
            let until = self.session.limits.body_deadline(self.started, received);
            self.session.wire.read(room, until)?
        } else {
            let length = room.len().min(arrived.len());
            for (to, from) in room.iter_mut().zip(arrived.drain(..length)) {
                *to = from;
            }
            length
        };
        *self.left = self.left.saturating_sub(read as u64);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_earns_time_by_arriving_and_never_more_than_a_pause_at_once() {
        let limits = Limits {
            body: Duration::from_secs(10),
            body_pause: Duration::from_secs(20),
            bytes_per_second: 1000,
            ..Limits::DEVICE
        };
        let started = Instant::now();
        let after = |received| limits.body_deadline(started, received) - started;
        assert_eq!(after(0), Duration::from_secs(10));
        assert_eq!(after(5000), Duration::from_secs(15));
        assert!(after(1_000_000) < Duration::from_secs(25));
    }
}
