//! The reader's side against a target that scribbles over the segment.

use std::sync::atomic::{AtomicU64, Ordering};

use calltap_channel::record::{MAX_TEXT, MAX_WORDS, Record};
use calltap_channel::ring::{Consumer, Control, Peeked, Words};
use calltap_channel::stack::{self, End, Frame, MAX_DEPTH, StackTable};
use proptest::prelude::*;

const CAPACITY: usize = 2048;
const SLOTS: u64 = 16;

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

fn memory(words: &[u64]) -> Memory {
    let padded = words.iter().copied().chain(std::iter::repeat(0));
    Memory(padded.take(CAPACITY + MAX_WORDS).map(AtomicU64::new).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_words_make_a_record_or_an_error(words in prop::collection::vec(any::<u64>(), 0..MAX_WORDS)) {
        if let Ok(record) = Record::parse(&words) {
            prop_assert!(record.len_words() <= words.len());
            prop_assert!(record.end() >= record.start());
            let _ = (record.returned(), record.argument(0), record.argument(usize::MAX - 64));
            prop_assert!(record.arguments().len() <= record.len_words());
            if let Some(text) = record.text() {
                prop_assert!(text.as_bytes().len() <= MAX_TEXT);
            }
        }
    }

    #[test]
    fn a_scribbled_ring_is_drained_in_bounded_steps(
        words in prop::collection::vec(prop_oneof![Just(0), 0..200u64, any::<u64>()], 0..CAPACITY),
        cursor in any::<u64>(),
    ) {
        let (_, control, mut consumer) = ring();
        let memory = memory(&words);
        // As good as scribbled over.
        control.free(cursor);
        let mut into = [0; MAX_WORDS];
        let mut steps = 0;
        loop {
            match consumer.peek(&memory, &mut into) {
                Peeked::Nothing => break,
                Peeked::Record(length) => consumer.pass(&memory, length),
                Peeked::Corrupt(_) => consumer.clear(&memory),
            }
            steps += 1;
            prop_assert!(steps <= CAPACITY);
        }
        let before = consumer.position();
        consumer.abandon(&memory, &control);
        prop_assert!(consumer.position() - before <= CAPACITY as u64);
    }
}

/// What a real producer writes is read back as it was written, over many laps and all lengths.
#[test]
fn laps_of_all_lengths_come_back_unchanged() {
    let memory = memory(&[]);
    let control = Control::new();
    assert!(control.claim(1, 2, 3, 4, 0, CAPACITY as u64));
    let mut consumer = Consumer::new(0, CAPACITY as u64);
    let mut into = [0; MAX_WORDS];
    let (mut written, mut read) = (0_u64, 0_u64);
    let length_of = |number: u64| 4 + (number * 7 % (MAX_WORDS as u64 - 4)) as usize;
    while read < 20_000 {
        while let Ok(at) = control.reserve(length_of(written) as u64) {
            let place = control.place(at);
            for index in 1..length_of(written) {
                memory.store(place + index, written ^ index as u64, Ordering::Relaxed);
            }
            memory.store(place, length_of(written) as u64, Ordering::Release);
            written += 1;
        }
        while let Peeked::Record(length) = consumer.peek(&memory, &mut into) {
            assert_eq!(length, length_of(read));
            assert!((1..length).all(|index| into[index] == read ^ index as u64), "record {read}");
            consumer.pass(&memory, length);
            read += 1;
        }
        consumer.release(&control);
        assert!(control.refresh(1), "drained, so there is room");
    }
    assert_eq!(written, read);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_scribbled_table_gives_bounded_stacks_and_takes_new_ones(
        words in prop::collection::vec(prop_oneof![Just(0), 0..400u64, any::<u64>()], 0..stack::bytes_of(SLOTS) as usize / 8),
        ids in prop::collection::vec(any::<u32>(), 8),
        hash in any::<u64>(),
    ) {
        let padded = words.into_iter().chain(std::iter::repeat(0)).take(stack::bytes_of(SLOTS) as usize / 8);
        let memory: Vec<AtomicU64> = padded.map(AtomicU64::new).collect();
        // SAFETY: the vector has the size of such a table and outlives its use.
        let table = unsafe { StackTable::at(memory.as_ptr().cast(), SLOTS) };
        for id in (0..=SLOTS as u32 + 1).chain(ids) {
            if let Some(stack) = table.get(id) {
                prop_assert!(stack.frames.len() <= MAX_DEPTH);
            }
        }
        let frames = [Frame(1), Frame(u64::MAX), Frame(3)];
        let id = table.intern(hash, End::Depth, frames.iter().copied());
        prop_assert!(u64::from(id) <= SLOTS);
    }
}

/// A claimed ring, and how to write a record of `length` words into it.
fn ring() -> (Memory, Control, Consumer) {
    let control = Control::new();
    assert!(control.claim(1, 2, 3, 4, 0, CAPACITY as u64));
    (memory(&[]), control, Consumer::new(0, CAPACITY as u64))
}

fn write(memory: &Memory, control: &Control, length: u64) -> bool {
    let reserve = || control.reserve(length).ok();
    let Some(at) = reserve().or_else(|| control.refresh(length).then(reserve).flatten()) else {
        return false;
    };
    memory.store(control.place(at), length, Ordering::Release);
    true
}

#[test]
fn after_words_that_nobody_writes_reading_goes_on_with_the_next_record() {
    let (memory, control, mut consumer) = ring();
    let mut into = [0; MAX_WORDS];
    for lap in 0..200 {
        let first = control.reserve(7).unwrap();
        memory.store(control.place(first), [u64::MAX, 3, 9 << 8][lap % 3], Ordering::Relaxed);
        let second = control.reserve(20).unwrap();
        memory.store(control.place(second), 20, Ordering::Release);
        assert!(matches!(consumer.peek(&memory, &mut into), Peeked::Corrupt(_)));
        assert_eq!(consumer.restart(&memory, &control), 27, "all that was reserved");
        assert_eq!(consumer.peek(&memory, &mut into), Peeked::Nothing);
        let third = control.reserve(5).unwrap();
        memory.store(control.place(third), 5, Ordering::Release);
        assert_eq!(consumer.peek(&memory, &mut into), Peeked::Record(5));
        assert!(consumer.is_reserved(&control, 5) && !consumer.is_reserved(&control, 6));
        consumer.pass(&memory, 5);
        consumer.release(&control);
        assert!(control.refresh(CAPACITY as u64), "all of it is free again");
    }
}

#[test]
fn what_is_not_reserved_is_no_record_and_in_nobodys_way() {
    let (memory, control, mut consumer) = ring();
    let mut into = [0; MAX_WORDS];
    memory.store(0, 12, Ordering::Relaxed);
    assert_eq!(consumer.peek(&memory, &mut into), Peeked::Record(12));
    assert!(!consumer.is_reserved(&control, 12));
    assert_eq!(consumer.restart(&memory, &control), 0);
    let at = control.reserve(5).unwrap();
    assert_eq!(consumer.peek(&memory, &mut into), Peeked::Nothing);
    memory.store(control.place(at), 5, Ordering::Release);
    assert_eq!(consumer.peek(&memory, &mut into), Peeked::Record(5));
    assert!(consumer.is_reserved(&control, 5));
}

#[test]
fn who_waits_for_room_behind_a_record_that_was_cleared_is_let_go_on() {
    let (memory, control, mut consumer) = ring();
    while write(&memory, &control, 16) {}
    memory.store(0, 0, Ordering::Relaxed);
    let mut into = [0; MAX_WORDS];
    assert_eq!(consumer.peek(&memory, &mut into), Peeked::Nothing);
    assert!((0..1000).all(|_| !consumer.is_stuck(&control)), "it may be in the middle of a push");
    control.waiting.store(1, Ordering::Relaxed);
    assert!((0..1000).any(|_| consumer.is_stuck(&control)));
    assert_eq!(consumer.restart(&memory, &control), CAPACITY as u64);
    assert!(consumer.release(&control), "it is to be woken");
    assert!(control.refresh(16));
}
