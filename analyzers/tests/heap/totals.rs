use calltap_analyzers::event::{Event, FunctionId};
use calltap_analyzers::heap::{Largest, SizeClass, StillAllocated};

use crate::calls::*;

#[test]
fn what_is_not_released_is_still_allocated_by_site_with_most_bytes_first() {
    let report = findings(&[
        acquire(MALLOC, 100, P, 10).from(0x1),
        acquire(MALLOC, 200, Q, 30).from(0x2),
        acquire(MALLOC, 300, R, 5).from(0x1),
    ]);
    let group = |site, blocks, bytes, first_birth_ns, largest| StillAllocated {
        site,
        stack: 0,
        function: MALLOC,
        blocks,
        bytes,
        first_birth_ns,
        largest,
    };
    assert_eq!(report.still_allocated, [group(0x2, 1, 30, 220, 30), group(0x1, 2, 15, 120, 10)]);
}

#[test]
fn blocks_from_one_site_with_different_stacks_stay_apart() {
    let deep = Event { stack: 9, ..malloc(200, Q) };
    assert_eq!(findings(&[malloc(100, P), deep]).still_allocated.len(), 2);
}

#[test]
fn the_peak_is_the_highest_sum_and_its_time() {
    let report = findings(&[
        acquire(MALLOC, 100, P, 100),
        acquire(MALLOC, 200, Q, 50),
        free(300, P),
        acquire(MALLOC, 400, R, 60),
    ]);
    assert_eq!((report.peak_live_bytes, report.peak_live_blocks, report.peak_ns), (150, 2, 220));
    assert_eq!((report.live_bytes, report.allocated_bytes, report.freed_bytes), (110, 210, 100));
}

#[test]
fn an_allocation_that_its_thread_frees_next_is_temporary() {
    assert_eq!(findings(&[malloc(100, P), free(200, P)]).temporary_allocations, 1);
    let interrupted = [malloc(100, P), malloc(200, Q), free(300, P)];
    assert_eq!(findings(&interrupted).temporary_allocations, 0);
    assert_eq!(findings(&[malloc(100, P), free(200, P).by(WORKER)]).temporary_allocations, 0);
    let elsewhere = [malloc(100, P), malloc(150, Q).by(WORKER), free(200, P)];
    assert_eq!(findings(&elsewhere).temporary_allocations, 1);
    assert_eq!(
        findings(&[malloc(100, P), fail(MALLOC, 150, 1 << 40), free(200, P)]).temporary_allocations,
        0
    );
}

#[test]
fn a_reallocated_block_keeps_its_owner_count_and_changes_its_size() {
    let report = findings(&[acquire(MALLOC, 100, P, 100), realloc(200, P, P, 300), realloc(300, P, Q, 50)]);
    assert_eq!(counts(&report), (1, 0, 1));
    assert_eq!((report.reallocations, report.live_bytes, report.peak_live_bytes), (2, 50, 300));
    assert_eq!((report.allocated_bytes, report.freed_bytes), (450, 400));
    assert_eq!(report.still_allocated[0].function, REALLOC);
}

#[test]
fn a_block_moved_by_realloc_can_be_freed_and_its_old_place_given_again() {
    let report =
        findings(&[malloc(100, P), realloc(200, P, Q, 9), malloc(300, P), free(400, Q), free(500, P)]);
    assert_eq!((counts(&report), faults(&report)), ((2, 2, 0), (0, 0, 0, 0)));
}

#[test]
fn a_failed_allocation_is_counted_and_gives_nothing() {
    let report = findings(&[fail(MALLOC, 100, 1 << 50)]);
    assert_eq!((report.failed_allocations, report.allocations, report.live_bytes), (1, 0, 0));
}

#[test]
fn the_largest_allocation_is_known_by_site_and_function() {
    let report = findings(&[
        acquire(MALLOC, 100, P, 7),
        acquire(NEW, 200, Q, 70).from(0x77),
        acquire(MALLOC, 300, R, 70),
    ]);
    let largest = Largest { bytes: 70, site: 0x77, stack: 0, function: NEW };
    assert_eq!(report.largest_allocation, Some(largest));
    assert_eq!(findings(&[]).largest_allocation, None);
}

#[test]
fn sizes_are_grouped_by_powers_of_two() {
    let blocks = [0, 1, 2, 3, 4, 1023, 1024].into_iter().zip(1..);
    let calls: Vec<_> = blocks.map(|(bytes, n)| acquire(MALLOC, n * 100, P + n * 16, bytes)).collect();
    let class = |up_to_bytes, blocks, bytes| SizeClass { up_to_bytes, blocks, bytes };
    assert_eq!(
        findings(&calls).size_classes,
        [
            class(0, 1, 0),
            class(1, 1, 1),
            class(3, 2, 5),
            class(7, 1, 4),
            class(1023, 1, 1023),
            class(2047, 1, 1024)
        ]
    );
}

#[test]
fn a_lifetime_lasts_from_the_acquires_end_to_the_releases_start() {
    let report = findings(&[malloc(100, P), free(160, P), malloc(1_000, P), free(2_001_020, P)]);
    assert_eq!(report.lifetimes.p50_ns, 40);
    let longest = report.lifetimes.max_ns;
    assert!((2_000_000..2_000_000 + 2_000_000 / 32).contains(&longest), "{longest}");
}

#[test]
fn a_vfork_childs_blocks_are_its_parents() {
    let child = Event { vfork_child: true, ..free(200, P).by(WORKER) };
    assert_eq!(counts(&findings(&[malloc(100, P), child])), (1, 1, 0));
}

#[test]
fn a_null_block_and_a_size_no_machine_has_do_no_harm() {
    let report = findings(&[malloc(100, 0), free(200, 0), acquire(MALLOC, 300, P, u64::MAX), free(400, P)]);
    assert_eq!((counts(&report), faults(&report)), ((1, 1, 0), (0, 0, 0, 0)));
    assert_eq!(report.allocated_bytes, report.freed_bytes);
}

#[test]
fn live_blocks_say_who_has_them() {
    use calltap_analyzers::event::{Analyzer, Block};
    use calltap_analyzers::heap::{HeapLedger, LiveBlock};
    let mut ledger = HeapLedger::default();
    ledger.observe(&Event { function: FunctionId(500), stack: 8, ..malloc(100, P).by(WORKER).from(0x9) });
    let block = LiveBlock {
        block: Block(P),
        bytes: 64,
        site: 0x9,
        stack: 8,
        function: FunctionId(500),
        birth_ns: 120,
        thread: WORKER,
    };
    assert_eq!(ledger.live().collect::<Vec<_>>(), [block]);
    assert_eq!((ledger.live_bytes(), ledger.live_blocks()), (64, 1));
}
