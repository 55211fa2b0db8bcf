//! Descriptors that are left are found at the line that made them; of a program that closes them, nothing is said.

use serde_json::Value;

use crate::launch::{calltap, skipped};
use crate::marks::Marks;
use crate::outcome::Outcome;
use crate::report::Process;
use crate::stack::Open;
use crate::target::Target;

/// Runs one mode of `planted.c`, with its fault or without.
fn run(mode: &str, how: &str) -> Outcome {
    let outcome = calltap().run(Target::c("planted.c").build(), &[mode, how]).expect_status(0);
    assert_eq!(outcome.report().lost(), 0, "{outcome}");
    outcome
}

/// The rows of a list in a process's section of descriptors.
pub(super) fn rows<'a>(process: Process<'a>, list: &str) -> &'a Vec<Value> {
    process.at(&format!("/descriptors/{list}")).as_array().expect("an array")
}

/// Expects that nothing is said against this process's descriptors.
pub(super) fn expect_nothing(process: Process<'_>, mode: &str) {
    assert_eq!(process.still_open(), [], "{mode}: {:#}", process.0);
    // At an exec there is no last look.
    let at_exit = (process.0["ended_by"] != "exec").then_some("at_exit/differences");
    for list in ["faults", "growing", "passed_on", "failed_close_examples"].into_iter().chain(at_exit) {
        assert!(rows(process, list).is_empty(), "{mode}: {list}: {:#}", process.at("/descriptors"));
    }
    for figure in ["failed_closes", "double_closes", "foreign_closes", "uses_after_close"] {
        assert_eq!(process.number(&format!("/descriptors/{figure}")), 0, "{mode}: {figure}");
    }
}

/// Expects the planted leak at its line by this function, and nothing of the clean program.
fn expect_leak(mode: &str, function: &str, kind: &str) {
    let clean = run(mode, "clean");
    expect_nothing(clean.report().only_process(), mode);
    let outcome = run(mode, "fault");
    let left = outcome.said("left");
    if left == 0 && mode == "ring" {
        return skipped("this kernel gives nobody an io_uring");
    }
    let process = outcome.report().only_process();
    let open = Open::all(process);
    let line = Marks::of(&["planted.c"]).leak(mode);
    let found = open.iter().filter(|open| open.opened_by == function && open.stack.passes(line)).count();
    assert_eq!(found as i64, left, "{mode} at {line:?}: {open:#?}");
    assert_eq!(open.len() as i64, left, "{mode}: nothing else is left: {open:#?}");
    assert!(process.still_open().iter().all(|(_, is, _)| is == kind), "{mode}: {:?}", process.still_open());
    assert!(rows(process, "at_exit/differences").is_empty(), "{mode}: {:#}", process.at("/descriptors"));
    assert_eq!(process.number("/descriptors/double_closes"), 0, "{mode}");
}

#[test]
fn on_the_way_out_of_an_error() {
    expect_leak("error_path", "open", "file");
}

#[test]
fn in_one_thread_of_eight() {
    expect_leak("one_thread", "open", "file");
}

#[test]
fn a_socket_of_each_fifth_request() {
    expect_leak("socket_per_request", "accept4", "socket");
}

#[test]
fn a_copy() {
    expect_leak("copy", "dup", "file");
}

#[test]
fn one_that_came_in_a_message() {
    expect_leak("received", "recvmsg", "received");
}

#[test]
fn one_that_no_library_call_made() {
    expect_leak("raw", "openat(2)", "file");
}

#[test]
fn an_io_uring() {
    expect_leak("ring", "io_uring_setup(2)", "io_uring");
}

#[test]
fn a_stream_or_directory_is_named_as_such() {
    for (mode, function, kind, structure) in
        [("stream", "fopen", "stream", "FILE*"), ("directory", "opendir", "directory", "DIR*")]
    {
        expect_leak(mode, function, kind);
        let outcome = run(mode, "fault");
        let unclosed = &rows(outcome.report().only_process(), "still_open")[0]["unclosed"];
        assert_eq!(unclosed, structure);
    }
}

#[test]
fn a_place_that_leaks_ever_more_is_growing_and_the_limit_is_forecast() {
    expect_leak("growing", "open", "file");
    let launch = calltap().after("ulimit -n 500");
    let outcome = launch.run(Target::c("planted.c").build(), &["growing", "fault"]).expect_status(0);
    let process = outcome.report().only_process();
    let growing = rows(process, "growing");
    let line = Marks::of(&["planted.c"]).leak("growing").1;
    assert_eq!(growing.len(), 1, "{growing:#?}");
    let frames = growing[0]["stack"]["frames"].as_array().expect("an array");
    assert!(frames.iter().any(|frame| frame["line"] == line), "{growing:#?}");
    assert_eq!(growing[0]["still_open"], outcome.said("left"), "{growing:#?}");
    // One in 2 ms at the most, and not all too many fewer.
    let per_minute = growing[0]["per_minute"].as_f64().expect("a number");
    assert!((1_000.0..=30_000.0).contains(&per_minute), "{growing:#?}");
    let forecast = process.at("/descriptors/forecast");
    assert_eq!(forecast["limit"], 500, "{forecast:#}");
    assert!(forecast["exhausted_in_ns"].as_i64() > Some(0), "{forecast:#}");
}

#[test]
fn redirected_standard_streams_are_no_leak() {
    let script = "exec 2>/dev/null </dev/null 5</dev/null";
    let outcome = calltap().run("/bin/sh", &["-c", script]).expect_status(0);
    let process = outcome.report().only_process();
    assert_eq!(process.number("/descriptors/standard_streams"), 2, "{:#}", process.0);
    let open: Vec<_> = process.still_open().into_iter().map(|(fd, ..)| fd).collect();
    assert_eq!(open, [5], "{:#}", process.0);
}
