use super::*;
use crate::event::{Analyzer, Block, Giver, Image, Thread};

const MALLOC: u16 = 0;
const FREE: u16 = 1;
const DELETE: u16 = 2;
const OTHER: u16 = 3;

/// An image's heap and latencies.
struct Process {
    heap: HeapLedger,
    latency: AllocationLatency,
    now_ns: u64,
}

impl Process {
    fn new() -> Self {
        Self { heap: HeapLedger::default(), latency: AllocationLatency::new(&[true, true, true]), now_ns: 0 }
    }

    fn call(&mut self, function: u16, (start_ns, end_ns): (u64, u64), action: Action<'_>) {
        let event = Event {
            image: Image(1),
            thread: Thread(1),
            function: FunctionId(function),
            start_ns,
            end_ns,
            timed: true,
            errno: 0,
            site: 0,
            stack: 0,
            vfork_child: false,
            text: b"",
            used: None,
            action,
        };
        self.latency.observe_call(&event, Made::NOTHING, &mut self.heap);
        self.heap.observe(&event);
    }

    /// A call of 10 ns.
    fn next(&mut self, function: u16, action: Action<'_>) {
        self.now_ns += 100;
        self.call(function, (self.now_ns, self.now_ns + 10), action);
    }

    fn malloc(&mut self, block: u64, bytes: u64) {
        self.next(MALLOC, Action::Allocated { block: Block(block), bytes, giver: Giver::C });
    }

    fn free(&mut self, block: u64) {
        self.next(FREE, Action::Freed { block: Block(block), giver: Giver::C });
    }

    /// Function, size, threads and count of each row.
    fn rows(&self) -> Vec<(u16, Option<u64>, u64, u64)> {
        let rows = self.latency.report().into_iter();
        rows.map(|row| (row.calls.function.0, row.up_to_bytes, row.up_to_threads, row.calls.count)).collect()
    }
}

#[test]
fn sizes_are_classed_by_the_power_of_two_that_they_do_not_exceed() {
    let classes = [0, 1, 2, 3, 4, 5, 64, 65, 1 << 40, u64::MAX].map(|bytes| up_to(class_of(bytes)));
    assert_eq!(classes, [1, 1, 2, 4, 4, 8, 64, 128, 1 << 40, u64::MAX]);
}

#[test]
fn a_free_has_the_size_of_what_it_frees() {
    let mut process = Process::new();
    process.malloc(16, 100);
    process.malloc(32, 5000);
    process.free(32);
    process.free(16);
    process.free(16);
    process.next(FREE, Action::None);
    assert_eq!(
        process.rows(),
        [
            (MALLOC, Some(128), 1, 1),
            (MALLOC, Some(8192), 1, 1),
            (FREE, Some(128), 1, 1),
            (FREE, Some(8192), 1, 1),
            (FREE, None, 1, 2)
        ]
    );
}

#[test]
fn an_outer_release_has_the_size_of_the_inner_one() {
    let mut process = Process::new();
    process.malloc(16, 100);
    process.call(FREE, (1010, 1020), Action::Freed { block: Block(16), giver: Giver::C });
    process.call(DELETE, (1000, 1030), Action::Freed { block: Block(16), giver: Giver::New });
    assert_eq!(
        process.rows(),
        [(MALLOC, Some(128), 1, 1), (FREE, Some(128), 1, 1), (DELETE, Some(128), 1, 1)]
    );
}

#[test]
fn threads_are_those_of_the_time_at_which_a_call_began() {
    let mut process = Process::new();
    (0..3).for_each(|number| process.latency.thread_began(1000 + number));
    process.now_ns = 1100;
    process.malloc(16, 1);
    // It began before the threads, and is told after them.
    process.call(MALLOC, (900, 2000), Action::Allocated { block: Block(32), bytes: 1, giver: Giver::C });
    assert_eq!(process.rows(), [(MALLOC, Some(1), 1, 1), (MALLOC, Some(1), 4, 1)]);
}

#[test]
fn other_functions_have_no_rows() {
    let mut process = Process::new();
    process.next(OTHER, Action::Allocated { block: Block(16), bytes: 1, giver: Giver::C });
    assert_eq!(process.rows(), []);
}

#[test]
fn durations_add_up() {
    let mut process = Process::new();
    process.malloc(16, 1);
    process.call(MALLOC, (900, 2000), Action::AllocationFailed { bytes: 1 });
    let row = &process.latency.report()[0];
    assert_eq!(row.durations, [(10, 1), (1100, 1)]);
    assert_eq!((row.calls.total_ns, row.calls.max_ns, row.calls.timed), (1110, 1100, 2));
}

#[test]
fn what_was_found_before_an_image_was_known_is_its_own() {
    let (mut known, mut provisional) = (Process::new(), Process::new());
    provisional.latency.thread_began(5);
    provisional.malloc(16, 1);
    known.malloc(16, 4);
    known.latency.adopt(provisional.latency);
    known.now_ns = 500;
    known.malloc(32, 4);
    assert_eq!(known.rows(), [(MALLOC, Some(1), 2, 1), (MALLOC, Some(4), 1, 1), (MALLOC, Some(4), 2, 1)]);
}
