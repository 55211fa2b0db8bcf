//! One step of a walk: from a frame to its caller's.

use calltap_channel::stack::{GUESSED, INTERRUPTED};

use super::readable::Readable;
use super::rule::{Kind, Rule};
use super::{cache, objects, tables};
use crate::{call, kernel, trace};

/// A guessed frame is no larger than this, in bytes.
const MAX_GUESS: u64 = 1 << 20;

/// Offsets in the `ucontext` that the kernel leaves below a signal handler (x86-64 signal ABI).
const SAVED_RBP: u64 = 120;
const SAVED_RSP: u64 = 160;
const SAVED_RIP: u64 = 168;

/// A frame, as the walk sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    /// Where execution goes on in it.
    pub(super) pc: u64,
    /// Its stack pointer there.
    pub(super) sp: u64,
    /// `rbp` there.
    pub(super) bp: u64,
    /// The marks of its [`Frame`](calltap_channel::stack::Frame).
    pub(super) marks: u64,
}

/// How a step was made. All of it are words: stores of bytes that are loaded together stall.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    /// The caller's frame.
    pub(super) to: Position,
    /// Where the caller's `rbp` was read; 0 if it is the frame's own.
    pub(super) bp_slot: u64,
    /// [`USES_BP`] and [`IRREGULAR`].
    pub(super) how: u64,
}

/// The step depends on the frame's `rbp`.
pub(super) const USES_BP: u64 = 1;
/// The step read more than the word below `to.sp` and that of `bp_slot`, or words of another stack.
pub(super) const IRREGULAR: u64 = 2;

/// A walk's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The frame has no caller.
    Outermost,
    /// Its caller cannot be found.
    Lost,
}

#[inline(always)]
fn rule_of(position: Position, readable: &Readable) -> Rule {
    let address = position.pc.wrapping_sub(u64::from(position.marks & INTERRUPTED == 0));
    if address >> 47 != 0 {
        return Rule::UNKNOWN;
    }
    match cache::get(address) {
        Some(rule) => rule,
        None => look_up(address, readable),
    }
}

/// Bytes of stack that looking a rule up may need; about 2,500 are used.
const LOOK_UP_STACK: u64 = 4096;

#[cold]
#[inline(never)]
fn look_up(address: u64, readable: &Readable) -> Rule {
    // The program may be at the very end of a small stack: of a coroutine, of a signal handler.
    let needed = (call::frame() - LOOK_UP_STACK) & !7;
    if !(readable.surely_holds(needed) || kernel::is_readable(needed)) {
        return Rule::UNKNOWN;
    }
    // Code outside of all objects is not remembered: an object may come to lie there unnoticed.
    let Some(object) = objects::find(address) else { return Rule::UNKNOWN };
    let mut rule = tables::rule(address, &object);
    if rule == Rule::UNKNOWN && objects::is_in_loader(address) {
        // Of the loader, only what the kernel enters has no table: the beginning of everything.
        rule = Rule::OUTERMOST;
    }
    cache::put(address, rule);
    rule
}

/// The word at an address that `readable` holds.
#[inline(always)]
fn word(address: u64) -> u64 {
    // SAFETY: the callers have asked `Readable::holds` for this aligned address.
    unsafe { *(address as *const u64) }
}

/// Makes one step.
///
/// Positions are passed by value, so that those of common steps stay in registers: a load that spans
/// two stores of a moment ago stalls.
#[inline(always)]
pub(super) fn step(from: Position, readable: &mut Readable) -> Result<Step, Stop> {
    let step = step_on_stack(from, readable)?;
    if step.to.pc == trace::entry::returned() { out_of_trampoline(step) } else { Ok(step) }
}

/// Of a traced call that is under way, the trampoline has the return address: it is nobody's frame.
#[cold]
#[inline(never)]
fn out_of_trampoline(step: Step) -> Result<Step, Stop> {
    let pc = trace::frames::site_at(step.to.sp - 8).ok_or(Stop::Lost)?;
    Ok(Step { to: Position { pc, ..step.to }, how: step.how | IRREGULAR, ..step })
}

#[inline(always)]
fn step_on_stack(from: Position, readable: &mut Readable) -> Result<Step, Stop> {
    let rule = rule_of(from, readable);
    // In the order of how often they occur; a table of jumps would be slower.
    if rule.kind() == Kind::Stack {
        return regular(from, from.sp.wrapping_add(rule.a()), rule.b(), 0, readable);
    }
    if rule.kind() == Kind::Frame {
        return regular(from, from.bp.wrapping_add(rule.a()), rule.b(), USES_BP, readable);
    }
    // By way of an array, so that the common steps' result need not have an address.
    let mut words = [0; 6];
    rare(from, rule, readable, &mut words)?;
    let [pc, sp, bp, marks, bp_slot, how] = words;
    Ok(Step { to: Position { pc, sp, bp, marks }, bp_slot, how })
}

/// Both slots are at fixed distances from the canonical frame address.
#[inline(always)]
fn regular(from: Position, cfa: u64, bp_below: u64, how: u64, readable: &mut Readable) -> Result<Step, Stop> {
    let slot = cfa.wrapping_sub(8);
    if cfa <= from.sp || cfa & 7 != 0 || !readable.holds(slot) {
        return Err(Stop::Lost);
    }
    let (mut bp, mut bp_slot) = (from.bp, 0);
    if bp_below != 0 {
        bp_slot = cfa - bp_below;
        if !readable.holds(bp_slot) {
            return Err(Stop::Lost);
        }
        bp = word(bp_slot);
    }
    let pc = word(slot);
    if pc == 0 {
        return Err(Stop::Outermost);
    }
    let how = if readable.is_within(slot) { how } else { how | IRREGULAR };
    Ok(Step { to: Position { pc, sp: cfa, bp, marks: 0 }, bp_slot, how })
}

#[cold]
#[inline(never)]
fn rare(from: Position, rule: Rule, readable: &mut Readable, words: &mut [u64; 6]) -> Result<(), Stop> {
    let Step { to, bp_slot, how } = rare_step(from, rule, readable)?;
    *words = [to.pc, to.sp, to.bp, to.marks, bp_slot, how];
    Ok(())
}

fn rare_step(from: Position, rule: Rule, readable: &mut Readable) -> Result<Step, Stop> {
    match rule.kind() {
        Kind::Outermost => Err(Stop::Outermost),
        Kind::Signal => interrupted(from, readable),
        Kind::Plt => {
            let pushed = if from.pc & 15 >= 11 { 16 } else { 8 };
            regular(from, from.sp.wrapping_add(pushed), 0, 0, readable)
        }
        Kind::Realigned => {
            let pointer = from.bp.wrapping_sub(rule.a());
            if pointer & 7 != 0 || from.bp & 7 != 0 || !readable.holds(pointer) || !readable.holds(from.bp) {
                return Err(Stop::Lost);
            }
            let step = regular(from, word(pointer), 0, USES_BP, readable)?;
            let to = Position { bp: word(from.bp), ..step.to };
            Ok(Step { to, bp_slot: from.bp, how: step.how | IRREGULAR })
        }
        Kind::Stack | Kind::Frame | Kind::Unknown => guessed(from, readable),
    }
}

fn interrupted(from: Position, readable: &mut Readable) -> Result<Step, Stop> {
    let slots = [SAVED_RIP, SAVED_RSP, SAVED_RBP].map(|offset| from.sp.wrapping_add(offset));
    if from.sp & 7 != 0 || !slots.iter().all(|slot| readable.holds(*slot)) {
        return Err(Stop::Lost);
    }
    let [pc, sp, bp] = slots.map(word);
    if pc == 0 || sp & 7 != 0 || !readable.holds(sp) {
        return Err(Stop::Lost);
    }
    readable.begin(sp);
    let to = Position { pc, sp, bp, marks: INTERRUPTED };
    Ok(Step { to, bp_slot: slots[2], how: IRREGULAR })
}

/// Code without a table often keeps frame pointers: just-in-time compilers do, for their profilers.
fn guessed(from: Position, readable: &mut Readable) -> Result<Step, Stop> {
    let bp = from.bp;
    let believable = bp >= from.sp && bp - from.sp < MAX_GUESS && bp & 7 == 0;
    let surely = readable.surely_holds(bp) && readable.surely_holds(bp + 8);
    // What was readable before may be gone, and this may point anywhere.
    if !believable || !(surely || kernel::is_readable(bp) && kernel::is_readable(bp + 8)) {
        return Err(Stop::Lost);
    }
    let to = Position { pc: word(bp + 8), sp: bp + 16, bp: word(bp), marks: GUESSED };
    if to.pc < 1 << 16 || to.pc >> 47 != 0 {
        return Err(Stop::Lost);
    }
    let how = if surely { USES_BP } else { USES_BP | IRREGULAR };
    Ok(Step { to, bp_slot: bp, how })
}
