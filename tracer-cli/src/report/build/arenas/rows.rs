//! Arenas, caches, regions and strips.

use calltap_analyzers::arenas::Allocator;
use calltap_analyzers::arenas::report::{ArenaRow, Cell, Differences, RegionRow, Strip, TcacheRow};

use super::super::Sites;
use super::{extent, model};

pub(super) fn allocator(allocator: &Allocator) -> model::Allocator {
    model::Allocator {
        name: allocator.name.clone(),
        object: allocator.object.clone(),
        serves: allocator.serves,
    }
}

pub(super) fn arena(row: &ArenaRow, sites: &mut Sites<'_, '_>) -> model::Arena {
    model::Arena {
        address: row.address,
        is_main: row.is_main,
        system: extent(row.system),
        max_system_bytes: row.max_system_bytes,
        in_use_bytes: row.in_use_bytes,
        live_bytes: row.live_bytes,
        live_blocks: row.live_blocks,
        tcache: extent(row.tcache),
        fast: extent(row.fast),
        bin: extent(row.bin),
        top: extent(row.top),
        heaps: row.heaps,
        attached_threads: row.attached_threads,
        threads: row
            .threads
            .iter()
            .map(|&(thread, bytes)| model::ThreadBytes { tid: thread.0, bytes })
            .collect(),
        locked: row.locked,
        trim_bytes: row.trim_bytes,
        born_ns: row.born_ns,
        made_by_tid: row.made_by.map(|thread| thread.0),
        site: sites.at(row.site, row.stack),
        stack: sites.stack(row.site, row.stack),
    }
}

pub(super) fn tcache(row: &TcacheRow) -> model::Tcache {
    model::Tcache { tid: row.thread.map(|thread| thread.0), chunks: row.chunks, bytes: row.bytes }
}

pub(super) fn region(row: &RegionRow, sites: &mut Sites<'_, '_>) -> model::Region {
    let mapper = row.mapper.unwrap_or_default();
    model::Region {
        start: row.start,
        end: row.end,
        extent: extent(row.extent),
        live_bytes: row.live_bytes,
        live_blocks: row.live_blocks,
        empty_pages: row.empty_pages,
        sparse_pages: row.sparse_pages,
        born_ns: row.born_ns,
        tid: row.thread.map(|thread| thread.0),
        site: sites.at(mapper.site, mapper.stack),
        stack: sites.stack(mapper.site, mapper.stack),
    }
}

pub(super) fn differences(found: &Differences) -> model::Differences {
    model::Differences {
        matched: found.matched,
        chunks_not_seen: found.chunks_not_seen,
        chunks_not_seen_bytes: found.chunks_not_seen_bytes,
        blocks_without_chunk: found.blocks_without_chunk,
        blocks_without_chunk_bytes: found.blocks_without_chunk_bytes,
        too_small: found.too_small,
        mmapped_missing: found.mmapped_missing,
        under_way: found.under_way,
    }
}

pub(super) fn strip(strip: &Strip) -> model::Strip {
    let each = |value: fn(&Cell) -> u64| strip.cells.iter().map(value).collect();
    model::Strip {
        start: strip.start,
        end: strip.end,
        arena: strip.arena,
        cells: model::Cells {
            live_bytes: each(|cell| cell.live),
            tcache_bytes: each(|cell| cell.tcache),
            free_bytes: each(|cell| cell.free),
            untouched_bytes: each(|cell| cell.untouched),
        },
    }
}
