// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Process 1 of a machine that holds nothing else. As such it is the application manager of the security module: it
//! starts apps on the real-time cores by their devices, and has apps of its own exchange messages with them.

mod acts;
mod foreign;
#[allow(dead_code)]
#[path = "../../lsm/src/ktap.rs"]
mod ktap;
mod machine;
mod socket;
mod stream;
#[allow(dead_code)]
#[path = "../../lsm/src/sys.rs"]
mod sys;
#[allow(dead_code)]
#[path = "../../lsm/src/wire.rs"]
mod wire;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use acts::{ACTS, WRONG};
use ktap::Report;
use machine::{
    ADMIRER, APP, ELSEWHERE, LIMIT, OTHER, PLAIN, REAL_TIME, RtCore, both, firmware, have, start,
    state, until,
};
use socket::Socket;
use sys::Attempt;

const USAGE: &str =
    "usage, as process 1: intercore-tests on|off|unbind|firmware [runs=NUMBER] [blocks=NUMBER]";

/// How often and how long, as the command line says.
struct Measure {
    /// Runs of the bursts, or of the firmware of others.
    runs: u32,
    /// Blocks that a hostile app writes.
    blocks: u32,
}

type Case = fn(&Measure) -> Attempt;

/// With the security module.
const ON: &[(&str, Case)] = &[
    ("s50_devices_are_the_managers", devices_are_the_managers),
    (
        "s50_sockets_are_for_apps_that_list_somebody",
        who_has_sockets,
    ),
    ("a_core_starts_what_it_can_and_nothing_else", what_starts),
    ("s57_both_sides_must_list_each_other", who_connects),
    ("addresses_and_names_are_those_of_components", addresses),
    ("each_pair_has_one_socket", one_socket),
    ("datagrams_are_datagrams", datagrams),
    ("echoes_of_every_length_on_both_cores", echoes),
    ("bursts_both_ways_on_both_cores_at_once", bursts),
    ("s53_s54_who_does_not_read_stops_his_own_core", lazy),
    ("s59_what_has_no_room_is_not_kept", no_room),
    ("s55_a_core_that_stops_is_gone_for_its_sockets", stopping),
    (
        "s56_a_core_that_is_started_again_is_a_new_one",
        starting_again,
    ),
    ("s55_a_core_that_resets_itself_is_stopped", resetting),
    (
        "s51_s52_p40_a_core_that_breaks_the_protocol_is_halted",
        attacks,
    ),
    ("blocks_from_a_hostile_core_harm_nobody_else", many_blocks),
    ("doorbells_from_a_hostile_core_harm_nobody_else", flood),
];

/// Without it.
const OFF: &[(&str, Case)] = &[("s58_nobody_is_an_app", nobody)];

/// With the driver taken away.
const UNBIND: &[(&str, Case)] = &[("the_driver_is_taken_away_in_use", unbind)];

/// That a call fails with this error.
fn fails<T>(result: Attempt<T>, error: i32, name: &str) -> Attempt {
    match result {
        Err(number) if number == error => Ok(()),
        other => {
            println!("# {name}: {:?} instead of error {error}", other.err());
            Err(WRONG)
        }
    }
}

fn right(what: bool, name: &str) -> Attempt {
    fails(if what { Err(0) } else { Ok(()) }, 0, name)
}

fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(|word| (*word).to_owned()).collect()
}

fn devices_are_the_managers(_: &Measure) -> Attempt {
    fails(have(APP, "open_device", &[]), libc::EACCES, "an app")?;
    let first = RtCore::open(0)?;
    fails(RtCore::open(0), libc::EBUSY, "a second file")?;
    RtCore::open(1)?;
    drop(first);
    RtCore::open(0).map(drop)
}

fn who_has_sockets(_: &Measure) -> Attempt {
    fails(
        have(PLAIN, "make", &[]),
        libc::EPERM,
        "an app that lists nobody",
    )?;
    fails(have(APP, "make_stream", &[]), libc::EPERM, "a stream")?;
    fails(have(APP, "make_protocol", &[]), libc::EPERM, "a protocol")?;
    // No id is the system's, and the manager has none.
    fails(Socket::new(), libc::EACCES, "the manager")?;
    have(APP, "make", &[])
}

fn what_starts(_: &Measure) -> Attempt {
    let mut core = RtCore::open(0)?;
    right(core.status()? == state::STOPPED, "stopped at first")?;
    core.stop()?;
    fails(
        core.start(&REAL_TIME[0], &[]),
        libc::ENODATA,
        "nothing was written",
    )?;
    let good = firmware("echo")?;
    let mut large = good.clone();
    // The size in memory of the first segment.
    large[52 + 20..52 + 24].copy_from_slice(&0x0100_0000_u32.to_le_bytes());
    let mut vectors = good.clone();
    vectors[24..28].copy_from_slice(&0x0010_0004_u32.to_le_bytes());
    for (name, image, error) in [
        ("text", b"#!/bin/sh\n".to_vec(), libc::ENOEXEC),
        ("a part", good[..60].to_vec(), libc::ENOEXEC),
        (
            "this program",
            machine::read(machine::PROGRAM)?[..4096].to_vec(),
            libc::ENOEXEC,
        ),
        ("vectors", vectors, libc::ENOEXEC),
        ("too large for TCM", large, libc::EFBIG),
    ] {
        core.write(&image)?;
        fails(core.start(&REAL_TIME[0], &[APP]), error, name)?;
        right(core.status()? == state::STOPPED, name)?;
        core.stop()?;
    }
    core.write(&vec![0; 1 << 20])?;
    fails(core.write(&[0]), libc::EFBIG, "more than 1 MiB")?;
    core.stop()?;

    core.write(&good)?;
    fails(core.start(&[0; 16], &[APP]), libc::EINVAL, "nobody")?;
    fails(
        core.start(&REAL_TIME[0], &[OTHER, APP]),
        libc::EINVAL,
        "no order",
    )?;
    fails(
        core.start(&REAL_TIME[0], &[APP, APP]),
        libc::EINVAL,
        "twice",
    )?;
    let mut request = machine::request(&REAL_TIME[0], &[APP]);
    request[20] = 1;
    fails(core.request(&request), libc::EINVAL, "a reserved word")?;
    request[20] = 0;
    request[16] = 65;
    fails(core.request(&request), libc::EINVAL, "too many")?;
    core.start(&REAL_TIME[0], &[APP])?;
    right(core.status()? == state::RUNNING, "running")?;
    fails(core.write(&good), libc::EBUSY, "write to a core that runs")?;
    fails(
        core.start(&REAL_TIME[0], &[APP]),
        libc::EBUSY,
        "start it again",
    )?;
    let mut other = RtCore::open(1)?;
    other.write(&good)?;
    fails(
        other.start(&REAL_TIME[0], &[APP]),
        libc::EEXIST,
        "the same app twice",
    )?;
    other.start(&REAL_TIME[1], &[APP])?;
    // Who closes the file stops the core.
    drop(core);
    right(
        RtCore::open(0)?.status()? == state::STOPPED,
        "stopped by closing",
    )
}

fn who_connects(_: &Measure) -> Attempt {
    let to = words(&["0"]);
    fails(have(APP, "connect", &to), libc::ECONNRESET, "nothing runs")?;
    fails(
        have(ELSEWHERE, "connect", &to),
        libc::EACCES,
        "not listed, not running",
    )?;
    let _cores = both("echo", "echo")?;
    fails(
        have(ELSEWHERE, "connect", &to),
        libc::EACCES,
        "not listed by the app",
    )?;
    fails(
        have(ADMIRER, "connect", &to),
        libc::EACCES,
        "not listed by the core",
    )?;
    have(APP, "connect", &to)?;
    have(OTHER, "connect", &to)
}

fn addresses(_: &Measure) -> Attempt {
    let _cores = both("echo", "echo")?;
    have(APP, "addresses", &[])
}

fn one_socket(_: &Measure) -> Attempt {
    let _cores = both("echo", "echo")?;
    have(APP, "twice", &[])
}

fn datagrams(_: &Measure) -> Attempt {
    let _cores = both("echo", "echo")?;
    have(APP, "datagrams", &[])
}

fn echoes(_: &Measure) -> Attempt {
    let _cores = both("echo", "echo")?;
    have(APP, "echo", &words(&["0"]))?;
    have(OTHER, "echo", &words(&["1"]))
}

fn bursts(measure: &Measure) -> Attempt {
    let _cores = both("burst", "burst")?;
    let begun = Instant::now();
    for run in 0..measure.runs {
        let mut children = Vec::new();
        for core in 0..2 {
            let seed = 1000 * run + core + 1;
            let words = words(&[&core.to_string(), "1000", &seed.to_string()]);
            children.push(start(APP, "burst", &words)?);
        }
        for child in children {
            sys::outcome(sys::wait(child)?)?;
        }
    }
    let count = 4 * 1000 * measure.runs;
    println!("# {count} messages in {} ms", begun.elapsed().as_millis());
    Ok(())
}

fn lazy(_: &Measure) -> Attempt {
    let _cores = both("burst", "echo")?;
    let lazy = start(APP, "lazy", &words(&["0"]))?;
    // The other core goes on all the while.
    for _ in 0..3 {
        have(APP, "echo", &words(&["1"]))?;
    }
    sys::outcome(sys::wait(lazy)?)
}

fn no_room(_: &Measure) -> Attempt {
    let _cores = both("hostile", "echo")?;
    have(APP, "full", &words(&["0"]))?;
    have(APP, "echo", &words(&["1"]))
}

fn stopping(_: &Measure) -> Attempt {
    let [one, _other] = both("echo", "echo")?;
    let waiting = start(APP, "hang_up", &words(&["0"]))?;
    std::thread::sleep(Duration::from_millis(300));
    one.stop()?;
    right(one.status()? == state::STOPPED, "stopped")?;
    right(
        !one.has_news(Duration::ZERO)?,
        "what is asked for is no news",
    )?;
    sys::outcome(sys::wait(waiting)?)?;
    fails(
        have(APP, "connect", &words(&["0"])),
        libc::ECONNRESET,
        "connect",
    )?;
    have(APP, "echo", &words(&["1"]))
}

fn starting_again(_: &Measure) -> Attempt {
    let [mut one, _other] = both("restart", "echo")?;
    for end in ["p", "h"] {
        have(APP, "ask", &words(&["0", end]))?;
        // The socket of the earlier run is of no use in the next one.
        let waiting = start(OTHER, "hang_up", &words(&["0"]))?;
        std::thread::sleep(Duration::from_millis(100));
        have(APP, "echo", &words(&["1"]))?;
        one.run(0, "echo")?;
        sys::outcome(sys::wait(waiting)?)?;
        have(APP, "echo", &words(&["0"]))?;
        one.run(0, "restart")?;
    }
    Ok(())
}

fn resetting(_: &Measure) -> Attempt {
    let [mut one, other] = both("restart", "echo")?;
    let waiting = start(OTHER, "hang_up", &words(&["0"]))?;
    std::thread::sleep(Duration::from_millis(100));
    have(APP, "ask", &words(&["0", "r"]))?;
    one.becomes(state::RESET)?;
    sys::outcome(sys::wait(waiting)?)?;
    fails(
        have(APP, "connect", &words(&["0"])),
        libc::ECONNRESET,
        "connect",
    )?;
    have(APP, "echo", &words(&["1"]))?;
    right(other.status()? == state::RUNNING, "the other core runs")?;
    // The twin: one that is only asked goes on, and so does this one when it is started again.
    one.run(0, "restart")?;
    have(APP, "ask", &words(&["0", "?"]))?;
    right(!one.has_news(Duration::from_millis(300))?, "no news")?;
    right(one.status()? == state::RUNNING, "running")
}

fn attacks(_: &Measure) -> Attempt {
    let [mut one, _other] = both("hostile", "echo")?;
    for attack in [
        &["w", "17"][..],
        &["w", "4032"],
        &["w", "4294967295"],
        &["r", "4032"],
        &["r", "4294967280"],
        &["b", "0", "32"],
        &["b", "19", "32"],
        &["b", "1061", "1072"],
        &["b", "4294967295", "4016"],
        &["b", "1000", "32"],
        &["o"],
    ] {
        let waiting = start(OTHER, "hang_up", &words(&["0"]))?;
        std::thread::sleep(Duration::from_millis(50));
        have(APP, "ask", &words(&[&["0"], attack].concat()))?;
        if attack[0] == "r" {
            // It is looked at when something is sent, once the core has made the attack.
            for _ in 0..10 {
                if one.has_news(Duration::from_millis(200))? {
                    break;
                }
                let _ = have(APP, "ask", &words(&["0", "x"]));
            }
        }
        one.becomes(state::HALTED)
            .inspect_err(|_| println!("# {attack:?}"))?;
        sys::outcome(sys::wait(waiting)?)?;
        fails(
            have(APP, "connect", &words(&["0"])),
            libc::ECONNRESET,
            "connect",
        )?;
        have(APP, "echo", &words(&["1"]))?;
        one.run(0, "hostile")?;
    }
    // The twin: nothing bad is asked for.
    have(APP, "ask", &words(&["0", "e"]))?;
    right(one.status()? == state::RUNNING, "running")
}

fn many_blocks(measure: &Measure) -> Attempt {
    let [mut one, other] = both("hostile", "echo")?;
    let begun = Instant::now();
    let (mut asked, mut halted) = (0, 0);
    while asked < measure.blocks {
        // As many as it takes until the channel is halted, which only a restart ends.
        have(
            APP,
            "ask",
            &words(&["0", "m", &(asked + 1).to_string(), "8"]),
        )?;
        for _ in 0..7 {
            let _ = have(APP, "ask", &words(&["0", "x"]));
            asked += 1;
            if one.status()? == state::HALTED {
                break;
            }
        }
        asked += 1;
        if one.status()? == state::HALTED {
            halted += 1;
        }
        if asked % 64 < 8 {
            have(APP, "echo", &words(&["1"]))?;
        }
        one.run(0, "hostile")?;
    }
    println!(
        "# {asked} blocks, {halted} channels halted, in {} ms",
        begun.elapsed().as_millis()
    );
    right(halted > 0, "some are halted")?;
    right(other.status()? == state::RUNNING, "the other core runs")?;
    one.run(0, "echo")?;
    have(APP, "echo", &words(&["0"]))?;
    have(APP, "echo", &words(&["1"]))
}

fn flood(_: &Measure) -> Attempt {
    let [one, _other] = both("hostile", "echo")?;
    let flood = start(APP, "ask", &words(&["0", "f", "20000"]))?;
    for _ in 0..3 {
        have(OTHER, "echo", &words(&["1"]))?;
    }
    sys::outcome(sys::wait(flood)?)?;
    right(one.status()? == state::RUNNING, "running")?;
    until(|| have(APP, "ask", &words(&["0", "e"])).is_ok())
}

fn nobody(_: &Measure) -> Attempt {
    fails(Socket::new(), libc::EACCES, "a socket")?;
    // The twin: the device has its mode, and works.
    let mut core = RtCore::open(0)?;
    core.run(0, "echo")?;
    right(core.status()? == state::RUNNING, "running")
}

fn unbind(_: &Measure) -> Attempt {
    const DRIVER: &str = "/sys/bus/platform/drivers/mt3620_intercore";
    const DEVICE: &[u8] = b"3f000000.core-control";
    for _ in 0..3 {
        let [one, other] = both("burst", "echo")?;
        let bursting = start(APP, "burst", &words(&["0", "100000", "1"]))?;
        let waiting = start(APP, "hang_up", &words(&["1"]))?;
        std::thread::sleep(Duration::from_millis(500));
        machine::write(&format!("{DRIVER}/unbind"), DEVICE)?;
        sys::outcome(sys::wait(waiting)?)?;
        right(
            sys::outcome(sys::wait(bursting)?).is_err(),
            "the burst ends",
        )?;
        fails(one.status(), libc::ENODEV, "status")?;
        fails(one.stop(), libc::ENODEV, "stop")?;
        fails(RtCore::open(0), libc::ENOENT, "open")?;
        fails(have(APP, "make", &[]), libc::EAFNOSUPPORT, "a socket")?;
        let found = socket_news(&one)?;
        right(found, "poll")?;
        machine::write(&format!("{DRIVER}/bind"), DEVICE)?;
        drop((one, other));
        let _cores = both("echo", "echo")?;
        have(APP, "echo", &words(&["0"]))?;
        have(APP, "echo", &words(&["1"]))?;
    }
    Ok(())
}

/// Whether a file of a driver that is gone says so.
fn socket_news(core: &RtCore) -> Attempt<bool> {
    Ok(
        core.polled(Duration::ZERO)? & (socket::POLLERR | socket::POLLHUP)
            == socket::POLLERR | socket::POLLHUP,
    )
}

fn run(mode: &str, arguments: &[String]) -> Result<u32, String> {
    let cases: Option<&[(&str, Case)]> = match mode {
        "on" => Some(ON),
        "off" => Some(OFF),
        "unbind" => Some(UNBIND),
        "firmware" => None,
        _ => return Err(USAGE.to_owned()),
    };
    let value = |key: &str, default| {
        let word = arguments.iter().find_map(|word| word.strip_prefix(key));
        word.and_then(|word| word.parse().ok()).unwrap_or(default)
    };
    let measure = Measure {
        runs: value("runs=", 1),
        blocks: value("blocks=", 100),
    };
    let only = arguments
        .iter()
        .find_map(|word| word.strip_prefix("only="))
        .unwrap_or_default();
    machine::prepare(mode != "off")
        .map_err(|error| format!("the machine cannot be made: {error}"))?;
    let Some(cases) = cases else {
        return foreign::try_all(measure.runs)
            .map_err(|error| format!("no firmware is there: {error}"));
    };
    let cases: Vec<_> = cases
        .iter()
        .filter(|(name, _)| name.contains(only))
        .collect();
    let mut report = Report::new(cases.len());
    for (name, case) in cases {
        let begun = Instant::now();
        let result = case(&measure);
        let note = match result {
            Ok(()) => format!("{} ms", begun.elapsed().as_millis()),
            Err(error) => format!("error {error}"),
        };
        report.result(result.is_ok(), name, note);
    }
    Ok(report.failed())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mode = arguments.first().map_or("", String::as_str);
    let rest = arguments.get(1..).unwrap_or_default();
    if mode == "act" {
        sys::limit_time(2 * LIMIT.as_secs() as u32);
        let named = rest.first().map_or("", String::as_str);
        let act = ACTS.iter().find(|(name, _)| *name == named);
        let result = act.map_or(Err(WRONG), |(_, act)| {
            act(rest.get(1..).unwrap_or_default())
        });
        return ExitCode::from(u8::try_from(sys::code(result)).unwrap_or(254));
    }
    match run(mode, rest) {
        Ok(failed) => println!("# intercore-tests finished: {failed} failed"),
        Err(reason) => println!("# intercore-tests did not run: {reason}"),
    }
    if sys::process_id() == 1 {
        sys::power_off();
        loop {
            std::thread::sleep(Duration::from_secs(60));
        }
    }
    ExitCode::FAILURE
}
