//! What has gone by the time of the report is named too: unloaded plugins, deleted and replaced programs,
//! processes that are children or have been replaced by exec.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use super::places::{expect_leaks, place};
use crate::launch::{bare, calltap, scratch};
use crate::marks::Marks;
use crate::outcome::Outcome;
use crate::stack::Leak;
use crate::target::Target;

/// A copy of `lives.c`'s program that may be deleted.
fn copy(directory: &TempDir) -> PathBuf {
    let path = directory.path().join("lives");
    fs::copy(Target::c("lives.c").build().path(), &path).expect("a scratch file");
    path
}

/// Runs `lives` in a mode that makes the last process leak, and no other at the same place.
fn live(mode: &str, via: &str) -> Outcome {
    let [one, other] = [scratch(), scratch()];
    let without = bare().run(copy(&one), &[mode]).expect_status(0);
    let outcome = calltap().run(copy(&other), &[mode]).expect_same_as(&without);
    let processes = outcome.report().processes();
    let (last, others) = processes.split_last().expect("it ran");
    let marks = Marks::of(&["lives.c"]);
    let line = marks.leak("leaks");
    expect_leaks(&outcome, *last, &marks, &[place("leaks", "leaks")]);
    let leaks = Leak::all(*last);
    let passes = marks.via(via).iter().all(|line| leaks.iter().all(|leak| leak.stack.passes(*line)));
    assert!(passes && !marks.via(via).is_empty(), "{via}: {leaks:#?}");
    for process in others {
        let leaks = Leak::all(*process);
        assert!(leaks.iter().all(|leak| !leak.stack.passes(line)), "{leaks:#?}");
    }
    outcome
}

#[test]
fn a_forked_childs_leak_is_its_own() {
    let outcome = live("forked", "forked");
    let [parent, _] = outcome.report().processes()[..] else { panic!("two processes: {outcome}") };
    assert_eq!(parent.still_allocated(), (0, 0), "{:#}", parent.0);
}

#[test]
fn after_exec_the_new_programs_addresses_count() {
    let outcome = live("execed", "last");
    let [before, _] = outcome.report().processes()[..] else { panic!("two programs: {outcome}") };
    // What a program still has at exec is lost with it; its addresses are its own, too.
    let [leak] = &Leak::all(before)[..] else { panic!("its own path: {:#}", before.0) };
    assert!(leak.function == "realpath" && leak.blocks == 1, "{leak:#?}");
    assert!(leak.stack.passes(Marks::of(&["lives.c"]).leak("path")), "{leak:#?}");
}

#[test]
fn a_program_that_deletes_its_own_file_is_named() {
    live("deleted", "deleted");
}

#[test]
fn a_program_that_replaces_its_own_file_is_not_taken_for_the_other() {
    live("replaced", "replaced");
}

#[test]
fn plugins_that_are_gone_are_named_even_if_another_took_their_place() {
    for level in ["-O0", "-O2"] {
        let plugin = |flags: &[&str]| {
            let recipe = Target::c("plugin.c").flags(&[level, "-shared", "-fPIC"]);
            recipe.flags(flags).build().path().display().to_string()
        };
        let [first, other] = [plugin(&["-DFIRST"]), plugin(&[])];
        let host = Target::c("plugins.c").flags(&[level]).build();
        let arguments = ["4", &first, &other];
        let without = bare().run(&host, &arguments).expect_status(0);
        let outcome = calltap().run(&host, &arguments).expect_same_as(&without);
        let marks = Marks::of(&["plugin.c", "plugins.c"]);
        let places = [place("first", "first_leaks"), place("other", "other_leaks")];
        let process = outcome.report().only_process();
        expect_leaks(&outcome, process, &marks, &places);
        for leak in Leak::all(process) {
            let frame = &leak.stack.frames[0];
            let plugin = if frame.is_named("first") { &first } else { &other };
            assert_eq!(frame.object.as_ref(), Some(plugin), "{leak:#?}");
        }
    }
}
