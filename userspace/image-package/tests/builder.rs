// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Creating packages: what the builder refuses, directories of the host, and extraction.
#![allow(
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that fails panics"
)]

mod common;

use std::fs;
use std::path::Path;

use common::{accept, builder, open, signer};
use image_package::{BuildError, Builder, PackageError, TemporaryFlags};
use policy::{ComponentId, DeviceError};

fn component() -> ComponentId {
    "0e3d632e-03b1-48e7-a9c2-3f5063ad0870".parse().unwrap()
}

#[test]
fn names_and_ids_of_apps() {
    for good in ["a", "Hello World", "Zürich", &"n".repeat(300)] {
        Builder::new(component(), good).unwrap();
    }
    for bad in ["", "a\n", "\0", "\u{1b}[2J"] {
        assert!(
            matches!(
                Builder::new(component(), bad),
                Err(BuildError::AppName { .. })
            ),
            "{bad:?}"
        );
    }
    let nil = Builder::new(ComponentId::NIL, "a");
    assert!(matches!(nil, Err(BuildError::NoComponentId)));
}

#[test]
fn paths() {
    let deep = "d/".repeat(15) + "f";
    let long = [
        "d".repeat(252),
        "d".repeat(252),
        "d".repeat(252),
        "d".repeat(252),
        "f".repeat(11),
    ]
    .join("/");
    for good in [
        "f",
        "/f",
        "a/b/c",
        ".hidden",
        "..f",
        &"f".repeat(252),
        &deep,
        &long,
    ] {
        let mut builder = builder();
        builder
            .manifest(b"{}")
            .unwrap()
            .file(good, b"bytes", false)
            .unwrap();
        let package = accept(builder.build(&signer()).unwrap()).unwrap();
        assert_eq!(
            package.find(good).unwrap().path(),
            good.trim_start_matches('/')
        );
    }
    let deep = "d/".repeat(16) + "f";
    let long = long + "f";
    let bad = [
        "",
        "/",
        "//f",
        "a//b",
        "a/",
        ".",
        "..",
        "a/../b",
        "./a",
        "a\0",
        "a\nb",
        &"f".repeat(253),
        &deep,
        &long,
    ];
    for bad in bad {
        assert!(
            matches!(
                builder().file(bad, b"", false),
                Err(BuildError::Path { .. })
            ),
            "{bad:?}"
        );
        assert!(
            matches!(builder().directory(bad), Err(BuildError::Path { .. })),
            "{bad:?}"
        );
    }
}

#[test]
fn a_path_is_there_once() {
    let mut builder = builder();
    builder
        .manifest(b"{}")
        .unwrap()
        .file("a/b", b"1", false)
        .unwrap();
    builder
        .file("a/c", b"2", false)
        .unwrap()
        .directory("a/d")
        .unwrap();
    for path in ["a/b", "/a/b", "a", "app_manifest.json", "a/b/c", "a/d"] {
        let refused = builder.file(path, b"3", false);
        assert!(
            matches!(refused, Err(BuildError::Duplicate { .. })),
            "{path}"
        );
    }
    assert!(matches!(
        builder.directory("a/d"),
        Err(BuildError::Duplicate { .. })
    ));
    let package = accept(builder.build(&signer()).unwrap()).unwrap();
    assert_eq!(package.entries().count(), 5);
}

#[test]
fn every_package_has_a_manifest() {
    let mut builder = builder();
    builder.file("bin/app", b"", true).unwrap();
    assert!(matches!(
        builder.build(&signer()),
        Err(BuildError::NoManifest)
    ));
    builder.manifest(b"{}").unwrap();
    builder.build(&signer()).unwrap();
    let mut builder = common::builder();
    builder.directory("app_manifest.json").unwrap();
    assert!(matches!(
        builder.build(&signer()),
        Err(BuildError::NoManifest)
    ));
}

#[test]
fn number_of_files() {
    let mut builder = builder();
    builder.manifest(b"{}").unwrap();
    for index in 0..1021 {
        builder.file(&format!("d/{index}"), b"", false).unwrap();
    }
    let package = accept(builder.build(&signer()).unwrap()).unwrap();
    assert_eq!(package.entries().count(), 1023);
    assert!(matches!(
        builder.file("d/last", b"", false),
        Err(BuildError::TooManyFiles)
    ));
}

#[test]
fn size_of_a_package() {
    // All but a page of tables, a page of manifest, 148 bytes of metadata and 64 of signature, in whole pages.
    let largest = (16 << 20) - 3 * 4096;
    let mut builder = builder();
    builder
        .manifest(b"{}")
        .unwrap()
        .file("data", &vec![1; largest], false)
        .unwrap();
    let bytes = builder.build(&signer()).unwrap();
    assert_eq!(bytes.len(), (16 << 20) - 4096 + 148 + 64);
    accept(bytes).unwrap();
    let mut builder = common::builder();
    builder
        .manifest(b"{}")
        .unwrap()
        .file("data", &vec![1; largest + 1], false)
        .unwrap();
    assert!(matches!(
        builder.build(&signer()),
        Err(BuildError::TooLarge)
    ));
    let mut builder = common::builder();
    assert!(matches!(
        builder.file("data", &vec![1; 1 << 24], false),
        Err(BuildError::TooLarge)
    ));
    builder
        .file("data", &vec![1; (1 << 24) - 1], false)
        .unwrap();
    assert!(matches!(
        builder.file("more", b"22", false),
        Err(BuildError::TooLarge)
    ));
}

#[test]
fn the_limit_of_a_device() {
    let mut builder = builder();
    let bytes = builder.manifest(b"{}").unwrap().build(&signer()).unwrap();
    let size = bytes.len() as u64;
    let open =
        |limit| image_package::ImagePackage::open_with_limit(std::io::Cursor::new(&bytes), limit);
    open(size).unwrap();
    open(u64::MAX).unwrap();
    let error = open(size - 1).unwrap_err();
    assert!(matches!(error, PackageError::TooLarge { .. }));
    assert_eq!(
        error.code(),
        DeviceError::IMAGE_UPDATE_IMAGE_EXCEEDS_COMPONENT_SIZE_LIMIT
    );
    let error = common::open(vec![0; (16 << 20) + 1]).unwrap_err();
    assert!(matches!(error, PackageError::TooLarge { .. }));
    assert!(matches!(
        common::open(vec![0; 16 << 20]),
        Err(PackageError::NotAPackage)
    ));
}

#[test]
fn the_order_of_adding_does_not_matter() {
    let files = [
        ("app_manifest.json", "{}"),
        ("bin/app", "app"),
        ("bin/a/x", "x"),
        ("etc/y", "y"),
        ("bin.txt", "t"),
    ];
    let build = |order: &mut dyn Iterator<Item = &(&str, &str)>| {
        let mut builder = builder();
        for (path, content) in order {
            builder
                .file(path, content.as_bytes(), path.ends_with("app"))
                .unwrap();
        }
        builder.unsigned(&signer()).unwrap()
    };
    let forwards = build(&mut files.iter());
    assert_eq!(forwards, build(&mut files.iter().rev()));
    // Files lie in the order of a walk, so `bin/a/x` precedes `bin/app` and both precede `bin.txt`'s successor.
    let package = open(signer().append_signature(forwards).unwrap()).unwrap();
    let mut places: Vec<_> = package
        .entries()
        .filter(|entry| !entry.is_directory())
        .collect();
    places.sort_by_key(image_package::Entry::offset);
    let order: Vec<_> = places.iter().map(image_package::Entry::path).collect();
    assert_eq!(
        order,
        [
            "app_manifest.json",
            "bin/a/x",
            "bin/app",
            "bin.txt",
            "etc/y"
        ]
    );
}

#[test]
fn the_image_id_follows_the_contents_unless_it_is_given() {
    let image = |content: &[u8], id: Option<&str>| {
        let mut builder = Builder::new(component(), "a").unwrap();
        builder.manifest(content).unwrap();
        if let Some(id) = id {
            builder.image(id.parse().unwrap());
        }
        open(builder.build(&signer()).unwrap())
            .unwrap()
            .metadata()
            .image
            .to_string()
    };
    assert_eq!(image(b"1", None), image(b"1", None));
    assert_ne!(image(b"1", None), image(b"2", None));
    assert_eq!(
        image(b"1", None).as_bytes()[14],
        b'8',
        "a GUID of version 8"
    );
    let given = "2b1494a2-6023-4d75-9e5c-418ad429fc67";
    assert_eq!(image(b"1", Some(given)), given);
}

#[test]
fn the_temporary_flag_is_left_away_for_products() {
    let mut builder = builder();
    builder.manifest(b"{}").unwrap();
    let development = builder.build(&signer()).unwrap();
    assert_eq!(
        open(development.clone()).unwrap().metadata().temporary,
        TemporaryFlags::UNDER_DEVELOPMENT
    );
    let product = builder
        .temporary(TemporaryFlags::NONE)
        .build(&signer())
        .unwrap();
    assert_eq!(
        open(product.clone()).unwrap().metadata().temporary,
        TemporaryFlags::NONE
    );
    assert_eq!(development.len(), product.len() + 8);
}

/// A directory of the host with a manifest, an ELF file and a script.
fn host_tree(root: &Path) {
    fs::create_dir_all(root.join("bin")).unwrap();
    fs::create_dir(root.join("empty")).unwrap();
    fs::write(root.join("app_manifest.json"), "{}").unwrap();
    fs::write(root.join("bin/app"), b"\x7FELF and more").unwrap();
    fs::write(root.join("bin/script"), b"#!/bin/app").unwrap();
    fs::write(root.join("bin/data"), vec![7; 5000]).unwrap();
}

#[test]
fn a_directory_is_packed_and_extracted() {
    let work = tempfile::tempdir().unwrap();
    let source = work.path().join("source");
    host_tree(&source);
    let mut builder = builder();
    builder
        .host_directory(&source, &|path| path == "bin/script")
        .unwrap();
    let mut package = accept(builder.build(&signer()).unwrap()).unwrap();
    let listing: Vec<_> = package
        .entries()
        .map(|entry| (entry.path(), entry.is_executable()))
        .collect();
    let expected = [
        ("app_manifest.json", false),
        ("bin", false),
        ("empty", false),
        ("bin/app", true),
        ("bin/data", false),
        ("bin/script", true),
    ];
    assert_eq!(
        listing,
        expected.map(|(path, executable)| (path.to_owned(), executable))
    );

    let target = work.path().join("deep/target");
    let written = package.extract(&target).unwrap();
    assert_eq!(written.len(), 6);
    for path in ["app_manifest.json", "bin/app", "bin/script", "bin/data"] {
        assert_eq!(
            fs::read(target.join(path)).unwrap(),
            fs::read(source.join(path)).unwrap()
        );
    }
    assert!(target.join("empty").is_dir());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path| {
            fs::metadata(target.join(path))
                .unwrap()
                .permissions()
                .mode()
                & 0o111
        };
        assert_ne!(mode("bin/app"), 0);
        assert_eq!(mode("bin/data"), 0);
    }
}

#[test]
fn extraction_replaces_nothing() {
    let work = tempfile::tempdir().unwrap();
    let mut builder = builder();
    builder
        .manifest(b"{}")
        .unwrap()
        .file("bin/app", b"new", true)
        .unwrap();
    let mut package = accept(builder.build(&signer()).unwrap()).unwrap();
    let mut refused = |prepare: &dyn Fn(&Path)| {
        let target = tempfile::tempdir_in(work.path()).unwrap();
        prepare(target.path());
        let error = package.extract(target.path()).unwrap_err();
        assert!(matches!(error, PackageError::Write { .. }), "{error}");
        assert_eq!(error.code(), DeviceError::REST_APP_CANNOT_WRITE_IMAGE);
        target
    };
    let target = refused(&|target| fs::write(target.join("app_manifest.json"), "old").unwrap());
    assert_eq!(
        fs::read(target.path().join("app_manifest.json")).unwrap(),
        b"old"
    );
    refused(&|target| fs::create_dir(target.join("bin")).unwrap());
    #[cfg(unix)]
    {
        use std::os::unix::fs::symlink;
        let outside = work.path().join("outside");
        fs::create_dir(&outside).unwrap();
        refused(&|target| symlink(&outside, target.join("bin")).unwrap());
        refused(&|target| symlink(outside.join("file"), target.join("app_manifest.json")).unwrap());
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
    }
    package.extract(&work.path().join("new")).unwrap();
}

#[cfg(unix)]
#[test]
fn only_files_and_directories_are_packed() {
    use std::os::unix::ffi::OsStrExt;
    let work = tempfile::tempdir().unwrap();
    host_tree(work.path());
    let pack = || builder().host_directory(work.path(), &|_| false).map(drop);
    pack().unwrap();
    let link = work.path().join("link");
    std::os::unix::fs::symlink("bin/app", &link).unwrap();
    assert!(matches!(pack(), Err(BuildError::FileType { .. })));
    fs::remove_file(&link).unwrap();
    let socket = std::os::unix::net::UnixListener::bind(&link).unwrap();
    assert!(matches!(pack(), Err(BuildError::FileType { .. })));
    drop(socket);
    fs::remove_file(&link).unwrap();
    pack().unwrap();
    let name = work.path().join(std::ffi::OsStr::from_bytes(b"\xFF"));
    fs::write(&name, "").unwrap();
    assert!(matches!(pack(), Err(BuildError::HostName { .. })));
    fs::remove_file(&name).unwrap();
    let file = fs::File::create(work.path().join("sparse")).unwrap();
    file.set_len(1 << 40).unwrap();
    assert!(matches!(pack(), Err(BuildError::TooLarge)));
    let missing = builder()
        .host_directory(&work.path().join("missing"), &|_| false)
        .map(drop);
    assert!(matches!(missing, Err(BuildError::Read { .. })));
}

#[test]
fn single_files_of_a_package() {
    let mut builder = builder();
    builder
        .manifest(b"{}")
        .unwrap()
        .file("bin/app", b"app", true)
        .unwrap();
    builder.file("bin/empty", b"", false).unwrap();
    let mut package = accept(builder.build(&signer()).unwrap()).unwrap();
    assert_eq!(package.read_file("bin/app", 3).unwrap(), b"app");
    assert_eq!(package.read_file("bin/empty", 0).unwrap(), b"");
    let too_large = package.read_file("bin/app", 2);
    assert!(matches!(
        too_large,
        Err(PackageError::FileTooLarge {
            size: 3,
            limit: 2,
            ..
        })
    ));
    assert!(matches!(
        package.read_file("bin", 99),
        Err(PackageError::NotAFile { .. })
    ));
    for path in [
        "",
        "/",
        "app",
        "bin/",
        "bin/app/",
        "bin/app/x",
        "//bin/app",
        "bin/../app_manifest.json",
    ] {
        let error = package.read_file(path, 99).unwrap_err();
        assert!(matches!(error, PackageError::NoSuchFile { .. }), "{path}");
        assert_eq!(error.code(), DeviceError::REST_UPDATE_INVALID_IMAGE);
        assert!(package.find(path).is_none());
        assert!(package.copy_file(path, &mut Vec::new()).is_err());
    }
}
