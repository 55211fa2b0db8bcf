//! From a hook to the number of its caller's stack.
//!
//! What a thread remembers lies in the segment beside its ring: two walks, the second one for signal
//! handlers that interrupt the first, and before the common table a small one of its own, because a
//! look into the common one is often a cache miss.

use core::sync::atomic::{Ordering, compiler_fence};

use calltap_channel::segment::{CHECK_STACKS, Segment};
use calltap_channel::stack::{MAX_DEPTH, StackTable, walk_bytes};

use super::readable::Readable;
use super::step::Position;
use super::walk::{self, Taken, Walk};
use crate::{call, image, kernel, slot};

/// Stacks of which a thread knows the number: one for each value of some bits of the hash.
const RECENT: usize = 256;
/// A walk is begun anew so often, should objects come and go meanwhile.
const ATTEMPTS: usize = 3;

#[derive(Clone, Copy)]
#[repr(C)]
struct Recent {
    hash: u64,
    id: u64,
}

/// What a thread remembers; the [`Walk`]s follow it. Zero when new.
#[repr(C, align(64))]
pub(crate) struct Memory {
    table: Option<StackTable>,
    /// Distance between the two walks, in bytes.
    walk_bytes: u64,
    checks: u64,
    recent: [Recent; RECENT],
}

/// Whether what the segment has for each thread is enough for stacks of `depth` frames.
const fn fits(depth: usize) -> bool {
    let needed = size_of::<Memory>() + 2 * walk::bytes(depth);
    needed as u64 <= walk_bytes(depth as u64)
}

const _: () = assert!(fits(1) && fits(32) && fits(MAX_DEPTH));

impl Memory {
    /// The memory of ring `index`, made ready for a new owner; None if stacks are not taken.
    pub(crate) fn claim(segment: &Segment, index: usize) -> Option<&'static mut Self> {
        let header = segment.header();
        let depth = header.stack_depth.load(Ordering::Relaxed) as usize;
        if depth == 0 || depth > MAX_DEPTH || walk_bytes(depth as u64) > segment.layout().walk_bytes {
            return None;
        }
        // SAFETY: `walk_bytes` bytes of the segment that only the ring's owner uses, zero or left by an
        // earlier one: integers, and a table's address that is written first.
        let memory = unsafe { &mut *(segment.walk(index) as *mut Self) };
        memory.table = Some(segment.stacks());
        memory.walk_bytes = walk::bytes(depth) as u64;
        memory.checks = header.flags.load(Ordering::Relaxed) & CHECK_STACKS;
        let readable = Readable::of_thread(call::frame());
        memory.walk(0).reset(depth, readable);
        memory.walk(1).reset(depth, readable);
        Some(memory)
    }

    #[inline(always)]
    fn walk(&mut self, level: u64) -> &mut Walk {
        // SAFETY: two walks follow in memory, `walk_bytes` apart.
        unsafe { &mut *(&raw mut *self).add(1).byte_add((level * self.walk_bytes) as usize).cast::<Walk>() }
    }
}

/// The number of the stack of the call whose hook has this frame; 0 if none can be taken.
#[inline(always)]
pub(crate) fn take(frame: u64) -> u32 {
    // SAFETY: the saved rbp and the return address of a function with a frame pointer.
    let (bp, pc) = unsafe { (*(frame as *const u64), *((frame + 8) as *const u64)) };
    take_at(frame, Position { pc, sp: frame + 16, bp, marks: 0 })
}

/// The same for a caller that is known otherwise: its return address stands at `slot`, or has stood there, and is `pc`.
pub(crate) fn take_from(slot: u64, pc: u64, bp: u64) -> u32 {
    take_at(slot, Position { pc, sp: slot + 8, bp, marks: 0 })
}

#[inline(never)]
fn take_at(frame: u64, from: Position) -> u32 {
    let memory = slot::memory();
    if memory.is_null() {
        return 0;
    }
    // SAFETY: the slot holds this thread's own memory. A signal handler that comes here while this runs
    // finds `user` set, and uses the second walk; of the rest it changes single words only.
    let memory = unsafe { &mut *memory };
    let mut level = 0;
    if memory.walk(0).user != 0 {
        match free_level(memory, frame) {
            Some(free) => level = free,
            None => return 0,
        }
    }
    memory.walk(level).user = frame;
    compiler_fence(Ordering::SeqCst);
    let taken = walked(memory, level, &from);
    let id = number_of(memory, level, &taken);
    // Nobody else can be at work in the second walk: it is for those who find the first one in use.
    if memory.checks != 0 && level == 0 {
        check(memory, &from, &taken);
    }
    compiler_fence(Ordering::SeqCst);
    memory.walk(level).user = 0;
    id
}

#[inline(always)]
fn walked(memory: &mut Memory, level: u64, from: &Position) -> Taken {
    let walk = memory.walk(level);
    let taken = walk.take(from);
    if walk.is_current() { taken } else { walked_again(walk, from) }
}

/// An object has taken the place of another one while the stack was walked.
#[cold]
#[inline(never)]
fn walked_again(walk: &mut Walk, from: &Position) -> Taken {
    let mut taken = walk.take(from);
    for _ in 1..ATTEMPTS {
        if walk.is_current() {
            break;
        }
        taken = walk.take(from);
    }
    taken
}

/// The walk to use if the first one is in use: by the code that this signal handler has interrupted,
/// or still, because that was left by a jump.
#[cold]
#[inline(never)]
fn free_level(memory: &mut Memory, frame: u64) -> Option<u64> {
    let on_signal_stack = kernel::is_on_signal_stack();
    for level in 0..2 {
        let walk = memory.walk(level);
        // A stack grows downwards: whoever is still at work lies below those it has interrupted.
        let left = !on_signal_stack && walk.user <= frame;
        if walk.user == 0 || left {
            walk.forget();
            return Some(level);
        }
    }
    None
}

#[inline(always)]
fn number_of(memory: &mut Memory, level: u64, taken: &Taken) -> u32 {
    let at = (taken.hash as usize) % RECENT;
    let recent = memory.recent[at];
    if recent.hash == taken.hash && recent.id >> 32 == taken.hash >> 32 {
        return recent.id as u32;
    }
    intern(memory, level, taken, at)
}

#[cold]
#[inline(never)]
fn intern(memory: &mut Memory, level: u64, taken: &Taken, at: usize) -> u32 {
    let Some(table) = memory.table else { return 0 };
    let id = table.intern(taken.hash, taken.end, memory.walk(level).frames(taken.count));
    if id != 0 {
        // A handler between the two stores leaves halves that do not fit together.
        let id = taken.hash >> 32 << 32 | u64::from(id);
        memory.recent[at] = Recent { hash: taken.hash, id };
    }
    id
}

/// Compares what was taken with a walk that remembers nothing.
#[cold]
#[inline(never)]
fn check(memory: &mut Memory, from: &Position, taken: &Taken) {
    let Some(segment) = image::segment() else { return };
    memory.walk(1).user = from.sp;
    memory.walk(1).forget();
    let full = walked(memory, 1, from);
    if !(memory.walk(0).is_current() && memory.walk(1).is_current()) {
        // Objects have come or gone between the two.
        memory.walk(1).user = 0;
        return;
    }
    let same = full.end == taken.end && full.hash == taken.hash && full.count == taken.count && {
        let [one, other] = [0, 1].map(|level| core::ptr::from_ref(memory.walk(level)));
        // SAFETY: both are ours, and nothing changes them here.
        unsafe { (*one).frames(taken.count).eq((*other).frames(full.count)) }
    };
    memory.walk(1).user = 0;
    let header = segment.header();
    header.stacks_checked.fetch_add(1, Ordering::Relaxed);
    if !same {
        header.stacks_differing.fetch_add(1, Ordering::Relaxed);
    }
}
