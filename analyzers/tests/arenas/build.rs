//! Moments from few words: what lies behind what, from a fixed address on.

use calltap_analyzers::arenas::chunk_map::{Arena, Chunk, ChunkKind, ChunkMap, Heap, MmappedChunk};
use calltap_analyzers::arenas::memory_map::{Area, AreaKind, KernelCounts, PAGE, PageState, Residency, Run};
use calltap_analyzers::arenas::{Allocator, Decoding, Moment, Occasion};
use calltap_analyzers::event::{Block, FunctionId, Thread};
use calltap_analyzers::heap::LiveBlock;

/// Where the first thing lies.
pub const BASE: u64 = 0x7f00_0000_0000;

/// A moment that is being built.
#[derive(Debug, Default)]
pub struct Builder {
    pub position: u64,
    pub map: ChunkMap,
    pub live: Vec<LiveBlock>,
    pub areas: Vec<Area>,
}

/// A chunk to be: its bytes, a multiple of 16; its kind; what the ledger says was asked for there.
pub type Wanted = (u64, ChunkKind, Option<u64>);

impl Builder {
    /// Nothing yet.
    pub fn new() -> Self {
        Self { position: BASE, ..Self::default() }
    }

    /// Addresses that are not mapped.
    pub fn gap(&mut self, pages: u64) {
        self.position += pages * PAGE;
    }

    /// A mapping; where it begins.
    pub fn area(&mut self, pages: u64, kind: AreaKind, writable: bool) -> u64 {
        let start = self.position;
        self.position += pages * PAGE;
        let private = !matches!(kind, AreaKind::Shared(_));
        self.areas.push(Area { start, end: self.position, kind, writable, private });
        start
    }

    /// An arena without memory.
    pub fn arena(&mut self, attached_threads: u64) {
        let is_main = self.map.arenas.is_empty();
        let arena = Arena { is_main, attached_threads: Some(attached_threads), ..Arena::default() };
        self.map.arenas.push(arena);
    }

    /// A heap of the last arena: chunks, and a top that fills `pages`; then pages that can be written
    /// and are not counted, and reserved ones.
    pub fn heap(&mut self, pages: u64, chunks: &[Wanted], further: u64, reserved: u64) {
        let start = self.area(pages + further, AreaKind::Allocator, true);
        let end = start + pages * PAGE;
        if reserved > 0 {
            self.area(reserved, AreaKind::Allocator, false);
        }
        let mut heap = Heap {
            start,
            end,
            writable_end: end + further * PAGE,
            reserved_end: self.position,
            chunks: vec![],
        };
        let mut address = start;
        for &(bytes, kind, requested) in chunks {
            let chunk = Chunk::new(address, bytes, kind);
            if chunk.end() + 32 > end {
                break;
            }
            heap.chunks.push(chunk);
            self.live.extend(requested.map(|bytes| live(chunk.block(), bytes)));
            address = chunk.end();
        }
        heap.chunks.push(Chunk::new(address, end - address, ChunkKind::Top));
        let arena = self.map.arenas.last_mut().expect("a heap has an arena");
        if arena.heaps.is_empty() {
            arena.address = start + 48;
        }
        arena.system_bytes += end - start;
        let of =
            |kind| heap.chunks.iter().filter(move |chunk| chunk.kind() == kind).map(|chunk| chunk.bytes());
        arena.fast_bytes += of(ChunkKind::Fast).sum::<u64>();
        arena.bin_bytes += of(ChunkKind::Bin).sum::<u64>();
        arena.heaps.push(heap);
    }

    /// A chunk with a mapping of its own, which begins some multiple of 16 bytes behind it.
    pub fn mmapped(&mut self, pages: u64, lead_in: u64, requested: Option<u64>) {
        let start = self.area(pages, AreaKind::Allocator, true);
        let block = start + 16 + lead_in;
        self.map.mmapped.push(MmappedChunk { start, end: self.position, block });
        self.live.extend(requested.map(|bytes| live(block, bytes)));
    }

    /// The moment, of which each page is in one of `states`, over and over.
    pub fn moment(mut self, states: &[Option<PageState>]) -> Moment {
        self.map.parameters.mmapped_chunks = Some(self.map.mmapped.len() as u64);
        self.live.sort_by_key(|block| block.block);
        let mut runs: Vec<Run> = Vec::new();
        for (start, state) in (BASE..self.position).step_by(PAGE as usize).zip(states.iter().cycle()) {
            let Some(state) = *state else { continue };
            match runs.last_mut() {
                Some(last) if (last.end, last.state) == (start, state) => last.end += PAGE,
                _ => runs.push(Run { start, end: start + PAGE, state }),
            }
        }
        Moment {
            at_ns: 1_000,
            began_ns: 0,
            occasion: Occasion::Exit,
            stopped_ns: None,
            consistent: true,
            calls_under_way: 0,
            allocators: vec![Allocator { name: "glibc".into(), object: "libc.so.6".into(), serves: true }],
            decoding: Decoding::Chunks(self.map),
            live: self.live,
            areas: self.areas,
            residency: Residency::new(runs),
            kernel: KernelCounts::default(),
            births: Vec::new(),
        }
    }

    /// The same with an allocator whose chunks are not read.
    pub fn moment_of_regions(self, states: &[Option<PageState>]) -> Moment {
        let name = "jemalloc".to_owned();
        let allocators = vec![Allocator { name, object: "libjemalloc.so.2".into(), serves: true }];
        Moment { decoding: Decoding::Regions, allocators, ..self.moment(states) }
    }
}

/// A living block. Its thread is made of its address: one for each 64 KiB.
pub fn live(block: u64, bytes: u64) -> LiveBlock {
    LiveBlock {
        block: Block(block),
        bytes,
        site: 0,
        stack: 0,
        function: FunctionId(0),
        birth_ns: 0,
        thread: Thread((block >> 16) as u32),
    }
}
