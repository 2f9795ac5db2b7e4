// SPDX-License-Identifier: Apache-2.0 OR MIT

//! What belongs to the system as a whole: mounts, namespaces, clock, power, log, limits, and the engines of the kernel.

use std::fs;
use std::os::fd::AsRawFd;

use libc::{EACCES, EINVAL, ENOSYS, EPERM};

use crate::case::Role::{App, Manager, Pending};
use crate::case::{Case, absent, attack, fact, holds, to_everyone, twin};
use crate::net;
use crate::stage::{CLOCK, Feature, GIFT, NETWORK, ONLINE, PLAIN, POWER, Stage, mount, open, read};
use crate::sys::{self, Arg, Attempt, call, number};

const CAPABLE: &str = "capable";
const NO: &[i32] = &[EPERM];

/// The cases of this area.
pub const CASES: &[Case] = &[
    // Mounts.
    attack(
        "sb_mount",
        "system",
        "mount",
        App(&PLAIN),
        |_| mount("tmpfs", "/mnt/target", "tmpfs", 0),
        NO,
    ),
    attack(
        "sb_mount",
        "system",
        "bind_mount",
        App(&PLAIN),
        |_| mount("/mnt/own", "/mnt/target", "", libc::MS_BIND),
        NO,
    ),
    attack(
        "sb_mount",
        "system",
        "remount",
        App(&PLAIN),
        |_| mount("tmpfs", "/mnt/spare", "tmpfs", libc::MS_REMOUNT),
        NO,
    ),
    attack(
        "sb_mount",
        "system",
        "change_propagation",
        App(&PLAIN),
        |_| mount("", "/mnt/target", "", libc::MS_SHARED),
        NO,
    ),
    twin(
        "sb_mount",
        "system",
        "manager_mounts_and_unmounts",
        Manager,
        mount_and_unmount,
    ),
    attack(
        "sb_umount",
        "system",
        "unmount",
        App(&PLAIN),
        |_| unmount("/mnt/to-unmount"),
        NO,
    ),
    twin(
        "sb_umount",
        "system",
        "manager_unmounts",
        Manager,
        mount_and_unmount,
    ),
    attack(
        "sb_pivotroot",
        "system",
        "exchange_the_root",
        App(&PLAIN),
        pivot,
        NO,
    ),
    twin(
        "sb_pivotroot",
        "system",
        "manager_exchanges_the_root",
        Manager,
        pivot,
    ),
    attack(
        "move_mount",
        "system",
        "move_a_mount",
        Manager,
        |stage| tree_as_gift(stage, "move-tree-on-gift"),
        NO,
    ),
    twin(
        "move_mount",
        "system",
        "manager_moves_a_mount",
        Manager,
        move_own_tree,
    ),
    attack(
        CAPABLE,
        "system",
        "open_a_file_system",
        App(&PLAIN),
        open_file_system,
        NO,
    ),
    attack(
        CAPABLE,
        "system",
        "clone_a_mount",
        App(&PLAIN),
        |_| clone_tree().map(drop),
        NO,
    ),
    attack(
        CAPABLE,
        "system",
        "change_mount_attributes",
        App(&PLAIN),
        |_| set_mount_attributes(),
        NO,
    ),
    twin(
        CAPABLE,
        "system",
        "manager_opens_a_file_system",
        Manager,
        open_file_system,
    ),
    attack(CAPABLE, "system", "chroot", App(&PLAIN), chroot, NO),
    twin(CAPABLE, "system", "manager_calls_chroot", Manager, chroot),
    // Namespaces.
    attack(
        CAPABLE,
        "system",
        "unshare_mounts",
        App(&PLAIN),
        |_| unshare(libc::CLONE_NEWNS),
        NO,
    ),
    attack(
        CAPABLE,
        "system",
        "unshare_names",
        App(&PLAIN),
        |_| unshare(libc::CLONE_NEWUTS),
        NO,
    ),
    attack(
        CAPABLE,
        "system",
        "unshare_processes",
        App(&PLAIN),
        |_| unshare(libc::CLONE_NEWPID),
        NO,
    ),
    attack(
        CAPABLE,
        "system",
        "unshare_network",
        App(&PLAIN),
        |_| unshare(libc::CLONE_NEWNET),
        NO,
    ),
    attack(
        CAPABLE,
        "system",
        "enter_a_namespace",
        App(&PLAIN),
        enter_namespace,
        NO,
    ),
    twin(
        CAPABLE,
        "system",
        "manager_unshares_mounts",
        Manager,
        |_| unshare(libc::CLONE_NEWNS),
    ),
    twin(
        CAPABLE,
        "system",
        "manager_enters_a_namespace",
        Manager,
        enter_namespace,
    ),
    attack(
        "userns_create",
        "S25",
        "unshare_users",
        App(&PLAIN),
        |_| unshare(libc::CLONE_NEWUSER),
        NO,
    )
    .needs(Feature::UserNamespaces, &[EINVAL]),
    attack(
        "userns_create",
        "S25",
        "clone_into_new_users",
        App(&PLAIN),
        clone_users,
        NO,
    )
    .needs(Feature::UserNamespaces, &[EINVAL]),
    twin(
        "userns_create",
        "S25",
        "manager_unshares_users",
        Manager,
        |_| unshare(libc::CLONE_NEWUSER),
    )
    .needs(Feature::UserNamespaces, &[]),
    // The clock.
    attack(
        "settime",
        "system",
        "set_the_clock",
        App(&PLAIN),
        |_| set_clock(),
        NO,
    ),
    attack(
        "settime",
        "system",
        "set_the_clock_by_the_older_call",
        App(&PLAIN),
        |_| set_time_of_day(),
        NO,
    ),
    attack(
        "settime",
        "system",
        "set_the_time_zone",
        App(&PLAIN),
        |_| set_time_zone(),
        NO,
    ),
    // The kernel asks after its own capability first, which this process still has: it is the hook that answers.
    attack(
        "settime",
        "system",
        "set_the_clock_before_the_exec",
        Pending(&CLOCK),
        |_| set_clock(),
        NO,
    ),
    twin(
        "settime",
        "system",
        "set_the_clock_with_SystemTime",
        App(&CLOCK),
        |_| set_clock(),
    ),
    twin(
        "settime",
        "system",
        "set_the_clock_by_the_older_call_with_SystemTime",
        App(&CLOCK),
        |_| set_time_of_day(),
    ),
    twin(
        "settime",
        "system",
        "manager_sets_the_clock",
        Manager,
        |_| set_clock(),
    ),
    attack(
        CAPABLE,
        "system",
        "slow_the_clock",
        App(&PLAIN),
        |_| adjust_clock(),
        NO,
    ),
    attack(
        CAPABLE,
        "system",
        "slow_the_clock_with_PowerControls",
        App(&POWER),
        |_| adjust_clock(),
        NO,
    ),
    twin(
        CAPABLE,
        "system",
        "slow_the_clock_with_SystemTime",
        App(&CLOCK),
        |_| adjust_clock(),
    ),
    // Power.
    attack(
        CAPABLE,
        "system",
        "arm_a_restart",
        App(&PLAIN),
        arm_restart,
        NO,
    ),
    attack(
        CAPABLE,
        "system",
        "arm_a_restart_with_SystemTime",
        App(&CLOCK),
        arm_restart,
        NO,
    ),
    twin(
        CAPABLE,
        "system",
        "arm_a_restart_with_PowerControls",
        App(&POWER),
        arm_restart,
    ),
    // The network's administration.
    attack(
        CAPABLE,
        "system",
        "switch_an_interface_on",
        App(&ONLINE),
        |_| net::loopback_up(),
        NO,
    ),
    twin(
        CAPABLE,
        "system",
        "switch_an_interface_on_with_NetworkConfig",
        App(&NETWORK),
        |_| net::loopback_up(),
    ),
    attack(
        CAPABLE,
        "system",
        "mark_packets",
        App(&ONLINE),
        |_| mark_packets(),
        NO,
    ),
    // The kernel's log.
    attack(
        "syslog",
        "P24",
        "read_the_kernel_log",
        App(&PLAIN),
        |_| kernel_log(3),
        NO,
    ),
    attack(
        "syslog",
        "P24",
        "ask_the_size_of_the_kernel_log",
        App(&PLAIN),
        |_| kernel_log(10),
        NO,
    ),
    attack(
        "syslog",
        "P24",
        "read_the_kernel_log_as_a_device",
        App(&PLAIN),
        |_| open("/dev/kmsg", libc::O_RDONLY).map(drop),
        NO,
    ),
    attack(
        "syslog",
        "P24",
        "read_the_kernel_log_before_the_exec",
        Pending(&PLAIN),
        |_| kernel_log(3),
        NO,
    ),
    twin(
        "syslog",
        "P24",
        "manager_reads_the_kernel_log",
        Manager,
        |_| kernel_log(3),
    ),
    // Others.
    attack(
        CAPABLE,
        "system",
        "set_the_host_name",
        App(&PLAIN),
        |_| host_name(),
        NO,
    ),
    twin(
        CAPABLE,
        "system",
        "manager_sets_the_host_name",
        Manager,
        |_| host_name(),
    ),
    attack(
        CAPABLE,
        "system",
        "become_another_user",
        App(&PLAIN),
        |_| net::set_user(1000),
        NO,
    ),
    attack(
        CAPABLE,
        "system",
        "join_groups",
        App(&PLAIN),
        |_| join_groups(),
        NO,
    ),
    attack(
        CAPABLE,
        "system",
        "raise_a_limit",
        App(&PLAIN),
        |_| raise_limit(),
        NO,
    ),
    attack(
        CAPABLE,
        "system",
        "raise_the_priority",
        App(&PLAIN),
        |_| raise_priority(),
        &[EACCES, EPERM],
    ),
    attack(
        CAPABLE,
        "system",
        "real_time_scheduling",
        App(&PLAIN),
        |_| real_time(),
        NO,
    ),
    attack(
        CAPABLE,
        "system",
        "real_time_disk_priority",
        App(&PLAIN),
        |_| disk_priority(),
        NO,
    ),
    attack(
        CAPABLE,
        "system",
        "lend_capabilities_to_programs",
        App(&PLAIN),
        file_capabilities,
        NO,
    ),
    attack(CAPABLE, "system", "swapon", App(&PLAIN), |_| swap_on(), NO)
        .needs(Feature::Swap, &[ENOSYS]),
    attack(
        "quotactl",
        "system",
        "sync_quotas",
        App(&PLAIN),
        |_| sync_quotas(),
        NO,
    )
    .needs(Feature::Quota, &[ENOSYS]),
    twin(
        "quotactl",
        "system",
        "manager_syncs_quotas",
        Manager,
        |_| sync_quotas(),
    )
    .needs(Feature::Quota, &[]),
    attack("bpf", "S81", "make_a_map", App(&PLAIN), |_| make_map(), NO)
        .needs(Feature::Bpf, &[ENOSYS]),
    twin("bpf", "S81", "manager_makes_a_map", Manager, |_| make_map()).needs(Feature::Bpf, &[]),
    attack(
        "perf_event_open",
        "S81",
        "count_events",
        App(&PLAIN),
        |_| count_events(),
        &[EPERM, EACCES],
    )
    .needs(Feature::Perf, &[ENOSYS]),
    twin(
        "perf_event_open",
        "S81",
        "manager_counts_events",
        Manager,
        |_| count_events(),
    )
    .needs(Feature::Perf, &[]),
    attack(
        "key_alloc",
        "system",
        "add_a_key",
        App(&PLAIN),
        |_| add_key(),
        NO,
    )
    .needs(Feature::Keys, &[ENOSYS]),
    twin("key_alloc", "system", "manager_adds_a_key", Manager, |_| {
        add_key()
    })
    .needs(Feature::Keys, &[]),
    attack(
        "key_permission",
        "system",
        "join_a_session_keyring",
        App(&PLAIN),
        |_| join_keyring(),
        NO,
    )
    .needs(Feature::Keys, &[ENOSYS]),
    attack(
        "key_permission",
        "system",
        "look_at_the_user_keyring",
        App(&PLAIN),
        |_| describe_key(),
        // The kernel does not find a keyring in what it was refused to search.
        &[libc::ENOKEY],
    )
    .needs(Feature::Keys, &[ENOSYS]),
    twin(
        "key_permission",
        "system",
        "manager_looks_at_the_user_keyring",
        Manager,
        |_| describe_key(),
    )
    .needs(Feature::Keys, &[]),
    absent(
        "mq_open",
        "P6",
        "make_a_message_queue",
        App(&PLAIN),
        |_| message_queue(),
        Feature::MessageQueues,
        &[ENOSYS],
    ),
    // Settings of the kernel that the module makes and keeps.
    fact("sysctl", "P24", "kernel_log_is_restricted", Manager, |_| {
        setting("kernel/dmesg_restrict", "1")
    }),
    fact(
        "sysctl",
        "P24",
        "kernel_pointers_are_hidden",
        Manager,
        |_| setting("kernel/kptr_restrict", "1"),
    ),
    fact("sysctl", "P23", "hard_links_are_protected", Manager, |_| {
        setting("fs/protected_hardlinks", "1")
    }),
    fact(
        "sysctl",
        "P23",
        "symbolic_links_are_protected",
        Manager,
        |_| setting("fs/protected_symlinks", "1"),
    ),
    fact("sysctl", "P23", "pipes_are_protected", Manager, |_| {
        setting("fs/protected_fifos", "2")
    }),
    fact("sysctl", "P23", "files_are_protected", Manager, |_| {
        setting("fs/protected_regular", "2")
    }),
    to_everyone(
        "sysctl",
        "P24",
        "manager_opens_the_kernel_log",
        Manager,
        |_| set("kernel/dmesg_restrict"),
        &[EPERM, EACCES, EINVAL],
    ),
    to_everyone(
        "sysctl",
        "P24",
        "manager_shows_kernel_pointers",
        Manager,
        |_| set("kernel/kptr_restrict"),
        &[EPERM, EACCES, EINVAL],
    ),
    to_everyone(
        "sysctl",
        "P23",
        "manager_unprotects_hard_links",
        Manager,
        |_| set("fs/protected_hardlinks"),
        &[EPERM, EACCES, EINVAL],
    ),
    to_everyone(
        "sysctl",
        "P23",
        "manager_unprotects_symbolic_links",
        Manager,
        |_| set("fs/protected_symlinks"),
        &[EPERM, EACCES, EINVAL],
    ),
    to_everyone(
        "sysctl",
        "P23",
        "manager_unprotects_pipes",
        Manager,
        |_| set("fs/protected_fifos"),
        &[EPERM, EACCES, EINVAL],
    ),
    to_everyone(
        "sysctl",
        "P23",
        "manager_unprotects_files",
        Manager,
        |_| set("fs/protected_regular"),
        &[EPERM, EACCES, EINVAL],
    ),
    to_everyone(
        "sysctl",
        "P24",
        "app_opens_the_kernel_log",
        App(&PLAIN),
        |_| set("kernel/dmesg_restrict"),
        &[EPERM, EACCES, EINVAL],
    ),
    twin(
        "sysctl",
        "system",
        "manager_sets_another_setting",
        Manager,
        |_| fs::write("/proc/sys/kernel/panic", "5").map_err(|error| number(&error)),
    ),
];

/// Where the cases mount and unmount.
pub fn prepare() -> Attempt {
    for target in ["/mnt/spare", "/mnt/to-unmount", "/mnt/target"] {
        fs::create_dir_all(target).map_err(|error| number(&error))?;
        mount("tmpfs", target, "tmpfs", 0)?;
    }
    fs::create_dir_all("/mnt/spare/old").map_err(|error| number(&error))
}

/// Unmounts.
pub fn unmount(target: &str) -> Attempt {
    let target = sys::text(target);
    call(libc::SYS_umount2, [Arg::Text(&target), Arg::Int(0)]).map(drop)
}

fn mount_and_unmount(_: &Stage) -> Attempt {
    mount("tmpfs", "/mnt/target", "tmpfs", 0)?;
    unmount("/mnt/target")
}

fn pivot(_: &Stage) -> Attempt {
    // In its own mounts where that is possible, so that the machine keeps its root.
    let _refused = unshare(libc::CLONE_NEWNS);
    call(
        libc::SYS_pivot_root,
        [Arg::Text(c"/mnt/spare"), Arg::Text(c"/mnt/spare/old")],
    )
    .map(drop)
}

fn open_file_system(_: &Stage) -> Attempt {
    const SYS_FSOPEN: libc::c_long = 430;
    sys::call_for_descriptor(SYS_FSOPEN, [Arg::Text(c"tmpfs"), Arg::Int(1)]).map(drop)
}

fn clone_tree() -> Attempt<std::os::fd::OwnedFd> {
    const SYS_OPEN_TREE: libc::c_long = 428;
    const OPEN_TREE_CLONE: i64 = 1;
    sys::call_for_descriptor(
        SYS_OPEN_TREE,
        [
            Arg::Int(libc::AT_FDCWD.into()),
            Arg::Text(c"/mnt/own"),
            Arg::Int(OPEN_TREE_CLONE),
        ],
    )
}

fn move_tree(tree: &impl AsRawFd) -> Attempt {
    const SYS_MOVE_MOUNT: libc::c_long = 429;
    const MOVE_MOUNT_F_EMPTY_PATH: i64 = 4;
    call(
        SYS_MOVE_MOUNT,
        [
            Arg::Int(tree.as_raw_fd().into()),
            Arg::Text(c""),
            Arg::Int(libc::AT_FDCWD.into()),
            Arg::Text(c"/mnt/target"),
            Arg::Int(MOVE_MOUNT_F_EMPTY_PATH),
        ],
    )
    .map(drop)
}

fn move_own_tree(_: &Stage) -> Attempt {
    move_tree(&clone_tree()?)
}

fn tree_as_gift(stage: &Stage, act: &str) -> Attempt {
    sys::place(&clone_tree()?, GIFT)?;
    stage.have(&PLAIN, act)
}

/// Attaches the tree that this process was started with.
pub fn move_tree_on_gift(_: &Stage) -> Attempt {
    move_tree(&sys::inherited(GIFT)?)
}

fn set_mount_attributes() -> Attempt {
    const SYS_MOUNT_SETATTR: libc::c_long = 442;
    const MOUNT_ATTR_NODEV: u64 = 4;
    let mut attributes = MOUNT_ATTR_NODEV.to_le_bytes().to_vec();
    attributes.extend([0; 24]);
    call(
        SYS_MOUNT_SETATTR,
        [
            Arg::Int(libc::AT_FDCWD.into()),
            Arg::Text(c"/mnt/spare"),
            Arg::Int(0),
            Arg::In(&attributes),
            Arg::Int(attributes.len() as i64),
        ],
    )
    .map(drop)
}

/// Makes another directory the root of this process.
pub fn chroot(_: &Stage) -> Attempt {
    call(libc::SYS_chroot, [Arg::Text(c"/mnt/spare")]).map(drop)
}

fn unshare(what: i32) -> Attempt {
    call(libc::SYS_unshare, [Arg::Int(what.into())]).map(drop)
}

fn enter_namespace(_: &Stage) -> Attempt {
    let namespace = open("/proc/self/ns/uts", libc::O_RDONLY)?;
    call(
        libc::SYS_setns,
        [Arg::Int(namespace.as_raw_fd().into()), Arg::Int(0)],
    )
    .map(drop)
}

fn clone_users(_: &Stage) -> Attempt {
    let flags = i64::from(libc::CLONE_NEWUSER | libc::SIGCHLD);
    match call(
        libc::SYS_clone,
        [Arg::Int(flags), Arg::Null, Arg::Null, Arg::Null, Arg::Null],
    )? {
        0 => std::process::exit(0),
        _ => Ok(()),
    }
}

/// A second from now, because the kernel sets no clock to before its own start: seconds and nanoseconds.
fn now() -> (u64, u32) {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    (now.as_secs() + 1, now.subsec_nanos())
}

/// Sets the clock to a second later.
pub fn set_clock() -> Attempt {
    const SYS_CLOCK_SETTIME64: libc::c_long = 404;
    let (seconds, nanoseconds) = now();
    let mut time = seconds.to_le_bytes().to_vec();
    time.extend(u64::from(nanoseconds).to_le_bytes());
    call(
        SYS_CLOCK_SETTIME64,
        [Arg::Int(libc::CLOCK_REALTIME.into()), Arg::In(&time)],
    )
    .map(drop)
}

fn set_time_of_day() -> Attempt {
    let (seconds, nanoseconds) = now();
    let mut time = (seconds as u32).to_le_bytes().to_vec();
    time.extend((nanoseconds / 1000).to_le_bytes());
    call(libc::SYS_settimeofday, [Arg::In(&time), Arg::Null]).map(drop)
}

fn set_time_zone() -> Attempt {
    call(libc::SYS_settimeofday, [Arg::Null, Arg::In(&[0; 8])]).map(drop)
}

fn adjust_clock() -> Attempt {
    const SYS_CLOCK_ADJTIME64: libc::c_long = 405;
    const ADJ_OFFSET: u32 = 1;
    let mut change = [0_u8; 208];
    crate::wire::put(&mut change, 0, &ADJ_OFFSET.to_le_bytes());
    call(
        SYS_CLOCK_ADJTIME64,
        [Arg::Int(libc::CLOCK_REALTIME.into()), Arg::Out(&mut change)],
    )
    .map(drop)
}

/// Lets the kernel decide what a press of three keys does: the request for restarts that restarts nothing.
fn arm_restart(_: &Stage) -> Attempt {
    const MAGIC: [i64; 2] = [0xfee1_dead, 0x2812_1969];
    const CAD_OFF: i64 = 0;
    let [one, two] = MAGIC.map(Arg::Int);
    call(libc::SYS_reboot, [one, two, Arg::Int(CAD_OFF), Arg::Null]).map(drop)
}

fn mark_packets() -> Attempt {
    net::set_option(&net::udp()?, libc::SOL_SOCKET, libc::SO_MARK, 1)
}

/// Does something with the log of the kernel.
pub fn kernel_log(action: i64) -> Attempt {
    let mut text = [0_u8; 256];
    call(
        libc::SYS_syslog,
        [Arg::Int(action), Arg::Out(&mut text), Arg::Int(256)],
    )
    .map(drop)
}

fn host_name() -> Attempt {
    call(libc::SYS_sethostname, [Arg::In(b"nacre"), Arg::Int(5)]).map(drop)
}

fn join_groups() -> Attempt {
    call(
        libc::SYS_setgroups32,
        [Arg::Int(1), Arg::In(&1_u32.to_le_bytes())],
    )
    .map(drop)
}

fn raise_limit() -> Attempt {
    let mut limits = [0_u8; 16];
    let set = |soft: u64, hard: u64, limits: &mut [u8; 16]| {
        crate::wire::put(limits, 0, &soft.to_le_bytes());
        crate::wire::put(limits, 8, &hard.to_le_bytes());
        call(
            libc::SYS_prlimit64,
            [
                Arg::Int(0),
                Arg::Int(libc::RLIMIT_CORE as i64),
                Arg::In(limits),
                Arg::Null,
            ],
        )
        .map(drop)
    };
    // Down anybody may go, and then not up again.
    set(0, 0, &mut limits)?;
    set(4096, 4096, &mut limits)
}

fn raise_priority() -> Attempt {
    call(
        libc::SYS_setpriority,
        [Arg::Int(0), Arg::Int(0), Arg::Int(-5)],
    )
    .map(drop)
}

fn real_time() -> Attempt {
    call(
        libc::SYS_sched_setscheduler,
        [
            Arg::Int(0),
            Arg::Int(libc::SCHED_FIFO.into()),
            Arg::In(&1_i32.to_le_bytes()),
        ],
    )
    .map(drop)
}

fn disk_priority() -> Attempt {
    const PROCESS: i64 = 1;
    const REAL_TIME: i64 = 1 << 13;
    call(
        libc::SYS_ioprio_set,
        [Arg::Int(PROCESS), Arg::Int(0), Arg::Int(REAL_TIME)],
    )
    .map(drop)
}

fn file_capabilities(_: &Stage) -> Attempt {
    // Revision 2, effective, CAP_SYS_ADMIN.
    let mut value = 0x0200_0001_u32.to_le_bytes().to_vec();
    value.extend((1_u32 << 21).to_le_bytes());
    value.extend([0; 12]);
    let path = format!("/tmp/capable-{}", sys::process_id());
    fs::write(&path, "x").map_err(|error| number(&error))?;
    let path = sys::text(&path);
    let set = call(
        libc::SYS_setxattr,
        [
            Arg::Text(&path),
            Arg::Text(c"security.capability"),
            Arg::In(&value),
            Arg::Int(20),
            Arg::Int(0),
        ],
    );
    match set {
        // The kernel may have no such attributes on this file system: it was asked after the right to set them.
        Err(libc::EOPNOTSUPP) => Ok(()),
        other => other.map(drop),
    }
}

fn swap_on() -> Attempt {
    match call(libc::SYS_swapon, [Arg::Text(c"/tmp/payload"), Arg::Int(0)]) {
        // A file that is no swap area: it was looked at.
        Err(EINVAL) => Ok(()),
        other => other.map(drop),
    }
}

fn sync_quotas() -> Attempt {
    const Q_SYNC: i64 = 0x0080_0001 << 8;
    call(
        libc::SYS_quotactl,
        [Arg::Int(Q_SYNC), Arg::Null, Arg::Int(0), Arg::Null],
    )
    .map(drop)
}

fn make_map() -> Attempt {
    const MAP_CREATE: i64 = 0;
    const ARRAY: u32 = 2;
    let mut attributes = [0_u8; 128];
    for (index, word) in [ARRAY, 4, 4, 1].into_iter().enumerate() {
        crate::wire::put(&mut attributes, index * 4, &word.to_le_bytes());
    }
    sys::call_for_descriptor(
        libc::SYS_bpf,
        [
            Arg::Int(MAP_CREATE),
            Arg::Out(&mut attributes),
            Arg::Int(128),
        ],
    )
    .map(drop)
}

fn count_events() -> Attempt {
    const SOFTWARE: u32 = 1;
    const SIZE: u32 = 64;
    let mut attributes = [0_u8; SIZE as usize];
    crate::wire::put(&mut attributes, 0, &SOFTWARE.to_le_bytes());
    crate::wire::put(&mut attributes, 4, &SIZE.to_le_bytes());
    sys::call_for_descriptor(
        libc::SYS_perf_event_open,
        [
            Arg::Out(&mut attributes),
            Arg::Int(0),
            Arg::Int(-1),
            Arg::Int(-1),
            Arg::Int(0),
        ],
    )
    .map(drop)
}

/// The keyring of the process.
const PROCESS_KEYRING: i64 = -2;
/// The keyring of the user.
const USER_KEYRING: i64 = -4;

fn add_key() -> Attempt {
    call(
        libc::SYS_add_key,
        [
            Arg::Text(c"user"),
            Arg::Text(c"nacre"),
            Arg::In(b"x"),
            Arg::Int(1),
            Arg::Int(PROCESS_KEYRING),
        ],
    )
    .map(drop)
}

fn join_keyring() -> Attempt {
    const JOIN_SESSION_KEYRING: i64 = 1;
    call(
        libc::SYS_keyctl,
        [Arg::Int(JOIN_SESSION_KEYRING), Arg::Null],
    )
    .map(drop)
}

fn describe_key() -> Attempt {
    const DESCRIBE: i64 = 6;
    call(
        libc::SYS_keyctl,
        [
            Arg::Int(DESCRIBE),
            Arg::Int(USER_KEYRING),
            Arg::Null,
            Arg::Int(0),
        ],
    )
    .map(drop)
}

fn message_queue() -> Attempt {
    let flags = i64::from(libc::O_CREAT | libc::O_RDWR);
    sys::call_for_descriptor(
        libc::SYS_mq_open,
        [
            Arg::Text(c"nacre"),
            Arg::Int(flags),
            Arg::Int(0o600),
            Arg::Null,
        ],
    )
    .map(drop)
}

fn setting(name: &str, least: &str) -> Attempt {
    let value = read(&format!("/proc/sys/{name}"))?;
    let number = |text: &str| text.trim().parse::<u32>().unwrap_or(0);
    holds(number(&String::from_utf8_lossy(&value)) >= number(least))
}

/// Switches a protection off, and on again when that worked.
fn set(name: &str) -> Attempt {
    let path = format!("/proc/sys/{name}");
    let before = read(&path)?;
    fs::write(&path, "0").map_err(|error| number(&error))?;
    if read(&path)?.starts_with(b"0") {
        fs::write(&path, before).map_err(|error| number(&error))
    } else {
        Err(EPERM)
    }
}
