//! Call stacks: what a frame is, and the table that keeps each stack once.

mod pack;
mod table;

pub use table::{StackTable, bytes_of, slots_in, walk_bytes};

/// The most frames a stack has.
pub const MAX_DEPTH: usize = 1024;

/// Mark of a frame: the address is of an interrupted instruction, not behind a call.
pub const INTERRUPTED: u64 = 1 << 62;
/// Mark of a frame: found by frame pointer, because no unwind table covers the frame below.
pub const GUESSED: u64 = 1 << 63;
const LAP_SHIFT: u32 = 48;
const ADDRESS: u64 = (1 << LAP_SHIFT) - 1;

/// The largest lap.
pub const MAX_LAP: u64 = (1 << 14) - 1;

/// One frame of a stack, in a word: bits 0-47 the address, 48-61 the lap, 62 and 63 flags.
///
/// The lap tells apart objects that were loaded at one address after each other: it counts how
/// often, in this process, an object was met where another one had been.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Frame(pub u64);

impl Frame {
    /// The frame that a call returns to at `address`.
    #[inline(always)]
    #[must_use]
    pub const fn returning_to(address: u64) -> Self {
        Self(address & ADDRESS)
    }

    /// The same in another lap, with these marks ([`INTERRUPTED`], [`GUESSED`]).
    #[inline(always)]
    #[must_use]
    pub const fn with(self, lap: u64, marks: u64) -> Self {
        Self(self.0 | (lap & MAX_LAP) << LAP_SHIFT | marks)
    }

    /// Where execution goes on in this frame.
    #[must_use]
    #[inline(always)]
    pub const fn address(self) -> u64 {
        self.0 & ADDRESS
    }

    /// An address within the instruction that is under way: what a symbol or a line is looked up for.
    #[must_use]
    pub const fn lookup_address(self) -> u64 {
        if self.is_interrupted() { self.address() } else { self.address().saturating_sub(1) }
    }

    /// Its marks.
    #[inline(always)]
    #[must_use]
    pub const fn marks(self) -> u64 {
        self.0 & (INTERRUPTED | GUESSED)
    }

    /// See [`Frame`].
    #[must_use]
    pub const fn lap(self) -> u64 {
        self.0 >> LAP_SHIFT & MAX_LAP
    }

    /// Whether a signal handler runs on top of it.
    #[must_use]
    pub const fn is_interrupted(self) -> bool {
        self.0 & INTERRUPTED != 0
    }

    /// Whether it was found by frame pointer, for want of an unwind table.
    #[must_use]
    pub const fn is_guessed(self) -> bool {
        self.0 & GUESSED != 0
    }
}

/// Where the walk of a stack ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u64)]
pub enum End {
    /// At the outermost frame of the thread.
    Outermost = 1,
    /// At the greatest depth that was asked for.
    Depth = 2,
    /// In code without an unwind table and without a believable frame pointer.
    Lost = 3,
}

/// A stack taken out of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stack {
    /// Innermost first; the first is the call site.
    pub frames: Vec<Frame>,
    /// Why there are no more.
    pub end: End,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_keeps_its_parts() {
        let frame = Frame::returning_to(0x7fff_1234_5678).with(5, INTERRUPTED);
        assert_eq!((frame.address(), frame.lap()), (0x7fff_1234_5678, 5));
        assert!(frame.is_interrupted() && !frame.is_guessed());
        assert_eq!(frame.lookup_address(), frame.address());
        assert_eq!(Frame::returning_to(0x10).with(0, GUESSED).lookup_address(), 0xf);
    }
}
