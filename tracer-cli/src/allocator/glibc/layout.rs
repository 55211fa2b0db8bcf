//! How glibc lays out the allocator's structures on x86-64, by version.
//!
//! | versions | `heap_info` | links | `malloc_par` | verified |
//! |---|---|---|---|---|
//! | 2.31 | 32 bytes | plain | 112 bytes | 2.31 on a live process |
//! | 2.32 to 2.34 | 32 bytes | mangled | 112 bytes | by source |
//! | 2.35 to 2.41 | 48 bytes | mangled | 136 bytes | 2.35, 2.36, 2.39 and 2.41 on live processes, the others by source |
//!
//! `malloc_state` and `tcache_perthread_struct` are the same in all of them. 2.42 changed the
//! thread's cache, so that later versions are not decoded.

/// A header that every chunk has: its predecessor's size if that is free, and its own with flags.
pub(super) const HEADER: u64 = 16;
/// The smallest chunk.
pub(super) const LEAST: u64 = 32;
/// The flags in the size: the chunk before it is in use.
pub(super) const PREVIOUS_IN_USE: u64 = 1;
/// It has a mapping of its own.
pub(super) const MMAPPED: u64 = 2;
/// All flags.
pub(super) const FLAGS: u64 = 7;

/// Bytes of a `malloc_state`.
pub(super) const STATE_BYTES: u64 = STATE_WORDS as u64 * 8;
/// Its words.
pub(super) const STATE_WORDS: usize = 275;

/// Bytes of a `tcache_perthread_struct`: 64 counts of two bytes, 64 pointers.
pub(super) const TCACHE: u64 = 64 * 2 + 64 * 8;
/// Sizes that it keeps.
pub(super) const TCACHE_BINS: usize = 64;
/// The largest chunk that it can keep, which no fast bin's exceeds.
pub(super) const CACHED_MAX: u64 = 0x410;

/// Reserved for a thread arena's heap, unless huge pages are asked for.
pub(super) const HEAP_MAX: u64 = 64 << 20;

/// What differs between versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// Bytes of `heap_info`, padding included.
    pub(super) heap_info: u64,
    /// Whether the links of fast bins and caches are mangled with their address.
    pub(super) mangled: bool,
    /// Whether `malloc_par` has the three fields of huge pages.
    pub(super) huge_pages: bool,
}

impl Layout {
    /// That of a version; `None` if it is not known.
    pub(super) const fn of(version: (u32, u32)) -> Option<Self> {
        match version {
            (2, 31) => Some(Self { heap_info: 32, mangled: false, huge_pages: false }),
            (2, 32..=34) => Some(Self { heap_info: 32, mangled: true, huge_pages: false }),
            (2, 35..=41) => Some(Self { heap_info: 48, mangled: true, huge_pages: true }),
            _ => None,
        }
    }

    /// The address that is stored at `place` as `link`.
    pub(super) const fn linked(&self, link: u64, place: u64) -> u64 {
        if self.mangled { link ^ place >> 12 } else { link }
    }

    /// Whether `link`, stored at `place`, can be an address or the end of a list.
    pub(super) const fn may_link(&self, link: u64, place: u64) -> bool {
        let address = self.linked(link, place);
        address.is_multiple_of(16) && address < 1 << 47
    }

    /// Words of `malloc_par`.
    pub(super) const fn parameter_words(&self) -> usize {
        if self.huge_pages { 17 } else { 14 }
    }
}

/// Whether a chunk of that size can serve that request: what cannot be a chunk is not split off.
pub(super) const fn serves(bytes: u64, request: u64) -> bool {
    let least = chunk_of(request);
    least <= bytes && bytes < least + LEAST
}

/// The chunk size that serves a request.
pub(super) const fn chunk_of(request: u64) -> u64 {
    let size = (request.saturating_add(8 + 15)) & !15;
    if size < LEAST { LEAST } else { size }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_beside_the_table_have_no_layout() {
        let known: Vec<_> = (0..60).filter(|&minor| Layout::of((2, minor)).is_some()).collect();
        assert_eq!(known, Vec::from_iter(31..=41));
        assert_eq!(Layout::of((3, 36)), None);
    }

    #[test]
    fn a_request_is_rounded_up_with_its_header() {
        assert_eq!([0, 24, 25, 40, 48, 1032].map(chunk_of), [32, 32, 48, 48, 64, 1040]);
    }

    #[test]
    fn a_chunk_may_be_a_little_larger_than_its_request() {
        let sizes: Vec<_> = (0x270..0x2e0).step_by(16).filter(|&bytes| serves(bytes, TCACHE)).collect();
        assert_eq!(sizes, [0x290, 0x2a0]);
    }

    #[test]
    fn a_mangled_link_is_its_own_inverse() {
        let new = Layout::of((2, 36)).unwrap();
        let place = 0x5555_5555_9aa0;
        assert_eq!(new.linked(new.linked(0x5555_5555_9ac0, place), place), 0x5555_5555_9ac0);
        assert_eq!(Layout::of((2, 31)).unwrap().linked(0x1230, place), 0x1230);
    }
}
