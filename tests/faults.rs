//! Faults in the use of the heap are found and named.

use crate::launch::{bare, calltap};
use crate::outcome::Outcome;
use crate::target::Target;

/// Runs a fault where the allocator forgives it.
fn forgiven(mode: &str) -> Outcome {
    let target = Target::c("faults.c").linked_with(&Target::tolerant_allocator()).build();
    calltap().run(&target, &[mode]).expect_status(0)
}

/// `double_frees`, `unmatched_frees`, `mismatched_frees`.
fn faults(outcome: &Outcome) -> [i64; 3] {
    let process = outcome.report().only_process();
    ["double_frees", "unmatched_frees", "mismatched_frees"]
        .map(|name| process.number(&format!("/heap/{name}")))
}

#[test]
fn a_double_free_is_counted() {
    assert_eq!(faults(&forgiven("double_free")), [1, 0, 0]);
    assert_eq!(faults(&forgiven("double_free_of_the_top")), [1, 0, 0]);
}

#[test]
fn releasing_what_was_never_handed_out_is_counted() {
    assert_eq!(faults(&forgiven("free_of_the_stack")), [0, 1, 0]);
    assert_eq!(faults(&forgiven("free_inside_a_block")), [0, 1, 0]);
}

#[test]
fn releasing_what_realloc_moved_away_is_a_double_free() {
    assert_eq!(faults(&forgiven("free_of_the_old_half")), [1, 0, 0]);
}

#[test]
fn an_allocator_between_us_and_glibc_is_the_real_function() {
    let outcome = forgiven("one_of_each_left");
    let process = outcome.report().only_process();
    let left = (outcome.said("leaked.blocks"), outcome.said("leaked.bytes"));
    assert_eq!(process.still_allocated(), left);
    assert_eq!(faults(&outcome), [0, 0, 0]);
}

#[test]
fn releases_through_the_wrong_family_are_counted() {
    let target = Target::cpp("mismatch.cpp").build();
    let outcome = calltap().run(&target, &[""]).expect_status(0);
    assert_eq!(faults(&outcome), [0, 0, outcome.said("wrong")]);
    assert_eq!(outcome.report().only_process().still_allocated(), (0, 0));
}

#[test]
fn the_release_in_which_glibc_aborts_is_named_as_unfinished() {
    let target = Target::c("faults.c").build();
    for mode in ["double_free", "double_free_of_the_top", "free_of_the_stack", "free_inside_a_block"] {
        let without = bare().run(&target, &[mode]).expect_status(128 + libc::SIGABRT);
        let with = calltap().run(&target, &[mode]).expect_same_as(&without);
        let process = with.report().only_process();
        assert_eq!(process.number("/signal"), i64::from(libc::SIGABRT));
        let unfinished = process.at("/unfinished_calls").as_array().expect("an array");
        let functions: Vec<_> = unfinished.iter().map(|call| &call["function"]).collect();
        assert_eq!(functions, ["free"], "{mode}: {:#}", process.0);
        assert_ne!(unfinished[0]["first_argument"], 0, "{mode}");
    }
}

#[test]
fn a_library_with_operators_of_its_own_is_no_other_family() {
    let library =
        ["-DLIBRARY", "-O1", "-shared", "-fPIC", "-static-libstdc++", "-static-libgcc", "-Wl,-Bsymbolic"];
    let library = Target::cpp("operators.cpp").flags(&library).build();
    let target = Target::cpp("operators.cpp").flags(&["-O1"]).linked_with(&library).build();
    let outcome = calltap().run(&target, &["40"]).expect_status(0);
    assert_eq!(outcome.stdout(), "taken=40\n");
    let process = outcome.report().only_process();
    assert_eq!(process.number("/heap/mismatched_frees"), 1, "{outcome}");
    assert_eq!(process.number("/heap/mismatches/0/times"), 1, "{outcome}");
}
