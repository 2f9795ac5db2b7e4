// SPDX-License-Identifier: Apache-2.0 OR MIT

//! What was refused is written down: counted, with the key that would have allowed it, bounded, for the manager only.

use std::fs::File;
use std::io::Read;

use libc::{AF_INET, EPERM, SOCK_DGRAM, SOCK_STREAM};

use super::{code, file, system, task};
use crate::case::Role::{App, Manager};
use crate::case::{Case, fact, holds, refusal, refused};
use crate::net::{self, HERE, OTHER, connect, socket, tcp};
use crate::stage::{GIFT, ONLINE, PLAIN, REFUSED, REFUSED_OFTEN, SECURITY, Stage, open, read};
use crate::sys::{self, Arg, Attempt, call, number};
use crate::wire::{guid, v4};

const FILE: &str = "denials";

/// The cases of this area.
pub const CASES: &[Case] = &[
    fact(
        FILE,
        "denials",
        "are_counted_by_kind_with_their_key",
        Manager,
        counted,
    ),
    fact(
        FILE,
        "denials",
        "name_the_key_that_would_allow_a_host",
        Manager,
        host,
    ),
    fact(
        FILE,
        "denials",
        "are_bounded_for_each_component",
        Manager,
        bounded,
    ),
    fact(
        FILE,
        "denials",
        "are_well_formed_and_hold_no_pointer",
        Manager,
        well_formed,
    ),
    fact(FILE, "denials", "can_be_read_in_parts", Manager, |_| {
        in_parts()
    }),
    fact(
        FILE,
        "denials",
        "are_told_in_the_kernel_log_without_a_pointer",
        Manager,
        |_| in_log(),
    ),
    refusal(
        FILE,
        "denials",
        "read_by_an_app",
        App(&PLAIN),
        |_| read(&path()).map(drop),
        &[EPERM],
    ),
    refusal(
        FILE,
        "denials",
        "opened_for_writing_by_the_manager",
        Manager,
        |_| {
            open(&path(), libc::O_WRONLY)
                .map(File::from)
                .and_then(|mut file| crate::stage::write_once(&mut file, b"x"))
        },
        &[EPERM, libc::EACCES, libc::EINVAL],
    ),
];

fn path() -> String {
    format!("{SECURITY}/denials")
}

/// A line of the file.
struct Record {
    count: u64,
    last: u64,
    hook: String,
    class: String,
    errno: String,
    key: String,
}

/// The records of a component.
fn records(component: &[u8; 16]) -> Attempt<Vec<Record>> {
    let text = String::from_utf8(read(&path())?).map_err(|_| libc::EILSEQ)?;
    let id = guid(component);
    text.lines()
        .filter(|line| line.starts_with(&id))
        .map(parse)
        .collect()
}

fn parse(line: &str) -> Attempt<Record> {
    let fields: Vec<&str> = line.split(' ').collect();
    let [_, count, last, hook, class, errno, key] = fields.as_slice() else {
        return Err(libc::EBADMSG);
    };
    let number = |text: &str| text.parse::<u64>().map_err(|_| libc::EBADMSG);
    Ok(Record {
        count: number(count)?,
        last: number(last)?,
        hook: (*hook).to_owned(),
        class: (*class).to_owned(),
        errno: (*errno).to_owned(),
        key: (*key).to_owned(),
    })
}

/// Nanoseconds since the start of the system.
fn uptime() -> Attempt<u64> {
    let text = String::from_utf8(read("/proc/uptime")?).map_err(|_| libc::EILSEQ)?;
    let (seconds, rest) = text.split_once('.').ok_or(libc::EBADMSG)?;
    let hundredths = rest.get(..2).ok_or(libc::EBADMSG)?;
    let number = |text: &str| text.parse::<u64>().map_err(|_| libc::EBADMSG);
    Ok(number(seconds)? * 1_000_000_000 + number(hundredths)? * 10_000_000)
}

/// Is refused a known number of things.
pub fn be_refused(stage: &Stage) -> Attempt {
    for _ in 0..3 {
        refused(socket(AF_INET, SOCK_STREAM, 0), &[EPERM])?;
    }
    refused(socket(AF_INET, SOCK_DGRAM, 0), &[EPERM])?;
    for _ in 0..2 {
        refused(code::map_rwx(stage), &[libc::EACCES])?;
    }
    refused(sys::kill(1, 0), &[EPERM])
}

fn counted(stage: &Stage) -> Attempt {
    // The module counts from its own start, which is a moment after the system's.
    let before = uptime()?.saturating_sub(300_000_000);
    stage.have(&REFUSED, "be-refused")?;
    let after = uptime()? + 20_000_000;
    let found = records(&REFUSED.identity.component)?;
    let has = |count: u64, hook: &str, class: &str, errno: &str, key: &str| {
        found.iter().any(|record| {
            (
                record.count,
                record.hook.as_str(),
                record.class.as_str(),
                record.errno.as_str(),
                record.key.as_str(),
            ) == (count, hook, class, errno, key)
                && (before..=after).contains(&record.last)
        })
    };
    let counted = has(3, "socket_create", "tcp", "EPERM", "AllowedConnections")
        && has(1, "socket_create", "udp", "EPERM", "AllowedConnections")
        && has(2, "mmap_file", "memory", "EACCES", "-")
        && has(1, "task_kill", "process", "EPERM", "-");
    if !counted {
        println!("# asked between {before} and {after}");
        for Record {
            count,
            last,
            hook,
            class,
            errno,
            key,
        } in &found
        {
            println!("# {count} {last} {hook} {class} {errno} {key}");
        }
    }
    holds(counted)?;
    // Again: the counts grow, and no line is new.
    stage.have(&REFUSED, "be-refused")?;
    let again = records(&REFUSED.identity.component)?;
    holds(
        again.len() == found.len()
            && again
                .iter()
                .any(|record| record.hook == "socket_create" && record.count == 6),
    )
}

fn host(stage: &Stage) -> Attempt {
    let count = || -> Attempt<u64> {
        Ok(records(&ONLINE.identity.component)?
            .iter()
            .filter(|record| {
                record.hook == "socket_connect"
                    && record.class == "tcp"
                    && record.key == "AllowedConnections"
            })
            .map(|record| record.count)
            .sum())
    };
    // Room for its record there is: this app is refused little else.
    let before = count()?;
    stage.have(&ONLINE, "connect-elsewhere")?;
    holds(count()? == before + 1)
}

/// Connects to a port that is not listed.
pub fn connect_elsewhere(_: &Stage) -> Attempt {
    refused(connect(&tcp()?, &v4(HERE, OTHER)), &[EPERM])
}

/// Is refused more kinds of things than are kept apart.
pub fn be_refused_often(stage: &Stage) -> Attempt {
    let refusals = [
        socket(AF_INET, SOCK_STREAM, 0).map(drop),
        socket(AF_INET, SOCK_DGRAM, 0).map(drop),
        socket(libc::AF_NETLINK, libc::SOCK_RAW, 0).map(drop),
        code::map_rwx(stage),
        code::make_written_memory_executable(stage),
        code::run_copy(stage),
        sys::kill(1, 0),
        task::make_group(stage),
        crate::stage::mount("tmpfs", "/mnt/target", "tmpfs", 0),
        system::unmount("/mnt/spare"),
        system::chroot(stage),
        system::set_clock(),
        system::kernel_log(3),
        file::make_character_device(stage),
        file::set_user_id_bit(stage),
        file::make_set_group_id_directory(stage),
        super::trace::trace_me(stage),
        super::trace::attach_child(stage),
        crate::wire::set_next(&PLAIN.identity.encode()),
        read("/proc/1/attr/nacre/current").map(drop),
        read(&path()).map(drop),
        net::set_user(1),
    ];
    for (index, refusal) in refusals.into_iter().enumerate() {
        if refusal.is_ok() {
            println!("# refusal {index} was none");
            return Err(crate::case::BROKEN);
        }
    }
    Ok(())
}

fn bounded(stage: &Stage) -> Attempt {
    let count = || -> Attempt<(usize, u64)> {
        stage.have(&REFUSED_OFTEN, "be-refused-often")?;
        let found = records(&REFUSED_OFTEN.identity.component)?;
        let beyond = found
            .iter()
            .filter(|record| record.hook == "*")
            .map(|record| record.count)
            .sum();
        Ok((found.len(), beyond))
    };
    let (lines, beyond) = count()?;
    let (again, more) = count()?;
    let bounded = lines == 17 && again == 17 && beyond > 0 && more > beyond;
    if !bounded {
        println!("# {lines} and {again} lines, {beyond} and {more} denials beyond");
    }
    holds(bounded)
}

fn well_formed(_: &Stage) -> Attempt {
    let text = String::from_utf8(read(&path())?).map_err(|_| libc::EILSEQ)?;
    for line in text.lines() {
        let record = parse(line)?;
        let word = |text: &str, also: &str| {
            !text.is_empty()
                && text
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || also.contains(c))
        };
        holds(
            record.count > 0
                && word(&record.hook, "_*")
                && word(&record.class, "-*")
                && record.errno.starts_with('E')
                && word(&record.key, "-")
                && !line.contains("0x"),
        )?;
    }
    holds(!text.is_empty() && text.ends_with('\n'))
}

fn in_parts() -> Attempt {
    let mut file = File::from(open(&path(), libc::O_RDONLY)?);
    let mut text = Vec::<u8>::new();
    let mut part = [0_u8; 7];
    loop {
        match file.read(&mut part).map_err(|error| number(&error))? {
            0 => break,
            length => text.extend(part.iter().take(length)),
        }
    }
    let whole = read(&path())?;
    holds(text == whole)
}

fn in_log() -> Attempt {
    const READ_ALL: i64 = 3;
    let mut text = vec![0_u8; 1 << 16];
    let length = text.len() as i64;
    let length = call(
        libc::SYS_syslog,
        [Arg::Int(READ_ALL), Arg::Out(&mut text), Arg::Int(length)],
    )?;
    let text = String::from_utf8_lossy(text.get(..length).unwrap_or_default()).into_owned();
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("nacre: ") && line.contains(" denied ("))
        .collect();
    // Hundreds of kinds of denials have been by now; the limit is ten in a while.
    holds(!lines.is_empty() && lines.len() < 100 && lines.iter().all(|line| !line.contains("0x")))
}

/// Reads from the file that this process was started with.
pub fn read_on_gift(_: &Stage) -> Attempt {
    let mut byte = [0];
    File::from(sys::inherited(GIFT)?)
        .read(&mut byte)
        .map(drop)
        .map_err(|error| number(&error))
}
