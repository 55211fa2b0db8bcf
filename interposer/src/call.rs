//! One call through a hook: stamped, made, stamped, recorded.

use core::marker::PhantomData;
use core::sync::atomic::Ordering;

use calltap_channel::clock::Clock;
use calltap_channel::function::Effect;
use calltap_channel::record::{self, PREFIX_WORDS};
use calltap_channel::ring::{Control, Outer, Words};
use calltap_channel::segment::RawWords;
use calltap_channel::{Function, Note, note};

use crate::definer::Definer;
use crate::text::Text;
use crate::types::Returned;
use crate::{full, image, slot, state, thread, unwind};

/// A call that has begun. Lives in the hook's registers, not in memory: the real function may leave
/// by cancellation, `longjmp` or an exception, and then nothing needs to be undone. `D` defines that function.
pub(crate) struct Call<D> {
    control: &'static Control,
    function: Function,
    start: u64,
    site: u64,
    taps: u32,
    flags: u8,
    of: PhantomData<D>,
}

/// Which end of a call is stamped if only one is (`--latency off`).
const fn stamped_at_end(function: Function) -> bool {
    matches!(function.effect(), Effect::Allocate(..) | Effect::AllocateAt(..))
}

/// Whether one stamp is enough. `realloc` releases at its start and acquires at its end.
const fn needs_both_stamps(function: Function) -> bool {
    matches!(
        function.effect(),
        Effect::Reallocate(..) | Effect::Remap | Effect::DuplicateOnto | Effect::Reopen(..)
    )
}

/// Whether a call may come back in a child, too.
const fn forks(function: Function) -> bool {
    matches!(function, Function::fork | Function::forkpty | Function::daemon)
}

/// Whether a call gives the program something that it should give back.
const fn acquires(function: Function) -> bool {
    use Effect::*;
    match function.effect() {
        Allocate(..) | AllocateAt(..) | Reallocate(..) | Map | Remap | Open(..) | Duplicate => true,
        DuplicateOnto | Control | Receive | Reopen(..) | Fork | Execute => true,
        Free(..) | Unmap | Close(..) | CloseRange | CloseFrom | Exit | NameThread | None => false,
    }
}

/// The loader's own calls tell that it loads or unloads objects, also where they are not recorded.
#[inline(always)]
fn notice_loader(function: Function, site: u64) {
    use Effect::*;
    match function.effect() {
        Free(..) if unwind::is_in_loader(site) => unwind::loader_released(),
        Allocate(..) | AllocateAt(..) | Reallocate(..) if unwind::is_in_loader(site) => {
            unwind::loader_acquired()
        }
        _ => {}
    }
}

/// Reads the clock that the `taps` word names.
#[inline(always)]
pub(crate) fn now(taps: u32) -> u64 {
    if taps & state::MONOTONIC == 0 { Clock::Tsc.now() } else { Clock::Monotonic.now() }
}

/// The words of a ring that this process claimed.
///
/// # Safety
/// `control` was claimed in this process image.
#[inline(always)]
pub(crate) unsafe fn words_of(control: &Control) -> RawWords {
    // SAFETY: `claim` stored the address of the mapped words.
    unsafe { RawWords::at(control.base.load(Ordering::Relaxed)) }
}

/// The return address of the hook that this is inlined into: of the call the program made.
///
/// The library is built with frame pointers, so `rbp` is the hook's frame.
#[inline(always)]
pub(crate) fn return_address() -> u64 {
    let address: u64;
    // SAFETY: with frame pointers, the word above the saved one is the return address.
    unsafe {
        core::arch::asm!(
            "mov {}, qword ptr [rbp + 8]",
            out(reg) address,
            options(nostack, readonly, preserves_flags, pure),
        );
    }
    address
}

/// The frame of the hook that this is inlined into.
#[inline(always)]
pub(crate) fn frame() -> u64 {
    let frame: u64;
    // SAFETY: reads a register.
    unsafe {
        core::arch::asm!("mov {}, rbp", out(reg) frame, options(nomem, nostack, preserves_flags));
    }
    frame
}

impl<D: Definer> Call<D> {
    /// Begins a call of `function`; None if it is not to be recorded.
    #[inline(always)]
    pub(crate) fn begin(function: Function, argument: u64) -> Option<Self> {
        let mut taps = state::taps();
        if taps & function.family().bit() == 0 {
            if taps & state::REGISTERED != 0 {
                if taps & state::STACKS != 0 {
                    notice_loader(function, return_address());
                }
                return None;
            }
            taps = begin_unregistered(function)?;
        }
        let slot = slot::ring();
        let (control, flags) = if slot.is_null() {
            let ring = thread::find()?;
            (ring.control, if ring.vfork_child { record::VFORK_CHILD } else { 0 })
        } else {
            // SAFETY: the slot holds a control block of the mapped segment.
            (unsafe { &*slot }, 0)
        };
        let site = return_address();
        control.in_flight_argument.store(argument, Ordering::Relaxed);
        let only_end = taps & state::UNTIMED != 0 && stamped_at_end(function);
        let start = if only_end { 0 } else { now(taps) };
        control.in_flight_start.store(start, Ordering::Relaxed);
        control.in_flight.store(u64::from(function.number()) + 1, Ordering::Relaxed);
        Some(Self { control, function, start, site, taps, flags, of: PhantomData })
    }

    /// Ends a call: records it with what it returned and its argument words.
    #[inline(always)]
    pub(crate) fn finish<R: Returned, const N: usize>(self, returned: R, arguments: [u64; N]) {
        let Some((start, duration, flags)) = self.stop() else { return };
        let failure = returned.failure::<D>();
        let void = if R::VOID { record::VOID } else { 0 };
        let words = PREFIX_WORDS + usize::from(!R::VOID) + N;
        let stack = self.stack(frame());
        let Some((at, outer)) = open(self.control, words) else { return };
        let header = record::header(words, flags | void, self.function.number(), stack);
        // SAFETY: the ring was claimed in this image.
        let ring = unsafe { words_of(self.control) };
        let outcome = record::outcome(duration, failure);
        let place = self.control.place(at);
        ring.store(place + 1, start, Ordering::Relaxed);
        ring.store(place + 2, outcome, Ordering::Relaxed);
        ring.store(place + 3, self.site, Ordering::Relaxed);
        let mut next = place + PREFIX_WORDS;
        if !R::VOID {
            ring.store(next, returned.word(), Ordering::Relaxed);
            next += 1;
        }
        for (index, argument) in arguments.into_iter().enumerate() {
            ring.store(next + index, argument, Ordering::Relaxed);
        }
        // Release: pairs with the Acquire in `Consumer::peek`.
        ring.store(place, header, Ordering::Release);
        self.control.close(outer);
        self.control.in_flight.store(0, Ordering::Relaxed);
    }

    /// Ends a call whose arguments are as many as there happen to be, with a text behind them.
    ///
    /// `text` is what the program passed: null, a string, or anything if the call failed.
    #[inline(always)]
    pub(crate) fn finish_long<R: Returned>(
        self,
        returned: R,
        arguments: &[u64],
        text: *const core::ffi::c_char,
    ) {
        let Some(times) = self.stop() else { return };
        let stack = self.stack(frame());
        self.write_long(times, stack, returned, arguments, text);
    }

    #[inline(never)]
    fn write_long<R: Returned>(
        self,
        (start, duration, mut flags): (u64, u64, u8),
        stack: u32,
        returned: R,
        arguments: &[u64],
        text: *const core::ffi::c_char,
    ) {
        let failure = returned.failure::<D>();
        if R::VOID {
            flags |= record::VOID;
        }
        let traced = || image::is_traced(flags & record::VFORK_CHILD != 0);
        let text = Text::of(text, flags & record::ENTRY == 0 && was_read(failure), traced);
        if text.is_some() {
            flags |= record::TEXT;
        }
        if text.as_ref().is_some_and(Text::is_cut) {
            flags |= record::CUT;
        }
        let text_words = text.as_ref().map_or(0, |text| 1 + text.words());
        let room = record::MAX_WORDS - PREFIX_WORDS - 1 - text_words;
        if arguments.len() > room {
            flags |= record::CUT;
        }
        let arguments = &arguments[..arguments.len().min(room)];
        let words = PREFIX_WORDS + usize::from(!R::VOID) + arguments.len() + text_words;
        let Some((at, outer)) = open(self.control, words) else { return };
        let place = self.control.place(at);
        // SAFETY: the ring was claimed in this image.
        let ring = unsafe { words_of(self.control) };
        let mut next = place + 1;
        let mut put = |word: u64| {
            ring.store(next, word, Ordering::Relaxed);
            next += 1;
        };
        put(start);
        put(record::outcome(duration, failure));
        put(self.site);
        if !R::VOID {
            put(returned.word());
        }
        arguments.iter().for_each(|argument| put(*argument));
        if let Some(text) = &text {
            put(text.length() as u64);
            (0..text.words()).for_each(|index| put(text.word(index)));
        }
        let header = record::header(words, flags, self.function.number(), stack);
        // Release: pairs with the Acquire in `Consumer::peek`.
        ring.store(place, header, Ordering::Release);
        self.control.close(outer);
        self.control.in_flight.store(0, Ordering::Relaxed);
    }

    /// Records at its entry a call that does not return if it succeeds. Its return address is in
    /// `slot`, its caller's `rbp` is `bp`.
    pub(crate) fn enter(mut self, slot: u64, bp: u64, arguments: &[u64], text: *const core::ffi::c_char) {
        self.flags |= record::ENTRY;
        // SAFETY: the naked hook has passed the address of its own return address.
        self.site = unsafe { *(slot as *const u64) };
        if self.start == 0 {
            self.start = now(self.taps);
        }
        self.taps |= state::UNTIMED;
        let Some(times) = self.stop() else { return };
        let stack = if self.taps & state::STACKS != 0 { unwind::take_from(slot, self.site, bp) } else { 0 };
        self.write_long(times, stack, (), arguments, text);
    }

    /// The number of the stack, if this call is one whose stack is taken.
    #[inline(always)]
    fn stack(&self, frame: u64) -> u32 {
        if self.taps & state::STACKS == 0 {
            return 0;
        }
        notice_loader(self.function, self.site);
        if acquires(self.function) || self.taps & state::STACKS_AT_ALL != 0 { unwind::take(frame) } else { 0 }
    }

    /// Start, duration and flags of the record; None if this is the child of a fork that the real
    /// function made: the parent records the call.
    #[inline(always)]
    fn stop(&self) -> Option<(u64, u64, u8)> {
        let stamped = if self.taps & state::UNTIMED != 0 && !needs_both_stamps(self.function) {
            let start = if self.start == 0 { now(self.taps) } else { self.start };
            (start, 0, self.flags | record::UNTIMED)
        } else {
            (self.start, now(self.taps) - self.start, self.flags)
        };
        if state::taps() == 0 {
            image::register();
            return None;
        }
        // A handler of `pthread_atfork` has made a call in the child before: it has a ring of its own already, and must
        // not write into its parent's.
        if forks(self.function) && self.control.owner().0 != image::pid() {
            return None;
        }
        Some(stamped)
    }
}

/// Reserves a record's words; gives the push that this one has interrupted along.
#[inline(always)]
pub(crate) fn open(control: &Control, words: usize) -> Option<(u64, Outer)> {
    let frame = frame();
    let mut outer = control.outer();
    if outer.exists() {
        outer = full::examine(control, outer, frame);
    }
    let at = match control.open(words as u64, frame) {
        Ok(at) => at,
        Err(_) => full::open_when_there_is_room(control, words as u64, frame, outer)?,
    };
    Some((at, outer))
}

/// First hook of a process that is not registered: not attached, or a forked child.
#[cold]
#[inline(never)]
fn begin_unregistered(function: Function) -> Option<u32> {
    image::segment()?;
    let before = crate::types::errno();
    image::register();
    crate::types::set_errno(i32::from(before));
    let taps = state::taps();
    (taps & function.family().bit() != 0).then_some(taps)
}

/// Whether a call with this error number has read the path it was given.
fn was_read(failure: u16) -> bool {
    matches!(
        i32::from(failure),
        0 | libc::ENOENT | libc::EACCES | libc::EEXIST | libc::ENOTDIR | libc::EISDIR | libc::ELOOP
    )
}

/// Writes a note into this thread's ring, if it has one.
#[cold]
pub(crate) fn note(stamp: u64, note: Note, arguments: [u64; note::ARGUMENTS], text: Option<&[u8]>) {
    let ring = slot::ring();
    if ring.is_null() {
        return;
    }
    // SAFETY: the slot holds a control block of the mapped segment.
    let control = unsafe { &*ring };
    let text_words = text.map_or(0, |text| 1 + text.len().div_ceil(8));
    let words = PREFIX_WORDS + arguments.len() + text_words;
    let Some((at, outer)) = open(control, words) else { return };
    let place = control.place(at);
    // SAFETY: the ring was claimed in this image.
    let ring = unsafe { words_of(control) };
    let mut next = place + 1;
    let mut put = |word: u64| {
        ring.store(next, word, Ordering::Relaxed);
        next += 1;
    };
    [stamp, 0, 0].into_iter().chain(arguments).for_each(&mut put);
    let mut flags = record::VOID;
    if let Some(text) = text {
        flags |= record::TEXT;
        put(text.len() as u64);
        for chunk in text.chunks(8) {
            let mut bytes = [0; 8];
            bytes[..chunk.len()].copy_from_slice(chunk);
            put(u64::from_le_bytes(bytes));
        }
    }
    let header = record::header(words, flags, note as u16, 0);
    // Release: pairs with the Acquire in `Consumer::peek`.
    ring.store(place, header, Ordering::Release);
    control.close(outer);
}
