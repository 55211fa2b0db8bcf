//! Blocks that keep free memory from going back.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::ops::Range;

use super::Moment;
use super::chunk_map::{Arena, Chunk, ChunkKind, ChunkMap, Heap};
use super::memory_map::PageState;
use super::report::{Pin, PinKind};
use super::trim::is_free;

/// Less pinned memory is not worth a word: the same as glibc's own threshold for trimming.
const LEAST_PINNED: u64 = 128 << 10;
/// More chunks than these do not pin, they are there.
const MOST_CHUNKS: usize = 16;
/// Chunks pin if what they pin is so many times what they are.
const TIMES_OWN: u64 = 8;
/// So many of the chunks that stand together are named.
const NAMED: usize = 4;
/// So many pins are named in all.
const PINS: usize = 20;

/// The blocks but for which memory could go back, most pinned bytes first; at most 20.
///
/// * *Top*: `free` gives back from the top only. Below an arena's top stand a few chunks that are in
///   use, and below these at least 128 KiB are free. What is free further down, below a few more
///   chunks, is looked for as well.
/// * *Heap*: a heap of a thread arena is unmapped when all of it is free, and so are those made after
///   it. But for a few chunks it would be free. An arena's first heap never goes.
///
/// A few are 16 at most, whose own bytes are no more than an eighth of those they pin. They all hold the
/// same bytes, so the four next to these are named with all of them each: blocks of the program if there
/// are any, else chunks in caches and fast bins, which hold just as well, and those nobody has seen being
/// given.
#[must_use]
pub fn find(moment: &Moment, map: &ChunkMap) -> Vec<Pin> {
    let mut pins: HashMap<u64, Pin> = HashMap::new();
    for arena in &map.arenas {
        for heap in &arena.heaps {
            let place = Hold { moment, arena, heap };
            for pin in place.below_top().into_iter().chain(place.whole_heap()) {
                let known = pins.entry(pin.block).or_insert(pin);
                if pin.pinned_bytes > known.pinned_bytes {
                    *known = pin;
                }
            }
        }
    }
    let mut pins: Vec<_> = pins.into_values().collect();
    pins.sort_unstable_by_key(|pin| (Reverse((pin.pinned_bytes, pin.pinned_resident)), pin.block));
    pins.truncate(PINS);
    pins
}

/// A heap in which something may be held.
struct Hold<'a> {
    moment: &'a Moment,
    arena: &'a Arena,
    heap: &'a Heap,
}

impl Hold<'_> {
    fn below_top(&self) -> Vec<Pin> {
        let mut pins = Vec::new();
        let Some((_, below)) = self.heap.chunks.split_last().filter(|(top, _)| top.kind() == ChunkKind::Top)
        else {
            return pins;
        };
        // The lowest stands last.
        let mut holders: Vec<Chunk> = Vec::new();
        for chunk in below.iter().rev() {
            if chunk.kind() != ChunkKind::Bin {
                holders.push(*chunk);
            } else if chunk.bytes() >= LEAST_PINNED {
                let resident = self.resident(chunk.address..chunk.end());
                pins.extend(self.name(PinKind::Top, holders.iter().rev(), chunk.bytes(), resident));
                holders.clear();
            }
            if holders.len() > MOST_CHUNKS {
                break;
            }
        }
        pins
    }

    fn whole_heap(&self) -> Vec<Pin> {
        let is_first = (self.heap.start..self.heap.end).contains(&self.arena.address);
        if self.arena.is_main || is_first {
            return Vec::new();
        }
        let is_holder = |chunk: &&Chunk| {
            !is_free(chunk.kind()) && !matches!(chunk.kind(), ChunkKind::Header | ChunkKind::Fencepost)
        };
        let holders: Vec<_> = self.heap.chunks.iter().filter(is_holder).take(MOST_CHUNKS + 1).collect();
        if holders.len() > MOST_CHUNKS {
            return Vec::new();
        }
        let held: u64 = holders.iter().map(|chunk| chunk.bytes()).sum();
        let writable = self.heap.start..self.heap.writable_end;
        let resident = self.resident(writable.clone());
        let own = holders.iter().map(|chunk| self.resident(chunk.address..chunk.end())).sum();
        let pinned = (writable.end - writable.start).saturating_sub(held);
        if pinned < LEAST_PINNED {
            return Vec::new();
        }
        self.name(PinKind::Heap, holders.iter().copied(), pinned, resident.saturating_sub(own))
    }

    /// Those of the holders that are to be named, the first ones first.
    fn name<'b>(
        &self,
        kind: PinKind,
        holders: impl Iterator<Item = &'b Chunk> + Clone,
        pinned_bytes: u64,
        pinned_resident: u64,
    ) -> Vec<Pin> {
        let own: u64 = holders.clone().map(|chunk| chunk.bytes()).sum();
        if own > pinned_bytes / TIMES_OWN {
            return Vec::new();
        }
        let pin = |chunk: &Chunk| self.pin(kind, chunk, pinned_bytes, pinned_resident);
        let is_namable = |chunk: &&Chunk| !matches!(chunk.kind(), ChunkKind::Header | ChunkKind::Fencepost);
        let pins: Vec<_> = holders.filter(is_namable).map(pin).collect();
        let is_program = |pin: &&Pin| pin.bytes.is_some();
        let of_program = pins.iter().any(|pin| pin.bytes.is_some());
        pins.iter().filter(|pin| !of_program || is_program(pin)).take(NAMED).copied().collect()
    }

    fn pin(&self, kind: PinKind, chunk: &Chunk, pinned_bytes: u64, pinned_resident: u64) -> Pin {
        let live = &self.moment.live;
        let found = live.binary_search_by_key(&chunk.block(), |block| block.block.0).ok();
        let block = found.filter(|_| chunk.kind() == ChunkKind::InUse).map(|at| &live[at]);
        Pin {
            kind,
            block: chunk.block(),
            bytes: block.map(|block| block.bytes),
            pinned_bytes,
            pinned_resident,
            arena: self.arena.address,
            birth_ns: block.map(|block| block.birth_ns),
            thread: block.map(|block| block.thread),
            function: block.map(|block| block.function),
            stack: block.map_or(0, |block| block.stack),
            site: block.map_or(0, |block| block.site),
            is_cached: matches!(chunk.kind(), ChunkKind::Tcache | ChunkKind::Fast),
        }
    }

    fn resident(&self, range: Range<u64>) -> u64 {
        self.moment.residency.bytes(range, PageState::Anonymous)
    }
}

#[cfg(test)]
mod tests;
