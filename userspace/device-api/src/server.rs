// SPDX-License-Identifier: Apache-2.0 OR MIT

//! A fixed set of threads that take clients from the listening socket.

use std::io;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use nix::errno::Errno;
use rustls::ServerConfig;

use crate::manager::Manager;
use crate::service::Service;
use crate::session::{Limits, serve};
use crate::tls::{Queue, TlsWire};

/// How many clients are served at the same time. Others wait in the kernel's queue; a connection that idles
/// makes room for them.
pub const MAX_CONNECTIONS: usize = 4;

/// The stack of one thread in bytes: twice what every request was seen to get along with on ARM.
#[cfg(not(debug_assertions))]
const STACK: usize = 64 * 1024;
/// The stack of one thread in bytes, for code that is not optimised.
#[cfg(debug_assertions)]
const STACK: usize = 512 * 1024;

/// What all threads share.
struct Server<M> {
    queue: Queue,
    tls: Arc<ServerConfig>,
    service: Service<M>,
    limits: Limits,
}

/// Starts the threads. They run until the process ends.
///
/// # Errors
/// When a thread cannot be made.
pub fn start<M: Manager + 'static>(
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    service: Service<M>,
    limits: Limits,
) -> io::Result<Vec<thread::JoinHandle<io::Error>>> {
    let queue = Queue {
        listener,
        free: AtomicUsize::new(0),
    };
    let server = Arc::new(Server {
        queue,
        tls,
        service,
        limits,
    });
    (0..MAX_CONNECTIONS)
        .map(|_| {
            let server = Arc::clone(&server);
            thread::Builder::new()
                .stack_size(STACK)
                .spawn(move || server.work())
        })
        .collect()
}

impl<M: Manager> Server<M> {
    /// Serves one client after the other; returns why no more can come.
    fn work(&self) -> io::Error {
        loop {
            self.queue.free.fetch_add(1, Ordering::Relaxed);
            let accepted = self.queue.listener.accept();
            self.queue.free.fetch_sub(1, Ordering::Relaxed);
            match accepted {
                Ok((stream, _)) => self.serve(stream),
                Err(error) if is_final(&error) => return error,
                // The client is gone again, or descriptors or memory are short for the moment.
                Err(_) => thread::sleep(Duration::from_millis(100)),
            }
        }
    }

    fn serve(&self, stream: TcpStream) {
        // Only a matter of speed, so a failure changes nothing.
        stream.set_nodelay(true).ok();
        // A client that does not get through the handshake is not worth a word to anyone else.
        if let Ok(mut wire) = TlsWire::accept(stream, &self.tls, &self.queue, &self.limits) {
            serve(&mut wire, &self.service, &self.limits);
        }
    }
}

/// Whether the listener itself is of no use any more.
fn is_final(error: &io::Error) -> bool {
    error.raw_os_error().is_some_and(|number| {
        matches!(
            Errno::from_raw(number),
            Errno::EBADF | Errno::EINVAL | Errno::ENOTSOCK
        )
    })
}
