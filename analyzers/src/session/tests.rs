use super::*;
use crate::descriptors::{KernelDescriptor, Occasion};
use crate::event::{Action, Block, Fd, Giver, OpenFlags};
use crate::kernel::CallId;

mod processes;

const OLD: Image = Image(1);
const YOUNG: Image = Image(2);

fn event(image: Image, at_ns: u64, action: Action<'static>) -> Event<'static> {
    Event {
        image,
        thread: Thread(image.0),
        function: FunctionId(3),
        start_ns: at_ns,
        end_ns: at_ns + 10,
        timed: true,
        errno: 0,
        site: 0x400,
        stack: 0,
        vfork_child: false,
        text: b"",
        used: None,
        action,
    }
}

fn malloc(image: Image, at_ns: u64, block: u64) -> Event<'static> {
    event(image, at_ns, Action::Allocated { block: Block(block), bytes: 8, giver: Giver::C })
}

fn free(image: Image, at_ns: u64, block: u64) -> Event<'static> {
    event(image, at_ns, Action::Freed { block: Block(block), giver: Giver::C })
}

#[test]
fn each_image_has_its_own_heap() {
    let mut session = Session::new(Config::default());
    session.begin(OLD, None, 0);
    session.begin(YOUNG, None, 5);
    session.observe_batch(&[malloc(OLD, 100, 0x10), malloc(YOUNG, 100, 0x10), free(OLD, 900, 0x10)]);
    assert_eq!(session.totals(), Totals { events: 3, live_bytes: 8, ..Totals::default() });
    let [old, young] =
        [OLD, YOUNG].map(|image| session.end(image).and_then(|report| report.heap).expect("it began"));
    assert_eq!((old.live_blocks, young.live_blocks), (0, 1));
    assert_eq!(session.running().count(), 0);
}

#[test]
fn a_forked_child_may_release_what_its_parent_was_given() {
    let mut session = Session::new(Config::default());
    session.begin(OLD, None, 0);
    session.observe(&malloc(OLD, 100, 0x10));
    session.observe(&event(
        OLD,
        200,
        Action::Opened { fd: Fd(3), kind: "file", path: b"/a", flags: OpenFlags::default() },
    ));
    session.begin(YOUNG, Some(OLD), 500);
    session.observe(&free(YOUNG, 900, 0x10));
    session.observe(&event(YOUNG, 950, Action::Duplicated { from: Fd(3), to: Fd(4), close_on_exec: None }));
    let report = session.end(YOUNG).expect("it began");
    let heap = report.heap.expect("it is on");
    assert_eq!((heap.inherited_frees, heap.unmatched_frees.count), (1, 0));
    assert_eq!(report.descriptors.expect("it is on").still_open[0].path, b"/a");
    assert_eq!(session.end(OLD).and_then(|report| report.heap).expect("it is on").live_blocks, 1);
}

#[test]
fn events_of_an_image_that_does_not_run_are_strays() {
    let mut session = Session::new(Config::default());
    session.observe(&malloc(OLD, 1, 0x10));
    session.begin(OLD, None, 2);
    session.end(OLD);
    session.observe(&malloc(OLD, 3, 0x10));
    assert_eq!(session.totals(), Totals { events: 2, stray_events: 2, ..Totals::default() });
    assert_eq!(session.end(OLD), None);
}

#[test]
fn an_analyzer_that_is_off_finds_nothing() {
    let mut session = Session::new(Config { heap: false, descriptors: false, ..Config::default() });
    session.begin(OLD, None, 0);
    session.observe(&malloc(OLD, 1, 0x10));
    let report = session.end(OLD).expect("it began");
    assert_eq!((report.heap, report.mappings, report.descriptors), (None, None, None));
    assert_eq!(report.latency.expect("it is on").rows[0].count, 1);
}

#[test]
fn latencies_outlive_their_image() {
    let mut session = Session::new(Config::default());
    for image in [OLD, YOUNG] {
        session.begin(image, None, 0);
        session.observe(&malloc(image, 1, 0x10));
    }
    session.end(OLD);
    let histograms = session.histograms();
    assert_eq!((histograms[0].0, histograms[0].1.len()), (FunctionId(3), 2));
}
