//! `-c`: a summary instead of the calls.

use crate::launch::traced;
use crate::outcome::Outcome;
use crate::target::Target;

/// What the summary's table says for a function in the column of its header.
fn column(outcome: &Outcome, function: &str, column: &str) -> Option<String> {
    let lines: Vec<&str> = outcome.trace.lines().collect();
    let header = lines.iter().position(|line| line.contains("calls") && line.contains("function"))?;
    // "% time" is one column.
    let names: Vec<String> =
        lines[header].replace("% time", "%time").split_whitespace().map(str::to_owned).collect();
    let at = names.iter().position(|name| name == column)?;
    lines[header..].iter().find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        (fields.last() == Some(&function)).then(|| fields.get(at).map(|field| (*field).to_owned()))?
    })
}

fn counted(options: &[&str]) -> Outcome {
    traced().options(options).run(Target::c("linkage.c").build(), &["5000"]).expect_status(7)
}

#[test]
fn calls_are_counted_as_the_program_made_them() {
    for options in [&["-c"][..], &["-c", "--latency", "off"]] {
        let outcome = counted(options);
        for (function, times) in outcome.said_all("calls.") {
            assert_eq!(
                column(&outcome, &function, "calls"),
                Some(times.to_string()),
                "{function} {}",
                outcome.trace
            );
        }
    }
}

#[test]
fn latencies_are_told_by_their_percentiles() {
    let outcome = counted(&["-c"]);
    let [p50, p99] = ["p50", "p99"].map(|name| column(&outcome, "strlen", name));
    assert!(p50.is_some() && p99.is_some(), "{}", outcome.trace);
}

#[test]
fn errors_are_counted() {
    let outcome = traced().options(&["-c"]).run("cat", &["/nowhere/a", "/nowhere/b", "/dev/null"]);
    assert_eq!(outcome.status, 1);
    let errors = column(&outcome, "open", "errors").or_else(|| column(&outcome, "open64", "errors"));
    assert_eq!(errors.as_deref(), Some("2"), "{}", outcome.trace);
}

#[test]
fn counts_of_threads_and_children_add_up() {
    let target = Target::cpp("transparent.cpp").build();
    for options in [&["-c", "-f", "-e", "getuid"][..], &["-c", "-f", "-e", "getuid", "--latency", "off"]] {
        let outcome = traced().options(options).run(&target, &[""]).expect_status(7);
        assert_eq!(column(&outcome, "getuid", "calls").as_deref(), Some("32000"), "{}", outcome.trace);
    }
}
