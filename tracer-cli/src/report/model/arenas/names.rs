//! The words that stand in the JSON for what memory is used for, and why.

use calltap_analyzers::arenas::Occasion;
use calltap_analyzers::arenas::regions::Change;
use calltap_analyzers::arenas::report::{Part, PinKind, VerdictKind};
use serde::Serializer;

/// Every part, in the order in which a text has them.
pub(in crate::report) const PARTS: [Part; 20] = [
    Part::Live,
    Part::Rounding,
    Part::Headers,
    Part::NotSeen,
    Part::Tcache,
    Part::Fast,
    Part::Bin,
    Part::Top,
    Part::Orphan,
    Part::Retained,
    Part::Reserved,
    Part::Stacks,
    Part::Direct,
    Part::Code,
    Part::Files,
    Part::Shared,
    Part::Runtime,
    Part::Calltap,
    Part::Kernel,
    Part::Unknown,
];

/// Every verdict.
pub(in crate::report) const VERDICTS: [VerdictKind; 7] = [
    VerdictKind::Leak,
    VerdictKind::InUse,
    VerdictKind::Retention,
    VerdictKind::Fragmentation,
    VerdictKind::NeverTouched,
    VerdictKind::Overhead,
    VerdictKind::NotTheAllocators,
];

/// Every change of a region.
pub(in crate::report) const CHANGES: [Change; 10] = [
    Change::ArenaBorn,
    Change::HeapBorn,
    Change::Grown,
    Change::Trimmed,
    Change::Purged,
    Change::Died,
    Change::ChunkMapped,
    Change::ChunkUnmapped,
    Change::RegionMapped,
    Change::RegionUnmapped,
];

pub(super) fn occasion<S: Serializer>(occasion: &Occasion, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(match occasion {
        Occasion::Exit => "exit",
        Occasion::Periodic => "periodic",
        Occasion::OnDemand => "on_demand",
    })
}

pub(super) fn part<S: Serializer>(part: &Part, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(match part {
        Part::Live => "live",
        Part::Rounding => "rounding",
        Part::Headers => "headers",
        Part::NotSeen => "not_seen",
        Part::Tcache => "tcache",
        Part::Fast => "fast",
        Part::Bin => "bin",
        Part::Top => "top",
        Part::Orphan => "orphan",
        Part::Retained => "retained",
        Part::Reserved => "reserved",
        Part::Stacks => "stacks",
        Part::Direct => "direct",
        Part::Code => "code",
        Part::Files => "files",
        Part::Shared => "shared",
        Part::Runtime => "runtime",
        Part::Calltap => "calltap",
        Part::Kernel => "kernel",
        Part::Unknown => "unknown",
    })
}

pub(super) fn verdict<S: Serializer>(kind: &VerdictKind, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(match kind {
        VerdictKind::Leak => "leak",
        VerdictKind::InUse => "in_use",
        VerdictKind::Retention => "retention",
        VerdictKind::Fragmentation => "fragmentation",
        VerdictKind::NeverTouched => "never_touched",
        VerdictKind::Overhead => "overhead",
        VerdictKind::NotTheAllocators => "not_the_allocators",
    })
}

pub(super) fn pin<S: Serializer>(kind: &PinKind, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(match kind {
        PinKind::Top => "top",
        PinKind::Heap => "heap",
    })
}

pub(super) fn change<S: Serializer>(change: &Change, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(match change {
        Change::ArenaBorn => "arena_born",
        Change::HeapBorn => "heap_born",
        Change::Grown => "grown",
        Change::Trimmed => "trimmed",
        Change::Purged => "purged",
        Change::Died => "died",
        Change::ChunkMapped => "chunk_mapped",
        Change::ChunkUnmapped => "chunk_unmapped",
        Change::RegionMapped => "region_mapped",
        Change::RegionUnmapped => "region_unmapped",
    })
}
