//! Copying what is needed out of the process, as fast as it can be: the process may be stopped
//! meanwhile. What it means is found out later ([`super::classify`]).

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use calltap_analyzers::arenas::chunk_map::ChunkMap;

use super::layout::Layout;
use super::main_arena;
use super::parameters::Tuning;
use super::pieces::{HeapInfo, Piece, heaps};
use super::state::{State, ring};
use super::window::Window;
use super::{Glibc, classify};
use crate::allocator::memory::Memory;
use crate::exit_snapshot::Mapped;

/// Starting a thread is not worth it for less.
const BYTES_PER_THREAD: u64 = 4 << 20;

/// All chunks of all arenas, not yet told apart beyond "free" and "not free".
#[derive(Debug)]
pub struct Captured {
    pub(super) version: (u32, u32),
    pub(super) layout: Layout,
    pub(super) tuning: Tuning,
    /// The main arena first.
    pub(super) states: Vec<State>,
    /// By ascending address; each with the index of its arena.
    pub(super) pieces: Vec<(usize, Piece)>,
}

impl Captured {
    /// Whether an address is in one of the heaps.
    #[must_use]
    pub fn holds(&self, address: u64) -> bool {
        let next = self.pieces.partition_point(|(_, piece)| piece.heap.start <= address);
        self.pieces[..next].last().is_some_and(|(_, piece)| address < piece.heap.end)
    }

    /// How many chunks have mappings of their own, by the allocator's count.
    #[must_use]
    pub fn mmapped_chunks(&self) -> Option<u64> {
        self.tuning.parameters.mmapped_chunks
    }

    /// Finds out what each chunk is used for. The process is not needed any more.
    ///
    /// # Errors
    ///
    /// If a list leads to what is no chunk, or the lists are not all that is free.
    pub fn classify(self) -> Result<ChunkMap, String> {
        classify::classify(self)
    }
}

/// A part of the work that needs no other.
enum Job<'a> {
    Main(&'a State),
    Heap(usize, &'a State, HeapInfo),
}

impl Job<'_> {
    fn bytes(&self) -> u64 {
        match self {
            Self::Main(state) => state.system_bytes(),
            Self::Heap(_, _, heap) => heap.end() - heap.start,
        }
    }
}

/// Copies everything.
pub(super) fn capture(glibc: &Glibc, maps: &[Mapped]) -> Result<Captured, String> {
    let Glibc { memory, version, layout, roots } = *glibc;
    let words = (0..layout.parameter_words()).map(|index| memory.words(roots.parameters + index as u64 * 8));
    let words = words.map(|word| word.map(|[word]| word)).collect::<Result<Vec<_>, _>>()?;
    let tuning = Tuning::of(&words, layout).ok_or("its parameters contradict each other")?;
    let states = ring(memory, roots.main_arena)?;
    let mut jobs = Vec::new();
    if !states[0].is_empty() {
        jobs.push(Job::Main(&states[0]));
    }
    for (index, state) in states.iter().enumerate().skip(1) {
        let heaps = heaps(memory, state, layout, &tuning)?;
        jobs.extend(heaps.into_iter().map(|heap| Job::Heap(index, state, heap)));
    }
    let work = |window: &mut Window, job: &Job| match job {
        Job::Main(state) => {
            let pieces = main_arena::pieces(memory, window, layout, state, &tuning, maps)?;
            Ok(pieces.into_iter().map(|piece| (0, piece)).collect())
        }
        Job::Heap(arena, state, heap) => Ok(vec![(*arena, heap.walk(window, layout, state.top())?)]),
    };
    let mut pieces = on_all_cpus(memory, jobs, &work)?;
    pieces.sort_unstable_by_key(|(_, piece)| piece.heap.start);
    if pieces.windows(2).any(|pair| pair[0].1.heap.end > pair[1].1.heap.start) {
        return Err("two of its heaps overlap".into());
    }
    Ok(Captured { version, layout, tuning, states, pieces })
}

type Found = Result<Vec<(usize, Piece)>, String>;

/// Does all jobs, the largest first, each by whoever is free.
fn on_all_cpus(
    memory: Memory,
    mut jobs: Vec<Job>,
    work: &(impl Fn(&mut Window, &Job) -> Found + Sync),
) -> Found {
    jobs.sort_unstable_by_key(|job| std::cmp::Reverse(job.bytes()));
    let bytes = jobs.iter().map(Job::bytes).fold(0, u64::saturating_add);
    let next = AtomicUsize::new(0);
    let worker = || -> Found {
        let mut window = Window::new(memory);
        let mut found = Vec::new();
        while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
            found.append(&mut work(&mut window, job)?);
        }
        Ok(found)
    };
    let workers = jobs.len().min((bytes / BYTES_PER_THREAD) as usize);
    // How many CPUs there are is only known to half a dozen files: not asked for a small heap, whose process waits.
    let helpers = match workers {
        0 | 1 => 0,
        _ => workers.min(thread::available_parallelism().map_or(1, usize::from)) - 1,
    };
    thread::scope(|scope| {
        let helpers: Vec<_> = (0..helpers).map(|_| scope.spawn(worker)).collect();
        let mut all = worker()?;
        for helper in helpers {
            all.append(&mut helper.join().map_err(|_| "a thread that read it failed")??);
        }
        Ok(all)
    })
}
