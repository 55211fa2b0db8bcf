//! Calls of a target, in a few words.

use calltap_analyzers::event::{Action, Analyzer, Block, Event, FunctionId, Giver, Image, Thread};
use calltap_analyzers::heap::{HeapLedger, HeapReport};

pub const MAIN: Thread = Thread(1);
pub const WORKER: Thread = Thread(2);
pub const OTHER: Thread = Thread(3);

pub const MALLOC: FunctionId = FunctionId(0);
pub const FREE: FunctionId = FunctionId(1);
pub const REALLOC: FunctionId = FunctionId(2);
pub const REALLOCARRAY: FunctionId = FunctionId(3);
pub const NEW: FunctionId = FunctionId(4);
pub const NEW_ARRAY: FunctionId = FunctionId(5);
pub const DELETE: FunctionId = FunctionId(6);
pub const DELETE_ARRAY: FunctionId = FunctionId(7);

pub const P: u64 = 0x5555_0000_1010;
pub const Q: u64 = 0x5555_0000_2020;
pub const R: u64 = 0x5555_0000_3030;

pub type Call = Event<'static>;

fn call(function: FunctionId, start_ns: u64, action: Action<'static>) -> Call {
    Event {
        image: Image(1),
        thread: MAIN,
        function,
        start_ns,
        end_ns: start_ns + 20,
        timed: true,
        errno: 0,
        site: u64::from(function.0) + 0x400,
        stack: 0,
        vfork_child: false,
        action,
    }
}

fn gives(function: FunctionId) -> Giver {
    match function {
        NEW | DELETE => Giver::New,
        NEW_ARRAY | DELETE_ARRAY => Giver::NewArray,
        _ => Giver::C,
    }
}

pub fn acquire(function: FunctionId, start_ns: u64, block: u64, bytes: u64) -> Call {
    call(function, start_ns, Action::Allocated { block: Block(block), bytes, giver: gives(function) })
}

pub fn release(function: FunctionId, start_ns: u64, block: u64) -> Call {
    call(function, start_ns, Action::Freed { block: Block(block), giver: gives(function) })
}

/// `malloc` of 64 bytes that takes 20 ns.
pub fn malloc(start_ns: u64, block: u64) -> Call {
    acquire(MALLOC, start_ns, block, 64)
}

/// `free` that takes 20 ns.
pub fn free(start_ns: u64, block: u64) -> Call {
    release(FREE, start_ns, block)
}

/// `realloc` that takes 20 ns.
pub fn realloc(start_ns: u64, old: u64, new: u64, bytes: u64) -> Call {
    call(REALLOC, start_ns, Action::Reallocated { old: Block(old), new: Block(new), bytes })
}

/// A `malloc` in vain that takes 20 ns.
pub fn fail(function: FunctionId, start_ns: u64, bytes: u64) -> Call {
    Event { errno: 12, ..call(function, start_ns, Action::AllocationFailed { bytes }) }
}

pub trait Modify {
    fn by(self, thread: Thread) -> Self;
    fn till(self, end_ns: u64) -> Self;
    fn from(self, site: u64) -> Self;
    fn through(self, function: FunctionId) -> Self;
    /// Without duration: its one stamp is `at_ns`.
    fn untimed(self, at_ns: u64) -> Self;
}

impl Modify for Call {
    fn by(self, thread: Thread) -> Self {
        Self { thread, ..self }
    }
    fn till(self, end_ns: u64) -> Self {
        Self { end_ns, ..self }
    }
    fn from(self, site: u64) -> Self {
        Self { site, ..self }
    }
    fn through(self, function: FunctionId) -> Self {
        Self { function, ..self }
    }
    fn untimed(self, at_ns: u64) -> Self {
        Self { start_ns: at_ns, end_ns: at_ns, timed: false, ..self }
    }
}

pub fn after(ledger: HeapLedger, calls: &[Call]) -> HeapReport {
    let mut ledger = ledger;
    calls.iter().for_each(|call| ledger.observe(call));
    let report = ledger.report();
    assert_eq!(report.live_blocks, ledger.live().count() as u64);
    assert_eq!(report.live_blocks, report.still_allocated.iter().map(|group| group.blocks).sum::<u64>());
    assert_eq!(report.live_bytes, report.still_allocated.iter().map(|group| group.bytes).sum::<u64>());
    report
}

pub fn findings(calls: &[Call]) -> HeapReport {
    after(HeapLedger::default(), calls)
}

/// Allocations, frees, live blocks.
pub fn counts(report: &HeapReport) -> (u64, u64, u64) {
    (report.allocations, report.frees, report.live_blocks)
}

/// Unmatched, double, mismatched frees and unseen releases.
pub fn faults(report: &HeapReport) -> (u64, u64, u64, u64) {
    let HeapReport { unmatched_frees, double_frees, mismatched_frees, releases_unseen, .. } = report;
    (unmatched_frees.count, double_frees.count, mismatched_frees.count, *releases_unseen)
}
