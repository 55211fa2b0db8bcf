//! From an address to the chunk that is there.

use calltap_analyzers::arenas::chunk_map::{Chunk, ChunkKind, Heap};

use super::pieces::Piece;

/// Which chunk: the piece's index, and its own in the piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    piece: usize,
    chunk: usize,
}

/// A piece of memory with its chunks.
struct Filled {
    arena: usize,
    heap: Heap,
    /// The first word of each chunk's block, if that can be a link.
    links: Vec<u64>,
}

/// All chunks of all arenas.
pub(super) struct Places {
    pieces: Vec<Filled>,
    /// The chunk that was found last: the next one is often beside it.
    last: Place,
}

impl Places {
    /// Of pieces by ascending address, each with its arena.
    pub(super) fn new(pieces: Vec<(usize, Piece)>) -> Self {
        let filled = pieces.into_iter().map(|(arena, Piece { heap, walked })| {
            let (chunks, links) = walked.chunks();
            Filled { arena, heap: Heap { chunks, ..heap }, links }
        });
        Self { pieces: filled.collect(), last: Place { piece: 0, chunk: 0 } }
    }

    /// The chunk that begins at `address`.
    pub(super) fn find(&mut self, address: u64) -> Option<Place> {
        let holds = |filled: &Filled| (filled.heap.start..filled.heap.end).contains(&address);
        let Place { mut piece, chunk: mut guess } = self.last;
        if !self.pieces.get(piece).is_some_and(holds) {
            piece = self.pieces.partition_point(|filled| filled.heap.end <= address);
            guess = 0;
        }
        let chunks = &self.pieces.get(piece)?.heap.chunks;
        // Chunks in a list have one size, and often lie in a row.
        let steps = chunks.get(guess).map_or(0, |from| {
            (address as i64 - from.address as i64).checked_div(from.bytes() as i64).unwrap_or(0)
        });
        let guess = guess.wrapping_add_signed(steps as isize);
        let chunk = if chunks.get(guess).is_some_and(|chunk| chunk.address == address) {
            guess
        } else {
            chunks.binary_search_by_key(&address, |chunk| chunk.address).ok()?
        };
        self.last = Place { piece, chunk };
        Some(self.last)
    }

    /// The chunk at a place.
    pub(super) fn chunk(&self, place: Place) -> Chunk {
        self.pieces[place.piece].heap.chunks[place.chunk]
    }

    /// The first word of its block; no address if that can be no link.
    pub(super) fn link(&self, place: Place) -> u64 {
        self.pieces[place.piece].links[place.chunk]
    }

    /// Index of its arena.
    pub(super) fn arena(&self, place: Place) -> usize {
        self.pieces[place.piece].arena
    }

    /// Says what it is used for.
    pub(super) fn mark(&mut self, place: Place, kind: ChunkKind) {
        let chunk = &mut self.pieces[place.piece].heap.chunks[place.chunk];
        *chunk = chunk.with(kind);
    }

    /// The heaps, by ascending address, each with its arena. Headers before the first chunk are a
    /// chunk too.
    pub(super) fn heaps(self) -> impl Iterator<Item = (usize, Heap)> {
        self.pieces.into_iter().map(|Filled { arena, mut heap, .. }| {
            let first = heap.chunks.first().map_or(heap.end, |chunk| chunk.address);
            if first > heap.start {
                heap.chunks.insert(0, Chunk::new(heap.start, first - heap.start, ChunkKind::Header));
            }
            (arena, heap)
        })
    }
}
