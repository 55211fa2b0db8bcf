//! In real programs nearly every descriptor is known with the library call that made it.

use std::fs;

use super::section::{Residue, SystemCalls};
use crate::launch::{bare, calltap, installed, scratch, skipped};
use crate::outcome::Outcome;
use crate::report::Report;
use crate::stack::Frame;

/// Descriptors made, and of them those that no library call is known to have made.
fn descriptors(report: &Report) -> (i64, Vec<Residue>) {
    let mut made = 0;
    let mut unknown = Vec::new();
    for process in report.processes().into_iter().filter(|process| process.0["tapped"] == true) {
        made += process.number("/descriptors/opened");
        let residue = SystemCalls::of(process).residue.into_iter();
        unknown.extend(residue.filter(|residue| residue.descriptors > 0 && !is_known(residue)));
    }
    (made, unknown)
}

/// Whether a function of the C library, by its name, or the loader is on the stack: then the call
/// that made it is known, though nobody taps it.
fn is_known(residue: &Residue) -> bool {
    let of_library = |frame: &Frame| {
        let object = frame.object.as_deref().and_then(|object| object.rsplit('/').next()).unwrap_or_default();
        let of_system = ["libc.so", "libc-", "ld-linux", "ld-2", "libpthread"];
        frame.function.is_some() && of_system.iter().any(|prefix| object.starts_with(prefix))
    };
    residue.stack.frames.iter().any(of_library)
}

fn expect_little_residue(outcome: &Outcome, at_least: i64) {
    let (made, unknown) = descriptors(outcome.report());
    assert!(made >= at_least, "only {made} descriptors: {outcome}");
    let count: i64 = unknown.iter().map(|residue| residue.descriptors).sum();
    assert!(count * 100 < made, "{count} of {made} are nobody's: {unknown:#?}");
}

#[test]
fn of_sqlite() {
    let Some(sqlite) = installed("sqlite3") else { return };
    let directory = scratch();
    let script = directory.path().join("script.sql");
    let database = directory.path().join("numbers.db");
    let inserts: String = (0..100).map(|n| format!("INSERT INTO numbers VALUES({n});\n")).collect();
    fs::write(&script, format!("CREATE TABLE numbers(n);\n{inserts}")).expect("a scratch file");
    let outcome = calltap().stdin(&script).run(sqlite, &[database]).expect_status(0);
    // A journal for each insert.
    expect_little_residue(&outcome, 100);
}

#[test]
fn of_python() {
    let Some(python) = ["/usr/bin/python3", "python3"].into_iter().find_map(installed) else { return };
    let script = "import json, ssl, subprocess, unittest\n\
        for _ in range(100): open('/etc/passwd').close()";
    expect_little_residue(&calltap().run(python, &["-c", script]).expect_status(0), 150);
}

#[test]
fn of_git() {
    let Some(git) = installed("git") else { return };
    let directory = scratch();
    let launch = bare().directory(directory.path());
    let git_does = |arguments: &[&str], launch: crate::launch::Launch| {
        let who = ["-c", "user.name=Nobody", "-c", "user.email=nobody@example.org"];
        launch.run(&git, &[&who[..], arguments].concat())
    };
    if git_does(&["init", "-q"], launch.clone()).status != 0 {
        return skipped("git makes no repository here");
    }
    for number in 0..60 {
        fs::write(directory.path().join(number.to_string()), number.to_string()).expect("a scratch file");
    }
    let outcome = git_does(&["add", "."], launch.clone().tapped()).expect_status(0);
    expect_little_residue(&outcome, 100);
    let outcome = git_does(&["commit", "-q", "-m", "one"], launch.tapped()).expect_status(0);
    expect_little_residue(&outcome, 20);
}
