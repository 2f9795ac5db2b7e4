// SPDX-License-Identifier: Apache-2.0 OR MIT

//! `nacre image-package` and `nacre manifest`: everything that needs no device.

use std::fs::{self, File};
use std::io::{BufReader, Cursor, Read, Seek};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use image_package::{
    Abi, Builder, ImagePackage, MANIFEST_PATH, Metadata, PackageError, Signer, TrustStore,
    certificate_from_pem, is_elf,
};
use manifest::{HardwareDefinition, MAX_SIZE, Manifest, grant_in_words};
use policy::DeviceError;
use serde_json::{Value, json};

use crate::arguments::{
    CheckArguments, ExtractArguments, PackArguments, SignArguments, SignerArguments,
    VerifyArguments,
};
use crate::atomic;
use crate::failure::Failure;
use crate::output::{Report, field, line};

/// The key that packages are signed with when no other is named. It is public.
const DEVELOPMENT_KEY: &str = include_str!("../../image-package/keys/development-signing.key.pem");

/// Its certificate, which development devices trust.
const DEVELOPMENT_CERTIFICATE: &str =
    include_str!("../../image-package/keys/development-signing.crt.pem");

/// An opened image package.
pub type PackageFile = ImagePackage<BufReader<File>>;

/// Opens an image package.
///
/// # Errors
/// [`Failure::Read`] and [`Failure::Package`].
pub fn open(path: &Path) -> Result<PackageFile, Failure> {
    let file = File::open(path).map_err(Failure::read(path))?;
    ImagePackage::open(BufReader::new(file)).map_err(Failure::package(path))
}

/// Makes an image package; `notice` gets what the user should know besides the result.
///
/// # Errors
/// What is wrong with the input; the destination is as it was then.
pub fn pack(arguments: &PackArguments, notice: &mut dyn FnMut(&str)) -> Result<Report, Failure> {
    let directory = arguments.package_directory.as_path();
    let signer = signer(&arguments.signer, notice)?;
    let source = match &arguments.application_manifest {
        Some(path) => path.clone(),
        None => directory.join(MANIFEST_PATH),
    };
    let text = fs::read(&source).map_err(Failure::read(&source))?;
    let hardware = hardware(
        arguments.target_definition_filename.as_deref(),
        &arguments.hardware_definitions,
    )?;
    for warning in manifest_warnings(&source, &text, hardware.as_ref())? {
        notice(&format!("{}: {warning}", source.display()));
    }
    let packed = manifest::pack(&text, hardware.as_ref(), arguments.target_api_set, None)
        .map_err(Failure::manifest(&source))?;
    let manifest = Manifest::parse(&packed).map_err(Failure::manifest(&source))?;

    let mut builder =
        Builder::new(manifest.component(), manifest.name()).map_err(Failure::build(directory))?;
    builder
        .build_time(arguments.build_time.unwrap_or_else(now))
        .depends(&[Abi::application_runtime(arguments.target_api_set)]);
    if let Some(image) = arguments.image_id {
        builder.image(image);
    }
    builder
        .manifest(&packed)
        .map_err(Failure::build(directory))?;
    add_files(&mut builder, directory, "", &arguments.executables)?;
    let bytes = builder.build(&signer).map_err(Failure::build(directory))?;

    let mut package = ImagePackage::open(Cursor::new(bytes.as_slice()))
        .map_err(Failure::package(&arguments.destination))?;
    check_entry_point(directory, &manifest, &mut package, notice)?;
    check_executables(&package, &arguments.executables, notice);
    let report = package_report(&arguments.destination, &mut package);
    drop(package);
    atomic::write(&arguments.destination, &bytes)?;
    let text = format!(
        "packed {} into {} ({} bytes)\n",
        manifest.name(),
        arguments.destination.display(),
        bytes.len()
    );
    Ok(Report::new(report.json, text))
}

/// Adds what is in a directory, except the manifest at its top, which was packed already.
fn add_files(
    builder: &mut Builder,
    directory: &Path,
    prefix: &str,
    executables: &[String],
) -> Result<(), Failure> {
    use image_package::BuildError;
    for entry in fs::read_dir(directory).map_err(Failure::read(directory))? {
        let entry = entry.map_err(Failure::read(directory))?;
        let host_path = entry.path();
        let refuse = Failure::build(&host_path);
        let Ok(name) = entry.file_name().into_string() else {
            let path = host_path.clone();
            return Err(refuse(BuildError::HostName { path }));
        };
        let path = format!("{prefix}{name}");
        let kind = entry.file_type().map_err(Failure::read(&host_path))?;
        if kind.is_dir() {
            builder.directory(&path).map_err(refuse)?;
            add_files(builder, &host_path, &format!("{path}/"), executables)?;
        } else if !kind.is_file() {
            let path = host_path.clone();
            return Err(refuse(BuildError::FileType { path }));
        } else if path != MANIFEST_PATH {
            let bytes = fs::read(&host_path).map_err(Failure::read(&host_path))?;
            let executable = is_elf(&bytes) || is_named(executables, &path);
            builder.file(&path, &bytes, executable).map_err(refuse)?;
        }
    }
    Ok(())
}

/// Whether a path inside the package is in a list of them, with or without a leading slash.
fn is_named(list: &[String], path: &str) -> bool {
    list.iter()
        .any(|named| named.trim_start_matches('/') == path)
}

/// Refuses a package whose entry point the device would refuse.
fn check_entry_point<R: Read + Seek>(
    directory: &Path,
    manifest: &Manifest,
    package: &mut ImagePackage<R>,
    notice: &mut dyn FnMut(&str),
) -> Result<(), Failure> {
    let entry_point = manifest.entry_point();
    let refuse = |what, code| Failure::EntryPoint {
        path: directory.to_owned(),
        entry_point: entry_point.to_owned(),
        what,
        code,
    };
    match package.find(entry_point) {
        None => Err(refuse(
            "in it",
            DeviceError::MANIFEST_SPECIFIED_ENTRY_POINT_DOES_NOT_EXIST,
        )),
        Some(entry) if entry.is_directory() => Err(refuse(
            "a file",
            DeviceError::MANIFEST_SPECIFIED_ENTRY_POINT_IS_NOT_A_FILE,
        )),
        Some(entry) if !entry.is_executable() => {
            notice(&format!(
                "{entry_point} is no ELF file and not in --executables: the device will not be able to start it"
            ));
            Ok(())
        }
        Some(_) => Ok(()),
    }
}

/// Tells of names in `--executables` that are nowhere in the package.
fn check_executables<R: Read + Seek>(
    package: &ImagePackage<R>,
    executables: &[String],
    notice: &mut dyn FnMut(&str),
) {
    for path in executables {
        if package.find(path).is_none_or(|entry| entry.is_directory()) {
            notice(&format!(
                "--executables names {path}, which is no file of the package"
            ));
        }
    }
}

/// The signer that the arguments name, or the development signer.
fn signer(arguments: &SignerArguments, notice: &mut dyn FnMut(&str)) -> Result<Signer, Failure> {
    match (&arguments.signing_key, &arguments.signing_cert) {
        (Some(key_path), Some(certificate_path)) => {
            let key = fs::read_to_string(key_path).map_err(Failure::read(key_path))?;
            let certificate =
                fs::read_to_string(certificate_path).map_err(Failure::read(certificate_path))?;
            Signer::from_pem(&key, &certificate).map_err(Failure::key(key_path))
        }
        _ => {
            notice(
                "signed with the public development key, which no product trusts: use --signing-key and --signing-cert",
            );
            Signer::from_pem(DEVELOPMENT_KEY, DEVELOPMENT_CERTIFICATE)
                .map_err(Failure::key(Path::new("the development key")))
        }
    }
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_secs())
}

/// Shows an image package.
///
/// # Errors
/// [`Failure::Read`] and [`Failure::Package`].
pub fn show(path: &Path) -> Result<Report, Failure> {
    Ok(package_report(path, &mut open(path)?))
}

/// The metadata, files and grants of a package.
fn package_report<R: Read + Seek>(path: &Path, package: &mut ImagePackage<R>) -> Report {
    let manifest = read_manifest(package);
    let metadata = package.metadata();
    let mut text = String::new();
    field(&mut text, "Image package", path.display());
    field(&mut text, "Size", format!("{} bytes", package.size()));
    describe(metadata, &mut text);
    line(&mut text, "Files:");
    let mut files = Vec::new();
    for entry in package.entries().filter(|entry| !entry.is_directory()) {
        let mark = if entry.is_executable() {
            " (executable)"
        } else {
            ""
        };
        line(
            &mut text,
            format_args!("  /{:<40} {:>8}{mark}", entry.path(), entry.size()),
        );
        files.push(json!({
            "path": format!("/{}", entry.path()),
            "size": entry.size(),
            "executable": entry.is_executable(),
        }));
    }
    let grants = match &manifest {
        Ok(manifest) => {
            let grants = grant_in_words(&manifest.grant());
            list_grants(&mut text, &grants);
            json!(grants)
        }
        Err(problem) => {
            line(
                &mut text,
                format_args!("Manifest:           the device will refuse it: {problem}"),
            );
            Value::Null
        }
    };
    let json = json!({
        "imagePackage": path.display().to_string(),
        "size": package.size(),
        "imageType": metadata.image_type.0,
        "componentId": metadata.component,
        "imageId": metadata.image,
        "thumbprint": metadata.thumbprint.to_string(),
        "signingType": metadata.signing_type.to_string(),
        "buildTime": metadata.build_time,
        "name": metadata.name,
        "removeAtBoot": metadata.temporary.remove_at_boot(),
        "underDevelopment": metadata.temporary.under_development(),
        "depends": metadata.depends.iter().map(|abi| json!({
            "kind": abi.kind.to_string(), "version": abi.version,
        })).collect::<Vec<_>>(),
        "files": files,
        "grants": grants,
        "manifestError": manifest.err(),
    });
    Report::new(json, text)
}

/// The sections of the metadata, in the words of the original tools where they have them.
fn describe(metadata: &Metadata, text: &mut String) {
    field(text, "Image type", metadata.image_type);
    field(text, "Component id", metadata.component);
    field(text, "Image id", metadata.image);
    field(text, "Name", &metadata.name);
    field(
        text,
        "Built",
        format!("{} (seconds since 1970, UTC)", metadata.build_time),
    );
    field(text, "Signature", metadata.signing_type);
    field(text, "Thumbprint", metadata.thumbprint);
    field(
        text,
        "Under development",
        yes_or_no(metadata.temporary.under_development()),
    );
    field(
        text,
        "Remove at boot",
        yes_or_no(metadata.temporary.remove_at_boot()),
    );
    for abi in &metadata.depends {
        field(text, "Needs", format!("{} {}", abi.kind, abi.version));
    }
}

const fn yes_or_no(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}

/// Adds what an app may do.
pub fn list_grants(text: &mut String, grants: &[String]) {
    if grants.is_empty() {
        line(
            text,
            "Grants:             nothing: it may compute and print",
        );
    } else {
        line(text, "Grants:");
        for grant in grants {
            line(text, format_args!("  {grant}"));
        }
    }
}

/// The manifest in a package, or why the device will refuse it.
fn read_manifest<R: Read + Seek>(package: &mut ImagePackage<R>) -> Result<Manifest, String> {
    let limit = u32::try_from(MAX_SIZE).unwrap_or(u32::MAX);
    let bytes = match package.read_file(MANIFEST_PATH, limit) {
        Ok(bytes) => bytes,
        Err(PackageError::NoSuchFile { .. }) => {
            return Err(format!(
                "error {} NoAppManifest",
                DeviceError::MANIFEST_NO_APP_MANIFEST
            ));
        }
        Err(error) => return Err(error.to_string()),
    };
    Manifest::parse(&bytes).map_err(|error| error.to_string())
}

/// Verifies an image package against trusted certificates.
///
/// # Errors
/// [`Failure::Package`] when it is malformed, changed, or signed by another key.
pub fn verify(arguments: &VerifyArguments) -> Result<Report, Failure> {
    let path = arguments.package.image_package.as_path();
    let mut trusted = TrustStore::new();
    if arguments.trusted_cert.is_empty() {
        trust(
            &mut trusted,
            Path::new("the development certificate"),
            DEVELOPMENT_CERTIFICATE,
        )?;
    }
    for certificate in &arguments.trusted_cert {
        let text = fs::read_to_string(certificate).map_err(Failure::read(certificate))?;
        trust(&mut trusted, certificate, &text)?;
    }
    let verified = open(path)?
        .verify(&trusted)
        .map_err(Failure::package(path))?;
    let json = json!({
        "verified": true,
        "componentId": verified.component(),
        "imageId": verified.image(),
        "thumbprint": verified.thumbprint().to_string(),
    });
    let text = format!(
        "{}: whole, and signed with {}\n",
        path.display(),
        verified.thumbprint()
    );
    Ok(Report::new(json, text))
}

fn trust(store: &mut TrustStore, path: &Path, pem: &str) -> Result<(), Failure> {
    let certificate = certificate_from_pem(pem).map_err(Failure::key(path))?;
    store
        .add_certificate(&certificate)
        .map_err(Failure::key(path))?;
    Ok(())
}

/// Signs an image package with another key.
///
/// # Errors
/// What is wrong with package or key; the destination is as it was then.
pub fn sign(arguments: &SignArguments, notice: &mut dyn FnMut(&str)) -> Result<Report, Failure> {
    let path = arguments.package.image_package.as_path();
    let signer = signer(&arguments.signer, notice)?;
    let bytes = signer
        .resign(&mut open(path)?)
        .map_err(Failure::resign(path))?;
    atomic::write(&arguments.destination, &bytes)?;
    let thumbprint = signer.thumbprint().to_string();
    let text = format!(
        "signed {} with {thumbprint}\n",
        arguments.destination.display()
    );
    let json = json!({
        "imagePackage": arguments.destination.display().to_string(),
        "thumbprint": thumbprint,
    });
    Ok(Report::new(json, text))
}

/// Extracts the files of an image package into a directory that is not there yet, or empty.
///
/// # Errors
/// [`Failure::Read`], [`Failure::Package`] and [`Failure::Write`].
pub fn extract(arguments: &ExtractArguments) -> Result<Report, Failure> {
    let path = arguments.package.image_package.as_path();
    let destination = arguments.destination.as_path();
    let mut package = open(path)?;
    if fs::read_dir(destination).is_ok_and(|mut entries| entries.next().is_some()) {
        let error = std::io::Error::other("the directory is not empty: name a new one");
        return Err(Failure::write(destination)(error));
    }
    let written = package
        .extract(destination)
        .map_err(Failure::package(path))?;
    let paths: Vec<String> = written
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    let mut text = String::new();
    for path in &paths {
        line(&mut text, path);
    }
    Ok(Report::new(json!({"written": paths}), text))
}

/// Checks a manifest.
///
/// # Errors
/// [`Failure::Manifest`] with the place of the mistake.
pub fn check_manifest(arguments: &CheckArguments) -> Result<Report, Failure> {
    let path = arguments.manifest.as_path();
    let bytes = fs::read(path).map_err(Failure::read(path))?;
    let hardware = hardware(
        arguments.hardware_definition.as_deref(),
        &arguments.hardware_definitions,
    )?;
    let manifest = match &hardware {
        Some(hardware) => Manifest::parse_with(&bytes, hardware),
        None => Manifest::parse(&bytes),
    }
    .map_err(Failure::manifest(path))?;
    let warnings = manifest_warnings(path, &bytes, hardware.as_ref())?;
    let grants = grant_in_words(&manifest.grant());

    let mut text = String::new();
    line(&mut text, format_args!("{}: valid", path.display()));
    field(&mut text, "Name", manifest.name());
    field(&mut text, "Component id", manifest.component());
    field(&mut text, "Entry point", manifest.entry_point());
    list_grants(&mut text, &grants);
    for warning in &warnings {
        line(&mut text, format_args!("warning: {warning}"));
    }
    let json = json!({
        "valid": true,
        "name": manifest.name(),
        "componentId": manifest.component(),
        "entryPoint": manifest.entry_point(),
        "arguments": manifest.arguments(),
        "grants": grants,
        "warnings": warnings,
    });
    Ok(Report::new(json, text))
}

/// What is likely wrong in manifest and hardware definition.
fn manifest_warnings(
    path: &Path,
    bytes: &[u8],
    hardware: Option<&HardwareDefinition>,
) -> Result<Vec<String>, Failure> {
    let warnings = manifest::warnings(bytes).map_err(Failure::manifest(path))?;
    let mut texts: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    texts.extend(
        hardware
            .iter()
            .flat_map(|hardware| hardware.warnings())
            .map(ToString::to_string),
    );
    Ok(texts)
}

/// Loads the hardware definition that is named, from where it is or from one of the directories.
fn hardware(
    name: Option<&Path>,
    directories: &[PathBuf],
) -> Result<Option<HardwareDefinition>, Failure> {
    let Some(name) = name else {
        return Ok(None);
    };
    let candidates = directories.iter().map(|directory| directory.join(name));
    let file = candidates
        .chain([name.to_owned()])
        .find(|path| path.is_file())
        .ok_or_else(|| Failure::NoHardware {
            path: name.to_owned(),
        })?;
    Ok(Some(HardwareDefinition::load(&file, directories)?))
}
