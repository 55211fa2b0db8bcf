//! Calls that have begun and not returned: one frame each, which holds what the trampoline has taken off the stack.
//!
//! A thread has a pool of them, in private memory: a forked child goes on with a copy. A frame is found through a register
//! of the call, never by its place in the pool, so calls may end in any order and on any thread, as
//! those of coroutines do. Only the pool's thread, and its signal handlers, claim frames of it: with an instruction that
//! a signal cannot divide. Whoever ends the call gives the frame back, with a store.

use core::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

use calltap_channel::segment::MAX_RINGS;

use super::frame::{Frame, LAST, STANDS};
use super::stack;
use crate::{kernel, slot};

/// Most calls of a thread that are under way at a time.
const MOST: usize = 1 << 15;
/// So many frames are looked at for a free one, if the next one is in use.
const LOOKED_AT: usize = 256;

/// The frames of one thread. Zero when new, but for what [`Pool::make`] writes.
#[repr(C, align(64))]
pub(crate) struct Pool {
    /// The frame to try first. Offset 0.
    next: AtomicPtr<Frame>,
    /// Behind the last frame that may be in use.
    used: AtomicPtr<Frame>,
    /// The thread's own stack.
    low: AtomicU64,
    high: AtomicU64,
    /// The ring of the thread.
    ring: AtomicU64,
    frames: [Frame; MOST],
    /// Never free.
    end: Frame,
}

/// Pools by the rings of their threads, as a thread's end is known only by its ring's being free again.
static POOLS: [AtomicPtr<Pool>; MAX_RINGS as usize] =
    [const { AtomicPtr::new(core::ptr::null_mut()) }; MAX_RINGS as usize];

/// Gives this thread, which has claimed ring `index`, its pool.
pub(crate) fn claim_pool(index: usize) {
    let own = slot::pool();
    if !own.is_null() {
        // A forked child has its parent's pool and a ring of its own.
        // SAFETY: a pool is never unmapped.
        let pool = unsafe { &*own };
        let former = pool.ring.swap(index as u64, Ordering::Relaxed) as usize;
        let other = POOLS[index].swap(own, Ordering::Relaxed);
        if former != index {
            POOLS[former].store(other, Ordering::Relaxed);
            // SAFETY: as above.
            if let Some(other) = unsafe { other.as_ref() } {
                other.ring.store(former as u64, Ordering::Relaxed);
            }
        }
        return;
    }
    let mut pool = POOLS[index].load(Ordering::Relaxed);
    if pool.is_null() {
        let Some(new) = Pool::make(index) else { return };
        pool = new;
        POOLS[index].store(pool, Ordering::Relaxed);
    } else {
        // SAFETY: as above; the thread that it belonged to is gone.
        unsafe { &*pool }.inherit();
    }
    let (low, high) = stack::own();
    // SAFETY: as above.
    let pool_of_thread = unsafe { &*pool };
    pool_of_thread.low.store(low, Ordering::Relaxed);
    pool_of_thread.high.store(high, Ordering::Relaxed);
    slot::set_pool(pool);
}

impl Pool {
    fn make(index: usize) -> Option<*mut Self> {
        let pool = kernel::map_sparse(size_of::<Self>())?.cast::<Self>();
        // SAFETY: fresh memory of this size, zero; page-aligned. All of it are atomics and integers.
        let new = unsafe { &*pool };
        let first = new.frames.as_ptr().cast_mut();
        new.next.store(first, Ordering::Relaxed);
        new.used.store(first, Ordering::Relaxed);
        new.ring.store(index as u64, Ordering::Relaxed);
        new.end.place.store(u64::MAX, Ordering::Relaxed);
        Some(pool)
    }

    /// Takes the pool over from a thread that is gone: what was called on its stack will never return.
    fn inherit(&self) {
        let dead = self.low.load(Ordering::Relaxed)..self.high.load(Ordering::Relaxed);
        for frame in self.in_use().filter(|frame| dead.contains(&frame.place.load(Ordering::Relaxed))) {
            frame.give_back();
        }
    }

    /// The next call is to try this frame first.
    #[inline(always)]
    pub(super) fn try_first(&self, frame: &Frame) {
        self.next.store(core::ptr::from_ref(frame).cast_mut(), Ordering::Relaxed);
    }

    /// Claims a frame for a call whose return address stands at `place`; None if there is none at hand.
    #[inline(always)]
    pub(crate) fn claim(&self, place: u64) -> Option<&Frame> {
        let next = self.next.load(Ordering::Relaxed);
        // SAFETY: `next` is a frame of the pool, or the one behind the last.
        let frame = unsafe { &*next };
        if !frame.claim(place) {
            return None;
        }
        // SAFETY: not the one behind the last, which is never free.
        let behind = unsafe { next.add(1) };
        frame.pool.store(core::ptr::from_ref(self).cast_mut(), Ordering::Relaxed);
        frame.last.store(core::ptr::null_mut(), Ordering::Relaxed);
        self.next.store(behind, Ordering::Relaxed);
        if behind > self.used.load(Ordering::Relaxed) {
            self.used.store(behind, Ordering::Relaxed);
        }
        Some(frame)
    }

    /// The same, if the frame at hand is in use: some others are looked at.
    #[cold]
    pub(crate) fn claim_another(&self, place: u64) -> Option<&Frame> {
        let first = self.frames.as_ptr();
        for _ in 0..LOOKED_AT {
            if let Some(frame) = self.claim(place) {
                return Some(frame);
            }
            let next = self.next.load(Ordering::Relaxed);
            // SAFETY: as in `claim`.
            let behind = unsafe { next.add(1) };
            let behind = if core::ptr::eq(next, &raw const self.end) { first.cast_mut() } else { behind };
            self.next.store(behind, Ordering::Relaxed);
        }
        None
    }

    /// Frames that are in use, innermost first if calls have only been nested.
    fn in_use(&self) -> impl Iterator<Item = &Frame> + Clone {
        let first = self.frames.as_ptr() as usize;
        let used = (self.used.load(Ordering::Relaxed) as usize - first) / size_of::<Frame>();
        self.frames[..used.min(MOST)].iter().rev().filter(|frame| frame.place.load(Ordering::Relaxed) != 0)
    }

    /// Lowers the mark behind the last frame that may be in use.
    fn shrink(&self) {
        let first = self.frames.as_ptr().cast_mut();
        let last = self.in_use().next().map_or(first, |frame| {
            // SAFETY: the one behind a frame of the pool.
            unsafe { core::ptr::from_ref(frame).add(1).cast_mut() }
        });
        self.used.store(last, Ordering::Relaxed);
    }
}

/// The return address that stood at `place`, if a call of this thread has it.
pub(crate) fn site_at(place: u64) -> Option<u64> {
    // SAFETY: a pool is never unmapped.
    let pool = unsafe { slot::pool().as_ref() }?;
    pool.in_use()
        .find(|frame| frame.place.load(Ordering::Relaxed) == place && frame.stands())
        .map(|frame| frame.site.load(Ordering::Relaxed))
}

/// How many calls of this thread are under way at most.
pub(crate) fn count() -> usize {
    // SAFETY: a pool is never unmapped.
    unsafe { slot::pool().as_ref() }.map_or(0, |pool| pool.in_use().count())
}

/// This thread is about to jump to code whose stack pointer is `target`: calls below it are over, and their frames
/// are given back, each after `end` has seen it.
///
/// Only what is certain is given back: calls on the thread's own stack, whose return address is still the trampoline's.
/// What lies below a stack pointer may belong to coroutines that take turns on one stack; where these put their contents
/// back, other contents have been there.
pub(crate) fn leave_below(target: u64, returned: u64, mut end: impl FnMut(&Frame)) {
    // SAFETY: a pool is never unmapped.
    let Some(pool) = (unsafe { slot::pool().as_ref() }) else { return };
    let (low, high) = (pool.low.load(Ordering::Relaxed), pool.high.load(Ordering::Relaxed));
    if !(low..high).contains(&target) {
        return;
    }
    pool.shrink();
    for frame in pool.in_use() {
        let place = frame.place.load(Ordering::Relaxed);
        let replaced = frame.replaced.load(Ordering::Relaxed);
        if !(low..target).contains(&place) || replaced == LAST {
            continue;
        }
        // SAFETY: on this thread's stack, which is mapped up to where it has been used.
        let holds = || unsafe { (place as *const u64).read_volatile() } == returned;
        let others = || pool.in_use().filter(|other| other.stands() && !core::ptr::eq(*other, frame));
        let is_alone = || others().all(|other| other.place.load(Ordering::Relaxed) != place);
        let is_over = replaced == 0 || (holds() && is_alone());
        if !is_over {
            continue;
        }
        while let Some(last) = frame.last() {
            end(last);
            frame.give_last_back(last);
        }
        // Of a frame that is being made or given back, it is not known what has been recorded.
        if replaced == STANDS {
            end(frame);
        }
        frame.give_back();
    }
    pool.shrink();
}
