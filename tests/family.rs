//! Children are followed, however they were made, and each has its own section.

use crate::launch::{bare, calltap};
use crate::outcome::Outcome;
use crate::report::Process;
use crate::target::Target;

/// What each child of `family.c` allocates and frees.
const CHILD_CALLS: i64 = 1000;

fn run(mode: &str) -> Outcome {
    let target = Target::c("family.c").build();
    let without = bare().run(&target, &[mode]).expect_status(0);
    let with = calltap().run(&target, &[mode]).expect_status(0).expect_same_as(&without);
    with.report().expect_nothing_lost();
    with
}

/// The sections of those that did a child's calls and nothing else with the heap's small blocks.
fn children(outcome: &Outcome) -> Vec<Process<'_>> {
    let processes = outcome.report().processes();
    let is_child = |process: &Process<'_>| {
        let mallocs = process.calls("malloc");
        (CHILD_CALLS..CHILD_CALLS + 10).contains(&mallocs)
    };
    processes.into_iter().filter(is_child).collect()
}

fn expect_forked_children(outcome: &Outcome) {
    let children = children(outcome);
    assert_eq!(children.len() as i64, outcome.said("children"), "{:#}", outcome.report().0);
    for child in children {
        assert_eq!(child.calls("malloc"), CHILD_CALLS, "{:#}", child.0);
        assert_eq!(child.calls("free"), CHILD_CALLS + 1, "{:#}", child.0); // and one of its parent's
        assert_eq!(child.number("/heap/unmatched_frees"), 0, "the parent's block: {:#}", child.0);
        assert_eq!(child.number("/heap/double_frees"), 0, "{:#}", child.0);
        assert_eq!(child.number("/heap/inherited_frees"), 1, "{:#}", child.0);
        assert_eq!(child.still_allocated(), (0, 0), "{:#}", child.0);
    }
    let parent = outcome.report().processes()[0];
    assert_eq!(parent.number("/heap/unmatched_frees"), 0);
    assert_eq!(parent.still_allocated(), (0, 0), "{:#}", parent.0);
}

fn expect_execed_children(outcome: &Outcome, count: usize) {
    let children = children(outcome);
    assert_eq!(children.len(), count, "{:#}", outcome.report().0);
    for child in children {
        assert!(child.command().contains("execed"), "{}", child.command());
        assert_eq!(child.still_allocated(), (0, 0), "{:#}", child.0);
        assert_eq!(child.number("/heap/unmatched_frees"), 0, "{:#}", child.0);
    }
}

#[test]
fn fork_among_allocating_threads() {
    expect_forked_children(&run("fork_among_threads"));
}

#[test]
fn fork_by_the_bare_system_call() {
    expect_forked_children(&run("raw_clone"));
}

#[test]
fn a_childs_thread_that_calls_before_the_forked_one_takes_nothing_of_the_parents() {
    let target = Target::c("family.c").build();
    let without = bare().run(&target, &["thread_before_forker"]).expect_status(0);
    // What the C library itself frees for the thread would come before it, in the forked thread.
    let launch = calltap().options(&["--bind", "got", "--objects", target.name()]);
    let outcome = launch.run(&target, &["thread_before_forker"]).expect_status(0).expect_same_as(&without);
    expect_forked_children(&outcome);
    let said = outcome.said("children");
    let unseen = format!("forked processes that made threads before their first tapped call: {said};");
    assert!(outcome.report().0["blind_spots"].to_string().contains(&unseen), "{:#}", outcome.report().0);
}

#[test]
fn each_program_of_a_chain_has_its_own_arguments() {
    // Each executes the next one at once.
    let mut words: Vec<String> = (0..30).flat_map(|n| ["env".to_owned(), format!("NUMBER={n}")]).collect();
    words.push("true".to_owned());
    let outcome = calltap().run("env", &words[1..]).expect_status(0);
    let processes = outcome.report().processes();
    let commands: Vec<Vec<String>> = processes
        .iter()
        .map(|process| serde_json::from_value(process.at("/command").clone()).unwrap())
        .collect();
    let expected: Vec<&[String]> = (0..=30).map(|program| &words[2 * program..]).collect();
    assert_eq!(commands, expected);
}

#[test]
fn vfork_and_exec() {
    expect_execed_children(&run("vfork_exec"), 5);
}

#[test]
fn a_vfork_child_closes_its_own_descriptors_not_its_parents() {
    let outcome = run("vfork_close");
    expect_execed_children(&outcome, 1);
    let parent = outcome.report().processes()[0];
    let open = parent.still_open();
    assert_eq!(open.len(), 1, "{open:?}");
    assert_eq!((open[0].0, &*open[0].2), (outcome.said("kept"), "/dev/null"));
    let kinds = parent.at("/descriptors/by_kind").as_array().expect("an array");
    let pipes = kinds.iter().find(|row| row["kind"] == "pipe").expect("it made one");
    assert_eq!(pipes["closed"], 2, "the parent's ends of it");
}

#[test]
fn posix_spawn() {
    expect_execed_children(&run("spawn"), 5);
}

#[test]
fn posix_spawn_with_an_emptied_environment() {
    let outcome = run("spawn_emptied");
    assert_eq!(outcome.said("execed.variables"), 0);
    expect_execed_children(&outcome, 1);
}

#[test]
fn exec_with_an_emptied_environment() {
    let outcome = run("exec_emptied");
    assert_eq!(outcome.said("execed.variables"), 0);
    expect_execed_children(&outcome, 1);
}

#[test]
fn exec_in_another_thread_than_the_first() {
    for _ in 0..10 {
        expect_execed_children(&run("exec_in_thread"), 1);
    }
}

#[test]
fn stops_and_continuations_are_noticed_by_the_parent() {
    assert_eq!(run("stop_and_continue").report().processes().len(), 21);
}

#[test]
fn children_that_cannot_be_tapped_run_as_ever_and_are_named() {
    let untappable = Target::c("graph.c").flags(&["-static"]).build();
    let script = format!("'{}' 100; echo $?", untappable.path().display());
    let without = bare().run("sh", &["-c", &script]).expect_status(0);
    let with = calltap().run("sh", &["-c", &script]).expect_same_as(&without);
    let text = with.report().0.to_string();
    assert!(text.contains(untappable.name()) && text.contains("static"), "{text}");
}

#[test]
fn children_are_left_alone_if_asked() {
    let target = Target::c("family.c").build();
    for mode in ["vfork_exec", "spawn", "raw_clone", "fork_among_threads"] {
        let without = bare().run(&target, &[mode]);
        let with = calltap().options(&["--no-follow"]).run(&target, &[mode]).expect_same_as(&without);
        assert_eq!(children(&with).len(), 0, "{mode}: {:#}", with.report().0);
    }
}

#[test]
fn the_compilers_children_have_sections() {
    let directory = crate::launch::scratch();
    let source = directory.path().join("one.c");
    std::fs::write(&source, "int one(void) { return 1; }\n").expect("a scratch file");
    let outcome = calltap().directory(directory.path()).run("gcc", &["-O2", "-c", "one.c"]);
    let outcome = outcome.expect_status(0);
    for program in ["cc1", "as"] {
        let found = outcome.report().processes().into_iter().any(|process| {
            let command = process.command();
            let program_name = command.trim_matches(['[', '"', ']']).split(['"', ' ']).next();
            program_name.is_some_and(|name| name.rsplit('/').next() == Some(program))
                && process.calls("malloc") > 0
        });
        assert!(found, "{program}: {:#}", outcome.report().0);
    }
}
