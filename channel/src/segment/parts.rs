//! Where the parts of a mapped segment are, but for the rings' words.

use super::{PAGE, Segment};
use crate::ring::Control;
use crate::stack::{self, StackTable};
use crate::trace::directory::Directory;

impl Segment {
    pub(super) fn outer_control(&self, index: usize) -> &'static Control {
        let offset = self.layout.controls() as usize + index * size_of::<Control>();
        // SAFETY: within the mapped segment by the checked layout, for callers give an index below `ring_count`.
        unsafe { &*self.base.add(offset).cast::<Control>() }
    }

    /// The control block of ring `index`, which is less than `ring_count`.
    ///
    /// # Panics
    /// If it is not.
    #[inline]
    #[must_use]
    pub fn control(&self, index: usize) -> &'static Control {
        assert!((index as u64) < self.layout.ring_count);
        if self.is_inner(index) {
            // SAFETY: the second page of the inner part, which is mapped by `with_inner`'s contract.
            return unsafe { &*self.inner.add(PAGE as usize).cast::<Control>() };
        }
        self.outer_control(index)
    }

    /// The stack table; one without slots if no stacks are taken.
    #[inline]
    #[must_use]
    pub fn stacks(&self) -> StackTable {
        let slots = stack::slots_in(self.layout.stacks_bytes).unwrap_or(0);
        // SAFETY: within the mapped segment by the checked layout, which has a table of this size.
        unsafe { StackTable::at(self.base.add(self.layout.stacks() as usize), slots) }
    }

    /// The directory of functions, if calls are traced.
    #[must_use]
    pub fn directory(&self) -> Option<Directory> {
        // SAFETY: within the mapped segment by the checked layout, on a page of its own.
        (self.layout.directory_bytes != 0)
            .then(|| unsafe { Directory::at(self.base.add(self.layout.directory() as usize)) })
    }

    /// The plan's words, empty if calls are not traced.
    ///
    /// # Safety
    /// Nobody writes them any more: the CLI does so before the target starts.
    #[must_use]
    pub unsafe fn plan(&self) -> &'static [u64] {
        // SAFETY: within the mapped segment by the checked layout, page-aligned, and by the contract unchanging.
        unsafe {
            core::slice::from_raw_parts(
                self.base.add(self.layout.plan() as usize).cast::<u64>(),
                self.layout.plan_bytes as usize / 8,
            )
        }
    }

    /// Writes the plan: by the CLI, before the target starts. `words` are as many as the layout has room for.
    ///
    /// # Panics
    /// If they are more.
    pub fn write_plan(&self, words: &[u64]) {
        assert!(words.len() as u64 * 8 <= self.layout.plan_bytes);
        for (index, word) in words.iter().enumerate() {
            // SAFETY: within the plan by the assertion; nobody else is there yet.
            unsafe { self.base.add(self.layout.plan() as usize).cast::<u64>().add(index).write(*word) };
        }
    }

    /// Address of ring `index`'s counts, [`crate::trace::MAX_FUNCTIONS`] of them; 0 if calls are not only counted.
    ///
    /// # Panics
    /// If there is no such ring.
    #[must_use]
    pub fn counts(&self, index: usize) -> u64 {
        assert!((index as u64) < self.layout.ring_count);
        if self.layout.counts_bytes == 0 {
            return 0;
        }
        self.base as u64 + self.layout.counts() + index as u64 * self.layout.counts_bytes
    }

    /// Address of the `walk_bytes` bytes of ring `index`, which is less than `ring_count`; 64-aligned.
    ///
    /// # Panics
    /// If it is not.
    #[must_use]
    pub fn walk(&self, index: usize) -> u64 {
        assert!((index as u64) < self.layout.ring_count);
        self.base as u64 + self.layout.walks() + index as u64 * self.layout.walk_bytes
    }
}
