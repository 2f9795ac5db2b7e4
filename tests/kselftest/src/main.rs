// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Process 1 of a machine that runs the kernel's own tests, one program after the other, and switches off.
//!
//! What they find is what `run_kselftest.sh` would give them: the usual file systems, a folder of their own that can be
//! written to, with their helper programs in it, and one line of shell. Each program's own report goes to the console between
//! two lines of ours; the harness reads them there.

use std::error::Error;
use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::sys::reboot::{RebootMode, reboot};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;

/// Which programs are run, one `suite/program` a line.
const LIST: &str = "/tests/list";
/// Where their suites lie, read-only.
const TESTS: &str = "/tests";
/// Where each suite has a folder of its own.
const WORK: &str = "/tmp";
/// A program that takes longer than this hangs: a limit, and no measure.
const PATIENCE: Duration = Duration::from_secs(900);
/// The one line of shell in the tests.
const LOOPBACK_UP: &str = "ip link set dev lo up";

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.first().is_some_and(|name| name.ends_with("sh")) {
        std::process::exit(shell(&arguments));
    }
    if std::process::id() != 1 {
        println!("skipped: not process 1 of a machine");
        return;
    }
    let code = match run() {
        Ok(count) => format!("{count} programs"),
        Err(error) => format!("failed: {error}"),
    };
    println!("# kselftest finished: {code}");
    // Only a refusal returns, and then the end of process 1 stops the machine as well.
    reboot(RebootMode::RB_POWER_OFF).ok();
}

/// What `/bin/sh` is here: the tests ask it for one thing.
fn shell(arguments: &[String]) -> i32 {
    match arguments {
        [_, option, line] if option == "-c" && line == LOOPBACK_UP => {
            match sys::interface::up("lo") {
                Ok(()) => 0,
                Err(error) => {
                    eprintln!("sh: {line}: {error}");
                    1
                }
            }
        }
        _ => {
            eprintln!("sh: {arguments:?}: this shell knows only `{LOOPBACK_UP}`");
            127
        }
    }
}

/// Mounts what the tests look for; what this kernel lacks is missing for the tests as well.
fn prepare() {
    for (kind, target) in [
        ("devtmpfs", "/dev"),
        ("proc", "/proc"),
        ("sysfs", "/sys"),
        ("securityfs", "/sys/kernel/security"),
        ("debugfs", "/sys/kernel/debug"),
        ("cgroup2", "/sys/fs/cgroup"),
        ("tmpfs", WORK),
        ("tmpfs", "/dev/shm"),
    ] {
        if target == "/dev/shm" {
            fs::create_dir(target).ok();
        }
        match mount(
            Some(kind),
            target,
            Some(kind),
            MsFlags::empty(),
            None::<&str>,
        ) {
            Ok(()) | Err(Errno::EBUSY) => {}
            Err(error) => println!("# no {kind} on {target}: {error}"),
        }
    }
    if let Err(error) = sys::interface::up("lo") {
        println!("# no loopback interface: {error}");
    }
}

/// Runs all programs and counts them.
fn run() -> Result<usize> {
    prepare();
    println!(
        "# modules: {}",
        fs::read_to_string("/sys/kernel/security/lsm")?.trim_end()
    );
    let list = fs::read_to_string(LIST)?;
    let mut count = 0;
    for name in list.lines() {
        let (suite, program) = name
            .split_once('/')
            .ok_or_else(|| format!("{LIST}: '{name}' is not suite/program"))?;
        let folder = folder_of(suite)?;
        println!("# begin {name}");
        let end = program_in(&folder, program)?;
        remove_the_rest();
        println!("\n# end {name} {end}");
        count += 1;
    }
    Ok(count)
}

/// A folder that the tests of a suite can write to. Programs stay where they are executed from, on the verified root.
fn folder_of(suite: &str) -> Result<std::path::PathBuf> {
    let folder = Path::new(WORK).join(suite);
    if !folder.exists() {
        fs::create_dir(&folder)?;
        for entry in fs::read_dir(Path::new(TESTS).join(suite))? {
            let entry = entry?;
            symlink(entry.path(), folder.join(entry.file_name()))?;
        }
    }
    Ok(folder)
}

/// Runs one program, and says how it ended.
fn program_in(folder: &Path, program: &str) -> Result<String> {
    let mut child = Command::new(format!("./{program}"))
        .current_dir(folder)
        .env_clear()
        .env("PATH", "/bin:/usr/bin")
        .stdin(Stdio::null())
        .process_group(0)
        .spawn()?;
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(in_words(status));
        }
        if start.elapsed() > PATIENCE {
            child.kill()?;
            child.wait()?;
            return Ok("hung".to_owned());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// How a program ended.
fn in_words(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit={code}"),
        (None, Some(signal)) => format!("signal={signal}"),
        (None, None) => format!("{status}"),
    }
}

/// Ends what a test has left running, so that the next one starts alone.
fn remove_the_rest() {
    // Every process but this one; there may be none.
    kill(Pid::from_raw(-1), Signal::SIGKILL).ok();
    while waitpid(None, Some(WaitPidFlag::__WALL)).is_ok() {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(arguments: &[&str]) -> i32 {
        let arguments: Vec<String> = arguments.iter().map(|&text| text.to_owned()).collect();
        shell(&arguments)
    }

    #[test]
    fn the_shell_knows_one_line() {
        for other in [
            &["sh"][..],
            &["sh", "-c"],
            &["sh", "-c", "reboot"],
            &["sh", "-x", LOOPBACK_UP],
            &["sh", "-c", LOOPBACK_UP, "more"],
        ] {
            assert_eq!(code(other), 127, "{other:?}");
        }
    }

    #[test]
    fn an_end_is_told_in_words() {
        // As `waitpid` gives them: an exit code in the second byte, a signal in the first.
        assert_eq!(in_words(ExitStatus::from_raw(0x0100)), "exit=1");
        assert_eq!(in_words(ExitStatus::from_raw(0)), "exit=0");
        assert_eq!(in_words(ExitStatus::from_raw(9)), "signal=9");
    }
}
