// SPDX-License-Identifier: Apache-2.0 OR MIT

//! What is done with an input of the fuzz target `broker`, and with its corpus in an ordinary test.

use broker::{Drive, Reply, Request, RequestError};

/// Reads an input as what an app sends, and as what comes back.
pub fn run(input: &[u8]) {
    match Request::parse(input) {
        Ok(request) => {
            assert_eq!(request.encode(), input);
            let bytes = input.get(4..8).and_then(|bytes| bytes.first_chunk());
            assert_eq!(
                bytes.map(|bytes| u32::from_le_bytes(*bytes)),
                Some(request.pin())
            );
        }
        // Nothing but how an output is driven, or its level, can be wrong in an otherwise good request.
        Err(RequestError::Value) => {
            let mut mended = input.to_vec();
            if let Some(values) = mended.get_mut(8..10) {
                values.fill(0);
            }
            let expected = Request::Output {
                pin: Request::parse(&mended).map_or(0, Request::pin),
                drive: Drive::PushPull,
                high: false,
            };
            assert_eq!(Request::parse(&mended), Ok(expected));
        }
        Err(RequestError::Malformed) => {}
    }
    match Reply::parse(input) {
        Some(reply) => assert_eq!(reply.encode(), input),
        None => assert_ne!(input.len(), Reply::SIZE),
    }
}
