//! Suppressions hide what they match, nothing else, and say how much.

use std::fs;

use crate::launch::{calltap, scratch};
use crate::outcome::Outcome;
use crate::stack::Leak;
use crate::target::Target;

/// Runs the leaking C program under these suppressions.
fn run(suppressions: &str) -> Outcome {
    let directory = scratch();
    let file = directory.path().join("suppressions");
    fs::write(&file, suppressions).expect("a scratch file");
    let file = file.to_str().expect("a plain path");
    calltap().options(&["--suppressions", file]).run(Target::c("leak.c").build(), &[""; 0]).expect_status(0)
}

/// What the program said it leaked at these places, all of them if there are none.
fn said(outcome: &Outcome, places: &[&str]) -> (i64, i64) {
    let sum = |what: &str| -> i64 {
        let all = outcome.said_all("leaked.").into_iter();
        let numbers = all.filter_map(|(key, number)| Some((key.strip_suffix(what)?.to_owned(), number)));
        numbers.filter(|(place, _)| places.is_empty() || places.contains(&&**place)).map(|(_, n)| n).sum()
    };
    (sum(".blocks"), sum(".bytes"))
}

/// Expects what is hidden, by pattern, and that the rest is told.
fn expect(suppressions: &str, hidden: &[(&str, &[&str])]) {
    let outcome = run(suppressions);
    let process = outcome.report().only_process();
    let rows = process.at("/heap/suppressed").as_array().expect("an array");
    let number = |row: &serde_json::Value, key: &str| row[key].as_i64().expect("a number");
    let found: Vec<_> = rows
        .iter()
        .filter(|row| number(row, "blocks") > 0)
        .map(|row| (row["pattern"].as_str().expect("text"), number(row, "blocks"), number(row, "bytes")))
        .collect();
    let expected: Vec<_> = hidden
        .iter()
        .map(|(pattern, places)| {
            let (blocks, bytes) = said(&outcome, places);
            (*pattern, blocks, bytes)
        })
        .collect();
    let sorted = |mut rows: Vec<(_, i64, i64)>| {
        rows.sort();
        rows
    };
    assert_eq!(sorted(found.clone()), sorted(expected), "{suppressions:?}");
    let all = said(&outcome, &[]);
    let [blocks, bytes] = [found.iter().map(|row| row.1).sum::<i64>(), found.iter().map(|row| row.2).sum()];
    assert_eq!(process.still_allocated(), (all.0 - blocks, all.1 - bytes), "{suppressions:?}");
    assert_eq!(Leak::sum(&Leak::all(process)), process.still_allocated(), "{suppressions:?}");
}

#[test]
fn by_function_anywhere_on_the_stack() {
    expect("leak:plain_leaks\n", &[("plain_leaks", &["plain"])]);
    expect("leak:qsort\nleak:fault\n", &[("qsort", &["qsort"]), ("fault", &["altstack"])]);
    expect("# said by nobody\n\nleak:between\n", &[("between", &["inlined"])]);
}

#[test]
fn by_anchored_and_wild_patterns() {
    expect("leak:^thread_*s$\n", &[("^thread_*s$", &["thread"])]);
    expect("leak:^leaks\n", &[]);
    expect(
        "leak:coroutine\nleak:*_leaks\n",
        &[
            ("coroutine", &["coroutine"]),
            ("*_leaks", &["plain", "inlined", "constructor", "atexit", "thread"]),
        ],
    );
}

#[test]
fn by_file_and_by_object() {
    expect("leak:targets/leak.c\n", &[("targets/leak.c", &[])]);
    expect("leak:leak-c-\n", &[("leak-c-", &[])]);
    expect("leak:no such thing\n", &[]);
}

#[test]
fn a_line_of_another_form_is_refused() {
    let directory = scratch();
    let file = directory.path().join("suppressions");
    for wrong in ["race:main", "nonsense", "leak:"] {
        fs::write(&file, format!("leak:fine\n# of another tool\n{wrong}\n")).expect("a scratch file");
        let options = ["--suppressions", file.to_str().expect("a plain path")];
        let outcome = calltap().options(&options).run("true", &[""; 0]).expect_status(125);
        assert!(outcome.stderr().contains("suppressions:3:"), "{outcome}");
        assert!(outcome.stderr().contains("hint:"), "{outcome}");
    }
}
