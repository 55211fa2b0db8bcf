//! Which part of the stack is known to be readable, so that a walk led astray cannot fault.

use crate::kernel;

const PAGE: u64 = 4096;
/// A stack that has grown by less than this is still the same one.
const GROWTH: u64 = 256 * PAGE;
/// A thread's stack is looked at from its first recorded call up to its end, if that is no further.
const MOST_PAGES: u64 = 1024;
/// Pages that are looked at below the lowest one used so far.
const PAGES_BELOW: u64 = 8;

/// Two ranges of pages: of the thread's own stack, which is there as long as the thread is, and of
/// another stack that it runs on now (of a signal handler, of a coroutine), which may be gone the next time.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(super) struct Readable {
    own_low: u64,
    own_high: u64,
    low: u64,
    high: u64,
}

impl Readable {
    /// What is known when a thread makes its first recorded call, with this stack pointer.
    pub(super) fn of_thread(stack_pointer: u64) -> Self {
        let mut known = Self { own_low: 0, own_high: 0, low: 0, high: 0 };
        let page = stack_pointer & !(PAGE - 1);
        let reaches = |end: u64| {
            let pages = end.saturating_sub(page) / PAGE;
            end > stack_pointer
                && pages < MOST_PAGES
                && (page..end).step_by(PAGE as usize).all(kernel::is_readable)
        };
        if let Some(end) = kernel::stack_ends().into_iter().find(|end| reaches(*end)) {
            (known.own_low, known.own_high) = (page, end & !7);
            known.look_below();
        }
        known
    }

    /// Takes a few pages in that the thread's own stack may grow into, so that the kernel need not be
    /// asked in the middle of what the program does: a sandbox may have closed by then.
    fn look_below(&mut self) {
        for _ in 0..PAGES_BELOW {
            let page = self.own_low.wrapping_sub(PAGE);
            if !kernel::is_readable(page) {
                break;
            }
            self.own_low = page;
        }
    }

    /// Begins a walk at this stack pointer, whose page is readable as a matter of course.
    #[inline(always)]
    pub(super) fn begin(&mut self, stack_pointer: u64) {
        if !self.surely_holds(stack_pointer) {
            self.move_to(stack_pointer);
        }
    }

    #[cold]
    #[inline(never)]
    fn move_to(&mut self, stack_pointer: u64) {
        let page = stack_pointer & !(PAGE - 1);
        let grown = stack_pointer < self.own_low && self.own_low - stack_pointer < GROWTH;
        // Between two stacks there is often a page that cannot be read.
        if grown && (page + PAGE..self.own_low).step_by(PAGE as usize).all(kernel::is_readable) {
            self.own_low = page;
            self.look_below();
            return;
        }
        (self.low, self.high) = (page, page + PAGE);
    }

    /// Whether the aligned word at `address` can be read.
    #[inline(always)]
    pub(super) fn holds(&mut self, address: u64) -> bool {
        self.surely_holds(address) || self.holds_elsewhere(address)
    }

    /// Whether the word is in the thread's own stack.
    #[inline(always)]
    pub(super) fn surely_holds(&self, address: u64) -> bool {
        address >= self.own_low && address < self.own_high
    }

    /// Whether the word is in a stack that is used now, in one piece with where the walk began.
    #[inline(always)]
    pub(super) fn is_within(&self, address: u64) -> bool {
        self.surely_holds(address) || (address >= self.low && address < self.high)
    }

    #[cold]
    #[inline(never)]
    fn holds_elsewhere(&mut self, address: u64) -> bool {
        if address >= self.low && address < self.high {
            return true;
        }
        if address >= 1 << 47 || !kernel::is_readable(address) {
            return false;
        }
        if address & !(PAGE - 1) == self.high {
            self.high += PAGE;
        }
        true
    }
}
