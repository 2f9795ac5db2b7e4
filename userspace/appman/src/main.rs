// SPDX-License-Identifier: Apache-2.0 OR MIT

//! `/sbin/init` of the device.

fn main() -> ! {
    appman::boot::run()
}
