//! The rows of glibc's arenas.

use std::cmp::Reverse;

use super::chunk_map::{Arena, ChunkKind, ChunkMap, Heap};
use super::pieces::{Piece, Place};
use super::regions::{Birth, Change};
use super::report::{ArenaRow, Extent, Part};
use super::trim::Simulation;
use crate::event::Thread;
use crate::hash::SpreadMap;

/// Threads that a row names.
const THREADS: usize = 8;

/// Gathers the pieces of each arena.
#[derive(Debug)]
pub(super) struct ArenaRows<'a> {
    arenas: &'a [Arena],
    rows: Vec<ArenaRow>,
    owners: Vec<Owners>,
}

impl<'a> ArenaRows<'a> {
    /// Rows without a piece.
    pub(super) fn new(map: Option<&'a ChunkMap>) -> Self {
        let arenas = map.map_or(&[][..], |map| &map.arenas);
        let owners = arenas.iter().map(|_| Owners::default()).collect();
        Self { arenas, rows: vec![ArenaRow::default(); arenas.len()], owners }
    }

    /// Counts a piece in, if it is an arena's.
    #[inline]
    pub(super) fn add(&mut self, piece: &Piece<'_>) {
        let Place::Heap { arena, .. } = piece.place else { return };
        let row = &mut self.rows[arena];
        match (piece.part, piece.live) {
            (Part::Reserved, _) => return,
            (Part::Headers, Some(_)) => row.live_blocks += 1,
            (Part::Live, Some(block)) => {
                row.live_bytes += piece.extent.bytes;
                self.owners[arena].add(block.thread, piece.extent.bytes);
            }
            (Part::Tcache, _) => row.tcache += piece.extent,
            (Part::Fast, _) => row.fast += piece.extent,
            (Part::Bin, _) => row.bin += piece.extent,
            (Part::Top, _) => row.top += piece.extent,
            _ => {}
        }
        row.system += piece.extent;
    }

    /// The rows, the main arena first, then most system bytes first.
    pub(super) fn finish(self, births: &[Birth], trim: Option<&Simulation>) -> Vec<ArenaRow> {
        let born: Vec<_> = births.iter().filter(|birth| birth.change == Change::ArenaBorn).collect();
        let gathered = self.arenas.iter().zip(self.rows).zip(self.owners).enumerate();
        let finish = |(index, ((arena, row), owners)): (usize, ((&Arena, ArenaRow), Owners))| {
            let start = first_address(arena);
            let birth = born.iter().rev().find(|birth| (birth.start..birth.end).contains(&start));
            ArenaRow {
                address: arena.address,
                is_main: arena.is_main,
                system: Extent { bytes: arena.system_bytes, ..row.system },
                max_system_bytes: arena.max_system_bytes,
                in_use_bytes: in_use_bytes(arena),
                heaps: arena.heaps.len() as u64,
                attached_threads: arena.attached_threads,
                made_by: birth.map(|birth| birth.thread),
                born_ns: birth.map(|birth| birth.at_ns),
                stack: birth.map_or(0, |birth| birth.stack),
                site: birth.map_or(0, |birth| birth.site),
                threads: owners.largest(),
                locked: arena.locked,
                trim_bytes: trim.map_or(0, |trim| trim.arenas[index].returned),
                ..row
            }
        };
        let mut rows: Vec<_> = gathered.map(finish).collect();
        rows.sort_by_key(|row| (!row.is_main, Reverse(row.system.bytes), row.address));
        rows
    }
}

/// As `malloc_stats` has it: what is in no bin and not the top, caches included.
fn in_use_bytes(arena: &Arena) -> u64 {
    let chunks = arena.heaps.iter().flat_map(|heap| &heap.chunks);
    let top: u64 = chunks.filter(|chunk| chunk.kind() == ChunkKind::Top).map(|chunk| chunk.bytes()).sum();
    arena.system_bytes.saturating_sub(arena.fast_bytes + arena.bin_bytes + top)
}

/// Where its first heap begins: the one that holds its `malloc_state`, which the main arena's does not.
fn first_address(arena: &Arena) -> u64 {
    let holds = |heap: &&Heap| (heap.start..heap.end).contains(&arena.address);
    arena.heaps.iter().find(holds).or(arena.heaps.first()).map_or(arena.address, |heap| heap.start)
}

/// Threads and the bytes of their living blocks. Neighbours are often the same thread's.
#[derive(Clone, Debug, Default)]
struct Owners {
    current: (Thread, u64),
    others: SpreadMap<Thread, u64>,
}

impl Owners {
    #[inline]
    fn add(&mut self, thread: Thread, bytes: u64) {
        if self.current.0 != thread {
            let (before, its_bytes) = std::mem::replace(&mut self.current, (thread, 0));
            *self.others.entry(before).or_default() += its_bytes;
        }
        self.current.1 += bytes;
    }

    /// Those with most bytes.
    fn largest(mut self) -> Vec<(Thread, u64)> {
        let (thread, bytes) = self.current;
        *self.others.entry(thread).or_default() += bytes;
        let mut threads: Vec<_> = self.others.into_iter().filter(|(_, bytes)| *bytes > 0).collect();
        threads.sort_by_key(|(thread, bytes)| (Reverse(*bytes), *thread));
        threads.truncate(THREADS);
        threads
    }
}
