//! The arenas' part: all looks in figures, and the last one in full.

use calltap_analyzers::arenas::report::{ArenaReport, Extent, Ledger, VerdictKind};
use calltap_analyzers::event::FunctionId;

use super::super::model::{self, Arenas, LastLook, Look, VerdictBytes};
use super::{Sites, function_name};
use crate::report::stacks::Place;

mod advice;
mod births;
mod blame;
mod rows;

/// None if nobody has looked. `command` is the session's, which advice repeats.
pub(super) fn arenas(looks: &[ArenaReport], command: &[String], sites: &mut Sites<'_, '_>) -> Option<Arenas> {
    let last = looks.last()?;
    Some(Arenas { looks: looks.iter().map(look).collect(), last: last_look(last, command, sites) })
}

/// Every place that the last look tells of.
pub(super) fn places(looks: &[ArenaReport]) -> Vec<Place> {
    let Some(last) = looks.last() else { return Vec::new() };
    let culprits = last.verdicts.iter().flat_map(|verdict| &verdict.culprits);
    let culprits =
        culprits.chain(advice::culprits(&last.advice)).map(|culprit| (culprit.stack, culprit.site));
    let pins = last.pins.iter().map(|pin| (pin.stack, pin.site));
    let arenas = last.arenas.iter().map(|arena| (arena.stack, arena.site));
    let mappers = last.regions.iter().filter_map(|region| region.mapper);
    let regions = mappers.map(|mapper| (mapper.stack, mapper.site));
    let births = births::chosen(&last.births).into_iter().map(|birth| (birth.stack, birth.site));
    culprits.chain(pins).chain(arenas).chain(regions).chain(births).collect()
}

fn look(found: &ArenaReport) -> Look {
    let Ledger { requested, usable, in_use, system, mapped, kernel, anonymous, explained } = found.ledger;
    let bytes = |kind| {
        found.verdicts.iter().filter(|verdict| verdict.kind == kind).map(|verdict| verdict.bytes).sum()
    };
    Look {
        at_ns: found.at_ns,
        occasion: found.occasion,
        stopped_ns: found.stopped_ns,
        consistent: found.consistent,
        requested_bytes: requested.bytes,
        usable_bytes: usable.map(|usable| usable.bytes),
        in_use_bytes: in_use.map(|in_use| in_use.bytes),
        system_bytes: system.bytes,
        system_resident_bytes: system.resident,
        mapped_bytes: mapped.bytes,
        anonymous_resident_bytes: anonymous,
        explained_bytes: explained,
        rss_anon_bytes: kernel.rss_anon,
        trim_returned_bytes: found.trim.map(|trim| trim.returned),
        verdicts: VerdictBytes {
            leak_bytes: bytes(VerdictKind::Leak),
            in_use_bytes: bytes(VerdictKind::InUse),
            retention_bytes: bytes(VerdictKind::Retention),
            fragmentation_bytes: bytes(VerdictKind::Fragmentation),
            never_touched_bytes: bytes(VerdictKind::NeverTouched),
            overhead_bytes: bytes(VerdictKind::Overhead),
            not_the_allocators_bytes: bytes(VerdictKind::NotTheAllocators),
        },
    }
}

fn last_look(found: &ArenaReport, command: &[String], sites: &mut Sites<'_, '_>) -> LastLook {
    let births: Vec<_> =
        births::chosen(&found.births).into_iter().map(|birth| births::birth(birth, sites)).collect();
    LastLook {
        at_ns: found.at_ns,
        occasion: found.occasion,
        stopped_ns: found.stopped_ns,
        consistent: found.consistent,
        glibc: found.glibc.map(|(major, minor)| format!("{major}.{minor}")),
        not_decoded: found.not_decoded.clone(),
        allocators: found.allocators.iter().map(rows::allocator).collect(),
        ledger: ledger(&found.ledger),
        parts: found
            .parts
            .iter()
            .map(|part| model::PartBytes { part: part.part, extent: extent(part.extent) })
            .collect(),
        verdicts: found.verdicts.iter().map(|verdict| blame::verdict(verdict, sites)).collect(),
        pins: found.pins.iter().map(|pin| blame::pin(pin, sites)).collect(),
        advice: found.advice.iter().map(|advice| advice::advice(advice, command, sites)).collect(),
        trim: found.trim.map(|trim| model::Trim {
            returned_bytes: trim.returned,
            from_top_bytes: trim.from_top,
            kept_bytes: trim.kept,
        }),
        arenas: found.arenas.iter().map(|arena| rows::arena(arena, sites)).collect(),
        tcaches: found.tcaches.iter().map(rows::tcache).collect(),
        regions: found.regions.iter().map(|region| rows::region(region, sites)).collect(),
        differences: rows::differences(&found.differences),
        births_omitted: (found.births.len() - births.len()) as u64,
        births,
        births_by_change: births::by_change(&found.births),
        strips: found.strips.iter().map(rows::strip).collect(),
    }
}

fn ledger(ledger: &Ledger) -> model::Ledger {
    let kernel = ledger.kernel;
    model::Ledger {
        requested: extent(ledger.requested),
        usable: ledger.usable.map(extent),
        in_use: ledger.in_use.map(extent),
        system: extent(ledger.system),
        mapped: extent(ledger.mapped),
        kernel: model::KernelCounts {
            rss_anon_bytes: kernel.rss_anon,
            rss_file_bytes: kernel.rss_file,
            rss_shmem_bytes: kernel.rss_shmem,
            swap_bytes: kernel.swap,
            lazily_freed_bytes: kernel.lazily_freed,
            anonymous_bytes: kernel.anonymous,
            huge_bytes: kernel.huge,
        },
        anonymous_bytes: ledger.anonymous,
        explained_bytes: ledger.explained,
    }
}

fn extent(extent: Extent) -> model::Extent {
    model::Extent { bytes: extent.bytes, resident_bytes: extent.resident, swapped_bytes: extent.swapped }
}

fn named(function: Option<FunctionId>) -> Option<String> {
    function.map(function_name)
}
