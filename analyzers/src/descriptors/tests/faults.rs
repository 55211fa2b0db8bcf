//! Descriptors closed twice, by the wrong one, used when closed, or refused.

use super::*;

const OTHER: Thread = Thread(3);

fn failed(start_ns: u64, fd: i32) -> Event<'static> {
    Event { errno: 9, ..call(MAIN, start_ns, Action::CloseFailed { fd: Fd(fd) }) }
}

fn read(start_ns: u64, fd: i32, errno: u16) -> Event<'static> {
    Event { errno, used: Some(Fd(fd)), ..call(MAIN, start_ns, Action::None) }
}

fn faults(report: &DescriptorReport) -> (u64, u64, u64) {
    (report.double_closes.count, report.foreign_closes.count, report.uses_after_close.count)
}

#[test]
fn a_second_close_is_told_with_the_first_and_with_the_open() {
    let report = findings(&[on(5, open(100, 3)), on(6, close(200, 3)), on(7, failed(300, 3))]);
    let fault = &report.double_closes.examples[0];
    let stacks = [fault.opened.expect("it was opened here"), fault.first, fault.second];
    assert_eq!(stacks.map(|call| (call.stack, call.at_ns)), [(5, 120), (6, 200), (7, 300)]);
    assert_eq!((fault.fd, fault.kind, &fault.path[..]), (Fd(3), "file", &b"/etc/hosts"[..]));
    assert_eq!((faults(&report), report.failed_closes.count), ((1, 0, 0), 1));
}

#[test]
fn a_place_that_closes_whatever_may_be_open_makes_no_double_closes() {
    let sweep = (3..20).map(|fd| on(7, failed(1000 + 100 * fd as u64, fd)));
    let events: Vec<_> = [on(5, open(100, 3)), on(6, close(200, 3))].into_iter().chain(sweep).collect();
    let report = findings(&events);
    assert_eq!((faults(&report), report.failed_closes.count), ((0, 0, 0), 17));
}

#[test]
fn a_close_of_no_number_at_all_is_no_double_close_and_no_sweep() {
    let report =
        findings(&[on(7, failed(50, -1)), on(5, open(100, 3)), close(200, 3), on(7, failed(300, 3))]);
    assert_eq!((faults(&report), report.failed_closes.count), ((1, 0, 0), 2));
}

#[test]
fn a_failed_close_inside_another_is_one_and_bears_the_outer_ones_name() {
    let inner = Event { end_ns: 350, ..on(8, failed(300, 3)) };
    let outer = Event { end_ns: 400, ..on(9, failed(290, 3)) };
    let report = findings(&[open(100, 3), close(200, 3), inner, outer]);
    assert_eq!((faults(&report), report.failed_closes.count), ((1, 0, 0), 1));
    assert_eq!(report.double_closes.examples[0].second.stack, 9);
    assert_eq!(report.failed_closes.examples[0].stack, 9);
}

#[test]
fn a_use_of_what_was_closed_is_told_with_the_close() {
    let report = findings(&[open(100, 3), read(150, 3, 0), on(6, close(200, 3)), on(7, read(300, 3, 9))]);
    let fault = &report.uses_after_close.examples[0];
    assert_eq!((fault.closed.stack, fault.used.stack, faults(&report)), (6, 7, (0, 0, 1)));
}

#[test]
fn a_use_of_what_was_never_open_is_no_use_after_close() {
    assert_eq!(faults(&findings(&[read(100, 3, 9), read(200, 4, 5)])), (0, 0, 0));
}

#[test]
fn the_last_use_is_kept_with_the_function() {
    let report = findings(&[open(100, 3), read(150, 3, 0), read(400, 3, 11)]);
    let last = report.still_open[0].last_use.expect("it was used");
    assert_eq!((last.at_ns, last.function, last.thread), (420, FunctionId(8), MAIN));
}

/// A worker closes twice; in between another thread is given the number.
fn race(second: Event<'static>) -> Vec<Event<'static>> {
    let opened = by(WORKER, on(5, open(100, 3)));
    let closed = by(WORKER, on(6, close(200, 3)));
    vec![opened, closed, by(OTHER, on(7, open(300, 3))), by(WORKER, second)]
}

#[test]
fn the_same_code_closing_again_has_closed_anothers() {
    let report = findings(&race(on(6, close(400, 3))));
    let fault = &report.foreign_closes.examples[0];
    assert_eq!((fault.opened.thread, fault.opened.stack), (OTHER, 7));
    assert_eq!((fault.former.at_ns, fault.closed.at_ns, fault.missed), (200, 400, None));
}

#[test]
fn a_thread_that_is_handed_a_descriptor_may_close_it() {
    assert_eq!(faults(&findings(&race(on(8, close(400, 3))))), (0, 0, 0));
}

#[test]
fn an_owner_that_finds_its_descriptor_closed_proves_who_closed_it() {
    let mut events = race(on(8, close(400, 3)));
    events.push(by(OTHER, on(9, failed(500, 3))));
    let report = findings(&events);
    let fault = &report.foreign_closes.examples[0];
    assert_eq!((fault.closed.stack, fault.missed.map(|call| call.stack)), (8, Some(9)));
    assert_eq!(faults(&report), (0, 1, 0));
}

#[test]
fn a_pool_of_threads_that_takes_turns_is_clean() {
    let events: Vec<_> = (0..100)
        .flat_map(|turn| {
            let thread = if turn % 3 == 0 { WORKER } else { OTHER };
            let at = 1000 * turn;
            [by(thread, on(5, open(at, 3))), by(thread, on(6, close(at + 500, 3)))]
        })
        .collect();
    assert_eq!(faults(&findings(&events)), (0, 0, 0));
}

#[test]
fn calls_that_find_no_free_number_are_counted_once_each() {
    let refused = |start_ns| Event { errno: 24, ..call(MAIN, start_ns, Action::None) };
    let inner = Event { end_ns: 150, ..on(8, refused(110)) };
    let outer = Event { end_ns: 200, ..on(9, refused(100)) };
    let report = findings(&[inner, outer, refused(500)]);
    assert_eq!((report.exhausted.count, report.exhausted.examples[0].call.stack), (2, 9));
}
