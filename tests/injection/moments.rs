//! Somebody is killed, at a moment anywhere between the start and the end.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use super::left::{child_of, expect_nobody_left, names};
use super::{at_once, runs};
use crate::launch::{Launch, bare, calltap, scratch, traced};
use crate::outcome::Outcome;
use crate::report::Process;
use crate::running::Running;
use crate::target::Target;

/// Both verbs; what they see of a program is `dup`.
fn verbs() -> [Launch; 2] {
    [calltap(), traced().options(&["-f", "-e", "dup"])]
}

/// Starts a shell that says how its program ended, which works in two threads and in children, prints lines meanwhile,
/// and makes the file last.
fn start_endure(launch: Launch, file: &Path) -> Running {
    let program = Target::c("endure.c").build();
    let words: [&OsStr; 6] = [
        "-c".as_ref(),
        "\"$@\"; echo status=$?".as_ref(),
        "sh".as_ref(),
        program.as_ref(),
        "100".as_ref(),
        file.as_ref(),
    ];
    launch.start("sh", &words)
}

/// Starts a program that counts its calls in the file.
fn start_tells(launch: Launch, file: &Path) -> Running {
    launch.start(Target::c("tells.c").build(), &[file.as_os_str(), "400".as_ref()])
}

/// How long it takes if nobody interferes, with a fifth more: then some moments come after the end.
fn length(launch: &Launch, start: fn(Launch, &Path) -> Running) -> Duration {
    let whole = |_| {
        let directory = scratch();
        start(launch.clone(), &directory.path().join("file")).finish();
    };
    // The first one may have to write the interposer's file; then as many at a time as there will be.
    whole(0);
    let began = Instant::now();
    at_once(8, whole);
    began.elapsed() / 2 * 6 / 5
}

/// Waits for moment `number` of a span: by an even spread in an order that repeats nothing.
fn wait(number: u64, span: Duration) {
    std::thread::sleep(span.mul_f64((number as f64 * 0.618_033_988_749_895).fract()));
}

fn kill(pid: i32, signal: i32) {
    // SAFETY: plain system call; who has ended meanwhile is not there, and nobody else is called so that soon.
    unsafe { libc::kill(pid, signal) };
}

/// Either a refusal that is told with its reason, or the status of the program.
fn expect_end(outcome: &Outcome, statuses: &[i32]) {
    let refusal = outcome.status == 125 && outcome.stderr().contains("calltap: ");
    assert!(refusal || statuses.contains(&outcome.status), "{outcome}");
    assert!(!outcome.stderr().contains("panicked"), "{outcome}");
}

#[test]
fn the_program_ends_as_ever_whenever_calltap_is_killed() {
    let cache = scratch();
    let complete = {
        let directory = scratch();
        start_endure(bare(), &directory.path().join("file")).finish().expect_status(0).stdout()
    };
    assert!(complete.ends_with("status=3\n"), "{complete}");
    let verbs = verbs().map(|launch| (length(&launch, start_endure), launch));
    at_once(runs(300), |number| {
        // Two of three in the middle of the tracer's work, wherever that is on a busy machine; the others anywhere.
        let at_work = number % 3 != 0;
        let (span, launch) = &verbs[if at_work { 0 } else { number as usize / 3 % 2 }];
        let directory = scratch();
        let own = directory.path().join("cache");
        // Every fourth has to write the interposer's file first.
        let cache = if number % 4 == 0 { &own } else { cache.path() };
        // A report or a trace in a file may end anywhere.
        let launch = launch.clone().variable("XDG_CACHE_HOME", cache).report_elsewhere();
        let mut running = start_endure(launch, &directory.path().join("file"));
        if at_work {
            let line = format!("round={}\n", number % 5 * 20);
            running.until(&line, |running| running.stdout().contains(&line));
        }
        wait(number, if at_work { *span / 20 } else { *span });
        let calltap = running.pid();
        running.signal(libc::SIGKILL);
        expect_nobody_left_but_zombie(&running);
        // Who has begun goes on to the end.
        let said = running.stdout();
        assert!(said.is_empty() || said == complete, "half of it: {said}");
        let outcome = running.finish();
        expect_end(&outcome, &[0, 128 + libc::SIGKILL]);
        expect_nobody_left(calltap, "everybody");
        let files = names(&cache.join("calltap"));
        assert!(files.iter().all(|name| name.starts_with("libcalltap-")), "left behind: {files:?}");
    });
}

/// All but calltap itself have ended; that has not been waited for.
fn expect_nobody_left_but_zombie(running: &Running) {
    let calltap = running.pid();
    crate::running::wait_for("the end of the program", || {
        super::left::group(calltap).into_iter().all(|(pid, state)| pid == calltap && state == 'Z')
    });
}

#[test]
fn a_tracer_that_is_killed_is_told_of() {
    let verbs = verbs().map(|launch| (length(&launch, start_endure), launch));
    at_once(runs(50), |number| {
        let (span, launch) = &verbs[number as usize % 2];
        let directory = scratch();
        let running = start_endure(launch.clone(), &directory.path().join("file"));
        let calltap = running.pid();
        wait(number, *span);
        if let Some(tracer) = child_of(calltap) {
            kill(tracer, libc::SIGKILL);
        }
        expect_end(&running.finish(), &[0]);
        expect_nobody_left(calltap, "everybody");
    });
}

/// Calls that have begun and ended, of all threads; 0 before the program has got that far.
fn counts(file: &Path) -> [i64; 2] {
    let bytes = fs::read(file).unwrap_or_default();
    let mut sums = [0; 2];
    for (index, word) in bytes.chunks_exact(8).enumerate() {
        sums[index % 2] += i64::from_le_bytes(word.try_into().expect("eight"));
    }
    sums
}

/// Calls of `function` that a program's threads had begun and not ended when they died.
fn unfinished(process: &Process<'_>, function: &str) -> i64 {
    let calls = process.at("/unfinished_calls").as_array().expect("an array");
    calls.iter().filter(|call| call["function"] == function).count() as i64
}

/// A thread that is killed while it writes a call's record was in that call.
#[test]
fn calls_that_the_programs_end_cuts_off_are_told_and_not_lost() {
    let program = Target::c("cut_off.c").build();
    at_once(runs(120), |number| {
        let directory = scratch();
        let file = directory.path().join("file");
        let after = (2000 + number * 1237 % 9000).to_string();
        let how = ["exit", "_exit", "kill"][number as usize % 3];
        let words = [file.as_os_str(), after.as_ref(), how.as_ref()];
        let outcome = calltap().options(&["--tap", "memory,lock"]).run(&program, &words);
        expect_end(&outcome, &[3, 128 + libc::SIGKILL]);
        let report = outcome.report();
        report.expect_nothing_lost();
        let process = report.only_process();
        let [begun, ended] = counts(&file);
        let (told, cut) = (process.calls("malloc"), unfinished(&process, "malloc"));
        assert!(ended <= told && told + cut <= begun, "{ended} <= {told}, {told} + {cut} <= {begun}");
    });
}

#[test]
fn no_call_is_invented_or_missed_whenever_the_program_is_killed() {
    let program = Target::c("tells.c").build();
    let verbs = verbs().map(|launch| (length(&launch, start_tells), launch));
    at_once(runs(100), |number| {
        let (span, launch) = &verbs[number as usize % 2];
        let verb = ["run", "trace"][number as usize % 2];
        let signal = [libc::SIGKILL, libc::SIGSEGV, libc::SIGTERM][number as usize % 3];
        let directory = scratch();
        let file = directory.path().join("file");
        let running = start_tells(launch.clone(), &file);
        let calltap = running.pid();
        wait(number, *span);
        if let Some(target) = child_of(calltap).and_then(child_of) {
            kill(target, signal);
        }
        let outcome = running.finish();
        expect_end(&outcome, &[3, 128 + signal]);
        expect_nobody_left(calltap, "everybody");
        let [begun, ended] = counts(&file);
        let told = match (&outcome.report, verb) {
            (Some(report), _) => {
                assert_eq!(report.at("/damaged").as_array().map(Vec::len), Some(0), "{outcome}");
                report.expect_nothing_lost();
                let processes = report.processes_of(program.name());
                let sum = |of: &dyn Fn(&Process<'_>) -> i64| processes.iter().map(of).sum::<i64>();
                let told = sum(&|process| process.calls("dup"));
                let cut = sum(&|process| unfinished(process, "dup"));
                assert!(told + cut <= begun, "{verb}: {told} + {cut} <= {begun}: {outcome}");
                told
            }
            (None, "trace") => outcome.trace.lines().filter(|line| line.contains("dup(")).count() as i64,
            (None, _) => {
                assert_eq!(outcome.status, 125, "{outcome}");
                return;
            }
        };
        assert!(ended <= told && told <= begun, "{verb}: {ended} <= {told} <= {begun}: {outcome}");
    });
}
