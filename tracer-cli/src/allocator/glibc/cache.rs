//! `tcache_perthread_struct`: a thread's cache.

use super::layout::TCACHE_BINS;

/// What may be a thread's cache, by its content alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cache {
    /// Address of its chunk.
    pub(super) address: u64,
    /// Its lists that are not empty: size index, chunks in it, the first one's block.
    pub(super) lists: Vec<(usize, u16, u64)>,
}

impl Cache {
    /// From the chunk's address and its block; `None` if a list has chunks and no first one, or
    /// nothing and a first one.
    pub(super) fn of(address: u64, block: &[u8]) -> Option<Self> {
        let (counts, heads) = block.split_at_checked(2 * TCACHE_BINS)?;
        let counts = counts.as_chunks().0.iter().map(|&count| u16::from_le_bytes(count));
        let heads = heads.as_chunks().0.iter().map(|&head| u64::from_le_bytes(head));
        let mut lists = Vec::new();
        for (bin, (count, head)) in counts.zip(heads).enumerate() {
            if (count == 0) != (head == 0) || !head.is_multiple_of(16) {
                return None;
            }
            if count > 0 {
                lists.push((bin, count, head));
            }
        }
        Some(Self { address, lists })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(count: u16, head: u64) -> Vec<u8> {
        let mut block = vec![0; 0x280];
        block[6..8].copy_from_slice(&count.to_le_bytes());
        block[128 + 24..128 + 32].copy_from_slice(&head.to_le_bytes());
        block
    }

    #[test]
    fn counts_and_first_chunks_go_together() {
        let cache = |count, head| Cache::of(0x100, &block(count, head));
        assert_eq!(cache(7, 0x1230), Some(Cache { address: 0x100, lists: vec![(3, 7, 0x1230)] }));
        assert_eq!(cache(0, 0), Some(Cache { address: 0x100, lists: Vec::new() }));
        assert_eq!([cache(7, 0), cache(0, 0x1230), cache(7, 0x1238)], [None, None, None]);
        assert_eq!(Cache::of(0x100, &[0; 100]), None);
    }
}
