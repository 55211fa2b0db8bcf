//! The interposer's own heap: pages from the kernel, never the target's allocator.
//!
//! Hooks allocate nothing; this is for what the Rust run-time may want while the library is set up.
//! An allocator under test must not see us, and memory is never given back.

use core::alloc::{GlobalAlloc, Layout};
use core::sync::atomic::{AtomicUsize, Ordering};

const CHUNK: usize = 64 << 10;

/// Hands out parts of pages that it maps as needed.
pub(crate) struct OwnMemory {
    next: AtomicUsize,
    end: AtomicUsize,
}

impl OwnMemory {
    pub(crate) const fn new() -> Self {
        Self { next: AtomicUsize::new(0), end: AtomicUsize::new(0) }
    }
}

// SAFETY: every block is a distinct range of a private mapping, aligned as asked, never reused: the
// cursor is moved past it by one atomic exchange.
unsafe impl GlobalAlloc for OwnMemory {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        loop {
            let next = self.next.load(Ordering::Acquire);
            let start = next.next_multiple_of(layout.align().max(1));
            if next != 0 && start + layout.size() <= self.end.load(Ordering::Acquire) {
                let after = start + layout.size();
                if self.next.compare_exchange(next, after, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
                    return start as *mut u8;
                }
                continue;
            }
            let bytes = (layout.size() + layout.align()).next_multiple_of(CHUNK);
            let Some(chunk) = crate::kernel::map_private(bytes) else {
                return core::ptr::null_mut();
            };
            if bytes > CHUNK {
                // Too large to share: a mapping of its own.
                return (chunk as usize).next_multiple_of(layout.align()) as *mut u8;
            }
            // The end first: a cursor is valid only under the end that was stored before it. Two
            // threads that map at once waste one chunk; chunks are compared by their end below.
            if self.next.compare_exchange(next, 0, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
                self.end.store(chunk as usize + bytes, Ordering::Release);
                self.next.store(chunk as usize, Ordering::Release);
            }
        }
    }

    unsafe fn dealloc(&self, _block: *mut u8, _layout: Layout) {}
}
