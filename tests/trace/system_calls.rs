//! `-S`: system calls between the library calls, in their order.

use crate::launch::{installed, traced};
use crate::target::Target;

#[test]
fn a_system_call_stands_within_the_library_call_that_makes_it() {
    let outcome =
        traced().options(&["-S", "-e", "opendir"]).run("ls", &["/usr/include/linux"]).expect_status(0);
    let lines: Vec<&str> = outcome.trace.lines().collect();
    let at = lines.iter().position(|line| line.contains("opendir(")).expect("ls opens it");
    let resumed = lines.iter().position(|line| line.contains("opendir resumed")).expect("it returns");
    let within = &lines[at + 1..resumed];
    assert!(
        within.iter().any(|line| line.contains("openat@SYS(") && line.contains("\"/usr/include/linux\"")),
        "{within:?}"
    );
}

#[test]
fn flags_of_system_calls_are_named_as_strace_names_them() {
    let outcome = traced().options(&["-S", "-L"]).run("cat", &["/etc/hostname", "/nowhere"]);
    let line = outcome.trace.lines().find(|line| line.contains("\"/nowhere\"")).expect("it is opened");
    assert!(line.contains("AT_FDCWD") && line.contains("O_RDONLY"), "{line}");
    assert!(line.contains("-1") && line.contains("ENOENT"), "{line}");
}

#[test]
fn as_many_system_calls_are_shown_as_strace_counts() {
    let Some(strace) = installed("strace") else { return };
    let files = crate::launch::scratch();
    let log = files.path().join("log");
    crate::launch::bare().run(&strace, &["-o", log.to_str().unwrap(), "cat", "/etc/passwd"]).expect_status(0);
    let strace = std::fs::read_to_string(&log).unwrap();
    let outcome = traced().options(&["-S", "-L"]).run("cat", &["/etc/passwd"]).expect_status(0);
    for name in ["write", "fadvise64", "fstat", "newfstatat"] {
        let theirs = strace.lines().filter(|line| line.starts_with(&format!("{name}("))).count();
        let ours = outcome.trace.lines().filter(|line| line.contains(&format!("{name}@SYS("))).count();
        // Loading us takes some of its own: what the program does after that is the same.
        assert!(ours >= theirs, "{name}: {ours} {theirs}\n{}", outcome.trace);
    }
    let writes = outcome.trace.lines().filter(|line| line.contains("write@SYS(1,")).count();
    assert_eq!(
        writes,
        strace.lines().filter(|line| line.starts_with("write(1,")).count(),
        "{}",
        outcome.trace
    );
}

#[test]
fn system_calls_without_library_calls_are_seen_too() {
    let target = Target::c("linkage.c").build();
    let outcome = traced().options(&["-S", "-e", "getppid"]).run(&target, &["4"]).expect_status(7);
    assert_eq!(outcome.lines_of("getppid").len(), 4, "{}", outcome.trace);
    let calls = outcome.trace.lines().filter(|line| line.contains("getppid@SYS(")).count();
    assert_eq!(calls, 4, "{}", outcome.trace);
}
