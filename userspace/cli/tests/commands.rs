// SPDX-License-Identifier: Apache-2.0 OR MIT

//! `nacre` as a developer runs it: packages, checks, and a fake device behind real TLS.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use control::Denial;
use device_api::fake::{FakeManager, RUNNING_FOR_NS};
use device_api::server;
use device_api::service::Service;
use device_api::session::Limits;
use device_api::tls;
use serde_json::Value;
use tempfile::TempDir;

const COMPONENT: &str = "25025d2c-66da-4448-bae1-ac26fcdd3627";
const UNKNOWN: &str = "00000000-0000-0000-0000-00000000000a";

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}

/// What a run of `nacre` gave.
#[derive(Debug)]
struct Run {
    code: i32,
    output: String,
    errors: String,
}

impl Run {
    fn json(&self) -> Value {
        serde_json::from_str(&self.output).unwrap()
    }
}

/// A folder for one test, and the device that `nacre` is pointed at.
struct Bench {
    directory: TempDir,
    device: String,
    authority: Option<PathBuf>,
}

impl Bench {
    /// Without a device: the port is one that nobody listens on.
    fn new() -> Self {
        let unused = TcpListener::bind("127.0.0.1:0").unwrap();
        Self {
            directory: tempfile::tempdir().unwrap(),
            device: unused.local_addr().unwrap().to_string(),
            authority: None,
        }
    }

    fn with_device() -> (Self, FakeManager) {
        Self::with(FakeManager::new().unwrap())
    }

    fn with(manager: FakeManager) -> (Self, FakeManager) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let device = listener.local_addr().unwrap().to_string();
        let keys = repository("board/common/keys");
        let config = tls::configuration(
            &keys.join("device-api.crt.pem"),
            &keys.join("device-api.key.pem"),
        )
        .unwrap();
        let service = Service::new(manager.clone());
        server::start(listener, config, service, Limits::DEVICE).unwrap();
        let bench = Self {
            device,
            ..Self::new()
        };
        (bench, manager)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nacre"));
        command
            .args(line.split_whitespace())
            .current_dir(self.directory.path())
            .env("NACRE_DEVICE", &self.device)
            .env_remove("NACRE_CA")
            .env_remove("SOURCE_DATE_EPOCH");
        if let Some(authority) = &self.authority {
            command.env("NACRE_CA", authority);
        }
        command
    }

    fn run(&self, line: &str) -> Run {
        let output = self.command(line).output().unwrap();
        Run {
            code: output.status.code().unwrap(),
            output: String::from_utf8(output.stdout).unwrap(),
            errors: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs what must succeed; its standard output.
    fn ok(&self, line: &str) -> String {
        let run = self.run(line);
        assert_eq!(run.code, 0, "{line}: {run:?}");
        run.output
    }

    /// Runs what must fail with this exit code, with these words in its error.
    fn fails(&self, line: &str, code: i32, words: &[&str]) -> Run {
        let run = self.run(line);
        assert_eq!(run.code, code, "{line}: {run:?}");
        for word in words {
            assert!(run.errors.contains(word), "{word}: {run:?}");
        }
        run
    }

    /// Makes the directory of an app with these capabilities.
    fn app(&self, capabilities: &str) {
        fs::create_dir_all(self.path("approot/bin")).unwrap();
        fs::write(self.path("approot/bin/app"), b"\x7fELF, say").unwrap();
        fs::write(self.path("approot/data.txt"), b"data").unwrap();
        self.manifest("approot/app_manifest.json", capabilities);
    }

    fn manifest(&self, name: &str, capabilities: &str) {
        let manifest = format!(
            "{{\n  \"SchemaVersion\": 1, \"Name\": \"Blink\", \"ComponentId\": \"{COMPONENT}\",\n  \
             \"EntryPoint\": \"/bin/app\", \"CmdArgs\": [],\n  \"Capabilities\": {capabilities}\n}}\n"
        );
        fs::write(self.path(name), manifest).unwrap();
    }

    /// Packs an app with these capabilities into `app.imagepackage`.
    fn package(&self, capabilities: &str) {
        self.app(capabilities);
        self.ok("image-package pack -i approot -o app.imagepackage -s 16");
    }

    fn entries(&self) -> Vec<String> {
        let entries = fs::read_dir(self.directory.path()).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

#[test]
fn a_package_is_made_shown_verified_and_extracted() {
    let bench = Bench::new();
    bench.app("{\"Gpio\": [8]}");
    let packed =
        bench.run("image-package pack -i approot -o app.imagepackage -s 16 --build-time 7");
    assert_eq!(packed.code, 0, "{packed:?}");
    assert!(
        packed.errors.contains("public development key"),
        "{packed:?}"
    );

    let shown = bench.ok("image-package show -p app.imagepackage");
    for words in [
        COMPONENT,
        "Blink",
        "ApplicationRuntime 16",
        "may use pin 8 (Gpio)",
        "/bin/app",
    ] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    let json = bench
        .run("image-package show -p app.imagepackage --json")
        .json();
    assert_eq!(
        (&json["componentId"], &json["buildTime"]),
        (&COMPONENT.into(), &7.into())
    );
    assert_eq!(json["files"].as_array().unwrap().len(), 3);

    assert!(
        bench
            .ok("image-package verify -p app.imagepackage")
            .contains("signed with")
    );
    bench.ok("image-package extract -p app.imagepackage -o out");
    assert_eq!(fs::read(bench.path("out/data.txt")).unwrap(), b"data");
    let manifest = fs::read_to_string(bench.path("out/app_manifest.json")).unwrap();
    assert!(
        manifest.ends_with("\"TargetApplicationRuntimeVersion\":16}"),
        "{manifest}"
    );
    bench.fails(
        "image-package extract -p app.imagepackage -o out",
        1,
        &["not empty"],
    );
}

#[test]
fn equal_input_makes_an_equal_package_but_for_the_signature() {
    let bench = Bench::new();
    bench.app("{}");
    for name in ["a", "b"] {
        let line = format!("image-package pack -i approot -o {name} -s 16");
        let output = bench
            .command(&line)
            .env("SOURCE_DATE_EPOCH", "1700000000")
            .output();
        assert!(output.unwrap().status.success());
    }
    let [a, b] = ["a", "b"].map(|name| fs::read(bench.path(name)).unwrap());
    let signed = a.len() - 64;
    assert_eq!(a[..signed], b[..signed]);
    bench.ok("image-package pack -i approot -o c -s 16 --build-time 1");
    assert_ne!(fs::read(bench.path("c")).unwrap()[..signed], a[..signed]);
    let id = "image-package pack -i approot -o d -s 16 --image-id 00000000-0000-0000-0000-00000000000a --json";
    assert_eq!(bench.run(id).json()["imageId"], UNKNOWN);
}

#[test]
fn changed_packages_and_other_signers_are_refused() {
    let bench = Bench::new();
    bench.package("{}");
    let good = fs::read(bench.path("app.imagepackage")).unwrap();
    for (position, words) in [(good.len() - 1, "does not match"), (5000, "file system")] {
        let mut changed = good.clone();
        changed[position] ^= 1;
        fs::write(bench.path("changed"), &changed).unwrap();
        bench.fails("image-package verify -p changed", 1, &[words, "next:"]);
    }
    fs::write(bench.path("cut"), &good[..good.len() - 1]).unwrap();
    bench.fails("image-package verify -p cut", 1, &["not an image package"]);
    bench.fails("image-package verify -p none", 1, &["cannot read none"]);

    let keys = repository("board/common/keys");
    let sign = format!(
        "image-package sign -p app.imagepackage -o other --signing-key {0}/device-ca.key.pem --signing-cert {0}/device-ca.crt.pem",
        keys.display()
    );
    bench.ok(&sign);
    let run = bench.fails(
        "image-package verify -p other --json",
        1,
        &["unknown key", "--trusted-cert"],
    );
    assert_eq!(run.json()["error"]["code"], 7_340_047);
    assert_eq!(run.json()["error"]["name"], "VerificationFailed");
    let trusted = format!(
        "image-package verify -p other --trusted-cert {}/device-ca.crt.pem",
        keys.display()
    );
    bench.ok(&trusted);
    bench.fails(
        &sign.replace("device-ca.key", "device-api.key"),
        1,
        &["device-api.key.pem"],
    );
}

#[test]
fn what_cannot_be_packed_leaves_the_destination_as_it_was() {
    let bench = Bench::new();
    bench.app("{}");
    fs::write(bench.path("app.imagepackage"), b"before").unwrap();
    let pack = "image-package pack -i approot -o app.imagepackage -s 16";
    let before = bench.entries();

    bench.manifest("approot/app_manifest.json", "{\"Gpio\": [99]}");
    bench.fails(
        pack,
        1,
        &["line 4", "Capabilities.Gpio[0]", "5.3 (5242883)"],
    );
    bench.manifest("approot/app_manifest.json", "{\"Gpio\": [\"$LED\"]}");
    bench.fails(pack, 1, &["$LED", "hardware definition"]);
    fs::remove_file(bench.path("approot/app_manifest.json")).unwrap();
    bench.fails(pack, 1, &["cannot read", "app_manifest.json"]);
    bench.manifest("approot/app_manifest.json", "{}");
    fs::rename(
        bench.path("approot/bin/app"),
        bench.path("approot/bin/other"),
    )
    .unwrap();
    bench.fails(pack, 1, &["/bin/app", "EntryPoint", "next:"]);
    fs::create_dir(bench.path("approot/bin/app")).unwrap();
    bench.fails(pack, 1, &["/bin/app is not a file"]);
    fs::remove_dir(bench.path("approot/bin/app")).unwrap();
    std::os::unix::fs::symlink("other", bench.path("approot/bin/app")).unwrap();
    bench.fails(pack, 1, &["bin/app", "no regular file"]);
    bench.fails(
        "image-package pack -i none -o app.imagepackage -s 16",
        1,
        &["cannot read none"],
    );

    assert_eq!(bench.entries(), before);
    assert_eq!(fs::read(bench.path("app.imagepackage")).unwrap(), b"before");
    fs::remove_file(bench.path("approot/bin/app")).unwrap();
    fs::rename(
        bench.path("approot/bin/other"),
        bench.path("approot/bin/app"),
    )
    .unwrap();
    bench.ok(pack);
    bench.fails(
        "image-package pack -i approot -o none/app -s 16",
        1,
        &["cannot write none/app"],
    );
    assert_eq!(bench.entries(), before);
}

#[test]
fn another_manifest_and_more_executables_are_taken() {
    let bench = Bench::new();
    bench.app("{\"Gpio\": [99]}");
    bench.manifest("other.json", "{\"Gpio\": [8]}");
    let pack =
        "image-package pack -i approot -o app.imagepackage -s 16 --application-manifest other.json";
    let json = bench.run(&format!("{pack} -x /data.txt --json")).json();
    assert_eq!(json["grants"][0], "may use pin 8 (Gpio)");
    let executable = |path: &str| {
        let files = json["files"].as_array().unwrap();
        files.iter().find(|file| file["path"] == path).unwrap()["executable"].clone()
    };
    assert_eq!(executable("/data.txt"), true);
    assert_eq!(executable("/bin/app"), true);
    assert_eq!(executable("/app_manifest.json"), false);

    fs::write(bench.path("approot/bin/app"), "#!/bin/sh\n").unwrap();
    let run = bench.run(&format!("{pack} -x none"));
    assert!(run.errors.contains("will not be able to start"), "{run:?}");
    assert!(run.errors.contains("names none"), "{run:?}");
    assert!(
        !bench
            .run(&format!("{pack} -x bin/app"))
            .errors
            .contains("able to start")
    );
}

/// Writes a definition `board/led.json` that imports `chips/chip.json`.
fn hardware(bench: &Bench) {
    let file = |name: &str, rest: &str| {
        let text = format!(
            "{{\"Metadata\": {{\"Type\": \"Azure Sphere Hardware Definition\", \"Version\": 1}}, {rest}}}"
        );
        fs::write(bench.path(name), text).unwrap();
    };
    fs::create_dir_all(bench.path("board")).unwrap();
    fs::create_dir_all(bench.path("chips")).unwrap();
    file(
        "board/led.json",
        "\"Imports\": [{\"Path\": \"chip.json\"}], \"Peripherals\": [{\"Name\": \"LED\", \"Type\": \"Gpio\", \"Mapping\": \"PIN8\"}]",
    );
    file(
        "chips/chip.json",
        "\"Peripherals\": [{\"Name\": \"PIN8\", \"Type\": \"Gpio\", \"MainCoreHeaderValue\": \"8\", \"AppManifestValue\": 8}]",
    );
}

#[test]
fn names_are_resolved_through_hardware_definitions() {
    let bench = Bench::new();
    bench.app("{\"Gpio\": [\"$LED\"]}");
    hardware(&bench);
    let pack = "image-package pack -i approot -o app.imagepackage -s 16 --json";
    let definitions = "--hardware-definitions board chips --target-definition-filename led.json";
    let json = bench.run(&format!("{pack} {definitions}")).json();
    assert_eq!(json["grants"][0], "may use pin 8 (Gpio)");
    let check = "manifest check approot/app_manifest.json";
    let one = "--hardware-definition board/led.json --hardware-definitions chips";
    assert!(
        bench
            .ok(&format!("{check} {one}"))
            .contains("may use pin 8")
    );

    bench.fails(
        &format!("{pack} --target-definition-filename led.json"),
        1,
        &["led.json", "next:"],
    );
    bench.fails(
        &format!("{check} --hardware-definition board/led.json"),
        1,
        &["chip.json"],
    );
    bench.fails(check, 1, &["$LED"]);
    bench.fails(
        &format!("{check} --hardware-definitions chips"),
        2,
        &["--hardware-definition"],
    );
}

#[test]
fn manifests_are_checked_with_place_number_and_warnings() {
    let bench = Bench::new();
    bench.manifest("app_manifest.json", "{\"AllowedTcpServerPorts\": [11000]}");
    let text = bench.ok("manifest check");
    assert!(
        text.contains("valid") && text.contains("listen on TCP port 11000"),
        "{text}"
    );

    bench.manifest("bad.json", "{\"AllowedTcpServerPorts\": [0]}");
    let run = bench.fails(
        "manifest check bad.json --json",
        1,
        &["bad.json: line 4", "2.38"],
    );
    assert_eq!(run.json()["error"]["code"], 2_097_190);
    assert_eq!(run.json()["error"]["name"], "IllegalTcpPortsValue");

    bench.manifest(
        "odd.json",
        "{\"DeviceAuthentication\": \"00000000-0000-0000-0000-000000000000\"}",
    );
    let json = bench.run("manifest check odd.json --json").json();
    assert_eq!(json["valid"], true);
    assert_eq!(json["warnings"].as_array().unwrap().len(), 1, "{json}");
}

/// A refusal, met once a second before the fake device is asked.
fn denial(hook: &str, object: &str, errno: &str, key: Option<&str>) -> Denial {
    Denial {
        count: 3,
        last_ns: RUNNING_FOR_NS - 1_000_000_000,
        hook: hook.to_owned(),
        object: object.to_owned(),
        errno: errno.to_owned(),
        key: key.map(str::to_owned),
    }
}

#[test]
fn refusals_of_an_app_are_listed_and_explained() {
    let (bench, manager) = Bench::with_device();
    assert!(bench.ok("device app denials").contains("no app"));
    bench.package("{}");
    bench.ok("device sideload deploy -p app.imagepackage");
    let none = bench.ok("device app denials");
    assert!(
        none.contains("(Blink): nothing was refused") && none.contains("nacre explain EPERM"),
        "{none}"
    );
    let none = bench.ok(&format!("explain -i {COMPONENT}"));
    assert!(none.contains("nothing by the security module"), "{none}");

    let component = COMPONENT.parse().unwrap();
    let connect = denial("socket_connect", "tcp", "EPERM", Some("AllowedConnections"));
    manager.deny(component, connect);
    manager.deny(component, denial("mmap_file", "memory", "EACCES", None));
    for line in [
        "device app denials".to_owned(),
        format!("device app denials -i {COMPONENT}"),
    ] {
        let listed = bench.ok(&line);
        assert!(
            listed.contains("connect to an address by TCP: 3 times with EPERM, last 1 s ago"),
            "{listed}"
        );
        assert!(listed.contains("add the host to"), "{listed}");
    }
    let json = bench.run("device app denials --json").json();
    let first = &json["apps"][0]["denials"][0];
    assert_eq!(json["apps"][0]["componentId"], COMPONENT);
    assert_eq!(
        (&first["count"], &first["key"]),
        (&3.into(), &"AllowedConnections".into())
    );

    let explained = bench.ok(&format!("explain --component-id {COMPONENT}"));
    for part in ["Blink", "Rule:", "socket_connect", "compile ahead of time"] {
        assert!(explained.contains(part), "{part}: {explained}");
    }
    let json = bench.run(&format!("explain -i {COMPONENT} --json")).json();
    assert_eq!(json["denials"].as_array().unwrap().len(), 2);
    for line in ["device app denials -i", "explain -i"] {
        bench.fails(&format!("{line} {UNKNOWN}"), 1, &["AppNotPresent"]);
    }
}

#[test]
fn words_are_explained_without_a_device() {
    let bench = Bench::new();
    let explained = bench.ok("explain EACCES");
    assert!(explained.contains("Landlock"), "{explained}");
    let json = bench.run("explain SystemTime --json").json();
    assert_eq!(json["word"], "SystemTime");
    // Without quotes a line comes as many words.
    let line = format!("{COMPONENT} 1 5 settime clock EPERM SystemTime");
    assert!(
        bench
            .ok(&format!("explain {line}"))
            .contains("set \"SystemTime\" to true")
    );
    bench.fails("explain nonsense", 1, &["\"nonsense\"", "next: "]);
    bench.fails("explain", 2, &["TEXT"]);
}

#[test]
fn an_app_is_deployed_controlled_and_deleted() {
    let (bench, _) = Bench::with_device();
    bench.package("{\"AllowedConnections\": [\"example.com\"]}");
    assert!(bench.ok("device app status").contains("no app"));
    let deployed = bench.ok("device sideload deploy -p app.imagepackage");
    assert!(
        deployed.contains(&format!("{COMPONENT}: running")),
        "{deployed}"
    );
    assert!(bench.ok("device app status").contains("(Blink): running"));
    let grants = bench.ok(&format!("device app grants -i {COMPONENT}"));
    assert!(
        grants.contains("may connect to example.com (AllowedConnections)"),
        "{grants}"
    );
    assert_eq!(
        bench.ok(&format!("device app logs -i {COMPONENT}")),
        "Blink started\n"
    );

    let stopped = bench
        .run(&format!("device app stop -i {COMPONENT} --json"))
        .json();
    assert_eq!(stopped["apps"][0]["state"], "stopped");
    assert!(bench.ok("device app start").contains("running"));
    let shown = bench.ok(&format!("device app explain -i {COMPONENT}"));
    assert!(
        shown.contains("started 2 times") && shown.contains("Last end"),
        "{shown}"
    );

    bench.ok(&format!("device sideload delete -e {COMPONENT}"));
    assert!(bench.ok("device app status").contains("running"));
    assert!(bench.ok("device sideload delete").contains("deleted"));
    assert!(
        bench
            .ok("device sideload delete")
            .contains("no app to delete")
    );
    let gone = bench.ok(&format!("device app status -i {COMPONENT}"));
    assert!(gone.contains("not present"), "{gone}");
}

#[test]
fn a_manual_start_leaves_the_app_stopped() {
    let (bench, _) = Bench::with_device();
    bench.package("{}");
    let deployed = bench.ok("device sideload deploy -p app.imagepackage --manual-start");
    assert!(deployed.contains("stopped"), "{deployed}");
}

#[test]
fn the_device_tells_of_itself_and_restarts() {
    let (bench, _) = Bench::with_device();
    let status = bench.ok("device status");
    for words in ["fake", "11 (app development)", "Uptime", "MISSING"] {
        assert!(status.contains(words), "{words}: {status}");
    }
    let json = bench.run("device status --json").json();
    assert!(
        json["uptime"].is_u64() && json["osVersion"].is_string(),
        "{json}"
    );
    assert!(bench.ok("device restart").contains("restarts"));
}

#[test]
fn refusals_of_the_device_have_number_name_and_next_step() {
    let (bench, _) = Bench::with_device();
    let start = format!("device app start -i {UNKNOWN}");
    let run = bench.fails(
        &format!("{start} --json"),
        1,
        &["14.12 (14680076) AppNotPresent", "next:"],
    );
    assert_eq!(run.json()["error"]["status"], 409);
    assert_eq!(run.json()["error"]["exitCode"], 1);
    bench.fails(
        &format!("device app logs -i {UNKNOWN}"),
        1,
        &["AppNotPresent"],
    );
    bench.fails(
        &format!("device app grants -i {UNKNOWN}"),
        1,
        &["AppNotPresent"],
    );
    bench.ok(&format!("device sideload delete -i {UNKNOWN}"));

    bench.package("{}");
    let mut changed = fs::read(bench.path("app.imagepackage")).unwrap();
    *changed.last_mut().unwrap() ^= 1;
    fs::write(bench.path("changed"), &changed).unwrap();
    bench.fails(
        "device sideload deploy -p changed",
        1,
        &["7.15 (7340047)", "image-package sign"],
    );
    fs::write(bench.path("text"), b"no package").unwrap();
    bench.fails(
        "device sideload deploy -p text",
        1,
        &["text: not an image package"],
    );
    bench.fails(
        "device sideload deploy -p text --force",
        1,
        &["7.18 (7340050)"],
    );
    fs::write(bench.path("large"), vec![0; 2_000_000]).unwrap();
    bench.fails(
        "device sideload deploy -p large --force",
        1,
        &["14.18 (14680082)", "room"],
    );
    bench.fails("device sideload deploy -p none", 1, &["cannot read none"]);
    assert!(bench.ok("device app status").contains("no app"));
    bench.ok("device sideload deploy -p app.imagepackage");
}

#[test]
fn a_locked_device_refuses_and_says_so() {
    let (bench, _) = Bench::with(FakeManager::new().unwrap().locked());
    bench.package("{}");
    bench.fails(
        "device sideload deploy -p app.imagepackage",
        1,
        &["1.20 (1048596)", "app development"],
    );
    bench.ok("device status");
}

#[test]
fn a_device_that_is_not_there_or_not_the_right_one_has_its_exit_code() {
    let bench = Bench::new();
    bench.fails(
        "device status",
        3,
        &["cannot reach", &bench.device, "next:"],
    );
    bench.fails(
        "device status --device no-such-host.invalid",
        3,
        &["no-such-host.invalid"],
    );

    let (mut bench, _) = Bench::with_device();
    bench.ok("device status");
    let authority = repository("board/common/keys/device-ca.crt.pem");
    bench.authority = Some(authority);
    bench.ok("device status");
    bench.authority = Some(repository("board/common/keys/device-api.crt.pem"));
    bench.fails("device status", 3, &["certificate", "--ca"]);
    bench.authority = Some("none.pem".into());
    bench.fails("device status", 1, &["cannot read none.pem"]);
    bench.authority = Some(repository("board/common/keys/README.md"));
    bench.fails("device status", 1, &["not a PEM certificate"]);
}

#[test]
fn a_followed_log_shows_each_line_once() {
    let (bench, manager) = Bench::with_device();
    bench.package("{}");
    bench.ok("device sideload deploy -p app.imagepackage");
    let line = format!("device app logs -i {COMPONENT} --follow");
    let mut child = bench.command(&line).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "Blink started");
    for number in 0..3 {
        let text = format!("line {number}\n");
        manager.print(COMPONENT.parse().unwrap(), text.as_bytes());
        assert_eq!(lines.next().unwrap().unwrap(), text.trim_end());
    }
    bench.ok(&format!("device sideload delete -i {COMPONENT}"));
    assert!(lines.next().is_none());
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

#[test]
fn wrong_command_lines_have_their_exit_code() {
    let bench = Bench::new();
    bench.fails("device app start -i 1234", 2, &["1234"]);
    bench.fails("image-package pack -i a", 2, &["--destination"]);
    bench.fails("device sidelaod", 2, &["sideload"]);
    assert!(
        bench
            .ok("device sideload deploy --help")
            .contains("Example:")
    );
    assert!(bench.ok("--help").contains("Exit codes:"));
}
