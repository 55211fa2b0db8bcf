//! One step of a walk: from a frame to its caller's.

use calltap_channel::stack::{GUESSED, INTERRUPTED};

use super::rule::Rule;
use super::window::Window;

/// A guessed frame is no larger than this, in bytes.
const MAX_GUESS: u64 = 1 << 20;

/// Offsets in the `ucontext` that the kernel leaves below a signal handler (x86-64 signal ABI).
const SAVED_RBP: u64 = 120;
const SAVED_RSP: u64 = 160;
const SAVED_RIP: u64 = 168;

/// Byte in a PLT entry from which on it has pushed a word.
const PLT_PUSHED: u64 = 11;

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

impl Position {
    /// An address within the instruction that is under way.
    #[inline]
    pub(super) fn lookup_address(&self) -> u64 {
        self.pc.wrapping_sub(u64::from(self.marks & INTERRUPTED == 0))
    }
}

/// A walk's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The frame has no caller.
    Outermost,
    /// Its caller cannot be found.
    Lost,
}

/// Makes one step, by the rule of the frame's code.
#[inline]
pub(super) fn step(from: Position, rule: Rule, stack: &mut Window) -> Result<Position, Stop> {
    match rule {
        Rule::Stack { above, rbp_below } => {
            regular(from, from.sp.wrapping_add(above.into()), rbp_below, stack)
        }
        Rule::Frame { above, rbp_below } => {
            regular(from, from.bp.wrapping_add(above.into()), rbp_below, stack)
        }
        Rule::Realigned { below } => {
            let cfa = stack.word(from.bp.wrapping_sub(below.into())).ok_or(Stop::Lost)?;
            let bp = stack.word(from.bp).ok_or(Stop::Lost)?;
            regular(Position { bp, ..from }, cfa, 0, stack)
        }
        Rule::Plt => {
            let pushed = if from.pc & 15 >= PLT_PUSHED { 16 } else { 8 };
            regular(from, from.sp.wrapping_add(pushed), 0, stack)
        }
        Rule::Signal => interrupted(from, stack),
        Rule::Outermost => Err(Stop::Outermost),
        Rule::Unknown => guessed(from, stack),
    }
}

#[inline]
fn regular(from: Position, cfa: u64, rbp_below: u32, stack: &mut Window) -> Result<Position, Stop> {
    // Outer frames lie higher; anything else would not come to an end.
    if cfa <= from.sp {
        return Err(Stop::Lost);
    }
    let bp = match rbp_below {
        0 => from.bp,
        below => stack.word(cfa.wrapping_sub(below.into())).ok_or(Stop::Lost)?,
    };
    match stack.word(cfa - 8).ok_or(Stop::Lost)? {
        0 => Err(Stop::Outermost),
        pc => Ok(Position { pc, sp: cfa, bp, marks: 0 }),
    }
}

fn interrupted(from: Position, stack: &mut Window) -> Result<Position, Stop> {
    let mut word = |offset| stack.word(from.sp.wrapping_add(offset)).ok_or(Stop::Lost);
    let (bp, sp, pc) = (word(SAVED_RBP)?, word(SAVED_RSP)?, word(SAVED_RIP)?);
    if pc == 0 { Err(Stop::Lost) } else { Ok(Position { pc, sp, bp, marks: INTERRUPTED }) }
}

/// Code without a table often keeps frame pointers: just-in-time compilers do, for their profilers.
fn guessed(from: Position, stack: &mut Window) -> Result<Position, Stop> {
    let bp = from.bp;
    if bp < from.sp || bp - from.sp >= MAX_GUESS {
        return Err(Stop::Lost);
    }
    let next = stack.word(bp).ok_or(Stop::Lost)?;
    let pc = stack.word(bp + 8).ok_or(Stop::Lost)?;
    if pc < 1 << 16 || pc >> 47 != 0 {
        return Err(Stop::Lost);
    }
    Ok(Position { pc, sp: bp + 16, bp: next, marks: GUESSED })
}
