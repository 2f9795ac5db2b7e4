// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The table of all tests, one file an area.

pub mod code;
pub mod denials;
pub mod file;
pub mod identity;
pub mod local;
pub mod network;
pub mod rules;
pub mod system;
pub mod task;
pub mod trace;

use crate::case::Case;
use crate::stage::Act;

/// The tests of a machine as it is shipped.
pub const ALL: &[&[Case]] = &[
    identity::CASES,
    rules::CASES,
    rules::MALFORMED,
    code::CASES,
    trace::CASES,
    task::CASES,
    system::CASES,
    file::CASES,
    network::CASES,
    local::CASES,
    // Last, for it counts what the others did.
    denials::CASES,
];

/// The tests of a machine whose manager has switched development on.
pub const DEVELOPMENT: &[&[Case]] = &[trace::DEVELOPMENT];

/// What an app is made to do as a part of a test, by name, because an exec keeps nothing else.
pub const ACTS: &[(&str, Act)] = &[
    ("nothing", |_| Ok(())),
    ("rich", identity::is_rich),
    ("plain", identity::is_plain),
    ("rich-in-thread", identity::is_rich_in_thread),
    ("rich-after-fork", identity::is_rich_after_fork),
    ("rich-after-exec", identity::is_rich_after_exec),
    ("drop", identity::drop_rights),
    ("chroot", system::chroot),
    ("find-code-of-no-file", code::find_code_of_no_file),
    ("write-rules-on-gift", rules::write_rules_on_gift),
    ("write-verified-on-gift", rules::write_verified_on_gift),
    ("read-denials-on-gift", denials::read_on_gift),
    ("send-to-the-listed-port", rules::send_listed),
    ("keep-sending", rules::keep_sending),
    ("send-until-refused", rules::send_until_refused),
    ("set-development", rules::set_development),
    ("move-tree-on-gift", system::move_tree_on_gift),
    ("listen-on-gift", network::listen_on_gift),
    ("send-tcp-on-gift", network::connect_on_gift),
    ("send-udp-on-gift", network::send_on_gift),
    ("connect-local-on-gift", local::connect_on_gift),
    ("send-file-on-gift", local::send_file_on_gift),
    ("receive-file-on-gift", local::receive_file_on_gift),
    ("wait", task::wait_for_end),
    ("be-refused", denials::be_refused),
    ("connect-elsewhere", denials::connect_elsewhere),
    ("be-refused-often", denials::be_refused_often),
];
