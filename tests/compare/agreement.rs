//! Figures agree with those of other tools in the same hour: time(1), strace(1).

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::compare::found::{Found, compare};
use crate::launch::{installed, scratch};
use crate::target::Target;

/// What a program is compared with: the same on either side.
struct Subject {
    program: String,
    arguments: &'static [&'static str],
    /// It makes the same memory system calls in every run: no arenas, whose alignment depends on where they are mapped.
    is_steady: bool,
}

impl Subject {
    fn words(&self) -> Vec<&str> {
        std::iter::once(self.program.as_str()).chain(self.arguments.iter().copied()).collect()
    }

    fn compared(&self) -> Found {
        compare(&["--allocator", "glibc", "--runs", "5"], &self.words())
    }
}

const SQL: &str =
    "create table t(a, b); with recursive n(i) as (select 1 union all select i + 1 from n where i < 40000)
    insert into t select i, hex(i) from n; select count(*), max(b) from t;";

fn subjects() -> Vec<Subject> {
    let built = |target: Target| target.path().to_str().expect("a plain path").to_owned();
    let work = built(Target::c("favours.c").build());
    let mut subjects = vec![
        Subject { program: work.clone(), arguments: &["churn", "100"], is_steady: true },
        Subject { program: work, arguments: &["arenas", "16"], is_steady: false },
    ];
    for (program, arguments, is_steady) in [
        ("sqlite3", &[":memory:", SQL][..], true),
        ("python3", &["-c", "x = [str(i) for i in range(300000)]"], false),
    ] {
        if let Some(path) = installed(program) {
            let program = path.to_str().expect("a plain path").to_owned();
            subjects.push(Subject { program, arguments, is_steady });
        }
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
    for subject in subjects().into_iter().filter(|subject| subject.is_steady) {
        let found = subject.compared();
        for call in ["brk", "mmap", "munmap", "mremap", "mprotect", "madvise"] {
            let figure = found.figures().find(|figure| figure.value["name"] == format!("{call}_calls"));
            let ours = figure.map_or(0.0, |figure| figure.median("glibc"));
            let theirs = counted(&strace, call, &subject);
            // The loader's own heap may need a page more for one object more.
            assert!((ours - theirs).abs() <= 1.0, "{call} of {:?}: {ours}, {theirs}", subject.words());
        }
    }
}

/// How often strace sees this call.
fn counted(strace: &Path, call: &str, subject: &Subject) -> f64 {
    let directory = scratch();
    let table = directory.path().join("table");
    let only = format!("trace={call}");
    let mut command = Command::new(strace);
    command.args(["-f", "-c", "-U", "name,calls", "-e", &only, "-o"]).arg(&table).args(subject.words());
    let ran = command.output().expect("strace starts");
    assert!(ran.status.success(), "{ran:?}");
    let table = fs::read_to_string(table).expect("strace has written it");
    let line = table.lines().find_map(|line| line.strip_prefix(call)?.trim().parse().ok());
    line.unwrap_or(0.0)
}
