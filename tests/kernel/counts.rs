//! The same numbers as strace has of the same program: every call, every error.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::Path;

use super::section::{Table, table};
use super::strace;
use crate::launch::{Launch, bare, installed, scratch};
use crate::target::Target;

/// Runs a command under calltap in both modes and under strace; gives what all have counted.
fn expect_the_same_numbers<S: AsRef<OsStr>>(launch: &Launch, command: &[S]) -> Option<Table> {
    expect_the_same_numbers_but(&[], launch, command)
}

/// Like [`expect_the_same_numbers`], without system calls that are no equal number of times each time.
fn expect_the_same_numbers_but<S: AsRef<OsStr>>(
    but: &[&str],
    launch: &Launch,
    command: &[S],
) -> Option<Table> {
    let without = |mut table: Table| {
        table.retain(|name, _| !but.contains(&&**name));
        table
    };
    let strace = installed("strace")?;
    let cache = scratch();
    let launch = launch.clone().variable("XDG_CACHE_HOME", cache.path());
    let [by_filter, by_all_stops] = ["seccomp", "all-stops"].map(|mode| {
        let launch = launch.clone().tapped();
        let launch = launch.options(&["--syscalls", strace::OUR_CHOICE, "--syscalls-mode", mode]);
        let outcome = launch.run(command[0].as_ref(), &command[1..]);
        let outcome = outcome.expect_status(0);
        assert_eq!(outcome.report().lost(), 0, "{outcome}");
        without(table(outcome.report()))
    });
    let by_strace = without(strace::count(&strace, &launch, &strace::library(cache.path()), command));
    expect_equal("calltap", &by_filter, "strace", &by_strace);
    expect_equal("all stops", &by_all_stops, "the filter", &by_filter);
    Some(by_strace)
}

/// Says which rows differ.
fn expect_equal(one: &str, ones: &Table, other: &str, others: &Table) {
    let names: std::collections::BTreeSet<_> = ones.keys().chain(others.keys()).collect();
    let differing = names.into_iter().filter(|name| ones.get(*name) != others.get(*name));
    let rows: Vec<_> =
        differing.map(|name| format!("{name}: {:?} and {:?}", ones.get(name), others.get(name))).collect();
    assert!(rows.is_empty(), "{one} and {other} differ in\n{}", rows.join("\n"));
}

/// A program that calls what is in no tree of files and in no library but the C library's.
fn expect_the_same_of_crowd(mode: &str, count: &str) -> Option<Table> {
    let target = Target::c("crowd.c").build();
    let command = [target.as_ref(), mode.as_ref(), count.as_ref()];
    expect_the_same_numbers::<&OsStr>(&bare(), &command)
}

fn tree(directory: &Path) {
    for (number, place) in ["a/b", "c", "c/d/e"].into_iter().enumerate() {
        fs::create_dir_all(directory.join(place)).expect("a scratch directory");
        for file in 0..5 * (number + 1) {
            fs::write(directory.join(place).join(file.to_string()), place).expect("a scratch file");
        }
    }
}

#[test]
fn ls_of_a_tree() {
    let directory = scratch();
    tree(directory.path());
    let Some(counted) = expect_the_same_numbers(&bare().directory(directory.path()), &["ls", "-lR"]) else {
        return;
    };
    assert!(counted["openat"].calls > 6 && counted["mmap"].calls > 10, "{counted:#?}");
}

#[test]
fn sqlite_on_a_script() {
    let Some(sqlite) = installed("sqlite3") else { return };
    let directory = scratch();
    let script = directory.path().join("script.sql");
    let text = "CREATE TABLE numbers(n INTEGER PRIMARY KEY, square INTEGER);
        WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 5000)
        INSERT INTO numbers SELECT n, n * n FROM c;
        CREATE INDEX squares ON numbers(square);
        SELECT count(*), sum(square) FROM numbers;";
    fs::write(&script, text).expect("a scratch file");
    expect_the_same_numbers(&bare().stdin(&script), &[sqlite]);
}

#[test]
fn python_with_its_libraries() {
    let Some(python) = ["/usr/bin/python3", "python3"].into_iter().find_map(installed) else { return };
    // Everything that is hashed by a secret would be in another order each time.
    let launch = bare().variable("PYTHONHASHSEED", "0").variable("PYTHONDONTWRITEBYTECODE", "1");
    // It lists the working directory anew whenever that has changed.
    let directory = scratch();
    let launch = launch.directory(directory.path());
    let words = ["-c", "import json, ssl"].map(OsString::from);
    let command = [&[python.into_os_string()], &words[..]].concat();
    let Some(counted) = expect_the_same_numbers(&launch, &command) else { return };
    assert!(counted["openat"].errors > 0, "{counted:#?}");
}

#[test]
fn the_compiler_and_its_children() {
    let directory = scratch();
    fs::write(
        directory.path().join("one.c"),
        "#include <stdio.h>\nint main(void) { return puts(\"1\") < 0; }\n",
    )
    .expect("a scratch file");
    let launch = bare().directory(directory.path());
    let command = ["gcc", "-O1", "one.c", "-o", "one"];
    // The linker does more where it finds the program made before.
    launch.clone().run(command[0], &command[1..]).expect_status(0);
    // The compiler sorts by address, so how often its heap grows is another each time.
    let Some(counted) = expect_the_same_numbers_but(&["brk"], &launch, &command) else { return };
    assert!(counted["close"].calls > 100, "{counted:#?}");
}

#[test]
fn every_function_that_makes_a_descriptor() {
    let directory = scratch();
    let target = Target::c("kinds.c").build();
    let command = [target.as_ref(), directory.path().as_os_str()];
    let Some(counted) = expect_the_same_numbers::<&OsStr>(&bare(), &command) else { return };
    assert!(counted.len() > 25, "{counted:#?}");
}

#[test]
fn sixteen_threads_at_one_time() {
    let Some(counted) = expect_the_same_of_crowd("threads", "16") else { return };
    // 20 rounds of each thread, with one open in seven that fails.
    assert_eq!(counted["eventfd2"].calls, 320, "{counted:#?}");
    assert_eq!(counted["openat"].errors, 320, "{counted:#?}");
    assert_eq!(counted["munmap"].errors, 320, "{counted:#?}");
}

#[test]
fn a_storm_of_five_hundred_children() {
    let Some(counted) = expect_the_same_of_crowd("children", "500") else { return };
    assert_eq!(counted["eventfd2"].calls, 1000, "{counted:#?}");
    assert_eq!(counted["close"].errors, 1000, "{counted:#?}");
}
