//! Programs that use ptrace, seccomp or namespaces themselves work, or it is said why they cannot.

use std::ffi::OsStr;

use crate::launch::{bare, calltap, installed, scratch, skipped};
use crate::outcome::Outcome;
use crate::target::Target;

/// Expects the run to be as it is without us, or else that calltap said clearly what is in the way.
fn expect_work_or_word(outcome: &Outcome, works: bool, word: &str) {
    if works {
        return;
    }
    let said = outcome.stderr();
    let by_us = said.lines().any(|line| line.starts_with("calltap: ") && line.contains(word));
    let reported = outcome.has_report() && outcome.report().at("/blind_spots").to_string().contains(word);
    assert!(by_us || reported, "it does not work, and nobody says why: {outcome}");
}

#[test]
fn a_debugger() {
    let Some(gdb) = installed("gdb") else { return };
    let target = Target::c("graph.c").build();
    let commands =
        ["--batch", "-nx", "-ex", "break main", "-ex", "run", "-ex", "backtrace", "-ex", "continue"];
    let mut arguments: Vec<&OsStr> = commands.iter().map(AsRef::as_ref).collect();
    arguments.extend(["--args".as_ref(), target.as_ref(), "10".as_ref()]);
    let stops_at_main =
        |outcome: &Outcome| outcome.stdout().contains("#0") && outcome.stdout().contains("main");
    if !stops_at_main(&bare().run(&gdb, &arguments)) {
        return skipped("gdb debugs nothing here");
    }
    let outcome = calltap().run(&gdb, &arguments);
    expect_work_or_word(&outcome, stops_at_main(&outcome), "ptrace");
}

#[test]
fn another_tracer() {
    let Some(strace) = installed("strace") else { return };
    let directory = scratch();
    let log = directory.path().join("log");
    let arguments = ["-f".as_ref(), "-o".as_ref(), log.as_os_str(), "true".as_ref()];
    let outcome = calltap().run(strace, &arguments);
    let works =
        outcome.status == 0 && std::fs::read_to_string(log).is_ok_and(|text| text.contains("exited with 0"));
    expect_work_or_word(&outcome, works, "ptrace");
}

#[test]
fn a_program_with_a_filter_of_its_own() {
    let target = Target::c("sandbox.c").build();
    let without = bare().run(&target, &[""]).expect_status(0);
    for mode in ["seccomp", "all-stops"] {
        let launch = calltap().options(&["--syscalls-mode", mode]);
        let with = launch.run(&target, &[""]).expect_same_as(&without);
        assert_eq!(with.report().lost(), 0, "{mode}: {with}");
    }
}

#[test]
fn new_namespaces() {
    let Some(unshare) = installed("unshare") else { return };
    let target = Target::c("crowd.c").build();
    for kinds in [
        &["--user", "--map-root-user"][..],
        &["--user", "--map-root-user", "--pid", "--fork", "--mount-proc"],
    ] {
        let program = target.path().to_str().expect("a plain path");
        let arguments = [kinds, &[program, "children", "3"]].concat();
        let without = bare().run(&unshare, &arguments);
        if without.status != 0 {
            return skipped("nobody may make namespaces here");
        }
        let with = calltap().run(&unshare, &arguments).expect_same_as(&without);
        assert_eq!(with.report().lost(), 0, "{with}");
        assert!(!with.report().processes_of(target.name()).is_empty(), "{:#}", with.report().0);
    }
}
