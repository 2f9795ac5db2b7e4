// SPDX-License-Identifier: Apache-2.0 OR MIT

//! TLS 1.2 and 1.3 with one P-256 certificate, over a socket with deadlines.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{MsgFlags, recv, send};
use rustls::crypto::ring::{cipher_suite, kx_group, sign};
use rustls::crypto::{CryptoProvider, KeyProvider, WebPkiSupportedAlgorithms};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::NoServerSessionStorage;
use rustls::sign::SigningKey;
use rustls::{ServerConfig, ServerConnection};

use crate::session::Limits;
use crate::wire::Wire;

/// The largest TLS record sent, and so the size of the buffer behind it: half of what TLS allows, since
/// answers are short.
const MAX_RECORD: usize = 8 * 1024;

/// The most bytes that are read and dropped from a client that was refused and still sends.
const MAX_LINGER: usize = 2 * 1024 * 1024;

/// How often an idle connection looks whether another client waits for its place.
const IDLE_LOOK: Duration = Duration::from_millis(250);

/// Why TLS could not be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file is missing or is no PEM.
    #[error("cannot read {what} from {}: it must be a PEM file", .path.display())]
    File {
        /// Certificate or key.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: pem::Error,
    },
    /// The key does not belong to the certificate, or is no ECDSA key.
    #[error("{} is no ECDSA key for the certificate {}", .key.display(), .certificate.display())]
    Pair {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// Why.
        #[source]
        source: rustls::Error,
    },
}

/// Takes ECDSA keys only, so that no code for others is linked in.
#[derive(Debug)]
struct EcdsaKeys;

impl KeyProvider for EcdsaKeys {
    fn load_private_key(
        &self,
        key: PrivateKeyDer<'static>,
    ) -> Result<Arc<dyn SigningKey>, rustls::Error> {
        sign::any_ecdsa_type(&key)
    }
}

/// What the server offers: forward secrecy and authenticated ciphers only. ChaCha20 comes first because a
/// Cortex-A7 has no AES instructions.
fn provider() -> CryptoProvider {
    CryptoProvider {
        cipher_suites: vec![
            cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
            cipher_suite::TLS13_AES_128_GCM_SHA256,
            cipher_suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
            cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        ],
        kx_groups: vec![kx_group::X25519, kx_group::SECP256R1],
        // Clients send no certificates, so there is nothing to verify.
        signature_verification_algorithms: WebPkiSupportedAlgorithms {
            all: &[],
            mapping: &[],
        },
        secure_random: rustls::crypto::ring::default_provider().secure_random,
        key_provider: &EcdsaKeys,
    }
}

/// Reads certificate chain and key and makes the server's configuration from them.
///
/// # Errors
/// [`TlsError`] names the file at fault.
pub fn configuration(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>, TlsError> {
    let file = |what, path: &Path| {
        let path = path.to_owned();
        move |source| TlsError::File { what, path, source }
    };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(file("the certificate", certificate))?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(file("the private key", key))?;
    let pair = |source| TlsError::Pair {
        certificate: certificate.to_owned(),
        key: key.to_owned(),
        source,
    };
    let mut config = ServerConfig::builder_with_provider(Arc::new(provider()))
        .with_safe_default_protocol_versions()
        .map_err(pair)?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(pair)?;
    // Nothing is remembered of a session: memory is scarcer than the time of a handshake.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.ignore_client_order = true;
    config.max_fragment_size = Some(MAX_RECORD);
    Ok(Arc::new(config))
}

/// Whose turn it is: lets an idle connection see that another client waits.
#[derive(Debug)]
pub struct Queue {
    /// Where clients wait.
    pub listener: TcpListener,
    /// How many threads wait for clients.
    pub free: AtomicUsize,
}

impl Queue {
    /// Whether a client waits although no thread is free.
    fn is_crowded(&self) -> bool {
        self.free.load(Ordering::Relaxed) == 0
            && wait(&self.listener, PollFlags::POLLIN, Instant::now()).is_ok()
    }
}

/// A TLS connection with deadlines.
#[derive(Debug)]
pub struct TlsWire<'a> {
    tls: ServerConnection,
    socket: Socket,
    queue: &'a Queue,
    limits: &'a Limits,
}

impl<'a> TlsWire<'a> {
    /// Shakes hands on a fresh connection.
    ///
    /// # Errors
    /// When the client does not speak TLS, agrees to no cipher, or is too slow.
    pub fn accept(
        stream: TcpStream,
        config: &Arc<ServerConfig>,
        queue: &'a Queue,
        limits: &'a Limits,
    ) -> io::Result<Self> {
        let tls = ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
        let socket = Socket {
            stream,
            until: Instant::now() + limits.head,
        };
        let mut wire = Self {
            tls,
            socket,
            queue,
            limits,
        };
        while wire.tls.is_handshaking() {
            let step = wire.step();
            // An alert that says why the handshake failed is worth sending, too.
            let flushed = wire.flush();
            step?;
            flushed?;
        }
        Ok(wire)
    }

    /// Takes in what has arrived; false at the end of the stream.
    fn step(&mut self) -> io::Result<bool> {
        let taken = self.tls.read_tls(&mut self.socket)?;
        self.tls
            .process_new_packets()
            .map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
        if taken == 0 && self.tls.is_handshaking() {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        Ok(taken > 0)
    }

    fn flush(&mut self) -> io::Result<()> {
        while self.tls.wants_write() {
            self.tls.write_tls(&mut self.socket)?;
        }
        Ok(())
    }
}

impl Wire for TlsWire<'_> {
    fn read(&mut self, buffer: &mut [u8], until: Instant) -> io::Result<usize> {
        self.socket.until = until;
        loop {
            match self.tls.reader().read(buffer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                done => return done,
            }
            self.step()?;
            self.flush()?;
        }
    }

    fn write_all(&mut self, bytes: &[u8], until: Instant) -> io::Result<()> {
        self.socket.until = until;
        for part in bytes.chunks(MAX_RECORD) {
            self.tls.writer().write_all(part)?;
            self.flush()?;
        }
        Ok(())
    }

    fn wait_for_request(&mut self) -> bool {
        // Requests that came in one record with the last one are in the TLS buffer already.
        if !self.tls.wants_read() {
            return true;
        }
        let until = Instant::now() + self.limits.idle;
        loop {
            let look = until.min(Instant::now() + IDLE_LOOK);
            match wait(&self.socket.stream, PollFlags::POLLIN, look) {
                Err(error) if error.kind() == ErrorKind::TimedOut => {
                    if Instant::now() >= until || self.queue.is_crowded() {
                        return false;
                    }
                }
                done => return done.is_ok(),
            }
        }
    }

    fn finish(&mut self, linger: bool) {
        self.socket.until = Instant::now() + self.limits.linger;
        self.tls.send_close_notify();
        let said = self
            .flush()
            .and_then(|()| self.socket.stream.shutdown(Shutdown::Write));
        if said.is_err() || !linger {
            return;
        }
        let mut buffer = [0; 4096];
        let mut dropped = 0_usize;
        while dropped < MAX_LINGER {
            match self.socket.read(&mut buffer) {
                Ok(0) | Err(_) => return,
                Ok(read) => dropped = dropped.saturating_add(read),
            }
        }
    }
}

/// A socket that never waits past a deadline.
#[derive(Debug)]
struct Socket {
    stream: TcpStream,
    until: Instant,
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            wait(&self.stream, PollFlags::POLLIN, self.until)?;
            match recv(self.stream.as_raw_fd(), buffer, MsgFlags::MSG_DONTWAIT) {
                Err(Errno::EINTR | Errno::EAGAIN) => {}
                done => return Ok(done?),
            }
        }
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
        loop {
            wait(&self.stream, PollFlags::POLLOUT, self.until)?;
            match send(self.stream.as_raw_fd(), bytes, flags) {
                Err(Errno::EINTR | Errno::EAGAIN) => {}
                done => return Ok(done?),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Waits until `descriptor` is ready.
///
/// # Errors
/// [`ErrorKind::TimedOut`] at `until`.
fn wait(descriptor: &impl AsFd, events: PollFlags, until: Instant) -> io::Result<()> {
    loop {
        let left = until.saturating_duration_since(Instant::now());
        // Rounded up, so that the last fraction of a millisecond is not spent spinning.
        let milliseconds = left.as_micros().div_ceil(1000);
        let timeout = PollTimeout::try_from(milliseconds).unwrap_or(PollTimeout::MAX);
        match poll(&mut [PollFd::new(descriptor.as_fd(), events)], timeout) {
            Ok(0) if left.is_zero() => return Err(ErrorKind::TimedOut.into()),
            Ok(0) | Err(Errno::EINTR) => {}
            Ok(_) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}
