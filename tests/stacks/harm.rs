//! However stacks are taken, a program does not notice it, and the remembered walk is the full walk.

use crate::launch::{bare, calltap};
use crate::outcome::Outcome;
use crate::target::Target;

/// Ways to take stacks.
const WAYS: [&[&str]; 6] = [
    &["--stack", "none"],
    &["--stack-depth", "0"],
    &["--stack-depth", "32"],
    &["--stack-depth", "1024"],
    &["--stack-depth", "64", "--stacks-at", "all"],
    &["--stack-depth", "1024", "--stacks-at", "all", "--check-stacks"],
];

/// Runs a program in all ways; returns the outcome of the last, in which every walk was checked.
pub(super) fn in_all_ways(target: &Target, arguments: &[&str]) -> Vec<Outcome> {
    let without = bare().run(target, arguments).expect_status(0);
    let run = |way: &&[&str]| calltap().options(way).run(target, arguments).expect_same_as(&without);
    let outcomes: Vec<_> = WAYS.iter().map(run).collect();
    expect_checked(&outcomes[WAYS.len() - 1]);
    outcomes
}

/// Expects that walks were checked and that none differed.
pub(super) fn expect_checked(outcome: &Outcome) {
    let report = outcome.report();
    let [checked, differing] = ["checked", "differing"].map(|what| {
        report.at(&format!("/stacks/{what}")).as_i64().unwrap_or_else(|| panic!("no number: {what}"))
    });
    assert!(checked > 0 && differing == 0, "checked {checked}, differing {differing}: {outcome}");
}

fn walks(arguments: &[&str]) -> Vec<Outcome> {
    let target = Target::c("walks.c").flags(&["-Wl,-z,now"]).build();
    in_all_ways(&target, arguments)
}

fn expect_nothing_lost(outcomes: &[Outcome]) {
    for outcome in outcomes {
        assert_eq!(outcome.report().lost(), 0, "{outcome}");
    }
}

#[test]
fn every_place_that_leaks() {
    expect_nothing_lost(&in_all_ways(&Target::c("leak.c").build(), &[]));
    expect_nothing_lost(&in_all_ways(&Target::cpp("leak.cpp").build(), &[]));
    expect_nothing_lost(&in_all_ways(&Target::rust("leak.rs").build(), &[]));
}

#[test]
fn odd_frames() {
    expect_nothing_lost(&in_all_ways(&Target::c("odd_frames.c").build(), &[]));
}

#[test]
fn exceptions() {
    expect_nothing_lost(&in_all_ways(&Target::cpp("throws.cpp").build(), &["200"]));
}

#[test]
fn a_handler_interrupts_walks() {
    expect_nothing_lost(&walks(&["interrupted"]));
}

#[test]
fn a_handler_jumps_out_of_walks() {
    walks(&["jumped"]);
}

#[test]
fn the_smallest_thread_stacks() {
    expect_nothing_lost(&walks(&["small_threads"]));
}

#[test]
fn a_small_alternate_stack() {
    expect_nothing_lost(&walks(&["small_handler"]));
}

#[test]
fn a_sandbox_that_kills_for_a_system_call_of_ours() {
    let target = Target::c("sandbox.c").flags(&["-O2", "-fno-builtin"]).build();
    let without = bare().run(&target, &[""; 0]).expect_status(0);
    for way in WAYS {
        calltap().options(way).run(&target, &[""; 0]).expect_same_as(&without);
    }
}

#[test]
fn threads_at_changing_depth() {
    expect_nothing_lost(&walks(&["threads"]));
}

#[test]
fn plugins_come_and_go_meanwhile() {
    let plugin = |flags: &[&str]| {
        let recipe = Target::c("plugin.c").flags(&["-shared", "-fPIC"]).flags(flags);
        recipe.build().path().display().to_string()
    };
    let [first, other] = [plugin(&["-DFIRST"]), plugin(&[])];
    expect_nothing_lost(&walks(&["loading", &first, &other]));
}
