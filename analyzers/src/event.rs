//! What the analyzers see: one finished call each, already decoded and checked.

/// A process image: one program in one process between its start (or fork) and its exit or exec.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Image(pub u32);

/// A thread of an image, by its kernel thread id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Thread(pub u32);

/// A tapped function, by its number in the list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FunctionId(pub u16);

/// Address of a heap block: what the allocation function returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Block(pub u64);

/// A descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fd(pub i32);

/// Which family of functions gave a block, and so which must take it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Giver {
    /// `malloc` and its relatives.
    C,
    /// `operator new`.
    New,
    /// `operator new[]`.
    NewArray,
}

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
    /// How much of that time was ours: stops of system calls inside. Set by the session.
    pub stopped_ns: u64,
    /// Error number of a failed call; 0 if it succeeded.
    pub errno: u16,
    /// Return address in the direct caller; 0 if unknown.
    pub site: u64,
    /// Id of the call stack; 0 if none was taken.
    pub stack: u32,
    /// Made by a `vfork` child: in this image's memory, but not on its descriptors.
    pub vfork_child: bool,
    /// What it did.
    pub action: Action<'a>,
}

/// What a call did to the resources that are accounted for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Action<'a> {
    /// Nothing of that kind.
    None,
    /// Gave a block.
    Allocated {
        /// Where.
        block: Block,
        /// How many bytes were asked for.
        bytes: u64,
        /// By which family.
        giver: Giver,
    },
    /// Asked for a block in vain.
    AllocationFailed {
        /// How many bytes were asked for.
        bytes: u64,
    },
    /// Took a block and gave one with its content (`realloc` of a block, successful).
    Reallocated {
        /// The block taken, at the call's start.
        old: Block,
        /// The block given, at the call's end. May be the same.
        new: Block,
        /// How many bytes were asked for.
        bytes: u64,
    },
    /// Took a block back. Never of a null address.
    Freed {
        /// Which.
        block: Block,
        /// Through which family.
        giver: Giver,
    },
    /// Mapped pages.
    Mapped {
        /// From this address.
        address: u64,
        /// So many bytes.
        bytes: u64,
        /// Backed by this descriptor, if any.
        fd: Option<Fd>,
    },
    /// Unmapped pages.
    Unmapped {
        /// From this address.
        address: u64,
        /// So many bytes.
        bytes: u64,
    },
    /// Moved or resized a mapping.
    Remapped {
        /// From here.
        old: u64,
        /// With this length.
        old_bytes: u64,
        /// To here.
        new: u64,
        /// With this length.
        new_bytes: u64,
    },
    /// Made a descriptor.
    Opened {
        /// Which.
        fd: Fd,
        /// Of what: a lower-case word ("file", "socket").
        kind: &'static str,
        /// Path or name, empty if it has none.
        path: &'a [u8],
    },
    /// Made two.
    OpenedPair {
        /// Which.
        fds: [Fd; 2],
        /// Of what.
        kind: &'static str,
    },
    /// Got descriptors in a message.
    Received {
        /// Which: each word's low 32 bits.
        fds: &'a [u64],
    },
    /// Copied a descriptor to a new number.
    Duplicated {
        /// From.
        from: Fd,
        /// To.
        to: Fd,
    },
    /// Copied a descriptor onto a number, closing what was there. `from` differs from `onto`.
    DuplicatedOnto {
        /// From.
        from: Fd,
        /// Onto.
        onto: Fd,
    },
    /// Closed a descriptor.
    Closed {
        /// Which.
        fd: Fd,
    },
    /// Tried to close what is not open.
    CloseFailed {
        /// Which.
        fd: Fd,
    },
    /// Closed all descriptors in a range, both ends included.
    ClosedRange {
        /// From.
        first: Fd,
        /// To.
        last: Fd,
    },
    /// Closed one descriptor and opened another in its stead (`freopen`).
    Reopened {
        /// Closed.
        old: Fd,
        /// Opened.
        new: Fd,
        /// Of what.
        kind: &'static str,
        /// Path, empty if it has none.
        path: &'a [u8],
    },
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
