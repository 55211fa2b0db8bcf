//! The interposer's own heap: pages from the kernel, never the target's allocator.
//!
//! Hooks allocate nothing; this is for what the Rust run-time may want while the library is set up.
//! An allocator under test must not see us. Each block is a mapping of its own: rare, simple, and free of
//! locks.

use core::alloc::{GlobalAlloc, Layout};

use crate::kernel;

const PAGE: usize = 4096;

/// Maps and unmaps.
pub(crate) struct OwnMemory;

// SAFETY: every block is the beginning of a fresh private mapping: page-aligned, zero, its own.
unsafe impl GlobalAlloc for OwnMemory {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.align() > PAGE {
            return core::ptr::null_mut();
        }
        kernel::map_private(layout.size().next_multiple_of(PAGE)).unwrap_or(core::ptr::null_mut())
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let bytes = layout.size().next_multiple_of(PAGE) as u64;
        kernel::call(libc::SYS_munmap, [block as u64, bytes, 0, 0, 0]);
    }
}
