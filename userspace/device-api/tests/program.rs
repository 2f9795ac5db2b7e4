// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The program itself: sockets handed over by number, and command lines that are refused.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::thread;

use control::channel::Incoming;
use control::{Channel, Reply, Request};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

fn keys() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../board/common/keys")
}

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_device-api"))
}

fn run(arguments: &[&str]) -> Output {
    program().args(arguments).output().unwrap()
}

#[test]
fn it_serves_on_the_sockets_that_it_is_given() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (manager, theirs) = Channel::pair().unwrap();
    let mut child = program()
        .args(["--listen-fd", "0", "--control-fd", "1", "--certificate"])
        .arg(keys().join("device-api.crt.pem"))
        .arg("--key")
        .arg(keys().join("device-api.key.pem"))
        .stdin(Stdio::from(OwnedFd::from(listener)))
        .stdout(Stdio::from(theirs))
        .spawn()
        .unwrap();
    let manager = thread::spawn(move || {
        let mut manager = manager;
        let mut asked = Vec::new();
        while let Ok(Incoming::Message(request)) = manager.receive::<Request>() {
            let reply = match &request {
                Request::Device => Reply::Device(control::DeviceInfo {
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
                }),
                _ => Reply::Done { restarting: true },
            };
            asked.push(request);
            manager.send(&reply).unwrap();
        }
        asked
    });

    let mut roots = RootCertStore::empty();
    let authority = CertificateDer::from_pem_file(keys().join("device-ca.crt.pem")).unwrap();
    roots.add(authority).unwrap();
    let config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("a.devices.sphere.azure.local").unwrap();
    let tls = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut client = StreamOwned::new(tls, TcpStream::connect(address).unwrap());
    client
        .write_all(b"POST /restart HTTP/1.1\r\nHost: x\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("{\"restartingSystem\":true}"), "{answer}");

    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(manager.join().unwrap(), [Request::Device, Request::Restart]);
}

#[test]
fn help_and_mistakes_have_their_exit_codes() {
    let help = run(&["--help"]);
    assert!(help.status.success() && help.stdout.starts_with(b"Usage"));
    let unknown = run(&["--port", "443"]);
    assert_eq!(unknown.status.code(), Some(2));
    let key = keys().join("device-api.key.pem");
    let missing = run(&["--certificate", "/none", "--key", key.to_str().unwrap()]);
    assert_eq!(missing.status.code(), Some(1));
    let words = String::from_utf8(missing.stderr).unwrap();
    assert!(
        words.contains("/none") && words.lines().count() == 1,
        "{words}"
    );
}

#[test]
fn sockets_that_are_not_there_are_told() {
    let certificate = keys().join("device-api.crt.pem");
    let key = keys().join("device-api.key.pem");
    let closed = run(&[
        "--listen-fd",
        "77",
        "--certificate",
        certificate.to_str().unwrap(),
        "--key",
        key.to_str().unwrap(),
    ]);
    assert_eq!(closed.status.code(), Some(1));
    let words = String::from_utf8(closed.stderr).unwrap();
    assert!(
        words.contains("77") && words.lines().count() == 1,
        "{words}"
    );
}
