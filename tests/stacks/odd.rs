//! Stacks that go through code without unwind tables, or in which rbp holds anything.

use super::places::{expect_leaks, place};
use crate::launch::{bare, calltap};
use crate::marks::Marks;
use crate::outcome::Outcome;
use crate::stack::{End, Leak};
use crate::target::Target;

fn run() -> Outcome {
    let target = Target::c("odd_frames.c").build();
    let without = bare().run(&target, &[""; 0]).expect_status(0);
    calltap().run(&target, &[""; 0]).expect_same_as(&without)
}

/// What a place of `odd_frames.c` has leaked, by its distinct block size.
fn leaks_of(outcome: &Outcome, place: &str) -> Vec<Leak> {
    let [blocks, bytes] = ["blocks", "bytes"].map(|what| outcome.said(&format!("leaked.{place}.{what}")));
    let mut leaks = Leak::all(outcome.report().only_process());
    leaks.retain(|leak| leak.bytes == leak.blocks * (bytes / blocks));
    assert_eq!(Leak::sum(&leaks), (blocks, bytes), "{place}: {leaks:#?}");
    leaks
}

#[test]
fn unwind_tables_are_believed_whatever_rbp_holds() {
    let outcome = run();
    let marks = Marks::of(&["odd_frames.c"]);
    for leak in leaks_of(&outcome, "described") {
        assert_eq!(leak.stack.frames[0].function.as_deref(), Some("described"), "{leak:#?}");
        assert!(marks.via("described").into_iter().all(|line| leak.stack.passes(line)), "{leak:#?}");
        assert!(leak.stack.end == Some(End::Outermost) && leak.stack.frame_of("main").is_some(), "{leak:#?}");
        assert!(leak.stack.frames.iter().all(|frame| !frame.guessed), "{leak:#?}");
    }
}

#[test]
fn without_unwind_tables_the_caller_at_least_is_known() {
    let outcome = run();
    let mut leaks = Leak::all(outcome.report().only_process());
    leaks.retain(|leak| leak.stack.frames[0].function.as_deref() == Some("undescribed"));
    // Blocks of both sizes come from one and the same stack.
    let [blocks, bytes] = ["blocks", "bytes"].map(|what| {
        let said = |place| outcome.said(&format!("leaked.{place}.{what}"));
        said("undescribed") + said("shrunken")
    });
    assert_eq!(Leak::sum(&leaks), (blocks, bytes), "{leaks:#?}");
    for leak in leaks {
        match leak.stack.frames.get(1) {
            Some(caller) => assert!(caller.guessed, "{leak:#?}"),
            None => assert_eq!(leak.stack.end, Some(End::Lost), "{leak:#?}"),
        }
    }
}

#[test]
fn code_of_no_object_is_walked_by_its_frame_pointer_and_what_follows_is_marked() {
    let outcome = run();
    let marks = Marks::of(&["odd_frames.c"]);
    for leak in leaks_of(&outcome, "framed") {
        let frames = &leak.stack.frames;
        assert!(frames[0].object.is_none() && frames[0].function.is_none(), "{leak:#?}");
        assert!(frames[1].guessed && !frames[0].guessed, "{leak:#?}");
        assert!(marks.via("framed").into_iter().all(|line| leak.stack.passes(line)), "{leak:#?}");
        assert!(leak.stack.frame_of("main").is_some(), "{leak:#?}");
    }
    assert!(outcome.report().at("/stacks/guessed").as_i64() > Some(0));
    for leak in leaks_of(&outcome, "frameless") {
        assert!(leak.stack.frames[0].object.is_none(), "{leak:#?}");
    }
}

#[test]
fn programs_with_frame_pointers_need_no_tables() {
    let flags = ["-fno-omit-frame-pointer", "-fno-asynchronous-unwind-tables", "-fno-unwind-tables"];
    let target = Target::c("leak.c").flags(&flags).build();
    let outcome = calltap().run(&target, &[""; 0]).expect_status(0);
    let places = [place("plain", "plain_leaks"), place("inlined", "innermost_leaks")];
    expect_leaks(&outcome, outcome.report().only_process(), &Marks::of(&["leak.c"]), &places);
}
