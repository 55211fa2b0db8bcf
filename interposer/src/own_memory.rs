//! The interposer's own heap: a small pool, and pages from the kernel; never the target's allocator.
//!
//! Hooks allocate nothing; this is for what the Rust run-time may want while the library is set up and when objects come
//! and go. An allocator under test must not see us.
//!
//! Blocks come from the pool one behind the other, and it starts afresh when none of them is left. What does not fit gets a
//! mapping of its own. A mapping cannot be tagged (`tag.rs`: all its arguments are in use), so that each one stops at the
//! filter: a program's start had ten of them.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicU64, Ordering};

use crate::kernel;

const PAGE: usize = 4096;
/// Bytes of the pool: the ten blocks of a small program's start, with what they leave behind as they grow, fit.
const POOL: usize = 32 * 1024;

/// The pool's bytes.
#[repr(align(4096))]
struct Bytes(UnsafeCell<[u8; POOL]>);

// SAFETY: each byte is in at most one block, and only that block's owner touches it.
unsafe impl Sync for Bytes {}

static BYTES: Bytes = Bytes(UnsafeCell::new([0; POOL]));
/// Blocks of the pool that are in use, in the upper half, and where the next one may begin, in the lower.
static POOLED: AtomicU64 = AtomicU64::new(0);

/// Takes from the pool, or maps.
pub(crate) struct OwnMemory;

// SAFETY: a block is a range of the pool that no other live block shares, or the beginning of a fresh private mapping; its
// address is a multiple of the alignment that was asked for.
unsafe impl GlobalAlloc for OwnMemory {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.align() > PAGE {
            return core::ptr::null_mut();
        }
        let mut offset = 0;
        let taken = POOLED.fetch_update(Ordering::Acquire, Ordering::Relaxed, |pooled| {
            let after;
            (offset, after) = behind(pooled, layout)?;
            Some(after)
        });
        match taken {
            // SAFETY: the offset is within the pool.
            Ok(_) => unsafe { BYTES.0.get().cast::<u8>().add(offset) },
            Err(_) => kernel::map_private(mapped(layout)).unwrap_or(core::ptr::null_mut()),
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let pool = BYTES.0.get() as usize;
        if (pool..pool + POOL).contains(&(block as usize)) {
            let _ =
                POOLED.fetch_update(Ordering::Release, Ordering::Relaxed, |pooled| Some(without_one(pooled)));
        } else {
            kernel::call(libc::SYS_munmap, [block as u64, mapped(layout) as u64, 0, 0, 0]);
        }
    }
}

/// Bytes of the mapping for such a block.
fn mapped(layout: Layout) -> usize {
    layout.size().next_multiple_of(PAGE)
}

/// Where the next block of the pool would begin, and the word of [`POOLED`] with it. None if it does not fit.
fn behind(pooled: u64, layout: Layout) -> Option<(usize, u64)> {
    let (blocks, end) = (pooled >> 32, pooled as u32 as usize);
    let offset = end.next_multiple_of(layout.align());
    let end = offset.checked_add(layout.size()).filter(|end| *end <= POOL)?;
    Some((offset, (blocks + 1) << 32 | end as u64))
}

/// The word of [`POOLED`] with a block less.
fn without_one(pooled: u64) -> u64 {
    match pooled >> 32 {
        1 => 0,
        blocks => (blocks - 1) << 32 | pooled & 0xffff_ffff,
    }
}
