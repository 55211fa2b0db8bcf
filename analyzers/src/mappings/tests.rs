use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::event::{FunctionId, Image, Thread};

const PAGE: u64 = 4096;

fn call(start_ns: u64, action: Action<'static>) -> Event<'static> {
    Event {
        image: Image(1),
        thread: Thread(1),
        function: FunctionId(9),
        start_ns,
        end_ns: start_ns + 20,
        timed: true,
        errno: 0,
        site: 0,
        stack: 0,
        vfork_child: false,
        text: b"",
        used: None,
        action,
    }
}

fn map(start_ns: u64, page: u64, pages: u64) -> Event<'static> {
    call(start_ns, Action::Mapped { address: page * PAGE, bytes: pages * PAGE, fd: None, reserves: false })
}

fn unmap(start_ns: u64, page: u64, pages: u64) -> Event<'static> {
    call(start_ns, Action::Unmapped { address: page * PAGE, bytes: pages * PAGE })
}

fn remap(start_ns: u64, [old, old_pages, new, new_pages]: [u64; 4]) -> Event<'static> {
    let [old, old_bytes, new, new_bytes] = [old, old_pages, new, new_pages].map(|pages| pages * PAGE);
    call(start_ns, Action::Remapped { old, old_bytes, new, new_bytes })
}

fn findings(events: &[Event<'_>]) -> MappingReport {
    let mut mappings = Mappings::default();
    events.iter().for_each(|event| mappings.observe(event));
    let report = mappings.report();
    let gone = report.unmapped_bytes + report.replaced_bytes + report.moved_bytes;
    assert_eq!(report.mapped_bytes + report.remapped_bytes, gone + report.still_mapped_bytes);
    report
}

/// Pages that are mapped, and in how many ranges.
fn still(report: &MappingReport) -> (u64, u64) {
    (report.still_mapped_bytes / PAGE, report.still_mapped_ranges)
}

#[test]
fn a_hole_splits_a_mapping() {
    let report = findings(&[map(100, 10, 10), unmap(200, 13, 2)]);
    assert_eq!((still(&report), report.unmapped_bytes, report.unmapped_unseen_bytes), ((8, 2), 2 * PAGE, 0));
}

#[test]
fn mappings_that_touch_are_one_range() {
    assert_eq!(still(&findings(&[map(100, 10, 2), map(200, 12, 3), map(300, 20, 1)])), (6, 2));
}

#[test]
fn unmapping_what_nobody_saw_mapped_counts_apart() {
    let report = findings(&[map(100, 10, 2), unmap(200, 8, 6)]);
    assert_eq!(
        (still(&report), report.unmapped_bytes, report.unmapped_unseen_bytes),
        ((0, 0), 2 * PAGE, 4 * PAGE)
    );
}

#[test]
fn mapping_over_a_mapping_replaces_that_part() {
    let report = findings(&[map(100, 10, 4), map(200, 12, 4)]);
    assert_eq!((still(&report), report.replaced_bytes), ((6, 1), 2 * PAGE));
}

#[test]
fn a_moved_mapping_leaves_its_place() {
    let report = findings(&[map(100, 10, 4), remap(200, [10, 4, 50, 8])]);
    assert_eq!((still(&report), report.moved_bytes, report.remapped_calls), ((8, 1), 4 * PAGE, 1));
    let shrunk = findings(&[map(100, 10, 4), remap(200, [10, 4, 10, 1])]);
    assert_eq!(still(&shrunk), (1, 1));
}

#[test]
fn the_peak_is_the_most_at_once_and_its_time() {
    let report = findings(&[map(100, 10, 4), map(200, 20, 4), unmap(300, 10, 4), map(400, 10, 1)]);
    assert_eq!((report.peak_bytes, report.peak_ns), (8 * PAGE, 220));
}

#[test]
fn a_late_unmap_does_not_unmap_what_was_mapped_after_it() {
    assert_eq!(still(&findings(&[map(100, 10, 4), map(2000, 10, 4), unmap(1000, 10, 4)])), (4, 1));
}

#[test]
fn an_unmap_told_before_its_map_unmaps_it() {
    let report = findings(&[unmap(1000, 10, 4), map(100, 10, 6)]);
    assert_eq!((still(&report), report.unmapped_bytes, report.unmapped_unseen_bytes), ((2, 1), 4 * PAGE, 0));
}

#[test]
fn a_map_told_late_does_not_cover_a_younger_one() {
    let report = findings(&[map(2000, 12, 1), unmap(3000, 12, 1), map(2500, 13, 1), map(100, 10, 6)]);
    assert_eq!((still(&report), report.replaced_bytes), ((6, 1), PAGE));
}

#[test]
fn lengths_are_rounded_up_to_pages_and_nonsense_maps_nothing() {
    let odd = call(100, Action::Mapped { address: 10 * PAGE, bytes: 5000, fd: None, reserves: false });
    let huge =
        call(200, Action::Mapped { address: u64::MAX - 10, bytes: u64::MAX, fd: None, reserves: false });
    let empty = call(300, Action::Unmapped { address: 0, bytes: 0 });
    assert_eq!(still(&findings(&[odd, huge, empty])), (2, 1));
}

proptest! {
    #[test]
    fn the_ranges_are_the_pages_of_a_naive_model(
        steps in prop::collection::vec((0..4_u8, 1..40_u64, 1..10_u64, 1..40_u64, 1..10_u64), 1..60),
    ) {
        let mut model = BTreeSet::new();
        let mut events = Vec::new();
        for ((what, page, pages, new, new_pages), turn) in steps.into_iter().zip(1..) {
            let start = turn * 1000;
            match what {
                0 | 1 => {
                    model.extend(page..page + pages);
                    events.push(map(start, page, pages));
                }
                2 => {
                    model.retain(|other| !(page..page + pages).contains(other));
                    events.push(unmap(start, page, pages));
                }
                _ => {
                    model.retain(|other| !(page..page + pages).contains(other));
                    model.extend(new..new + new_pages);
                    events.push(remap(start, [page, pages, new, new_pages]));
                }
            }
        }
        let ranges = model.iter().filter(|page| !model.contains(&(**page - 1))).count() as u64;
        prop_assert_eq!(still(&findings(&events)), (model.len() as u64, ranges));
    }
}
