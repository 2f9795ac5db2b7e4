// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Figures that the kernel gives as text.

use std::fs;
use std::path::Path;

use crate::machine::DeviceMemory;

/// Reads `/proc/meminfo`, or a file of its form; what is missing is 0.
pub fn device_memory(path: &Path) -> DeviceMemory {
    let text = fs::read_to_string(path).unwrap_or_default();
    DeviceMemory {
        total_kib: value(&text, "MemTotal:"),
        available_kib: value(&text, "MemAvailable:"),
    }
}

/// Reads a file that holds one number; `None` when it does not.
pub fn number(path: &Path) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// Reads the value behind a word in a file of lines such as `anon 4096`; 0 when it is missing.
pub fn entry(path: &Path, word: &str) -> u64 {
    value(&fs::read_to_string(path).unwrap_or_default(), word)
}

/// Reads a file of process ids, one on a line.
pub fn processes(path: &Path) -> Vec<i32> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().filter_map(|line| line.parse().ok()).collect()
}

fn value(text: &str, word: &str) -> u64 {
    text.lines()
        .find_map(|line| {
            let mut parts = line.split_whitespace();
            (parts.next() == Some(word))
                .then(|| parts.next()?.parse().ok())
                .flatten()
        })
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(content: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), content).unwrap();
        file
    }

    #[test]
    fn reads_memory_figures() {
        let meminfo = file("MemTotal:       57344 kB\nMemFree: 1 kB\nMemAvailable:   50000 kB\n");
        let memory = device_memory(meminfo.path());
        assert_eq!((memory.total_kib, memory.available_kib), (57344, 50000));
        assert_eq!(
            device_memory(Path::new("/nonexistent")),
            DeviceMemory::default()
        );
    }

    #[test]
    fn reads_numbers_entries_and_processes() {
        assert_eq!(number(file("4096\n").path()), Some(4096));
        assert_eq!(number(file("max\n").path()), None);
        let stat = file("anon 8192\nanon_thp 1\nfile 3\n");
        assert_eq!(entry(stat.path(), "anon"), 8192);
        assert_eq!(entry(stat.path(), "shmem"), 0);
        assert_eq!(processes(file("7\n12\n").path()), [7, 12]);
    }
}
