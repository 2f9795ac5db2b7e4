// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Tests of the store: each refusal with its permitted twin, and power loss at every step.

use std::fs;
use std::path::Path;

use image_package::{Abi, AbiType, TemporaryFlags};
use policy::{ComponentId, DeviceError};
use tempfile::tempdir;

use super::*;
use crate::elf;
use crate::testing::{APP, Image, Loss, OTHER, TestDisk, id, stage, store, verifier};

fn staged(root: &Path, image: &Image) -> Result<ComponentId, StoreError> {
    stage(&mut store(root).0, &image.bytes())
}

/// Stages an image that must be refused, and sees that nothing of it stays.
fn refused(image: &Image) -> StoreError {
    let root = tempdir().unwrap();
    let (mut store, _) = store(root.path());
    let error = stage(&mut store, &image.bytes()).unwrap_err();
    assert!(store.staged().is_empty());
    assert_eq!(fs::read_dir(root.path().join("staged")).unwrap().count(), 0);
    assert!(!error.to_string().contains('\n'), "{error}");
    error
}

fn installed(root: &Path, image: &Image) {
    let (mut store, _) = store(root);
    let component = stage(&mut store, &image.bytes()).unwrap();
    store.install(component).unwrap();
}

#[test]
fn a_good_image_is_staged_installed_and_loaded() {
    let root = tempdir().unwrap();
    let image = Image::new(APP);
    let (mut store, _) = store(root.path());
    let component = stage(&mut store, &image.bytes()).unwrap();
    assert_eq!(component, id(APP));
    assert!(store.installed().unwrap().is_empty());
    let staged = store.staged()[0].clone();
    assert_eq!(
        (staged.image, staged.length),
        (image.image, image.bytes().len() as u64)
    );
    assert_eq!(
        store.load_staged(component).unwrap().facts.image,
        image.image
    );
    store.install(component).unwrap();
    assert!(store.staged().is_empty());
    assert_eq!(store.installed().unwrap(), [component]);
    let package = store.load(component).unwrap();
    assert_eq!(package.facts.name, "test");
    assert_eq!(package.facts.manifest.entry_point(), "/bin/app");
    assert_eq!(package.content.file_system_size % 4096, 0);
    assert_eq!(store.package_length(component), image.bytes().len() as u64);
}

#[test]
fn staging_the_same_image_again_is_no_error() {
    let root = tempdir().unwrap();
    let (mut store, _) = store(root.path());
    let bytes = Image::new(APP).bytes();
    stage(&mut store, &bytes).unwrap();
    stage(&mut store, &bytes).unwrap();
    assert_eq!(store.staged().len(), 1);
    store.install(id(APP)).unwrap();
    stage(&mut store, &bytes).unwrap();
    store.install(id(APP)).unwrap();
    assert_eq!(store.installed().unwrap(), [id(APP)]);
}

#[test]
fn a_refused_image_leaves_the_one_staged_before() {
    let root = tempdir().unwrap();
    let (mut store, _) = store(root.path());
    stage(&mut store, &Image::new(APP).build(1).bytes()).unwrap();
    let mut bytes = Image::new(APP).build(2).bytes();
    bytes[8192] ^= 1;
    stage(&mut store, &bytes).unwrap_err();
    assert_eq!(
        store.load_staged(id(APP)).unwrap().facts.image,
        ComponentId::from_bytes([1; 16])
    );
}

#[test]
fn one_transfer_at_a_time() {
    let root = tempdir().unwrap();
    let (mut store, _) = store(root.path());
    store.begin(10, 100, 100).unwrap();
    let error = store.begin(10, 100, 100).unwrap_err();
    assert_eq!(
        error.code(),
        DeviceError::IMAGE_UPDATE_UPDATE_ALREADY_IN_PROGRESS
    );
    store.abort();
    store.begin(10, 100, 100).unwrap();
}

#[test]
fn chunks_need_a_transfer() {
    let root = tempdir().unwrap();
    let (mut store, _) = store(root.path());
    assert!(matches!(store.chunk(b"x"), Err(StoreError::NoTransfer)));
    assert!(matches!(store.end(), Err(StoreError::NoTransfer)));
    store.begin(1, 100, 100).unwrap();
    store.chunk(b"x").unwrap();
}

#[test]
fn the_announced_length_counts() {
    let root = tempdir().unwrap();
    let (mut store, _) = store(root.path());
    let bytes = Image::new(APP).bytes();
    let length = bytes.len() as u64;
    for wrong in [length - 1, length + 1] {
        store.begin(wrong, u64::MAX, u64::MAX).unwrap();
        let error = match store.chunk(&bytes) {
            Ok(()) => store.end().unwrap_err(),
            Err(error) => error,
        };
        assert!(matches!(error, StoreError::WrongLength { .. }), "{error}");
        assert_eq!(error.code().value(), 7_340_050);
    }
    assert!(store.begin(0, 100, 100).is_err());
    store.begin(length, u64::MAX, u64::MAX).unwrap();
    store.chunk(&bytes).unwrap();
    store.end().unwrap();
}

#[test]
fn too_long_an_image_is_refused_before_it_comes() {
    let root = tempdir().unwrap();
    let (mut store, _) = store(root.path());
    for (length, free, memory, code) in [
        (IMAGE_LIMIT + 1, u64::MAX, u64::MAX, 7_340_051),
        (4097, u64::MAX, 4096, 7_340_051),
        (4097, 4096, u64::MAX, 14_680_082),
    ] {
        let error = store.begin(length, free, memory).unwrap_err();
        assert_eq!(error.code().value(), code, "{error}");
    }
    store.begin(4096, 4096, 4096).unwrap();
}

#[test]
fn free_space_is_less_what_is_promised() {
    let root = tempdir().unwrap();
    let (mut store, disk) = store(root.path());
    disk.set_free(SPACE_MARGIN + 20 * 1024);
    assert_eq!(store.unpromised([]).unwrap(), 20 * 1024);
    let promises = [(id(APP), 8), (id(OTHER), 4)];
    assert_eq!(store.unpromised(promises).unwrap(), 8 * 1024);
    let path = store.mutable_file(id(APP)).unwrap();
    fs::write(path, [0; 3000]).unwrap();
    assert_eq!(store.unpromised(promises).unwrap(), 8 * 1024 + 3000);
    disk.set_free(1);
    assert_eq!(store.unpromised(promises).unwrap(), 0);
}

#[test]
fn a_changed_image_is_refused() {
    let root = tempdir().unwrap();
    let good = Image::new(APP).bytes();
    let (mut store, _) = store(root.path());
    for place in [0, 70, 4100, 8200, good.len() - 200, good.len() - 1] {
        let mut bytes = good.clone();
        bytes[place] ^= 0x10;
        let error = stage(&mut store, &bytes).unwrap_err();
        assert!(matches!(error, StoreError::Package(_)), "{place}: {error}");
    }
    let error = stage(&mut store, b"no package at all").unwrap_err();
    assert_eq!(error.code().value(), 7_340_050);
    stage(&mut store, &good).unwrap();
}

#[test]
fn an_unknown_signer_is_refused() {
    let root = tempdir().unwrap();
    let nobody = Verifier::new(image_package::TrustStore::new(), true);
    let layout = Layout::new(root.path());
    let (mut store, _) = Store::open(TestDisk::default(), layout, nobody).unwrap();
    let error = stage(&mut store, &Image::new(APP).bytes()).unwrap_err();
    assert_eq!(error.code().value(), 7_340_047);
}

#[test]
fn an_image_under_development_needs_the_capability() {
    let root = tempdir().unwrap();
    let layout = Layout::new(root.path());
    let (mut store, _) = Store::open(TestDisk::default(), layout, verifier(false)).unwrap();
    let mut image = Image::new(APP);
    let error = stage(&mut store, &image.bytes()).unwrap_err();
    assert_eq!(error.code().value(), 1_048_596);
    assert_eq!(error.kind(), control::RefusalKind::Forbidden);
    image.flags = TemporaryFlags::NONE;
    stage(&mut store, &image.bytes()).unwrap();
}

#[test]
fn the_manifest_must_be_valid_and_name_the_same_component() {
    let mut image = Image::new(APP);
    image.manifest = Some("{".to_owned());
    assert_eq!(refused(&image).code().value(), 2_097_153);
    image.manifest = None;
    image.capabilities = r#"{"Gpio":[99]}"#;
    assert_eq!(refused(&image).code().value(), 5_242_883);
    image = Image::new(APP);
    image.manifest = Some(format!(
        r#"{{"SchemaVersion":1,"Name":"a","ComponentId":"{OTHER}","EntryPoint":"/bin/app","CmdArgs":[],"Capabilities":{{}}}}"#
    ));
    let error = refused(&image);
    assert_eq!(error.code().value(), 7_340_052);
    assert!(error.to_string().contains(OTHER), "{error}");
}

#[test]
fn an_app_cannot_pass_for_a_part_of_the_system() {
    let system = refused(&Image::new(&sandbox::DEVICE_API.to_string()));
    assert!(matches!(system, StoreError::Reserved(_)), "{system}");
    assert!(system.to_string().contains("of its own"), "{system}");
    let root = tempdir().unwrap();
    staged(root.path(), &Image::new(APP)).unwrap();
}

#[test]
fn a_runtime_that_the_device_lacks_is_refused() {
    let root = tempdir().unwrap();
    let highest = package::HIGHEST_APPLICATION_RUNTIME;
    let mut image = Image::new(APP);
    image.depends = vec![Abi::application_runtime(highest + 1)];
    assert_eq!(refused(&image).code().value(), 3_145_750);
    image.depends = vec![Abi {
        version: 1,
        kind: AbiType(9),
    }];
    assert_eq!(
        refused(&image).code(),
        DeviceError::IMAGE_UPDATE_INVALID_ABI_TYPE_FOUND
    );
    image.depends = vec![
        Abi::application_runtime(highest),
        Abi {
            version: 1,
            kind: AbiType::OS_RUNTIME,
        },
        Abi {
            version: 0,
            kind: AbiType::NONE,
        },
    ];
    staged(root.path(), &image).unwrap();
    image.manifest = Some(format!(
        r#"{{"SchemaVersion":1,"Name":"a","ComponentId":"{APP}","EntryPoint":"/bin/app","CmdArgs":[],"Capabilities":{{}},"TargetApplicationRuntimeVersion":{}}}"#,
        highest + 1
    ));
    assert_eq!(refused(&image).code().value(), 3_145_750);
}

#[test]
fn the_entry_point_must_be_a_program_for_this_device() {
    let root = tempdir().unwrap();
    let mut image = Image::new(APP);
    image.entry_point = "/bin/none";
    assert_eq!(refused(&image).code().value(), 2_097_174);
    image.entry_point = "/bin";
    assert_eq!(refused(&image).code().value(), 2_097_175);
    image.entry_point = "/bin/app";
    for program in [
        b"#!/bin/sh\n".to_vec(),
        elf::tests::program(Some("/lib/ld-linux-armhf.so.3")),
    ] {
        image.program = program;
        assert_eq!(refused(&image).code().value(), 1_048_591);
    }
    image.program = b"no program".to_vec();
    image.executable = false;
    assert_eq!(refused(&image).code().value(), 1_048_591);
    image = Image::new(APP);
    image.program = elf::tests::program(None);
    staged(root.path(), &image).unwrap();
}

#[test]
fn app_types_that_the_device_cannot_run_are_refused() {
    let mut image = Image::new(APP);
    image.kind = "Debugger";
    assert_eq!(
        refused(&image).code(),
        DeviceError::LIFETIME_DEBUGGING_NOT_SUPPORTED
    );
    image.kind = "Default";
    let root = tempdir().unwrap();
    staged(root.path(), &image).unwrap();
}

#[test]
fn an_app_for_a_real_time_core_needs_one_and_firmware() {
    let root = tempdir().unwrap();
    let layout = Layout::new(root.path());
    let without = verifier(true).with_real_time_cores(false);
    let (mut store, _) = Store::open(TestDisk::default(), layout, without).unwrap();
    let image = Image::real_time(APP);
    let error = stage(&mut store, &image.bytes()).unwrap_err();
    assert_eq!(error.code(), DeviceError::APP_MANAGER_NO_CORE_AVAILABLE);
    assert!(error.to_string().contains("no real-time core"), "{error}");
    stage(&mut store, &Image::new(APP).bytes()).unwrap();

    let mut program = Image::real_time(APP);
    program.program = elf::tests::program(None);
    let error = refused(&program);
    assert_eq!(error.code().value(), 1_048_591);
    assert!(error.to_string().contains("fixed addresses"), "{error}");
    let mut firmware = Image::new(APP);
    firmware.program = image.program.clone();
    // A program with fixed addresses may be one for Linux: what it does there is seen there.
    staged(root.path(), &firmware).unwrap();
    staged(root.path(), &image).unwrap();
}

#[test]
fn exclusive_resources_have_one_owner() {
    let root = tempdir().unwrap();
    let (mut store, _) = store(root.path());
    let first = Image::new(APP).capabilities(r#"{"Gpio":[8],"AllowedTcpServerPorts":[5000]}"#);
    stage(&mut store, &first.bytes()).unwrap();
    let owner = store.load_staged(id(APP)).unwrap();
    for (capabilities, code) in [
        (r#"{"Gpio":[8]}"#, 5_242_884),
        (r#"{"AllowedTcpServerPorts":[5000]}"#, 3_145_748),
    ] {
        let second = Image::new(OTHER).capabilities(capabilities);
        stage(&mut store, &second.bytes()).unwrap();
        let facts = store.load_staged(id(OTHER)).unwrap().facts;
        let others = [owner.facts.manifest.grant()];
        let error = store.check(&facts, &others, u64::MAX).unwrap_err();
        assert_eq!(error.code().value(), code, "{error}");
        assert!(error.to_string().contains(APP), "{error}");
        store.check(&facts, &[], u64::MAX).unwrap();
    }
    let free = Image::new(OTHER).capabilities(r#"{"Gpio":[9],"AllowedTcpServerPorts":[5001]}"#);
    stage(&mut store, &free.bytes()).unwrap();
    let facts = store.load_staged(id(OTHER)).unwrap().facts;
    store
        .check(&facts, &[owner.facts.manifest.grant()], u64::MAX)
        .unwrap();
}

#[test]
fn two_components_with_one_user_id_are_refused() {
    let root = tempdir().unwrap();
    let (store, _) = store(root.path());
    // Two random ids out of 40,000 share one of 2^28 user ids almost surely (birthday paradox).
    let mut seen = std::collections::HashMap::new();
    let (one, two) = (0_u32..)
        .find_map(|number| {
            let mut bytes = [0x5a; 16];
            bytes[3..7].copy_from_slice(&number.wrapping_mul(2_654_435_761).to_be_bytes());
            let component = ComponentId::from_bytes(bytes);
            let other = seen.insert(component.uid(), component)?;
            Some((other, component))
        })
        .unwrap();
    assert_ne!(one, two);
    let facts = |component: ComponentId| {
        let root = tempdir().unwrap();
        let (mut store, _) = crate::testing::store(root.path());
        let mut image = Image::new(APP);
        image.component = component;
        stage(&mut store, &image.bytes()).unwrap();
        store.load_staged(component).unwrap().facts
    };
    let (one, two) = (facts(one), facts(two));
    let error = store
        .check(&two, &[one.manifest.grant()], u64::MAX)
        .unwrap_err();
    assert_eq!(error.code(), DeviceError::APP_MANAGER_BAD_USER_ID);
    store.check(&two, &[], u64::MAX).unwrap();
}

#[test]
fn storage_must_fit() {
    let root = tempdir().unwrap();
    let (mut store, _) = store(root.path());
    let image = Image::new(APP).capabilities(r#"{"MutableStorage":{"SizeKB":8}}"#);
    stage(&mut store, &image.bytes()).unwrap();
    let facts = store.load_staged(id(APP)).unwrap().facts;
    let error = store.check(&facts, &[], 8 * 1024 - 1).unwrap_err();
    assert_eq!(error.code().value(), 6_291_467);
    assert_eq!(store.check(&facts, &[], 8 * 1024).unwrap(), 8 * 1024);
    let path = store.mutable_file(id(APP)).unwrap();
    fs::write(path, [0; 1024]).unwrap();
    assert_eq!(store.check(&facts, &[], 7 * 1024).unwrap(), 7 * 1024);
}

#[test]
fn a_full_disk_is_told() {
    let error = StoreError::Disk {
        what: "write",
        path: "/data/staged/0.part".into(),
        source: std::io::ErrorKind::StorageFull.into(),
    };
    assert_eq!(error.code().value(), 14_680_082);
    let error = StoreError::Disk {
        what: "write",
        path: "/data/staged/0.part".into(),
        source: std::io::ErrorKind::PermissionDenied.into(),
    };
    assert_eq!(error.code(), DeviceError::IMAGE_UPDATE_WRITE_FAILED);
}

#[test]
fn installed_packages_are_verified_again() {
    let root = tempdir().unwrap();
    installed(root.path(), &Image::new(APP));
    let (store, _) = store(root.path());
    store.load(id(APP)).unwrap();
    assert!(matches!(
        store.load(id(OTHER)),
        Err(StoreError::NotInstalled(_))
    ));
    let path = Layout::new(root.path()).package(id(APP));
    let good = fs::read(&path).unwrap();
    let mut bytes = good.clone();
    bytes[8200] ^= 1;
    fs::remove_file(&path).unwrap();
    fs::write(&path, bytes).unwrap();
    assert!(matches!(store.load(id(APP)), Err(StoreError::Package(_))));
    fs::write(&path, Image::new(OTHER).bytes()).unwrap();
    assert!(matches!(
        store.load(id(APP)),
        Err(StoreError::Misplaced { .. })
    ));
    fs::write(&path, good).unwrap();
    store.load(id(APP)).unwrap();
}

#[test]
fn a_package_stays_what_it_was_when_its_name_is_taken_over() {
    use std::os::unix::fs::FileExt;
    let root = tempdir().unwrap();
    let image = Image::new(APP).build(1);
    installed(root.path(), &image);
    let (mut store, _) = store(root.path());
    let package = store.load(id(APP)).unwrap();
    stage(&mut store, &Image::new(APP).build(2).bytes()).unwrap();
    store.install(id(APP)).unwrap();
    let mut bytes = vec![0; image.bytes().len()];
    package.content.file.read_exact_at(&mut bytes, 0).unwrap();
    assert_eq!(bytes[..8300], image.bytes()[..8300]);
}

#[test]
fn removing_takes_package_and_data_and_is_fine_twice() {
    let root = tempdir().unwrap();
    installed(root.path(), &Image::new(APP));
    installed(root.path(), &Image::new(OTHER));
    let (mut store, _) = store(root.path());
    let path = store.mutable_file(id(APP)).unwrap();
    let kept = store.mutable_file(id(OTHER)).unwrap();
    store.remove(id(APP)).unwrap();
    store.remove(id(APP)).unwrap();
    assert!(!path.exists() && !path.parent().unwrap().exists());
    assert!(kept.exists());
    assert_eq!(store.installed().unwrap(), [id(OTHER)]);
}

#[test]
fn the_mutable_file_is_made_once_and_kept() {
    use std::os::unix::fs::PermissionsExt;
    let root = tempdir().unwrap();
    let (mut store, _) = store(root.path());
    assert_eq!(store.mutable_length(id(APP)), 0);
    let path = store.mutable_file(id(APP)).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o666);
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    assert_eq!(mode(&root.path().join("config")), 0o700);
    fs::write(&path, b"kept").unwrap();
    assert_eq!(store.mutable_file(id(APP)).unwrap(), path);
    assert_eq!(fs::read(&path).unwrap(), b"kept");
    assert_eq!(store.mutable_length(id(APP)), 4);
}

#[test]
fn a_boot_removes_what_an_interruption_left_and_nothing_else() {
    let root = tempdir().unwrap();
    installed(root.path(), &Image::new(APP));
    let layout = Layout::new(root.path());
    {
        let (mut store, _) = store(root.path());
        fs::write(store.mutable_file(id(APP)).unwrap(), b"kept").unwrap();
        store.mutable_file(id(OTHER)).unwrap();
        stage(&mut store, &Image::new(APP).bytes()).unwrap();
        store.begin(5, 100, 100).unwrap();
    }
    fs::create_dir(layout.config().join("lost+found")).unwrap();
    let (store, _) = store(root.path());
    assert_eq!(fs::read_dir(layout.staged()).unwrap().count(), 0);
    assert_eq!(fs::read(layout.mutable(id(APP))).unwrap(), b"kept");
    assert!(!layout.data(id(OTHER)).exists());
    assert!(layout.config().join("lost+found").exists());
    store.load(id(APP)).unwrap();
}

/// Runs `change` on a store with an app installed, with the power going at every step and everything
/// lost that may be lost, and lets `judge` look at what the next boot finds. `judge` gets what `change`
/// answered before the power went.
fn at_every_step(
    change: impl Fn(&mut Store<TestDisk>) -> Result<(), StoreError>,
    judge: impl Fn(&Store<TestDisk>, &Layout, bool),
) {
    for loss in [Loss::Nothing, Loss::Content, Loss::Everything] {
        for step in 0.. {
            let root = tempdir().unwrap();
            let layout = Layout::new(root.path());
            installed(root.path(), &Image::new(APP).build(1));
            let (mut victim, disk) = store(root.path());
            fs::write(victim.mutable_file(id(APP)).unwrap(), b"data").unwrap();
            disk.lose(Loss::Nothing);
            disk.cut_after(step);
            let done = change(&mut victim).is_ok();
            drop(victim);
            disk.lose(loss);
            let (store, _) = store(root.path());
            assert_eq!(
                fs::read_dir(layout.staged()).unwrap().count(),
                0,
                "{loss:?}, step {step}"
            );
            judge(&store, &layout, done);
            if done {
                assert!(step > 2, "the power never went");
                break;
            }
        }
    }
}

#[test]
fn power_loss_during_an_update_leaves_the_old_or_the_new_app_and_its_data() {
    at_every_step(
        |store| {
            let component = stage(store, &Image::new(APP).build(2).bytes())?;
            store.load_staged(component)?;
            store.install(component)
        },
        |store, layout, done| {
            assert_eq!(store.installed().unwrap(), [id(APP)]);
            let image = store.load(id(APP)).unwrap().facts.image;
            let old = ComponentId::from_bytes([1; 16]);
            let new = ComponentId::from_bytes([2; 16]);
            assert!(image == new || (image == old && !done));
            assert_eq!(fs::read(layout.mutable(id(APP))).unwrap(), b"data");
        },
    );
}

#[test]
fn power_loss_during_a_first_installation_leaves_the_app_or_nothing() {
    at_every_step(
        |store| {
            let component = stage(store, &Image::new(OTHER).bytes())?;
            store.install(component)?;
            store.mutable_file(component).map(drop)
        },
        |store, layout, done| {
            store.load(id(APP)).unwrap();
            let there = store.installed().unwrap().contains(&id(OTHER));
            assert!(there || !done);
            if there {
                store.load(id(OTHER)).unwrap();
            } else {
                assert!(!layout.data(id(OTHER)).exists());
            }
        },
    );
}

#[test]
fn power_loss_during_removal_leaves_the_app_with_its_data_or_neither() {
    at_every_step(
        |store| store.remove(id(APP)),
        |store, layout, done| {
            if store.installed().unwrap().is_empty() {
                assert!(!layout.data(id(APP)).exists());
            } else {
                assert!(!done);
                store.load(id(APP)).unwrap();
                assert_eq!(fs::read(layout.mutable(id(APP))).unwrap(), b"data");
            }
        },
    );
}
