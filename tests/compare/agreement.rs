//! Figures agree with those of other tools in the same hour: time(1), strace(1).

use std::process::Command;

use crate::compare::found::{Found, compare};
use crate::launch::installed;
use crate::target::Target;

/// What a program is compared with: the same on either side.
struct Subject {
    program: String,
    arguments: &'static [&'static str],
}

impl Subject {
    fn words(&self) -> Vec<&str> {
        std::iter::once(self.program.as_str()).chain(self.arguments.iter().copied()).collect()
    }

    fn compared(&self) -> Found {
        compare(&["--allocator", "glibc", "--runs", "5"], &self.words())
    }
}

fn subjects() -> Vec<Subject> {
    let built = |target: Target| target.path().to_str().expect("a plain path").to_owned();
    let mut subjects = vec![
        Subject { program: built(Target::c("favours.c").build()), arguments: &["churn", "100"] },
        Subject { program: built(Target::c("favours.c").build()), arguments: &["arenas", "16"] },
    ];
    if let Some(python) = installed("python3") {
        let program = python.to_str().expect("a plain path").to_owned();
        subjects.push(Subject { program, arguments: &["-c", "x = [str(i) for i in range(300000)]"] });
    }
    subjects
}

/// Median over five runs of what `/usr/bin/time` says in this format.
fn time(subject: &Subject, format: &str) -> f64 {
    let mut figures: Vec<f64> = (0..5)
        .map(|_| {
            let said = Command::new("/usr/bin/time").args(["-f", format]).args(subject.words()).output();
            let said = said.expect("time starts");
            let text = String::from_utf8_lossy(&said.stderr).into_owned();
            let last = text.lines().last().unwrap_or_default();
            last.split('+').map(|part| part.parse::<f64>().unwrap_or_else(|_| panic!("{text}"))).sum()
        })
        .collect();
    figures.sort_by(f64::total_cmp);
    figures[2]
}

fn expect_near(what: &str, ours: f64, theirs: f64, part: f64, least: f64) {
    let allowed = (theirs * part).max(least);
    assert!((ours - theirs).abs() <= allowed, "{what}: {ours} against {theirs}");
}

#[test]
fn resources_are_those_that_time_tells() {
    if installed("time").is_none() {
        return;
    }
    for subject in subjects() {
        let found = subject.compared();
        let what = |figure: &str| format!("{figure} of {:?}", subject.words());
        let ours = |figure: &str| found.figure(figure).median("glibc");
        expect_near(&what("peak RSS"), ours("peak_rss") / 1024.0, time(&subject, "%M"), 0.02, 200.0);
        expect_near(&what("minor faults"), ours("minor_faults"), time(&subject, "%R"), 0.02, 30.0);
        expect_near(&what("CPU"), ours("cpu_time") / 1e9, time(&subject, "%U+%S"), 0.3, 0.05);
    }
}

#[test]
fn memory_system_calls_are_those_that_strace_counts() {
    let Some(strace) = installed("strace") else { return };
    for subject in subjects() {
        let found = subject.compared();
        let calls = ["brk", "mmap", "munmap", "mremap", "mprotect", "madvise"];
        let file = crate::launch::scratch();
        let table = file.path().join("table");
        let only = format!("trace={}", calls.join(","));
        let status = Command::new(&strace)
            .args(["-f", "-c", "-U", "name,calls", "-e", &only, "-o"])
            .arg(&table)
            .args(subject.words())
            .output()
            .expect("strace starts")
            .status;
        assert!(status.success());
        let table = std::fs::read_to_string(table).expect("strace has written it");
        for call in calls {
            let theirs = table.lines().find_map(|line| line.strip_prefix(call)?.trim().parse::<f64>().ok());
            let figures: Vec<_> =
                found.figures().filter(|figure| figure.value["name"] == format!("{call}_calls")).collect();
            let ours = figures.first().map(|figure| figure.median("glibc"));
            assert_eq!(
                ours.unwrap_or(0.0),
                theirs.unwrap_or(0.0),
                "{call} of {:?}\n{table}",
                subject.words()
            );
        }
    }
}
