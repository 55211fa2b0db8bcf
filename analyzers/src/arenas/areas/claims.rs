//! Who claims which part of anonymous memory: the kernel shows neighbours as one line.

use std::ops::Range;

use crate::arenas::chunk_map::ChunkMap;
use crate::arenas::regions::Mapping;

/// Ranges by address.
pub(super) struct Claims<'a> {
    mappings: &'a [Mapping],
    /// What holds glibc's chunks; ranges do not overlap.
    chunks: Vec<Range<u64>>,
}

impl<'a> Claims<'a> {
    /// `mappings` are sorted, and do not overlap.
    pub(super) fn new(mappings: &'a [Mapping], chunk_map: Option<&ChunkMap>) -> Self {
        let mut chunks: Vec<Range<u64>> = Vec::new();
        if let Some(map) = chunk_map {
            let heaps = map.arenas.iter().flat_map(|arena| &arena.heaps);
            chunks.extend(heaps.map(|heap| heap.start..heap.reserved_end.max(heap.end)));
            chunks.extend(map.mmapped.iter().map(|chunk| chunk.start..chunk.end));
            chunks.sort_by_key(|range| range.start);
        }
        Self { mappings, chunks }
    }

    /// Whether chunks are there.
    pub(super) fn is_chunk(&self, address: u64) -> bool {
        let next = self.chunks.partition_point(|range| range.start <= address);
        self.chunks[..next].last().is_some_and(|range| address < range.end)
    }

    /// What was mapped there.
    pub(super) fn mapping(&self, address: u64) -> Option<&'a Mapping> {
        let next = self.mappings.partition_point(|mapping| mapping.start <= address);
        self.mappings[..next].last().filter(|mapping| address < mapping.end)
    }

    /// `range` cut wherever somebody else's claim begins.
    pub(super) fn pieces(&self, range: Range<u64>) -> impl Iterator<Item = Range<u64>> + use<> {
        let from = self.mappings.partition_point(|mapping| mapping.end <= range.start);
        let mappings = self.mappings[from..].iter().map(|mapping| mapping.start..mapping.end);
        let from = self.chunks.partition_point(|chunks| chunks.end <= range.start);
        let chunks = self.chunks[from..].iter().cloned();
        let inside = |claim: &Range<u64>| claim.start < range.end;
        let claims = mappings.take_while(inside).chain(chunks.take_while(inside));
        let mut cuts: Vec<u64> = claims.flat_map(|claim| [claim.start, claim.end]).collect();
        cuts.retain(|cut| range.contains(cut));
        cuts.extend([range.start, range.end]);
        cuts.sort_unstable();
        cuts.dedup();
        (1..cuts.len()).map(move |at| cuts[at - 1]..cuts[at])
    }
}
