//! Which part of the stack is known to be readable, so that a walk led astray cannot fault.

use crate::kernel;

const PAGE: u64 = 4096;
/// A stack that has grown by less than this since the last walk is still the same one.
const GROWTH: u64 = 16 * PAGE;

/// The pages from `low` to `high` have been found readable one after the other.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(super) struct Readable {
    low: u64,
    high: u64,
}

impl Readable {
    /// Knows of nothing.
    pub(super) const NOTHING: Self = Self { low: 0, high: 0 };

    /// Makes the page of the stack pointer, which is readable as a matter of course, part of it.
    #[inline(always)]
    pub(super) fn include(&mut self, stack_pointer: u64) {
        if stack_pointer < self.low || stack_pointer >= self.high {
            self.move_to(stack_pointer);
        }
    }

    #[cold]
    #[inline(never)]
    fn move_to(&mut self, stack_pointer: u64) {
        let page = stack_pointer & !(PAGE - 1);
        let grown = stack_pointer < self.low && self.low - stack_pointer < GROWTH;
        // Between two stacks there is often a page that cannot be read.
        if grown && (page + PAGE..self.low).step_by(PAGE as usize).all(kernel::is_readable) {
            self.low = page;
            return;
        }
        (self.low, self.high) = (page, page + PAGE);
    }

    /// Whether the aligned word at `address` can be read.
    #[inline(always)]
    pub(super) fn holds(&mut self, address: u64) -> bool {
        (address >= self.low && address < self.high) || self.grows_to(address)
    }

    /// Whether the word is in the range already, which is all stack of one piece.
    #[inline(always)]
    pub(super) fn is_within(&self, address: u64) -> bool {
        address >= self.low && address < self.high
    }

    #[cold]
    #[inline(never)]
    fn grows_to(&mut self, address: u64) -> bool {
        if address >= 1 << 47 || !kernel::is_readable(address) {
            return false;
        }
        if address & !(PAGE - 1) == self.high {
            self.high += PAGE;
        }
        true
    }
}
