// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Kernel settings that are hardened at boot. Apps cannot change them: their `/proc` is read-only and
//! they have neither the user id nor the capabilities for it.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

/// Setting below `/proc/sys`, value, and what it stops.
pub const SETTINGS: &[(&str, &str)] = &[
    // Kernel addresses and messages tell an attacker where things are.
    ("kernel/kptr_restrict", "2"),
    ("kernel/dmesg_restrict", "1"),
    // Addresses of stack, mappings and heap differ from start to start.
    ("kernel/randomize_va_space", "2"),
    // A helper that the kernel starts runs with all rights: there is none.
    ("kernel/core_pattern", ""),
    ("kernel/modprobe", ""),
    ("kernel/hotplug", ""),
    ("fs/suid_dumpable", "0"),
    // Bait in shared directories.
    ("fs/protected_hardlinks", "1"),
    ("fs/protected_symlinks", "1"),
    ("fs/protected_fifos", "2"),
    ("fs/protected_regular", "2"),
    // Ways into the kernel that nobody here needs.
    ("kernel/sysrq", "0"),
    ("kernel/perf_event_paranoid", "3"),
    ("kernel/unprivileged_bpf_disabled", "2"),
    ("kernel/kexec_load_disabled", "1"),
    ("user/max_user_namespaces", "0"),
    ("dev/tty/ldisc_autoload", "0"),
    ("dev/tty/legacy_tiocsti", "0"),
    ("vm/mmap_min_addr", "32768"),
    ("vm/unprivileged_userfaultfd", "0"),
    // A kernel that cannot go on starts anew after five seconds.
    ("kernel/panic", "5"),
    ("kernel/panic_on_oops", "1"),
    // The service interface talks to one host and routes nothing.
    ("net/ipv4/ip_forward", "0"),
    ("net/ipv4/tcp_syncookies", "1"),
    ("net/ipv4/conf/all/accept_redirects", "0"),
    ("net/ipv4/conf/all/accept_source_route", "0"),
    ("net/ipv4/conf/all/rp_filter", "1"),
    ("net/ipv4/conf/all/send_redirects", "0"),
    ("net/ipv6/conf/all/disable_ipv6", "1"),
    ("net/ipv6/conf/default/disable_ipv6", "1"),
];

/// A setting that could not be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot set {name} to \"{value}\": {source}")]
pub struct SettingError {
    name: &'static str,
    value: &'static str,
    #[source]
    source: io::Error,
}

/// Makes all settings below `root`. One that the kernel does not have belongs to something that is not
/// built in, which is the best setting of all. Some are sealed by the kernel from its start on: there it counts
/// what they are.
pub fn harden(root: &Path) -> Vec<SettingError> {
    SETTINGS
        .iter()
        .filter_map(|&(name, value)| {
            let path = root.join(name);
            if fs::read_to_string(&path).is_ok_and(|present| present.trim_end() == value) {
                return None;
            }
            // A sysctl takes a line, and an empty one empties a text.
            let setting = fs::OpenOptions::new().write(true).open(path);
            match setting.and_then(|mut file| file.write_all(format!("{value}\n").as_bytes())) {
                Err(source) if source.kind() == io::ErrorKind::NotFound => None,
                Err(source) => Some(SettingError {
                    name,
                    value,
                    source,
                }),
                Ok(()) => None,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_made_and_missing_ones_are_not() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("kernel")).unwrap();
        fs::create_dir(root.path().join("fs")).unwrap();
        let kept = root.path().join("kernel/kptr_restrict");
        fs::write(&kept, "0\n").unwrap();
        fs::create_dir(root.path().join("fs/suid_dumpable")).unwrap();
        // Sealed at the value that is wanted: nobody can write it, and nobody has to.
        let sealed = root.path().join("kernel/dmesg_restrict");
        fs::write(&sealed, "1").unwrap();
        let failed = harden(root.path());
        assert_eq!(fs::read_to_string(&sealed).unwrap(), "1", "it was written");
        assert_eq!(fs::read_to_string(&kept).unwrap(), "2\n");
        assert!(!root.path().join("kernel/sysrq").exists());
        assert_eq!(failed.len(), 1);
        assert!(
            failed[0].to_string().contains("fs/suid_dumpable"),
            "{}",
            failed[0]
        );
    }
}
