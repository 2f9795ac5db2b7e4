// SPDX-License-Identifier: Apache-2.0 OR MIT

//! How much of the machine a process may take.

/// Memory of one app, in bytes: `memory.max` of its control group.
///
/// It counts the pages that the app (and the first process of its process-id namespace) has touched, the pages
/// of files that it was the first to read, and what the kernel keeps for it: page tables (at least 16 KiB a
/// process), kernel stacks (8 KiB a thread), descriptors, pipes and socket buffers. It does not count the
/// program and library pages that another group read first.
pub const APP_MEMORY: u64 = 1024 * 1024;

/// Memory of all apps together, in bytes: `memory.max` of the group above theirs.
pub const ALL_APPS_MEMORY: u64 = 8 * 1024 * 1024;

/// Tasks (threads and processes) of one app, the first process of its process-id namespace included:
/// `pids.max`.
pub const APP_TASKS: u32 = 32;

/// Tasks of all apps together.
pub const ALL_APPS_TASKS: u32 = 256;

/// Share of an app in the processor when others want it too: `cpu.weight`, from 1 to 10000. Each app has the
/// same, so none gets less than its fair share.
pub const APP_WEIGHT: u32 = 100;

/// Share of all apps together against the services.
pub const ALL_APPS_WEIGHT: u32 = 100;

/// Processor time of all apps together, in microseconds out of every [`CPU_PERIOD`]: `cpu.max`. What is left
/// keeps the manager answering however busy the apps are.
pub const ALL_APPS_CPU: u32 = 90_000;

/// The period that [`ALL_APPS_CPU`] is out of, in microseconds.
pub const CPU_PERIOD: u32 = 100_000;

/// Memory of the device API, in bytes: its buffers for a TLS connection and for a message. Counted as
/// [`APP_MEMORY`] is.
pub const SERVICE_MEMORY: u64 = 4 * 1024 * 1024;

/// Tasks of a service.
pub const SERVICE_TASKS: u32 = 8;

/// Share of a service in the processor: more than all apps together, so that it can stop them.
pub const SERVICE_WEIGHT: u32 = 400;

/// Open descriptors of a process: `RLIMIT_NOFILE`.
pub const OPEN_FILES: u64 = 64;

/// Largest stack of the first thread, in bytes: `RLIMIT_STACK`. Other threads have what they ask for.
pub const STACK: u64 = 1024 * 1024;

/// The limits of one app or service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Memory in bytes; see [`APP_MEMORY`] for what counts.
    pub memory: u64,
    /// Tasks; see [`APP_TASKS`].
    pub tasks: u32,
    /// Share in the processor; see [`APP_WEIGHT`].
    pub weight: u32,
    /// Open descriptors of each process.
    pub open_files: u64,
    /// Largest stack of the first thread of each process, in bytes.
    pub stack: u64,
}

impl Limits {
    /// The limits of an app.
    pub const APP: Self = Self {
        memory: APP_MEMORY,
        tasks: APP_TASKS,
        weight: APP_WEIGHT,
        open_files: OPEN_FILES,
        stack: STACK,
    };

    /// The limits of a service.
    pub const SERVICE: Self = Self {
        memory: SERVICE_MEMORY,
        tasks: SERVICE_TASKS,
        weight: SERVICE_WEIGHT,
        open_files: OPEN_FILES,
        stack: STACK,
    };
}

impl Default for Limits {
    /// [`Limits::APP`].
    fn default() -> Self {
        Self::APP
    }
}
