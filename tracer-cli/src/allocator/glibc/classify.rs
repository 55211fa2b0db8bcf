//! What each chunk is used for: by the lists of caches and bins.

use calltap_analyzers::arenas::chunk_map::{Arena, ChunkMap, Heap};

use super::capture::Captured;
use super::layout::Layout;
use super::pieces::Piece;
use super::places::Places;
use super::state::State;
use super::{bins, tcache};

/// See [`Captured::classify`].
pub(super) fn classify(captured: Captured) -> Result<ChunkMap, String> {
    let Captured { version, layout, tuning, states, mut pieces } = captured;
    let mut free = vec![Free::default(); states.len()];
    for (arena, Piece { walked, .. }) in &pieces {
        free[*arena].chunks += walked.free_chunks;
        free[*arena].bytes += walked.free_bytes;
    }
    let candidates: Vec<_> =
        pieces.iter_mut().flat_map(|(_, piece)| std::mem::take(&mut piece.walked.caches)).collect();
    let mut places = Places::new(pieces);
    let tcaches = tcache::mark(&mut places, &candidates, layout, &tuning);
    let arenas = states.iter().zip(free).enumerate();
    let mut arenas = arenas
        .map(|(index, (state, free))| listed(&mut places, index, state, layout, free))
        .collect::<Result<Vec<_>, _>>()?;
    for (index, heap) in places.heaps() {
        arenas[index].heaps.push(heap);
    }
    if let Some(arena) = arenas.iter().find(|arena| !arena.heaps.iter().all(is_whole)) {
        return Err(format!("a heap of the arena at {:#x} has a gap", arena.address));
    }
    Ok(ChunkMap { version, arenas, mmapped: Vec::new(), tcaches, parameters: tuning.parameters })
}

/// Free chunks of an arena, by their headers.
#[derive(Clone, Copy, Debug, Default)]
struct Free {
    chunks: usize,
    bytes: u64,
}

/// An arena with the bytes in its lists. If it is locked, an operation may be half done: then the
/// lists need not be whole.
fn listed(
    places: &mut Places,
    index: usize,
    state: &State,
    layout: Layout,
    free: Free,
) -> Result<Arena, String> {
    let arena = state.arena(index == 0);
    if state.is_empty() {
        return Ok(arena);
    }
    let fast = bins::mark_fast(places, index, state, layout);
    let listed = bins::follow(places, index, state, free.chunks).and_then(|bytes| {
        let fault = || {
            format!(
                "{bytes} bytes are in the bins of the arena at {:#x}, and {} are free",
                state.address, free.bytes
            )
        };
        if bytes == free.bytes { Ok(bytes) } else { Err(fault()) }
    });
    if state.is_locked() {
        let (fast_bytes, bin_bytes) = (fast.unwrap_or(0), listed.unwrap_or(free.bytes));
        return Ok(Arena { fast_bytes, bin_bytes, ..arena });
    }
    Ok(Arena { fast_bytes: fast?, bin_bytes: listed?, ..arena })
}

/// Whether the chunks fill the heap.
fn is_whole(heap: &Heap) -> bool {
    heap.chunks.iter().try_fold(heap.start, |end, chunk| (chunk.address == end).then(|| chunk.end()))
        == Some(heap.end)
}
