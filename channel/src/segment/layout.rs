//! How a segment is laid out: how many of each part there are, and where each begins.

use super::{MAX_RING_BYTES, MAX_RINGS, MIN_RING_BYTES, PAGE};
use crate::record::MAX_WORDS;
use crate::ring::Control;
use crate::stack;
use crate::trace::MAX_FUNCTIONS;
use crate::trace::directory;

/// The numbers that fix where everything is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// How many rings.
    pub ring_count: u64,
    /// Words in a ring, a power of two.
    pub capacity: u64,
    /// Bytes of the stack table.
    pub stacks_bytes: u64,
    /// Bytes of the directory of functions: 0 or [`crate::trace::directory::BYTES`].
    pub directory_bytes: u64,
    /// Bytes of the plan.
    pub plan_bytes: u64,
    /// Bytes of each ring's counts: 0 or 8 for each of [`crate::trace::MAX_FUNCTIONS`].
    pub counts_bytes: u64,
    /// Bytes of what each ring's owner remembers of its last walk.
    pub walk_bytes: u64,
}

/// Why a segment is not one of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotOurs {
    /// Another magic number.
    Magic,
    /// Another version of calltap made it.
    Abi(u64),
    /// Its numbers contradict each other or its size.
    Layout,
}

impl Layout {
    /// A layout of `ring_count` rings with at least `ring_bytes` bytes each.
    ///
    /// # Errors
    /// [`NotOurs::Layout`] outside [`MIN_RING_BYTES`]..=[`MAX_RING_BYTES`] or 2..=[`MAX_RINGS`].
    pub fn new(ring_count: u64, ring_bytes: u64) -> Result<Self, NotOurs> {
        let layout = Self {
            ring_count,
            capacity: ring_bytes.min(MAX_RING_BYTES).next_power_of_two() / 8,
            stacks_bytes: 0,
            directory_bytes: 0,
            plan_bytes: 0,
            counts_bytes: 0,
            walk_bytes: 0,
        };
        if ring_bytes > MAX_RING_BYTES { Err(NotOurs::Layout) } else { layout.checked() }
    }

    /// The same with room for stacks: `slots` of them at most, a power of two, and `walk_bytes` for each ring.
    ///
    /// # Errors
    /// [`NotOurs::Layout`] if there is no such table.
    pub fn with_stacks(self, slots: u64, walk_bytes: u64) -> Result<Self, NotOurs> {
        Self { stacks_bytes: stack::bytes_of(slots), walk_bytes, ..self }.checked()
    }

    /// The same for tracing calls by a plan of `plan_words` words, which are only counted if `counts`.
    ///
    /// # Errors
    /// [`NotOurs::Layout`] if the plan is too large.
    pub fn with_trace(self, plan_words: u64, counts: bool) -> Result<Self, NotOurs> {
        let counts_bytes = if counts { 8 * MAX_FUNCTIONS as u64 } else { 0 };
        Self {
            directory_bytes: directory::BYTES,
            plan_bytes: plan_words.saturating_mul(8),
            counts_bytes,
            ..self
        }
        .checked()
    }

    /// The same with a plan of so many words, but without a directory: hooks are bound by slots, nothing else is traced.
    ///
    /// # Errors
    /// If that is too large.
    pub fn with_plan(self, plan_words: u64) -> Result<Self, NotOurs> {
        Self { plan_bytes: plan_words.saturating_mul(8), ..self }.checked()
    }

    pub(super) fn checked(self) -> Result<Self, NotOurs> {
        let bytes = self.capacity.saturating_mul(8);
        if !self.capacity.is_power_of_two()
            || !(MIN_RING_BYTES..=MAX_RING_BYTES).contains(&bytes)
            || !(2..=MAX_RINGS).contains(&self.ring_count)
            || stack::slots_in(self.stacks_bytes).is_none()
            || self.walk_bytes > 1 << 20
            || !self.walk_bytes.is_multiple_of(64)
            || ![0, directory::BYTES].contains(&self.directory_bytes)
            || self.plan_bytes > 1 << 32
            || !self.plan_bytes.is_multiple_of(8)
            || ![0, 8 * MAX_FUNCTIONS as u64].contains(&self.counts_bytes)
        {
            return Err(NotOurs::Layout);
        }
        Ok(self)
    }

    const fn pages(bytes: u64) -> u64 {
        bytes.div_ceil(PAGE) * PAGE
    }

    /// Offset of the control blocks.
    #[must_use]
    pub const fn controls(&self) -> u64 {
        PAGE
    }

    /// Offset of the stack table.
    #[must_use]
    pub const fn stacks(&self) -> u64 {
        self.controls() + Self::pages(self.ring_count * size_of::<Control>() as u64)
    }

    /// Offset of the directory of functions.
    #[must_use]
    pub const fn directory(&self) -> u64 {
        self.stacks() + Self::pages(self.stacks_bytes)
    }

    /// Offset of the plan.
    #[must_use]
    pub const fn plan(&self) -> u64 {
        self.directory() + Self::pages(self.directory_bytes)
    }

    /// Offset of the first ring's counts.
    #[must_use]
    pub const fn counts(&self) -> u64 {
        self.plan() + Self::pages(self.plan_bytes)
    }

    /// Offset of what the first ring's owner remembers of its last walk.
    #[must_use]
    pub const fn walks(&self) -> u64 {
        self.counts() + self.counts_bytes * self.ring_count
    }

    /// Offset of the first ring's words.
    #[must_use]
    pub const fn rings(&self) -> u64 {
        self.walks() + Self::pages(self.walk_bytes * self.ring_count)
    }

    /// From one ring's words to the next one's, in bytes.
    #[must_use]
    pub const fn stride(&self) -> u64 {
        Self::pages((self.capacity + MAX_WORDS as u64) * 8)
    }

    /// Size of the inner part in bytes: its header, the tracer's control block and ring.
    #[must_use]
    pub const fn inner_size(&self) -> u64 {
        2 * PAGE + self.stride()
    }

    /// Size of the segment in bytes.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.rings() + self.ring_count * self.stride()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_layout_do_not_overlap_and_fill_whole_pages() {
        let layout = Layout::new(512, 1 << 20).unwrap();
        assert_eq!(layout.capacity, (1 << 20) / 8);
        assert!(layout.stacks() >= layout.controls() + 512 * size_of::<Control>() as u64);
        assert_eq!(layout.rings() % PAGE, 0);
        assert!(layout.stride() >= (layout.capacity + MAX_WORDS as u64) * 8);
        assert_eq!(layout.size(), layout.rings() + 512 * layout.stride());
    }

    #[test]
    fn stacks_have_their_place_before_the_rings() {
        let plain = Layout::new(8, 1 << 20).unwrap();
        let layout = plain.with_stacks(1 << 10, 192).unwrap();
        assert_eq!(layout.walks() % 64, 0);
        assert!(layout.directory() - layout.stacks() >= stack::bytes_of(1 << 10));
        assert!(layout.rings() - layout.walks() >= 8 * 192);
        assert_eq!(plain.with_stacks(1000, 192), Err(NotOurs::Layout));
        assert_eq!(plain.with_stacks(1024, 100), Err(NotOurs::Layout));
    }

    #[test]
    fn absurd_sizes_are_refused() {
        assert_eq!(Layout::new(1, 1 << 20), Err(NotOurs::Layout));
        assert_eq!(Layout::new(8, 1024), Err(NotOurs::Layout));
        assert_eq!(Layout::new(8, u64::MAX), Err(NotOurs::Layout));
    }
}
