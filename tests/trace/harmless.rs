//! With every function of every library traced a program prints what it prints without us.

use crate::launch::{bare, installed, traced};
use crate::outcome::Outcome;
use crate::target::Target;

/// All calls that any object makes.
const EVERYTHING: [&str; 4] = ["-f", "-e", "*@*", "-b"];

/// How often each program is run: 20 times where there is time for it.
fn runs() -> usize {
    std::env::var("CALLTAP_STORY_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(2)
}

/// What calltap says of itself at the end is its own; a program may see that there is a filter.
fn masked(text: &str) -> String {
    let ours = |line: &&str| line.starts_with("calltap: ") || line.starts_with("hint: ");
    text.replace("seccomp=2\n", "seccomp=0\n")
        .lines()
        .filter(|line| !ours(line))
        .map(|line| format!("{line}\n"))
        .collect()
}

fn same(without: &Outcome, run: impl Fn() -> Outcome) {
    for _ in 0..runs() {
        run().expect_same_after(without, masked);
    }
}

#[test]
fn exceptions_cancellation_jumps_coroutines_and_children_go_as_without_us() {
    let target = Target::cpp("transparent.cpp").build();
    let without = bare().run(&target, &[""]).expect_status(7);
    same(&without, || traced().options(&EVERYTHING).run(&target, &[""]));
    same(&without, || traced().options(&["-f", "-c", "-e", "*@*"]).run(&target, &[""]));
    same(&without, || traced().options(&["-f", "-c", "--latency", "off", "-e", "*@*"]).run(&target, &[""]));
    same(&without, || traced().options(&["-f", "-S", "-e", "@MAIN"]).run(&target, &[""]));
}

#[test]
fn values_in_every_register_arrive() {
    let library = Target::c("values_library.c").flags(&["-shared", "-fPIC", "-mavx"]).build();
    let target = Target::c("values_traced.c").linked_with(&library).build();
    let without = bare().run(&target, &[""]).expect_status(7);
    same(&without, || traced().options(&EVERYTHING).run(&target, &[""]));
}

#[test]
fn a_program_sees_nothing_of_us_in_itself() {
    let target = Target::c("mirror.c").build();
    let without = bare().run(&target, &["one", "two"]).expect_status(0);
    same(&without, || traced().options(&EVERYTHING).run(&target, &["one", "two"]));
}

#[test]
fn errno_is_the_real_functions_after_every_call() {
    let target = Target::c("errno.c").build();
    let without = bare().run(&target, &[""]).expect_status(0);
    same(&without, || traced().options(&EVERYTHING).run(&target, &[""]));
}

#[test]
fn handlers_may_interrupt_traced_calls_anywhere() {
    let target = Target::c("leave.c").build();
    for arguments in [["cancel", "200"], ["jump", "200"]] {
        let without = bare().run(&target, &arguments).expect_status(0);
        same(&without, || traced().options(&EVERYTHING).run(&target, &arguments));
    }
}

/// Programs of the machine's packages.
fn program(name: &str, arguments: &[&str]) {
    let Some(path) = installed(name) else { return };
    let without = bare().run(&path, arguments);
    same(&without, || traced().options(&EVERYTHING).run(&path, arguments));
}

#[test]
fn ls_goes_as_without_us() {
    program("ls", &["-lR", "/usr/include/linux"]);
}

#[test]
fn python_goes_as_without_us() {
    program("python3", &["-c", "import json, ctypes, threading; print(json.dumps({'a': [1.5, 2]}))"]);
}

#[test]
fn sqlite_goes_as_without_us() {
    program(
        "sqlite3",
        &[
            ":memory:",
            "create table t(a real); insert into t values(1.5),(2.25); select sum(a), avg(a) from t;",
        ],
    );
}

#[test]
fn git_goes_as_without_us() {
    program("git", &["--version"]);
    program("git", &["log", "-3", "--format=%H"]);
}

#[test]
fn the_compiler_and_its_children_go_as_without_us() {
    program(
        "gcc",
        &[
            "-O2",
            "-S",
            "-o",
            "-",
            "-x",
            "c",
            concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/targets/errno.c"),
        ],
    );
}

#[test]
fn shells_and_filters_go_as_without_us() {
    program("bash", &["-c", "for i in 1 2 3; do echo $i | sed s/2/two/; done; exit 3"]);
    program(
        "perl",
        &["-e", "eval { die 'x' }; print sqrt(2), $@; sub f { my $n = shift; $n ? f($n - 1) : 0 } f(500)"],
    );
}
