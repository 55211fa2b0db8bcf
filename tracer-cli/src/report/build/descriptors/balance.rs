//! What each group of stacks opened beside what it left open.

use std::collections::HashMap;

use calltap_analyzers::descriptors::{DescriptorReport, OpenDescriptor, PlaceOpens};
use calltap_analyzers::event::FunctionId;

use super::super::super::View;
use super::super::super::model::Balance;
use super::super::super::stacks::{Group, group};
use super::super::uses::key;
use super::super::{Sites, function_name};

/// So many rows go into the JSON of those that left nothing.
const BALANCED_ROWS: usize = 100;
/// In a session of many processes there are fewer.
const BALANCED_ROWS_OF_MANY: usize = 10;

/// Whether places that have opened something are told of: a text has only those that left something.
pub(in crate::report::build) fn tells_of_opens(report: &DescriptorReport, view: View) -> bool {
    view.whole || !report.still_open.is_empty()
}

/// The most left open first, then the most opened. A text has only those that left something.
pub(super) fn by_stack<'a>(
    report: &DescriptorReport,
    left: impl Iterator<Item = &'a OpenDescriptor>,
    sites: &mut Sites<'_, '_>,
) -> Vec<Balance> {
    let view = sites.naming.wishes.view;
    if !sites.detail || !tells_of_opens(report, view) {
        return Vec::new();
    }
    let mut left_by_place: HashMap<(u64, u32, FunctionId), u64> = HashMap::new();
    left.for_each(|open| *left_by_place.entry((open.site, open.stack, open.function)).or_default() += 1);
    let group_by = view.group_by.unwrap_or_default();
    let members: Vec<_> = report
        .by_place
        .iter()
        .map(|place| {
            let left = left_by_place.get(&(place.site, place.stack, place.function)).copied().unwrap_or(0);
            let from = (place.stack, place.site);
            let place = PlaceOpens { still_open: left, ..*place };
            (key(&mut sites.naming.stacks, from, place.function, group_by), place)
        })
        .collect();
    let groups = group(
        members.into_iter(),
        |place| (place.still_open, place.opened),
        |sum, place| {
            sum.opened += place.opened;
            sum.still_open += place.still_open;
        },
    );
    let balanced = match (view.whole, sites.naming.many) {
        (false, _) => 0,
        (true, false) => BALANCED_ROWS,
        (true, true) => BALANCED_ROWS_OF_MANY,
    };
    let leaving = groups.iter().filter(|group| group.sum.still_open > 0).count();
    let told = groups.into_iter().take(leaving + balanced);
    let rows = told.map(|Group { sum, first }| {
        let stack = sites.stack(first.site, first.stack);
        Balance {
            group: stack.group(group_by),
            function: function_name(first.function),
            opened: sum.opened,
            still_open: sum.still_open,
            stack,
        }
    });
    rows.collect()
}
