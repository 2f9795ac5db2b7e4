// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Staging: an image goes to the manager whole and in order, or is forgotten.

use std::sync::mpsc;

use control::{RefusalKind, Request};
use policy::DeviceError;
use proptest::prelude::*;

use super::{Answer, Then, Written, exchange, refusal, request_with, talk};
use crate::resource::MAX_IMAGE;
use crate::service::{Body, Service};

const OCTETS: &str = "application/octet-stream";

fn begin(length: u64) -> Request {
    Request::StageBegin { length }
}

fn head(length: u64, more: &str) -> String {
    format!(
        "PUT /update/stage HTTP/1.1\r\nHost: x\r\nContent-Type: {OCTETS}\r\nContent-Length: {length}\r\n{more}\r\n"
    )
}

#[test]
fn an_image_reaches_the_manager_byte_by_byte_and_in_order() {
    let image: Vec<u8> = (0..100_000_u32).map(|n| (n % 251) as u8).collect();
    let service = Service::new(Written::new());
    let text = head(100_000, "");
    let mut pieces: Vec<&[u8]> = vec![text.as_bytes()];
    pieces.extend(image.chunks(1_777));
    let (sent, lingered) = talk(&service, &pieces, Then::KeepsSilent);
    let answer = Answer::parse(&sent);
    assert_eq!((answer.status, answer.body.as_str()), (200, "{}"));
    assert!(!lingered);
    assert_eq!(*service.manager().image.lock().unwrap(), image);
    assert_eq!(
        service.manager().asked(),
        [begin(100_000), Request::StageEnd]
    );
    assert_eq!(*service.manager().chunks.lock().unwrap(), 7);
}

#[test]
fn a_client_that_waits_is_told_to_continue_once_everything_is_checked() {
    let service = Service::new(Written::new());
    let text = head(3, "Expect: 100-continue\r\n");
    let (sent, _) = talk(&service, &[text.as_bytes(), b"abc"], Then::Closes);
    let answer = sent.strip_prefix("HTTP/1.1 100 Continue\r\n\r\n").unwrap();
    assert_eq!(Answer::parse(answer).status, 200);

    // Sent along with the head: nobody waits for the word.
    let together = format!("{text}abc");
    let (sent, _) = talk(&service, &[together.as_bytes()], Then::Closes);
    assert_eq!(Answer::parse(&sent).status, 200);

    // Refused: the body is never asked for.
    let refused = text.replace(OCTETS, "text/html");
    let (sent, lingered) = talk(&service, &[refused.as_bytes(), b"abc"], Then::Closes);
    assert_eq!(Answer::parse(&sent).status, 415);
    assert!(lingered);
}

#[test]
fn uploads_that_are_too_long_empty_or_of_unknown_length_are_refused_unread() {
    let unknown =
        format!("PUT /update/stage HTTP/1.1\r\nHost: x\r\nContent-Type: {OCTETS}\r\n\r\n");
    for (text, status, code) in [
        (head(MAX_IMAGE + 1, ""), 400, 15_728_644),
        (head(u64::MAX, ""), 400, 15_728_644),
        (head(0, ""), 400, 10_485_763),
        (unknown, 411, 10_485_764),
    ] {
        let (answer, service) = exchange(Written::new(), &text);
        assert_eq!((answer.status, answer.error()), (status, code), "{text}");
        assert_eq!(service.manager().asked(), []);
    }
    let small_json = request_with("POST", "/update/install", "application/json", "{}");
    assert_eq!(exchange(Written::new(), &small_json).0.status, 200);
    let large = request_with("POST", "/restart", "text/plain", &"x".repeat(4097));
    assert_eq!(exchange(Written::new(), &large).0.error(), 15_728_644);
    let largest = request_with("POST", "/restart", "text/plain", &"x".repeat(4096));
    assert_eq!(exchange(Written::new(), &largest).0.status, 200);
}

#[test]
fn what_the_manager_refuses_first_is_not_read() {
    let code = DeviceError::REST_APP_NOT_ENOUGH_FREE_SPACE;
    let service = Service::new(Written::refusing(begin(5), code, RefusalKind::Internal));
    let text = format!("{}abcde", head(5, ""));
    let (sent, lingered) = talk(&service, &[text.as_bytes()], Then::Closes);
    let answer = Answer::parse(&sent);
    assert_eq!((answer.status, answer.error()), (500, code.value()));
    assert!(answer.has("Connection: close") && lingered);
    assert_eq!(service.manager().asked(), [begin(5)]);
    assert!(service.manager().image.lock().unwrap().is_empty());
}

#[test]
fn a_refused_chunk_ends_the_upload_and_the_manager_forgets_it() {
    let manager = Written {
        refuse_chunk: Some(1),
        ..Written::new()
    };
    let text = request_with("PUT", "/update/stage", OCTETS, &"x".repeat(40_000));
    let (answer, service) = exchange(manager, &text);
    let code = DeviceError::IMAGE_UPDATE_WRITE_FAILED.value();
    assert_eq!((answer.status, answer.error()), (500, code));
    assert_eq!(
        service.manager().asked(),
        [begin(40_000), Request::StageAbort]
    );
}

#[test]
fn what_the_manager_refuses_at_the_end_is_told() {
    let code = DeviceError::REST_APP_CANNOT_COMMIT_IMAGE;
    let manager = Written::refusing(Request::StageEnd, code, RefusalKind::Internal);
    let text = request_with("PUT", "/update/stage", OCTETS, "image");
    let (answer, _) = exchange(manager, &text);
    assert_eq!((answer.status, answer.error()), (500, code.value()));
}

#[test]
fn an_upload_that_breaks_off_is_forgotten() {
    for (then, status) in [(Then::Closes, 400), (Then::KeepsSilent, 408)] {
        let service = Service::new(Written::new());
        let text = format!("{}abc", head(5, ""));
        let (sent, _) = talk(&service, &[text.as_bytes()], then);
        assert_eq!(Answer::parse(&sent).status, status);
        assert_eq!(service.manager().asked(), [begin(5), Request::StageAbort]);
    }
}

/// A body that waits for a word before its last byte.
struct Paused(mpsc::Receiver<()>, bool);

impl Body for Paused {
    fn proceed(&mut self) -> std::io::Result<()> {
        Ok(())
    }

    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if !std::mem::replace(&mut self.1, true) {
            self.0.recv().unwrap();
        }
        buffer[0] = b'x';
        Ok(1)
    }
}

#[test]
fn one_image_is_staged_at_a_time() {
    let service = Service::new(Written::new());
    let (go_on, wait) = mpsc::channel();
    std::thread::scope(|scope| {
        let first = scope.spawn(|| service.stage(1, &mut Paused(wait, false)));
        while service.manager().asked().is_empty() {
            std::thread::yield_now();
        }
        let (done, closed) = mpsc::channel();
        drop(done);
        let second = service.stage(1, &mut Paused(closed, true)).unwrap_err();
        assert_eq!(second.status, crate::http::Status::CONFLICT);
        assert_eq!(second.error, DeviceError::REST_INTERFACE_IS_BUSY);
        go_on.send(()).unwrap();
        assert!(first.join().unwrap().is_ok());
    });
    let (_keep, closed) = mpsc::channel();
    assert!(service.stage(1, &mut Paused(closed, true)).is_ok());
    assert_eq!(
        service.manager().asked(),
        [begin(1), Request::StageEnd, begin(1), Request::StageEnd]
    );
}

#[test]
fn a_manager_that_fails_to_forget_does_not_hide_the_first_failure() {
    let code = DeviceError::REST_INTERNAL_ERROR;
    let manager = Written {
        refuse: Some((Request::StageAbort, refusal(code, RefusalKind::Internal))),
        refuse_chunk: Some(0),
        ..Written::new()
    };
    let (answer, _) = exchange(
        manager,
        &request_with("PUT", "/update/stage", OCTETS, "image"),
    );
    assert_eq!(
        answer.error(),
        DeviceError::IMAGE_UPDATE_WRITE_FAILED.value()
    );
}

proptest! {
    #[test]
    fn however_an_image_is_cut_it_arrives_whole(
        image in prop::collection::vec(any::<u8>(), 1..50_000),
        cuts in prop::collection::vec(1_usize..20_000, 1..20),
    ) {
        let service = Service::new(Written::new());
        let mut text = head(image.len() as u64, "").into_bytes();
        text.extend_from_slice(&image);
        text.extend_from_slice(super::request("GET", "/osversion").as_bytes());
        let mut pieces = Vec::new();
        let mut rest = text.as_slice();
        for cut in cuts.iter().cycle() {
            if rest.is_empty() { break; }
            let (piece, tail) = rest.split_at((*cut).min(rest.len()));
            pieces.push(piece);
            rest = tail;
        }
        let (sent, _) = talk(&service, &pieces, Then::Closes);
        prop_assert_eq!(sent.matches("HTTP/1.1 200 OK").count(), 2);
        prop_assert_eq!(&*service.manager().image.lock().unwrap(), &image);
    }
}
