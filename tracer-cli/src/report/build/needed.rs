//! Which frames need names: those of findings always, as they decide what is a leak; all others in JSON,
//! and in a text of processes that may get a section.

use std::cmp::Reverse;
use std::collections::HashSet;

use calltap_analyzers::event::Image;
use calltap_analyzers::image::ImageReport;

use super::{Ended, ProcessFacts, Wishes, arenas, descriptors, system_calls};
use crate::report::View;
use crate::report::stacks::Place;

/// If there are more processes, a text names the stacks of so many.
const DETAILED: usize = 20;

/// Whether more than the findings of each process is shown by stack.
pub(super) fn details(processes: &[ProcessFacts], wishes: &Wishes) -> Vec<bool> {
    if wishes.view.whole || wishes.folded.is_some() || processes.len() <= DETAILED {
        return vec![true; processes.len()];
    }
    let mut ranked: Vec<usize> = (0..processes.len()).collect();
    let lasting = processes.iter().position(|p| p.findings.is_some() && p.ended != Ended::Exec);
    ranked.sort_by_key(|&index| (Some(index) != lasting, Reverse(weight(&processes[index])), index));
    let mut details = vec![false; processes.len()];
    ranked.iter().take(DETAILED).for_each(|&index| details[index] = true);
    details
}

/// At least what the report will find of faults, bytes and descriptors.
fn weight(process: &ProcessFacts) -> (u64, u64, usize) {
    let Some(found) = process.findings.as_ref().filter(|_| process.ended != Ended::Exec) else {
        return (0, 0, 0);
    };
    let heap = found.heap.as_ref();
    let faults =
        heap.map_or(0, |h| h.double_frees.count + h.unmatched_frees.count + h.mismatched_frees.count);
    let descriptors = found.descriptors.as_ref();
    let wrong_uses =
        descriptors.map_or(0, |d| d.double_closes.count + d.foreign_closes.count + d.uses_after_close.count);
    let open = descriptors.map_or(0, |d| d.still_open.len() + d.passed_on.examples.len());
    let outsized = found.outsized.as_ref().map_or(0, |outsized| outsized.count);
    (faults + wrong_uses + outsized, heap.map_or(0, |h| h.live_bytes + h.live_blocks), open)
}

/// The stacks of everything that the report tells of.
pub(super) fn stacks(processes: &[ProcessFacts], view: View) -> HashSet<u32> {
    let found = processes.iter().filter_map(|process| process.findings.as_ref());
    let places = found.flat_map(|found| findings(found).into_iter().chain(users(found, view)));
    let places = places.chain(processes.iter().flat_map(|process| arenas::places(&process.looks)));
    let places = places.chain(processes.iter().flat_map(|process| left(process, view)));
    places.map(|(stack, _)| stack).collect()
}

/// Every place whose stack is going to be named, but for [`residue`].
pub(super) fn places<'a>(
    processes: &'a [ProcessFacts],
    details: &'a [bool],
    view: View,
) -> impl Iterator<Item = (Image, Vec<Place>)> + 'a {
    let found = processes.iter().filter_map(|process| process.findings.as_ref());
    let elsewhere = found.flat_map(elsewhere).map(|(image, place)| (image, vec![place]));
    let own = processes.iter().zip(details).filter_map(move |(process, &detail)| {
        let mut places = arenas::places(&process.looks);
        if let Some(found) = &process.findings {
            places.extend(findings(found));
            if detail {
                places.extend(users(found, view));
            }
        }
        Some((process.image?, places))
    });
    own.chain(elsewhere)
}

/// Where the system calls were made that no library call has made.
pub(super) fn residue<'a>(
    processes: &'a [ProcessFacts],
    details: &'a [bool],
    view: View,
) -> impl Iterator<Item = (Image, Vec<Place>)> + 'a {
    let detailed = processes.iter().zip(details).filter(|(_, detail)| **detail);
    detailed.filter_map(move |(process, _)| Some((process.image?, left(process, view).collect())))
}

fn left(process: &ProcessFacts, view: View) -> impl Iterator<Item = Place> + '_ {
    let kernel = process.findings.iter().flat_map(|found| &found.kernel);
    kernel.flat_map(move |kernel| system_calls::residue_places(kernel, view))
}

/// Places of calls that a finding of perhaps another image tells of: who opened what was passed on.
fn elsewhere(found: &ImageReport) -> impl Iterator<Item = (Image, Place)> + '_ {
    let calls = found.descriptors.iter().flat_map(descriptors::calls::all);
    calls.map(|call| (call.image, (call.stack, call.site)))
}

fn users(found: &ImageReport, view: View) -> impl Iterator<Item = Place> + '_ {
    let heap = found.heap.iter().flat_map(|heap| &heap.by_place).map(|place| (place.stack, place.site));
    let told = found.descriptors.iter().filter(move |report| descriptors::tells_of_opens(report, view));
    let descriptors = told.flat_map(|descriptors| &descriptors.by_place);
    let system_calls = found.kernel.iter().flat_map(move |kernel| system_calls::error_places(kernel, view));
    heap.chain(descriptors.map(|place| (place.stack, place.site))).chain(system_calls)
}

fn findings(found: &ImageReport) -> Vec<Place> {
    let mut places = Vec::new();
    if let Some(heap) = &found.heap {
        places.extend(heap.still_allocated.iter().map(|living| (living.stack, living.site)));
        let releases = heap.double_frees.examples.iter().chain(&heap.unmatched_frees.examples);
        places.extend(releases.map(|fault| (fault.stack, fault.site)));
        for mismatch in &heap.mismatched_frees.examples {
            places.push((mismatch.given_stack, mismatch.given_at));
            places.push((mismatch.released_stack, mismatch.released_at));
        }
        places.extend(heap.largest_allocation.map(|largest| (largest.stack, largest.site)));
    }
    if let Some(outsized) = &found.outsized {
        places.extend(outsized.allocations.iter().map(|asked| (asked.stack, asked.site)));
    }
    if let Some(descriptors) = &found.descriptors {
        places.extend(descriptors.still_open.iter().map(|open| (open.stack, open.site)));
        places.extend(descriptors.growing.iter().map(|growth| (growth.stack, growth.site)));
        places.extend(descriptors.failed_closes.examples.iter().map(|fault| (fault.stack, fault.site)));
    }
    places
}
