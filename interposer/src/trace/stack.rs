//! Where this thread's own stack is, as the C library knows it, without asking it: that would allocate memory.

use crate::kernel;

/// Below where the kernel began a program's first stack, so much is kept free for it (`mmap_base` of x86-64).
const FIRST_STACK: u64 = 128 << 20;
const PAGE: u64 = 4096;

/// First address of the thread's own stack, and the one behind its last; equal if they are not known.
pub(crate) fn own() -> (u64, u64) {
    let [descriptor, first_stack_end] = kernel::stack_ends();
    // glibc keeps address and size of a thread's stack beside each other in the descriptor, which lies at the end of
    // that stack. No other two words fit so well.
    let found = (descriptor..(descriptor & !(PAGE - 1)) + PAGE - 8)
        .step_by(8)
        .map(|at| {
            // SAFETY: the descriptor is mapped at least to the end of the page it begins on.
            unsafe { (*(at as *const u64), *((at + 8) as *const u64)) }
        })
        .map(|(low, size)| (low, low.wrapping_add(size)))
        .find(|(low, end)| {
            *low != 0
                && low % PAGE == 0
                && end % PAGE == 0
                && (*low..*end).contains(&descriptor)
                && end - descriptor <= 2 * PAGE
        });
    let pointer = crate::call::frame();
    match found {
        Some((low, _)) => (low, descriptor),
        None if pointer < first_stack_end && first_stack_end - pointer < FIRST_STACK => {
            (first_stack_end - FIRST_STACK, first_stack_end)
        }
        None => (0, 0),
    }
}
