// SPDX-License-Identifier: Apache-2.0 OR MIT

//! ASXipFS: an uncompressed cramfs whose files are executed in place.

mod error;
mod inode;
mod name;
mod superblock;
mod tree;
mod writer;

pub use error::FileSystemError;
pub(crate) use name::check_name;
pub use tree::Entry;
pub(crate) use tree::Tree;
pub(crate) use writer::{Entries, Node, write};
