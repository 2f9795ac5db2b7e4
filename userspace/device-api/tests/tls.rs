// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The server on a loopback socket with real TLS: names, versions, limits and clients that mean no good.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use control::{Refusal, Reply, Request};
use device_api::manager::{Manager, ManagerError};
use device_api::server::{self, MAX_CONNECTIONS};
use device_api::service::Service;
use device_api::session::Limits;
use device_api::tls::{self, TlsError};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion,
};

type Client = StreamOwned<ClientConnection, TcpStream>;

/// A manager that takes every image and knows nothing else.
#[derive(Default)]
struct Taker(Arc<Mutex<usize>>);

impl Manager for Taker {
    fn ask(&self, request: &Request) -> Result<Reply, ManagerError> {
        match request {
            Request::Device => Ok(Reply::Device(control::DeviceInfo {
                os_version: "0.1.0".to_owned(),
                kernel: String::new(),
                board: String::new(),
                abi: control::AbiVersions {
                    secure_world_runtime: 0,
                    os_runtime: 0,
                    application_runtime: 0,
                },
                capabilities: vec![11],
                layers: Vec::new(),
                memory_total_kib: 0,
                memory_available_kib: 0,
            })),
            Request::StageBegin { .. } | Request::StageEnd | Request::StageAbort => {
                Ok(Reply::Done { restarting: false })
            }
            _ => Err(ManagerError::Refused(Refusal {
                error: policy::DeviceError::REST_INTERNAL_ERROR,
                detail: "not known here".to_owned(),
                kind: control::RefusalKind::Internal,
            })),
        }
    }

    fn ask_bytes(&self, _: &Request) -> Result<Vec<u8>, ManagerError> {
        Ok(vec![b'x'; 200_000])
    }

    fn chunk(&self, bytes: &[u8]) -> Result<(), ManagerError> {
        *self.0.lock().unwrap() += bytes.len();
        Ok(())
    }
}

const LIMITS: Limits = Limits {
    head: Duration::from_millis(700),
    body_pause: Duration::from_millis(700),
    body: Duration::from_millis(700),
    bytes_per_second: 8 * 1024,
    answer: Duration::from_secs(20),
    idle: Duration::from_secs(20),
    linger: Duration::from_secs(2),
};

fn keys() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../board/common/keys")
}

fn serve() -> (SocketAddr, Arc<Mutex<usize>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let certificate = keys().join("device-api.crt.pem");
    let config = tls::configuration(&certificate, &keys().join("device-api.key.pem")).unwrap();
    let taker = Taker::default();
    let taken = Arc::clone(&taker.0);
    server::start(listener, config, Service::new(taker), LIMITS).unwrap();
    (address, taken)
}

fn connect_as(
    address: SocketAddr,
    name: &str,
    authority: &str,
    versions: &[&'static SupportedProtocolVersion],
) -> io::Result<Client> {
    let mut roots = RootCertStore::empty();
    let authority = CertificateDer::from_pem_file(keys().join(authority)).unwrap();
    roots.add(authority).unwrap();
    let config = ClientConfig::builder_with_protocol_versions(versions)
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut client = StreamOwned::new(connection, TcpStream::connect(address)?);
    client.flush()?;
    Ok(client)
}

fn connect(address: SocketAddr) -> Client {
    connect_as(
        address,
        "device.devices.sphere.azure.local",
        "device-ca.crt.pem",
        &[&TLS13],
    )
    .unwrap()
}

/// Reads one answer with a `Content-Length`.
fn answer(client: &mut Client) -> io::Result<(String, Vec<u8>)> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        client.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("Content-Length: "))
        .unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    client.read_exact(&mut body)?;
    Ok((head, body))
}

fn status(client: &mut Client) -> io::Result<String> {
    client.write_all(b"GET /status HTTP/1.1\r\nHost: x\r\n\r\n")?;
    Ok(answer(client)?.0)
}

#[test]
fn both_tls_versions_and_every_name_of_the_domain_are_served() {
    let (address, _) = serve();
    for version in [&TLS12, &TLS13] {
        for name in ["a.devices.sphere.azure.local", "192.168.35.2"] {
            let mut client = connect_as(address, name, "device-ca.crt.pem", &[version]).unwrap();
            assert!(status(&mut client).unwrap().starts_with("HTTP/1.1 200 OK"));
            assert!(status(&mut client).unwrap().starts_with("HTTP/1.1 200 OK"));
        }
    }
}

#[test]
fn other_names_and_other_authorities_do_not_pass_verification() {
    let (address, _) = serve();
    for (name, authority) in [
        ("devices.sphere.azure.local", "device-ca.crt.pem"),
        ("192.168.35.3", "device-ca.crt.pem"),
        ("a.devices.sphere.azure.local", "device-api.crt.pem"),
    ] {
        let error = connect_as(address, name, authority, &[&TLS13])
            .and_then(|mut client| status(&mut client))
            .unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{name}: {error}");
    }
}

#[test]
fn a_certificate_needs_its_own_key() {
    let certificate = keys().join("device-api.crt.pem");
    let pair = tls::configuration(&certificate, &keys().join("device-ca.key.pem"));
    assert!(matches!(pair, Err(TlsError::Pair { .. })), "{pair:?}");
    let missing = tls::configuration(&certificate, &keys().join("none.pem"));
    assert!(matches!(missing, Err(TlsError::File { .. })), "{missing:?}");
    let no_key = tls::configuration(&certificate, &certificate);
    assert!(matches!(no_key, Err(TlsError::File { .. })), "{no_key:?}");
}

#[test]
fn answers_larger_than_a_record_arrive_whole() {
    let (address, _) = serve();
    let mut client = connect(address);
    client
        .write_all(b"GET /log HTTP/1.1\r\nHost: x\r\n\r\n")
        .unwrap();
    assert_eq!(answer(&mut client).unwrap().1, vec![b'x'; 200_000]);
}

#[test]
fn an_image_is_taken_and_a_refused_one_is_answered_although_it_is_still_coming() {
    let (address, taken) = serve();
    let image = vec![7; 1_000_000];
    for (media, expected) in [
        ("application/octet-stream", "HTTP/1.1 200"),
        ("text/plain", "HTTP/1.1 415"),
    ] {
        let mut client = connect(address);
        let head = format!(
            "PUT /update/stage HTTP/1.1\r\nHost: x\r\nContent-Type: {media}\r\nContent-Length: {}\r\n\r\n",
            image.len()
        );
        client.write_all(head.as_bytes()).unwrap();
        client.write_all(&image).unwrap();
        let (head, _) = answer(&mut client).unwrap();
        assert!(head.starts_with(expected), "{head}");
    }
    assert_eq!(*taken.lock().unwrap(), image.len());
}

#[test]
fn a_client_that_drips_is_cut_off_at_the_deadline() {
    let (address, _) = serve();
    let mut client = connect(address);
    let started = Instant::now();
    let head = b"GET /status HTTP/1.1\r\nHost: x\r\nA: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    for byte in head.iter().cycle().take(2000) {
        if client.write_all(&[*byte]).is_err() || started.elapsed() > LIMITS.head * 2 {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).ok();
    assert!(rest.starts_with(b"HTTP/1.1 408"), "{}", rest.escape_ascii());
    assert!(started.elapsed() < LIMITS.head * 6);
    assert!(status(&mut connect(address)).is_ok());
}

#[test]
fn an_upload_that_drips_is_cut_off_however_long_it_says_it_is() {
    let (address, _) = serve();
    let mut client = connect(address);
    let started = Instant::now();
    let head = "PUT /update/stage HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\n\
        Content-Length: 16000000\r\n\r\n";
    client.write_all(head.as_bytes()).unwrap();
    while client.write_all(b"x").is_ok() && started.elapsed() < LIMITS.head * 2 {
        std::thread::sleep(Duration::from_millis(20));
    }
    let (head, _) = answer(&mut client).unwrap();
    assert!(head.starts_with("HTTP/1.1 408"), "{head}");
    assert!(started.elapsed() < LIMITS.head * 6);
}

#[test]
fn clients_that_hold_all_places_without_a_word_give_way() {
    let (address, _) = serve();
    let silent: Vec<TcpStream> = (0..MAX_CONNECTIONS)
        .map(|_| TcpStream::connect(address).unwrap())
        .collect();
    assert!(status(&mut connect(address)).is_ok());
    drop(silent);
}

#[test]
fn idle_connections_make_room_for_the_next_client() {
    let (address, _) = serve();
    let mut idle: Vec<Client> = (0..MAX_CONNECTIONS).map(|_| connect(address)).collect();
    for client in &mut idle {
        status(client).unwrap();
    }
    let started = Instant::now();
    assert!(status(&mut connect(address)).is_ok());
    assert!(started.elapsed() < Duration::from_secs(5));
    assert!(idle.iter_mut().any(|client| status(client).is_err()));
}

#[test]
fn an_idle_connection_stays_while_nobody_waits() {
    let (address, _) = serve();
    let mut client = connect(address);
    for _ in 0..3 {
        assert!(status(&mut client).is_ok());
        std::thread::sleep(LIMITS.head);
    }
}

#[test]
fn what_is_not_tls_is_dropped_and_the_next_client_served() {
    let (address, _) = serve();
    for junk in [
        b"GET /status HTTP/1.1\r\n\r\n".as_slice(),
        b"\x16\x03\x01\xff\xff",
        b"",
        &[0; 70_000],
    ] {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(junk).ok();
    }
    assert!(status(&mut connect(address)).is_ok());
}
