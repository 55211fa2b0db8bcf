use crate::calls::*;

/// The findings are the same in every order of arrival; within a thread the order is kept.
fn in_every_order(calls: &[Call], check: impl Fn(&calltap_analyzers::heap::HeapReport, &[Call])) {
    let mut orders = 0;
    permute(&mut calls.to_vec(), 0, &mut |order| {
        let kept = |thread| {
            let of_thread = |calls: &[Call]| -> Vec<u64> {
                calls.iter().filter(|call| call.thread == thread).map(|call| call.start_ns).collect()
            };
            of_thread(order) == of_thread(calls)
        };
        if [MAIN, WORKER, OTHER].into_iter().all(kept) {
            orders += 1;
            check(&findings(order), order);
        }
    });
    assert!(orders > 1, "nothing was permuted");
}

fn permute(calls: &mut Vec<Call>, from: usize, visit: &mut impl FnMut(&[Call])) {
    if from == calls.len() {
        return visit(calls);
    }
    for other in from..calls.len() {
        calls.swap(from, other);
        permute(calls, from + 1, visit);
        calls.swap(from, other);
    }
}

#[test]
fn two_owners_of_an_address_and_their_releases_pair_in_every_order() {
    let calls = [
        malloc(1000, P),
        free(2000, P).by(WORKER),
        acquire(NEW, 3000, P, 9).by(OTHER),
        release(DELETE, 4000, P),
    ];
    in_every_order(&calls, |report, order| {
        assert_eq!((counts(report), faults(report)), ((2, 2, 0), (0, 0, 0, 0)), "{order:#?}");
        assert_eq!((report.freed_bytes, report.live_bytes), (73, 0), "{order:#?}");
    });
}

#[test]
fn the_last_owner_lives_in_every_order() {
    let calls = [malloc(1000, P), free(2000, P).by(WORKER), acquire(NEW, 3000, P, 9).by(OTHER)];
    in_every_order(&calls, |report, order| {
        assert_eq!((counts(report), faults(report)), ((2, 1, 1), (0, 0, 0, 0)), "{order:#?}");
        assert_eq!((report.still_allocated[0].function, report.live_bytes), (NEW, 9), "{order:#?}");
    });
}

#[test]
fn an_owner_whose_release_was_not_seen_is_not_still_allocated() {
    let calls = [malloc(1000, P), acquire(NEW, 3000, P, 9).by(WORKER), release(DELETE, 4000, P).by(OTHER)];
    in_every_order(&calls, |report, order| {
        assert_eq!((counts(report), faults(report)), ((2, 1, 0), (0, 0, 0, 1)), "{order:#?}");
    });
    let report = findings(&[malloc(1000, P), malloc(3000, P)]);
    assert_eq!((counts(&report), report.releases_unseen, report.live_bytes), ((2, 0, 1), 1, 64));
}

#[test]
fn a_nested_allocation_told_after_its_nested_release_has_no_mismatch() {
    let calls = [
        free(5_020, P).till(5_030).by(WORKER),
        release(DELETE, 5_010, P).till(5_040).by(WORKER),
        malloc(1_020, P).till(1_030),
        acquire(NEW, 1_010, P, 64).till(1_040),
    ];
    in_every_order(&calls, |report, order| {
        assert_eq!((counts(report), faults(report)), ((1, 1, 0), (0, 0, 0, 0)), "{order:#?}");
    });
}

#[test]
fn an_outer_call_told_after_the_block_was_released_and_given_again_still_counts() {
    let inner = acquire(MALLOC, 1_020, P, 64).till(1_030);
    let outer = acquire(NEW, 1_010, P, 60).till(1_040);
    let calls = [inner, release(DELETE, 2_000, P).by(WORKER), malloc(3_000, P).by(WORKER), outer];
    let report = findings(&calls);
    assert_eq!((counts(&report), faults(&report)), ((2, 1, 1), (0, 0, 0, 0)));
    assert_eq!((report.freed_bytes, report.allocated_bytes), (60, 124));
}

#[test]
fn a_mismatch_is_found_in_every_order() {
    let calls = [
        free(5_020, P).till(5_030).by(WORKER),
        release(DELETE, 5_010, P).till(5_040).by(WORKER),
        malloc(1_020, P).till(1_030),
    ];
    in_every_order(&calls, |report, order| {
        assert_eq!((counts(report), faults(report)), ((1, 1, 0), (0, 0, 1, 0)), "{order:#?}");
        assert_eq!(report.mismatched_frees.examples[0].released_by, DELETE, "{order:#?}");
    });
}

#[test]
fn a_realloc_told_late_releases_the_owner_it_had_and_gives_the_next() {
    let calls = [malloc(1000, P), realloc(2000, P, Q, 10).by(WORKER), acquire(NEW, 3000, P, 9).by(OTHER)];
    in_every_order(&calls, |report, order| {
        assert_eq!(
            (counts(report), report.reallocations, faults(report)),
            ((2, 0, 2), 1, (0, 0, 0, 0)),
            "{order:#?}"
        );
        assert_eq!(report.live_bytes, 19, "{order:#?}");
    });
}

#[test]
fn clocks_may_differ_by_the_tolerance_and_no_more() {
    let handed_over = |start| [malloc(980, P), free(start, P).by(WORKER)];
    assert_eq!(faults(&findings(&handed_over(936))), (0, 0, 0, 0));
    assert_eq!(faults(&findings(&handed_over(935))), (1, 0, 0, 0));
    let [given, taken] = handed_over(936);
    assert_eq!(faults(&findings(&[taken, given])), (0, 0, 0, 0));
}

#[test]
fn a_double_free_is_one_in_every_order() {
    let calls = [malloc(1000, P), free(2000, P).by(WORKER), free(3000, P).by(OTHER)];
    in_every_order(&calls, |report, order| {
        assert_eq!(counts(report), (1, 1, 0), "{order:#?}");
        let (unmatched, double, mismatched, unseen) = faults(report);
        assert_eq!((unmatched + double, mismatched, unseen), (1, 0, 0), "{order:#?}");
    });
}
