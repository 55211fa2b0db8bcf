//! Calls of a target, in a few words.

use std::collections::HashMap;

use calltap_analyzers::event::{Action, Analyzer, Block, Event, FunctionId, Giver, Image, Thread};
use calltap_analyzers::heap::{HeapLedger, HeapReport, LiveBlock, PlaceUse, StillAllocated};

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
        text: b"",
        used: None,
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
    fn on(self, stack: u32) -> Self;
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
    fn on(self, stack: u32) -> Self {
        Self { stack, ..self }
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
    assert_accounts_agree(&ledger, &report);
    report
}

/// What the places have on their accounts is together what the report says of the process, and what
/// lives there is what a look at every block finds.
pub fn assert_accounts_agree(ledger: &HeapLedger, report: &HeapReport) {
    let sum = |figure: fn(&PlaceUse) -> u64| report.by_place.iter().map(figure).sum::<u64>();
    assert_eq!(sum(|place| place.allocations), report.allocations);
    assert_eq!(sum(|place| place.reallocations), report.reallocations);
    assert_eq!(sum(|place| place.allocated_bytes), report.allocated_bytes);
    assert_eq!(sum(|place| place.temporary), report.temporary_allocations);
    assert_eq!(sum(|place| place.peak_blocks), report.peak_live_blocks);
    assert_eq!(sum(|place| place.peak_bytes), report.peak_live_bytes);
    assert_eq!(sum(|place| place.live_blocks), report.live_blocks);
    assert_eq!(sum(|place| place.live_bytes), report.live_bytes);
    assert!(report.allocated_bytes >= report.freed_bytes + report.live_bytes);
    let mut living: HashMap<_, StillAllocated> = HashMap::new();
    for block in ledger.live() {
        let LiveBlock { site, stack, function, bytes, birth_ns, .. } = block;
        let none = StillAllocated {
            site,
            stack,
            function,
            blocks: 0,
            bytes: 0,
            first_birth_ns: birth_ns,
            largest: 0,
        };
        let left = living.entry((site, stack, function)).or_insert(none);
        left.blocks += 1;
        left.bytes += bytes;
        left.first_birth_ns = left.first_birth_ns.min(birth_ns);
        left.largest = left.largest.max(bytes);
    }
    assert_eq!(report.still_allocated.len(), living.len());
    for left in &report.still_allocated {
        assert_eq!(living.get(&(left.site, left.stack, left.function)), Some(left));
    }
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
