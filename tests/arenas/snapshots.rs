//! Looks at a program that runs: it does not notice, nothing is lost, nobody hangs, and who asks is answered.

use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::launch::{bare, calltap, scratch};
use crate::outcome::Outcome;
use crate::report::{Process, Report};
use crate::running::{Running, wait_for};
use crate::target::Target;

const OFTEN: [&str; 2] = ["--snapshot-every", "10ms"];

/// The looks that were taken at a process because their time had come.
fn looks(process: Process<'_>, occasion: &str) -> Vec<Value> {
    let looks = process.0.pointer("/arenas/looks").and_then(Value::as_array).cloned().unwrap_or_default();
    looks.into_iter().filter(|look| look["occasion"] == occasion).collect()
}

fn all_looks(outcome: &Outcome, occasion: &str) -> Vec<Value> {
    outcome.report().processes().into_iter().flat_map(|process| looks(process, occasion)).collect()
}

/// `calltap snapshot` with these arguments.
fn snapshot(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_calltap"));
    command.arg("snapshot").args(arguments).stdin(Stdio::null());
    command.output().expect("calltap was built")
}

fn expect_refusal(arguments: &[&str], words: &[&str]) {
    let output = snapshot(arguments);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(125), "{message}");
    assert!(output.stdout.is_empty(), "{message}");
    assert!(message.starts_with("calltap: ") && message.contains("\nhint: "), "{message}");
    for word in words {
        assert!(message.contains(word), "{word:?} is missing: {message}");
    }
}

/// Starts `churn.c` in `threads` threads for some time, and returns when it has begun to allocate.
fn churning(options: &[&str], threads: &str, milliseconds: &str) -> (Running, i32) {
    let running = calltap().options(options).start(Target::c("churn.c").build(), &[threads, milliseconds]);
    let mut target = None;
    wait_for("the target", || {
        target = child_of(child_of(running.pid()).unwrap_or(0));
        target.is_some_and(|pid| threads_of(pid) > 1)
    });
    (running, target.expect("just seen"))
}

fn child_of(pid: i32) -> Option<i32> {
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok()?;
    children.split_ascii_whitespace().next()?.parse().ok()
}

fn threads_of(pid: i32) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count)
}

/// Of 25 calls that wait, those that a plain interruption ends are among them: `epoll_wait`, a limited
/// `recv`, `sigtimedwait`, `semtimedop`. A `write` to a pipe that is just beginning can be cut short, which the README
/// says; so what it gives is left out.
#[test]
fn no_wait_ends_early_or_late_because_of_a_look() {
    let target = Target::c("waits.c").build();
    let alone = bare().run(&target, &[""; 0]).expect_status(0);
    for options in [&OFTEN[..], &["--snapshot-every", "10ms", "--syscalls", "all"]] {
        let looked_at = calltap().options(options).run(&target, &[""; 0]).expect_same_after(&alone, |text| {
            text.lines().filter(|line| !line.starts_with("write=")).map(|line| format!("{line}\n")).collect()
        });
        assert_eq!(looked_at.report().lost(), 0, "{looked_at}");
        let looks = all_looks(&looked_at, "periodic");
        // It waits for 900 ms: on the busiest machine there is time for ten.
        assert!(looks.len() >= 10, "{} looks: {looked_at}", looks.len());
        assert!(looks.iter().all(|look| look["stopped_ns"].as_u64().is_some_and(|ns| ns > 0)), "{looks:#?}");
    }
}

#[test]
fn looks_at_threads_that_come_and_go_lose_nothing() {
    let target = Target::c("churn.c").build();
    let options = [&OFTEN[..], &["--max-threads", "4000"]].concat();
    let outcome = calltap().options(&options).run(&target, &["64", "8000"]).expect_status(6);
    assert_eq!(outcome.said("threads"), 64);
    assert_eq!(outcome.report().lost(), 0, "{outcome}");
    let first = outcome.report().processes()[0];
    assert_eq!(first.still_allocated(), (0, 0));
    let looks = looks(first, "periodic");
    assert!(looks.len() >= 10, "{} looks", looks.len());
    let times: Vec<_> = looks.iter().map(|look| look["at_ns"].as_u64().expect("a number")).collect();
    assert!(times.is_sorted(), "{times:?}");
}

#[test]
fn a_process_that_is_looked_at_survives_the_death_of_calltap() {
    for moment_ms in [100, 137, 171, 203, 239, 271] {
        let (running, target) = churning(&OFTEN, "8", "1500");
        std::thread::sleep(Duration::from_millis(moment_ms));
        running.signal(libc::SIGKILL);
        wait_for("the target's last line", || running.stdout() == "threads=8\n");
        wait_for("its end", || threads_of(target) == 0);
        running.finish().expect_status(128 + libc::SIGKILL);
    }
}

#[test]
fn a_process_that_is_looked_at_can_be_stopped_and_killed() {
    let (running, target) = churning(&OFTEN, "8", "600000");
    // SAFETY: plain system calls; the process is the living target.
    let signal = |signal| assert_eq!(unsafe { libc::kill(target, signal) }, 0);
    let state = || {
        let stat = std::fs::read_to_string(format!("/proc/{target}/stat")).unwrap_or_default();
        stat.rsplit_once(") ").and_then(|(_, fields)| fields.chars().next())
    };
    signal(libc::SIGSTOP);
    // A stop of ours shows as `t`, too, but does not last.
    wait_for("a stop", || state().is_some_and(|state| "tT".contains(state)));
    let output = snapshot(&[&target.to_string()]);
    assert!(output.status.success(), "{output:?}");
    assert!(state().is_some_and(|state| "tT".contains(state)), "it goes on though it was stopped");
    signal(libc::SIGCONT);
    let output = snapshot(&[&target.to_string()]);
    assert!(output.status.success(), "{output:?}");
    signal(libc::SIGKILL);
    let outcome = running.finish().expect_status(128 + libc::SIGKILL);
    outcome.report().expect_nothing_lost();
}

#[test]
fn whoever_asks_is_answered_about_one_process_or_all() {
    let (running, target) = churning(&[], "8", "15000");
    let [session, target] = [running.pid(), target].map(|pid| pid.to_string());
    let directory = scratch();
    let file = directory.path().join("look.json");
    let text = snapshot(&[&target]);
    assert!(text.status.success(), "{text:?}");
    let shown = String::from_utf8_lossy(&text.stdout).into_owned();
    assert!(shown.starts_with(&format!("process {target} (")) && shown.contains("memory: "), "{shown}");
    // Several at one time; each gets its own answer.
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let json = snapshot(&["--format", "json", &target]);
                assert!(json.status.success(), "{json:?}");
                let report = Report::parse(&json.stdout);
                let process = report.only_process();
                assert_eq!(process.number("/pid").to_string(), target);
                let looks = looks(process, "on_demand");
                assert_eq!(looks.len(), 1, "{:#}", report.0);
            });
        }
    });
    let path = file.to_str().expect("a plain path");
    let all = snapshot(&["--format", "json", "-o", path, &session]);
    assert!(all.status.success() && all.stdout.is_empty(), "{all:?}");
    let report = Report::parse(&std::fs::read(&file).expect("it was written"));
    assert!(report.processes().iter().any(|process| process.number("/pid").to_string() == target));
    let outcome = running.finish().expect_status(6);
    assert_eq!(outcome.report().lost(), 0, "{outcome}");
    assert!(looks(outcome.report().processes()[0], "on_demand").len() >= 6);
}

#[test]
fn without_a_stop_nobody_is_stopped() {
    let target = Target::c("churn.c").build();
    let options = [&OFTEN[..], &["--snapshot-stop", "off"]].concat();
    let outcome = calltap().options(&options).run(&target, &["4", "1500"]).expect_status(6);
    assert_eq!(outcome.report().lost(), 0, "{outcome}");
    let looks = all_looks(&outcome, "periodic");
    assert!(!looks.is_empty(), "{outcome}");
    for look in looks {
        assert!(look["stopped_ns"].is_null() && look["consistent"] == false, "{look:#}");
    }
}

#[test]
fn who_asks_about_nothing_is_told_why() {
    let mut ended = Command::new("true").spawn().expect("it is everywhere");
    let pid = ended.id().to_string();
    ended.wait().expect("our child");
    expect_refusal(&[&pid], &[&pid, "no process"]);
    let own = std::process::id().to_string();
    expect_refusal(&[&own], &[&own, "does not run under calltap", "calltap run"]);
    expect_refusal(&["-o", "/no/such/directory/file", &own], &["/no/such/directory/file"]);
    let outcome = calltap().options(&["--snapshot-every", "5ms"]).run("true", &[""; 0]).expect_status(125);
    assert!(outcome.stderr().contains("between 10ms and a day"), "{outcome}");
}

/// A session that ends while somebody waits for its answer, or is killed, leaves nobody waiting.
#[test]
fn nobody_waits_for_a_session_that_is_gone() {
    for signal in [None, Some(libc::SIGKILL)] {
        let (running, target) = churning(&[], "8", "1000");
        let target = target.to_string();
        let asking = std::thread::spawn(move || while snapshot(&[&target]).status.success() {});
        if let Some(signal) = signal {
            running.signal(signal);
        }
        asking.join().expect("it was told that the session is gone");
        running.finish().expect_status(signal.map_or(6, |signal| 128 + signal));
    }
}
