//! What the analyzers see: one finished call each, already decoded and checked.

mod action;

pub use action::{Action, Giver, OpenFlags, Stream};

use crate::kernel::CallId;

/// A process image: one program in one process between its start (or fork) and its exit or exec.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Image(pub u32);

/// A thread of an image, by its kernel thread id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Thread(pub u32);

/// A tapped function, by its number in the list; or a system call that no function is known for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FunctionId(pub u16);

impl FunctionId {
    const SYSTEM_CALL: u16 = 0x8000;

    /// A system call that no library call is known for, in the place of a function. The number is
    /// below 4096, the interface below 8.
    #[must_use]
    pub const fn of_system_call(call: CallId) -> Self {
        Self(Self::SYSTEM_CALL | (call.interface as u16 & 7) << 12 | (call.number as u16 & 0xfff))
    }

    /// The system call, if it is one and not a function of the list.
    #[must_use]
    pub const fn system_call(self) -> Option<CallId> {
        if self.0 & Self::SYSTEM_CALL == 0 {
            return None;
        }
        Some(CallId { interface: (self.0 >> 12) as u8 & 7, number: self.0 as u32 & 0xfff })
    }
}

/// Address of a heap block: what the allocation function returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Block(pub u64);

/// A descriptor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fd(pub i32);

/// One finished call.
///
/// Events of one address or descriptor may arrive out of order by a little: an acquire takes effect
/// at `end_ns`, a release at `start_ns`, and a release belongs to the youngest owner whose acquire
/// ended before it began, however late it arrives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Event<'a> {
    /// In which process image.
    pub image: Image,
    /// By which thread.
    pub thread: Thread,
    /// Which function.
    pub function: FunctionId,
    /// When the call began, in nanoseconds since the session began. If it is not timed: the one
    /// stamp it has, which is that of its end where it gave a block, else that of its beginning.
    pub start_ns: u64,
    /// When it ended. Equal to `start_ns` if durations are not measured.
    pub end_ns: u64,
    /// Whether `end_ns` was measured.
    pub timed: bool,
    /// Error number of a failed call; 0 if it succeeded.
    pub errno: u16,
    /// Return address in the direct caller; 0 if unknown.
    pub site: u64,
    /// Id of the call stack; 0 if none was taken.
    pub stack: u32,
    /// Made by a `vfork` child: in this image's memory, but not on its descriptors.
    pub vfork_child: bool,
    /// The path it was given, also if it failed; empty if it was given none, or gives heap blocks.
    pub text: &'a [u8],
    /// The descriptor that it worked on and left as it was (`read`, `accept`); whether that was open
    /// is for `errno` to say.
    pub used: Option<Fd>,
    /// What it did.
    pub action: Action<'a>,
}

/// Something that learns from events and finally says what it found.
pub trait Analyzer {
    /// What it finds.
    type Report;

    /// Takes one event into account. What it cannot explain, it counts.
    fn observe(&mut self, event: &Event<'_>);

    /// What was found so far.
    fn report(&self) -> Self::Report;
}
