//! The main arena's memory: the program break's, and what had to be mapped where that failed.

use calltap_analyzers::arenas::memory_map::PAGE;

use super::layout::{FLAGS, HEADER, Layout};
use super::parameters::Tuning;
use super::pieces::Piece;
use super::state::State;
use super::walk::{Walked, walk};
use super::window::Window;
use crate::allocator::memory::Memory;
use crate::exit_snapshot::Mapped;

/// How many places are tried where a further piece could begin.
const TRIES: usize = 1 << 16;

/// Walks all of it.
///
/// # Errors
///
/// If a chunk cannot be one, or if the pieces that are found do not add up to what the arena has.
pub(super) fn pieces(
    memory: Memory,
    window: &mut Window,
    layout: Layout,
    state: &State,
    tuning: &Tuning,
    maps: &[Mapped],
) -> Result<Vec<Piece>, String> {
    let top = state.top();
    let [_, size] = memory.words(top)?;
    let top_end = top.saturating_add(size & !FLAGS);
    // The break begins where the program's data end; on old kernels that is not a page's begin.
    let first = tuning.break_base.next_multiple_of(HEADER);
    let mapped_end = unbroken_end(maps, first);
    let limit = if (first..mapped_end).contains(&top) { top_end } else { mapped_end };
    let mut all = vec![walk(window, layout, first, limit, top)?];
    let system = state.system_bytes();
    let bytes = |all: &[Walked]| all.iter().map(|piece| piece.end - piece.first).sum::<u64>();
    let mut counted = bytes(&all) + first - tuning.break_base;
    if state.is_contiguous() {
        while let Some(last) = all.last().filter(|last| !last.has_top) {
            all.push(behind_foreign(window, layout, last.end, top_end, top).ok_or(NOT_FOUND)?);
        }
        // What somebody else moved the break by in between is counted too.
        counted = top_end - tuning.break_base;
    } else if !all[0].has_top {
        let start = top_end.saturating_sub(system.saturating_sub(counted));
        match walk(window, layout, start, top_end, top) {
            Ok(last) => all.push(last),
            Err(_) => all.extend(mapped_pieces(window, layout, all[0].first, maps, top_end, top)),
        }
        counted = bytes(&all) + first - tuning.break_base;
    }
    if counted != system || all.iter().filter(|piece| piece.has_top).count() != 1 {
        return Err(format!("its main arena has {system} bytes, of which {counted} were found"));
    }
    let mut pieces: Vec<_> =
        all.into_iter().map(|walked| Piece::new(walked.first, [walked.end; 3], walked)).collect();
    pieces.sort_unstable_by_key(|piece| piece.heap.start);
    Ok(pieces)
}

const NOT_FOUND: &str = "somebody else moved the program break, and what lies behind was not found";

/// First address behind the writable mappings around `address` that follow each other.
fn unbroken_end(maps: &[Mapped], address: u64) -> u64 {
    let behind = maps.partition_point(|mapped| mapped.end <= address);
    maps[behind..].iter().take_while(|mapped| mapped.permissions.starts_with(b"rw")).fold(
        address,
        |end, mapped| {
            if mapped.start <= end { mapped.end } else { end }
        },
    )
}

/// The next piece of a contiguous arena, behind memory that somebody else took from the break: the
/// first place from which chunks lead to the top or to fenceposts.
fn behind_foreign(window: &mut Window, layout: Layout, from: u64, top_end: u64, top: u64) -> Option<Walked> {
    let places = (from..=top).step_by(HEADER as usize).take(TRIES);
    places.into_iter().find_map(|first| walk(window, layout, first, top_end, top).ok())
}

/// Pieces that were mapped because the break could not be moved: each begins at a page, and fills
/// whole ones. They may lie side by side in one mapping, and with mappings of others.
fn mapped_pieces(
    window: &mut Window,
    layout: Layout,
    known: u64,
    maps: &[Mapped],
    top_end: u64,
    top: u64,
) -> Vec<Walked> {
    let anonymous = maps.iter().filter(|mapped| mapped.permissions.starts_with(b"rw-p") && mapped.inode == 0);
    let mut tries = TRIES;
    let mut all = Vec::new();
    for mapped in anonymous.filter(|mapped| !(mapped.start..mapped.end).contains(&known)) {
        let mut start = mapped.start;
        while start < mapped.end && tries > 0 {
            tries -= 1;
            let limit = if (start..mapped.end).contains(&top) { top_end } else { mapped.end };
            let walked =
                walk(window, layout, start, limit, top).ok().filter(|walked| walked.end.is_multiple_of(PAGE));
            start = walked.as_ref().map_or(start + PAGE, |walked| walked.end);
            all.extend(walked);
        }
    }
    all
}
