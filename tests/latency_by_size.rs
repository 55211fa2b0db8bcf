//! The allocator's calls by size and threads, and memory over time, are what the program itself counts.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::launch::calltap;
use crate::outcome::Outcome;
use crate::report::Report;
use crate::target::Target;

/// Calls of one function and class.
#[derive(Debug, Deserialize)]
struct Row {
    function: String,
    up_to_bytes: Option<u64>,
    up_to_threads: u64,
    count: i64,
    timed: i64,
    p50_ns: u64,
    p999_ns: u64,
    max_ns: u64,
    total_ns: u64,
    durations: Vec<(u64, i64)>,
}

#[derive(Debug, Deserialize)]
struct Point {
    at_ns: u64,
    live_bytes: i64,
    live_blocks: i64,
    resident_bytes: i64,
    anonymous_bytes: i64,
    processes: i64,
}

const BY_SIZE: [&str; 2] = ["--latency-by", "size"];

/// As the program names them: `FUNCTION.BYTES.THREADS`; BYTES is 0 where there is no block.
fn counts(rows: &[Row]) -> BTreeMap<String, i64> {
    let key = |row: &Row| format!("{}.{}.{}", row.function, row.up_to_bytes.unwrap_or(0), row.up_to_threads);
    rows.iter().map(|row| (key(row), row.count)).collect()
}

fn rows(report: &Report) -> Vec<Row> {
    let rows = report.only_process().at("/latency_by_size");
    Vec::deserialize(rows).unwrap_or_else(|error| panic!("{error} in {rows:#}"))
}

fn memory(outcome: &Outcome) -> Vec<Point> {
    let points = outcome.report().at("/memory_over_time");
    Vec::deserialize(points).unwrap_or_else(|error| panic!("{error} in {points:#}"))
}

#[test]
fn calls_are_divided_by_size_and_threads_to_the_last_one() {
    let target = Target::cpp("sizes.cpp").flags(&["-fno-builtin"]).build();
    for more in [&[][..], &["--tap", "memory", "--stack", "none", "--syscalls", "brk,mmap,munmap"]] {
        let outcome = calltap().options(&BY_SIZE).options(more).run::<&str>(&target, &[]).expect_status(0);
        let report = outcome.report();
        assert_eq!(report.lost(), 0, "{outcome}");
        let rows = rows(report);
        let found = counts(&rows);
        let said = outcome.said_all("calls.");
        assert_eq!(said.len(), 2 * 44 + 1, "{outcome}");
        let wrong: Vec<_> = said
            .iter()
            .filter(|(key, count)| found.get(key) != Some(count))
            .map(|(key, count)| format!("{key}: {count} said, {:?} found", found.get(key)))
            .collect();
        assert!(wrong.is_empty(), "{}\n{found:#?}", wrong.join("\n"));
        // All classes of a function together are its row in `latency`.
        let process = report.only_process();
        for function in ["malloc", "free", "realloc", "_Znwm", "_ZdlPv"] {
            let of_function: i64 =
                rows.iter().filter(|row| row.function == function).map(|row| row.count).sum();
            assert_eq!(of_function, process.calls(function), "{function}");
        }
    }
}

#[test]
fn durations_of_a_class_are_those_of_its_figures() {
    let target = Target::cpp("sizes.cpp").flags(&["-fno-builtin"]).build();
    let outcome = calltap().options(&BY_SIZE).run::<&str>(&target, &[]).expect_status(0);
    for row in rows(outcome.report()) {
        let all: i64 = row.durations.iter().map(|(_, count)| count).sum();
        assert!(row.timed == row.count && all == row.timed, "{row:#?}");
        assert!(row.durations.is_sorted_by(|one, next| one.0 < next.0), "{row:#?}");
        let reached = |rank: f64| {
            let mut seen = 0;
            let mut up_to = row.durations.iter().filter(|(_, count)| {
                seen += count;
                seen as f64 >= rank
            });
            up_to.next().map(|(ns, _)| *ns)
        };
        assert_eq!(reached(0.5 * all as f64), Some(row.p50_ns), "{row:#?}");
        assert_eq!(reached(0.999 * all as f64), Some(row.p999_ns), "{row:#?}");
        assert_eq!(row.durations.last().map(|(ns, _)| *ns), Some(row.max_ns), "{row:#?}");
        let sum: u64 = row.durations.iter().map(|(ns, count)| ns * *count as u64).sum();
        assert!(sum >= row.total_ns && sum - row.total_ns <= row.total_ns / 1000 + 1, "{row:#?}");
    }
}

#[test]
fn a_text_shows_the_classes_that_cost_most() {
    let target = Target::cpp("sizes.cpp").flags(&["-fno-builtin"]).build();
    let launch = calltap().report_elsewhere();
    let outcome = launch.clone().options(&BY_SIZE).run::<&str>(&target, &[]).expect_status(0);
    let said = outcome.stderr();
    assert!(said.contains("  latency of the allocator by size and threads alive, by total time\n"), "{said}");
    assert!(said.contains("threads up to"), "{said}");
    let without = launch.run::<&str>(&target, &[]).expect_status(0).stderr();
    assert!(!without.contains("threads up to"), "{without}");
}

#[test]
fn memory_over_time_is_what_the_program_reads_of_itself() {
    let target = Target::c("holds.c").build();
    let outcome = calltap().options(&["--memory-every", "10ms"]).run(&target, &["1"]).expect_status(0);
    let points = memory(&outcome);
    assert!(points.is_sorted_by_key(|point| point.at_ns) && points.len() <= 1024, "{points:#?}");
    // It holds for 400 ms; a busy machine may skip some readings, not most of them.
    let held = |point: &&Point| point.live_blocks == outcome.said("live.blocks");
    let held: Vec<_> = points.iter().filter(held).collect();
    assert!(held.len() >= 8, "{points:#?}");
    let near = |found: i64, said: i64| (found - said).abs() <= 256 << 10;
    for point in held.iter().skip(1).take(held.len() - 2) {
        assert_eq!((point.live_bytes, point.processes), (outcome.said("live.bytes"), 1), "{outcome}");
        assert!(near(point.resident_bytes, outcome.said("resident.bytes")), "{point:#?} {outcome}");
        assert!(near(point.anonymous_bytes, outcome.said("anonymous.bytes")), "{point:#?} {outcome}");
    }
    let last = points.last().expect("there are some");
    assert_eq!(last.live_bytes, 0, "the end of the process is read: {points:#?}");
    assert!(last.resident_bytes > 0, "{points:#?}");
}

#[test]
fn the_memory_of_all_processes_is_added_up() {
    let target = Target::c("holds.c").build();
    let outcome = calltap().options(&["--memory-every", "20ms"]).run(&target, &["3"]).expect_status(0);
    let points = memory(&outcome);
    let all = 3 * outcome.said("live.bytes");
    let most = points.iter().max_by_key(|point| point.live_bytes).expect("there are some");
    assert_eq!((most.live_bytes, most.processes), (all, 3), "{points:#?}");
    assert!(points.iter().any(|point| point.anonymous_bytes > all), "{points:#?}");
}

#[test]
fn what_was_not_asked_for_is_null() {
    let outcome = calltap().run::<&str>("true", &[]).expect_status(0);
    assert!(outcome.report().at("/memory_over_time").is_null(), "{outcome}");
    assert!(outcome.report().only_process().at("/latency_by_size").is_null(), "{outcome}");
    let refused = calltap().options(&["--memory-every", "1ms"]).run::<&str>("true", &[]).expect_status(125);
    assert!(refused.stderr().contains("between 10ms and a day"), "{refused}");
}
