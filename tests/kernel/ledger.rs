//! What the ledger says is open at the end is what the kernel says, descriptor by descriptor.

use std::fs;

use super::descriptors::rows;
use crate::launch::{calltap, installed, scratch};
use crate::outcome::Outcome;
use crate::programs::python_with_its_tests;
use crate::services::{nginx_under, redis_under};
use crate::target::Target;

/// Expects no difference in any process that was tapped and looked at in its last stop; gives how
/// many descriptors they had in all.
fn expect_agreement(outcome: &Outcome, processes: usize) -> i64 {
    assert_eq!(outcome.report().lost(), 0, "{outcome}");
    agreed(outcome, processes)
}

/// Like [`expect_agreement`], whatever was lost.
fn agreed(outcome: &Outcome, processes: usize) -> i64 {
    let mut agreed = 0;
    let mut looked_at = 0;
    for process in outcome.report().processes() {
        if process.0["tapped"] != true || process.0["ended_by"] == "exec" {
            continue;
        }
        let section = process.at("/descriptors");
        assert!(!section["at_exit"].is_null(), "{}: {section:#}", process.command());
        assert!(rows(process, "at_exit/differences").is_empty(), "{}: {section:#}", process.command());
        let number = |name: &str| process.number(&format!("/descriptors/at_exit/{name}"));
        assert_eq!((number("in_ledger"), number("in_kernel")), (number("agreed"), number("agreed")));
        agreed += number("agreed");
        looked_at += 1;
    }
    assert!(looked_at >= processes, "{looked_at} processes: {outcome}");
    agreed
}

#[test]
fn of_redis() {
    let Some(served) = redis_under(&["-n", "2000", "-t", "set"]) else { return };
    assert!(expect_agreement(&served.service, 1) > 5);
}

#[test]
fn of_nginx_and_its_workers() {
    let Some(served) = nginx_under("500", "20") else { return };
    // Workers get their channels to each other as messages.
    assert!(expect_agreement(&served.service, 3) > 10);
}

#[test]
fn of_pythons_tests_of_children_and_pipes() {
    let Some(python) = python_with_its_tests() else { return };
    let directory = scratch();
    let module = "test.test_subprocess";
    let tests = [
        &format!("{module}.ProcessTestCase"),
        &format!("{module}.POSIXProcessTestCase.test_pass_fds_inheritable"),
    ];
    let words = ["-m", "unittest", "-k", "stdin", "-k", "stdout", "-k", "communicate_pipe", "-k", "pass_fds"];
    let arguments: Vec<&str> = words.into_iter().chain(tests.into_iter().map(String::as_str)).collect();
    let outcome = calltap().directory(directory.path()).run(python, &arguments).expect_status(0);
    expect_agreement(&outcome, 20);
}

#[test]
fn of_git() {
    let Some(git) = installed("git") else { return };
    let directory = scratch();
    let launch = calltap().directory(directory.path());
    expect_agreement(&launch.clone().run(&git, &["init", "-q"]).expect_status(0), 1);
    fs::write(directory.path().join("file"), "text").expect("a scratch file");
    expect_agreement(&launch.run(&git, &["add", "file"]).expect_status(0), 1);
}

#[test]
fn of_the_compiler_and_its_children() {
    let directory = scratch();
    fs::write(directory.path().join("one.c"), "int main(void) { return 0; }\n").expect("a scratch file");
    let outcome = calltap().directory(directory.path()).run("gcc", &["-pipe", "-O1", "one.c", "-o", "one"]);
    expect_agreement(&outcome.expect_status(0), 5);
}

#[test]
fn of_java() {
    let Some(java) = installed("java") else { return };
    expect_agreement(&calltap().run(java, &["-version"]).expect_status(0), 1);
}

#[test]
fn of_a_program_that_another_thread_than_the_first_begins() {
    let target = Target::c("family.c").build();
    let outcome = calltap().run(&target, &["exec_in_thread"]).expect_status(0);
    // The exec kills four threads that allocate, each maybe in the middle of a record.
    assert!(outcome.report().lost() <= 4, "{outcome}");
    agreed(&outcome, 1);
}

#[test]
fn of_every_kind_of_descriptor() {
    let directory = scratch();
    let place = directory.path().to_str().expect("a plain path");
    let outcome = calltap().run(Target::c("kinds.c").build(), &[place]).expect_status(0);
    assert!(expect_agreement(&outcome, 1) > 40);
}
