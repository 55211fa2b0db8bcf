//! Whatever happens to the target, nothing hangs, nothing is lost, nobody is left behind. What happens to calltap is in
//! `injection`.

use std::fs;
use std::path::Path;

use super::section::table;
use crate::injection::left::{expect_nobody_left, group};
use crate::launch::{calltap, scratch};
use crate::running::{Running, wait_for};
use crate::target::Target;

/// Starts `endure.c`, which begins its first round before this returns.
fn start(rounds: &str, marker: &Path) -> Running {
    let arguments = [rounds.into(), marker.as_os_str().to_owned()];
    let mut running = calltap().start(Target::c("endure.c").build(), &arguments);
    running.until("first line", |running| running.stdout().contains("round=0\n"));
    running
}

#[test]
fn a_killed_target_leaves_a_report_and_nobody_behind() {
    let directory = scratch();
    for stopped_first in [false, true] {
        let running = start("0", &directory.path().join("never"));
        let calltap = running.pid();
        let target = group(calltap).into_iter().map(|(pid, _)| pid);
        let target = target.filter(|pid| {
            fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.starts_with("endure"))
        });
        let target = target.min().expect("it runs");
        // SAFETY: plain system calls; the process is the living target, or its zombie.
        let signal = |signal| assert_eq!(unsafe { libc::kill(target, signal) }, 0);
        if stopped_first {
            signal(libc::SIGSTOP);
            wait_for("a stop", || {
                group(calltap).into_iter().any(|(pid, state)| pid == target && "Tt".contains(state))
            });
        }
        signal(libc::SIGKILL);
        let outcome = running.finish().expect_status(128 + libc::SIGKILL);
        outcome.report().expect_nothing_lost();
        assert_eq!(outcome.report().at("/target/signal").as_i64(), Some(libc::SIGKILL.into()));
        expect_nobody_left(calltap, "the target");
    }
}

#[test]
fn a_target_that_was_stopped_goes_on_where_it_was() {
    let directory = scratch();
    let running = start("2000", &directory.path().join("marker"));
    let calltap = running.pid();
    running.signal_all(libc::SIGSTOP);
    wait_for("a stop", || group(calltap).into_iter().all(|(_, state)| "Tt".contains(state)));
    running.signal_all(libc::SIGCONT);
    let outcome = running.finish().expect_status(3);
    assert_eq!(outcome.report().lost(), 0, "{outcome}");
    // Two threads of the first process, and one call of each child, which are one in 20 rounds.
    let raw = table(outcome.report())["openat"].calls;
    assert!(raw >= 3 * (2 * 2000 + 100), "{raw}");
    expect_nobody_left(calltap, "the target");
}

#[test]
fn ten_thousand_short_threads() {
    let target = Target::c("crowd.c").build();
    let outcome = calltap().run(&target, &["short", "10000"]).expect_status(0);
    assert_eq!(outcome.report().lost(), 0, "{outcome}");
    let process = outcome.report().only_process();
    assert_eq!(process.calls("open"), 10_000);
    assert_eq!(process.calls("close"), 10_000);
    assert_eq!(process.number("/threads"), 10_001);
    assert_eq!(process.still_open(), []);
    assert!(super::descriptors::rows(process, "at_exit/differences").is_empty());
}
