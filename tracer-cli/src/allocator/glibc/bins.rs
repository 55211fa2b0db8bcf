//! An arena's lists of free chunks.

use calltap_analyzers::arenas::chunk_map::ChunkKind;

use super::layout::{HEADER, Layout};
use super::places::Places;
use super::state::{BINS, FAST_BINS, State};

/// Marks the chunks in the fast bins of arena `index`; gives their bytes.
///
/// # Errors
///
/// If a list leads to what is no chunk of that size in use in that arena: what is in the list already
/// is not, so that a list without end is found too.
pub(super) fn mark_fast(
    places: &mut Places,
    index: usize,
    state: &State,
    layout: Layout,
) -> Result<u64, String> {
    let mut bytes = 0;
    for bin in 0..FAST_BINS {
        let mut address = state.fast(bin);
        while address != 0 {
            let place = places.find(address).filter(|&place| {
                let chunk = places.chunk(place);
                let fits = chunk.kind() == ChunkKind::InUse && chunk.bytes() == State::fast_bytes(bin);
                fits && places.arena(place) == index
            });
            let place =
                place.ok_or_else(|| format!("a fast bin leads to {address:#x}, which is no chunk for it"))?;
            places.mark(place, ChunkKind::Fast);
            bytes += State::fast_bytes(bin);
            address = layout.linked(places.link(place), address + HEADER);
        }
    }
    Ok(bytes)
}

/// Follows the other bins of arena `index`, in which at most `free` chunks can be; gives their bytes.
///
/// # Errors
///
/// If a list leads to what is no free chunk of that arena, or through more than there are.
pub(super) fn follow(places: &mut Places, index: usize, state: &State, free: usize) -> Result<u64, String> {
    let mut bytes = 0;
    let mut found = 0;
    for bin in 0..BINS {
        let [mut address, _] = state.bin(bin);
        while address != state.sentinel(bin) {
            let place = places.find(address).filter(|&place| {
                places.chunk(place).kind() == ChunkKind::Bin && places.arena(place) == index
            });
            let place =
                place.ok_or_else(|| format!("a bin leads to {address:#x}, which is no free chunk"))?;
            found += 1;
            if found > free {
                return Err("a bin's list has no end".into());
            }
            bytes += places.chunk(place).bytes();
            address = places.link(place);
        }
    }
    Ok(bytes)
}
