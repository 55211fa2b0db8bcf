//! The same question answered another way: every byte is painted, one by one, and counted.

use std::collections::BTreeMap;

use calltap_analyzers::arenas::chunk_map::{ChunkKind, ChunkMap};
use calltap_analyzers::arenas::memory_map::{AreaKind, PAGE, PageState};
use calltap_analyzers::arenas::report::{Extent, Part};
use calltap_analyzers::arenas::{Decoding, Moment};

use crate::build::BASE;

/// What a byte is: its part; whether it counts if it is not resident; whether it is in use; whether it is mapped for the allocator.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Byte {
    part: Part,
    counts: bool,
    in_use: bool,
    own: bool,
}

/// What the model counts.
#[derive(Debug, Default, PartialEq)]
pub struct Counted {
    pub parts: BTreeMap<Part, Extent>,
    pub in_use: Extent,
    pub mapped: Extent,
    /// Resident pages of what is known by its blocks only: those without a living byte, and those with
    /// some, but less than a quarter.
    pub pages: (u64, u64),
}

struct Canvas {
    bytes: Vec<Byte>,
}

impl Canvas {
    fn paint(&mut self, start: u64, end: u64, byte: Byte) {
        self.bytes[(start - BASE) as usize..(end - BASE) as usize].fill(byte);
    }
}

/// Counts every byte from [`BASE`] to `end`.
pub fn count(moment: &Moment, end: u64) -> Counted {
    let nothing = Byte { part: Part::Unknown, counts: false, in_use: false, own: false };
    let mut canvas = Canvas { bytes: vec![nothing; (end - BASE) as usize] };
    let by_chunks = matches!(moment.decoding, Decoding::Chunks(_));
    for area in &moment.areas {
        let own = area.kind == AreaKind::Allocator;
        let part = match (&area.kind, area.writable) {
            (AreaKind::Allocator, false) => Part::Reserved,
            (AreaKind::Allocator, true) if by_chunks => Part::Unknown,
            (AreaKind::Allocator, true) => Part::Retained,
            (AreaKind::Stack, _) => Part::Stacks,
            (AreaKind::File(_), _) => Part::Files,
            (AreaKind::Direct(_), _) => Part::Direct,
            (AreaKind::Unknown, _) => Part::Unknown,
            (other, _) => panic!("no test makes {other:?}"),
        };
        canvas.paint(area.start, area.end, Byte { part, counts: area.writable, in_use: false, own });
        for block in moment.live.iter().filter(|block| own && !begins_in_chunks(moment, block.block.0)) {
            let (start, end) = (block.block.0.max(area.start), (block.block.0 + block.bytes).min(area.end));
            if start < end {
                canvas.paint(start, end, Byte { part: Part::Live, counts: true, in_use: true, own });
            }
        }
    }
    if let Decoding::Chunks(map) = &moment.decoding {
        paint_chunks(&mut canvas, moment, map);
    }
    sum(moment, &canvas)
}

/// What a block has beyond its chunk's end is nobody's.
fn begins_in_chunks(moment: &Moment, address: u64) -> bool {
    let Decoding::Chunks(map) = &moment.decoding else { return false };
    let heaps = map.arenas.iter().flat_map(|arena| &arena.heaps).map(|heap| heap.start..heap.end);
    let mapped = map.mmapped.iter().map(|chunk| chunk.start..chunk.end);
    heaps.chain(mapped).any(|range| range.contains(&address))
}

fn paint_chunks(canvas: &mut Canvas, moment: &Moment, map: &ChunkMap) {
    let requested =
        |address| moment.live.iter().find(|known| known.block.0 == address).map(|known| known.bytes);
    let byte = |part, in_use| Byte { part, counts: true, in_use, own: true };
    let used = |canvas: &mut Canvas, start: u64, block: u64, end: u64, asked: Option<u64>| {
        canvas.paint(start, block, byte(Part::Headers, true));
        let rest = if asked.is_some() { Part::Rounding } else { Part::NotSeen };
        canvas.paint(block, end, byte(rest, true));
        canvas.paint(block, (block + asked.unwrap_or(0)).min(end), byte(Part::Live, true));
    };
    for arena in &map.arenas {
        let free = |part| if arena.attached_threads == Some(0) { Part::Orphan } else { part };
        for heap in &arena.heaps {
            for (start, end, counts) in
                [(heap.end, heap.writable_end, true), (heap.writable_end, heap.reserved_end, false)]
            {
                canvas.paint(start, end, Byte { part: Part::Reserved, counts, in_use: false, own: true });
            }
            for chunk in &heap.chunks {
                let part = match chunk.kind() {
                    ChunkKind::InUse => {
                        let block = requested(chunk.block());
                        used(canvas, chunk.address, chunk.address + 8, chunk.end(), block);
                        continue;
                    }
                    ChunkKind::Tcache => Part::Tcache,
                    ChunkKind::Fast => free(Part::Fast),
                    ChunkKind::Bin => free(Part::Bin),
                    ChunkKind::Top => free(Part::Top),
                    ChunkKind::Header | ChunkKind::TcacheStruct | ChunkKind::Fencepost => Part::Headers,
                };
                canvas.paint(chunk.address, chunk.end(), byte(part, false));
            }
        }
    }
    for chunk in &map.mmapped {
        used(canvas, chunk.start, chunk.block, chunk.end, requested(chunk.block));
    }
}

fn sum(moment: &Moment, canvas: &Canvas) -> Counted {
    let mut states = vec![None; canvas.bytes.len()];
    for run in moment.residency.within(0..u64::MAX) {
        states[(run.start - BASE) as usize..(run.end - BASE) as usize].fill(Some(run.state));
    }
    let mut counted = Counted::default();
    for (byte, state) in canvas.bytes.iter().zip(states.iter().copied()) {
        let bytes = u64::from(byte.counts || state.is_some());
        let resident = u64::from(state == Some(PageState::Anonymous));
        let swapped = u64::from(state == Some(PageState::Swapped));
        let extent = Extent { bytes, resident, swapped };
        *counted.parts.entry(byte.part).or_default() += extent;
        if byte.in_use {
            counted.in_use += extent;
        }
        if byte.own {
            counted.mapped += Extent { bytes: 1, ..extent };
        }
    }
    counted.parts.retain(|_, extent| extent.bytes > 0);
    if matches!(moment.decoding, Decoding::Regions) {
        counted.pages = pages(canvas, &states);
    }
    counted
}

fn pages(canvas: &Canvas, states: &[Option<PageState>]) -> (u64, u64) {
    let (mut empty, mut sparse) = (0, 0);
    for (bytes, states) in canvas.bytes.chunks(PAGE as usize).zip(states.chunks(PAGE as usize)) {
        if bytes[0].own && matches!(states[0], Some(PageState::Anonymous | PageState::File)) {
            let live = bytes.iter().filter(|byte| byte.part == Part::Live).count() as u64;
            empty += u64::from(live == 0);
            sparse += u64::from(live > 0 && live * 4 < PAGE);
        }
    }
    (empty, sparse)
}
