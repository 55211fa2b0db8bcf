//! What each place has on its account.

use calltap_analyzers::heap::{HeapReport, PlaceUse};

use crate::calls::*;

/// The account of the place with this stack.
fn at(report: &HeapReport, stack: u32) -> PlaceUse {
    let mut places = report.by_place.iter().filter(|place| place.stack == stack);
    let place = *places.next().unwrap_or_else(|| panic!("nothing on stack {stack}: {report:#?}"));
    assert_eq!(places.next(), None);
    place
}

fn stacks(report: &HeapReport) -> Vec<u32> {
    report.by_place.iter().map(|place| place.stack).collect()
}

#[test]
fn each_stack_has_its_account_with_most_living_bytes_first() {
    let report = findings(&[
        acquire(MALLOC, 100, P, 10).on(1),
        acquire(MALLOC, 200, Q, 30).on(2),
        acquire(MALLOC, 300, R, 5).on(1),
        free(400, R),
    ]);
    let first = PlaceUse {
        site: 0x400,
        stack: 1,
        function: MALLOC,
        allocations: 2,
        reallocations: 0,
        allocated_bytes: 15,
        temporary: 1,
        live_blocks: 1,
        live_bytes: 10,
        peak_blocks: 2,
        peak_bytes: 15,
        largest: 10,
        first_birth_ns: 120,
    };
    assert_eq!((stacks(&report), at(&report, 1)), (vec![2, 1], first));
}

#[test]
fn a_place_of_which_nothing_lives_keeps_its_account() {
    let report = findings(&[malloc(100, P).on(1), malloc(200, Q).on(2), free(300, P), free(400, Q)]);
    let place = at(&report, 1);
    assert_eq!((place.allocations, place.live_blocks, place.largest, place.first_birth_ns), (1, 0, 0, 0));
    assert_eq!(report.still_allocated, []);
}

#[test]
fn nested_calls_are_one_allocation_on_the_outermost_stack() {
    let report = findings(&[
        acquire(MALLOC, 120, P, 64).till(130).on(3),
        acquire(NEW, 110, P, 64).till(140).on(2),
        acquire(NEW_ARRAY, 100, P, 60).till(150).on(1),
    ]);
    assert_eq!(stacks(&report), [1]);
    let place = at(&report, 1);
    assert_eq!((place.function, place.allocations, place.allocated_bytes), (NEW_ARRAY, 1, 60));
    assert_eq!((place.live_blocks, place.live_bytes), (1, 60));
    assert_eq!((place.peak_blocks, place.peak_bytes, report.peak_live_bytes), (1, 60, 60));
}

#[test]
fn a_reallocated_block_goes_over_to_the_place_that_called_realloc() {
    let report =
        findings(&[malloc(100, P).on(1), realloc(200, P, Q, 100).on(2), realloc(300, Q, Q, 7).on(2)]);
    let (old, new) = (at(&report, 1), at(&report, 2));
    assert_eq!((old.allocations, old.reallocations, old.allocated_bytes, old.live_blocks), (1, 0, 64, 0));
    assert_eq!((new.allocations, new.reallocations, new.allocated_bytes, new.live_bytes), (0, 2, 107, 7));
    assert_eq!((old.peak_blocks, new.peak_bytes), (0, 100));
}

#[test]
fn a_realloc_made_of_malloc_and_free_is_a_reallocation_of_its_own_place() {
    let report = findings(&[
        malloc(100, P).on(1),
        acquire(MALLOC, 210, Q, 99).till(220).on(2),
        free(230, P).till(240).on(2),
        realloc(200, P, Q, 99).till(260).on(3),
    ]);
    assert_eq!(stacks(&report), [3, 1]);
    assert_eq!((at(&report, 3).allocations, at(&report, 3).reallocations), (0, 1));
}

#[test]
fn a_release_that_turns_out_to_be_half_a_reallocation_ends_nothing_temporary() {
    let report =
        findings(&[malloc(100, P).on(1), free(210, P).till(220), realloc(200, P, Q, 9).till(260).on(2)]);
    assert_eq!((at(&report, 1).temporary, at(&report, 2).reallocations), (0, 1));
}

#[test]
fn what_lived_at_the_peak_is_known_though_it_changed_since() {
    let report = findings(&[
        acquire(MALLOC, 100, P, 100).on(1),
        acquire(MALLOC, 200, Q, 50).on(2),
        free(300, P),
        acquire(MALLOC, 400, R, 120).on(1),
        free(500, Q),
        free(600, R),
        acquire(MALLOC, 700, P, 7).on(3),
    ]);
    let at_peak = |stack| (at(&report, stack).peak_blocks, at(&report, stack).peak_bytes);
    assert_eq!(
        (report.peak_live_bytes, at_peak(1), at_peak(2), at_peak(3)),
        (170, (1, 120), (1, 50), (0, 0))
    );
}

#[test]
fn an_outer_call_told_after_the_peak_takes_the_peak_over_and_no_more() {
    let nested = |start: u64, block, outer| {
        [
            acquire(MALLOC, start + 10, block, 64).till(start + 20).on(9),
            acquire(NEW, start, block, 64).till(start + 30).on(outer),
        ]
    };
    // The second one is given below the peak: the first alone lived then.
    let [inner, outer] = nested(500, Q, 2);
    let calls = [&nested(100, P, 1)[..], &[free(300, P), inner, outer]].concat();
    let report = findings(&calls);
    assert_eq!((stacks(&report), at(&report, 1).peak_blocks, at(&report, 2).peak_blocks), (vec![2, 1], 1, 0));
}

#[test]
fn an_outer_call_told_after_the_block_was_given_again_takes_what_was_counted() {
    let inner = acquire(MALLOC, 1_020, P, 64).till(1_030).on(9);
    let outer = acquire(NEW, 1_010, P, 60).till(1_040).on(1);
    let again = malloc(3_000, P).by(WORKER).on(2);
    let peak = [acquire(MALLOC, 100, Q, 1000).on(3), free(200, Q)];
    let report =
        findings(&[&peak[..], &[inner, release(DELETE, 2_000, P).by(WORKER), again, outer]].concat());
    assert_eq!((at(&report, 1).allocations, at(&report, 1).allocated_bytes), (1, 60));
    assert_eq!(stacks(&report), [2, 3, 1]);
}

#[test]
fn a_hundred_thousand_stacks_each_have_their_own_account() {
    let stack = |n: u32| n.wrapping_mul(0x9e37_79b1) & 0xf_ffff;
    let calls: Vec<_> = (0..100_000_u32)
        .flat_map(|n| {
            let (at, address) = (u64::from(n) * 1000, P + u64::from(n) * 64);
            [malloc(at + 100, address).on(stack(n)), malloc(at + 500, address + 32).on(stack(n / 2))]
        })
        .collect();
    let report = findings(&calls);
    assert_eq!(report.by_place.len(), 100_000);
    assert_eq!(at(&report, stack(7)).allocations, 3);
    assert_eq!(at(&report, stack(99_999)).allocations, 1);
}
