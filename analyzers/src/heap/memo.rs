//! What each thread did last on the heap: the inner half of nested calls is told first.

use super::origins::Origin;
use super::owner::{BlockRelease, Got, Purpose};
use super::recent::{Ended, Failed, RecentAcquire, RecentRelease};
use crate::event::{FunctionId, Giver, Thread};
use crate::hash::SpreadMap;
use crate::pairing::TOLERANCE_NS;
use crate::place::Place;

/// How many acquires and how many releases of a thread can still turn out to be inner ones.
const RECENT: usize = 4;
/// Entries of the cache that stands before the map.
const CACHED: usize = 64;
/// Up to here, threads that are gone cost too little to look for them.
const MANY_THREADS: usize = 1024;
/// A thread that was silent this long is not inside a call, in nanoseconds.
const SILENT_NS: u64 = 10_000_000_000;

/// The last heap calls of one thread.
#[derive(Clone, Debug)]
pub(super) struct Memo {
    thread: Thread,
    /// Start of the last call: one that began no later and is told now has it inside.
    pub(super) last_start_ns: u64,
    /// The block that the last call gave, 0 if it gave none.
    pub(super) newest_block: u64,
    /// The last call if it failed to allocate.
    pub(super) failed: Option<Failed>,
    acquires: [RecentAcquire; RECENT],
    releases: [RecentRelease; RECENT],
    next_acquire: usize,
    next_release: usize,
}

/// The memos of all threads of an image.
#[derive(Debug)]
pub(super) struct Memos {
    rows: Vec<Memo>,
    numbers: SpreadMap<u32, u32>,
    cache: Box<[(u32, u32); CACHED]>,
    sweep_at: usize,
}

impl Memo {
    fn new(thread: Thread) -> Self {
        let release = BlockRelease {
            start_ns: 0,
            thread,
            place: Place::default(),
            giver: Giver::C,
            purpose: Purpose::Free,
            again: false,
        };
        let acquire = RecentAcquire {
            block: 0,
            start_ns: 0,
            birth_ns: 0,
            end_ns: 0,
            function: FunctionId(0),
            reallocation: false,
            got: Got { bytes: 0, origin: Origin::from_bits(0) },
            peak_before: 0,
        };
        let released =
            RecentRelease { block: 0, end_ns: 0, release, ended: Ended::UNKNOWN, temporary: false };
        Self {
            thread,
            last_start_ns: 0,
            newest_block: 0,
            failed: None,
            acquires: [acquire; RECENT],
            releases: [released; RECENT],
            next_acquire: 0,
            next_release: 0,
        }
    }

    /// Remembers an acquire in place of the oldest.
    #[inline(always)]
    pub(super) fn remember_acquire(&mut self, acquire: RecentAcquire) {
        self.newest_block = acquire.block;
        self.last_start_ns = acquire.start_ns;
        self.acquires[self.next_acquire % RECENT] = acquire;
        self.next_acquire = (self.next_acquire + 1) % RECENT;
    }

    /// The place for the next release: the oldest one's, whose verdict is due.
    #[inline(always)]
    pub(super) fn oldest_release(&mut self) -> &mut RecentRelease {
        let place = self.next_release % RECENT;
        self.next_release = (place + 1) % RECENT;
        &mut self.releases[place]
    }

    /// The last acquire of `block`.
    pub(super) fn acquire_of(&mut self, block: u64) -> Option<&mut RecentAcquire> {
        newest_first(&mut self.acquires, self.next_acquire).find(|acquire| acquire.block == block)
    }

    /// The last release of `block`.
    pub(super) fn release_of(&mut self, block: u64) -> Option<&mut RecentRelease> {
        newest_first(&mut self.releases, self.next_release).find(|release| release.block == block)
    }

    /// Releases whose verdict is still open, oldest first.
    pub(super) fn releases(&self) -> impl Iterator<Item = &RecentRelease> {
        let (newer, older) = self.releases.split_at(self.next_release);
        older.iter().chain(newer).filter(|release| release.block != 0)
    }
}

fn newest_first<T>(ring: &mut [T; RECENT], next: usize) -> impl Iterator<Item = &mut T> {
    let (newer, older) = ring.split_at_mut(next);
    newer.iter_mut().rev().chain(older.iter_mut().rev())
}

impl Default for Memos {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            numbers: SpreadMap::default(),
            cache: Box::new([(0, u32::MAX); CACHED]),
            sweep_at: MANY_THREADS,
        }
    }
}

impl Memos {
    /// The row of `thread`, whose event began at `now_ns`. Threads silent for long are given to
    /// `retire` and forgotten when there are many; rows are valid until the next call of this.
    #[inline(always)]
    pub(super) fn row_of(&mut self, thread: Thread, now_ns: u64, retire: impl FnMut(&Memo)) -> usize {
        let (cached, row) = self.cache[thread.0 as usize % CACHED];
        if cached == thread.0 && (row as usize) < self.rows.len() {
            return row as usize;
        }
        self.look_up(thread, now_ns, retire)
    }

    /// The memo in this row.
    #[inline(always)]
    pub(super) fn row(&mut self, row: usize) -> &mut Memo {
        &mut self.rows[row]
    }

    /// The still open release of `block` that began at `start_ns` and has ended that time, by
    /// whichever thread.
    pub(super) fn release_at(
        &mut self,
        block: u64,
        start_ns: u64,
        ended: Ended,
    ) -> Option<&mut RecentRelease> {
        self.releases_of(block, ended).find(|release| release.release.start_ns == start_ns)
    }

    /// The first still open release of `block` that has ended that time, which began at `birth_ns`,
    /// by whichever thread.
    pub(super) fn first_release_since(
        &mut self,
        block: u64,
        birth_ns: u64,
        ended: Ended,
    ) -> Option<&mut RecentRelease> {
        let releases = self.releases_of(block, ended);
        let since = releases.filter(|release| release.release.start_ns + TOLERANCE_NS >= birth_ns);
        since.min_by_key(|release| release.release.start_ns)
    }

    fn releases_of(&mut self, block: u64, ended: Ended) -> impl Iterator<Item = &mut RecentRelease> {
        let releases = self.rows.iter_mut().flat_map(|memo| &mut memo.releases);
        releases.filter(move |release| release.block == block && release.ended == ended)
    }

    /// Everybody's.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Memo> {
        self.rows.iter()
    }

    #[inline(never)]
    fn look_up(&mut self, thread: Thread, now_ns: u64, retire: impl FnMut(&Memo)) -> usize {
        if self.rows.len() >= self.sweep_at && !self.numbers.contains_key(&thread.0) {
            self.sweep(now_ns, retire);
        }
        let next = self.rows.len() as u32;
        let row = *self.numbers.entry(thread.0).or_insert(next);
        if row == next {
            self.rows.push(Memo::new(thread));
        }
        self.cache[thread.0 as usize % CACHED] = (thread.0, row);
        row as usize
    }

    fn sweep(&mut self, now_ns: u64, mut retire: impl FnMut(&Memo)) {
        self.rows.retain(|memo| {
            let keep = memo.last_start_ns.saturating_add(SILENT_NS) >= now_ns;
            if !keep {
                retire(memo);
            }
            keep
        });
        self.numbers = self.rows.iter().zip(0..).map(|(memo, row)| (memo.thread.0, row)).collect();
        self.cache.fill((0, u32::MAX));
        self.sweep_at = MANY_THREADS.max(self.rows.len() * 2);
    }
}
