//! Counts are exact: the report agrees with programs that count their own calls, to the last call.

use crate::launch::{calltap, scratch};
use crate::outcome::Outcome;
use crate::target::Target;

/// Threads, and how often each does its round of calls.
const CROWDS: [[&str; 2]; 3] = [["1", "5000"], ["8", "2000"], ["64", "250"]];

/// Compares what a run did beyond an idle one of as many threads: the program's word with the report's.
///
/// The idle run takes away what run-times do by themselves, which no program can count.
pub(crate) fn expect_agreement(idle: &Outcome, busy: &Outcome) {
    let [before, after] = [idle, busy].map(|outcome| outcome.report().only_process());
    assert_eq!([idle.report().lost(), busy.report().lost()], [0, 0], "lost records");
    for (function, calls) in busy.said_all("call.") {
        let truth = calls - idle.said(&format!("call.{function}"));
        assert_eq!(after.calls(&function) - before.calls(&function), truth, "calls of {function}: {busy}");
    }
    expect_totals(idle, busy);
}

fn expect_totals(idle: &Outcome, busy: &Outcome) {
    let [before, after] = [idle, busy].map(|outcome| outcome.report().only_process());
    for section in ["heap", "descriptors"] {
        let said = busy.stdout();
        let prefix = format!("{section}.");
        for key in said.lines().filter_map(|line| line.strip_prefix(&prefix)?.split('=').next()) {
            let truth = busy.said(&format!("{prefix}{key}")) - idle.said(&format!("{prefix}{key}"));
            let pointer = format!("/{section}/{key}");
            assert_eq!(after.number(&pointer) - before.number(&pointer), truth, "{pointer}: {busy}");
        }
    }
    for pointer in ["/heap/unmatched_frees", "/heap/double_frees"] {
        assert_eq!(after.number(pointer), 0, "{pointer}: {busy}");
    }
}

/// How hooks get into the program's way; the counts are the same.
pub(crate) const BINDINGS: [&str; 2] = ["symbols", "got"];

fn run(binding: &str, target: &Target, arguments: &[&str]) -> Outcome {
    // The program counts its own calls, not those that the C library makes inside them.
    let options = ["--syscalls", "none", "--bind", binding];
    calltap().options(&options).run(target, arguments).expect_status(0)
}

/// Each number of threads, under each binding.
fn crowds() -> impl Iterator<Item = (&'static str, [&'static str; 2])> {
    BINDINGS.into_iter().flat_map(|binding| CROWDS.map(|crowd| (binding, crowd)))
}

#[test]
fn heap_calls_of_c_are_counted_exactly() {
    let target = Target::c("counts_heap.c").build();
    for (binding, [threads, rounds]) in crowds() {
        let busy = run(binding, &target, &[threads, rounds]);
        expect_agreement(&run(binding, &target, &[threads, "0"]), &busy);
        let kept = (busy.said("kept.blocks"), busy.said("kept.bytes"));
        assert_eq!(busy.report().only_process().still_allocated(), kept, "{busy}");
    }
}

#[test]
fn descriptor_calls_of_c_are_counted_exactly() {
    let target = Target::c("counts_fd.c").build();
    let directory = scratch();
    let place = directory.path().to_str().expect("a plain path");
    for (binding, [threads, _]) in crowds() {
        let busy = run(binding, &target, &[threads, "100", place]);
        expect_agreement(&run(binding, &target, &[threads, "0", place]), &busy);
        assert_eq!(busy.report().only_process().still_open(), [], "{busy}");
    }
}

#[test]
fn descriptor_calls_of_fortified_large_file_c_are_counted_exactly() {
    let target = Target::c("counts_fd.c").flags(&["-D_FILE_OFFSET_BITS=64", "-D_FORTIFY_SOURCE=2"]).build();
    let directory = scratch();
    let place = directory.path().to_str().expect("a plain path");
    for binding in BINDINGS {
        let [idle, busy] = ["0", "100"].map(|rounds| run(binding, &target, &["8", rounds, place]));
        expect_totals(&idle, &busy);
    }
}

#[test]
fn every_form_of_new_and_delete_is_one_allocation_and_one_release() {
    let target = Target::cpp("counts.cpp").build();
    for (binding, [threads, _]) in crowds() {
        let [idle, busy] = ["0", "200"].map(|rounds| run(binding, &target, &[threads, rounds]));
        expect_totals(&idle, &busy);
        assert_eq!(busy.report().only_process().still_allocated(), (0, 0), "{busy}");
        assert_eq!(busy.report().only_process().number("/heap/mismatched_frees"), 0, "{busy}");
    }
}

#[test]
fn allocations_and_files_of_rust_are_counted_exactly() {
    let target = Target::rust("counts.rs").build();
    for (binding, [threads, _]) in crowds() {
        let [idle, busy] = ["0", "500"].map(|rounds| run(binding, &target, &[threads, rounds]));
        expect_totals(&idle, &busy);
    }
}

#[test]
fn calls_that_throw_are_counted_exactly() {
    let target = Target::cpp("throws.cpp").build();
    for binding in BINDINGS {
        let [idle, busy] = ["0", "1000"].map(|rounds| run(binding, &target, &[rounds]));
        assert_eq!([busy.said("caught"), busy.said("destroyed")], [2000, 5000]);
        expect_totals(&idle, &busy);
    }
}

#[test]
fn counts_without_latency_are_exact_too() {
    let target = Target::c("counts_heap.c").build();
    let untimed = calltap().options(&["--latency", "off"]);
    let idle = untimed.clone().run(&target, &["8", "0"]).expect_status(0);
    let busy = untimed.run(&target, &["8", "2000"]).expect_status(0);
    expect_agreement(&idle, &busy);
    let process = busy.report().only_process();
    assert_eq!(process.still_allocated(), (busy.said("kept.blocks"), busy.said("kept.bytes")), "{busy}");
    let rows = process.at("/latency").as_array().expect("an array");
    // realloc releases at its start and acquires at its end, so it needs both stamps.
    let untimed = rows
        .iter()
        .filter(|row| !["realloc", "reallocarray"].contains(&row["function"].as_str().unwrap_or("")));
    assert!(untimed.clone().count() >= 4 && untimed.clone().all(|row| row["timed"] == 0), "{rows:#?}");
}
