// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Area C: becoming someone else, or getting out of the sandbox's own rules.

use libc::{EACCES, EBADF, EFAULT, EINVAL, ENOSYS, EPERM};

use super::code::read_text;
use crate::case::{Case, Place, absent, attack, fact, refused, twin};
use crate::raw::{self, Attempt, BAD_POINTER, call};

/// The cases of this area.
pub const CASES: &[Case] = &[
    attack("C01", "become_root", setresuid, &[EPERM]),
    attack("C01", "become_group_root", setresgid, &[EPERM]),
    attack("C01", "join_groups", setgroups, &[EPERM]),
    fact("C01", "user_is_not_root_and_has_no_groups", user),
    attack(
        "C03",
        "claim_a_security_attribute",
        claim_attribute,
        &[EPERM, ENOSYS, EACCES, EINVAL],
    ),
    fact(
        "C03",
        "the_kernel_knows_the_component",
        kernel_knows_component,
    ),
    absent(
        "C05",
        "unshare_user_namespace",
        unshare_user,
        &[EPERM],
        &[EINVAL],
    ),
    absent(
        "C05",
        "clone_user_namespace",
        clone_user,
        &[EPERM],
        &[EINVAL],
    ),
    attack("C05", "unshare_mount_namespace", unshare_mount, &[EPERM]),
    attack("C06", "clone3", clone3, &[ENOSYS]),
    twin("C06", "fork", fork),
    attack("C07", "setns", setns, &[EPERM]),
    fact("C08", "no_capability_is_left", no_capabilities),
    fact("C08", "no_new_privileges_is_set", no_new_privileges),
    fact("C08", "seccomp_filters", seccomp_filters),
    absent("C10", "add_key", add_key, &[ENOSYS], &[ENOSYS]),
    absent("C10", "keyctl", keyctl, &[ENOSYS], &[ENOSYS]),
    absent("C10", "request_key", request_key, &[ENOSYS], &[ENOSYS]),
    refused(
        "C11",
        "unset_no_new_privileges",
        unset_no_new_privileges,
        &[EINVAL, EPERM],
        &[EINVAL],
    ),
    attack(
        "C11",
        "change_memory_layout",
        change_layout,
        &[EINVAL, EPERM],
    ),
    attack(
        "C11",
        "install_a_seccomp_filter",
        install_filter,
        &[EINVAL, EPERM],
    ),
    attack("C12", "make_a_process_group", make_group, &[EPERM]),
];

fn setresuid(_: &Place) -> Attempt {
    call(libc::SYS_setresuid32, [0, 0, 0, 0, 0, 0]).map(drop)
}

fn setresgid(_: &Place) -> Attempt {
    call(libc::SYS_setresgid32, [0, 0, 0, 0, 0, 0]).map(drop)
}

fn setgroups(_: &Place) -> Attempt {
    call(libc::SYS_setgroups32, [0, 0, 0, 0, 0, 0]).map(drop)
}

/// The value of a line of `/proc/self/status`.
fn status(key: &str) -> Attempt<String> {
    let text = read_text("/proc/self/status")?;
    text.lines()
        .find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))
        .map(|value| value.trim().to_owned())
        .ok_or(EINVAL)
}

fn user(_: &Place) -> Attempt {
    let ids = status("Uid")?;
    let mut ids = ids.split_whitespace();
    let first = ids.next().ok_or(EINVAL)?;
    let all_equal = ids.all(|id| id == first);
    if first != "0" && all_equal && status("Groups")?.is_empty() {
        Ok(())
    } else {
        Err(EPERM)
    }
}

fn claim_attribute(_: &Place) -> Attempt {
    // lsm_set_self_attr is number 460 everywhere; with a bad pointer it has no effect.
    const LSM_SET_SELF_ATTR: i32 = 460;
    match call(LSM_SET_SELF_ATTR, [100, BAD_POINTER, 32, 0, 0, 0]) {
        Ok(_) | Err(EFAULT) => Ok(()),
        Err(number) => Err(number),
    }
}

fn kernel_knows_component(place: &Place) -> Attempt {
    let component = raw::kernel_component()?;
    let digits: String = component.iter().map(|byte| format!("{byte:02x}")).collect();
    let package = place.package.file_name().ok_or(EINVAL)?;
    let package = package.to_string_lossy().replace('-', "").to_lowercase();
    if package == digits {
        Ok(())
    } else {
        Err(EPERM)
    }
}

fn make_group(_: &Place) -> Attempt {
    raw::in_child(|| call(libc::SYS_setpgid, [0; 6]).map(drop))
}

fn unshare_user(_: &Place) -> Attempt {
    call(
        libc::SYS_unshare,
        [libc::CLONE_NEWUSER as usize, 0, 0, 0, 0, 0],
    )
    .map(drop)
}

fn clone_user(_: &Place) -> Attempt {
    let flags = (libc::CLONE_NEWUSER | libc::SIGCHLD) as usize;
    match call(libc::SYS_clone, [flags, 0, 0, 0, 0, 0])? {
        // The child of a successful attack has nothing to do.
        0 => std::process::exit(0),
        _ => Ok(()),
    }
}

fn unshare_mount(_: &Place) -> Attempt {
    call(
        libc::SYS_unshare,
        [libc::CLONE_NEWNS as usize, 0, 0, 0, 0, 0],
    )
    .map(drop)
}

fn clone3(_: &Place) -> Attempt {
    match call(libc::SYS_clone3, [BAD_POINTER, 64, 0, 0, 0, 0]) {
        Ok(_) | Err(EFAULT) => Ok(()),
        Err(number) => Err(number),
    }
}

fn fork(_: &Place) -> Attempt {
    raw::in_child(|| Ok(()))
}

fn setns(_: &Place) -> Attempt {
    match call(libc::SYS_setns, [usize::MAX, 0, 0, 0, 0, 0]) {
        Ok(_) | Err(EBADF) => Ok(()),
        Err(number) => Err(number),
    }
}

fn no_capabilities(_: &Place) -> Attempt {
    for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        if status(set)?.bytes().any(|digit| digit != b'0') {
            return Err(EPERM);
        }
    }
    Ok(())
}

fn no_new_privileges(_: &Place) -> Attempt {
    if status("NoNewPrivs")? == "1" {
        Ok(())
    } else {
        Err(EPERM)
    }
}

fn seccomp_filters(_: &Place) -> Attempt {
    if status("Seccomp")? == "2" {
        Ok(())
    } else {
        Err(EPERM)
    }
}

fn add_key(_: &Place) -> Attempt {
    call(libc::SYS_add_key, [BAD_POINTER, BAD_POINTER, 0, 0, 0, 0]).map(drop)
}

fn keyctl(_: &Place) -> Attempt {
    call(libc::SYS_keyctl, [0, 0, 0, 0, 0, 0]).map(drop)
}

fn request_key(_: &Place) -> Attempt {
    call(
        libc::SYS_request_key,
        [BAD_POINTER, BAD_POINTER, 0, 0, 0, 0],
    )
    .map(drop)
}

fn prctl(option: i32, argument: usize) -> Attempt<usize> {
    call(
        libc::SYS_prctl,
        [option.unsigned_abs() as usize, argument, 0, 0, 0, 0],
    )
}

fn unset_no_new_privileges(_: &Place) -> Attempt {
    prctl(libc::PR_SET_NO_NEW_PRIVS, 0).map(drop)
}

fn change_layout(_: &Place) -> Attempt {
    // Replaces the program of a process, once it may; with a bad descriptor it has no effect.
    const PR_SET_MM_EXE_FILE: usize = 13;
    let option = libc::PR_SET_MM as usize;
    match call(
        libc::SYS_prctl,
        [option, PR_SET_MM_EXE_FILE, usize::MAX, 0, 0, 0],
    ) {
        Ok(_) | Err(EBADF) => Ok(()),
        Err(number) => Err(number),
    }
}

fn install_filter(_: &Place) -> Attempt {
    const FILTER: usize = 1;
    match call(libc::SYS_seccomp, [FILTER, 0, BAD_POINTER, 0, 0, 0]) {
        Ok(_) | Err(EFAULT) => Ok(()),
        Err(number) => Err(number),
    }
}
