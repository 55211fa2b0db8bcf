use calltap_analyzers::event::{Analyzer, Block, Giver, Thread};
use calltap_analyzers::heap::{FreeFault, HeapLedger, HeapReport, Mismatch};

use crate::calls::*;

#[test]
fn a_second_free_is_a_double_free() {
    let report = findings(&[malloc(100, P), free(200, P), free(300, P).by(WORKER).on(7)]);
    assert_eq!((counts(&report), faults(&report)), ((1, 1, 0), (0, 1, 0, 0)));
    let fault =
        FreeFault { block: Block(P), function: FREE, site: 0x401, stack: 7, thread: WORKER, at_ns: 300 };
    assert_eq!(report.double_frees.examples, [fault]);
}

#[test]
fn a_free_of_what_was_never_given_is_unmatched() {
    let report = findings(&[malloc(100, P), free(200, Q)]);
    assert_eq!((counts(&report), faults(&report)), ((1, 0, 1), (1, 0, 0, 0)));
    assert_eq!(report.unmatched_frees.examples[0].block, Block(Q));
}

#[test]
fn an_address_freed_twice_unmatched_and_given_then_is_a_plain_block() {
    let report = findings(&[free(1000, P), free(2000, P), malloc(3000, P), free(4000, P)]);
    assert_eq!((counts(&report), faults(&report)), ((1, 1, 0), (2, 0, 0, 0)));
}

#[test]
fn a_double_free_after_which_the_address_is_given_again_stays_one() {
    let report = findings(&[malloc(1000, P), free(2000, P), free(3000, P), malloc(4000, P)]);
    assert_eq!((counts(&report), faults(&report)), ((2, 1, 1), (0, 1, 0, 0)));
}

#[test]
fn reallocating_an_unknown_block_is_an_unmatched_free_that_gives_a_block() {
    let report = findings(&[realloc(100, P, Q, 8)]);
    assert_eq!((counts(&report), faults(&report)), ((0, 0, 1), (1, 0, 0, 0)));
    assert_eq!(report.reallocations, 1);
    assert_eq!(faults(&findings(&[realloc(100, P, P, 8), free(200, P)])), (1, 0, 0, 0));
}

/// Findings about a program that defines `malloc` and its relatives itself.
fn partly_seen(calls: &[Call]) -> HeapReport {
    let mut ledger = HeapLedger::default();
    ledger.partly_seen(Giver::C);
    after(ledger, calls)
}

#[test]
fn what_seems_wrong_is_not_judged_where_calls_of_its_family_go_unseen() {
    let twice = [malloc(100, P), free(200, P), free(300, P), free(400, Q)];
    let report = partly_seen(&twice);
    assert_eq!((counts(&report), faults(&report)), ((1, 1, 0), (0, 0, 0, 0)));
    assert_eq!(report.releases_not_judged, 2);
    // Of two families that do not go together, one is enough.
    let report = partly_seen(&[acquire(NEW, 100, P, 8), release(FREE, 200, P)]);
    assert_eq!((faults(&report), report.releases_not_judged), ((0, 0, 0, 0), 1));
}

#[test]
fn a_family_of_which_all_calls_are_seen_is_judged() {
    let report = partly_seen(&[acquire(NEW, 100, P, 8), release(DELETE, 200, P), release(DELETE, 300, P)]);
    assert_eq!((faults(&report), report.releases_not_judged), ((0, 1, 0, 0), 0));
}

#[test]
fn in_a_forked_child_the_same_calls_go_unseen() {
    let mut parent = HeapLedger::default();
    parent.partly_seen(Giver::C);
    let report = after(parent.forked(), &[free(100, P)]);
    assert_eq!((faults(&report), report.releases_not_judged), ((0, 0, 0, 0), 1));
}

#[test]
fn a_block_goes_back_through_the_family_it_came_from() {
    let families = [(MALLOC, FREE), (NEW, DELETE), (NEW_ARRAY, DELETE_ARRAY)];
    for (giver, _) in families {
        for (own, taker) in families {
            let report = findings(&[acquire(giver, 100, P, 8), release(taker, 200, P)]);
            assert_eq!(faults(&report), (0, 0, u64::from(giver != own), 0), "{giver:?} {taker:?}");
            assert_eq!(counts(&report), (1, 1, 0));
        }
    }
}

#[test]
fn reallocating_what_new_gave_is_a_mismatch() {
    let report = findings(&[acquire(NEW, 100, P, 8), realloc(200, P, Q, 9), free(300, Q)]);
    assert_eq!(faults(&report), (0, 0, 1, 0));
}

#[test]
fn a_mismatch_says_who_gave_and_who_took() {
    let report =
        findings(&[acquire(NEW_ARRAY, 100, P, 8).from(0x1).on(5), release(DELETE, 200, P).from(0x2).on(6)]);
    let mismatch = Mismatch {
        block: Block(P),
        bytes: 8,
        given_by: NEW_ARRAY,
        given_at: 0x1,
        given_stack: 5,
        released_by: DELETE,
        released_at: 0x2,
        released_stack: 6,
        times: 1,
    };
    assert_eq!(report.mismatched_frees.examples, [mismatch]);
}

#[test]
fn mismatches_of_one_giver_and_taker_are_one_example() {
    let calls: Vec<_> =
        (1..=250).flat_map(|n| [malloc(n * 1000, P), release(DELETE, n * 1000 + 500, P)]).collect();
    let mismatched = findings(&calls).mismatched_frees;
    let times: Vec<u64> = mismatched.examples.iter().map(|example| example.times).collect();
    assert_eq!((mismatched.count, times), (250, vec![250]));
}

#[test]
fn faults_are_counted_beyond_the_examples_that_are_kept() {
    let calls: Vec<_> =
        (1..=250).flat_map(|n| [malloc(n * 1000, P).from(n), release(DELETE, n * 1000 + 500, P)]).collect();
    let report = findings(&calls);
    assert_eq!((report.mismatched_frees.count, report.mismatched_frees.examples.len()), (250, 100));
    let calls: Vec<_> = (1..=250).map(|n| free(n * 1000, P)).collect();
    let report = findings(&calls);
    assert_eq!((report.unmatched_frees.count, report.unmatched_frees.examples.len()), (250, 100));
}

#[test]
fn more_addresses_than_are_remembered_are_counted_all_the_same() {
    let calls: Vec<_> = (1..=200_000).map(|n| free(n * 100, n * 16)).collect();
    assert_eq!(findings(&calls).unmatched_frees.count, 200_000);
}

#[test]
fn a_forked_child_frees_what_it_inherited_once() {
    let mut parent = HeapLedger::default();
    [malloc(100, P), malloc(200, Q), free(300, Q)].iter().for_each(|call| parent.observe(call));
    let child = || HeapLedger::with_inherited(parent.inherit());
    let report = after(child(), &[free(400, P)]);
    assert_eq!((report.inherited_frees, counts(&report), faults(&report)), (1, (0, 0, 0), (0, 0, 0, 0)));
    let report = after(child(), &[free(400, P), free(500, P), free(600, Q)]);
    assert_eq!((report.inherited_frees, faults(&report)), (1, (1, 1, 0, 0)));
}

#[test]
fn a_child_that_was_given_an_inherited_address_again_owns_it() {
    let mut parent = HeapLedger::default();
    parent.observe(&malloc(100, P));
    let calls = [free(1000, P), malloc(2000, P), free(3000, P)];
    let report = after(HeapLedger::with_inherited(parent.inherit()), &calls);
    assert_eq!((report.inherited_frees, counts(&report), faults(&report)), (1, (1, 1, 0), (0, 0, 0, 0)));
    let again = [&calls[..], &[free(4000, P)]].concat();
    let report = after(HeapLedger::with_inherited(parent.inherit()), &again);
    assert_eq!((report.inherited_frees, faults(&report)), (1, (0, 1, 0, 0)));
}

#[test]
fn a_grandchild_inherits_what_its_parent_inherited_and_did_not_free() {
    let mut parent = HeapLedger::default();
    [malloc(100, P), malloc(200, Q)].iter().for_each(|call| parent.observe(call));
    let mut child = HeapLedger::with_inherited(parent.inherit());
    [free(300, P), malloc(400, R)].iter().for_each(|call| child.observe(call));
    let grandchild = HeapLedger::with_inherited(child.inherit());
    let report = after(grandchild, &[free(500, P), free(600, Q), free(700, R)]);
    assert_eq!((report.inherited_frees, faults(&report)), (2, (1, 0, 0, 0)));
}

#[test]
fn threads_that_are_gone_still_have_their_faults_counted() {
    let second = 1_000_000_000;
    let calls: Vec<_> = (1..=5_000)
        .flat_map(|n| {
            let thread = Thread(n as u32);
            [malloc(n * second, P).by(thread), release(DELETE, n * second + 1000, P).by(thread)]
        })
        .collect();
    assert_eq!(findings(&calls).mismatched_frees.count, 5_000);
}
