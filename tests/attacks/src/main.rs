// SPDX-License-Identifier: Apache-2.0 OR MIT

//! A hostile app. Its manifest's CmdArgs choose what it does, so that one program serves many packages.
//!
//! `attack AREA...` tries the attacks of the areas and reports in KTAP, each beside what is permitted;
//! `unprotected` does so as process 1 of a machine without a sandbox, where the attacks must work.

mod attacks;
mod bare;
mod behaviour;
mod case;
mod ktap;
mod payload;
mod raw;

use std::path::PathBuf;
use std::process::ExitCode;

use case::{Bare, Case, Kind, Place};
use ktap::Report;

const USAGE: &str = "usage: probe attack AREA... | unprotected | exit CODE | crash SIGNAL | live [TEXT] | memory | \
                     forks | flood LINES | fill KIB | count | listen | ignore-stop";

/// Where an app finds itself on a device.
fn place() -> Place {
    let package = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
    let storage = package
        .file_name()
        .map(|component| PathBuf::from("/mnt/config").join(component).join("mutable"))
        .filter(|path| path.exists());
    Place { package, storage }
}

/// The name of an error number, as far as the attacks meet it.
fn error_name(number: i32) -> String {
    const NAMES: &[(i32, &str)] = &[
        (libc::EPERM, "EPERM"),
        (libc::ENOENT, "ENOENT"),
        (libc::ESRCH, "ESRCH"),
        (libc::EIO, "EIO"),
        (libc::ENOEXEC, "ENOEXEC"),
        (libc::EBADF, "EBADF"),
        (libc::EAGAIN, "EAGAIN"),
        (libc::EACCES, "EACCES"),
        (libc::EFAULT, "EFAULT"),
        (libc::EXDEV, "EXDEV"),
        (libc::EINVAL, "EINVAL"),
        (libc::EMFILE, "EMFILE"),
        (libc::ENOTTY, "ENOTTY"),
        (libc::ETXTBSY, "ETXTBSY"),
        (libc::EROFS, "EROFS"),
        (libc::ENOSYS, "ENOSYS"),
        (libc::EAFNOSUPPORT, "EAFNOSUPPORT"),
        (libc::ECONNREFUSED, "ECONNREFUSED"),
    ];
    NAMES
        .iter()
        .find(|(known, _)| *known == number)
        .map_or_else(|| format!("error {number}"), |(_, name)| (*name).to_owned())
}

fn error_names(numbers: &[i32]) -> String {
    let names: Vec<_> = numbers.iter().map(|&number| error_name(number)).collect();
    names.join(" or ")
}

/// Tries one case in the sandbox.
fn try_confined(case: &Case, place: &Place, report: &mut Report) {
    let result = raw::in_child(|| (case.act)(place));
    let Case { row, name, .. } = case;
    match (&case.kind, result) {
        (Kind::Attack(refusal, _), Err(number)) => report.result(
            refusal.contains(&number),
            &format!("{row}_{name}_refused"),
            if refusal.contains(&number) {
                error_name(number)
            } else {
                format!("{}, expected {}", error_name(number), error_names(refusal))
            },
        ),
        (Kind::Attack(refusal, _), Ok(())) => report.result(
            false,
            &format!("{row}_{name}_refused"),
            format!("it worked, expected {}", error_names(refusal)),
        ),
        (Kind::Twin, result) => report.result(
            result.is_ok(),
            &format!("{row}_{name}_permitted"),
            result.err().map_or("worked".into(), error_name),
        ),
        (Kind::Fact, result) => report.result(
            result.is_ok(),
            &format!("{row}_{name}"),
            result.err().map_or("holds".into(), error_name),
        ),
    }
}

/// Tries one case without a sandbox.
fn try_bare(case: &Case, place: &Place, report: &mut Report) {
    let result = raw::in_child(|| (case.act)(place));
    let Case { row, name, .. } = case;
    let outcome = result.map_or_else(error_name, |()| "worked".to_owned());
    match &case.kind {
        Kind::Attack(_, Bare::Succeeds) => report.result(
            result.is_ok(),
            &format!("{row}_{name}_succeeds_unprotected"),
            outcome,
        ),
        Kind::Attack(_, Bare::CompiledOut(numbers)) => report.result(
            result.is_err_and(|number| numbers.contains(&number)),
            &format!("{row}_{name}_compiled_out"),
            format!("compiled out: {outcome}"),
        ),
        Kind::Attack(_, Bare::Refused(numbers)) => report.result(
            result.is_err_and(|number| numbers.contains(&number)),
            &format!("{row}_{name}_refused_to_everyone"),
            format!("refused by the kernel itself: {outcome}"),
        ),
        Kind::Twin => report.result(
            result.is_ok(),
            &format!("{row}_{name}_works_unprotected"),
            outcome,
        ),
        Kind::Fact => {}
    }
}

fn attack(areas: &[String], place: &Place) -> i32 {
    let mut cases = Vec::new();
    for area in areas {
        match attacks::AREAS.iter().find(|(name, _)| name == area) {
            Some((_, found)) => cases.extend(*found),
            None => {
                eprintln!("no area '{area}'");
                return 2;
            }
        }
    }
    let mut report = Report::new(cases.len());
    for case in cases {
        try_confined(case, place, &mut report);
    }
    behaviour::say(&format!("# probe finished: {} failed", report.failed()));
    behaviour::wait();
}

fn unprotected() -> ! {
    match bare::prepare() {
        Ok(place) => {
            let cases: Vec<_> = attacks::UNPROTECTED
                .iter()
                .flat_map(|cases| cases.iter())
                .filter(|case| !matches!(case.kind, Kind::Fact))
                .collect();
            let mut report = Report::new(cases.len());
            for case in cases {
                try_bare(case, &place, &mut report);
            }
            behaviour::say(&format!("# probe finished: {} failed", report.failed()));
        }
        Err(error) => behaviour::say(&format!("# probe failed: {error}")),
    }
    raw::power_off();
    behaviour::wait();
}

fn number<T: std::str::FromStr + Default>(argument: Option<&String>) -> T {
    argument
        .and_then(|text| text.parse().ok())
        .unwrap_or_default()
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let place = place();
    let argument = arguments.get(1);
    let code = match arguments.first().map(String::as_str) {
        Some("attack") => attack(arguments.get(1..).unwrap_or_default(), &place),
        Some("unprotected") => unprotected(),
        Some("exit") => number(argument),
        Some("crash") => behaviour::crash(number(argument)),
        Some("live") => behaviour::live(argument.map_or("", String::as_str)),
        Some("memory") => behaviour::memory_bomb(),
        Some("forks") => behaviour::fork_bomb(),
        Some("flood") => behaviour::flood(number(argument)),
        Some("fill") => behaviour::fill(&place, number(argument)),
        Some("count") => behaviour::count(&place),
        Some("listen") => behaviour::listen(),
        Some("ignore-stop") => behaviour::ignore_stop(),
        _ => {
            eprintln!("{USAGE}");
            2
        }
    };
    ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX))
}
