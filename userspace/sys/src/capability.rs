// SPDX-License-Identifier: Apache-2.0 OR MIT

//! What is left in the bounding set of capabilities.

use crate::{Errno, Result};

/// More capabilities than the kernel can ever have: its sets have 64 bits.
const MOST: libc::c_ulong = 64;

/// Whether no capability can be gained by executing a file: the bounding set is empty, also of capabilities
/// that are newer than our libraries.
///
/// # Errors
///
/// None on a kernel with capabilities.
pub fn bounding_set_is_empty() -> Result<bool> {
    for capability in 0..MOST {
        // SAFETY: the call takes numbers only.
        let result = unsafe { libc::prctl(libc::PR_CAPBSET_READ, capability) };
        match Errno::result(result) {
            Ok(0) => {}
            Ok(_) => return Ok(false),
            // The first number that is no capability.
            Err(Errno::EINVAL) if capability > 0 => return Ok(true),
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_set_of_an_ordinary_process_is_not_empty() {
        assert_eq!(bounding_set_is_empty(), Ok(false));
    }
}
