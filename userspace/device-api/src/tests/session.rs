// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Connections: requests one after the other, ends, and clients that mean no good.

use proptest::prelude::*;

use super::{Answer, Then, Written, exchange, request, request_with, talk};
use crate::service::Service;

#[test]
fn requests_in_one_piece_are_answered_in_order() {
    let service = Service::new(Written::new());
    let text = [
        request("GET", "/osversion"),
        request_with("POST", "/update/install", "application/json", "{}"),
        request("GET", "/device/capabilities"),
    ]
    .concat();
    let (sent, lingered) = talk(&service, &[text.as_bytes()], Then::Closes);
    let bodies: Vec<&str> = sent
        .split("HTTP/1.1 200 OK\r\n")
        .skip(1)
        .map(|answer| answer.split_once("\r\n\r\n").unwrap().1)
        .collect();
    let expected = [
        "{\"osversion\":\"0.1.0\"}",
        "{}",
        "{\"device_capabilities\":[11]}",
    ];
    assert_eq!(bodies, expected);
    assert!(!lingered);
}

#[test]
fn nothing_follows_a_request_that_closes() {
    let close = "GET /osversion HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    for (first, answers) in [(close, 1), (&request("GET", "/osversion"), 2)] {
        let service = Service::new(Written::new());
        let text = format!("{first}{}", request("GET", "/osversion"));
        let (sent, _) = talk(&service, &[text.as_bytes()], Then::Closes);
        assert_eq!(sent.matches("HTTP/1.1 200").count(), answers);
        assert_eq!(sent.matches("Connection: close").count(), 2 - answers);
    }
}

#[test]
fn a_restart_ends_the_connection_and_a_refused_one_does_not() {
    let service = Service::new(Written::new());
    let text = request("POST", "/restart").repeat(2);
    let (sent, _) = talk(&service, &[text.as_bytes()], Then::Closes);
    assert!(Answer::parse(&sent).has("Connection: close"), "{sent}");
    let text = request("GET", "/restart").repeat(2);
    let (sent, _) = talk(&service, &[text.as_bytes()], Then::Closes);
    assert_eq!(sent.matches("HTTP/1.1 405").count(), 2);
}

#[test]
fn a_refusal_whose_body_was_read_keeps_the_connection() {
    let service = Service::new(Written::new());
    let text = [request("GET", "/nowhere"), request("GET", "/osversion")].concat();
    let (sent, _) = talk(&service, &[text.as_bytes()], Then::Closes);
    assert!(
        sent.starts_with("HTTP/1.1 404") && sent.contains("HTTP/1.1 200"),
        "{sent}"
    );
}

#[test]
fn a_refused_body_is_not_taken_for_a_request() {
    let service = Service::new(Written::new());
    let smuggled = request("POST", "/restart");
    let text = request_with("PUT", "/update/stage", "text/plain", &smuggled);
    let (sent, lingered) = talk(&service, &[text.as_bytes()], Then::Closes);
    assert_eq!(Answer::parse(&sent).status, 415);
    assert!(Answer::parse(&sent).has("Connection: close") && lingered);
    assert_eq!(service.manager().asked(), []);
}

#[test]
fn what_is_not_http_ends_the_connection_after_one_answer() {
    let service = Service::new(Written::new());
    let text = format!("nonsense\r\n\r\n{}", request("GET", "/osversion"));
    let (sent, lingered) = talk(&service, &[text.as_bytes()], Then::Closes);
    let answer = Answer::parse(&sent);
    assert_eq!((answer.status, answer.error()), (400, 15_728_643));
    assert!(answer.has("Connection: close") && lingered);
}

#[test]
fn a_head_that_does_not_arrive_is_answered_and_a_client_that_leaves_is_not() {
    let service = Service::new(Written::new());
    let (sent, _) = talk(&service, &[b"GET /sta"], Then::KeepsSilent);
    assert_eq!(Answer::parse(&sent).status, 408);
    let (sent, _) = talk(&service, &[b"GET /sta"], Then::Closes);
    assert_eq!(sent, "");
    let (sent, _) = talk(&service, &[], Then::KeepsSilent);
    assert_eq!(sent, "");
}

#[test]
fn a_json_body_that_does_not_arrive_is_answered() {
    for then in [Then::Closes, Then::KeepsSilent] {
        let service = Service::new(Written::new());
        let text = request_with("POST", "/update/install", "application/json", "{}");
        let (sent, _) = talk(&service, &[&text.as_bytes()[..text.len() - 1]], then);
        assert_eq!(Answer::parse(&sent).status, 408);
        assert_eq!(service.manager().asked(), []);
    }
}

#[test]
fn a_json_body_is_asked_for_when_the_client_waits() {
    let text = "POST /update/install HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
        Content-Length: 2\r\nExpect: 100-continue\r\n\r\n";
    let service = Service::new(Written::new());
    let (sent, _) = talk(&service, &[text.as_bytes(), b"{}"], Then::Closes);
    let answer = sent.strip_prefix("HTTP/1.1 100 Continue\r\n\r\n").unwrap();
    assert_eq!(Answer::parse(answer).status, 200);
}

#[test]
fn the_manager_is_asked_for_capabilities_once() {
    let service = Service::new(Written::new());
    let text = request("GET", "/images").repeat(3);
    talk(&service, &[text.as_bytes()], Then::Closes);
    assert_eq!(service.manager().asked.lock().unwrap().len(), 4);
}

proptest! {
    #[test]
    fn no_bytes_make_a_session_panic(
        pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..100), 0..8)
    ) {
        let service = Service::new(Written::new());
        let pieces: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
        talk(&service, &pieces, Then::Closes);
    }

    #[test]
    fn every_complete_request_gets_exactly_one_answer(
        method in "(GET|PUT|POST|PATCH|DELETE|BREW)",
        path in "/(status|images|update/stage|update/install|app/(status|image|quota)/[0-9a-f-]{0,36}|[a-z/]{0,9})",
        media in "(application/json|application/octet-stream|text/plain)",
        body in "[ -~]{0,40}",
    ) {
        let (answer, _) = exchange(Written::new(), &request_with(&method, &path, &media, &body));
        prop_assert!(answer.has("REST-API-Version: 4.6.0"));
        if answer.status != 200 {
            prop_assert!(answer.error() > 0);
        }
    }
}
