// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The probe as process 1 of a machine without a sandbox: makes there what the attacks look for.

use std::fs;
use std::io;

use crate::attacks::files::OTHER;
use crate::case::Place;
use crate::raw;

/// Mounts what a device mounts, and a writable place that stands for package and storage alike.
///
/// # Errors
/// When the machine has no place to mount on.
pub fn prepare() -> io::Result<Place> {
    for (kind, target) in [
        (c"proc", c"/proc"),
        (c"sysfs", c"/sys"),
        (c"tmpfs", c"/data"),
        (c"tmpfs", c"/mnt"),
    ] {
        raw::mount(kind, target).map_err(io::Error::from_raw_os_error)?;
    }
    match raw::mount(c"devtmpfs", c"/dev") {
        // The kernel may have mounted it already.
        Ok(()) | Err(libc::EBUSY) => {}
        Err(number) => return Err(io::Error::from_raw_os_error(number)),
    }
    // Not every kernel has it; the attacks on it tell.
    let _absent = raw::mount(c"securityfs", c"/sys/kernel/security");
    fs::create_dir_all(format!("/data/config/{OTHER}"))?;
    fs::write(format!("/data/config/{OTHER}/mutable"), "secret")?;
    fs::create_dir_all(format!("/mnt/config/{OTHER}"))?;
    fs::write(format!("/mnt/config/{OTHER}/mutable"), "secret")?;
    fs::create_dir_all("/data/package/bin")?;
    fs::write("/data/package/app_manifest.json", "{}")?;
    fs::copy("/bin/app", "/data/package/bin/app")?;
    fs::write("/data/mutable", "")?;
    std::env::set_current_dir("/data/package")?;
    Ok(Place {
        package: "/data/package".into(),
        storage: Some("/data/mutable".into()),
    })
}
