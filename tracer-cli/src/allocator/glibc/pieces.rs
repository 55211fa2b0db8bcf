//! An arena's pieces of memory: where each begins and ends, and what is in it.

use calltap_analyzers::arenas::chunk_map::Heap;
use calltap_analyzers::arenas::memory_map::PAGE;

use super::layout::{HEADER, Layout, STATE_BYTES};
use super::parameters::Tuning;
use super::state::State;
use super::walk::{Walked, walk};
use super::window::Window;
use crate::allocator::memory::Memory;

/// A thread arena's heap, by its `heap_info`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct HeapInfo {
    /// Its address, that of the heap.
    pub(super) start: u64,
    size: u64,
    writable: u64,
    reserved: u64,
    /// First address behind the headers.
    first: u64,
}

impl HeapInfo {
    /// First address behind what the arena counts.
    pub(super) const fn end(&self) -> u64 {
        self.start + self.size
    }

    /// Walks it: to `top` if it is the arena's newest.
    pub(super) fn walk(&self, window: &mut Window, layout: Layout, top: u64) -> Result<Piece, String> {
        let walked = walk(window, layout, self.first, self.end(), top)?;
        if walked.end != self.end() || walked.has_top != (self.start..self.end()).contains(&top) {
            return Err(format!("the heap at {:#x} does not end where its size says", self.start));
        }
        let ends = [self.end(), self.start + self.writable, self.start + self.reserved];
        Ok(Piece::new(self.start, ends, walked))
    }
}

/// The heaps of a thread arena, the newest first.
///
/// # Errors
///
/// If one cannot be read, or is not this arena's, or they do not lead to the arena's own.
pub(super) fn heaps(
    memory: Memory,
    state: &State,
    layout: Layout,
    tuning: &Tuning,
) -> Result<Vec<HeapInfo>, String> {
    let reserved = tuning.heap_max;
    let own = state.address - layout.heap_info;
    let mut all: Vec<HeapInfo> = Vec::new();
    let mut start = state.top() & !(reserved - 1);
    let mut counted = 0_u64;
    loop {
        let [arena, previous, size, writable] = memory.words(start)?;
        let headers = if start == own { layout.heap_info + STATE_BYTES } else { layout.heap_info };
        let first = start + headers.next_multiple_of(HEADER);
        counted = counted.saturating_add(size);
        // Each has a page at least, so that the sum ends every chain.
        let sane = arena == state.address
            && size.is_multiple_of(PAGE)
            && size >= PAGE
            && size <= writable
            && writable <= reserved
            && counted <= state.system_bytes()
            && (previous == 0) == (start == own)
            && previous.is_multiple_of(reserved);
        if !sane {
            return Err(format!("the heap at {start:#x} is not of the arena at {:#x}", state.address));
        }
        all.push(HeapInfo { start, size, writable, reserved, first });
        if previous == 0 {
            break;
        }
        start = previous;
    }
    if counted == state.system_bytes() {
        Ok(all)
    } else {
        Err(format!(
            "the arena at {:#x} has {} bytes in heaps of {counted}",
            state.address,
            state.system_bytes()
        ))
    }
}

/// A piece of memory, walked.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    /// As it is reported, without chunks.
    pub(super) heap: Heap,
    /// What is in it.
    pub(super) walked: Walked,
}

impl Piece {
    /// From `start`; `ends` are those of [`Heap`], in their order.
    pub(super) fn new(start: u64, ends: [u64; 3], walked: Walked) -> Self {
        let [end, writable_end, reserved_end] = ends;
        Self { heap: Heap { start, end, writable_end, reserved_end, chunks: Vec::new() }, walked }
    }
}
