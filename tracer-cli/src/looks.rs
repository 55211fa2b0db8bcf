//! Looks at processes' memory: what is read while a process waits, and what is made of it afterwards.
//!
//! Reading happens on the reader's thread, because the ledger is there and the process is held for it.
//! The rest happens on a thread of its own: meanwhile rings are drained, and the program goes on. There is none before
//! there is something large to think about: a small program is done with sooner than a thread is started and ended.

use std::collections::HashMap;
use std::path::Path;
use std::thread;

use calltap_analyzers::arenas::areas::{self, MapLine};
use calltap_analyzers::arenas::chunk_map::{ChunkMap, MmappedChunk};
use calltap_analyzers::arenas::regions::{self, Mapping};
use calltap_analyzers::arenas::{self, ArenaReport, Decoding, Moment, Occasion};
use calltap_analyzers::event::Image;
use calltap_analyzers::heap::LiveBlock;
use calltap_channel::stack::StackTable;
use crossbeam_channel::{Receiver, Sender, bounded};

use crate::allocator::glibc::{Captured, Glibc};
use crate::allocators::{Allocators, Callers};
use crate::exit_snapshot::{Mapped, maps};

mod series;

use series::Series;

/// Fewer live blocks than these, and fewer mappings, are thought about soon.
const SMALL_BLOCKS: usize = 1_000;
const SMALL_MAPS: usize = 64;
/// So many looks wait to be thought about before the next one has to.
const WAITING: usize = 4;
/// Smaller blocks have mappings of their own only if the program has lowered the threshold, and then,
/// unless they were aligned, begin where every such block does.
const LARGE_BYTES: u64 = 64 << 10;

/// What was read of the allocator's memory.
#[derive(Debug)]
pub enum Read {
    /// What is in heaps, while the process did not run.
    Captured(Box<Captured>, Glibc),
    /// Nothing yet: the process runs, and is read until two readings are equal.
    Running(Glibc),
    /// It is not glibc's.
    NotGlibc,
    /// It could not be read, because of this.
    Failed(String),
}

/// A look that has been taken and not been thought about.
#[derive(Debug)]
pub struct Taken {
    /// At what.
    pub image: Image,
    /// Which process that is.
    pub pid: u32,
    /// What was seen; blocks in any order, areas and allocators not yet known, births not yet settled.
    pub moment: Moment,
    /// What was read of the allocator's memory.
    pub read: Read,
    /// Chunks with mappings of their own, if they have been read.
    pub mmapped: Vec<MmappedChunk>,
    /// What is mapped.
    pub maps: Vec<Mapped>,
    /// What is known of how it came to be mapped.
    pub ranges: Vec<Mapping>,
    /// Where the real `malloc` is, if that is known.
    pub real_malloc: Option<u64>,
    /// The stacks of those who mapped it.
    pub stacks: StackTable,
    /// Who wants to have the result at once.
    pub asked_by: Option<Sender<ArenaReport>>,
}

/// Takes looks, and makes reports of them.
#[derive(Debug, Default)]
pub struct Looks {
    glibc: HashMap<Image, Result<Glibc, String>>,
    /// Taken, and to be thought about by the reader as soon as nobody waits for it.
    small: Vec<Taken>,
    /// Who thinks about them, as long as all were small.
    thinker: Thinker,
    thread: Option<Thread>,
}

/// The thread that thinks.
#[derive(Debug)]
struct Thread {
    taken: Sender<Taken>,
    /// What it has found, once it has no more to think about.
    found: Receiver<HashMap<Image, Series>>,
}

impl Looks {
    /// Reads the allocator's heaps of process `pid`, whose thread `tid` has not ended. Nothing is read yet
    /// of a process that is not `held`.
    pub fn read(&mut self, (image, pid, tid): (Image, u32, u32), maps: &[Mapped], held: bool) -> Read {
        match self.glibc.entry(image).or_insert_with(|| Glibc::find(tid, maps)) {
            Err(why) => Read::Failed(why.clone()),
            Ok(glibc) if !held => Read::Running(glibc.through(pid)),
            Ok(glibc) => {
                let glibc = glibc.through(tid);
                match glibc.capture(maps) {
                    Ok(captured) => Read::Captured(Box::new(captured), glibc),
                    Err(why) => Read::Failed(why),
                }
            }
        }
    }

    /// Has a look thought about, a small one when [`Self::think_of_small`] is called. One whose time had come gives way if
    /// others wait already: false.
    #[must_use]
    pub fn think(&mut self, taken: Taken) -> bool {
        if self.thread.is_none() && is_small(&taken) {
            self.small.push(taken);
            return true;
        }
        self.think_of_small();
        let thread = self.thread.get_or_insert_with(|| Thread::start(std::mem::take(&mut self.thinker)));
        if taken.moment.occasion == Occasion::Periodic {
            return thread.taken.try_send(taken).is_ok();
        }
        // The thread ends only after this side has.
        let _ = thread.taken.send(taken);
        true
    }

    /// Thinks about the small ones. To be called while no process is held.
    pub fn think_of_small(&mut self) {
        self.small.drain(..).for_each(|taken| self.thinker.think(taken));
    }

    /// An image is gone: nobody will look at it again.
    pub fn forget(&mut self, image: Image) {
        self.glibc.remove(&image);
    }

    /// Waits until everything has been thought about. What was found, by image and time.
    #[must_use]
    pub fn finish(mut self) -> HashMap<Image, Vec<ArenaReport>> {
        self.think_of_small();
        let found = match self.thread {
            Some(Thread { taken, found }) => {
                drop(taken);
                found.recv().unwrap_or_default()
            }
            None => self.thinker.found,
        };
        found.into_iter().map(|(image, series)| (image, series.into_looks())).collect()
    }
}

/// Those of the blocks that have a mapping of their own. The process may run again: what has changed
/// since is left out, and the allocator's own count tells that.
#[must_use]
pub fn mmapped(glibc: &Glibc, captured: &Captured, live: &[LiveBlock]) -> Vec<MmappedChunk> {
    let is_outside = |block: &&LiveBlock| !captured.holds(block.block.0);
    let chunks = among(glibc, live.iter().filter(may_be_mmapped).filter(is_outside));
    match captured.mmapped_chunks() {
        // One where it was not expected: aligned and small, or in want of room in a heap.
        Some(count) if count > chunks.len() as u64 => among(glibc, live.iter().filter(is_outside)),
        _ => chunks,
    }
}

/// Whether most blocks like it have a mapping of their own.
fn may_be_mmapped(block: &&LiveBlock) -> bool {
    block.block.0 & 0xfff == 0x10 || block.bytes >= LARGE_BYTES
}

fn among<'a>(glibc: &Glibc, blocks: impl Iterator<Item = &'a LiveBlock>) -> Vec<MmappedChunk> {
    let bytes: HashMap<u64, u64> = blocks.map(|block| (block.block.0, block.bytes)).collect();
    let mut chunks = glibc.mmapped(bytes.keys().copied());
    chunks.retain(|chunk| bytes.get(&chunk.block).is_some_and(|&bytes| bytes <= chunk.usable_bytes()));
    chunks
}

/// Makes reports, and keeps them.
#[derive(Debug, Default)]
struct Thinker {
    found: HashMap<Image, Series>,
    allocators: Allocators,
}

impl Thinker {
    fn think(&mut self, taken: Taken) {
        let (image, asked_by) = (taken.image, taken.asked_by.clone());
        let report = report(taken, &mut self.allocators);
        if let Some(asked_by) = asked_by {
            // Whoever asked may have gone.
            let _ = asked_by.send(report.clone());
        }
        self.found.entry(image).or_default().push(report);
    }
}

impl Thread {
    /// One that goes on with what `thinker` has found.
    fn start(mut thinker: Thinker) -> Self {
        let (taken, looks) = bounded(WAITING);
        let (tell, found) = bounded(1);
        // Its end is not waited for, only what it has to tell.
        thread::spawn(move || {
            looks.into_iter().for_each(|taken| thinker.think(taken));
            tell.send(thinker.found)
        });
        Self { taken, found }
    }
}

/// Whether the reader can think about it without letting a ring fill meanwhile: well below a millisecond.
fn is_small(taken: &Taken) -> bool {
    let is_read = !matches!(taken.read, Read::Running(_));
    is_read && taken.moment.live.len() < SMALL_BLOCKS && taken.maps.len() < SMALL_MAPS
}

fn report(taken: Taken, allocators: &mut Allocators) -> ArenaReport {
    let Taken { pid, mut moment, read, mmapped, maps, ranges, real_malloc, stacks, .. } = taken;
    moment.live.sort_unstable_by_key(|block| block.block.0);
    moment.decoding = decoding(read, mmapped, pid, &moment.live);
    moment.allocators = allocators.loaded(&maps, real_malloc);
    moment.births = regions::settled(std::mem::take(&mut moment.births), &moment.decoding);
    let lines: Vec<_> = maps.iter().map(line).collect();
    let callers = Callers { maps: &maps, allocators: &moment.allocators, stacks };
    moment.births.extend(areas::prepared(&ranges, &callers));
    moment.births.sort_by_key(|birth| birth.at_ns);
    moment.areas = areas::classify(&lines, &ranges, moment.chunk_map(), &moment.live, &callers);
    arenas::analyse(&moment)
}

fn decoding(read: Read, mmapped: Vec<MmappedChunk>, pid: u32, live: &[LiveBlock]) -> Decoding {
    let map = match read {
        Read::Captured(captured, _) => captured.classify().map(|map| ChunkMap { mmapped, ..map }),
        Read::Running(glibc) => {
            let maps = || maps::read(Path::new(&format!("/proc/{pid}")));
            let read = glibc.read_running(maps);
            read.map(|map| ChunkMap { mmapped: among(&glibc, live.iter().filter(may_be_mmapped)), ..map })
        }
        Read::NotGlibc => return Decoding::Regions,
        Read::Failed(why) => Err(why),
    };
    let is_block = |address| live.binary_search_by_key(&address, |block| block.block.0).is_ok();
    map.map(|map| Glibc::beside(map, is_block)).map_or_else(Decoding::NotDecoded, Decoding::Chunks)
}

fn line(mapped: &Mapped) -> MapLine {
    MapLine {
        start: mapped.start,
        end: mapped.end,
        permissions: mapped.permissions,
        is_file: mapped.inode != 0,
        path: mapped.path.to_string_lossy().into_owned(),
    }
}
