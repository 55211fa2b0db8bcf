//! What only a look at the memory can tell of births.

use super::{Birth, Change};
use crate::arenas::Decoding;
use crate::arenas::chunk_map::ChunkMap;

/// `births` with what only a look at the memory can tell: whether a heap was its arena's first one, and
/// whether the heaps are glibc's at all.
#[must_use]
pub fn settled(mut births: Vec<Birth>, decoding: &Decoding) -> Vec<Birth> {
    for birth in &mut births {
        birth.change = match (decoding, birth.change) {
            (Decoding::Chunks(map), Change::ArenaBorn | Change::HeapBorn) => match is_first(map, birth) {
                Some(true) => Change::ArenaBorn,
                Some(false) => Change::HeapBorn,
                None => birth.change,
            },
            (Decoding::Regions, Change::ArenaBorn | Change::HeapBorn | Change::ChunkMapped) => {
                Change::RegionMapped
            }
            (Decoding::Regions, Change::Died | Change::ChunkUnmapped) => Change::RegionUnmapped,
            (_, change) => change,
        };
    }
    births
}

/// Whether an arena begins in the heap that was born so; `None` if the heap is no more, or not one.
fn is_first(map: &ChunkMap, birth: &Birth) -> Option<bool> {
    let arena = map.arenas.iter().find(|arena| arena.heaps.iter().any(|heap| heap.start == birth.start))?;
    let own = (birth.start..birth.end).contains(&arena.address);
    Some(arena.is_main || own)
}
