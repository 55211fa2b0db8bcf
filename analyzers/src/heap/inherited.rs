//! Blocks that a forked child has from its parent.

use std::sync::Arc;

/// Addresses of the blocks that lived when a process forked.
///
/// Memory is 8 bytes per block, shared with the child's own children while nothing changes.
#[derive(Clone, Debug, Default)]
pub struct Inherited {
    addresses: Arc<[u64]>,
}

/// The parent's blocks, and which of them the child has released.
#[derive(Debug, Default)]
pub(super) struct InheritedBlocks {
    blocks: Inherited,
    /// One bit for each, empty until the first release.
    released: Vec<u64>,
}

/// What a release of an inherited address means.
pub(super) enum Taken {
    /// It was the first.
    Released,
    /// It was released before.
    Again,
    /// The address was not inherited.
    Foreign,
}

impl Inherited {
    /// How many blocks there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.addresses.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.addresses.is_empty()
    }
}

impl InheritedBlocks {
    pub(super) fn new(blocks: Inherited) -> Self {
        Self { blocks, released: Vec::new() }
    }

    /// The child releases `address`.
    pub(super) fn take(&mut self, address: u64) -> Taken {
        let Ok(at) = self.blocks.addresses.binary_search(&address) else { return Taken::Foreign };
        self.released.resize(self.blocks.len().div_ceil(64), 0);
        let (word, bit) = (at / 64, 1 << (at % 64));
        let before = self.released[word] & bit != 0;
        self.released[word] |= bit;
        if before { Taken::Again } else { Taken::Released }
    }

    /// What a child of this process inherits if `live` are its own blocks.
    pub(super) fn with(&self, live: impl Iterator<Item = u64>) -> Inherited {
        let mut live: Vec<u64> = live.collect();
        if live.is_empty() && self.released.is_empty() {
            return self.blocks.clone();
        }
        let kept = self.blocks.addresses.iter().enumerate();
        let is_kept = |at: usize| self.released.get(at / 64).is_none_or(|word| word >> (at % 64) & 1 == 0);
        live.extend(kept.filter(|(at, _)| is_kept(*at)).map(|(_, address)| *address));
        live.sort_unstable();
        live.dedup();
        Inherited { addresses: live.into() }
    }
}
