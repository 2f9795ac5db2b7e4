// SPDX-License-Identifier: Apache-2.0 OR MIT

//! `nacre`: package, check and deploy apps.

#![cfg_attr(
    test,
    allow(
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used
    )
)]

mod arguments;
mod atomic;
mod client;
mod device;
mod explain;
mod failure;
mod follow;
mod output;
mod package;

use std::io;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;

use crate::arguments::{Arguments, Command, ImagePackageCommand, ManifestCommand, Target};
use crate::client::Device;
use crate::failure::Failure;
use crate::output::Report;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = run(&arguments).and_then(|report| match report {
        Some(report) => report
            .print(arguments.json)
            .map_err(Failure::write(Path::new("standard output"))),
        None => Ok(()),
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read standard output has had enough of it, as `head` does.
        Err(Failure::Write { source, .. }) if source.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("error: {failure}");
            if let Some(step) = failure.next_step() {
                eprintln!("next: {step}");
            }
            if arguments.json {
                // The exit code says it as well, should this not be writable.
                output::print(format!("{:#}\n", failure.to_json()).as_bytes()).ok();
            }
            ExitCode::from(failure.exit_code())
        }
    }
}

/// The device of the command line; nothing is sent to it yet.
fn connect(target: &Target) -> Result<Device, Failure> {
    Device::new(target.device.clone(), target.ca.as_deref())
}

/// Runs the command; `None` when it printed what it had to say itself.
fn run(arguments: &Arguments) -> Result<Option<Report>, Failure> {
    let notice = &mut |text: &str| eprintln!("notice: {text}");
    let report = match &arguments.command {
        Command::ImagePackage(command) => match command {
            ImagePackageCommand::Pack(arguments) => package::pack(arguments, notice)?,
            ImagePackageCommand::Show(package) => package::show(&package.image_package)?,
            ImagePackageCommand::Verify(arguments) => package::verify(arguments)?,
            ImagePackageCommand::Sign(arguments) => package::sign(arguments, notice)?,
            ImagePackageCommand::Extract(arguments) => package::extract(arguments)?,
        },
        Command::Manifest(ManifestCommand::Check(arguments)) => package::check_manifest(arguments)?,
        Command::Device(target) => {
            let device = connect(&target.target)?;
            return device::run(&device, &target.command, arguments.json);
        }
        Command::Explain(arguments) => match arguments.component_id {
            Some(component) => explain::app(&connect(&arguments.target)?, component)?,
            None => explain::text(&arguments.text)?,
        },
    };
    Ok(Some(report))
}
