// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The attacks, one file per area of the matrix.

pub mod code;
pub mod files;
pub mod identity;
pub mod network;
pub mod processes;
pub mod storage;

use crate::case::Case;

/// The areas by the name that the command line knows.
pub const AREAS: &[(&str, &[Case])] = &[
    ("code", code::CASES),
    ("files", files::CASES),
    ("storage", storage::CASES),
    ("identity", identity::CASES),
    ("processes", processes::CASES),
    ("network", network::CASES),
    ("granted-network", network::GRANTED),
    ("neighbour", processes::NEIGHBOUR),
];

/// What a machine without a sandbox is shown to allow; the rest needs a grant or a second app to mean anything.
pub const UNPROTECTED: &[&[Case]] = &[
    code::CASES,
    files::CASES,
    storage::CASES,
    identity::CASES,
    processes::CASES,
    network::CASES,
];
