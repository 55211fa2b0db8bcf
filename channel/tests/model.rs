//! Model of the ring under all interleavings that the C11 memory model allows.
//!
//! Run with `RUSTFLAGS="--cfg loom" cargo test -p calltap-channel --release --test model`.
#![cfg(loom)]

use calltap_channel::record::{MAX_WORDS, PREFIX_WORDS, VOID, header};
use calltap_channel::ring::{Consumer, Control, Full, Peeked, Words};
use loom::sync::Arc;
use loom::sync::atomic::{AtomicU64, Ordering};
use loom::thread;

const CAPACITY: u64 = 2 * MAX_WORDS as u64;
const LENGTH: usize = PREFIX_WORDS;

/// Only the words that the test's records touch are modelled; loom's state grows with each.
struct Memory(Vec<AtomicU64>);

impl Words for Memory {
    fn load(&self, index: usize, order: Ordering) -> u64 {
        self.0[index % self.0.len()].load(order)
    }
    fn store(&self, index: usize, value: u64, order: Ordering) {
        self.0[index % self.0.len()].store(value, order);
    }
    fn clear(&self, index: usize, value: u64) {
        let _ = self.0[index % self.0.len()].compare_exchange(value, 0, Ordering::Relaxed, Ordering::Relaxed);
    }
}

struct Shared {
    control: Control,
    memory: Memory,
}

fn shared(records: usize) -> Arc<Shared> {
    let control = Control::new();
    assert!(control.claim(1, 1, 1, 0, 0, CAPACITY));
    let memory = Memory((0..records * LENGTH).map(|_| AtomicU64::new(0)).collect());
    Arc::new(Shared { control, memory })
}

fn push(shared: &Shared, number: u64) -> Result<(), Full> {
    let at = shared.control.reserve(LENGTH as u64)?;
    let word0 = header(LENGTH, VOID, number as u16, 0);
    shared.control.push(&shared.memory, at, word0, [number, number * 2, number * 3]);
    Ok(())
}

fn consume(shared: &Shared, consumer: &mut Consumer) -> Option<u64> {
    let mut words = [0; MAX_WORDS];
    match consumer.peek(&shared.memory, &mut words) {
        Peeked::Nothing => None,
        Peeked::Record(length) => {
            assert_eq!(length, LENGTH);
            let number = words[0] >> 16 & 0xffff;
            assert_eq!(words[1..4], [number, number * 2, number * 3], "a torn record");
            consumer.pass(&shared.memory, length);
            Some(number)
        }
        Peeked::Corrupt(word) => panic!("a header nobody wrote: {word:x}"),
    }
}

#[test]
fn records_arrive_whole_and_in_order() {
    loom::model(|| {
        let shared = shared(3);
        let producer = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || (1..=2).for_each(|number| push(&shared, number).unwrap()))
        };
        let mut consumer = Consumer::new(0, CAPACITY);
        let mut expected = 1;
        for _ in 0..2 {
            if let Some(number) = consume(&shared, &mut consumer) {
                assert_eq!(number, expected);
                expected += 1;
            }
        }
        producer.join().unwrap();
        while let Some(number) = consume(&shared, &mut consumer) {
            assert_eq!(number, expected);
            expected += 1;
        }
        assert_eq!(expected, 3);
    });
}

/// A place that the reader has cleared and released is empty for the producer that reuses it: what
/// the reader finds there afterwards is the new record or nothing, never zeros over it.
#[test]
fn a_reused_place_holds_the_new_record_or_nothing() {
    loom::model(|| {
        // One record's worth of memory stands for the whole ring: the second record lands on it.
        let shared = shared(1);
        push(&shared, 1).unwrap();
        let consumer_side = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                let mut consumer = Consumer::new(0, CAPACITY);
                assert_eq!(consume(&shared, &mut consumer), Some(1));
                consumer.release(&shared.control);
                consumer
            })
        };
        // The producer may write there only once the tail says so.
        let pushed = shared.control.refresh(CAPACITY) && {
            push(&shared, 2).unwrap();
            true
        };
        let mut consumer = consumer_side.join().unwrap();
        assert_eq!(consume(&shared, &mut consumer), pushed.then_some(2));
    });
}

/// Either the producer sees the new tail before it sleeps, or the reader sees that it waits.
#[test]
fn a_waiting_producer_is_woken() {
    loom::model(|| {
        let shared = shared(1);
        push(&shared, 1).unwrap();
        let reader = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                let mut consumer = Consumer::new(0, CAPACITY);
                assert_eq!(consume(&shared, &mut consumer), Some(1));
                consumer.release(&shared.control)
            })
        };
        shared.control.waiting.store(1, Ordering::SeqCst);
        loom::sync::atomic::fence(Ordering::SeqCst);
        let sleeps = !shared.control.refresh(CAPACITY);
        let wakes = reader.join().unwrap();
        assert!(!sleeps || wakes, "the producer would sleep on");
    });
}
