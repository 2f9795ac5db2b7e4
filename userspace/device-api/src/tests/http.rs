// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Heads of requests: what is read from them, and what is refused.

use proptest::prelude::*;

use crate::http::{Head, MAX_HEAD, MAX_HEADERS, Media, Method, Response, Status, parse_head};
use crate::problem::Problem;

fn head(text: &str) -> Result<Head, Problem> {
    parse_head(text.as_bytes()).map(|complete| {
        let (head, taken) = complete.expect("an incomplete head");
        assert_eq!(taken, text.len());
        head
    })
}

fn refused(text: &str) -> u32 {
    let problem = head(text).unwrap_err();
    assert!([400, 411].contains(&problem.status.code()), "{problem}");
    problem.error.value()
}

/// The error number of category 15.
fn http(id: u32) -> u32 {
    (15 << 20) | id
}

#[test]
fn a_head_of_the_published_client_is_read() {
    let text = "PUT /update/stage HTTP/1.1\r\nHost: *.devices.sphere.azure.local\r\n\
        User-Agent: python-requests/2.26.0\r\nAccept-Encoding: gzip, deflate\r\nAccept: application/json\r\n\
        Connection: keep-alive\r\nContent-Type: application/octet-stream\r\nContent-Length: 16596\r\n\r\n";
    assert_eq!(
        head(text).unwrap(),
        Head {
            method: Method::Put,
            path: "/update/stage".to_owned(),
            length: Some(16_596),
            media: Some(Media::Octets),
            expects_continue: false,
            close: false,
        }
    );
}

#[test]
fn connection_and_version_say_whether_the_connection_stays() {
    for (text, close) in [
        ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", false),
        (
            "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
            true,
        ),
        (
            "GET / HTTP/1.1\r\nHost: x\r\nConnection: TE, Close\r\n\r\n",
            true,
        ),
        ("GET / HTTP/1.0\r\n\r\n", true),
    ] {
        assert_eq!(head(text).unwrap().close, close, "{text}");
    }
}

#[test]
fn media_types_are_compared_without_case_and_parameters() {
    for (value, media) in [
        ("application/json", Media::Json),
        ("Application/JSON; charset=utf-8", Media::Json),
        ("application/octet-stream", Media::Octets),
        ("text/plain;charset=utf-8", Media::Text),
        ("application/jsonp", Media::Other),
        ("", Media::Other),
    ] {
        let text = format!("GET / HTTP/1.1\r\nHost: x\r\nContent-Type: {value}\r\n\r\n");
        assert_eq!(head(&text).unwrap().media, Some(media), "{value}");
    }
}

#[test]
fn lengths_are_decimal_digits_and_come_once() {
    let with = |lines: &str| format!("PUT / HTTP/1.1\r\nHost: x\r\n{lines}\r\n");
    let good = head(&with("Content-Length: 007\r\n")).unwrap();
    assert_eq!(good.length, Some(7));
    for lines in [
        "Content-Length: +7\r\n",
        "Content-Length: -7\r\n",
        "Content-Length: 0x7\r\n",
        "Content-Length: 7 7\r\n",
        "Content-Length: \r\n",
        "Content-Length: 18446744073709551616\r\n",
        "Content-Length: 7\r\nContent-Length: 7\r\n",
        "Content-Length: \u{a0}7\r\n",
    ] {
        assert_eq!(refused(&with(lines)), http(4), "{lines}");
    }
}

#[test]
fn transfer_encoding_is_refused_with_or_without_a_length() {
    let with = |lines: &str| format!("PUT / HTTP/1.1\r\nHost: x\r\n{lines}\r\n");
    for lines in [
        "Transfer-Encoding: chunked\r\n",
        "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: identity\r\n",
    ] {
        let problem = head(&with(lines)).unwrap_err();
        assert_eq!(problem.status, Status::LENGTH_REQUIRED, "{lines}");
    }
    assert!(head(&with("TE: trailers\r\n")).is_ok());
}

#[test]
fn malformed_heads_are_refused() {
    for text in [
        "GET /\r\n\r\n",
        "GET / HTTP/2.0\r\nHost: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\n continued\r\n\r\n",
        "GET / HTTP/1.1\r\nA: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nExpect: miracles\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Type: text/plain\r\n\r\n",
        "\u{16}\u{3}\u{1}",
        "G\0T / HTTP/1.1\r\nHost: x\r\n\r\n",
    ] {
        assert_eq!(refused(text), http(3), "{text}");
    }
    assert!(head("GET / HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\n\r\n").is_ok());
}

#[test]
fn targets_are_paths_without_query() {
    assert_eq!(
        refused("GET http://x/status HTTP/1.1\r\nHost: x\r\n\r\n"),
        http(2)
    );
    assert_eq!(refused("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n"), http(2));
    assert_eq!(
        refused("GET /status?x=1 HTTP/1.1\r\nHost: x\r\n\r\n"),
        10_485_767
    );
    assert!(head("GET /status HTTP/1.1\r\nHost: x\r\n\r\n").is_ok());
}

#[test]
fn heads_are_limited_in_bytes_and_headers() {
    let padded = |length: usize| {
        let frame = "GET / HTTP/1.1\r\nHost: x\r\nA: \r\n\r\n".len();
        format!(
            "GET / HTTP/1.1\r\nHost: x\r\nA: {}\r\n\r\n",
            "a".repeat(length - frame)
        )
    };
    assert!(head(&padded(MAX_HEAD)).is_ok());
    assert_eq!(refused(&padded(MAX_HEAD + 1)), http(7));
    let endless = vec![b'a'; MAX_HEAD];
    assert_eq!(parse_head(&endless).unwrap_err().error.value(), http(7));
    assert_eq!(parse_head(&endless[1..]), Ok(None));

    let many = |count: usize| {
        format!(
            "GET / HTTP/1.1\r\nHost: x\r\n{}\r\n",
            "A: b\r\n".repeat(count)
        )
    };
    assert!(head(&many(MAX_HEADERS - 1)).is_ok());
    assert_eq!(refused(&many(MAX_HEADERS)), http(7));
}

#[test]
fn answers_always_carry_the_version_of_the_interface() {
    let bytes = Response::json(&()).to_bytes(true, true);
    let text = String::from_utf8(bytes).unwrap();
    assert_eq!(
        text,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 4\r\n\
         REST-API-Version: 4.6.0\r\nConnection: close\r\n\r\nnull"
    );
}

proptest! {
    #[test]
    fn no_bytes_make_the_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        parse_head(&bytes).ok();
    }

    #[test]
    fn almost_http_does_not_make_the_parser_panic(
        text in "(GET|PUT|X) /[ -~]{0,20} HTTP/1.[019]\r\n([A-Za-z-]{0,8}: ?[ -~\u{80}-\u{ff}]{0,12}\r\n){0,6}\r\n"
    ) {
        parse_head(text.as_bytes()).ok();
    }

    #[test]
    fn a_head_is_complete_at_its_end_and_not_before(
        path in "/[a-z/]{0,30}", length in any::<u64>(), cut in 0_usize..60
    ) {
        let text = format!("PUT {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n");
        let cut = cut.min(text.len() - 1);
        prop_assert_eq!(parse_head(&text.as_bytes()[..cut]), Ok(None));
        let followed = format!("{text}GET");
        let (head, taken) = parse_head(followed.as_bytes()).unwrap().unwrap();
        prop_assert_eq!(taken, text.len());
        prop_assert_eq!(head.path, path);
        prop_assert_eq!(head.length, Some(length));
    }
}
