// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The command line of `nacre`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use policy::ComponentId;

use crate::client::Address;

/// What `nacre --help` says after the list of commands.
const EXIT_CODES: &str = "\
Examples:
  nacre image-package pack --package-directory approot --destination blink.imagepackage --target-api-set 16
  nacre device sideload deploy --image-package blink.imagepackage

Exit codes:
  0  done
  1  the device refused, a check failed, or a file could not be read or written
  2  the command line is wrong
  3  the device cannot be reached";

/// Package, check and deploy Azure Sphere apps.
#[derive(Debug, Parser)]
#[command(name = "nacre", version, after_help = EXIT_CODES)]
pub struct Arguments {
    /// Print the result, or the error, as JSON on standard output
    #[arg(long, global = true)]
    pub json: bool,

    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The groups of commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Pack, inspect, verify, sign and extract image packages
    #[command(subcommand)]
    ImagePackage(ImagePackageCommand),
    /// Check application manifests
    #[command(subcommand)]
    Manifest(ManifestCommand),
    /// Deploy to a device, and control what runs there
    Device(DeviceArguments),
    /// Say why something was refused, and what would allow it
    #[command(after_help = "\
Examples:
  nacre explain --component-id 2f074b0f-d99d-4692-82d9-ef93a7d6463c
  nacre explain EPERM
  nacre explain socket_connect
  nacre explain 'nacre: 2f074b0f-d99d-4692-82d9-ef93a7d6463c: socket_connect tcp denied (EPERM), key AllowedConnections'")]
    Explain(ExplainArguments),
}

/// `nacre explain`.
#[derive(Debug, Args)]
pub struct ExplainArguments {
    /// A refusal as the kernel logs or lists it, or one word: a hook, an object, an error, a key of the manifest
    #[arg(
        value_name = "TEXT",
        required_unless_present = "component_id",
        conflicts_with = "component_id"
    )]
    pub text: Vec<String>,

    /// All that this app was refused on the device
    #[arg(long, short = 'i', value_name = "ID")]
    pub component_id: Option<ComponentId>,

    /// Which device.
    #[command(flatten)]
    pub target: Target,
}

/// A device.
#[derive(Debug, Args)]
pub struct Target {
    /// Where the device is
    #[arg(
        long,
        short = 'd',
        global = true,
        value_name = "HOST[:PORT]",
        env = "NACRE_DEVICE",
        default_value = "192.168.35.2"
    )]
    pub device: Address,

    /// Authority that signed the device's certificate, PEM [default: the development authority]
    #[arg(long, global = true, value_name = "FILE", env = "NACRE_CA")]
    pub ca: Option<PathBuf>,
}

/// `nacre image-package`.
#[derive(Debug, Subcommand)]
pub enum ImagePackageCommand {
    /// Make an image package of a directory
    #[command(
        visible_alias = "pack-application",
        after_help = "\
Example:
  nacre image-package pack --package-directory approot --destination blink.imagepackage --target-api-set 16 \
--hardware-definitions HardwareDefinitions/mt3620_rdb --target-definition-filename sample_appliance.json"
    )]
    Pack(PackArguments),
    /// Show what is in an image package
    #[command(
        after_help = "Example:\n  nacre image-package show --image-package blink.imagepackage"
    )]
    Show(PackageArgument),
    /// Verify structure and signature of an image package
    #[command(after_help = "\
Example:
  nacre image-package verify --image-package blink.imagepackage --trusted-cert product-signing.crt.pem")]
    Verify(VerifyArguments),
    /// Replace the signature of an image package
    #[command(after_help = "\
Example:
  nacre image-package sign --image-package blink.imagepackage --destination product.imagepackage \
--signing-key product-signing.key.pem --signing-cert product-signing.crt.pem")]
    Sign(SignArguments),
    /// Write the files of an image package to a new directory
    #[command(after_help = "\
Example:
  nacre image-package extract --image-package blink.imagepackage --destination approot")]
    Extract(ExtractArguments),
}

/// An image package to read.
#[derive(Debug, Args)]
pub struct PackageArgument {
    /// The image package
    #[arg(long, short = 'p', value_name = "FILE")]
    pub image_package: PathBuf,
}

/// Key and certificate to sign with.
#[derive(Debug, Args)]
pub struct SignerArguments {
    /// P-256 private key, PEM [default: the public development key]
    #[arg(long, value_name = "FILE", requires = "signing_cert")]
    pub signing_key: Option<PathBuf>,

    /// The key's certificate, PEM
    #[arg(long, value_name = "FILE", requires = "signing_key")]
    pub signing_cert: Option<PathBuf>,
}

/// `nacre image-package pack`.
#[derive(Debug, Args)]
pub struct PackArguments {
    /// Directory with app_manifest.json and the app's files, as they shall be in the package
    #[arg(long, short = 'i', visible_alias = "input", value_name = "DIRECTORY")]
    pub package_directory: PathBuf,

    /// The image package to write
    #[arg(long, short = 'o', visible_aliases = ["output-file", "output"], value_name = "FILE")]
    pub destination: PathBuf,

    /// Number of the API set that the app is built for
    #[arg(long, short = 's', value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    pub target_api_set: u32,

    /// Further files to mark as executable, by their path inside the package; ELF files always are
    #[arg(long, short = 'x', value_name = "PATH", num_args = 1.., value_delimiter = ',')]
    pub executables: Vec<String>,

    /// Directories with hardware definitions
    #[arg(long, value_name = "DIRECTORY", num_args = 1.., value_delimiter = ',', requires = "target_definition_filename")]
    pub hardware_definitions: Vec<PathBuf>,

    /// Hardware definition that resolves the $NAMEs of the manifest; looked for in --hardware-definitions
    #[arg(long, value_name = "FILE")]
    pub target_definition_filename: Option<PathBuf>,

    /// Manifest to use instead of app_manifest.json in the directory
    #[arg(long, value_name = "FILE")]
    pub application_manifest: Option<PathBuf>,

    /// Image id [default: made from the contents]
    #[arg(long, value_name = "ID")]
    pub image_id: Option<ComponentId>,

    /// Build time in seconds since 1970, UTC [default: now]
    #[arg(long, value_name = "SECONDS", env = "SOURCE_DATE_EPOCH")]
    pub build_time: Option<u64>,

    /// What signs the package.
    #[command(flatten)]
    pub signer: SignerArguments,
}

/// `nacre image-package verify`.
#[derive(Debug, Args)]
pub struct VerifyArguments {
    /// The package.
    #[command(flatten)]
    pub package: PackageArgument,

    /// Certificates to trust, PEM [default: the public development certificate]
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub trusted_cert: Vec<PathBuf>,
}

/// `nacre image-package sign`.
#[derive(Debug, Args)]
pub struct SignArguments {
    /// The package.
    #[command(flatten)]
    pub package: PackageArgument,

    /// The signed image package to write; may be the same file
    #[arg(long, short = 'o', value_name = "FILE")]
    pub destination: PathBuf,

    /// What signs the package.
    #[command(flatten)]
    pub signer: SignerArguments,
}

/// `nacre image-package extract`.
#[derive(Debug, Args)]
pub struct ExtractArguments {
    /// The package.
    #[command(flatten)]
    pub package: PackageArgument,

    /// Directory to make; it must not be there or be empty
    #[arg(long, short = 'o', value_name = "DIRECTORY")]
    pub destination: PathBuf,
}

/// `nacre manifest`.
#[derive(Debug, Subcommand)]
pub enum ManifestCommand {
    /// Check a manifest as the device does, and say what it grants
    #[command(after_help = "\
Example:
  nacre manifest check app_manifest.json --hardware-definition sample_appliance.json \
--hardware-definitions HardwareDefinitions/mt3620_rdb")]
    Check(CheckArguments),
}

/// `nacre manifest check`.
#[derive(Debug, Args)]
pub struct CheckArguments {
    /// The manifest
    #[arg(value_name = "FILE", default_value = "app_manifest.json")]
    pub manifest: PathBuf,

    /// Hardware definition that resolves $NAMEs; also looked for in --hardware-definitions
    #[arg(long, value_name = "FILE")]
    pub hardware_definition: Option<PathBuf>,

    /// Directories with hardware definitions
    #[arg(long, value_name = "DIRECTORY", num_args = 1.., value_delimiter = ',', requires = "hardware_definition")]
    pub hardware_definitions: Vec<PathBuf>,
}

/// `nacre device`.
#[derive(Debug, Args)]
pub struct DeviceArguments {
    /// Which device.
    #[command(flatten)]
    pub target: Target,

    /// What to do.
    #[command(subcommand)]
    pub command: DeviceCommand,
}

/// The commands that talk to a device.
#[derive(Debug, Subcommand)]
pub enum DeviceCommand {
    /// Show versions, protection layers and memory of the device
    #[command(after_help = "Example:\n  nacre device status --device 192.168.35.2")]
    Status,
    /// Restart the device
    #[command(after_help = "Example:\n  nacre device restart")]
    Restart,
    /// Put apps on the device, and take them off
    #[command(subcommand)]
    Sideload(SideloadCommand),
    /// Control the apps on the device
    #[command(subcommand)]
    App(AppCommand),
}

/// `nacre device sideload`.
#[derive(Debug, Subcommand)]
pub enum SideloadCommand {
    /// Install an app from an image package and start it
    #[command(after_help = "\
Example:
  nacre device sideload deploy --image-package blink.imagepackage")]
    Deploy(DeployArguments),
    /// Delete an app and its storage; without an id, all apps
    #[command(after_help = "\
Example:
  nacre device sideload delete --component-id 2f074b0f-d99d-4692-82d9-ef93a7d6463c")]
    Delete(DeleteArguments),
}

/// `nacre device sideload deploy`.
#[derive(Debug, Args)]
pub struct DeployArguments {
    /// The package.
    #[command(flatten)]
    pub package: PackageArgument,

    /// Install without starting
    #[arg(long, short = 'm')]
    pub manual_start: bool,

    /// Send the file even if it is no image package
    #[arg(long)]
    pub force: bool,
}

/// `nacre device sideload delete`.
#[derive(Debug, Args)]
pub struct DeleteArguments {
    /// The app [default: all apps but the debugger]
    #[arg(long, short = 'i', value_name = "ID")]
    pub component_id: Option<ComponentId>,

    /// Apps to keep when all are deleted
    #[arg(long, short = 'e', value_name = "ID", num_args = 1.., value_delimiter = ',', conflicts_with = "component_id")]
    pub except_component_ids: Vec<ComponentId>,
}

/// `nacre device app`.
#[derive(Debug, Subcommand)]
pub enum AppCommand {
    /// Start an app; without an id, all apps
    #[command(after_help = "\
Example:
  nacre device app start --component-id 2f074b0f-d99d-4692-82d9-ef93a7d6463c")]
    Start(OptionalApp),
    /// Stop an app; without an id, all apps
    #[command(after_help = "\
Example:
  nacre device app stop --component-id 2f074b0f-d99d-4692-82d9-ef93a7d6463c")]
    Stop(OptionalApp),
    /// Show whether an app runs; without an id, all apps
    #[command(
        visible_alias = "show-status",
        after_help = "Example:\n  nacre device app status"
    )]
    Status(OptionalApp),
    /// Print what an app printed
    #[command(after_help = "\
Example:
  nacre device app logs --component-id 2f074b0f-d99d-4692-82d9-ef93a7d6463c --follow")]
    Logs(LogsArguments),
    /// Say in words what an app may do, and by which key of its manifest
    #[command(
        visible_alias = "explain",
        after_help = "\
Example:
  nacre device app grants --component-id 2f074b0f-d99d-4692-82d9-ef93a7d6463c"
    )]
    Grants(App),
    /// Show what the security module refused an app; without an id, all apps
    #[command(after_help = "\
Example:
  nacre device app denials --component-id 2f074b0f-d99d-4692-82d9-ef93a7d6463c")]
    Denials(OptionalApp),
}

/// An app that may be left out for all apps.
#[derive(Debug, Args)]
pub struct OptionalApp {
    /// The app [default: all apps but the debugger]
    #[arg(long, short = 'i', value_name = "ID")]
    pub component_id: Option<ComponentId>,
}

/// An app.
#[derive(Debug, Args)]
pub struct App {
    /// The app
    #[arg(long, short = 'i', value_name = "ID")]
    pub component_id: ComponentId,
}

/// `nacre device app logs`.
#[derive(Debug, Args)]
pub struct LogsArguments {
    /// The app.
    #[command(flatten)]
    pub app: App,

    /// Go on printing what comes, until interrupted
    #[arg(long, short = 'f')]
    pub follow: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn leaves(command: &clap::Command, path: &str, found: &mut Vec<(String, String)>) {
        let mut is_leaf = true;
        for child in command.get_subcommands() {
            is_leaf = false;
            leaves(child, &format!("{path} {}", child.get_name()), found);
        }
        if is_leaf {
            let help = command.get_after_help().map(ToString::to_string);
            found.push((path.to_owned(), help.unwrap_or_default()));
        }
    }

    #[test]
    fn the_definition_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_command_has_an_example_that_can_be_run_as_it_stands() {
        let mut found = Vec::new();
        leaves(&Arguments::command(), "nacre", &mut found);
        assert_eq!(found.len(), 17, "{found:?}");
        for (path, help) in found {
            let example = help
                .lines()
                .find(|line| line.starts_with("  nacre "))
                .unwrap_or_default();
            assert!(example.trim().starts_with(&path), "{path}: {help}");
            let parsed = Arguments::try_parse_from(example.split_whitespace());
            assert!(parsed.is_ok(), "{path}: {parsed:?}");
        }
    }

    #[test]
    fn the_names_of_the_original_tools_are_understood() {
        for line in [
            "nacre image-package pack-application --input a --output-file b -s 16 -x run.sh other",
            "nacre image-package pack-application -i a -o b --target-api-set 16",
            "nacre device sideload deploy -p a -m -d 192.168.35.2",
            "nacre device app show-status -i 2f074b0f-d99d-4692-82d9-ef93a7d6463c",
            "nacre device sideload delete -e 2f074b0f-d99d-4692-82d9-ef93a7d6463c --json",
        ] {
            let parsed = Arguments::try_parse_from(line.split_whitespace());
            assert!(parsed.is_ok(), "{line}: {parsed:?}");
        }
    }

    #[test]
    fn command_lines_that_make_no_sense_are_refused() {
        for line in [
            "nacre",
            "nacre device",
            "nacre image-package pack --package-directory a --destination b",
            "nacre image-package pack -i a -o b -s 0",
            "nacre image-package pack -i a -o b -s latest",
            "nacre image-package pack -i a -o b -s 1 --signing-key k",
            "nacre image-package pack -i a -o b -s 1 --hardware-definitions d",
            "nacre image-package pack -i a -o b -s 1 --image-id 12",
            "nacre device app start -i 1234",
            "nacre device app logs",
            "nacre device app denials -i 1234",
            "nacre explain",
            "nacre explain EPERM -i 2f074b0f-d99d-4692-82d9-ef93a7d6463c",
            "nacre device status --device host:99999",
            "nacre device sideload delete -i 2f074b0f-d99d-4692-82d9-ef93a7d6463c -e 2f074b0f-d99d-4692-82d9-ef93a7d6463c",
        ] {
            let parsed = Arguments::try_parse_from(line.split_whitespace());
            assert!(parsed.is_err(), "{line}: {parsed:?}");
        }
    }
}
