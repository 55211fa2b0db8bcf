//! What a call did.

use super::{Block, Fd};

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

/// How a descriptor was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenFlags {
    /// The flags as they were passed: `open`'s, or those of the call that stands for it.
    pub word: Option<u32>,
    /// Whether an exec closes it, if that is known.
    pub close_on_exec: Option<bool>,
}

/// What libc keeps about a descriptor, and frees when it is closed through that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// A `FILE*`.
    File,
    /// A `DIR*`.
    Directory,
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
        /// Only reserves addresses: without access, or without swap space (`MAP_NORESERVE`).
        reserves: bool,
    },
    /// Asked in vain for pages of no file, with access.
    MapFailed {
        /// How many bytes were asked for.
        bytes: u64,
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
        /// With which flags.
        flags: OpenFlags,
    },
    /// Made two.
    OpenedPair {
        /// Which.
        fds: [Fd; 2],
        /// Of what.
        kind: &'static str,
        /// With which flags.
        flags: OpenFlags,
    },
    /// Got descriptors in a message.
    Received {
        /// Which: each word's low 32 bits.
        fds: &'a [u64],
        /// With which flags.
        flags: OpenFlags,
    },
    /// Copied a descriptor to a new number.
    Duplicated {
        /// From.
        from: Fd,
        /// To.
        to: Fd,
        /// Whether an exec closes the copy, if that is known.
        close_on_exec: Option<bool>,
    },
    /// Copied a descriptor onto a number, closing what was there. `from` differs from `onto`.
    DuplicatedOnto {
        /// From.
        from: Fd,
        /// Onto.
        onto: Fd,
        /// Whether an exec closes the copy, if that is known.
        close_on_exec: Option<bool>,
    },
    /// Changed whether an exec closes the descriptors in a range, both ends included.
    CloseOnExec {
        /// From.
        first: Fd,
        /// To.
        last: Fd,
        /// Whether it does from now on.
        on: bool,
    },
    /// Made a stream of a descriptor: closing the stream closes it (`fdopen`, `fdopendir`).
    Streamed {
        /// Which.
        fd: Fd,
        /// Of which.
        stream: Stream,
    },
    /// Tied a socket to its peer (`connect`), or, if it has none, to an address (`bind`).
    Addressed {
        /// Which.
        fd: Fd,
        /// The `struct sockaddr`.
        address: &'a [u8],
        /// Whether it is the peer's.
        is_peer: bool,
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
    /// Read a limit of its own process or of the system.
    LimitRead {
        /// Its name in manuals ("RLIMIT_NOFILE"), empty if the function has one only.
        limit: &'static str,
        /// What it is: of a resource limit the soft one. None if unlimited.
        value: Option<u64>,
        /// The hard resource limit. None if unlimited, or if the function tells none.
        hard: Option<u64>,
        /// Whether it is a number of things, not of bytes or seconds.
        counts: bool,
    },
}

impl Action<'_> {
    /// Whether it is about heap blocks.
    #[inline]
    #[must_use]
    pub const fn is_heap(&self) -> bool {
        matches!(
            self,
            Self::Allocated { .. }
                | Self::AllocationFailed { .. }
                | Self::Reallocated { .. }
                | Self::Freed { .. }
        )
    }

    /// Whether it is about heap blocks or mappings, or the limits that their sizes may come from.
    #[inline]
    #[must_use]
    pub const fn is_memory(&self) -> bool {
        self.is_heap()
            || matches!(
                self,
                Self::Mapped { .. }
                    | Self::MapFailed { .. }
                    | Self::Unmapped { .. }
                    | Self::Remapped { .. }
                    | Self::LimitRead { .. }
            )
    }
}
