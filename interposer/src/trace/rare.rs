//! What a traced call seldom needs: a thread's or a process's first call, a slot's first call, a full ring, stacks, functions
//! that do not return as others do.
//!
//! All of this runs with the program's vector registers saved ([`super::save`]), on the program's stack.

use core::sync::atomic::Ordering;

use calltap_channel::ring::{Control, Outer};
use calltap_channel::trace::{ENTRY_ONLY, IN_VFORK_CHILD, LEFT};

use super::call::{copies_at_end, follow};
use super::entry::{only_return, returned};
use super::frame::Frame;
use super::functions::{
    BACKTRACES, CALLS_KERNEL, CONTROLS, COPIES, COUNT, Function, GIVES_ADDRESS, JUMP, LAZY, LEAVES, SILENT,
    TAKES_ADDRESS, UNNUMBERED, UNWINDS, VFORKS, WATCHED,
};
use super::record::{entry_words, marks_of, return_words, write_entry, write_return};
use super::registers::{Entered, Results};
use super::{binding, capture, frames, objects, shown};
use crate::thread::Ring;
use crate::{call, confined, full, image, slot, state, thread, types, unwind};

/// A call begins, as [`super::call::enter`]. Answers its frame or [`JUMP_ON`](super::registers::JUMP_ON).
pub(crate) extern "C" fn enter_slowly(entered: &mut Entered) -> u64 {
    let before = types::errno();
    let answer = begin(entered);
    types::set_errno(i32::from(before));
    answer
}

fn begin(entered: &mut Entered) -> u64 {
    if state::taps() == 0 {
        image::register();
    }
    let function = entered.function();
    let flags = function.flags.load(Ordering::Acquire);
    if flags & LAZY != 0 {
        let found = binding::resolve(function);
        // A function that is not asked for after all has replaced the slot's name.
        let is_same = core::ptr::eq(found, function);
        return entered.jump_to(if is_same { found.real.load(Ordering::Relaxed) } else { found.address() });
    }
    let real = function.real.load(Ordering::Relaxed);
    if flags & TAKES_ADDRESS != 0 {
        entered.gprs[0] = binding::own_address(entered.gprs[0]);
    }
    if flags & CONTROLS != 0 {
        confined::before_prctl(entered.gprs);
    }
    if flags & CALLS_KERNEL != 0 {
        confined::before_syscall(entered.gprs);
    }
    if flags & WATCHED != 0 {
        binding::watched(function, entered.gprs);
    }
    let taps = state::taps();
    if taps & state::TRACED == 0 {
        return entered.jump_to(real);
    }
    let is_recorded = flags & SILENT == 0 && entered.is_chosen(function, flags);
    let frame = if is_recorded && flags & COUNT == 0 {
        record(entered, function, flags, taps)
    } else {
        if is_recorded && let Some(ring) = ring() {
            count(ring.control, function);
        }
        if gives_address(flags, entered) { claim(entered.place()) } else { None }
    };
    if let Some(frame) = frame {
        frame.keep(&entered.gprs);
        return follow(frame, entered, function, real);
    }
    if flags & VFORKS != 0 {
        park();
    }
    if flags & LEAVES != 0 {
        leave_frames(entered.gprs[0]);
    }
    if flags & (BACKTRACES | UNWINDS) != 0 && frames::count() != 0 {
        let first = entered.site();
        let [one, other, ..] = entered.gprs;
        entered.rax = if flags & UNWINDS != 0 {
            shown::unwind(real, one, other, first)
        } else {
            shown::backtrace(real, one, other, first)
        };
        return entered.jump_to(only_return());
    }
    entered.jump_to(real)
}

/// Records the entry. Gives the frame of the call, if it is to be followed.
fn record(entered: &Entered, function: &Function, flags: u64, taps: u32) -> Option<&'static Frame> {
    let ring = ring()?;
    let place = entered.place();
    let frame = if flags & JUMP != 0 && !gives_address(flags, entered) { None } else { claim(place) };
    let mut marks = if frame.is_none() { ENTRY_ONLY } else { 0 };
    if ring.vfork_child {
        marks |= IN_VFORK_CHILD;
    }
    let is_with_stack = taps & state::STACKS != 0;
    let stack = if is_with_stack { unwind::take_from(place, entered.site(), entered.rbp) } else { 0 };
    let stamp = call::now(taps);
    if flags & COPIES != 0 {
        capture::at_entry(function, &entered.values(flags), stamp, place);
    }
    let Some((at, outer)) = open(ring.control, entry_words(function, flags), place) else {
        // Not recorded, which is counted: neither is its return.
        frame.inspect(|frame| frame.give_back());
        return None;
    };
    write_entry(ring.control, at, entered, marks, stack, || stamp);
    ring.control.close(outer);
    frame
}

/// Whether this is a call of `dlsym` that can be followed: the caller matters only if it names no object.
///
/// Of the first in search order (`RTLD_DEFAULT`) all objects that were there at the start are given the same, and it is
/// this library that `dlsym` then takes for the caller, which is one of them.
fn gives_address(flags: u64, entered: &Entered) -> bool {
    let is_first =
        || objects::place_of_code(entered.site()).is_some_and(|place| objects::object(place).is_first);
    flags & GIVES_ADDRESS != 0
        && match entered.gprs[0] as *mut libc::c_void {
            libc::RTLD_NEXT => false,
            libc::RTLD_DEFAULT => is_first(),
            _ => true,
        }
}

/// The ring of this thread.
fn ring() -> Option<Ring> {
    // SAFETY: the slot is empty or holds a control block of the mapped segment.
    match unsafe { slot::ring().as_ref() } {
        Some(control) => Some(Ring { control, vfork_child: false }),
        None => thread::find(),
    }
}

fn claim(place: u64) -> Option<&'static Frame> {
    // SAFETY: a pool is never unmapped.
    let pool = unsafe { slot::pool().as_ref() };
    let frame = pool.and_then(|pool| pool.claim(place).or_else(|| pool.claim_another(place)));
    if frame.is_none()
        && let Some(segment) = image::segment()
    {
        segment.header().unfollowed.fetch_add(1, Ordering::Relaxed);
    }
    frame
}

fn count(control: &Control, function: &Function) {
    let number = function.number.load(Ordering::Relaxed) as u32;
    let Some(counts) = image::segment().map(|segment| segment.counts(thread::index_of(&segment, control)))
    else {
        return;
    };
    if counts != 0 && number != UNNUMBERED {
        let count = (counts + 8 * u64::from(number)) as *const core::sync::atomic::AtomicU64;
        // SAFETY: one of the ring's counts, of which there is one for each number of the directory.
        unsafe { (*count).fetch_add(1, Ordering::Relaxed) };
    }
}

/// From here to the parent's next traced call the thread may be two: its ring is set aside.
fn park() {
    if !slot::ring().is_null() {
        slot::set_parked(slot::ring());
        slot::set_ring(core::ptr::null());
        slot::set_counts(0);
    }
}

/// Reserves a record's words for the call whose return address stands at `place`.
fn open(control: &Control, words: u64, place: u64) -> Option<(u64, Outer)> {
    let mut outer = control.outer();
    if outer.exists() {
        outer = full::examine(control, outer, place);
    }
    match control.open(words, place) {
        Ok(at) => Some((at, outer)),
        Err(_) => Some((full::open_when_there_is_room(control, words, place, outer)?, outer)),
    }
}

/// A call has returned, as [`super::call::leave`], which has stamped it.
pub(crate) extern "C" fn leave_slowly(frame: &Frame, results: &mut Results) -> u64 {
    let before = types::errno();
    if state::taps() == 0 {
        image::register();
    }
    if state::taps() & state::MONOTONIC != 0 {
        results.stamp = call::now(state::taps());
    }
    while let Some(last) = frame.last() {
        end(last, results, before);
        frame.give_last_back(last);
    }
    end(frame, results, before);
    types::set_errno(i32::from(before));
    0
}

/// Ends one of the calls that have returned, with this `errno`.
fn end(frame: &Frame, results: &mut Results, errno: u16) {
    let (function, flags) = frame.function();
    if state::taps() & state::TRACED != 0 && flags & (SILENT | COUNT) == 0 {
        if copies_at_end(function, flags) {
            let values = frame.values(results);
            capture::at_exit(function, &values, results.stamp, values.sp);
        }
        types::set_errno(i32::from(errno));
        record_end(frame, results, marks_of(flags));
    }
    if flags & GIVES_ADDRESS != 0 {
        let [_, name, ..] = frame.kept();
        results.rax = binding::given(name, results.rax);
    }
}

fn record_end(frame: &Frame, results: &Results, marks: u64) {
    let Some(ring) = ring() else { return };
    let place = frame.place.load(Ordering::Relaxed);
    if let Some((at, outer)) = open(ring.control, return_words(marks), place) {
        write_return(ring.control, at, frame, results, marks);
        ring.control.close(outer);
    }
}

/// A call is left by an exception or by cancellation. Answers where the unwinder goes on.
pub(crate) extern "C" fn left(frame: &Frame) -> u64 {
    let before = types::errno();
    let resume = frame.resume.load(Ordering::Relaxed);
    while let Some(last) = frame.last() {
        record_left(last);
        frame.give_last_back(last);
    }
    record_left(frame);
    frame.give_back();
    types::set_errno(i32::from(before));
    resume
}

fn record_left(frame: &Frame) {
    if state::taps() == 0 {
        image::register();
    }
    let taps = state::taps();
    if taps & state::TRACED != 0 && frame.function().1 & (SILENT | COUNT) == 0 {
        record_end(frame, &Results { stamp: call::now(taps), ..Results::NONE }, LEFT);
    }
}

/// A thread is about to jump to where this `jmp_buf` of glibc's was filled.
fn leave_frames(buffer: u64) {
    /// Which word of it is the stack pointer.
    const STACK_POINTER: u64 = 6;
    // SAFETY: the function that is about to be called reads it.
    let mangled = unsafe { *((buffer + 8 * STACK_POINTER) as *const u64) };
    let guard: u64;
    // SAFETY: the secret's place in the thread's control block is part of glibc's binary interface.
    unsafe {
        core::arch::asm!("mov {}, qword ptr fs:[0x30]", out(reg) guard, options(nostack, readonly, preserves_flags));
    }
    let target = mangled.rotate_right(0x11) ^ guard;
    frames::leave_below(target, returned(), record_left);
}
