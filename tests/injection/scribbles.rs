//! The target writes over the memory that it shares with calltap, while it goes on.

use std::time::Duration;

use super::left::expect_nobody_left;
use super::{at_once, runs};
use crate::launch::{Launch, bare, calltap, scratch, traced};
use crate::running::Running;
use crate::target::Target;

const WAYS: [&str; 3] = ["bits", "bytes", "sweep"];
/// Rings in which what is written over is soon read.
const SMALL: [&str; 2] = ["--ring-size", "16K"];
/// Memory of calltap's own that it may need meanwhile, in KiB.
const MOST_MEMORY: u64 = 1 << 20;

/// What is written over, and whether that cannot stay unseen. What a thread remembers of its last walk, and the plan,
/// only the target itself reads; where the tracer's ring would be nobody reads; stacks and names are looked at where
/// they are told of, and names only once.
fn regions(verb: &str) -> Vec<(&'static str, bool)> {
    let both = [("header", true), ("controls", true), ("words", true), ("all", false), ("tracer", false)];
    let other = match verb {
        "run" => [("stacks", false), ("frames", false), ("walks", false)],
        _ => [("directory", false), ("plan", false), ("names", false)],
    };
    [&both[..], &other].concat()
}

/// Its peak so far, without what it shares.
fn own_memory(pid: i32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// Runs `scribbles.c`, and expects that it ends by itself or by what it has done to itself, and is told so.
fn scribble(launch: Launch, region: &str, way: &str, seed: u64, must_tell: bool) {
    let seed = seed.to_string();
    let target = Target::c("scribbles.c").build();
    let mut running = launch.start(target, &[region, way, &seed, "100"]);
    let calltap = running.pid();
    while running.child.try_wait().expect("our child").is_none() {
        assert!(own_memory(calltap) < MOST_MEMORY, "{}", running.what);
        std::thread::sleep(Duration::from_millis(5));
        expect_no_hang(&running);
    }
    let outcome = running.finish();
    expect_nobody_left(calltap, "the target");
    let stderr = outcome.stderr();
    assert!(!stderr.contains("panicked"), "{outcome}");
    assert_eq!(outcome.stdout(), format!("{region}\n"), "it found no memory of ours: {outcome}");
    if outcome.status == 125 {
        assert!(stderr.contains("calltap: "), "{outcome}");
        return;
    }
    // Its hooks may fall over what it has done.
    let own = [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGABRT].map(|n| 128 + n);
    assert!(outcome.status == 3 || own.contains(&outcome.status), "{outcome}");
    let is_told = match &outcome.report {
        Some(report) => report.at("/damaged").as_array().is_some_and(|parts| !parts.is_empty()),
        None => stderr.contains("the program has written over memory of calltap's"),
    };
    // Who dies of the first byte has not touched what is looked at.
    assert!(is_told || !must_tell || outcome.status != 3, "{region} {way} {seed}: {outcome}");
}

fn expect_no_hang(running: &Running) {
    let began = running.files.path().metadata().and_then(|file| file.created());
    let took = began.ok().and_then(|began| began.elapsed().ok()).unwrap_or_default();
    assert!(took < crate::running::PATIENCE, "{} hangs", running.what);
}

fn scribble_everywhere(verb: &str, launch: &Launch) {
    for (region, must_tell) in regions(verb) {
        at_once(runs(2) * WAYS.len() as u64, |number| {
            let way = WAYS[number as usize % WAYS.len()];
            scribble(launch.clone(), region, way, number, must_tell);
        });
    }
}

#[test]
fn a_report_of_a_program_that_scribbles_is_not_presented_as_right() {
    scribble_everywhere("run", &calltap().options(&SMALL));
}

#[test]
fn a_trace_of_a_program_that_scribbles_is_not_presented_as_right() {
    scribble_everywhere("trace", &traced().options(&SMALL).options(&["-f", "-e", "malloc+free+open"]));
}

#[test]
fn a_recording_of_a_program_that_scribbles_can_be_played() {
    at_once(runs(6), |number| {
        let directory = scratch();
        let file = directory.path().join("recording");
        let record = traced().report_elsewhere().options(&["-f", "--record"]).options(&[&file]);
        let region = ["words", "controls", "directory", "header"][number as usize % 4];
        scribble(record, region, WAYS[number as usize % WAYS.len()], number, false);
        let played = bare().run(env!("CARGO_BIN_EXE_calltap"), &["trace".into(), "--replay".into(), file]);
        assert!(!played.stderr().contains("panicked"), "{played}");
        assert!([0, 125].contains(&played.status), "{played}");
    });
}

#[test]
fn a_program_without_memory_of_ours_has_none_to_scribble_on() {
    let outcome = bare().run(Target::c("scribbles.c").build(), &["header", "bits", "1", "1"]);
    assert_eq!(outcome.expect_status(3).stdout(), "none\n");
}
