//! System calls are put to the library calls that made them.

use super::section::SystemCalls;
use crate::launch::calltap;
use crate::marks::Marks;
use crate::outcome::Outcome;
use crate::target::Target;

const FAMILIES: &str = "memory,fd,process";

/// Runs one mode of `owners.c`.
fn run(mode: &str) -> (Outcome, SystemCalls) {
    let options = ["--syscalls", FAMILIES];
    let outcome = calltap().options(&options).run(Target::c("owners.c").build(), &[mode]).expect_status(0);
    assert_eq!(outcome.report().lost(), 0, "{outcome}");
    let calls = SystemCalls::of(outcome.report().only_process());
    (outcome, calls)
}

#[test]
fn a_stream_owns_its_opening_and_its_closing() {
    let (_, calls) = run("stream");
    assert_eq!(calls.made(Some("fopen"), "openat"), 1, "{calls:#?}");
    assert_eq!(calls.made(Some("fclose"), "close"), 1, "{calls:#?}");
}

#[test]
fn the_heap_owns_what_makes_it_larger() {
    let (outcome, calls) = run("blocks");
    // A million bytes in steps of 132 KiB and more.
    let grown = calls.made(Some("malloc"), "brk");
    assert!((5..=12).contains(&grown), "{calls:#?}");
    let large = outcome.said("large");
    assert_eq!(calls.made(Some("malloc"), "mmap"), large, "{calls:#?}");
    assert_eq!(calls.made(Some("free"), "munmap"), large, "{calls:#?}");
}

#[test]
fn the_latency_of_malloc_is_told_apart_by_what_it_did_in_the_kernel() {
    let (outcome, calls) = run("blocks");
    let malloc = calls.cost_split.iter().find(|split| split.function == "malloc").expect("it was called");
    let part = |name: Option<&str>| {
        let found = malloc.parts.iter().find(|part| part.system_call.as_deref() == name);
        found.unwrap_or_else(|| panic!("no {name:?}: {malloc:#?}"))
    };
    assert_eq!(part(Some("mmap")).count, outcome.said("large"), "{malloc:#?}");
    let sum: i64 = [None, Some("brk"), Some("mmap")].into_iter().map(|name| part(name).count).sum();
    assert_eq!(sum, malloc.count, "{malloc:#?}");
    assert!(part(None).p50_ns < part(Some("mmap")).p50_ns, "{malloc:#?}");
    assert!(malloc.stopped_ns > 0, "{malloc:#?}");
}

#[test]
fn what_makes_a_thread_has_its_creator_on_the_stack() {
    let (outcome, calls) = run("threads");
    let threads = outcome.said("threads");
    let at = Marks::of(&["owners.c"]).leak("threads");
    for name in ["mmap", "mprotect", "clone3"] {
        let here: Vec<_> = calls
            .residue
            .iter()
            .filter(|residue| {
                let created = residue.stack.frames.iter().any(|frame| frame.is_named("pthread_create"));
                residue.system_call == name && created
            })
            .collect();
        let from_here = here.iter().filter(|residue| residue.stack.passes(at));
        let made: i64 = from_here.map(|residue| residue.count).sum();
        let owned = calls.made(Some("pthread_create"), name);
        // A stack that has been given back is taken again.
        let expected = if name == "clone3" { threads..=threads } else { 1..=threads };
        assert!(expected.contains(&(made + owned)), "{name}: {calls:#?}");
    }
}

#[test]
fn a_call_without_a_wrapper_is_residue_at_its_line() {
    let (outcome, calls) = run("raw");
    let marks = Marks::of(&["owners.c"]);
    let raw: Vec<_> =
        calls.residue.iter().filter(|residue| residue.stack.passes(marks.leak("raw"))).collect();
    let [residue] = raw[..] else { panic!("one stack: {calls:#?}") };
    let said = outcome.said("raw");
    assert_eq!(
        (&*residue.system_call, residue.count, residue.descriptors),
        ("openat", said, said),
        "{residue:#?}"
    );
    assert!(residue.stack.frame_of("opens_raw").is_some(), "{residue:#?}");
    assert!(residue.stack.frame_of("main").is_some(), "{residue:#?}");
    assert!(marks.via("raw").into_iter().all(|line| residue.stack.passes(line)), "{residue:#?}");
}

#[test]
fn no_thread_gets_another_ones_calls() {
    let (outcome, calls) = run("together");
    let each = outcome.said("each");
    assert_eq!(calls.made(Some("fopen"), "openat"), each, "{calls:#?}");
    assert_eq!(calls.made(Some("fclose"), "close"), each, "{calls:#?}");
    let line = Marks::of(&["owners.c"]).leak("raw");
    let raw =
        calls.residue.iter().filter(|residue| residue.system_call == "openat" && residue.stack.passes(line));
    assert_eq!(raw.map(|residue| residue.count).sum::<i64>(), each, "{calls:#?}");
}

#[test]
fn the_clock_is_read_without_a_system_call() {
    let options = ["--syscalls", "all"];
    let outcome = calltap().options(&options).run(Target::c("owners.c").build(), &["clock"]).expect_status(0);
    let calls = SystemCalls::of(outcome.report().only_process());
    assert!(calls.calls.iter().all(|row| row.system_call != "clock_gettime"), "{calls:#?}");
    assert!(calls.calls.iter().any(|row| row.system_call == "exit_group"), "all are asked for: {calls:#?}");
}
