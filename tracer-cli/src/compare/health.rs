//! Whether a program did its work under a variant: what goes wrong there is a result of the comparison.

#[cfg(test)]
mod tests;

use nix::sys::signal::Signal;

use super::run::{Ending, Outcome};

/// What is wrong with a variant's runs, such as "killed by SIGSEGV in 10 of 10 runs", and the last line of stderr; None
/// if nothing is, compared with those of the baseline (which may be the same).
///
/// The output is compared only where all of the baseline's runs, at least two, gave the same.
#[must_use]
pub fn failure(runs: &[&Outcome], baseline: &[&Outcome]) -> Option<String> {
    let expected = steady_output(baseline);
    let loads = |outcome: &Outcome| outcome.load.as_ref().map(|load| load.status);
    let mut faults: Vec<Fault> = Vec::new();
    for run in runs {
        let fault = of_ending(&run.ending, baseline).or_else(|| {
            let status = loads(run).filter(|_| !baseline.iter().any(|other| loads(other) == loads(run)));
            status.map(|status| format!("its load had exit status {status}"))
        });
        let fault = fault.or_else(|| {
            let differs = expected.is_some_and(|expected| expected != output(run));
            differs.then(|| "its output differs from the baseline's".to_owned())
        });
        let Some(text) = fault else { continue };
        match faults.iter_mut().find(|fault| fault.text == text) {
            Some(fault) => fault.runs += 1,
            None => faults.push(Fault { text, runs: 1, stderr: last_line(&run.stderr_tail) }),
        }
    }
    // What happened most often first; of equals, what happened first.
    faults.sort_by_key(|fault| std::cmp::Reverse(fault.runs));
    let stderr = faults.iter().find_map(|fault| fault.stderr);
    let told: Vec<_> = faults
        .iter()
        .map(|fault| format!("{} in {} of {} runs", fault.text, fault.runs, runs.len()))
        .collect();
    let stderr = stderr.map(|line| format!(": {line}")).unwrap_or_default();
    (!told.is_empty()).then(|| told.join(", ") + &stderr)
}

/// Whether a run came to an end of its own, or to the one that was asked for.
#[must_use]
pub fn is_well(outcome: &Outcome) -> bool {
    matches!(outcome.ending, Ending::Exited(_) | Ending::Stopped)
}

/// That the program's output is no evidence, because it is another one in each run of the baseline; None if it is.
#[must_use]
pub fn output_note(baseline: &[&Outcome]) -> Option<String> {
    let varies = baseline.windows(2).any(|pair| output(pair[0]) != output(pair[1]));
    varies.then(|| {
        "the program's output differs from run to run of the baseline, so that of the variants is not compared".to_owned()
    })
}

/// What went wrong in some runs.
struct Fault<'a> {
    text: String,
    runs: usize,
    stderr: Option<&'a str>,
}

/// What is wrong with how a run ended; None if that is how one of the baseline's ended.
fn of_ending(ending: &Ending, baseline: &[&Outcome]) -> Option<String> {
    let is_usual = || baseline.iter().any(|other| other.ending == *ending);
    match *ending {
        Ending::Killed(signal) => Some(format!("killed by {}", name(signal))),
        Ending::Exited(status) => (!is_usual()).then(|| format!("exit status {status}")),
        Ending::Stopped => None,
        Ending::TimedOut => Some("not finished within the time limit".to_owned()),
        Ending::EndedEarly => Some("ended before it was to be stopped".to_owned()),
        Ending::NeverReady => Some("not ready within the time limit".to_owned()),
    }
}

fn name(signal: i32) -> String {
    Signal::try_from(signal).map_or_else(|_| format!("signal {signal}"), |signal| signal.as_str().to_owned())
}

/// Sum and length of what was written to stdout.
fn output(outcome: &Outcome) -> (u32, u64) {
    (outcome.stdout_crc32, outcome.stdout_bytes)
}

/// The output of all runs, if it is the same and there are enough to say so.
fn steady_output(baseline: &[&Outcome]) -> Option<(u32, u64)> {
    let (first, others) = baseline.split_first()?;
    let is_steady = !others.is_empty() && others.iter().all(|other| output(other) == output(first));
    is_steady.then(|| output(first))
}

fn last_line(text: &str) -> Option<&str> {
    text.lines().map(str::trim).rfind(|line| !line.is_empty())
}
