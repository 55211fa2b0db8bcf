//! Chunks with a mapping of their own, which are in no list: told by the header before their block.

use calltap_analyzers::arenas::chunk_map::MmappedChunk;
use calltap_analyzers::arenas::memory_map::PAGE;

use super::layout::{FLAGS, HEADER, MMAPPED};
use crate::allocator::memory::Memory;

/// See [`super::Glibc::mmapped`].
pub(super) fn among(memory: Memory, candidates: impl Iterator<Item = u64>) -> Vec<MmappedChunk> {
    let headers: Vec<_> = candidates.filter_map(|block| block.checked_sub(HEADER)).collect();
    let pairs = memory.pairs(&headers);
    let mut chunks: Vec<_> =
        headers.iter().zip(pairs).filter_map(|(&address, pair)| chunk(address, pair?)).collect();
    chunks.sort_unstable_by_key(|chunk| chunk.start);
    chunks.dedup();
    chunks
}

/// The chunk whose header at `address` has these words; `None` if it has no mapping of its own.
fn chunk(address: u64, [lead, word]: [u64; 2]) -> Option<MmappedChunk> {
    let bytes = word & !FLAGS;
    // What an aligned block does not use before itself is part of its mapping.
    let (start, end) = (address.checked_sub(lead)?, address.checked_add(bytes)?);
    let whole = start.is_multiple_of(PAGE) && end.is_multiple_of(PAGE) && bytes > HEADER;
    (word & FLAGS == MMAPPED && whole).then_some(MmappedChunk { start, end, block: address + HEADER })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapping_begins_before_an_aligned_block() {
        let plain = chunk(0x7000_0000_0000, [0, 0x4a002]).expect("a chunk");
        assert_eq!((plain.start, plain.end), (0x7000_0000_0000, 0x7000_0004_a000));
        assert_eq!((plain.block, plain.usable_bytes()), (0x7000_0000_0010, 0x4a000 - 16));
        let aligned = chunk(0x7000_0000_0ff0, [0xff0, 0x4a012]).expect("a chunk");
        assert_eq!(
            (aligned.start, aligned.end, aligned.block),
            (0x7000_0000_0000, 0x7000_0004_b000, 0x7000_0000_1000)
        );
    }

    #[test]
    fn what_cannot_be_one_is_none() {
        assert_eq!(chunk(0x7000_0000_0000, [0, 0x4a001]), None);
        assert_eq!(chunk(0x7000_0000_0010, [0, 0x4a002]), None);
        assert_eq!(chunk(0x7000_0000_0000, [0, 0x4a012]), None);
        assert_eq!(chunk(0x1000, [0x2000, 0x4a002]), None);
        assert_eq!(chunk(0xffff_ffff_ffff_f000, [0, 0x4a002]), None);
    }

    #[test]
    fn candidates_that_cannot_be_read_are_left_out() {
        let own = Memory::of(std::process::id());
        assert!(among(own, [0, 8, 24, 0x1000].into_iter()).is_empty());
    }
}
