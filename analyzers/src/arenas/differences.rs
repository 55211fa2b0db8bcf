//! The hooks' ledger beside the allocator's own: block by block.

use super::chunk_map::{ChunkKind, ChunkMap};
use super::memory_map::{Area, AreaKind};
use super::report::Differences;
use super::{Moment, join};
use crate::heap::LiveBlock;

/// Compares both, one to one. If chunks were not read, only blocks outside the allocator's memory differ.
pub(super) fn compare(moment: &Moment) -> Differences {
    let differences = match moment.chunk_map() {
        Some(map) => with_chunks(map, &moment.live),
        None => with_areas(&moment.areas, &moment.live),
    };
    Differences { under_way: moment.calls_under_way, ..differences }
}

fn with_chunks(map: &ChunkMap, live: &[LiveBlock]) -> Differences {
    let mut count = Count::new(live);
    for held in join::chunks(map, live).filter(|held| held.chunk.kind() == ChunkKind::InUse) {
        count.chunk(held.chunk.bytes(), held.chunk.usable_bytes(), held.live);
    }
    let mut rest = live.iter().peekable();
    for chunk in &map.mmapped {
        while rest.next_if(|block| block.block.0 < chunk.block).is_some() {}
        let known = rest.next_if(|block| block.block.0 == chunk.block);
        count.chunk(chunk.end - chunk.start, chunk.usable_bytes(), known);
    }
    let found = map.mmapped.len() as i64;
    count.differences.mmapped_missing =
        map.parameters.mmapped_chunks.map_or(0, |counted| counted as i64 - found);
    count.differences
}

/// Every block is without a chunk until that is found.
struct Count {
    differences: Differences,
}

impl Count {
    fn new(live: &[LiveBlock]) -> Self {
        let differences = Differences {
            blocks_without_chunk: live.len() as u64,
            blocks_without_chunk_bytes: live.iter().fold(0, |sum, block| sum.saturating_add(block.bytes)),
            ..Differences::default()
        };
        Self { differences }
    }

    /// A chunk in use, and the block that lives at its address.
    fn chunk(&mut self, bytes: u64, usable_bytes: u64, live: Option<&LiveBlock>) {
        let to = &mut self.differences;
        let Some(block) = live else {
            to.chunks_not_seen += 1;
            to.chunks_not_seen_bytes += bytes;
            return;
        };
        to.blocks_without_chunk -= 1;
        to.blocks_without_chunk_bytes = to.blocks_without_chunk_bytes.saturating_sub(block.bytes);
        if block.bytes > usable_bytes {
            to.too_small += 1;
        } else {
            to.matched += 1;
        }
    }
}

fn with_areas(areas: &[Area], live: &[LiveBlock]) -> Differences {
    let mut differences = Differences::default();
    let mut own = areas.iter().filter(|area| area.kind == AreaKind::Allocator).peekable();
    for block in live {
        while own.next_if(|area| area.end <= block.block.0).is_some() {}
        if own.peek().is_none_or(|area| area.start > block.block.0) {
            differences.blocks_without_chunk += 1;
            let bytes = &mut differences.blocks_without_chunk_bytes;
            *bytes = bytes.saturating_add(block.bytes);
        }
    }
    differences
}
