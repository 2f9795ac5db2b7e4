// SPDX-License-Identifier: Apache-2.0 OR MIT

//! What the whole sandbox costs: a launch, and what an app does then.

use std::ffi::CStr;
use std::fs::{self, File};
use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use nix::sys::stat::{Mode, SFlag, makedev, mknod};
use nix::unistd::{execve, pipe};
use policy::{AppKind, ComponentId, Grant};
use sandbox::{
    Cgroups, DEVICES, Launcher, Limits, Next, PackagePaths, Plan, Process, Report, cgroup, layers,
};
use sys::process::{Ended, Forked, SingleThreaded, Wait, exit, fork, wait_any};

use crate::Result;
use crate::count::{each, report};
use crate::module::install_rules;
use crate::system::{get_parent, open_and_close};

/// The app.
const COMPONENT: &str = "25025d2c-66da-4448-bae1-ac26fcdd3627";
/// Its package, at the same place for the app and outside.
const PACKAGE: &str = "/mnt/apps/25025d2c-66da-4448-bae1-ac26fcdd3627";
/// A file in it.
const TEXT: &str = "/mnt/apps/25025d2c-66da-4448-bae1-ac26fcdd3627/bin/text";
/// The smallest program.
const TINY: &CStr = c"/mnt/apps/25025d2c-66da-4448-bae1-ac26fcdd3627/bin/tiny";
/// The device nodes of apps.
const NODES: &str = "/run/devices";
/// More memory than an app has, as this program is larger than an app.
const ROOMY: Limits = Limits {
    memory: 4 * 1024 * 1024,
    ..Limits::APP
};

/// The grant of an app that asks for nothing.
pub fn grant() -> Result<Grant<'static>> {
    let component: ComponentId = COMPONENT.parse()?;
    Ok(Grant::none(component, AppKind::HighLevel))
}

/// Launches, with and without a sandbox, and what an app pays.
pub fn run(single: &SingleThreaded, grant: &Grant<'_>) -> Result<()> {
    report("launch-bare", each(50, || bare(single))?);
    report("app-open-close-bare", each(2_000, || open_and_close(TEXT))?);

    device_nodes()?;
    let complete = layers::require(&layers::probe())?;
    let launcher = Launcher::start(single, complete)?;
    let cgroups = Cgroups::prepare(Path::new(cgroup::ROOT))?;
    install_rules(grant)?;
    let plan = |entry_point, arguments, limits| {
        let paths = PackagePaths {
            package: Path::new(PACKAGE),
            libraries: Path::new("/lib"),
            devices: Path::new(NODES),
            mutable: None,
            entry_point,
            arguments,
        };
        Plan::new(grant, paths, limits)
    };

    let tiny = plan("/bin/tiny", &[], &Limits::APP)?;
    let group = cgroups.app(tiny.component(), &Limits::APP)?;
    let (_log, output) = pipe()?;
    let launch = each(50, || {
        finish(launcher.launch(&tiny, &group, output.as_fd(), None)?)
    })?;
    group.remove()?;
    report("launch", launch);

    let app = plan("/bin/app", &["app"], &ROOMY)?;
    let group = cgroups.app(app.component(), &ROOMY)?;
    let (log, output) = pipe()?;
    let process = launcher.launch(&app, &group, output.as_fd(), None)?;
    drop(output);
    let mut text = String::new();
    File::from(log).read_to_string(&mut text)?;
    finish(process)?;
    print!("{text}");
    if !text.contains("BENCH app-open-close ") {
        return Err("the app did not count".into());
    }
    Ok(())
}

/// As the app.
pub fn app() -> Result<()> {
    report("app-getppid", each(20_000, get_parent)?);
    report("app-open-close", each(2_000, || open_and_close(TEXT))?);
    Ok(())
}

/// Waits for the end of an app, which must be a good one.
fn finish(mut process: Process) -> Result<()> {
    wait_any(Wait::Block)?;
    let mut last = None;
    loop {
        match process.reports.take() {
            Next::Report(Report::Ended(Ended::Exited(0))) => return Ok(()),
            Next::Report(report) => last = Some(report),
            Next::Later => {}
            Next::Never => return Err(format!("an app ended otherwise: {last:?}").into()),
        }
    }
}

/// A plain launch of the smallest program.
fn bare(single: &SingleThreaded) -> Result<()> {
    let Forked::Parent { .. } = fork(single)? else {
        // Only a failure returns, and the exit code says so.
        execve(TINY, &[TINY], &[] as &[&CStr]).ok();
        exit(99)
    };
    match wait_any(Wait::Block)? {
        Some((_, 0)) => Ok(()),
        other => Err(format!("the smallest program ended otherwise: {other:?}").into()),
    }
}

/// The device nodes that an app sees.
fn device_nodes() -> Result<()> {
    fs::create_dir(NODES)?;
    for (name, writable) in DEVICES {
        let minor = match name {
            "null" => 3,
            "zero" => 5,
            "full" => 7,
            "random" => 8,
            _ => 9,
        };
        let path = Path::new(NODES).join(name);
        mknod(&path, SFlag::S_IFCHR, Mode::empty(), makedev(1, minor))?;
        let mode = if writable { 0o666 } else { 0o444 };
        fs::set_permissions(&path, fs::Permissions::from_mode(mode))?;
    }
    Ok(())
}
