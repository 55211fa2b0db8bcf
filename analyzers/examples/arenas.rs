//! What a look at a large heap costs once it has been read: a million blocks in 64 arenas.
//!
//! `cargo run --release -p calltap-analyzers --example arenas [BLOCKS]`

use std::time::Instant;

use calltap_analyzers::arenas::chunk_map::{Arena, Chunk, ChunkKind, ChunkMap, Heap};
use calltap_analyzers::arenas::memory_map::{Area, AreaKind, KernelCounts, PAGE, PageState, Residency, Run};
use calltap_analyzers::arenas::{Decoding, Moment, Occasion, analyse};
use calltap_analyzers::event::{Block, FunctionId, Thread};
use calltap_analyzers::heap::LiveBlock;

const ARENAS: u64 = 64;
const HEAP: u64 = 64 << 20;

/// Marsaglia's xorshift, for sizes that follow no pattern.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// A heap with so many blocks of up to 240 bytes, and a free chunk behind every sixteenth or so.
fn heap(start: u64, blocks: u64, random: &mut Random, live: &mut Vec<LiveBlock>) -> Heap {
    let mut address = start;
    let mut chunks = vec![Chunk::new(start, 0x8d0, ChunkKind::Header)];
    for number in 0..blocks {
        address += chunks.last().map_or(0, |chunk| chunk.bytes());
        let chunk = Chunk::new(address, 32 + random.below(14) * 16, ChunkKind::InUse);
        chunks.push(chunk);
        live.push(LiveBlock {
            block: Block(chunk.block()),
            bytes: chunk.usable_bytes() - random.below(16),
            site: 0,
            stack: (number % 1_000) as u32,
            function: FunctionId(0),
            birth_ns: number,
            thread: Thread((start / HEAP + random.below(2)) as u32),
        });
        if random.below(16) == 0 {
            address += chunk.bytes();
            chunks.push(Chunk::new(address, 32 + random.below(20) * 16, ChunkKind::Bin));
        }
    }
    address += chunks.last().map_or(0, |chunk| chunk.bytes());
    let end = (address + PAGE).next_multiple_of(PAGE);
    chunks.push(Chunk::new(address, end - address, ChunkKind::Top));
    Heap { start, end, writable_end: end, reserved_end: start + HEAP, chunks }
}

/// Every eighth page of each heap is not resident.
fn moment(blocks: u64) -> Moment {
    let mut random = Random(88_172_645_463_325_252);
    let (mut map, mut live) = (ChunkMap::default(), Vec::new());
    let (mut areas, mut runs) = (Vec::new(), Vec::new());
    for index in 0..ARENAS {
        let start = 0x7000_0000_0000 + index * HEAP;
        let heap = heap(start, blocks / ARENAS, &mut random, &mut live);
        let area =
            |start, end, writable| Area { start, end, kind: AreaKind::Allocator, writable, private: true };
        areas.extend([area(start, heap.end, true), area(heap.end, heap.reserved_end, false)]);
        for first in (start..heap.end).step_by(8 * PAGE as usize) {
            let end = heap.end.min(first + 7 * PAGE);
            runs.push(Run { start: first, end, state: PageState::Anonymous });
        }
        let system_bytes = heap.end - heap.start;
        map.arenas.push(Arena { address: start + 48, system_bytes, heaps: vec![heap], ..Arena::default() });
    }
    Moment {
        at_ns: blocks,
        began_ns: 0,
        occasion: Occasion::Periodic,
        stopped_ns: None,
        consistent: true,
        calls_under_way: 0,
        allocators: Vec::new(),
        decoding: Decoding::Chunks(map),
        live,
        areas,
        residency: Residency::new(runs),
        kernel: KernelCounts::default(),
        births: Vec::new(),
    }
}

fn main() {
    let blocks = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(1_000_000);
    let moment = moment(blocks);
    let mut spent: Vec<u128> = (0..9)
        .map(|_| {
            let start = Instant::now();
            let report = analyse(&moment);
            let spent = start.elapsed().as_micros();
            assert_eq!(report.differences.matched, moment.live.len() as u64);
            spent
        })
        .collect();
    spent.sort_unstable();
    println!("{} blocks, {ARENAS} arenas: {:.1} ms (median of 9)", moment.live.len(), spent[4] as f64 / 1e3);
}
