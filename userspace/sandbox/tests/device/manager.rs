// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Process 1: runs the cases and reports.

use std::fs::File;
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream};
use std::os::fd::AsFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::reboot::{RebootMode, reboot};
use nix::sys::signal::Signal;
use nix::unistd::pipe;
use policy::{AppKind, Capability, CapabilitySet, Grant, HostList};
use sandbox::{
    DEVICE_API, DEVICE_API_UID, LaunchError, Launcher, Limits, PackagePaths, Plan, Report,
    ServicePlan, Step, confine_service,
};
use sys::Errno;
use sys::process::{Ended, Forked, Wait, exit, fork, wait_any};

use crate::machine::{Machine, Outcome, ROOMY, component};
use crate::measure;

/// A case: its name, and what must not panic.
type Case = (&'static str, fn(&Machine));

const CASES: &[Case] = &[
    ("an_app_is_what_its_plan_says", inspect),
    ("an_app_with_storage_has_one_file", storage),
    ("what_is_forbidden_is_refused", attacks),
    ("what_programs_need_works", needs),
    ("granted_ports_can_be_bound_and_no_others", network),
    ("a_granted_clock_is_refused_by_the_kernel_only", clock),
    ("exit_codes_arrive", exit_codes),
    ("signals_arrive", signals),
    ("a_stop_reaches_the_app", stop),
    ("a_kill_ends_all_processes", kill),
    ("the_group_ends_all_processes", kill_group),
    ("orphans_end_with_the_app", orphans),
    (
        "an_app_out_of_memory_is_ended_and_its_neighbour_lives",
        memory,
    ),
    ("processes_end_at_a_limit", tasks),
    ("a_missing_program_is_refused", missing_program),
    ("a_missing_package_is_refused", missing_package),
    ("a_file_that_is_no_program_is_refused", no_program),
    ("a_service_serves_what_it_is_given", service),
    ("a_launcher_that_is_gone_is_noticed", launcher_gone),
    ("the_hardware_of_the_board_answers", hardware),
    ("launching_is_measured", measure::run),
];

/// Runs all cases, and switches the machine off.
pub fn run() {
    let machine = Machine::prepare();
    println!("KTAP version 1\n1..{}", CASES.len());
    let mut failed = 0;
    for (index, (name, case)) in CASES.iter().enumerate() {
        let result = catch_unwind(AssertUnwindSafe(|| case(&machine)));
        failed += u32::from(result.is_err());
        let word = if result.is_ok() { "ok" } else { "not ok" };
        println!("{word} {} {name}", index + 1);
    }
    println!("# {failed} failed");
    drop(machine);
    match reboot(RebootMode::RB_POWER_OFF) {
        Err(error) => panic!("{error}"),
        Ok(never) => match never {},
    }
}

/// Checks that an app has run, and found nothing wrong.
fn fine(outcome: &Outcome) {
    assert_eq!(
        outcome.reports.last(),
        Some(&Report::Ended(Ended::Exited(0))),
        "{outcome:?}"
    );
    assert!(!outcome.output.contains("not ok"), "{}", outcome.output);
    assert!(outcome.output.contains("ok "), "{}", outcome.output);
    for line in outcome.output.lines() {
        println!("#   {line}");
    }
}

fn inspect(machine: &Machine) {
    let uid = component().uid().to_string();
    fine(&machine.run(&Machine::grant(), &["inspect", &uid, "0"]));
}

fn storage(machine: &Machine) {
    let grant = Grant {
        storage_kb: 8,
        ..Machine::grant()
    };
    let uid = component().uid().to_string();
    fine(&machine.run(&grant, &["inspect", &uid, "8"]));
    fine(&machine.run(&grant, &["store"]));
}

fn attacks(machine: &Machine) {
    fine(&machine.run(&Machine::grant(), &["attack"]));
}

fn needs(machine: &Machine) {
    fine(&machine.run(&Machine::grant(), &["need"]));
}

fn network(machine: &Machine) {
    let server = Grant {
        tcp_ports: &[4444],
        ..Machine::grant()
    };
    fine(&machine.run(&server, &["network", "server"]));
    let client = Grant {
        hosts: HostList::from_lines("example.com"),
        ..Machine::grant()
    };
    fine(&machine.run(&client, &["network", "client"]));
}

fn clock(machine: &Machine) {
    let grant = Grant {
        capabilities: CapabilitySet::of(&[Capability::SystemTime]),
        ..Machine::grant()
    };
    fine(&machine.run(&grant, &["clock"]));
}

fn exit_codes(machine: &Machine) {
    for code in ["0", "1", "125", "255"] {
        let outcome = machine.run(&Machine::grant(), &["exit", code]);
        let expected = Report::Ended(Ended::Exited(code.parse().unwrap()));
        assert_eq!(outcome.reports.last(), Some(&expected), "{outcome:?}");
    }
}

fn signals(machine: &Machine) {
    let outcome = machine.run(&Machine::grant(), &["abort"]);
    let expected = [
        Report::Running,
        Report::Ended(Ended::Signalled(libc::SIGABRT)),
    ];
    assert_eq!(outcome.reports, expected);
}

/// Waits until an app has said that it waits.
fn hear(log: impl AsFd) {
    let mut heard = [0; 6];
    let log = log.as_fd().try_clone_to_owned().unwrap();
    File::from(log).read_exact(&mut heard).unwrap();
    assert_eq!(&heard, b"ready\n");
}

fn stop(machine: &Machine) {
    let started = machine.start(&Machine::grant(), &ROOMY, "/bin/app", &["wait"]);
    hear(&started.2);
    started.0.stop().unwrap();
    let outcome = machine.finish(started);
    assert_eq!(
        outcome.reports.last(),
        Some(&Report::Ended(Ended::Exited(7)))
    );
}

/// Checks that the first process of an app has not lived to report an end.
fn killed(outcome: &Outcome) {
    let told = &outcome.reports[..];
    assert!(matches!(told, [] | [Report::Running]), "{outcome:?}");
}

fn kill(machine: &Machine) {
    let started = machine.start(&Machine::grant(), &ROOMY, "/bin/app", &["wait"]);
    hear(&started.2);
    started.0.kill().unwrap();
    killed(&machine.finish(started));
}

fn kill_group(machine: &Machine) {
    let started = machine.start(&Machine::grant(), &ROOMY, "/bin/app", &["orphan", "stay"]);
    hear(&started.2);
    assert!(started.1.tasks().unwrap() >= 3);
    started.1.kill().unwrap();
    killed(&machine.finish(started));
}

fn orphans(machine: &Machine) {
    let start = Instant::now();
    let outcome = machine.run(&Machine::grant(), &["orphan", "leave"]);
    assert_eq!(
        outcome.reports.last(),
        Some(&Report::Ended(Ended::Exited(3)))
    );
    assert!(start.elapsed() < Duration::from_secs(30));
}

fn memory(machine: &Machine) {
    let mut grant = Machine::grant();
    grant.component = "00000000-66da-4448-bae1-ac26fcdd3627".parse().unwrap();
    let neighbour = machine.start(&grant, &ROOMY, "/bin/app", &["wait"]);
    hear(&neighbour.2);
    let outcome = machine.run(&Machine::grant(), &["memory"]);
    // The first process of the app goes with it, so there is no report of an end.
    killed(&outcome);
    assert_eq!(outcome.out_of_memory, 1);
    assert!(outcome.peak <= ROOMY.memory, "{outcome:?}");
    neighbour.0.stop().unwrap();
    let outcome = machine.finish(neighbour);
    assert_eq!(
        outcome.reports.last(),
        Some(&Report::Ended(Ended::Exited(7)))
    );
    assert_eq!(outcome.out_of_memory, 0);
}

fn tasks(machine: &Machine) {
    fine(&machine.run(&Machine::grant(), &["fork"]));
}

fn refused(machine: &Machine, program: &str, step: Step, errno: Errno) {
    let outcome = machine.finish(machine.start(&Machine::grant(), &ROOMY, program, &[]));
    let expected = Report::Refused(sandbox::Failure { step, errno });
    assert_eq!(outcome.reports, [expected]);
    println!("#   {}", sandbox::Failure { step, errno });
}

fn missing_program(machine: &Machine) {
    refused(machine, "/bin/none", Step::Execute, Errno::ENOENT);
}

fn no_program(machine: &Machine) {
    refused(machine, "/bin", Step::Execute, Errno::EACCES);
    refused(machine, "/bin/text", Step::Execute, Errno::ENOEXEC);
}

fn missing_package(machine: &Machine) {
    let paths = PackagePaths {
        package: Path::new("/nonexistent"),
        libraries: Path::new("/lib"),
        devices: Path::new("/run/devices"),
        mutable: None,
        entry_point: "/bin/app",
        arguments: &[],
    };
    let plan = Plan::new(&Machine::grant(), paths, &ROOMY).unwrap();
    let outcome = machine.finish(machine.launch(&plan, &ROOMY));
    let failure = sandbox::Failure {
        step: Step::Package,
        errno: Errno::ENOENT,
    };
    assert_eq!(outcome.reports, [Report::Refused(failure)]);
}

fn service(machine: &Machine) {
    let (log, output) = pipe().unwrap();
    let (request, theirs) = pipe().unwrap();
    let group = machine
        .cgroups
        .service("device-api", &Limits::SERVICE)
        .unwrap();
    let plan = ServicePlan {
        identity: DEVICE_API_UID,
        component: Some(DEVICE_API),
        program: Path::new("/package/bin/app"),
        arguments: &["service"],
        libraries: Path::new("/lib"),
        files: &[Path::new("/package/bin/text")],
        limits: Limits::SERVICE,
    };
    Machine::allow(&Grant::none(DEVICE_API, AppKind::HighLevel));
    match fork(&machine.single).unwrap() {
        Forked::Child => {
            let gifts = [request.as_fd(), output.as_fd()];
            let Err(failure) = confine_service(&plan, &group, machine.launcher.network(), &gifts);
            println!("#   {failure}");
            exit(1)
        }
        Forked::Parent { child } => {
            drop((request, output));
            nix::unistd::write(&theirs, b"question").unwrap();
            drop(theirs);
            let mut text = String::new();
            File::from(log).read_to_string(&mut text).unwrap();
            let (reaped, status) = wait_any(Wait::Block).unwrap().unwrap();
            assert_eq!(
                (reaped, Ended::from_status(status)),
                (child, Some(Ended::Exited(0))),
                "{text}"
            );
            assert!(text.contains("ok ") && !text.contains("not ok"), "{text}");
            for line in text.lines() {
                println!("#   {line}");
            }
            group.remove().unwrap();
        }
    }
}

fn launcher_gone(machine: &Machine) {
    let complete = sandbox::layers::require(&sandbox::layers::probe()).unwrap();
    let other = Launcher::start(&machine.single, complete).unwrap();
    let paths = PackagePaths {
        package: Path::new("/package"),
        libraries: Path::new("/lib"),
        devices: Path::new("/run/devices"),
        mutable: None,
        entry_point: "/bin/app",
        arguments: &["app", "exit", "5"],
    };
    let plan = Plan::new(&Machine::grant(), paths, &ROOMY).unwrap();
    let group = machine.cgroups.app(plan.component(), &ROOMY).unwrap();
    let (_log, output) = pipe().unwrap();
    other.launch(&plan, &group, output.as_fd(), None).unwrap();
    let (_, status) = wait_any(Wait::Block).unwrap().unwrap();
    assert_eq!(Ended::from_status(status), Some(Ended::Exited(0)));

    let handle = sys::process::handle(other.pid()).unwrap();
    sys::process::signal(&handle, Signal::SIGKILL).unwrap();
    let (reaped, _) = wait_any(Wait::Block).unwrap().unwrap();
    assert_eq!(reaped, other.pid());
    let refused = other.launch(&plan, &group, output.as_fd(), None);
    assert!(
        matches!(refused, Err(LaunchError::Gone { .. })),
        "{refused:?}"
    );
    group.remove().unwrap();
}

fn hardware(_: &Machine) {
    let button = sys::gpio::RisingEdges::open("/dev/gpiochip0", 3, "test").unwrap();
    assert_eq!(button.take(), Ok(false));
    let again = sys::gpio::RisingEdges::open("/dev/gpiochip0", 3, "test");
    assert_eq!(again.unwrap_err(), Errno::EBUSY);
    let missing = sys::gpio::RisingEdges::open("/dev/gpiochip0", 64, "test");
    assert_eq!(missing.unwrap_err(), Errno::EINVAL);

    let (address, netmask) = (Ipv4Addr::new(127, 0, 0, 1), Ipv4Addr::new(255, 0, 0, 0));
    sys::interface::configure("lo", address, netmask).unwrap();
    let listener = sys::interface::listen_on("lo", SocketAddrV4::new(address, 443), 1).unwrap();
    let connected = TcpStream::connect_timeout(&(address, 443).into(), Duration::from_secs(10));
    assert!(connected.is_ok(), "{connected:?}");
    drop(listener);

    let file = File::open("/package/bin/app").unwrap();
    let device = sys::loop_device::LoopDevice::attach(&file, 512, 1024).unwrap();
    let whole = std::fs::read("/package/bin/app").unwrap();
    assert_eq!(std::fs::read(device.path()).unwrap(), &whole[512..1536]);
    device.detach().unwrap();
}
