//! A traced call: what is recorded when it begins and when it ends.
//!
//! [`enter`] and [`leave`] touch no vector register, and are inlined to their last line: neither calls anything. If memory
//! is to be copied, [`enter_copying`] and [`leave_copying`] do the same. What they cannot do, they leave to
//! [`super::rare`].

use core::sync::atomic::Ordering;

use calltap_channel::clock::Clock;
use calltap_channel::ring::Outer;
use calltap_channel::trace::ENTRY_ONLY;

use super::capture;
use super::entry::{COPYING, SLOWLY};
use super::frame::Frame;
use super::functions::{
    BACKTRACES, CALLS_KERNEL, CONTROLS, COPIES, COUNT, Function, GIVES_ADDRESS, JUMP, LAZY, LEAVES,
    RETURNS_VECTORS, RETURNS_X87, SILENT, TAKES_ADDRESS, UNWINDS, VFORKS, WATCHED,
};
use super::record::{entry_words, marks_of, return_words, write_entry, write_return};
use super::registers::{Entered, Results};
use crate::{slot, state};

/// What keeps [`enter`] from doing it.
const RARE: u64 = BACKTRACES
    | CALLS_KERNEL
    | CONTROLS
    | GIVES_ADDRESS
    | LAZY
    | LEAVES
    | SILENT
    | TAKES_ADDRESS
    | UNWINDS
    | VFORKS
    | WATCHED;
/// What keeps [`leave`] from doing it.
const RARE_AT_END: u64 = COUNT | GIVES_ADDRESS | SILENT;
/// The same of the word of taps: another clock, stacks.
const RARE_TAPS: u32 = state::MONOTONIC | state::STACKS;

/// A call begins. Answers the frame of the call, [`JUMP_ON`](super::registers::JUMP_ON), [`COPYING`] or [`SLOWLY`].
#[unsafe(link_section = "calltap_fast")]
pub(crate) extern "C" fn enter(entered: &mut Entered) -> u64 {
    begin(entered, false)
}

/// As [`enter`], of which memory is to be copied. May change vector registers, but calls no other library.
pub(crate) extern "C" fn enter_copying(entered: &mut Entered) -> u64 {
    begin(entered, true)
}

#[inline(always)]
fn begin(entered: &mut Entered, copying: bool) -> u64 {
    let function = entered.function();
    let flags = function.flags.load(Ordering::Relaxed);
    if flags & RARE != 0 || state::taps() & (RARE_TAPS | state::TRACED) != state::TRACED {
        return SLOWLY;
    }
    let real = function.real.load(Ordering::Relaxed);
    if !entered.is_chosen(function, flags) {
        return entered.jump_to(real);
    }
    if flags & COUNT != 0 {
        return if count(function) { entered.jump_to(real) } else { SLOWLY };
    }
    if !copying && flags & COPIES != 0 {
        return COPYING;
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
    let mut stamp = 0;
    if copying {
        stamp = Clock::Tsc.now();
        capture::at_entry(function, &entered.values(flags), stamp, place);
    }
    let Ok(at) = control.open(entry_words(function, flags), place) else {
        if let Some(frame) = frame {
            frame.give_back();
        }
        return SLOWLY;
    };
    write_entry(control, at, entered, marks, 0, || if copying { stamp } else { Clock::Tsc.now() });
    control.close(Outer::NONE);
    let Some(frame) = frame else { return entered.jump_to(real) };
    if copying {
        frame.keep(&entered.gprs);
    }
    follow(frame, entered, function, real)
}

/// Counts a call, as the trampoline does where nothing has to be asked. False if the thread has no counts yet.
#[inline(always)]
fn count(function: &Function) -> bool {
    let counts = slot::counts();
    if counts != 0 {
        // SAFETY: there is a count for each number of the directory. One instruction cannot be divided by a signal.
        unsafe {
            core::arch::asm!(
                "inc qword ptr [{counts} + 8 * {number}]",
                counts = in(reg) counts,
                number = in(reg) function.number.load(Ordering::Relaxed) & 0xffff_ffff,
                options(nostack),
            );
        }
    }
    counts != 0
}

/// Makes the frame ready for the trampoline. Answers it; or, if the call ends another one,
/// [`JUMP_ON`](super::registers::JUMP_ON).
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

/// A call has returned. Answers 0, [`COPYING`] or [`SLOWLY`].
#[unsafe(link_section = "calltap_fast")]
pub(crate) extern "C" fn leave(frame: &Frame, results: &mut Results) -> u64 {
    results.stamp = Clock::Tsc.now();
    end(frame, results, false)
}

/// As [`leave`], which has stamped it, of which memory is to be copied; as [`enter_copying`].
pub(crate) extern "C" fn leave_copying(frame: &Frame, results: &mut Results) -> u64 {
    end(frame, results, true)
}

#[inline(always)]
fn end(frame: &Frame, results: &Results, copying: bool) -> u64 {
    loop {
        let last = frame.last();
        let ended = last.unwrap_or(frame);
        let (function, flags) = ended.function();
        if flags & RARE_AT_END != 0 || state::taps() & (state::MONOTONIC | state::TRACED) != state::TRACED {
            return SLOWLY;
        }
        let copies = copies_at_end(function, flags);
        if !copying && copies {
            return COPYING;
        }
        // SAFETY: the slot is empty or holds a control block of the mapped segment.
        let Some(control) = (unsafe { slot::ring().as_ref() }) else { return SLOWLY };
        if control.outer().exists() {
            return SLOWLY;
        }
        let place = ended.place.load(Ordering::Relaxed);
        if copying && copies {
            capture::at_exit(function, &ended.values(results), results.stamp, place);
        }
        let marks = marks_of(flags);
        let Ok(at) = control.open(return_words(marks), place) else { return SLOWLY };
        write_return(control, at, ended, results, marks);
        control.close(Outer::NONE);
        match last {
            None => return 0,
            Some(last) => frame.give_last_back(last),
        }
    }
}

/// Whether memory is to be copied on return.
#[inline(always)]
pub(super) fn copies_at_end(function: &Function, flags: u64) -> bool {
    flags & COPIES != 0 && function.captures.load(Ordering::Relaxed) >> 32 != 0
}
