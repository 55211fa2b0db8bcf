//! Which allocators there are, and the regions of those that are not read chunk by chunk.

use calltap_analyzers::arenas::memory_map::PAGE;
use calltap_analyzers::arenas::regions::Change;

use crate::report::model::{LastLook, Region};
use crate::report::units::{bytes, plural};

pub(super) fn regions_part(last: &LastLook) -> String {
    allocators(last) + &regions(last) + &births(last)
}

/// Nothing if there is but glibc's own.
fn allocators(last: &LastLook) -> String {
    let named = |serves| {
        let chosen = last.allocators.iter().filter(move |allocator| allocator.serves == serves);
        let named = chosen.map(|allocator| match &last.glibc {
            Some(version) if allocator.name == "glibc" => format!("glibc {version}"),
            _ => allocator.name.clone(),
        });
        named.collect::<Vec<_>>().join(", ")
    };
    let (serving, idle) = (named(true), named(false));
    match (serving.is_empty(), idle.is_empty()) {
        _ if last.allocators.iter().all(|allocator| allocator.name == "glibc") => String::new(),
        (false, false) => format!("    allocator: {serving}; also loaded: {idle}\n"),
        (false, true) => format!("    allocator: {serving}\n"),
        (true, _) => format!("    allocator: not known which serves; loaded: {idle}\n"),
    }
}

fn regions(last: &LastLook) -> String {
    if last.regions.is_empty() {
        return String::new();
    }
    let sum = |value: fn(&Region) -> u64| last.regions.iter().map(value).sum::<u64>();
    let (empty, sparse) = (sum(|region| region.empty_pages), sum(|region| region.sparse_pages));
    format!(
        "    {} of the allocator: {}, {} resident, {} requested in {}; {} of pages without a living byte, \
         {} of pages less than a quarter used\n",
        plural(last.regions.len() as u64, "region"),
        bytes(sum(|region| region.extent.bytes)),
        bytes(sum(|region| region.extent.resident_bytes)),
        bytes(sum(|region| region.live_bytes)),
        plural(sum(|region| region.live_blocks), "block"),
        bytes(empty * PAGE),
        bytes(sparse * PAGE),
    )
}

/// How often what happened.
fn births(last: &LastLook) -> String {
    let told = last.births_by_change.iter().map(|counted| match counted.change {
        Change::ArenaBorn => plural(counted.count, "arena") + " made",
        Change::HeapBorn => plural(counted.count, "further heap") + " mapped",
        Change::Grown => format!("grown {}", plural(counted.count, "time")),
        Change::Trimmed => format!("trimmed {}", plural(counted.count, "time")),
        Change::Purged => format!("purged {}", plural(counted.count, "time")),
        Change::Died => plural(counted.count, "heap") + " unmapped",
        Change::ChunkMapped => plural(counted.count, "large block") + " mapped",
        Change::ChunkUnmapped => plural(counted.count, "large block") + " unmapped",
        Change::RegionMapped => plural(counted.count, "region") + " mapped",
        Change::RegionUnmapped => plural(counted.count, "region") + " unmapped",
    });
    let told: Vec<_> = told.collect();
    if told.is_empty() { String::new() } else { format!("    from the kernel: {}\n", told.join(", ")) }
}
