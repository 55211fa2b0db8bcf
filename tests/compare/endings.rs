//! Programs and allocators that fail, and comparisons that are ended.

use std::path::Path;

use crate::compare::found::compare;
use crate::launch::compared;
use crate::target::{SCRATCH, Target};

/// An allocator of `targets/`, and the name that it has in tables.
fn allocator(source: &str) -> (String, String) {
    let library = Target::c(source).flags(&["-shared", "-fPIC"]).build();
    (library.path().to_str().expect("a plain path").to_owned(), library.name().to_owned())
}

fn work() -> String {
    Target::c("favours.c").build().path().to_str().expect("a plain path").to_owned()
}

#[test]
fn an_allocator_that_crashes_is_a_result() {
    let (path, label) = allocator("crashing_allocator.c");
    let allocators = format!("glibc,{path}");
    let found = compare(&["--allocator", &allocators, "--runs", "3"], &[&work(), "churn", "1000"]);
    let failure = found.failure(&label).unwrap_or_else(|| panic!("{:#}", found.variant(&label)));
    assert!(failure.contains("SIGABRT"), "{failure}");
    assert_eq!(found.failure("glibc"), None);
    assert!(found.figure("wall_time").value["estimates"][1].is_null());
}

#[test]
fn an_allocator_that_corrupts_the_program_is_a_result() {
    let (path, label) = allocator("corrupting_allocator.c");
    let allocators = format!("glibc,{path}");
    let found = compare(&["--allocator", &allocators, "--runs", "3"], &[&work(), "arenas", "4"]);
    let failure = found.failure(&label).unwrap_or_else(|| panic!("{:#}", found.variant(&label)));
    assert!(failure.contains("output differs"), "{failure}");
}

#[test]
fn a_users_own_allocator_is_compared_like_any_other() {
    let (path, label) = allocator("mmap_only.c");
    let allocators = format!("glibc,{path}");
    let found = compare(&["--allocator", &allocators, "--runs", "9"], &[&work(), "cross", "5"]);
    assert_eq!(found.failure(&label), None);
    // Each block is a mapping.
    found.figure("mmap_calls").expect(&label, "higher");
    found.figure("wall_time").expect(&label, "higher");
    assert!(found.figure("wall_time").leaders() == ["glibc"]);
}

#[test]
fn a_variant_that_does_not_serve_fails_loudly() {
    // This program has a malloc of its own, which comes before any library's.
    let library = Target::c("own_malloc.c").flags(&["-DLIBRARY", "-shared", "-fPIC"]).build();
    let program = Target::c("own_malloc.c").linked_with(&library).build();
    let program = program.path().to_str().expect("a plain path");
    let found = compare(&["--allocator", "glibc,jemalloc", "--runs", "2"], &[program, "10"]);
    for label in ["glibc", "jemalloc"] {
        let failure = found.failure(label).unwrap_or_else(|| panic!("{:#}", found.variant(label)));
        assert!(failure.contains("own-malloc") || failure.contains("own_malloc"), "{failure}");
    }
}

#[test]
fn what_cannot_be_compared_is_said_before_anything_runs() {
    let mark = Path::new(SCRATCH).join(format!("compare-ran-{}", std::process::id()));
    let touch = mark.to_str().expect("a plain path").to_owned();
    let refused = |options: &[&str], program: &str| {
        let outcome = compared().options(options).run(program, &[&touch]).expect_status(125);
        assert!(!mark.exists(), "{outcome}");
        assert!(outcome.stderr().contains("hint:"), "{outcome}");
        outcome.stderr()
    };
    assert!(refused(&["--allocator", "nomalloc"], "touch").contains("nomalloc"));
    assert!(refused(&["--allocator", "/nowhere/liballoc.so"], "touch").contains("/nowhere/liballoc.so"));
    assert!(refused(&["--html", "/nowhere/page.html"], "touch").contains("/nowhere/page.html"));
    assert!(refused(&["--setup", "false"], "touch").contains("setup"));
    let outcome = compared().run("/nowhere/program", &[&touch]);
    assert_eq!(outcome.status, 127, "{outcome}");
}

#[test]
fn ctrl_c_gives_the_table_of_what_is_done() {
    let options = ["--allocator", "glibc", "--env", "MALLOC_ARENA_MAX=,1", "--runs", "10000"];
    let mut running = compared().options(&options).options(&["--setup", "echo x >> count"]);
    let directory = crate::launch::scratch();
    running = running.directory(directory.path());
    let mut running = running.start("/bin/ls", &["/"]);
    let count = directory.path().join("count");
    // Three variants, warmed up twice, then two whole rounds of six runs.
    running.until("two rounds", |_| std::fs::read(&count).is_ok_and(|text| text.len() >= 2 * (6 + 12 + 1)));
    running.signal_all(libc::SIGINT);
    let outcome = running.finish().expect_status(0);
    let report = outcome.report();
    assert_eq!(report.at("/interrupted"), true);
    let rounds = report.at("/rounds").as_u64().expect("a number");
    assert!((2..10_000).contains(&rounds), "{rounds}");
    assert_eq!(report.at("/variants/0/untapped").as_array().expect("a list").len() as u64, rounds);
}

#[test]
fn what_was_measured_before_an_error_is_told() {
    let directory = crate::launch::scratch();
    // One variant and again, warmed up twice, then rounds of four runs.
    let setup = "echo x >> count; test $(wc -l < count) -lt 16";
    let options = ["--allocator", "glibc", "--runs", "10", "--setup", setup];
    let outcome =
        compared().options(&options).directory(directory.path()).run("/bin/ls", &["/"]).expect_status(125);
    assert!(outcome.stderr().contains("setup"), "{outcome}");
    let rounds = outcome.report().at("/rounds").as_u64().expect("a number");
    assert!((1..10).contains(&rounds), "{rounds}");
    assert_eq!(outcome.report().at("/interrupted"), true);
}

#[test]
fn a_run_that_takes_too_long_is_killed_and_told() {
    let options = ["--allocator", "glibc", "--env", "NAP=,60", "--runs", "2", "--time-limit", "1s"];
    let script = "sleep \"${NAP:-0}\"";
    let found = compare(&options, &["/bin/sh", "-c", script]);
    assert!(found.failure("glibc NAP=60").is_some_and(|why| why.contains("limit")), "{:?}", found.labels());
    let left =
        std::process::Command::new("pgrep").args(["-f", "^sleep 60$"]).output().expect("pgrep is there");
    assert!(left.stdout.is_empty(), "{}", String::from_utf8_lossy(&left.stdout));
}
