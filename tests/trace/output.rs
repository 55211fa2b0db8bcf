//! What is written besides the calls: process ends, signals, times, JSON, trees; and that no line is torn.

use serde_json::Value;

use crate::launch::{bare, traced};
use crate::outcome::Outcome;
use crate::target::Target;

fn linkage(options: &[&str]) -> Outcome {
    traced().options(options).run(Target::c("linkage.c").build(), &["3"]).expect_status(7)
}

#[test]
fn the_programs_end_is_the_last_line() {
    assert_eq!(linkage(&[]).trace.lines().last(), Some("+++ exited (status 7) +++"));
}

#[test]
fn a_death_by_a_signal_is_told() {
    let outcome = traced().run("sh", &["-c", "kill -TERM $$"]);
    assert_eq!(outcome.status, 143, "{outcome}");
    assert!(outcome.trace.contains("--- SIGTERM"), "{}", outcome.trace);
    assert!(outcome.trace.contains("+++ killed by SIGTERM +++"), "{}", outcome.trace);
    let silent = traced().options(&["-b"]).run("sh", &["-c", "kill -TERM $$"]);
    assert!(!silent.trace.contains("--- SIGTERM"), "{}", silent.trace);
}

#[test]
fn times_stand_before_and_behind_the_calls() {
    let taken = linkage(&["-T", "-e", "getppid"]);
    for line in taken.lines_of("getppid") {
        let time = line.rsplit_once('<').expect("a time").1.trim_end_matches('>');
        assert!(time.parse::<f64>().unwrap() < 1.0, "{line}");
    }
    let stamped = linkage(&["-ttt", "-e", "getppid"]);
    let stamps: Vec<f64> = stamped
        .trace
        .lines()
        .filter(|line| line.contains("getppid("))
        .map(|line| line.split_whitespace().next().unwrap().parse().expect("seconds since the epoch"))
        .collect();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
    assert_eq!(stamps.len(), 3);
    assert!(stamps.windows(2).all(|pair| pair[0] <= pair[1]), "{stamps:?}");
    assert!(stamps.iter().all(|stamp| now - stamp < 600.0 && *stamp <= now), "{now} {stamps:?}");
}

#[test]
fn json_is_one_object_a_line() {
    let outcome = linkage(&["--json"]);
    let objects: Vec<Value> =
        outcome.trace.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
    let strlen: Vec<&Value> = objects.iter().filter(|object| object["function"] == "strlen").collect();
    assert_eq!(strlen.len(), 3, "{}", outcome.trace);
    assert!(strlen[0]["library"].as_str().unwrap().contains("libc"), "{}", strlen[0]);
    assert!(strlen[0]["duration_ns"].as_u64().unwrap() < 1_000_000_000, "{}", strlen[0]);
}

#[test]
fn lines_of_many_threads_are_whole() {
    let target = Target::cpp("transparent.cpp").build();
    let outcome = traced().options(&["-f", "-e", "strlen+getuid+qsort"]).run(&target, &[""]).expect_status(7);
    let whole = |line: &str| {
        ["strlen(", "getuid(", "qsort(", "<... ", "--- ", "+++ "]
            .iter()
            .filter(|part| line.contains(**part))
            .count()
            == 1
    };
    for line in outcome.trace.lines() {
        let has_id = line.split(' ').next().is_some_and(|id| id.parse::<u32>().is_ok());
        assert!(has_id && whole(line), "{line}");
    }
    // 64 threads call it 500 times each.
    assert!(outcome.lines_of("getuid").len() >= 32_000, "{}", outcome.lines_of("getuid").len());
}

#[test]
fn every_unfinished_call_is_resumed_or_said_not_to_return() {
    let target = Target::cpp("transparent.cpp").build();
    let outcome = traced().options(&["-e", "qsort+strlen+swapcontext"]).run(&target, &[""]).expect_status(7);
    let of = |text: &str| outcome.trace.lines().filter(|line| line.contains(text)).count();
    assert!(of("<unfinished ...>") > 0);
    assert!(of("resumed>") <= of("<unfinished ...>"), "{} {}", of("resumed>"), of("<unfinished ...>"));
}

#[test]
fn a_tree_shows_calls_under_those_that_made_them() {
    let target = Target::cpp("transparent.cpp").build();
    let outcome = traced().options(&["--tree", "-e", "qsort+backtrace"]).run(&target, &[""]).expect_status(7);
    let lines: Vec<&str> = outcome.trace.lines().collect();
    let at = lines.iter().position(|line| line.contains("backtrace(")).expect("it is called");
    let depth = |line: &str, name: &str| line.find(name);
    let above = lines[..at].iter().rev().find_map(|line| depth(line, "qsort(")).expect("a caller above");
    assert!(depth(lines[at], "backtrace(") > Some(above), "{}", lines[at]);
}

#[test]
fn slow_calls_alone_can_be_asked_for() {
    let outcome =
        traced().options(&["--slower-than", "50ms", "-e", "@MAIN"]).run("sleep", &["0.2"]).expect_status(0);
    let calls: Vec<&str> =
        outcome.trace.lines().filter(|line| line.contains('(') && !line.starts_with("+++")).collect();
    assert!(calls.iter().any(|line| line.contains("nanosleep")), "{}", outcome.trace);
    assert!(!outcome.trace.contains("strrchr("), "{}", outcome.trace);
}

#[test]
fn failed_calls_alone_can_be_asked_for() {
    let outcome = traced().options(&["--only-errors", "-e", "*@MAIN"]).run("cat", &["/nowhere/at/all"]);
    assert_eq!(outcome.status, 1, "{outcome}");
    let open: Vec<&str> = outcome.trace.lines().filter(|line| line.contains("open")).collect();
    assert!(open.len() == 1 && open[0].contains("/nowhere/at/all"), "{}", outcome.trace);
    assert!(!outcome.trace.contains("setlocale("), "{}", outcome.trace);
}

#[test]
fn stacks_stand_below_the_calls() {
    let target = Target::c("linkage.c").flags(&["-fno-inline"]).build();
    let outcome = traced().options(&["-w", "8", "-e", "getppid"]).run(&target, &["1"]).expect_status(7);
    let lines: Vec<&str> = outcome.trace.lines().collect();
    let at = lines.iter().position(|line| line.contains("getppid(")).expect("it is called");
    let below =
        lines[at + 1..].iter().take_while(|line| line.starts_with(" > ")).copied().collect::<Vec<_>>();
    assert!(
        below.iter().any(|line| line.contains("work")) && below.iter().any(|line| line.contains("main")),
        "{}",
        outcome.trace
    );
}

#[test]
fn a_reader_that_goes_away_does_not_harm_the_program() {
    let target = Target::c("linkage.c").build();
    let command = format!(
        "{} trace {} 20000 2>&1 >/dev/null | head -3",
        env!("CARGO_BIN_EXE_calltap"),
        target.path().display()
    );
    let outcome = bare().run("sh", &["-c", &command]).expect_status(0);
    assert_eq!(outcome.stdout().lines().count(), 3, "{outcome}");
}

#[test]
fn what_is_dropped_is_counted() {
    let target = Target::c("linkage.c").build();
    let outcome = traced()
        .options(&["--on-full", "drop", "--ring-size", "16K"])
        .run(&target, &["300000"])
        .expect_status(7);
    let shown = outcome.lines_of("strlen").len();
    assert!(shown == 300_000 || outcome.stderr().contains("lost"), "{shown} {outcome}");
}

#[test]
fn a_frame_without_a_line_has_its_offset_in_the_function() {
    let target = Target::c("linkage.c").flags(&["-fno-inline", "-g0", "-no-pie"]).build();
    let outcome = traced().options(&["--stack", "-e", "getppid"]).run(&target, &["1"]).expect_status(7);
    let listed = bare().run("nm", &[target.path().to_str().unwrap()]).expect_status(0).stdout();
    for function in ["work", "main"] {
        let symbol = listed.lines().find(|line| line.ends_with(&format!(" {function}"))).expect("a symbol");
        let begins = u64::from_str_radix(symbol.split(' ').next().unwrap(), 16).unwrap();
        let marked = format!("({function}+0x");
        let frame = outcome
            .trace
            .lines()
            .find_map(|line| line.split_once(&marked))
            .expect("a frame with an offset")
            .1;
        let (within, address) = frame.trim_end_matches(']').split_once(") [0x").expect("an address");
        let [within, address] = [within, address].map(|hex| u64::from_str_radix(hex, 16).unwrap());
        assert!(within > 0 && address == begins + within, "{}", outcome.trace);
    }
}
