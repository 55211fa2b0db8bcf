use super::*;
use crate::compare::run::Load;

fn outcome(ending: Ending, stdout: u32, stderr: &str) -> Outcome {
    Outcome {
        ending,
        stdout_crc32: stdout,
        stdout_bytes: 5,
        stderr_tail: stderr.to_owned(),
        ready_ns: None,
        load: None,
    }
}

fn good() -> Outcome {
    outcome(Ending::Exited(0), 1, "")
}

fn loaded(status: i32) -> Outcome {
    Outcome {
        load: Some(Load { wall_ns: 1, status, output: String::new() }),
        ..outcome(Ending::Stopped, 1, "")
    }
}

/// What is said of these runs against a baseline of these.
fn told(runs: &[Outcome], baseline: &[Outcome]) -> Option<String> {
    failure(&runs.iter().collect::<Vec<_>>(), &baseline.iter().collect::<Vec<_>>())
}

#[test]
fn what_the_baseline_does_too_is_no_failure() {
    let odd = outcome(Ending::Exited(3), 1, "error: nothing to do\n");
    for usual in [good(), odd, outcome(Ending::Stopped, 1, ""), loaded(1)] {
        assert_eq!(told(&[usual.clone(), usual.clone()], &[usual.clone(), usual]), None);
    }
    assert_eq!(told(&[], &[]), None);
}

#[test]
fn a_crash_is_told_with_its_last_line() {
    let killed = outcome(Ending::Killed(6), 9, "starting\ncorrupted size vs. prev_size\n\n");
    let text = "killed by SIGABRT in 2 of 3 runs: corrupted size vs. prev_size";
    assert_eq!(told(&[killed.clone(), good(), killed.clone()], &[good(), good()]).as_deref(), Some(text));
    // Also if the baseline is the one that crashes: its figures are of no work that was done.
    let killed = outcome(Ending::Killed(11), 1, "");
    let text = "killed by SIGSEGV in 1 of 1 runs";
    assert_eq!(told(std::slice::from_ref(&killed), std::slice::from_ref(&killed)).as_deref(), Some(text));
    let real_time = outcome(Ending::Killed(40), 1, "");
    assert_eq!(told(&[real_time], &[good()]).as_deref(), Some("killed by signal 40 in 1 of 1 runs"));
}

#[test]
fn another_exit_status_is_told() {
    let failed = outcome(Ending::Exited(2), 1, "out of memory");
    assert_eq!(
        told(&[failed, good()], &[good()]).as_deref(),
        Some("exit status 2 in 1 of 2 runs: out of memory")
    );
    let early = [
        outcome(Ending::TimedOut, 1, ""),
        outcome(Ending::NeverReady, 1, ""),
        outcome(Ending::EndedEarly, 1, ""),
    ];
    assert_eq!(
        told(&early, &[outcome(Ending::Stopped, 1, "")]).as_deref(),
        Some(
            "not finished within the time limit in 1 of 3 runs, not ready within the time limit in 1 of 3 runs, \
             ended before it was to be stopped in 1 of 3 runs"
        )
    );
    assert_eq!(
        told(&[loaded(1)], &[loaded(0)]).as_deref(),
        Some("its load had exit status 1 in 1 of 1 runs")
    );
}

#[test]
fn another_output_is_told_where_the_baselines_is_always_the_same() {
    let other = outcome(Ending::Exited(0), 2, "");
    let text = "its output differs from the baseline's in 2 of 3 runs";
    assert_eq!(told(&[other.clone(), good(), other.clone()], &[good(), good()]).as_deref(), Some(text));
    assert_eq!(told(std::slice::from_ref(&other), &[good()]), None, "one run shows nothing");
    assert_eq!(
        told(&[outcome(Ending::Exited(0), 3, "")], &[good(), other.clone()]),
        None,
        "it varies anyway"
    );
    let longer = Outcome { stdout_bytes: 6, ..good() };
    assert!(told(&[longer], &[good(), good()]).is_some());
    assert_eq!(output_note(&[&good(), &good()]), None);
    assert!(output_note(&[&good(), &other]).is_some());
}

#[test]
fn what_happened_more_often_comes_first() {
    let killed = outcome(Ending::Killed(11), 1, "");
    let other = outcome(Ending::Exited(0), 2, "warning: odd");
    assert_eq!(
        told(&[killed, other.clone(), other], &[good(), good()]).as_deref(),
        Some(
            "its output differs from the baseline's in 2 of 3 runs, killed by SIGSEGV in 1 of 3 runs: warning: odd"
        )
    );
}
