//! Clocks that are set while a program runs.

use std::time::Instant;

use crate::counts::expect_agreement;
use crate::launch::{Launch, bare, calltap, installed, skipped};
use crate::outcome::Outcome;
use crate::target::Target;

const WORK: [&str; 2] = ["2", "2000"];

fn run(launch: Launch, rounds: &str) -> (Outcome, i64) {
    let target = Target::c("counts_heap.c").build();
    let began = Instant::now();
    let outcome = launch.options(&["--syscalls", "none"]).run(target, &[WORK[0], rounds]).expect_status(0);
    (outcome, i64::try_from(began.elapsed().as_nanos()).expect("below centuries"))
}

/// No time that is told is longer than the run was, or lies outside of it.
fn expect_times(outcome: &Outcome, took_ns: i64) {
    let report = outcome.report();
    let duration_ns = report.at("/duration_ns").as_i64().expect("a number");
    assert!((1..=took_ns).contains(&duration_ns), "{duration_ns} of {took_ns}");
    for process in report.processes() {
        let began = process.number("/started_ns");
        assert!((0..=duration_ns).contains(&began), "{began}");
        assert!((began..=duration_ns).contains(&process.number("/ended_ns")), "{:#}", process.0);
        for row in process.at("/latency").as_array().expect("an array") {
            assert!(row["max_ns"].as_i64().is_some_and(|ns| (0..=duration_ns).contains(&ns)), "{row}");
        }
    }
    assert_eq!(report.at("/damaged").as_array().map(Vec::len), Some(0), "{outcome}");
}

#[test]
fn the_time_of_day_may_go_forth_and_back() {
    let jumps = Target::c("jumps.c").flags(&["-shared", "-fPIC"]).build();
    let jumping = || calltap().variable("LD_PRELOAD", jumps.path());
    let (idle, _) = run(jumping(), "0");
    let (busy, took_ns) = run(jumping(), WORK[1]);
    expect_agreement(&idle, &busy);
    expect_times(&busy, took_ns);
}

#[test]
fn a_program_in_another_time_namespace_has_the_same_times_in_the_report() {
    let Some(unshare) = installed("unshare") else { return };
    let program = Target::c("counts_heap.c").build();
    let path = program.path().to_str().expect("a plain path");
    let shifted = ["--time", "--monotonic", "100000", "--boottime", "100000", "--fork", "--", path];
    let words = |rounds| [&shifted[..], &[WORK[0], rounds]].concat();
    let without = bare().run(&unshare, &words("0"));
    if without.status != 0 {
        return skipped(&format!("there are no time namespaces: {}", without.stderr()));
    }
    let began = Instant::now();
    let outcome = calltap().run(&unshare, &words(WORK[1])).expect_status(0);
    let took_ns = i64::try_from(began.elapsed().as_nanos()).expect("below centuries");
    expect_times(&outcome, took_ns);
    assert_eq!(outcome.report().lost(), 0, "{outcome}");
    let process = outcome.report().processes_of(program.name()).pop().expect("it was followed");
    assert!(process.calls("calloc") >= outcome.said("call.calloc"), "{outcome}");
}
