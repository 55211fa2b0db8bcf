//! The threads' caches: which chunks lie in them.

use calltap_analyzers::arenas::chunk_map::{ChunkKind, ChunkMap, Heap, Tcache};

use super::cache::Cache;
use super::layout::{HEADER, LEAST, Layout, chunk_of};
use super::parameters::Tuning;
use super::places::{Place, Places};

/// Marks the caches and what lies in them; gives the caches.
///
/// A block of the program's own with the size of a cache is taken for one only if each of its lists
/// leads through as many chunks of the right size as it says, or if it is all zero, as an empty cache
/// is. Nothing in the allocator's memory tells those two apart; a ledger of the program's blocks does
/// ([`unmark`]).
pub(super) fn mark(
    places: &mut Places,
    candidates: &[Cache],
    layout: Layout,
    tuning: &Tuning,
) -> Vec<Tcache> {
    let most = tuning.parameters.tcache_count.unwrap_or(0);
    let largest = chunk_of(tuning.parameters.tcache_max.unwrap_or(0));
    let mut all = Vec::new();
    for cache in candidates {
        let Some(own) = places.find(cache.address) else { continue };
        let mut chunks = vec![own];
        let fits = cache.lists.iter().all(|&(bin, count, head)| {
            let bytes = LEAST + 16 * bin as u64;
            let list = List { count: u64::from(count), head, bytes };
            list.count <= most && bytes <= largest && list.follow(places, layout, &mut chunks).is_some()
        });
        // A chunk lies in one list, once.
        let found = chunks.len();
        chunks.sort_unstable();
        chunks.dedup();
        let free = |&place: &Place| places.chunk(place).kind() == ChunkKind::InUse;
        if !fits || chunks.len() < found || !chunks.iter().all(free) {
            continue;
        }
        for &place in &chunks {
            places.mark(place, ChunkKind::Tcache);
        }
        places.mark(own, ChunkKind::TcacheStruct);
        let bytes = chunks.iter().filter(|&&place| place != own).map(|&place| places.chunk(place).bytes());
        all.push(Tcache {
            address: cache.address + HEADER,
            thread: None,
            chunks: chunks.len() as u64 - 1,
            bytes: bytes.sum(),
        });
    }
    all
}

/// Takes back what [`mark`] took for an empty cache, where the program is known to have a block of its
/// own.
pub(super) fn unmark(map: &mut ChunkMap, is_block: impl Fn(u64) -> bool) {
    let ChunkMap { tcaches, arenas, .. } = map;
    let mut heaps: Vec<_> = arenas.iter_mut().flat_map(|arena| &mut arena.heaps).collect();
    heaps.sort_unstable_by_key(|heap| heap.start);
    tcaches.retain(|tcache| {
        let keeps = tcache.chunks > 0 || !is_block(tcache.address);
        let after = heaps.partition_point(|heap| heap.start <= tcache.address);
        let heap = if keeps { None } else { heaps[..after].last_mut() };
        let own = |heap: &Heap| heap.chunks.binary_search_by_key(&tcache.address, |chunk| chunk.block()).ok();
        if let Some((heap, index)) = heap.and_then(|heap| own(heap).map(|index| (heap, index))) {
            heap.chunks[index] = heap.chunks[index].with(ChunkKind::InUse);
        }
        keeps
    });
}

/// A cache's list of chunks of one size.
struct List {
    count: u64,
    /// The first one's block.
    head: u64,
    bytes: u64,
}

impl List {
    /// Adds its chunks; `None` if it is not as long as it says, or leads elsewhere.
    fn follow(&self, places: &mut Places, layout: Layout, chunks: &mut Vec<Place>) -> Option<()> {
        let mut block = self.head;
        for _ in 0..self.count {
            let place = places.find(block.checked_sub(HEADER)?)?;
            if places.chunk(place).bytes() != self.bytes {
                return None;
            }
            chunks.push(place);
            block = layout.linked(places.link(place), block);
        }
        (block == 0).then_some(())
    }
}
