//! Programs that leave: the daemon's farewell, and what goes on when calltap itself is killed.

use std::fs;

use crate::launch::{bare, calltap, scratch};
use crate::running::{Running, wait_for};
use crate::target::Target;

#[test]
fn a_daemon_without_descriptors_is_followed_and_sees_nothing_of_us() {
    let target = Target::c("family.c").build();
    let [without, with] = [bare(), calltap()].map(|launch| {
        let directory = scratch();
        let place = directory.path().to_str().expect("a plain path").to_owned();
        let outcome = launch.run(&target, &["daemonise", &place]).expect_status(0);
        let marker = directory.path().join("daemon");
        wait_for("the daemon's marker", || fs::read(&marker).is_ok_and(|text| text.ends_with(b"\n")));
        (fs::read_to_string(&marker).expect("it was just there"), outcome)
    });
    assert_eq!(with.0, without.0);
    assert_eq!(with.0, "marker=0 next=1\n");
    let with = with.1.expect_same_as(&without.1);
    let daemons = with.report().processes().into_iter();
    let counts: Vec<_> = daemons.map(|process| process.calls("malloc")).collect();
    assert!(counts.contains(&1000), "{counts:?}");
}

#[test]
fn the_target_outlives_a_killed_calltap() {
    let target = Target::c("marathon.c").build();
    let rounds = "20000";
    let complete = {
        let directory = scratch();
        let marker = directory.path().join("marker").into_os_string();
        bare().run(&target, &[rounds.into(), marker]).expect_status(3).stdout()
    };
    for options in [&["--ring-size", "16K"][..], &["--ring-size", "16K", "--throttle-reader", "20ms"]] {
        let directory = scratch();
        let marker = directory.path().join("marker");
        let arguments = [rounds.into(), marker.clone().into_os_string()];
        let mut running = calltap().options(options).start(&target, &arguments);
        running.until("first line", |running| running.stdout().contains("round=0\n"));
        running.signal(libc::SIGKILL);
        wait_for("the target's marker", || fs::read(&marker).is_ok_and(|text| text == b"done"));
        wait_for("the target's last line", || running.stdout() == complete);
    }
}

/// Runs something endless, ends it by a signal, and expects a complete report.
fn interrupt(signal: i32, send: impl Fn(&Running)) {
    let target = Target::c("marathon.c").build();
    let mut running = calltap().start(&target, &["100000000", "/no/such/marker"]);
    running.until("first line", |running| running.stdout().contains("round=0\n"));
    send(&running);
    let outcome = running.finish().expect_status(128 + signal);
    assert_eq!(outcome.report().at("/target/signal").as_i64(), Some(signal.into()));
    outcome.report().expect_nothing_lost();
    let process = outcome.report().only_process();
    assert!(process.still_allocated().0 <= 1, "{:#}", process.0);
}

#[test]
fn a_signal_to_calltap_reaches_the_target_and_there_is_a_report() {
    for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGQUIT] {
        interrupt(signal, |running| running.signal(signal));
    }
}

#[test]
fn ctrl_c_on_a_terminal_ends_the_target_and_there_is_a_report() {
    interrupt(libc::SIGINT, |running| running.signal_all(libc::SIGINT));
}

#[test]
fn a_killed_tracer_is_a_failure_that_is_said() {
    let target = Target::c("marathon.c").build();
    let mut running = calltap().start(&target, &["100000000", "/no/such/marker"]);
    running.until("first line", |running| running.stdout().contains("round=0\n"));
    let calltap = running.pid();
    let children = fs::read_to_string(format!("/proc/{calltap}/task/{calltap}/children"));
    let children = children.expect("it is running");
    let tracer: i32 = children.split_whitespace().next().expect("it has one").parse().expect("a number");
    // SAFETY: plain system call; the process is calltap's living child.
    assert_eq!(unsafe { libc::kill(tracer, libc::SIGKILL) }, 0);
    let outcome = running.finish().expect_status(125);
    assert!(outcome.stderr().contains("tracer"), "{outcome}");
}
