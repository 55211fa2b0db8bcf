use crate::calls::*;

/// `new T[n]`, innermost call first.
fn new_array(start_ns: u64, block: u64) -> [Call; 3] {
    [
        acquire(MALLOC, start_ns + 20, block, 64).till(start_ns + 30),
        acquire(NEW, start_ns + 10, block, 64).till(start_ns + 40),
        acquire(NEW_ARRAY, start_ns, block, 64).till(start_ns + 50),
    ]
}

/// `delete[] p`, innermost call first.
fn delete_array(start_ns: u64, block: u64) -> [Call; 3] {
    [
        release(FREE, start_ns + 20, block).till(start_ns + 30),
        release(DELETE, start_ns + 10, block).till(start_ns + 40),
        release(DELETE_ARRAY, start_ns, block).till(start_ns + 50),
    ]
}

#[test]
fn new_array_is_one_allocation_by_the_outermost_function_at_its_site() {
    let report = findings(&new_array(100, P));
    assert_eq!((counts(&report), faults(&report)), ((1, 0, 1), (0, 0, 0, 0)));
    let group = report.still_allocated[0];
    assert_eq!((group.function, group.site, group.bytes), (NEW_ARRAY, 0x405, 64));
    assert_eq!(report.largest_allocation.map(|largest| largest.function), Some(NEW_ARRAY));
    assert_eq!(report.size_classes[0].blocks, 1);
    assert_eq!((report.allocated_bytes, report.peak_live_bytes), (64, 64));
}

#[test]
fn delete_array_is_one_release_through_the_outermost_family() {
    let calls =
        [&new_array(100, P)[..], &delete_array(200, P), &new_array(300, P), &delete_array(400, P)].concat();
    let report = findings(&calls);
    assert_eq!((counts(&report), faults(&report)), ((2, 2, 0), (0, 0, 0, 0)));
    assert_eq!(report.temporary_allocations, 2);
}

#[test]
fn deleting_an_array_as_one_object_is_one_mismatch_and_no_double_free() {
    let calls = [&new_array(100, P)[..], &delete_array(200, P)[..2]].concat();
    let report = findings(&calls);
    assert_eq!((counts(&report), faults(&report)), ((1, 1, 0), (0, 0, 1, 0)));
    assert_eq!(report.mismatched_frees.examples[0].released_by, DELETE);
    assert_eq!(report.mismatched_frees.examples[0].given_by, NEW_ARRAY);
}

#[test]
fn deleting_what_malloc_gave_is_found_though_free_is_called_inside() {
    let calls = [&[malloc(100, P)][..], &delete_array(200, P)[..2], &[malloc(300, P), free(400, P)]].concat();
    let report = findings(&calls);
    assert_eq!((counts(&report), faults(&report)), ((2, 2, 0), (0, 0, 1, 0)));
}

#[test]
fn inner_frees_of_other_blocks_are_frees_of_their_own() {
    let calls = [
        malloc(100, Q),
        acquire(NEW, 200, P, 8),
        malloc(300, R),
        free(520, Q).till(530),
        free(540, P).till(550),
        free(560, R).till(570),
        release(DELETE, 500, P).till(600),
        free(700, 0x9999_0000),
    ];
    let report = findings(&calls);
    assert_eq!((counts(&report), faults(&report)), ((3, 3, 0), (1, 0, 0, 0)));
}

#[test]
fn an_inner_acquire_of_another_block_does_not_hide_the_outer_one() {
    let calls = [malloc(110, P).till(120), malloc(130, Q).till(140), acquire(NEW, 100, P, 64).till(200)];
    let report = findings(&calls);
    assert_eq!((counts(&report), faults(&report)), ((2, 0, 2), (0, 0, 0, 0)));
}

#[test]
fn a_block_given_again_by_the_next_call_is_no_outer_call() {
    let calls = [malloc(100, P), free(200, P), acquire(NEW, 300, P, 8), release(DELETE, 400, P)];
    let report = findings(&calls);
    assert_eq!((counts(&report), faults(&report)), ((2, 2, 0), (0, 0, 0, 0)));
}

#[test]
fn calls_of_two_threads_are_never_nested() {
    let calls = [malloc(1000, P), free(1200, P), acquire(NEW, 900, P, 8).till(1400).by(WORKER)];
    let report = findings(&calls);
    assert_eq!((report.allocations, report.frees, report.live_blocks), (2, 1, 1));
}

#[test]
fn reallocarray_is_one_reallocation() {
    let outer = |start: u64, old, new| {
        realloc(start, old, new, 99).through(REALLOCARRAY).till(start + 100).from(0x77)
    };
    for new in [P, Q] {
        let calls = [malloc(100, P), realloc(220, P, new, 99).till(250), outer(200, P, new), free(400, new)];
        let report = findings(&calls[..3]);
        assert_eq!((counts(&report), report.reallocations, faults(&report)), ((1, 0, 1), 1, (0, 0, 0, 0)));
        assert_eq!(report.still_allocated[0].site, 0x77);
        let report = findings(&calls);
        assert_eq!((counts(&report), report.live_bytes, faults(&report)), ((1, 1, 0), 0, (0, 0, 0, 0)));
    }
}

#[test]
fn a_mismatch_in_reallocarray_names_the_outer_function() {
    let outer = realloc(200, P, Q, 99).through(REALLOCARRAY).till(300);
    let report = findings(&[acquire(NEW, 100, P, 8), realloc(220, P, Q, 99).till(250), outer]);
    assert_eq!(report.mismatched_frees.count, 1);
    assert_eq!(report.mismatched_frees.examples[0].released_by, REALLOCARRAY);
}

#[test]
fn a_realloc_made_of_malloc_and_free_is_one_reallocation() {
    let inner = [acquire(MALLOC, 210, Q, 99).till(220), free(230, P).till(240)];
    let calls = [&[malloc(100, P)][..], &inner, &[realloc(200, P, Q, 99).till(260)]].concat();
    let report = findings(&calls);
    assert_eq!((counts(&report), report.reallocations, faults(&report)), ((1, 0, 1), 1, (0, 0, 0, 0)));
    assert_eq!(report.still_allocated[0].function, REALLOC);
    assert_eq!(report.live_bytes, 99);
}

#[test]
fn a_realloc_of_which_only_the_inner_malloc_is_seen_is_one_reallocation() {
    let calls = [malloc(100, P), acquire(MALLOC, 210, Q, 99).till(220), realloc(200, P, Q, 99).till(260)];
    let report = findings(&calls);
    assert_eq!((counts(&report), report.reallocations, faults(&report)), ((1, 0, 1), 1, (0, 0, 0, 0)));
}

#[test]
fn a_realloc_of_which_only_the_inner_free_is_seen_is_one_reallocation() {
    let calls = [malloc(100, P), free(210, P).till(220), realloc(200, P, Q, 99).till(260)];
    let report = findings(&calls);
    assert_eq!((counts(&report), report.reallocations, faults(&report)), ((1, 0, 1), 1, (0, 0, 0, 0)));
    assert_eq!(report.temporary_allocations, 0);
}

#[test]
fn half_a_reallocation_is_no_free_whatever_is_around_it() {
    let outer = |start_ns: u64| realloc(start_ns, P, Q, 9).till(300);
    let calls = [malloc(100, P), free(240, P).till(250), outer(230), free(220, P).till(300), outer(210)];
    let report = findings(&calls);
    assert_eq!((counts(&report), report.reallocations, faults(&report)), ((1, 0, 1), 1, (0, 0, 0, 0)));
}

#[test]
fn an_allocation_that_fails_through_two_calls_fails_once() {
    let report =
        findings(&[fail(MALLOC, 110, 9).till(120), fail(NEW, 100, 9).till(200), fail(MALLOC, 300, 9)]);
    assert_eq!(report.failed_allocations, 2);
}

#[test]
fn the_outer_calls_size_is_what_was_asked_for() {
    let report = findings(&[
        acquire(MALLOC, 110, P, 128).till(120),
        acquire(NEW, 100, P, 100).till(130),
        release(DELETE, 200, P),
    ]);
    assert_eq!((report.allocated_bytes, report.freed_bytes, report.live_bytes), (100, 100, 0));
}

#[test]
fn without_durations_nested_calls_are_known_by_their_block() {
    // One stamp each: acquires at their end, releases at their start.
    let calls = [
        malloc(0, P).untimed(100),
        acquire(NEW, 0, P, 64).untimed(110),
        acquire(NEW_ARRAY, 0, P, 64).untimed(120),
        free(0, P).untimed(230),
        release(DELETE, 0, P).untimed(220),
        release(DELETE_ARRAY, 0, P).untimed(210),
        malloc(0, P).untimed(300),
        free(0, P).untimed(400),
        fail(MALLOC, 0, 7).untimed(500),
        fail(NEW, 0, 7).untimed(510),
    ];
    let report = findings(&calls);
    assert_eq!((counts(&report), faults(&report)), ((2, 2, 0), (0, 0, 0, 0)));
    assert_eq!((report.failed_allocations, report.temporary_allocations), (1, 2));
}
