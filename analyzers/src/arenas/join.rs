//! Chunks beside the blocks that live in them.

use super::chunk_map::{Chunk, ChunkMap, Heap};
use crate::heap::LiveBlock;

/// A chunk of an arena, and what is known of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held<'a> {
    /// The piece of the arena that it lies in.
    pub(super) heap: &'a Heap,
    /// Itself.
    pub(super) chunk: Chunk,
    /// The block that lives at its address by the ledger, whatever the chunk is used for.
    pub(super) live: Option<&'a LiveBlock>,
}

/// Every chunk of every heap, by address within a heap, with its living block. `live` is sorted by
/// address.
pub(super) fn chunks<'a>(map: &'a ChunkMap, live: &'a [LiveBlock]) -> impl Iterator<Item = Held<'a>> {
    let heaps = map.arenas.iter().flat_map(|arena| &arena.heaps);
    heaps.flat_map(move |heap| in_heap(heap, live))
}

/// The same for one heap.
pub(super) fn in_heap<'a>(heap: &'a Heap, live: &'a [LiveBlock]) -> impl Iterator<Item = Held<'a>> {
    let first = live.partition_point(|block| block.block.0 < heap.start);
    let mut rest = live[first..].iter().peekable();
    heap.chunks.iter().map(move |&chunk| {
        while rest.next_if(|block| block.block.0 < chunk.block()).is_some() {}
        let live = rest.next_if(|block| block.block.0 == chunk.block());
        Held { heap, chunk, live }
    })
}
