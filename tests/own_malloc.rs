//! Programs whose own malloc serves their libraries: what these call is counted exactly, whichever way hooks are bound.

use crate::counts::{BINDINGS, expect_agreement};
use crate::launch::{bare, calltap};
use crate::outcome::Outcome;
use crate::target::Target;

const ROUNDS: i64 = 500;

fn c_program() -> Target {
    let library = Target::c("own_malloc.c").flags(&["-DLIBRARY", "-shared", "-fPIC"]).build();
    Target::c("own_malloc.c").linked_with(&library).build()
}

fn run(target: &Target, binding: &str, rounds: i64) -> Outcome {
    let rounds = rounds.to_string();
    let without = bare().run(target, &[&rounds]).expect_status(0);
    calltap().options(&["--bind", binding]).run(target, &[&rounds]).expect_same_as(&without)
}

#[test]
fn what_libraries_call_of_it_is_counted_exactly() {
    for target in [c_program(), Target::cpp("own_malloc.cpp").build()] {
        for binding in BINDINGS {
            expect_agreement(&run(&target, binding, 0), &run(&target, binding, ROUNDS));
        }
    }
}

#[test]
fn both_bindings_see_the_same_of_it() {
    let target = c_program();
    let seen = BINDINGS.map(|binding| {
        let outcome = run(&target, binding, ROUNDS);
        let process = outcome.report().only_process();
        let totals = ["allocations", "frees", "reallocations", "allocated_bytes", "freed_bytes"];
        let totals = totals.map(|key| process.number(&format!("/heap/{key}")));
        assert_eq!(process.still_allocated(), (0, 0), "{outcome}");
        let open = ["blocks", "bytes"].map(|key| process.number(&format!("/heap/not_judged/{key}")));
        (totals, process.all_calls(), open)
    });
    assert_eq!(seen[0], seen[1]);
    // One block of each round that the program releases unseen, and two kept ones, of which it releases one: nobody
    // can tell which.
    assert_eq!(seen[0].2, [3 * ROUNDS, (40 + 2 * 77) * ROUNDS]);
}

#[test]
fn releases_of_blocks_that_the_program_got_unseen_are_no_faults() {
    let target = c_program();
    for binding in BINDINGS {
        let outcome = run(&target, binding, ROUNDS);
        let process = outcome.report().only_process();
        for key in ["unmatched_frees", "double_frees", "mismatched_frees"] {
            assert_eq!(process.number(&format!("/heap/{key}")), 0, "{key}: {outcome}");
        }
        assert_eq!(process.number("/heap/releases_not_judged"), ROUNDS, "{outcome}");
        let spots = outcome.report().at("/blind_spots").to_string();
        let told =
            format!("calls that {} makes of its own malloc, calloc, realloc, free", target.path().display());
        assert!(spots.contains(&told), "{spots}");
    }
}

#[test]
fn what_a_program_without_one_releases_is_judged() {
    let outcome = calltap().run(Target::c("counts_heap.c").build(), &["1", "10"]).expect_status(0);
    let spots = outcome.report().at("/blind_spots").to_string();
    assert!(!spots.contains("of its own"), "{spots}");
    assert_eq!(outcome.report().only_process().number("/heap/releases_not_judged"), 0, "{outcome}");
}
