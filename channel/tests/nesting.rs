//! Pushes inside pushes: what a signal handler does to the ring of the thread it interrupts.

use std::sync::atomic::{AtomicU64, Ordering};

use calltap_channel::Note;
use calltap_channel::record::{MAX_WORDS, PREFIX_WORDS, VOID, header};
use calltap_channel::ring::{Consumer, Control, Outer, Peeked, Torn, Words};

const CAPACITY: u64 = 2 * MAX_WORDS as u64;
const LENGTH: usize = PREFIX_WORDS;
/// A frame, and one of a handler that interrupted it: stacks grow down.
const FRAME: u64 = 0x7000;
const DEEPER: u64 = 0x6000;

struct Memory(Vec<AtomicU64>);

impl Words for Memory {
    fn load(&self, index: usize, order: Ordering) -> u64 {
        self.0[index].load(order)
    }
    fn store(&self, index: usize, value: u64, order: Ordering) {
        self.0[index].store(value, order);
    }
    fn clear(&self, index: usize, value: u64) {
        let _ = self.0[index].compare_exchange(value, 0, Ordering::Relaxed, Ordering::Relaxed);
    }
}

struct Ring {
    control: Control,
    memory: Memory,
    consumer: Consumer,
}

impl Ring {
    fn new() -> Self {
        let control = Control::new();
        assert!(control.claim(1, 1, 1, 0, 0, CAPACITY));
        let words = CAPACITY as usize + MAX_WORDS;
        let memory = Memory((0..words).map(|_| AtomicU64::new(0)).collect());
        Self { control, memory, consumer: Consumer::new(0, CAPACITY) }
    }

    fn commit(&self, at: u64, number: u16, outer: Outer) {
        self.control.push(&self.memory, at, header(LENGTH, VOID, number, 0), [0; LENGTH - 1]);
        self.control.close(outer);
    }

    /// One whole push, as a hook at `frame` does it; false if the ring is full.
    fn push(&self, number: u16, frame: u64, same_stack: bool) -> bool {
        let mut outer = self.control.outer();
        if outer.exists() {
            outer = self.control.examine(&self.memory, outer, frame, same_stack);
        }
        let Ok(at) = self.control.open(LENGTH as u64, frame) else { return false };
        self.commit(at, number, outer);
        true
    }

    /// Numbers of the records that can be read now.
    fn drain(&mut self) -> Vec<u16> {
        let mut into = [0; MAX_WORDS];
        let mut numbers = Vec::new();
        while let Peeked::Record(length) = self.consumer.peek(&self.memory, &mut into) {
            numbers.push((into[0] >> 16) as u16);
            self.consumer.pass(&self.memory, length);
        }
        self.consumer.release(&self.control);
        numbers
    }
}

#[test]
fn a_handlers_records_stand_behind_the_one_it_interrupted() {
    let mut ring = Ring::new();
    let at = ring.control.open(LENGTH as u64, FRAME).unwrap();
    assert!(ring.push(2, DEEPER, true) && ring.push(3, DEEPER, true));
    assert_eq!(ring.drain(), []);
    ring.commit(at, 1, Outer::NONE);
    assert_eq!(ring.drain(), [1, 2, 3]);
    assert!(!ring.control.outer().exists());
}

#[test]
fn a_handler_that_fills_the_ring_waits_in_vain_only_once_the_reader_has_come_to_the_open_push() {
    let mut ring = Ring::new();
    assert!(ring.push(1, FRAME, true));
    let at = ring.control.open(LENGTH as u64, FRAME).unwrap();
    while ring.push(2, DEEPER, true) {}
    let outer = ring.control.examine(&ring.memory, ring.control.outer(), DEEPER, true);
    assert!(!ring.control.is_waiting_in_vain(outer), "record 1 can still be read");
    assert_eq!(ring.drain(), [1]);
    assert!(ring.control.is_waiting_in_vain(outer));
    ring.commit(at, 3, Outer::NONE);
    assert_eq!(ring.drain()[0], 3);
}

#[test]
fn a_push_that_is_noted_but_not_reserved_blocks_nobody() {
    let mut ring = Ring::new();
    // The handler came between the note and the reservation: the cursor has not moved.
    let before = ring.control.cursor();
    let at = ring.control.open(LENGTH as u64, FRAME).unwrap();
    ring.commit(at, 1, Outer::NONE);
    assert_eq!((at, ring.drain()), (before, vec![1]));
    let noted = Outer::noted(ring.control.cursor(), LENGTH as u64);
    ring.control.close(noted);
    while ring.push(2, DEEPER, true) {}
    let outer = ring.control.examine(&ring.memory, ring.control.outer(), DEEPER, true);
    assert!(!ring.control.is_waiting_in_vain(outer));
    assert!(ring.drain().iter().all(|number| *number == 2));
}

#[test]
fn a_push_left_by_a_jump_is_passed_over() {
    let mut ring = Ring::new();
    ring.control.open(LENGTH as u64, FRAME).unwrap();
    assert!(ring.push(2, DEEPER, true));
    // siglongjmp out of the handler; the next hook runs in the same frame or above.
    assert!(ring.push(3, FRAME, true));
    assert_eq!(ring.drain(), [Note::Abandoned as u16, 2, 3]);
    assert!(!ring.control.outer().exists());
}

#[test]
fn a_dead_producer_leaves_the_record_that_it_was_writing() {
    for start in [0, 77] {
        let mut ring = Ring::new();
        assert!(ring.push(1, FRAME, true));
        let at = ring.control.open(LENGTH as u64, FRAME).unwrap();
        ring.memory.store(ring.control.place(at) + 1, start, Ordering::Relaxed);
        assert_eq!(ring.drain(), [1]);
        assert_eq!(ring.consumer.abandon(&ring.memory, &ring.control), Torn::Record(start));
        assert_eq!(ring.consumer.abandon(&ring.memory, &ring.control), Torn::Nothing);
    }
}

#[test]
fn records_behind_one_that_was_never_finished_are_left_with_it() {
    let mut ring = Ring::new();
    ring.control.open(LENGTH as u64, FRAME).unwrap();
    assert!(ring.push(2, DEEPER, true));
    assert_eq!(ring.consumer.abandon(&ring.memory, &ring.control), Torn::Run);

    let mut ring = Ring::new();
    ring.control.open(LENGTH as u64, FRAME).unwrap();
    ring.control.examine(&ring.memory, ring.control.outer(), DEEPER, true);
    ring.control.open(LENGTH as u64, DEEPER).unwrap();
    assert_eq!(ring.consumer.abandon(&ring.memory, &ring.control), Torn::Run);
}

#[test]
fn on_a_signal_stack_frames_are_not_compared() {
    let mut ring = Ring::new();
    let at = ring.control.open(LENGTH as u64, FRAME).unwrap();
    assert!(ring.push(2, u64::MAX, false));
    ring.commit(at, 1, Outer::NONE);
    assert_eq!(ring.drain(), [1, 2]);
}
