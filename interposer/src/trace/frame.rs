//! A call that is under way.

use core::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

use calltap_channel::trace::walk::Values;

use super::frames::Pool;
use super::functions::Function;
use super::registers::Results;

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
pub(super) const STANDS: u64 = 1;
/// [`Frame::replaced`]: the function was jumped to by another traced one; it has no place on the stack of its own.
pub(super) const LAST: u64 = 2;

impl Frame {
    /// Takes a free frame. Only the pool's thread and its handlers do so.
    #[inline(always)]
    pub(super) fn claim(&self, place: u64) -> bool {
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

    /// Whether the trampoline's address stands where its return address was.
    pub(super) fn stands(&self) -> bool {
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
            pool.try_first(self);
        }
    }

    /// Keeps the argument registers until the call's end.
    #[inline(always)]
    pub(super) fn keep(&self, gprs: &[u64; 6]) {
        for (kept, gpr) in self.gprs.iter().zip(gprs) {
            kept.store(*gpr, Ordering::Relaxed);
        }
    }

    /// The argument registers, if they were kept.
    #[inline(always)]
    pub(super) fn kept(&self) -> [u64; 6] {
        core::array::from_fn(|gpr| self.gprs[gpr].load(Ordering::Relaxed))
    }

    /// What is known of a call that has returned.
    #[inline(always)]
    pub(super) fn values(&self, results: &Results) -> Values {
        Values {
            gprs: self.kept(),
            vectors: [0; 8],
            sp: self.place.load(Ordering::Relaxed),
            rax: results.rax,
            rdx: results.rdx,
        }
    }

    /// The function of a frame that is in use, and its flags.
    #[inline(always)]
    pub(super) fn function(&self) -> (&'static Function, u64) {
        // SAFETY: `follow` has written the address of a function, which stays.
        let function = unsafe { &*self.function.load(Ordering::Relaxed) };
        (function, function.flags.load(Ordering::Relaxed))
    }
}
