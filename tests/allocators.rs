//! The allocators that comparisons are tried with: each is as good or as bad as its file says.

use crate::launch::bare;
use crate::outcome::Outcome;
use crate::target::Target;

/// An allocator of `targets/`.
fn allocator(source: &str) -> Target {
    Target::c(source).flags(&["-shared", "-fPIC"]).build()
}

/// Runs a target with that allocator preloaded.
fn under(allocator: &Target, target: &Target, arguments: &[&str]) -> Outcome {
    bare().variable("LD_PRELOAD", allocator).run(target, arguments)
}

#[test]
fn one_that_only_maps_keeps_the_contract() {
    let target = Target::c("keeps_contract.c").build();
    bare().run::<&str>(&target, &[]).expect_status(0);
    let outcome = under(&allocator("mmap_only.c"), &target, &[]).expect_status(0);
    assert_eq!(outcome.said("kept"), 1);
}

#[test]
fn work_comes_to_the_same_under_a_good_allocator() {
    let maps = allocator("mmap_only.c");
    let favours = Target::c("favours.c").build();
    let crowd = Target::cpp("crowd_of_strings.cpp").build();
    for (target, arguments) in [
        (&favours, &["cross", "10"][..]),
        (&favours, &["churn", "20"]),
        (&favours, &["arenas", "6"]),
        (&crowd, &["3"]),
    ] {
        let without = bare().run(target, arguments).expect_status(0);
        assert!(without.said("sum") != 0);
        under(&maps, target, arguments).expect_same_as(&without);
    }
}

#[test]
fn one_that_aborts_does_so_at_its_time() {
    let favours = Target::c("favours.c").build();
    let aborts = allocator("crashing_allocator.c");
    under(&aborts, &favours, &["churn", "900"]).expect_status(0);
    let outcome = under(&aborts, &favours, &["churn", "1000"]).expect_status(128 + libc::SIGABRT);
    assert_eq!(outcome.stderr(), "crashing_allocator: no more\n");
}

#[test]
fn one_that_corrupts_the_program_gives_another_result_and_always_the_same() {
    let favours = Target::c("favours.c").build();
    let corrupts = allocator("corrupting_allocator.c");
    let arguments = ["arenas", "4"];
    let right = bare().run(&favours, &arguments).expect_status(0).said("sum");
    let wrong = under(&corrupts, &favours, &arguments).expect_status(0);
    assert_ne!(wrong.said("sum"), right);
    under(&corrupts, &favours, &arguments).expect_same_as(&wrong);
}
