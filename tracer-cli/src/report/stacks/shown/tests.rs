//! Stacks of a small program.

use super::*;
use crate::report::stacks::fake::Fake;

fn shown(fake: &mut Fake, raw: bool, place: Place) -> (Vec<String>, Option<StackEnd>) {
    let mut stacks = Stacks::new(fake, raw);
    stacks.begin(Image(1));
    let shown = stacks.shown(place);
    let name = |&id: &FrameId| stacks.frame(id).function.as_deref().unwrap_or("?").to_owned();
    (stacks.frames(shown).iter().map(name).collect(), stacks.end(shown))
}

fn program() -> Fake {
    Fake::default()
        .frame(0x1010, "operator new(unsigned long)")
        .frame(0x1020, "push  a.cc:9  inlined")
        .frame(0x1020, "fill  a.cc:20")
        .frame(0x1030, "main  a.cc:30")
        .frame(0x1031, "main  a.cc:30")
        .frame(0x1040, "_start")
        .stack(&[0x1010, 0x1020, 0x1030, 0x1040], End::Outermost)
        .stack(&[0x1020, 0x1031], End::Outermost)
        .stack(&[0x1020, 0x1031], End::Depth)
}

#[test]
fn inlined_functions_are_frames_and_ends_are_cut() {
    let (names, end) = shown(&mut program(), false, (1, 0x1010));
    assert_eq!((names.join(" "), end), ("push fill main".to_owned(), Some(StackEnd::Outermost)));
    let (names, _) = shown(&mut program(), true, (1, 0x1010));
    assert_eq!(names.join(" "), "operator new(unsigned long) push fill main _start");
}

#[test]
fn stacks_that_look_alike_are_one() {
    let mut fake = program();
    let mut stacks = Stacks::new(&mut fake, false);
    stacks.begin(Image(1));
    let first = stacks.shown((1, 0x1010));
    assert_eq!(stacks.shown((2, 0x1020)), first, "by another address of one line");
    assert_ne!(stacks.shown((3, 0x1020)), first, "cut, so who knows");
    stacks.begin(Image(2));
    assert_eq!(stacks.shown((1, 0x1010)), first, "in all processes");
}

#[test]
fn without_a_stack_the_call_site_is_the_only_frame() {
    assert_eq!(shown(&mut program(), false, (0, 0x1030)), (vec!["main".to_owned()], None));
    assert_eq!(shown(&mut program(), false, (99, 0x1030)), (vec!["main".to_owned()], None));
    assert_eq!(shown(&mut program(), false, (0, 0)), (vec![], None));
    assert_eq!(shown(&mut program(), false, (0, 0x7777)), (vec!["?".to_owned()], None));
}

#[test]
fn every_frame_is_looked_up_once() {
    let mut fake = program();
    let mut stacks = Stacks::new(&mut fake, false);
    stacks.resolve([(Image(1), vec![(1, 0x1010), (2, 0x1020), (2, 0x1020)])].into_iter(), Detail::Lines);
    assert_eq!(fake.resolved, 5);
}
