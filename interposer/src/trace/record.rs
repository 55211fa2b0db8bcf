//! The records of a traced call, written word by word: no vector register is changed.

use core::sync::atomic::{AtomicU64, Ordering};

use calltap_channel::Note;
use calltap_channel::record;
use calltap_channel::ring::{Control, Words};
use calltap_channel::trace::{HAS_RDX, HAS_VECTORS, HAS_X87, NO_ROW};

use super::frame::Frame;
use super::functions::{Function, GUESSED, RETURNS_RDX, RETURNS_VECTORS, RETURNS_X87, VECTORS};
use super::registers::{Entered, Results};
use crate::call;

/// Words of an entry before its registers, and of a return before its other results.
const WORDS: u64 = 5;

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
    let (function, _) = frame.function();
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
