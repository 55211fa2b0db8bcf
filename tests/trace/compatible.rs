//! Options and output that ltrace has, as ltrace has them.

use crate::launch::{bare, installed, scratch, traced};
use crate::outcome::Outcome;
use crate::target::Target;

/// What ltrace itself prints, where it is installed.
fn ltrace(options: &[&str], target: &Target, arguments: &[&str]) -> Option<Outcome> {
    let ltrace = installed("ltrace")?;
    let files = scratch();
    let log = files.path().join("log");
    let path = target.path().to_str().unwrap();
    let words = [options, &["-o", log.to_str().unwrap(), path], arguments].concat();
    let mut outcome = bare().run(ltrace, &words);
    outcome.trace = std::fs::read_to_string(&log).unwrap_or_default();
    Some(outcome)
}

#[test]
fn lines_are_ltraces_lines() {
    let target = Target::c("linkage.c").flags(&["-Wl,-z,lazy"]).build();
    for options in [
        &["-e", "strlen@MAIN+labs@MAIN+strcmp@MAIN"][..],
        &["-e", "strlen@MAIN", "-a", "60"],
        &["-e", "strlen@MAIN", "-n", "3"],
    ] {
        let Some(theirs) = ltrace(options, &target, &["4"]) else { return };
        let ours = traced().options(options).run(&target, &["4"]).expect_status(7);
        for (one, two) in ours.trace.lines().zip(theirs.trace.lines()) {
            assert_eq!(one, two, "{options:?}\n{}\n{}", ours.trace, theirs.trace);
        }
        assert_eq!(ours.trace.lines().count(), theirs.trace.lines().count());
    }
}

#[test]
fn version_and_help_are_on_stdout() {
    let calltap = env!("CARGO_BIN_EXE_calltap");
    for option in ["-V", "--version", "-h", "--help"] {
        let outcome = bare().run(calltap, &["trace", option]).expect_status(0);
        assert!(outcome.stdout().contains("calltap"), "{outcome}");
    }
}

#[test]
fn the_users_prototypes_come_before_ours() {
    let home = scratch();
    std::fs::write(home.path().join(".ltrace.conf"), "int labs(hex(long));\nint strlen(string);\n").unwrap();
    let target = Target::c("linkage.c").build();
    let outcome =
        traced().variable("HOME", home.path()).options(&["-e", "labs"]).run(&target, &["3"]).expect_status(7);
    assert!(
        outcome.lines_of("labs").iter().any(|line| line.contains("0xfffffffffffffffe")),
        "{}",
        outcome.trace
    );
}

#[test]
fn a_mistake_in_a_file_is_told_with_its_line_where_the_trace_is() {
    let home = scratch();
    let file = home.path().join("own.conf");
    std::fs::write(&file, "int labs(long);\nint strlen(strang);\nint getppid();\n").unwrap();
    let target = Target::c("linkage.c").build();
    let options = ["-F", file.to_str().unwrap()];
    let outcome = traced().options(&options).run(&target, &["3"]).expect_status(7);
    assert!(outcome.trace.contains("own.conf:2: error: ") && outcome.stderr().is_empty(), "{outcome}");
    assert_eq!(outcome.lines_of("labs").len(), 3);
    let json = traced().options(&options).options(&["--json"]).run(&target, &["3"]).expect_status(7);
    assert!(json.stderr().contains("own.conf:2: error: ") && !json.trace.contains("own.conf"), "{json}");
}

#[test]
fn what_can_be_traced_is_listed() {
    let target = Target::c("linkage.c").build();
    let calltap = env!("CARGO_BIN_EXE_calltap");
    let path = target.path().to_str().unwrap();
    let outcome = bare().run(calltap, &["list", path]).expect_status(0);
    for name in ["strlen", "getppid", "labs"] {
        assert!(outcome.stdout().contains(name), "{outcome}");
    }
    let outcome = bare().run(calltap, &["list", path, "str*"]).expect_status(0);
    assert!(outcome.stdout().contains("strlen") && !outcome.stdout().contains("getppid"), "{outcome}");
}
