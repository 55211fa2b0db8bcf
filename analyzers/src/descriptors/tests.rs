use proptest::prelude::*;

use super::*;
use crate::event::{FunctionId, Image, Thread};

mod exec;
mod faults;
mod growth;
mod model;
mod reconcile;
mod streams;

const MAIN: Thread = Thread(1);
const WORKER: Thread = Thread(2);
const IMAGE: Image = Image(1);
const FLAGS: OpenFlags = OpenFlags { word: Some(0), close_on_exec: Some(false) };

fn call(thread: Thread, start_ns: u64, action: Action<'static>) -> Event<'static> {
    Event {
        image: IMAGE,
        thread,
        function: FunctionId(8),
        start_ns,
        end_ns: start_ns + 20,
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

fn open(start_ns: u64, fd: i32) -> Event<'static> {
    call(MAIN, start_ns, Action::Opened { fd: Fd(fd), kind: "file", path: b"/etc/hosts", flags: FLAGS })
}

fn close(start_ns: u64, fd: i32) -> Event<'static> {
    call(MAIN, start_ns, Action::Closed { fd: Fd(fd) })
}

fn dup2(start_ns: u64, from: i32, onto: i32) -> Event<'static> {
    call(
        MAIN,
        start_ns,
        Action::DuplicatedOnto { from: Fd(from), onto: Fd(onto), close_on_exec: Some(false) },
    )
}

fn close_range(start_ns: u64, first: i32, last: i32) -> Event<'static> {
    call(MAIN, start_ns, Action::ClosedRange { first: Fd(first), last: Fd(last) })
}

fn by(thread: Thread, event: Event<'static>) -> Event<'static> {
    Event { thread, ..event }
}

fn on(stack: u32, event: Event<'static>) -> Event<'static> {
    Event { stack, ..event }
}

fn after(mut descriptors: Descriptors, events: &[Event<'_>]) -> DescriptorReport {
    events.iter().for_each(|event| descriptors.observe(event));
    let report = descriptors.report();
    assert_eq!(report.opened, report.closed + report.replaced_unseen + report.still_open.len() as u64);
    assert_eq!(descriptors.open_now(), report.still_open.len() as u64);
    assert_eq!(report.by_place.iter().map(|place| place.opened).sum::<u64>(), report.opened);
    for place in &report.by_place {
        let of_place = |open: &&OpenDescriptor| {
            (open.site, open.stack, open.function) == (place.site, place.stack, place.function)
        };
        assert_eq!(report.still_open.iter().filter(of_place).count() as u64, place.still_open);
    }
    report
}

fn findings(events: &[Event<'_>]) -> DescriptorReport {
    after(Descriptors::new(IMAGE), events)
}

/// Opened, closed, closed though not opened here, and the numbers that are still open.
fn counts(report: &DescriptorReport) -> (u64, u64, u64, Vec<i32>) {
    let open = report.still_open.iter().map(|open| open.fd.0).collect();
    (report.opened, report.closed, report.closed_inherited, open)
}

#[test]
fn what_is_opened_and_not_closed_is_still_open_with_its_path_and_site() {
    let report = findings(&[open(100, 4), open(200, 3), close(300, 4)]);
    let left = OpenDescriptor {
        fd: Fd(3),
        kind: "file",
        path: b"/etc/hosts".to_vec(),
        function: FunctionId(8),
        site: 0x400,
        stack: 0,
        thread: MAIN,
        started_ns: 200,
        opened_ns: 220,
        flags: Some(0),
        close_on_exec: Some(false),
        stream: None,
        is_redirection: false,
        last_use: None,
    };
    assert_eq!(report.still_open, [left]);
    assert_eq!((report.peak_open, report.peak_ns), (2, 220));
}

#[test]
fn a_late_close_does_not_close_the_next_owner_of_the_number() {
    let report = findings(&[open(10, 3), by(WORKER, open(1030, 3)), close(520, 3)]);
    assert_eq!(counts(&report), (2, 1, 0, vec![3]));
    assert_eq!(report.still_open[0].thread, WORKER);
}

#[test]
fn a_close_told_before_its_open_closes_it() {
    let report = findings(&[by(WORKER, close(1000, 3)), open(100, 3)]);
    assert_eq!(counts(&report), (1, 1, 0, vec![]));
}

#[test]
fn a_number_got_again_without_a_close_was_closed_unseen() {
    let report = findings(&[open(100, 3), open(1000, 3)]);
    assert_eq!((counts(&report), report.replaced_unseen), ((2, 0, 0, vec![3]), 1));
}

#[test]
fn closing_what_was_not_opened_here_is_no_fault() {
    let report = findings(&[close(100, 0), close(200, 1)]);
    assert_eq!(counts(&report), (0, 0, 2, vec![]));
}

#[test]
fn both_descriptors_of_a_pair_and_each_received_one_count() {
    let pair = call(MAIN, 100, Action::OpenedPair { fds: [Fd(3), Fd(4)], kind: "pipe", flags: FLAGS });
    let received = call(MAIN, 200, Action::Received { fds: &[5, 0xffff_ffff_0000_0006], flags: FLAGS });
    let report = findings(&[pair, received, close(300, 4)]);
    assert_eq!(counts(&report), (4, 1, 0, vec![3, 5, 6]));
    assert_eq!(report.kinds["pipe"], KindCounts { opened: 2, closed: 1 });
    assert_eq!(report.kinds["received"], KindCounts { opened: 2, closed: 0 });
}

#[test]
fn a_duplicate_is_what_its_source_is() {
    let dup = |start, from, to| {
        call(MAIN, start, Action::Duplicated { from: Fd(from), to: Fd(to), close_on_exec: Some(false) })
    };
    let report = findings(&[open(100, 3), dup(200, 3, 4), dup(300, 0, 5)]);
    let kinds: Vec<_> = report.still_open.iter().map(|open| (open.kind, &open.path[..])).collect();
    assert_eq!(kinds, [("file", &b"/etc/hosts"[..]), ("file", b"/etc/hosts"), ("duplicate", b"")]);
}

#[test]
fn dup2_closes_what_it_falls_on() {
    let report = findings(&[open(100, 3), open(200, 4), dup2(300, 3, 4)]);
    assert_eq!((counts(&report), report.replaced_unseen), ((3, 1, 0, vec![3, 4]), 0));
    let report = findings(&[open(100, 3), dup2(200, 3, 1), close(300, 3)]);
    assert_eq!(counts(&report), (2, 1, 0, vec![1]));
}

#[test]
fn a_closed_range_closes_what_is_open_in_it() {
    let report =
        findings(&[open(100, 3), open(200, 4), open(300, 9), close_range(400, 4, i32::MAX), open(500, 4)]);
    assert_eq!(counts(&report), (4, 2, 0, vec![3, 4]));
    let nonsense = findings(&[open(100, 3), close_range(400, 9, 1)]);
    assert_eq!(counts(&nonsense), (1, 0, 0, vec![3]));
}

#[test]
fn a_closed_range_closes_what_is_told_late_and_was_open_before() {
    let range = by(WORKER, close_range(1000, 3, 9));
    assert_eq!(counts(&findings(&[range, open(100, 5)])), (1, 1, 0, vec![]));
    assert_eq!(counts(&findings(&[range, open(2000, 5)])), (1, 0, 0, vec![5]));
    assert_eq!(counts(&findings(&[range, open(100, 5), open(2000, 5)])), (2, 1, 0, vec![5]));
}

#[test]
fn freopen_closes_one_and_opens_another() {
    let reopened = Action::Reopened { old: Fd(3), new: Fd(3), kind: "file", path: b"/b" };
    let report = findings(&[open(100, 3), call(MAIN, 200, reopened)]);
    assert_eq!(counts(&report), (2, 1, 0, vec![3]));
    assert_eq!(report.still_open[0].path, b"/b");
}

#[test]
fn a_failed_close_is_told_with_its_site() {
    let report = findings(&[on(5, call(WORKER, 100, Action::CloseFailed { fd: Fd(77) }))]);
    let function = FunctionId(8);
    let fault = CloseFault { fd: Fd(77), function, site: 0x400, stack: 5, thread: WORKER, at_ns: 100 };
    assert_eq!((report.failed_closes.count, report.failed_closes.examples), (1, vec![fault]));
}

#[test]
fn an_open_inside_an_open_is_one() {
    let inner = Event {
        end_ns: 150,
        ..call(MAIN, 110, Action::Opened { fd: Fd(3), kind: "file", path: b"/x", flags: FLAGS })
    };
    let outer = Event {
        end_ns: 200,
        ..call(MAIN, 100, Action::Opened { fd: Fd(3), kind: "shm", path: b"x", flags: FLAGS })
    };
    let report = findings(&[inner, outer]);
    assert_eq!((counts(&report), report.still_open[0].kind), ((1, 0, 0, vec![3]), "shm"));
    assert_eq!(report.kinds.len(), 1);
}

#[test]
fn opens_are_counted_by_place_with_the_most_still_open_first() {
    let report = findings(&[
        on(9, open(100, 3)),
        on(8, open(200, 4)),
        on(9, open(300, 5)),
        close(400, 4),
        on(8, open(500, 4)),
        on(8, open(600, 6)),
        close(700, 3),
        close(800, 6),
    ]);
    let place =
        |stack, opened| PlaceOpens { site: 0x400, stack, function: FunctionId(8), opened, still_open: 1 };
    assert_eq!(report.by_place, [place(8, 3), place(9, 2)]);
    let stacks: Vec<_> = report.still_open.iter().map(|open| (open.fd, open.stack)).collect();
    assert_eq!(stacks, [(Fd(4), 8), (Fd(5), 9)]);
}

#[test]
fn an_open_inside_an_open_belongs_to_the_outer_ones_place() {
    let inner = Event { end_ns: 150, ..on(7, open(110, 3)) };
    let outer = Event { end_ns: 200, ..on(6, open(100, 3)) };
    let places = findings(&[inner, outer]).by_place;
    assert_eq!(places.iter().map(|place| (place.stack, place.opened)).collect::<Vec<_>>(), [(6, 1)]);
}

#[test]
fn a_close_inside_a_close_is_one() {
    let outer = Event { end_ns: 400, ..close(290, 3) };
    assert_eq!(counts(&findings(&[open(100, 3), close(300, 3), outer])), (1, 1, 0, vec![]));
    assert_eq!(counts(&findings(&[close(300, 3), outer])), (0, 0, 1, vec![]));
}

#[test]
fn a_vfork_childs_descriptors_are_its_own() {
    let child = Event { vfork_child: true, ..close(200, 3) };
    let memory = Event { vfork_child: true, ..call(MAIN, 300, Action::None) };
    let report = findings(&[open(100, 3), child, memory]);
    assert_eq!((counts(&report), report.vfork_child_calls), ((1, 0, 0, vec![3]), 1));
}

#[test]
fn a_forked_child_has_copies_that_it_need_not_close() {
    let mut parent = Descriptors::new(IMAGE);
    [open(100, 3), open(200, 4)].iter().for_each(|event| parent.observe(event));
    let child = || Descriptors::forked(Image(2), parent.inherit());
    let report = after(child(), &[close(300, 3), dup2(400, 4, 1)]);
    assert_eq!(counts(&report), (1, 0, 1, vec![1]));
    assert_eq!(report.still_open[0].path, b"/etc/hosts");
    let report = after(child(), &[close_range(300, 0, 100)]);
    assert_eq!(counts(&report), (0, 0, 2, vec![]));
    let report = after(child(), &[close(300, 3), open(400, 3), close(500, 3)]);
    assert_eq!(counts(&report), (1, 1, 1, vec![]));
    assert_eq!(parent.open_now(), 2);
}

#[test]
fn numbers_closed_again_and_again_unopened_take_no_more_memory_and_are_counted() {
    let events: Vec<_> = (1..=1000).map(|turn| close(turn * 1000, 7)).collect();
    assert_eq!(counts(&findings(&events)), (0, 0, 1000, vec![]));
}

proptest! {
    /// A program that opens and closes a few numbers properly, told late by less than one turn.
    #[test]
    fn every_open_is_closed_or_still_open(
        steps in prop::collection::vec((0..6_i32, 1..4_u32), 1..100),
        delays in prop::collection::vec(0..900_u64, 100),
    ) {
        let mut open_now = std::collections::BTreeSet::new();
        let mut told = Vec::new();
        let mut last = std::collections::BTreeMap::<Thread, u64>::new();
        let mut opened = 0;
        for (((fd, thread), delay), turn) in steps.iter().zip(&delays).zip(1..) {
            let (thread, start) = (Thread(*thread), turn * 1000);
            let event = if open_now.remove(fd) { close(start, *fd) } else { open_now.insert(*fd); opened += 1; open(start, *fd) };
            let at = last.entry(thread).or_default();
            *at = (*at).max(start + delay);
            told.push((*at, on(turn as u32 % 3, by(thread, event))));
        }
        told.sort_by_key(|(at, _)| *at);
        let events: Vec<_> = told.into_iter().map(|(_, event)| event).collect();
        let report = findings(&events);
        let left = open_now.len() as u64;
        prop_assert_eq!(counts(&report), (opened, opened - left, 0, open_now.into_iter().collect()));
    }
}
