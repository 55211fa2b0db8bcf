//! Who used the heap, whether or not it gave back.

use calltap_analyzers::event::FunctionId;
use calltap_analyzers::heap::PlaceUse;

use super::{Sites, function_name};
use crate::report::model::{UseTotal, Uses};
use crate::report::stacks::{FrameId, Group, GroupBy, Place, Shown, StackValue, Stacks, group};

/// So many rows of each value go into the JSON.
const ROWS: usize = 100;
/// In a session of many processes there are fewer rows each.
const ROWS_OF_MANY: usize = 10;

/// How places become groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grouping {
    /// As `--group-by` says; in JSON by stack if it says nothing.
    AsAsked,
    /// By innermost frame and innermost frame of the program's own, for a text if nothing was asked.
    ByCaller,
}

/// What the members of a group share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Stack(Shown, FunctionId),
    Label(u32),
    Caller(Option<FrameId>, Option<FrameId>, FunctionId),
}

pub(super) fn key(stacks: &mut Stacks<'_>, place: Place, function: FunctionId, group_by: GroupBy) -> Key {
    let shown = stacks.shown(place);
    match group_by {
        GroupBy::Stack => Key::Stack(shown, function),
        GroupBy::Function | GroupBy::Site | GroupBy::Object => Key::Label(stacks.label(shown, group_by)),
    }
}

/// Innermost frame, innermost frame of the program's own, and the function that was called.
pub(super) fn by_caller(stacks: &mut Stacks<'_>, place: Place, function: FunctionId) -> Key {
    let shown = stacks.shown(place);
    let (leaf, own) = stacks.ends(shown);
    Key::Caller(leaf, own, function)
}

pub(super) fn of(places: &[PlaceUse], grouping: Grouping, sites: &mut Sites<'_, '_>) -> Uses {
    let view = sites.naming.wishes.view;
    let wanted = match grouping {
        Grouping::AsAsked => view.whole || view.group_by.is_some(),
        Grouping::ByCaller => !view.whole && view.group_by.is_none(),
    };
    if !wanted || !sites.detail {
        return Uses::default();
    }
    let stacks = &mut sites.naming.stacks;
    let group_by = view.group_by.unwrap_or_default();
    let members: Vec<(Key, PlaceUse)> = places
        .iter()
        .map(|place| {
            let from = (place.stack, place.site);
            let key = match grouping {
                Grouping::AsAsked => key(stacks, from, place.function, group_by),
                Grouping::ByCaller => by_caller(stacks, from, place.function),
            };
            (key, *place)
        })
        .collect();
    let mut ranked = |value: fn(&PlaceUse) -> u64| {
        let groups = group(members.iter().copied(), value, add);
        let count = groups.len() as u64;
        let most = match view.whole {
            true if sites.naming.many => ROWS_OF_MANY.max(view.top),
            true => ROWS.max(view.top),
            false => view.top,
        };
        let rows = groups.into_iter().take(most).filter(|group| value(&group.sum) > 0);
        (count, rows.map(|group| row(group, group_by, sites)).collect())
    };
    let (groups, peak) = ranked(|place| place.peak_bytes);
    Uses {
        groups,
        peak,
        allocated: ranked(|place| place.allocated_bytes).1,
        allocations: ranked(|place| place.allocations).1,
        temporary: ranked(|place| place.temporary).1,
    }
}

pub(super) fn fold(places: &[PlaceUse], sites: &mut Sites<'_, '_>) {
    for place in places {
        for (value, amount) in [
            (StackValue::Peak, place.peak_bytes),
            (StackValue::Allocated, place.allocated_bytes),
            (StackValue::Allocations, place.allocations),
            (StackValue::Temporary, place.temporary),
        ] {
            sites.fold(value, place.site, place.stack, amount);
        }
    }
}

fn add(sum: &mut PlaceUse, place: &PlaceUse) {
    sum.allocations += place.allocations;
    sum.reallocations += place.reallocations;
    sum.allocated_bytes += place.allocated_bytes;
    sum.temporary += place.temporary;
    sum.peak_blocks += place.peak_blocks;
    sum.peak_bytes += place.peak_bytes;
}

fn row(Group { sum, first }: Group<PlaceUse>, group_by: GroupBy, sites: &mut Sites<'_, '_>) -> UseTotal {
    let stack = sites.stack(first.site, first.stack);
    UseTotal {
        group: stack.group(group_by),
        function: function_name(first.function),
        allocations: sum.allocations,
        reallocations: sum.reallocations,
        allocated_bytes: sum.allocated_bytes,
        temporary: sum.temporary,
        peak_blocks: sum.peak_blocks,
        peak_bytes: sum.peak_bytes,
        stack,
    }
}
