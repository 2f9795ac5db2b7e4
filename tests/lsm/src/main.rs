// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Process 1 of a machine that holds nothing else. As such it is the application manager of the security module: it
//! installs rules and identities, makes children that become apps as root with all Linux capabilities and under no other
//! layer, and lets them try everything. `on` expects the module, `off` its absence, where each attack must succeed.

mod case;
mod cases;
mod fuzz;
mod ktap;
mod net;
mod stage;
mod sys;
mod wire;

use std::process::ExitCode;

use case::{Case, Kind};
use ktap::Report;
use stage::{Act, Stage};

const USAGE: &str = "usage, as process 1: lsm-tests on|off|development [with=FEATURE,...] [only=PART-OF-A-NAME] | \
                     list | fuzz SECONDS SEED";

/// The name of an error number, as far as the tests meet it.
fn error_name(number: i32) -> String {
    const NAMES: &[(i32, &str)] = &[
        (libc::EPERM, "EPERM"),
        (libc::ENOENT, "ENOENT"),
        (libc::ESRCH, "ESRCH"),
        (libc::EIO, "EIO"),
        (libc::E2BIG, "E2BIG"),
        (libc::ENOEXEC, "ENOEXEC"),
        (libc::EBADF, "EBADF"),
        (libc::ECHILD, "ECHILD"),
        (libc::EAGAIN, "EAGAIN"),
        (libc::ENOMEM, "ENOMEM"),
        (libc::EACCES, "EACCES"),
        (libc::EFAULT, "EFAULT"),
        (libc::EBUSY, "EBUSY"),
        (libc::EEXIST, "EEXIST"),
        (libc::EXDEV, "EXDEV"),
        (libc::ENODEV, "ENODEV"),
        (libc::EINVAL, "EINVAL"),
        (libc::ENOTTY, "ENOTTY"),
        (libc::ENOSPC, "ENOSPC"),
        (libc::ESPIPE, "ESPIPE"),
        (libc::EROFS, "EROFS"),
        (libc::ENOSYS, "ENOSYS"),
        (libc::EOPNOTSUPP, "EOPNOTSUPP"),
        (libc::EAFNOSUPPORT, "EAFNOSUPPORT"),
        (libc::EPROTONOSUPPORT, "EPROTONOSUPPORT"),
        (libc::EMSGSIZE, "EMSGSIZE"),
        (libc::ECONNREFUSED, "ECONNREFUSED"),
        (libc::ENETUNREACH, "ENETUNREACH"),
        (libc::ENOTCONN, "ENOTCONN"),
        (libc::EINPROGRESS, "EINPROGRESS"),
        (case::BROKEN, "done, with another result than promised"),
        (253, "not started"),
        (255, "ended by a signal"),
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

/// What a case is called, without what is expected of it: unique, so that a child finds its case by it.
fn base_name(case: &Case) -> String {
    format!("{}_{}", case.area, case.name)
}

/// Whether a case means anything on this machine.
fn applies(case: &Case, stage: &Stage) -> bool {
    let lacking = case
        .need
        .is_some_and(|need| need.absent.is_empty() && !stage.has(need.feature));
    let promise_without_module = matches!(case.kind, Kind::Fact | Kind::Refusal(_)) && !stage.on;
    // What stands beside an attack on something that is not there would fail for another reason.
    let twin_of_nothing = matches!(case.kind, Kind::Twin | Kind::Fact)
        && case.need.is_some_and(|need| !stage.has(need.feature));
    let there_after_all =
        matches!(case.kind, Kind::Absent) && case.need.is_none_or(|need| stage.has(need.feature));
    !there_after_all && !lacking && !promise_without_module && !twin_of_nothing
}

/// Tries a case and judges.
fn try_case(case: &Case, stage: &Stage, report: &mut Report) {
    let name = base_name(case);
    let result = stage.attempt(case, &name);
    let outcome = result.map_or_else(error_name, |()| "worked".to_owned());
    let hook = case.hook;
    let absent = case.need.filter(|need| !stage.has(need.feature));
    match (case.kind, absent, stage.on) {
        (Kind::Attack(refusal), Some(need), _) => {
            // The module may be asked before the kernel notices that it lacks the thing.
            let expected = |number: i32| {
                need.absent.contains(&number) || stage.on && refusal.contains(&number)
            };
            let passed = result.is_err_and(expected);
            report.result(
                passed,
                &format!("{name}_compiled_out"),
                format!("{hook}: {outcome}"),
            );
        }
        (Kind::Everyone(refusal), _, _) => {
            let passed = result.is_err_and(|number| refusal.contains(&number));
            report.result(
                passed,
                &format!("{name}_refused_to_everyone"),
                format!("{hook}: {outcome}"),
            );
        }
        (Kind::Absent, need, _) => {
            let passed =
                result.is_err_and(|number| need.is_some_and(|need| need.absent.contains(&number)));
            report.result(
                passed,
                &format!("{name}_compiled_out"),
                format!("{hook}: {outcome}"),
            );
        }
        (Kind::Attack(refusal), None, true) | (Kind::Refusal(refusal), _, _) => {
            let passed = result.is_err_and(|number| refusal.contains(&number));
            let wanted = if passed {
                String::new()
            } else {
                format!(", expected {}", error_names(refusal))
            };
            report.result(
                passed,
                &format!("{name}_refused"),
                format!("{hook}: {outcome}{wanted}"),
            );
        }
        (Kind::Attack(_), None, false) => {
            report.result(
                result.is_ok(),
                &format!("{name}_succeeds_without_the_module"),
                format!("{hook}: {outcome}"),
            );
        }
        (Kind::Twin, _, true) => {
            report.result(
                result.is_ok(),
                &format!("{name}_permitted"),
                format!("{hook}: {outcome}"),
            );
        }
        (Kind::Twin, _, false) => {
            report.result(
                result.is_ok(),
                &format!("{name}_works_without_the_module"),
                format!("{hook}: {outcome}"),
            );
        }
        (Kind::Fact, _, _) => report.result(result.is_ok(), &name, format!("{hook}: {outcome}")),
    }
}

/// How many cases of each kind a hook has, one line a hook.
fn show_hooks(cases: &[&Case]) {
    let mut hooks: Vec<&str> = cases.iter().map(|case| case.hook).collect();
    hooks.sort_unstable();
    hooks.dedup();
    for hook in hooks {
        let count = |kind: fn(&Kind) -> bool| {
            cases
                .iter()
                .filter(|case| case.hook == hook && kind(&case.kind))
                .count()
        };
        println!(
            "# hook {hook}: {} refused, {} permitted",
            count(|kind| matches!(kind, Kind::Attack(_) | Kind::Refusal(_) | Kind::Everyone(_))),
            count(|kind| matches!(kind, Kind::Twin | Kind::Fact)),
        );
    }
}

/// What the module has written down: few lines when few cases were chosen, and then worth reading.
fn show_denials() {
    let denials = stage::read(&format!("{}/denials", stage::SECURITY)).unwrap_or_default();
    for line in String::from_utf8_lossy(&denials).lines() {
        println!("# denied: {line}");
    }
}

/// The whole table on this machine, in one mode.
fn run(mode: &str, words: &[String]) -> Result<u32, String> {
    // From here on the console is the report's; what the kernel finds wrong still shows.
    sys::limit_kernel_messages(5);
    let value = |key: &str| {
        words
            .iter()
            .find_map(|word| word.strip_prefix(key))
            .unwrap_or_default()
    };
    let stage = Stage::new(mode != "off", value("with="));
    let development = mode == "development";
    stage::prepare(&stage, development)
        .map_err(|number| format!("the machine cannot be made: {}", error_name(number)))
        .and_then(|servers| {
            if stage.on != stage::module_is_there() {
                return Err(format!(
                    "the module is {}there",
                    if stage.on { "not " } else { "" }
                ));
            }
            let only = value("only=");
            let table = if development {
                cases::DEVELOPMENT
            } else {
                cases::ALL
            };
            let cases: Vec<&Case> = table
                .iter()
                .flat_map(|area| area.iter())
                .filter(|case| applies(case, &stage) && base_name(case).contains(only))
                .collect();
            show_hooks(&cases);
            let mut report = Report::new(cases.len());
            for case in cases {
                try_case(case, &stage, &mut report);
            }
            if stage.on && !only.is_empty() {
                show_denials();
            }
            drop(servers);
            Ok(report.failed())
        })
}

/// Tells the security modules of the kernel.
fn list() -> Result<u32, String> {
    stage::prepare_list()
        .and_then(|()| stage::read("/sys/kernel/security/lsm"))
        .map_err(|number| format!("there is no list: {}", error_name(number)))
        .map(|list| {
            println!("# modules: {}", String::from_utf8_lossy(&list));
            0
        })
}

/// Finds a case by its name.
fn find(name: &str) -> Option<&'static Case> {
    cases::ALL
        .iter()
        .chain(cases::DEVELOPMENT)
        .flat_map(|area| area.iter())
        .find(|case| base_name(case) == name)
}

/// Does an act in this process, which has just become what it is.
fn perform(act: Act, words: &[String]) -> ExitCode {
    let Some(stage) = Stage::from_words(words) else {
        return ExitCode::from(254);
    };
    sys::limit_time(stage::LIMIT);
    ExitCode::from(u8::try_from(sys::code(act(&stage))).unwrap_or(254))
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words = arguments.get(1..).unwrap_or_default();
    let rest = words.get(1..).unwrap_or_default();
    let named = words.first().map_or("", String::as_str);
    let result = match arguments.first().map(String::as_str) {
        Some(mode @ ("on" | "off" | "development")) => run(mode, words),
        Some("list") => list(),
        Some("fuzz") => fuzz::run(words),
        Some("case") => match find(named) {
            Some(case) => return perform(case.act, rest),
            None => return ExitCode::from(254),
        },
        Some("help") => {
            let Some(helper) = find(named).and_then(|case| case.helper) else {
                return ExitCode::from(254);
            };
            let Some(stage) = Stage::from_words(rest) else {
                return ExitCode::from(254);
            };
            return ExitCode::from(u8::try_from(sys::code((helper.act)(&stage))).unwrap_or(254));
        }
        Some("act" | "set-id") => match cases::ACTS.iter().find(|(name, _)| *name == named) {
            Some((_, act)) => return perform(*act, rest),
            None => return ExitCode::from(254),
        },
        // The kernel's own helper program for keys is this program under another name.
        _ if std::env::args()
            .next()
            .is_some_and(|name| name.ends_with("request-key")) =>
        {
            return ExitCode::from(
                u8::try_from(sys::code(cases::identity::as_kernel_helper())).unwrap_or(254),
            );
        }
        _ => Err(USAGE.to_owned()),
    };
    match result {
        Ok(failed) => println!("# lsm-tests finished: {failed} failed"),
        Err(reason) => println!("# lsm-tests did not run: {reason}"),
    }
    if sys::process_id() == 1 {
        sys::power_off();
        loop {
            std::thread::sleep(std::time::Duration::from_secs(60));
        }
    }
    ExitCode::FAILURE
}
