//! Records that are no calls: what the interposer and the tracer tell the reader beside them.

/// What a record with a number of [`FIRST`] or above says.
///
/// All notes are [`crate::record::VOID`]; their arguments are listed with each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum Note {
    /// Interposer, first record of a process image: `pid`, `parent_pid`, `parent_serial`
    /// (0 unless it was forked from a tapped image).
    ProcessBegan = FIRST,
    /// Tracer: a tracee made another. `pid` (of the maker's thread group), `child`, `kind`
    /// ([`FORKED`], [`VFORKED`], [`CLONED`] = a thread or a raw clone), `child_group`
    /// (the child's thread group: equal to `pid` for a thread).
    Created,
    /// Tracer: an exec succeeded. `pid`, `reason` (see [`Untapped`]); text: the new program's path.
    Executed,
    /// Tracer: a thread is gone, its ring can be drained and reused. `pid`, `tid`.
    ThreadEnded,
    /// Tracer: a thread of `pid`, as far as can be known its last one, is held in its exit stop until the reader writes `sequence`
    /// into the header's `released`; `status` is the wait status to come. `pid`, `sequence`, `status`,
    /// `tid` (if the leader has exited before, only `/proc/PID/task/TID` still shows memory and descriptors).
    ExitStop,
    /// Tracer: `pid` was reaped with wait `status`. `pid`, `status`.
    Ended,
    /// Tracer: a signal was delivered. `pid`, `tid`, `signal`, `sender_pid`, `code`.
    Signalled,
    /// Tracer: the target could not be executed. `errno`. No process will follow.
    ExecFailed,
    /// Tracer: nothing is left to trace; its last record.
    TracerDone,
    /// Interposer: a record that was begun and left by `siglongjmp` out of a signal handler. Its
    /// length is that of the record, all else is zero.
    Abandoned,
    /// Interposer: an object that was met on a stack for the first time. `start`, `end` (its addresses),
    /// `bias` (what its file's addresses are moved by), `lap` (see [`crate::stack::Frame`]); text: its path
    /// as the loader has it, empty for the program itself.
    Loaded,
}

/// The number of the first note; calls have smaller numbers.
pub const FIRST: u16 = 0x4000;

/// `kind` of [`Note::Created`]: `fork`.
pub const FORKED: u64 = 1;
/// `kind` of [`Note::Created`]: `vfork`.
pub const VFORKED: u64 = 2;
/// `kind` of [`Note::Created`]: any other `clone`.
pub const CLONED: u64 = 3;

/// Argument words of every note; a text, where there is one, follows them.
pub const ARGUMENTS: usize = 5;

impl Note {
    /// The note with this number, if there is one.
    #[must_use]
    pub fn from_number(number: u16) -> Option<Self> {
        const ALL: [Note; 11] = [
            Note::ProcessBegan,
            Note::Created,
            Note::Executed,
            Note::ThreadEnded,
            Note::ExitStop,
            Note::Ended,
            Note::Signalled,
            Note::ExecFailed,
            Note::TracerDone,
            Note::Abandoned,
            Note::Loaded,
        ];
        ALL.get(usize::from(number.checked_sub(FIRST)?)).copied()
    }
}

/// Why the interposer was not loaded into a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u64)]
pub enum Untapped {
    /// It was.
    Tapped = 0,
    /// Statically linked: no dynamic loader reads `LD_PRELOAD`.
    Static = 1,
    /// Its loader is not glibc's for x86-64 (musl, 32-bit, another machine).
    ForeignLoader = 2,
    /// Raised privileges (`AT_SECURE`): the loader ignores `LD_PRELOAD`.
    Secure = 3,
    /// The library's path does not exist where this program runs (chroot, mount namespace).
    LibraryOutOfReach = 4,
    /// Its start-up stack could not be read or written.
    StackOutOfReach = 5,
    /// Children are not followed (`--no-follow`).
    NotFollowed = 6,
    /// The dynamic loader was asked to list the program's objects (`ldd`), not to run it.
    Listed = 7,
}

impl Untapped {
    /// The reason with this number; numbers nobody wrote are [`Untapped::StackOutOfReach`].
    #[must_use]
    pub fn from_number(number: u64) -> Self {
        match number {
            0 => Self::Tapped,
            1 => Self::Static,
            2 => Self::ForeignLoader,
            3 => Self::Secure,
            4 => Self::LibraryOutOfReach,
            6 => Self::NotFollowed,
            7 => Self::Listed,
            _ => Self::StackOutOfReach,
        }
    }
}
