//! Which system calls are looked at, and through which of the kernel's interfaces they come.

use super::section::{SystemCalls, table};
use crate::launch::{bare, calltap, skipped};
use crate::target::Target;

#[test]
fn a_number_of_the_32_bit_interface_is_not_taken_for_another_call() {
    let target = Target::c("owners.c").build();
    let without = bare().run(&target, &["old_interface"]);
    if without.status != 0 {
        return skipped("this kernel runs no 32-bit system calls");
    }
    for mode in ["seccomp", "all-stops"] {
        let options = ["--syscalls-mode", mode];
        let outcome = calltap().options(&options).run(&target, &["old_interface"]).expect_same_as(&without);
        let process = outcome.report().only_process();
        let calls = SystemCalls::of(process);
        let of_old = |name: &str| {
            let row = calls.calls.iter().find(|row| row.system_call == format!("{name}#i386"));
            row.map_or(0, |row| row.count)
        };
        assert_eq!(of_old("dup"), outcome.said("copies"), "{mode}: {calls:#?}");
        assert_eq!(of_old("close"), outcome.said("copies") - outcome.said("left"), "{mode}: {calls:#?}");
        assert_eq!(process.still_open().len() as i64, outcome.said("left"), "{mode}: {:#}", process.0);
    }
}

#[test]
fn single_calls_can_be_asked_for() {
    let target = Target::c("crowd.c").build();
    let outcome = calltap().options(&["--syscalls", "openat,mprotect"]).run(&target, &["threads", "2"]);
    let outcome = outcome.expect_status(0);
    let calls = SystemCalls::of(outcome.report().only_process()).calls.into_iter();
    let raw: Vec<_> = calls
        .filter(|row| row.made_by.iter().any(|maker| maker.function.is_none()))
        .map(|row| row.system_call)
        .collect();
    assert_eq!(
        raw.iter().filter(|name| ["openat", "mprotect"].contains(&&***name)).count(),
        raw.len(),
        "{raw:?}"
    );
    assert_eq!(table(outcome.report())["openat"].errors, 40);
}

#[test]
fn none_are_stopped_if_none_are_asked_for() {
    let target = Target::c("crowd.c").build();
    let outcome = calltap().options(&["--syscalls", "none"]).run(&target, &["threads", "2"]).expect_status(0);
    assert_eq!(super::section::stops(outcome.report()), 0, "{:#}", outcome.report().0);
}

#[test]
fn what_is_no_system_call_is_refused_by_name() {
    let outcome =
        calltap().options(&["--syscalls", "memory,opneat"]).run("true", &[""; 0]).expect_status(125);
    assert!(outcome.stderr().contains("opneat"), "{outcome}");
    assert!(outcome.stdout.is_empty() && !outcome.has_report(), "{outcome}");
}

#[test]
fn children_that_are_not_followed_must_not_inherit_a_filter() {
    let target = Target::c("crowd.c").build();
    let asked = ["--no-follow", "--syscalls", "memory,fd"];
    let refused = calltap().options(&asked).run(&target, &["children", "5"]).expect_status(125);
    assert!(refused.stderr().contains("\nhint: ") && refused.stderr().contains("--no-follow"), "{refused}");
    let without = bare().run(&target, &["children", "5"]).expect_status(0);
    let launch = calltap().options(&asked).options(&["--syscalls-mode", "all-stops"]);
    let with = launch.run(&target, &["children", "5"]).expect_same_as(&without);
    // The children's raw calls are theirs alone.
    assert_eq!(with.report().processes().len(), 1, "{:#}", with.report().0);
    let untapped = calltap().options(&["--no-follow"]).run(&target, &["children", "5"]);
    untapped.expect_same_as(&without);
}
