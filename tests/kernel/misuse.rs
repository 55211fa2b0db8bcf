//! Wrong things done to descriptors are found at the line that does them.

use serde::Deserialize;
use serde_json::Value;

use super::descriptors::{expect_nothing, rows};
use crate::launch::calltap;
use crate::marks::Marks;
use crate::outcome::Outcome;
use crate::report::Process;
use crate::stack::Stack;
use crate::target::Target;

/// Runs one mode of `misused.c`, with its fault or without.
fn run(mode: &str, how: &str) -> Outcome {
    let outcome = calltap().run(Target::c("misused.c").build(), &[mode, how]).expect_status(0);
    assert_eq!(outcome.report().lost(), 0, "{outcome}");
    outcome
}

/// Whether a call that is told of was made at the marked line.
fn is_at(call: &Value, (file, line): (&str, i64)) -> bool {
    let stack = Stack::deserialize(&call["stack"]).unwrap_or_else(|error| panic!("{error} in {call:#}"));
    stack.passes((file, line))
}

/// Expects one fault of this kind at its line, and nothing of the clean program.
fn expect_fault(mode: &str, kind: &str) -> Value {
    for process in run(mode, "clean").report().processes() {
        expect_nothing(process, mode);
    }
    let outcome = run(mode, "fault");
    let process = outcome.report().only_process();
    let faults = rows(process, "faults");
    let [fault] = &faults[..] else { panic!("{mode}: one fault: {:#}", process.at("/descriptors")) };
    assert_eq!(fault["kind"], kind, "{mode}: {fault:#}");
    assert!(is_at(&fault["call"], Marks::of(&["misused.c"]).fault(mode)), "{mode}: {fault:#}");
    fault.clone()
}

#[test]
fn a_second_close() {
    let fault = expect_fault("double_close", "double_close");
    assert_eq!(fault["closed"]["function"], "close", "{fault:#}");
    assert_eq!(fault["opened"]["function"], "open", "{fault:#}");
}

#[test]
fn a_second_close_that_hits_another_threads_descriptor() {
    let fault = expect_fault("race", "foreign_close");
    assert_eq!(fault["path"], "/dev/zero", "the other's: {fault:#}");
    assert_ne!(fault["opened"]["tid"], fault["call"]["tid"], "{fault:#}");
    assert_eq!(fault["closed"]["tid"], fault["call"]["tid"], "it had closed its own before: {fault:#}");
}

#[test]
fn a_use_after_the_close() {
    let fault = expect_fault("use_after_close", "use_after_close");
    assert_eq!(fault["call"]["function"], "dup", "{fault:#}");
    assert_eq!(fault["closed"]["function"], "close", "{fault:#}");
}

#[test]
fn a_descriptor_that_a_child_got_through_exec() {
    for process in run("inherited", "clean").report().processes() {
        expect_nothing(process, "inherited");
    }
    let outcome = run("inherited", "fault");
    let processes = outcome.report().processes();
    let got = |process: &Process<'_>| !rows(*process, "passed_on").is_empty();
    let heirs: Vec<_> = processes.into_iter().filter(got).collect();
    let [heir] = heirs[..] else { panic!("one program: {:#}", outcome.report().0) };
    assert!(heir.command().contains("child"), "{}", heir.command());
    let [row] = &rows(heir, "passed_on")[..] else { panic!("one descriptor: {:#}", heir.0) };
    assert_eq!(row["path"], "/dev/zero", "{row:#}");
    assert!(is_at(&row["opened"], Marks::of(&["misused.c"]).fault("inherited")), "{row:#}");
}
