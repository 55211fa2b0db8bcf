//! Calls that have begun and not returned: one frame each, which holds what the trampoline has taken off the stack.
//!
//! A thread has a pool of them, in private memory: a forked child goes on with a copy. A frame is found through a register
//! of the call, never by its place in the pool, so calls may end in any order and on any thread, as
//! those of coroutines do. Only the pool's thread, and its signal handlers, claim frames of it: with an instruction that
//! a signal cannot divide. Whoever ends the call gives the frame back, with a store.

use core::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

use calltap_channel::segment::MAX_RINGS;

use super::functions::Function;
use super::stack;
use crate::{kernel, slot};

/// Most calls of a thread that are under way at a time.
const MOST: usize = 1 << 15;
/// So many frames are looked at for a free one, if the next one is in use.
const LOOKED_AT: usize = 256;

/// A call that is under way. The machine code knows the offsets of the first seven.
#[repr(C, align(64))]
pub(crate) struct Frame {
    /// The return address that stood on the stack.
    pub(crate) site: AtomicU64,
    /// The caller's `rbx`; the call's own holds the address of this frame.
    pub(crate) rbx: AtomicU64,
    /// Where the return address stood; 0 if the frame is free.
    pub(crate) place: AtomicU64,
    /// [`STANDS`], [`LAST`], or 0.
    pub(crate) replaced: AtomicU64,
    /// The function to be called.
    pub(crate) real: AtomicU64,
    /// The pool that this frame belongs to.
    pub(crate) pool: AtomicPtr<Pool>,
    /// Flags of the functions whose results this call's are: which registers are to be recorded.
    pub(crate) returns: AtomicU64,
    pub(crate) function: AtomicPtr<Function>,
    /// A function that ends by jumping to another one returns when that does. The frame of the function that was
    /// jumped to last, which has the one before here; null if the function of this frame is the last one.
    pub(crate) last: AtomicPtr<Frame>,
    /// Whoever unwinds this frame goes on here: its `_Unwind_Resume`.
    pub(crate) resume: AtomicU64,
    /// The argument registers, if memory is copied on return.
    pub(crate) gprs: [AtomicU64; 6],
}

const _: () = assert!(size_of::<Frame>() == 128);

/// [`Frame::replaced`]: the trampoline's address stands where the return address was. Written by machine code.
const STANDS: u64 = 1;
/// [`Frame::replaced`]: the function was jumped to by another traced one; it has no place on the stack of its own.
const LAST: u64 = 2;

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
        self.frames[..used.min(MOST)]
            .iter()
            .rev()
            .filter(|frame| frame.place.load(Ordering::Relaxed) != 0)
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

impl Frame {
    /// Takes a free frame. Only the pool's thread and its handlers do so.
    #[inline(always)]
    fn claim(&self, place: u64) -> bool {
        let won: u8;
        // SAFETY: a live, aligned word. While it is zero nobody else writes it; one instruction cannot be
        // divided by a signal.
        unsafe {
            core::arch::asm!(
                "cmpxchg qword ptr [{word}], {place}",
                "sete {won}",
                word = in(reg) self.place.as_ptr(),
                place = in(reg) place,
                won = out(reg_byte) won,
                inout("rax") 0_u64 => _,
                options(nostack),
            );
        }
        won != 0
    }

    fn stands(&self) -> bool {
        self.replaced.load(Ordering::Relaxed) == STANDS
    }

    /// The frame of the function that was jumped to last, if there is one.
    #[inline(always)]
    pub(crate) fn last(&self) -> Option<&Self> {
        // SAFETY: `add_last` has put the address of a frame there, or it is null.
        unsafe { self.last.load(Ordering::Relaxed).as_ref() }
    }

    /// The function of this frame ends by jumping to that of another one.
    #[inline(always)]
    pub(crate) fn add_last(&self, last: &Self) {
        last.last.store(self.last.load(Ordering::Relaxed), Ordering::Relaxed);
        last.replaced.store(LAST, Ordering::Relaxed);
        let returns = self.returns.load(Ordering::Relaxed) | last.returns.load(Ordering::Relaxed);
        self.returns.store(returns, Ordering::Relaxed);
        self.last.store(core::ptr::from_ref(last).cast_mut(), Ordering::Relaxed);
    }

    /// Gives back what [`Self::last`] gives.
    #[inline(always)]
    pub(crate) fn give_last_back(&self, last: &Self) {
        self.last.store(last.last.load(Ordering::Relaxed), Ordering::Relaxed);
        last.give_back();
    }

    /// Makes it free again. Its content stays readable until another call has claimed it.
    #[inline(always)]
    pub(crate) fn give_back(&self) {
        let pool = self.pool.load(Ordering::Relaxed);
        self.replaced.store(0, Ordering::Relaxed);
        // Release: on another thread, the pool's own may claim it now.
        self.place.store(0, Ordering::Release);
        // SAFETY: a pool is never unmapped; of one that has not been written the frame was never in use.
        if let Some(pool) = unsafe { pool.as_ref() } {
            pool.next.store(core::ptr::from_ref(self).cast_mut(), Ordering::Relaxed);
        }
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
