// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Every system call that the filters name: who may call it, and why. Calls that are not here fail with
//! `ENOSYS`, as on a kernel that lacks them, so that programs fall back on older ones.
//!
//! Numbers are those of the ARM EABI. Where `libc` knows a call, building for ARM compares the numbers.

use super::{Access, Call, Condition, Rules, Test};

/// `CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |
/// CLONE_NEWNET`, in the flags of `clone`.
const NEW_NAMESPACES: u32 = 0x7E02_0000;
/// `TIOCSTI`: put characters into the input of a terminal.
const TIOCSTI: u32 = 0x5412;
/// `TIOCLINUX`: paste into the input of a console, among others.
const TIOCLINUX: u32 = 0x541C;
/// `GPIO_V2_LINE_SET_CONFIG_IOCTL`: turn a pin from an input into an output, or back.
const GPIO_SET_CONFIG: u32 = 0xC110_B40D;
/// The argument of `personality` that only asks.
const PERSONALITY_QUERY: u32 = 0xFFFF_FFFF;
/// `AF_UNIX`.
const AF_UNIX: u32 = 1;
/// The family of the sockets to apps on the real-time cores, which the original calls so.
const AF_AZSPIO: u32 = 43;
/// `AF_INET` is 2 and `AF_INET6` is 10: equal, but for this bit.
const INET_MASK: u32 = !8;
/// `AF_INET` under [`INET_MASK`].
const AF_INET: u32 = 2;
/// The type of a socket, without its flags.
const SOCKET_TYPE: u32 = 0xF;
/// `SOCK_STREAM`.
const STREAM: u32 = 1;
/// `SOCK_DGRAM`.
const DATAGRAM: u32 = 2;
/// `MSG_FASTOPEN`: connect within a send, past the rules on connecting.
const FAST_OPEN: u32 = 0x2000_0000;
/// `SOL_SOCKET`.
const SOL_SOCKET: u32 = 1;

/// `PR_SET_DUMPABLE`.
const SET_DUMPABLE: u32 = 4;
/// `PR_CAP_AMBIENT`.
const AMBIENT: u32 = 47;

/// The argument has this value.
const fn is(argument: u8, value: u32) -> Condition {
    Condition {
        argument,
        test: Test::Equal(value),
    }
}

/// The argument has another value.
const fn is_not(argument: u8, value: u32) -> Condition {
    Condition {
        argument,
        test: Test::NotEqual(value),
    }
}

/// The bits of the argument under the mask have this value.
const fn masked(argument: u8, mask: u32, value: u32) -> Condition {
    Condition {
        argument,
        test: Test::Masked { mask, value },
    }
}

/// `clone` without new namespaces: a thread, a fork, or a child that shares memory until it executes.
const PLAIN_CLONE: Rules = &[&[masked(0, NEW_NAMESPACES, 0)]];

/// Signals to processes by their ids, but for process 1, which serves the manager, and for everyone.
const KILL: Rules = &[&[is_not(0, 1), is_not(0, u32::MAX)]];

/// No characters into a terminal that somebody else reads from, and a pin stays what it was given out as. Only the
/// lower 32 bits count, as in the kernel.
const HARMLESS_IOCTL: Rules = &[&[
    is_not(1, TIOCSTI),
    is_not(1, TIOCLINUX),
    is_not(1, GPIO_SET_CONFIG),
]];

/// Asking for the personality, not setting one: `READ_IMPLIES_EXEC` would make data executable.
const ASKED_PERSONALITY: Rules = &[&[is(0, PERSONALITY_QUERY)]];

/// Limits of the caller only: of another process of the same user they would be a weapon.
const OWN_LIMITS: Rules = &[&[is(0, 0)]];

/// Priorities from 0 to 19: never above the default of 0.
const LOWER_PRIORITY: Rules = &[&[Condition {
    argument: 2,
    test: Test::AtMost(19),
}]];

/// Local sockets.
pub(super) const UNIX_SOCKET: Rules = &[&[is(0, AF_UNIX)]];

/// Local sockets, and those to apps on the real-time cores: the security module knows whose manifest opens the latter.
pub(super) const LOCAL_SOCKET: Rules = &[&[is(0, AF_UNIX)], INTERCORE];

/// Datagrams to an app on a real-time core.
const INTERCORE: &[Condition] = &[is(0, AF_AZSPIO), masked(1, SOCKET_TYPE, DATAGRAM), is(2, 0)];

/// As [`LOCAL_SOCKET`], and TCP and UDP over IPv4 and IPv6 by number 0 or their own: no raw sockets, no MPTCP.
pub(super) const IP_SOCKET: Rules = &[
    &[is(0, AF_UNIX)],
    INTERCORE,
    &[
        masked(0, INET_MASK, AF_INET),
        masked(1, SOCKET_TYPE, STREAM),
        is(2, 0),
    ],
    &[
        masked(0, INET_MASK, AF_INET),
        masked(1, SOCKET_TYPE, STREAM),
        is(2, 6),
    ],
    &[
        masked(0, INET_MASK, AF_INET),
        masked(1, SOCKET_TYPE, DATAGRAM),
        is(2, 0),
    ],
    &[
        masked(0, INET_MASK, AF_INET),
        masked(1, SOCKET_TYPE, DATAGRAM),
        is(2, 17),
    ],
];

/// Sending whose flags (argument 2 or 3) do not connect.
const SEND_FLAGS_SECOND: Rules = &[&[masked(2, FAST_OPEN, 0)]];
/// As [`SEND_FLAGS_SECOND`].
const SEND_FLAGS_THIRD: Rules = &[&[masked(3, FAST_OPEN, 0)]];

/// Socket options but those that choose an interface, mark packets, or load a packet filter:
/// `SO_BINDTODEVICE`, `SO_MARK`, `SO_ATTACH_FILTER`, `SO_ATTACH_BPF`, `SO_ATTACH_REUSEPORT_CBPF`,
/// `SO_ATTACH_REUSEPORT_EBPF`, `SO_BINDTOIFINDEX`.
const HARMLESS_OPTIONS: Rules = &[
    &[is_not(1, SOL_SOCKET)],
    &[
        is_not(2, 25),
        is_not(2, 36),
        is_not(2, 26),
        is_not(2, 50),
        is_not(2, 51),
        is_not(2, 52),
        is_not(2, 62),
    ],
];

/// The controls of the launcher and of the processes that it makes: those that are harmless, and two more to
/// set up a sandbox, the dumpable flag (set) and the ambient capabilities.
pub(super) const CONTROLS: Rules = &[
    &[is(0, 1)],
    &[is(0, 2)],
    &[is(0, 3)],
    &[is(0, SET_DUMPABLE)],
    &[is(0, 15)],
    &[is(0, 16)],
    &[is(0, 21)],
    &[is(0, 23)],
    &[is(0, 29)],
    &[is(0, 30)],
    &[is(0, 38)],
    &[is(0, 39)],
    &[is(0, AMBIENT)],
    &[is(0, 66)],
];

/// What is taken away again right before an app starts.
pub(super) const NO_SET_UP_CONTROLS: Rules = &[&[is_not(0, SET_DUMPABLE), is_not(0, AMBIENT)]];

/// Process controls that only ask, or only bind the caller: the death signal of the parent (set, get), the
/// dumpable flag (get), the name (set, get), the filter mode (get), a capability of the bounding set (get), the
/// timer slack (set, get), no new privileges (set, get), the refusal of executable memory (get).
pub(super) const HARMLESS_CONTROLS: Rules = &[
    &[is(0, 1)],
    &[is(0, 2)],
    &[is(0, 3)],
    &[is(0, 15)],
    &[is(0, 16)],
    &[is(0, 21)],
    &[is(0, 23)],
    &[is(0, 29)],
    &[is(0, 30)],
    &[is(0, 38)],
    &[is(0, 39)],
    &[is(0, 66)],
];

/// Builds the table; for ARM, compares the numbers with those that `libc` knows. Calls after a semicolon are too
/// new for it, or have another name there.
macro_rules! calls {
    ($($access:expr, $reason:literal {
        $($name:ident = $number:literal),* $(,)? $(; $($new:ident = $new_number:literal,)*)?
    })*) => {
        /// The table, grouped by reason.
        pub(super) const CALLS: &[Call] = &[$(
            $(Call { symbol: stringify!($name), number: $number, access: $access, reason: $reason },)*
            $($(Call { symbol: stringify!($new), number: $new_number, access: $access, reason: $reason },)*)?
        )*];

        #[cfg(target_arch = "arm")]
        const _: () = { $($(assert!(libc::$name == $number);)*)* };
    };
}

calls! {
    Access::Allow, "starts, ends, waits for and identifies processes and threads" {
        SYS_restart_syscall = 0, SYS_exit = 1, SYS_fork = 2, SYS_execve = 11, SYS_getpid = 20, SYS_umask = 60,
        SYS_getppid = 64, SYS_getpgrp = 65, SYS_times = 43, SYS_getrusage = 77, SYS_wait4 = 114,
        SYS_sysinfo = 116, SYS_uname = 122, SYS_getpgid = 132, SYS_getsid = 147, SYS_capget = 184,
        SYS_vfork = 190, SYS_ugetrlimit = 191, SYS_getuid32 = 199, SYS_getgid32 = 200, SYS_geteuid32 = 201,
        SYS_getegid32 = 202, SYS_getgroups32 = 205, SYS_getresuid32 = 209, SYS_getresgid32 = 211,
        SYS_gettid = 224, SYS_exit_group = 248, SYS_set_tid_address = 256, SYS_waitid = 280,
        SYS_set_robust_list = 338, SYS_getcpu = 345, SYS_getrandom = 384,
    }
    Access::Allow, "reads what the security module knows the caller as" {;
        SYS_lsm_get_self_attr = 459,
    }
    Access::Allow, "machine-specific: thread pointer and instruction cache" {;
        ARM_cacheflush = 0x0F_0002, ARM_set_tls = 0x0F_0005, ARM_get_tls = 0x0F_0006,
    }
    Access::Allow, "synchronises threads" {
        SYS_futex = 240, SYS_membarrier = 389;
        SYS_futex_time64 = 422,
    }
    Access::Allow, "schedules the caller; raising a priority needs other calls" {
        SYS_getpriority = 96, SYS_sched_getparam = 155, SYS_sched_getscheduler = 157, SYS_sched_yield = 158,
        SYS_sched_get_priority_max = 159, SYS_sched_get_priority_min = 160, SYS_sched_rr_get_interval = 161,
        SYS_sched_setaffinity = 241, SYS_sched_getaffinity = 242;
        SYS_sched_rr_get_interval_time64 = 423,
    }
    Access::Allow, "manages memory; what may be executable is decided by the security module, MDWE and Landlock" {
        SYS_brk = 45, SYS_munmap = 91, SYS_mprotect = 125, SYS_msync = 144, SYS_munlock = 151,
        SYS_munlockall = 153, SYS_mremap = 163, SYS_mmap2 = 192, SYS_mincore = 219, SYS_madvise = 220,
    }
    Access::Check(KILL), "signals other processes of the app" {
        SYS_kill = 37, SYS_rt_sigqueueinfo = 178, SYS_tkill = 238, SYS_tgkill = 268,
        SYS_rt_tgsigqueueinfo = 363,
    }
    Access::Allow, "receives signals" {
        SYS_pause = 29, SYS_sigreturn = 119, SYS_rt_sigreturn = 173, SYS_rt_sigaction = 174,
        SYS_rt_sigprocmask = 175, SYS_rt_sigpending = 176, SYS_rt_sigtimedwait = 177,
        SYS_rt_sigsuspend = 179, SYS_sigaltstack = 186, SYS_signalfd = 349, SYS_signalfd4 = 355;
        SYS_rt_sigtimedwait_time64 = 421,
    }
    Access::Allow, "reads clocks, sleeps and sets timers" {
        SYS_gettimeofday = 78, SYS_setitimer = 104, SYS_getitimer = 105, SYS_nanosleep = 162,
        SYS_timer_create = 257, SYS_timer_settime = 258, SYS_timer_gettime = 259, SYS_timer_getoverrun = 260,
        SYS_timer_delete = 261, SYS_clock_gettime = 263, SYS_clock_getres = 264, SYS_clock_nanosleep = 265,
        SYS_timerfd_create = 350, SYS_timerfd_settime = 353, SYS_timerfd_gettime = 354;
        SYS_clock_gettime64 = 403, SYS_clock_getres_time64 = 406, SYS_clock_nanosleep_time64 = 407,
        SYS_timer_gettime64 = 408, SYS_timer_settime64 = 409, SYS_timerfd_gettime64 = 410,
        SYS_timerfd_settime64 = 411,
    }
    Access::Allow, "reads, writes and waits on descriptors" {
        SYS_read = 3, SYS_write = 4, SYS_close = 6, SYS_dup = 41, SYS_pipe = 42, SYS_dup2 = 63,
        SYS__llseek = 140, SYS__newselect = 142, SYS_flock = 143, SYS_readv = 145, SYS_writev = 146,
        SYS_poll = 168, SYS_pread64 = 180, SYS_pwrite64 = 181, SYS_fcntl64 = 221, SYS_sendfile64 = 239,
        SYS_epoll_create = 250, SYS_epoll_ctl = 251, SYS_epoll_wait = 252, SYS_pselect6 = 335,
        SYS_ppoll = 336, SYS_epoll_pwait = 346, SYS_eventfd = 351, SYS_eventfd2 = 356, SYS_epoll_create1 = 357,
        SYS_dup3 = 358, SYS_pipe2 = 359, SYS_preadv = 361, SYS_pwritev = 362, SYS_close_range = 436,
        SYS_epoll_pwait2 = 441;
        SYS_pselect6_time64 = 413, SYS_ppoll_time64 = 414,
    }
    Access::Allow, "opens, names and changes files; mounts, the owner of a file and Landlock decide which" {
        SYS_open = 5, SYS_unlink = 10, SYS_chdir = 12, SYS_access = 33, SYS_rename = 38, SYS_mkdir = 39,
        SYS_rmdir = 40, SYS_symlink = 83, SYS_readlink = 85, SYS_fsync = 118, SYS_fchdir = 133,
        SYS_fdatasync = 148, SYS_getcwd = 183, SYS_truncate64 = 193, SYS_ftruncate64 = 194, SYS_stat64 = 195,
        SYS_lstat64 = 196, SYS_fstat64 = 197, SYS_getdents64 = 217, SYS_statfs64 = 266, SYS_fstatfs64 = 267,
        SYS_openat = 322, SYS_mkdirat = 323, SYS_fstatat64 = 327, SYS_unlinkat = 328, SYS_renameat = 329,
        SYS_symlinkat = 331, SYS_readlinkat = 332, SYS_faccessat = 334, SYS_utimensat = 348,
        SYS_fallocate = 352, SYS_renameat2 = 382, SYS_statx = 397, SYS_openat2 = 437, SYS_faccessat2 = 439;
        SYS_arm_fadvise64_64 = 270, SYS_utimensat_time64 = 412,
    }
    Access::Allow, "uses sockets that the process has" {
        SYS_accept = 285, SYS_getsockname = 286, SYS_getpeername = 287, SYS_recvfrom = 292, SYS_shutdown = 293,
        SYS_getsockopt = 295, SYS_recvmsg = 297, SYS_recvmmsg = 365, SYS_accept4 = 366;
        SYS_recvmmsg_time64 = 417,
    }
    Access::Endpoint, "names the ends of a socket; Landlock knows the ports" {
        SYS_bind = 282, SYS_connect = 283, SYS_listen = 284,
    }
    Access::Socket, "makes sockets of the families that the manifest opens" {
        SYS_socket = 281,
    }
    Access::Check(UNIX_SOCKET), "makes local socket pairs" {
        SYS_socketpair = 288,
    }
    Access::Check(HARMLESS_OPTIONS), "sets socket options" {
        SYS_setsockopt = 294,
    }
    Access::Send(SEND_FLAGS_THIRD), "sends; a TCP connection opens through connect only" {
        SYS_sendto = 290, SYS_sendmmsg = 374,
    }
    Access::Send(SEND_FLAGS_SECOND), "sends; a TCP connection opens through connect only" {
        SYS_sendmsg = 296,
    }
    Access::Check(PLAIN_CLONE), "starts threads and processes, but no namespaces" {
        SYS_clone = 120,
    }
    Access::Check(HARMLESS_IOCTL), "controls devices, but types into no terminal and turns no pin around" {
        SYS_ioctl = 54,
    }
    Access::Check(ASKED_PERSONALITY), "asks for the personality; setting one could make data executable" {
        SYS_personality = 136,
    }
    Access::Check(OWN_LIMITS), "reads and lowers the limits of the caller" {
        SYS_prlimit64 = 369,
    }
    Access::Check(LOWER_PRIORITY), "lowers the priority" {
        SYS_setpriority = 97,
    }
    Access::Clock, "sets the clock: SystemTime" {
        SYS_settimeofday = 79, SYS_clock_settime = 262;
        SYS_clock_settime64 = 404,
    }

    Access::SetUp, "needed to set up a sandbox, and to break out of one" {
        SYS_mount = 21, SYS_umount2 = 52, SYS_setsid = 66, SYS_capset = 185, SYS_setgroups32 = 206,
        SYS_setresuid32 = 208, SYS_setresgid32 = 210, SYS_pivot_root = 218, SYS_seccomp = 383,
        SYS_mount_setattr = 442, SYS_landlock_create_ruleset = 444, SYS_landlock_add_rule = 445,
        SYS_landlock_restrict_self = 446;
        SYS_lsm_set_self_attr = 460,
    }
    Access::Control, "controls the process" {
        SYS_prctl = 172,
    }
    Access::SetUpThenAbsent, "its flags lie in memory, out of reach of a filter; libraries fall back on clone" {
        SYS_clone3 = 435,
    }

    Access::Refuse, "changes mounts and roots" {
        SYS_chroot = 61, SYS_open_tree = 428, SYS_move_mount = 429, SYS_fsopen = 430, SYS_fsconfig = 431,
        SYS_fsmount = 432, SYS_fspick = 433;
        SYS_open_tree_attr = 467,
    }
    Access::Refuse, "enters or makes namespaces" {
        SYS_unshare = 337, SYS_setns = 375,
    }
    Access::Refuse, "changes the identity of the process" {
        SYS_setuid = 23, SYS_setgid = 46, SYS_setreuid = 70, SYS_setregid = 71, SYS_setgroups = 81,
        SYS_setfsuid = 138, SYS_setfsgid = 139, SYS_setresuid = 164, SYS_setresgid = 170,
        SYS_setreuid32 = 203, SYS_setregid32 = 204, SYS_setuid32 = 213, SYS_setgid32 = 214,
        SYS_setfsuid32 = 215, SYS_setfsgid32 = 216,
    }
    Access::Refuse, "looks into or steers other processes" {
        SYS_ptrace = 26, SYS_setpgid = 57, SYS_kcmp = 378, SYS_pidfd_send_signal = 424, SYS_pidfd_open = 434,
        SYS_pidfd_getfd = 438, SYS_process_madvise = 440, SYS_process_mrelease = 448,
    }
    Access::Refuse, "executes what is in no verified package" {
        SYS_uselib = 86, SYS_memfd_create = 385, SYS_execveat = 387,
    }
    Access::Refuse, "makes nodes and links, and changes owners, modes and attributes" {
        SYS_link = 9, SYS_mknod = 14, SYS_chmod = 15, SYS_fchmod = 94, SYS_lchown32 = 198, SYS_fchown32 = 207,
        SYS_chown32 = 212, SYS_setxattr = 226, SYS_lsetxattr = 227, SYS_fsetxattr = 228, SYS_removexattr = 235,
        SYS_lremovexattr = 236, SYS_fremovexattr = 237, SYS_mknodat = 324, SYS_fchownat = 325,
        SYS_linkat = 330, SYS_fchmodat = 333;
        SYS_fchmodat2 = 452, SYS_setxattrat = 463,
        SYS_removexattrat = 466, SYS_file_setattr = 469,
    }
    Access::Refuse, "opens files around the tree of directories" {
        SYS_name_to_handle_at = 370, SYS_open_by_handle_at = 371,
    }
    Access::Refuse, "moves pages between pipes, files and processes" {
        SYS_splice = 340, SYS_tee = 342, SYS_vmsplice = 343,
    }
    Access::Refuse, "takes more than a fair share of the machine" {
        SYS_nice = 34, SYS_sync = 36, SYS_mlock = 150, SYS_mlockall = 152, SYS_sched_setparam = 154,
        SYS_sched_setscheduler = 156, SYS_ioprio_set = 314, SYS_syncfs = 373, SYS_sched_setattr = 380,
        SYS_mlock2 = 390,
    }
    Access::Refuse, "administers the machine" {
        SYS_acct = 51, SYS_sethostname = 74, SYS_swapon = 87, SYS_reboot = 88, SYS_syslog = 103,
        SYS_vhangup = 111, SYS_swapoff = 115, SYS_setdomainname = 121, SYS_adjtimex = 124,
        SYS_init_module = 128, SYS_delete_module = 129, SYS_quotactl = 131, SYS_kexec_load = 347,
        SYS_fanotify_init = 367, SYS_fanotify_mark = 368, SYS_clock_adjtime = 372, SYS_finit_module = 379,
        SYS_quotactl_fd = 443;
        SYS_kexec_file_load = 401, SYS_clock_adjtime64 = 405,
    }

    Access::Absent, "engines that run programs of their own in the kernel, or hold it up" {
        SYS_perf_event_open = 364, SYS_bpf = 386, SYS_userfaultfd = 388, SYS_io_uring_setup = 425,
        SYS_io_uring_enter = 426, SYS_io_uring_register = 427,
    }
    Access::Absent, "reads and writes the memory of other processes" {
        SYS_process_vm_readv = 376, SYS_process_vm_writev = 377,
    }
    Access::Absent, "key rings" {
        SYS_add_key = 309, SYS_request_key = 310, SYS_keyctl = 311,
    }
    Access::Absent, "queues, semaphores and memory that outlive their process" {
        SYS_mq_open = 274, SYS_mq_unlink = 275, SYS_semget = 299, SYS_semctl = 300, SYS_msgget = 303,
        SYS_shmat = 305, SYS_shmget = 307,
    }
}
