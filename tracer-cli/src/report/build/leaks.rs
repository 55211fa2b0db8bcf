//! What still lives at the end: the program's own, what the user knows of, and what the C and C++
//! run-times keep.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use calltap_analyzers::heap::{HeapReport, StillAllocated as Living};

use super::uses::{by_caller, key};
use super::{Sites, family, function_name};
use crate::origin::Ownership;
use crate::report::model::{
    NotJudged, Omitted, OriginTotal, RuntimeOwned, SiteTotal, StackTotal, StillAllocated, Suppressed,
};
use crate::report::stacks::{Group, GroupBy, StackValue, group};

/// So many rows a process lists at least, if they are listed at all.
const ROWS_AT_LEAST: usize = 100;

/// Living blocks, divided.
pub(super) struct Leaks {
    pub(super) still_allocated: StillAllocated,
    pub(super) runtime_owned: RuntimeOwned,
    pub(super) not_judged: NotJudged,
    pub(super) suppressed: Vec<Suppressed>,
}

pub(super) fn of(report: &HeapReport, sites: &mut Sites<'_, '_>) -> Leaks {
    let mut own = Vec::new();
    let mut not_judged = NotJudged::default();
    let mut kept: BTreeMap<&'static str, (u64, u64)> = BTreeMap::new();
    let mut known: BTreeMap<usize, (u64, u64)> = BTreeMap::new();
    for from in &report.still_allocated {
        if family(from.function).is_some_and(|giver| report.partly_seen.has(giver)) {
            not_judged.blocks += from.blocks;
            not_judged.bytes += from.bytes;
            continue;
        }
        let function = function_name(from.function);
        let owner = sites.owner(from.site, from.stack, &function);
        let hidden = match owner {
            Ownership::Runtime(origin) => Some(kept.entry(origin).or_default()),
            _ => {
                let pattern = sites.suppressed_by(from.site, from.stack, &function);
                pattern.map(|index| known.entry(index).or_default())
            }
        };
        match hidden {
            Some(total) => *total = (total.0 + from.blocks, total.1 + from.bytes),
            None => own.push((*from, owner == Ownership::ProgramGuess)),
        }
    }
    for (from, _) in &own {
        sites.fold(StackValue::Leaked, from.site, from.stack, from.bytes);
    }
    let suppressed = known.into_iter().map(|(index, (blocks, bytes))| {
        let pattern = sites.naming.wishes.suppressions.text(index).to_owned();
        Suppressed { pattern, blocks, bytes }
    });
    let mut suppressed: Vec<_> = suppressed.collect();
    suppressed.sort_by_key(|total| Reverse((total.bytes, total.blocks)));
    let still_allocated = still_allocated(&own, sites);
    Leaks { still_allocated, runtime_owned: runtime_owned(kept), not_judged, suppressed }
}

type Own = (Living, bool);

fn still_allocated(own: &[Own], sites: &mut Sites<'_, '_>) -> StillAllocated {
    let by_site = own.iter().map(|member| ((member.0.site, member.0.function), *member));
    let by_site = group(by_site, weight, add).into_iter().map(|Group { sum: (sum, guess), .. }| SiteTotal {
        site: sites.at(sum.site, sum.stack),
        function: function_name(sum.function),
        blocks: sum.blocks,
        bytes: sum.bytes,
        largest_bytes: sum.largest,
        oldest_at_ns: sum.first_birth_ns,
        guess,
    });
    let by_site: Vec<_> = by_site.collect();
    let largest = largest(own, sites);
    let (by_stack, by_stack_omitted) = by_stack(own, sites);
    StillAllocated {
        blocks: by_site.iter().map(|total| total.blocks).sum(),
        bytes: by_site.iter().map(|total| total.bytes).sum(),
        by_site,
        by_stack,
        by_stack_omitted,
        largest,
    }
}

fn largest(own: &[Own], sites: &mut Sites<'_, '_>) -> Option<StackTotal> {
    let stacks = &mut sites.naming.stacks;
    let members: Vec<_> = own
        .iter()
        .map(|member| (by_caller(stacks, (member.0.stack, member.0.site), member.0.function), *member))
        .collect();
    let first = group(members.into_iter(), weight, add).into_iter().next()?;
    Some(row(first, GroupBy::Stack, sites))
}

fn by_stack(own: &[Own], sites: &mut Sites<'_, '_>) -> (Vec<StackTotal>, Omitted) {
    let view = sites.naming.wishes.view;
    let group_by = view.group_by.unwrap_or_default();
    let stacks = &mut sites.naming.stacks;
    let members: Vec<_> = own
        .iter()
        .map(|member| {
            let (from, _) = member;
            (key(stacks, (from.stack, from.site), from.function, group_by), *member)
        })
        .collect();
    let mut groups = group(members.into_iter(), weight, add);
    let most = match view.whole {
        true => sites.naming.rows_left.max(ROWS_AT_LEAST),
        false => view.top,
    };
    let rest = groups.split_off(groups.len().min(most));
    sites.naming.rows_left = sites.naming.rows_left.saturating_sub(groups.len());
    let omitted = Omitted {
        groups: rest.len() as u64,
        blocks: rest.iter().map(|group| group.sum.0.blocks).sum(),
        bytes: rest.iter().map(|group| group.sum.0.bytes).sum(),
    };
    (groups.into_iter().map(|group| row(group, group_by, sites)).collect(), omitted)
}

fn row(
    Group { sum: (sum, guess), first }: Group<Own>,
    group_by: GroupBy,
    sites: &mut Sites<'_, '_>,
) -> StackTotal {
    let (first, _) = first;
    let stack = sites.stack(first.site, first.stack);
    StackTotal {
        group: stack.group(group_by),
        function: function_name(first.function),
        blocks: sum.blocks,
        bytes: sum.bytes,
        largest_bytes: sum.largest,
        oldest_at_ns: sum.first_birth_ns,
        guess,
        stack,
    }
}

fn weight((from, _): &Own) -> (u64, u64) {
    (from.bytes, from.blocks)
}

fn add((sum, guess): &mut Own, (from, guessed): &Own) {
    sum.blocks += from.blocks;
    sum.bytes += from.bytes;
    sum.largest = sum.largest.max(from.largest);
    sum.first_birth_ns = sum.first_birth_ns.min(from.first_birth_ns);
    *guess &= guessed;
}

fn runtime_owned(kept: BTreeMap<&'static str, (u64, u64)>) -> RuntimeOwned {
    let mut by_origin: Vec<_> = kept
        .into_iter()
        .map(|(origin, (blocks, bytes))| OriginTotal { origin: origin.to_owned(), blocks, bytes })
        .collect();
    by_origin.sort_by_key(|total| Reverse(total.bytes));
    RuntimeOwned {
        blocks: by_origin.iter().map(|total| total.blocks).sum(),
        bytes: by_origin.iter().map(|total| total.bytes).sum(),
        by_origin,
    }
}
