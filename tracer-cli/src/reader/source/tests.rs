//! What the end of a thread leaves in its ring.

use calltap_channel::record::{PREFIX_WORDS, header};
use calltap_channel::ring::Words;
use calltap_channel::segment::{Layout, MIN_RING_BYTES};

use super::*;
use crate::segment_file::SegmentFile;

const LENGTH: u64 = PREFIX_WORDS as u64;
/// A hook's frame, and one of a signal handler's that interrupted it.
const FRAME: u64 = 0x7000;
const DEEPER: u64 = 0x6000;

/// A segment with a place for the tracer's ring and one thread's.
fn segment() -> Segment {
    let layout = Layout::new(2, MIN_RING_BYTES).unwrap().with_stacks(64, 64).unwrap();
    let segment = SegmentFile::create(layout).unwrap().segment();
    assert!(segment.control(1).claim(20, 21, 1, 0, segment.words(1).address(), layout.capacity));
    segment
}

/// A call of `function` has begun.
fn begin(segment: &Segment, function: Function, start: u64) {
    let control = segment.control(1);
    control.in_flight_start.store(start, Ordering::Relaxed);
    control.in_flight.store(u64::from(function.number()) + 1, Ordering::Relaxed);
}

/// Its record is being written: its start is there, if it is given.
fn write(segment: &Segment, start: Option<u64>) -> u64 {
    let at = segment.control(1).open(LENGTH, FRAME).unwrap();
    let place = segment.control(1).place(at);
    start.into_iter().for_each(|start| segment.words(1).store(place + 1, start, Ordering::Relaxed));
    at
}

/// The unfinished call, and whether another one is lost.
fn end(segment: &Segment) -> (Option<Function>, bool) {
    let mut source = Source::open(segment, 1, 0).unwrap();
    (source.unfinished().map(|(function, _)| function), source.close())
}

#[test]
fn a_call_in_whose_record_its_thread_died_is_unfinished_and_not_lost() {
    for (began, start) in [(50, None), (50, Some(50)), (0, Some(70))] {
        let segment = segment();
        begin(&segment, Function::malloc, began);
        write(&segment, start);
        assert_eq!(end(&segment), (Some(Function::malloc), false), "{began} {start:?}");
    }
}

#[test]
fn a_note_in_which_its_thread_died_is_no_lost_call() {
    let segment = segment();
    write(&segment, Some(50));
    assert_eq!(end(&segment), (None, false));
}

#[test]
fn a_call_that_a_handlers_has_interrupted_is_lost_if_the_thread_dies_in_that() {
    let segment = segment();
    begin(&segment, Function::malloc, 50);
    write(&segment, Some(50));
    begin(&segment, Function::close, 60);
    assert_eq!(end(&segment), (Some(Function::close), true));
}

#[test]
fn what_handlers_have_recorded_behind_an_unfinished_record_is_lost_with_it() {
    let segment = segment();
    begin(&segment, Function::malloc, 50);
    write(&segment, Some(50));
    let control = segment.control(1);
    let outer = control.examine(&segment.words(1), control.outer(), DEEPER, true);
    let at = control.open(LENGTH, DEEPER).unwrap();
    let first = header(PREFIX_WORDS, 0, Function::close.number(), 0);
    control.push(&segment.words(1), at, first, [60, 1, 2, 3]);
    control.close(outer);
    assert_eq!(end(&segment), (Some(Function::malloc), true));
}
