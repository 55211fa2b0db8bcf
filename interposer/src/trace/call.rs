//! A traced call: what is recorded when it begins and when it ends.
//!
//! [`enter`] and [`leave`] touch no vector register, and are inlined to their last line: neither calls anything. What
//! they cannot do so, they leave to [`enter_slowly`] and [`leave_slowly`].

use core::sync::atomic::{AtomicU64, Ordering};

use calltap_channel::Note;
use calltap_channel::clock::Clock;
use calltap_channel::record;
use calltap_channel::ring::{Control, Outer, Words};
use calltap_channel::trace::{ENTRY_ONLY, HAS_RDX, HAS_VECTORS, HAS_X87, NO_ROW};

use super::entry::{Entered, Results, SLOWLY, returned};
use super::frames::Frame;
use super::functions::{
    ASKS_CALLER, BACKTRACES, COPIES, COUNT, Function, GIVES_ADDRESS, GUESSED, JUMP, LAZY, LEAVES, RETURNS_RDX,
    RETURNS_VECTORS, RETURNS_X87, SILENT, UNWINDS, VECTORS, VFORKS, WATCHED,
};
use super::rare;
use crate::{call, slot, state};

/// What [`enter`] answers for a call that is not followed: the function is jumped to.
pub(crate) const JUMP_ON: u64 = 0;

/// Words of an entry before its registers, and of a return before its other results.
const WORDS: u64 = 5;

/// What keeps [`enter`] from doing it.
const RARE: u64 =
    BACKTRACES | COPIES | COUNT | GIVES_ADDRESS | LAZY | LEAVES | SILENT | UNWINDS | VFORKS | WATCHED;
/// What keeps [`leave`] from doing it.
const RARE_AT_END: u64 = COPIES | COUNT | GIVES_ADDRESS | SILENT;
/// The same of the word of taps: another clock, stacks.
const RARE_TAPS: u32 = state::MONOTONIC | state::STACKS;

/// Where the C library keeps a thread's `errno`, from the thread's own segment on: the same for all threads.
static ERRNO: AtomicU64 = AtomicU64::new(0);

/// Finds out what the machine code needs. Called by the constructor.
pub(crate) fn prepare() {
    super::save::examine();
    let segment: u64;
    // SAFETY: the first word of the thread's control block is its address; errno's location is this thread's own.
    let errno = unsafe {
        core::arch::asm!("mov {}, qword ptr fs:[0]", out(reg) segment, options(nostack, readonly, preserves_flags));
        libc::__errno_location() as u64
    };
    ERRNO.store(errno.wrapping_sub(segment), Ordering::Relaxed);
}

/// This thread's `errno`.
#[inline(always)]
fn errno() -> u64 {
    let errno: u32;
    // SAFETY: the word that `prepare` has found, of this thread.
    unsafe {
        core::arch::asm!(
            "mov {errno:e}, dword ptr fs:[{at}]",
            errno = out(reg) errno,
            at = in(reg) ERRNO.load(Ordering::Relaxed),
            options(nostack, readonly, preserves_flags),
        );
    }
    u64::from(errno & 0xffff)
}

impl Entered {
    /// The function that is called.
    #[inline(always)]
    pub(super) fn function(&self) -> &'static Function {
        // SAFETY: the entry's machine code has put the address of its function there, which stays.
        unsafe { &*(self.function as *const Function) }
    }

    /// Where the return address stands.
    #[inline(always)]
    pub(super) fn place(&self) -> u64 {
        (&raw const self.top) as u64
    }

    /// The frame of the function that has jumped to this one instead of returning, if that is traced.
    #[inline(always)]
    pub(super) fn before(&self) -> Option<&'static Frame> {
        // SAFETY: where the trampoline's address stands, the register holds the address of a call's frame; a function that
        // jumps to another one has put it back.
        (self.top == returned()).then(|| unsafe { &*(self.rbx as *const Frame) })
    }

    /// The return address, of the first function if one jumps to the next.
    #[inline(always)]
    pub(super) fn site(&self) -> u64 {
        self.before().map_or(self.top, |before| before.site.load(Ordering::Relaxed))
    }

    /// An address in the code that calls.
    #[inline(always)]
    pub(super) fn caller(&self) -> u64 {
        let Some(before) = self.before() else { return self.top };
        let function = before.last().unwrap_or(before).function.load(Ordering::Relaxed);
        // SAFETY: of a frame in use, see `follow`.
        unsafe { &*function }.real.load(Ordering::Relaxed)
    }

    /// Has the trampoline jump to the function.
    #[inline(always)]
    pub(super) fn jump_to(&mut self, real: u64) -> u64 {
        self.function = real;
        JUMP_ON
    }
}

/// A call begins. Answers the frame of the call, [`JUMP_ON`] or [`SLOWLY`].
#[unsafe(link_section = "calltap_fast")]
pub(crate) extern "C" fn enter(entered: &mut Entered) -> u64 {
    let function = entered.function();
    let flags = function.flags.load(Ordering::Relaxed);
    if flags & RARE != 0 || state::taps() & (RARE_TAPS | state::TRACED) != state::TRACED {
        return SLOWLY;
    }
    let real = function.real.load(Ordering::Relaxed);
    if flags & ASKS_CALLER != 0 && !rare::is_chosen(function, entered.caller()) {
        return entered.jump_to(real);
    }
    // SAFETY: the slot is empty or holds a control block of the mapped segment.
    let Some(control) = (unsafe { slot::ring().as_ref() }) else { return SLOWLY };
    if control.outer().exists() {
        return SLOWLY;
    }
    let place = entered.place();
    let (mut frame, mut marks) = (None, ENTRY_ONLY);
    if flags & JUMP == 0 {
        // SAFETY: a pool is never unmapped.
        frame = unsafe { slot::pool().as_ref() }.and_then(|pool| pool.claim(place));
        if frame.is_none() {
            return SLOWLY;
        }
        marks = 0;
    }
    let Ok(at) = control.open(entry_words(function, flags), place) else {
        if let Some(frame) = frame {
            frame.give_back();
        }
        return SLOWLY;
    };
    write_entry(control, at, entered, marks, 0, || Clock::Tsc.now());
    control.close(Outer::NONE);
    match frame {
        Some(frame) => follow(frame, entered, function, real),
        None => entered.jump_to(real),
    }
}

/// Makes the frame ready for the trampoline. Answers it; or, if the call ends another one, [`JUMP_ON`].
#[inline(always)]
pub(super) fn follow(frame: &Frame, entered: &mut Entered, function: &'static Function, real: u64) -> u64 {
    frame.real.store(real, Ordering::Relaxed);
    frame.function.store(core::ptr::from_ref(function).cast_mut(), Ordering::Relaxed);
    let flags = function.flags.load(Ordering::Relaxed);
    frame.returns.store(flags & (RETURNS_VECTORS | RETURNS_X87), Ordering::Relaxed);
    match entered.before() {
        None => core::ptr::from_ref(frame) as u64,
        Some(before) => {
            before.add_last(frame);
            entered.jump_to(real)
        }
    }
}

/// Length of an entry's record.
#[inline(always)]
pub(super) fn entry_words(function: &Function, flags: u64) -> u64 {
    let number = function.number.load(Ordering::Relaxed);
    let vectors = if flags & VECTORS != 0 { 1 + (number >> 40 & 0xf) } else { 0 };
    WORDS + (number >> 32 & 0xf) + vectors
}

/// Writes the record of an entry, for which [`entry_words`] words are reserved at `at`.
#[inline(always)]
pub(super) fn write_entry(
    control: &Control,
    at: u64,
    entered: &Entered,
    marks: u64,
    stack: u32,
    stamp: impl FnOnce() -> u64,
) {
    let function = entered.function();
    let flags = function.flags.load(Ordering::Relaxed);
    let number = function.number.load(Ordering::Relaxed);
    let (gprs, vectors) = (number >> 32 & 0xf, number >> 40 & 0xf);
    const { assert!(NO_ROW == GUESSED << 36) };
    let marks = marks | (flags & GUESSED) << 36;
    // SAFETY: the ring was claimed in this image.
    let ring = unsafe { call::words_of(control) };
    let place = control.place(at);
    ring.store(place + 2, number & 0xf_ffff_ffff | vectors << 36 | marks, Ordering::Relaxed);
    ring.store(place + 3, entered.site(), Ordering::Relaxed);
    ring.store(place + 4, entered.place(), Ordering::Relaxed);
    let mut next = place + WORDS as usize;
    for gpr in entered.gprs.iter().take(gprs as usize) {
        ring.store(next, *gpr, Ordering::Relaxed);
        next += 1;
    }
    if flags & VECTORS != 0 {
        for vector in entered.vectors.iter().take(vectors as usize) {
            ring.store(next, *vector, Ordering::Relaxed);
            next += 1;
        }
        ring.store(next, entered.rax, Ordering::Relaxed);
        next += 1;
    }
    let header = record::header(next - place, record::VOID, Note::Entered as u16, stack);
    ring.store(place + 1, stamp(), Ordering::Relaxed);
    // Release: pairs with the Acquire in `Consumer::peek`.
    ring.store(place, header, Ordering::Release);
}

/// A call has returned. Answers 0 or [`SLOWLY`].
#[unsafe(link_section = "calltap_fast")]
pub(crate) extern "C" fn leave(frame: &Frame, results: &mut Results) -> u64 {
    results.stamp = Clock::Tsc.now();
    loop {
        let last = frame.last();
        let ended = last.unwrap_or(frame);
        // SAFETY: the frame is in use, so `follow` has written the address of a function, which stays.
        let function = unsafe { &*ended.function.load(Ordering::Relaxed) };
        let flags = function.flags.load(Ordering::Relaxed);
        if flags & RARE_AT_END != 0
            || state::taps() & (state::MONOTONIC | state::TRACED) != state::TRACED
        {
            return SLOWLY;
        }
        // SAFETY: the slot is empty or holds a control block of the mapped segment.
        let Some(control) = (unsafe { slot::ring().as_ref() }) else { return SLOWLY };
        if control.outer().exists() {
            return SLOWLY;
        }
        let marks = marks_of(flags);
        let Ok(at) = control.open(return_words(marks), ended.place.load(Ordering::Relaxed)) else {
            return SLOWLY;
        };
        write_return(control, at, ended, results, marks);
        control.close(Outer::NONE);
        match last {
            None => return 0,
            Some(last) => frame.give_last_back(last),
        }
    }
}

/// What the record of a function's return has.
#[inline(always)]
pub(super) fn marks_of(flags: u64) -> u64 {
    const {
        assert!(HAS_RDX == RETURNS_RDX << 43);
        assert!(HAS_VECTORS == RETURNS_VECTORS << 46 && HAS_X87 == RETURNS_X87 << 46);
    }
    (flags & RETURNS_RDX) << 43 | (flags & (RETURNS_VECTORS | RETURNS_X87)) << 46
}

/// Length of a return's record.
#[inline(always)]
pub(super) fn return_words(marks: u64) -> u64 {
    let has = |mark: u64| u64::from(marks & mark != 0);
    WORDS + has(HAS_RDX) + 2 * has(HAS_VECTORS) + 4 * has(HAS_X87)
}

/// Writes the record of a return, for which [`return_words`] words are reserved at `at`.
#[inline(always)]
pub(super) fn write_return(control: &Control, at: u64, frame: &Frame, results: &Results, marks: u64) {
    // SAFETY: as in `leave`.
    let function = unsafe { &*frame.function.load(Ordering::Relaxed) };
    // SAFETY: the ring was claimed in this image.
    let ring = unsafe { call::words_of(control) };
    let place = control.place(at);
    ring.store(place + 1, results.stamp, Ordering::Relaxed);
    let number = function.number.load(Ordering::Relaxed) & 0xffff_ffff;
    ring.store(place + 2, number | errno() << 32 | marks, Ordering::Relaxed);
    ring.store(place + 3, results.rax, Ordering::Relaxed);
    ring.store(place + 4, frame.place.load(Ordering::Relaxed), Ordering::Relaxed);
    let mut next = place + WORDS as usize;
    let mut put = |word: u64| {
        ring.store(next, word, Ordering::Relaxed);
        next += 1;
    };
    if marks & (HAS_RDX | HAS_VECTORS | HAS_X87) != 0 {
        if marks & HAS_RDX != 0 {
            put(results.rdx);
        }
        if marks & HAS_VECTORS != 0 {
            put(results.vectors[0]);
            put(results.vectors[1]);
        }
        if marks & HAS_X87 != 0 {
            put(results.x87[0]);
            put(results.x87[1]);
            put(results.x87[2]);
            put(results.x87[3]);
        }
    }
    let header = record::header(next - place, record::VOID, Note::Returned as u16, 0);
    // Release: pairs with the Acquire in `Consumer::peek`.
    ring.store(place, header, Ordering::Release);
}
