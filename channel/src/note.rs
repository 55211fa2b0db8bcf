//! Records that are no calls: what the interposer and the tracer tell the reader beside them.

/// What a record with a number of [`FIRST`] or above says.
///
/// All notes are [`crate::record::VOID`]; their arguments are listed with each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum Note {
    /// Interposer, first record of a process image: `pid`, `parent_pid`, `parent_serial`
    /// (0 unless it was forked from a tapped image), `real_malloc` (the address of the function that the
    /// hook of `malloc` calls).
    ProcessBegan = FIRST,
    /// Tracer: a tracee made another. `pid` (of the maker's thread group), `child`, `kind`
    /// ([`FORKED`], [`VFORKED`], [`CLONED`] = a thread or a raw clone), `child_group`
    /// (the child's thread group: equal to `pid` for a thread), `maker` (the thread that made it; 0 if
    /// it is not known).
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
    /// Tracer: a signal was delivered. `pid`, `tid`, `signal`, `sender` (low half: process id, 0 if no
    /// process sent it; high half: its user id), `code`.
    Signalled,
    /// Tracer: the target could not be executed. `errno`, `filter` (1: the kernel refused the filter of
    /// system calls, not the exec). No process will follow.
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
    /// Tracer: a system call that it stopped. Stamped when its entry was seen, the duration goes to
    /// where its end was seen; the site is the instruction behind it. `pid`, `tid`, `call`
    /// (see [`SystemCallWord`]), `result` (as in the register), `stopped` (ticks of the duration and
    /// after it that we held the thread), the six arguments; text: the path, name or socket address
    /// it was given.
    SystemCall,
    /// Tracer: the descriptors a process has at its first stop after a fork or at an exec. `pid`,
    /// `first`, `count`, `more`; text: a bit for each number from `first` on, lowest bit first, `count`
    /// bits, at most [`HELD_AT_ONCE`]. If `more` is 1 another note goes on with higher numbers.
    Holds,
    /// Tracer: an object that was met on the stack of a system call for the first time in a process.
    /// `pid`, `start`, `end`, `bias`; text: its path.
    Met,
    /// Tracer: a process was stopped by a signal. `pid`, `signal`.
    Paused,
    /// Tracer: a process that was stopped goes on. `pid`.
    Continued,
    /// Tracer: one of the descriptors that the target was started with. `pid`, `fd`;
    /// text: what `/proc` says it is.
    Given,
    /// Tracer: no thread of a process runs until the reader writes `sequence` into the header's `released`.
    /// `pid`, `sequence`, `tid` (a thread that is held, or else asleep), `began` (when the first thread was
    /// interrupted, in ticks), `held` (threads in a stop), `asleep` (threads that were left asleep in a system
    /// call, and may wake), `switches` (their context switches so far, added up), `occasion` ([`PERIODIC`],
    /// [`ON_DEMAND`]).
    SnapshotStop,
    /// Tracer: a process could not be stopped for a look, or not in time. `pid`; text: why.
    SnapshotFailed,
    /// Tracer: all processes were stopped that the header's `snapshots_asked` number `asked` was about. `asked`.
    SnapshotsDone,
    /// Interposer: a traced call begins. Laid out as [`crate::trace`] says; no argument words in this sense.
    Entered,
    /// Interposer: a traced call has ended; as above.
    Returned,
    /// Interposer or tracer: bytes that belong to the next note with the same site word (of a system call: the
    /// thread's id). `address`; text: the bytes.
    Memory,
    /// Interposer: an object whose slots have been looked at. `base`, `hooked` (slots now traced), `left` (slots of
    /// functions that no rule asks for), `kind` ([`crate::note::refused`]; 0 for the object as a whole), `refused` (slots that
    /// could not be traced for the reason `kind`); text: its path, empty for the program itself.
    Bound,
    /// Interposer: an object is gone. `base`.
    Unbound,
    /// Tracer, if calls are traced: a system call begins. As [`Note::SystemCall`], but `result` and `stopped` are 0 and there
    /// is no text; its end has the same stamp.
    CallBegan,
    /// Interposer: functions that the program defines itself, so that its own calls of them are not seen. A bit
    /// for each [`Function`](crate::Function)'s number in [`DEFINED_WORDS`] words, lowest bit first; `malloc` (the
    /// address of the program's own; 0 if it has none).
    Defined,
    /// Interposer: objects of another namespace (`dlmopen`) are not tapped, because those of one are. `base` (of one of
    /// them), `namespace` (its number); text: its path.
    PassedOver,
    /// Tracer, before [`Note::Executed`], unless calls are traced: a piece of the new program's arguments, of which each ends with
    /// a zero byte. `pid`; text: the piece.
    Arguments,
}

/// Why slots of an object are not traced: `kind` of [`Note::Bound`].
pub mod refused {
    /// No slot was refused.
    pub const NONE: u64 = 0;
    /// The function must not be traced (`__tls_get_addr`, profilers' entries).
    pub const SPECIAL: u64 = 1;
    /// The slot is not in memory that could be made writable.
    pub const PROTECTED: u64 = 2;
    /// The slot holds no function's address.
    pub const NOT_CODE: u64 = 3;
    /// All entries are in use.
    pub const NO_ROOM: u64 = 4;
    /// The object's dynamic section cannot be understood.
    pub const UNREADABLE: u64 = 5;
    /// An indirect function without a name.
    pub const NAMELESS: u64 = 6;
    /// The function is found at its first call only, and this loader's way to do so is not known.
    pub const LAZY: u64 = 7;
}

/// Words of bits in a [`Note::Defined`].
pub const DEFINED_WORDS: usize = ARGUMENTS - 1;

const _: () = assert!(crate::Function::ALL.len() <= DEFINED_WORDS * u64::BITS as usize);

/// Descriptor numbers in one [`Note::Holds`].
pub const HELD_AT_ONCE: usize = 8 * crate::record::MAX_TEXT;

/// Argument words of a [`Note::SystemCall`].
pub const SYSTEM_CALL_ARGUMENTS: usize = 11;

/// Which system call a [`Note::SystemCall`] is about: bits 0-31 its number, 32-39 the interface it
/// came through ([`X86_64`], [`I386`], [`X32`]), the bits above as below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SystemCallWord(pub u64);

impl SystemCallWord {
    /// Bit: made from within a hook, whose record will enclose it.
    pub const IN_HOOK: u64 = 1 << 40;
    /// Bit: seen at its entry only; it does not return, or its end was not waited for.
    pub const ENTRY_ONLY: u64 = 1 << 41;
    /// Bit: the stack could not be followed far enough to know whether a hook is on it.
    pub const STACK_UNKNOWN: u64 = 1 << 42;

    /// The call's number.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0 as u32
    }

    /// The interface: [`X86_64`] or another.
    #[must_use]
    pub const fn interface(self) -> u8 {
        (self.0 >> 32) as u8
    }

    /// Whether a bit is set.
    #[must_use]
    pub const fn has(self, bit: u64) -> bool {
        self.0 & bit != 0
    }
}

/// Interface of 64-bit programs (`syscall`).
pub const X86_64: u8 = 0;
/// Interface of 32-bit programs (`int 0x80`, `sysenter`).
pub const I386: u8 = 1;
/// Interface of x32 programs: the 64-bit one with bit 30 set in the number, which is taken out.
pub const X32: u8 = 2;

/// The number of the first note; calls have smaller numbers.
pub const FIRST: u16 = 0x4000;

/// `kind` of [`Note::Created`]: `fork`.
pub const FORKED: u64 = 1;
/// `kind` of [`Note::Created`]: `vfork`.
pub const VFORKED: u64 = 2;
/// `kind` of [`Note::Created`]: any other `clone`.
pub const CLONED: u64 = 3;

/// `occasion` of [`Note::SnapshotStop`]: its time had come.
pub const PERIODIC: u64 = 1;
/// `occasion` of [`Note::SnapshotStop`]: somebody asked.
pub const ON_DEMAND: u64 = 2;

/// Argument words of a [`Note::SnapshotStop`].
pub const SNAPSHOT_ARGUMENTS: usize = 8;

/// Argument words of every note but [`Note::SystemCall`] and [`Note::SnapshotStop`]; a text, where there is one, follows them.
pub const ARGUMENTS: usize = 5;

impl Note {
    /// Whether only the tracer writes it (true) or only the interposer; None if both do.
    #[must_use]
    pub const fn is_the_tracers(self) -> Option<bool> {
        match self {
            Self::ProcessBegan | Self::Abandoned | Self::Loaded | Self::Entered | Self::Returned => {
                Some(false)
            }
            Self::Bound | Self::Unbound | Self::Defined | Self::PassedOver => Some(false),
            Self::Memory => None,
            _ => Some(true),
        }
    }

    /// Its argument words.
    #[must_use]
    pub const fn argument_words(self) -> usize {
        match self {
            Self::SystemCall | Self::CallBegan => SYSTEM_CALL_ARGUMENTS,
            Self::SnapshotStop => SNAPSHOT_ARGUMENTS,
            Self::Memory => 1,
            _ => ARGUMENTS,
        }
    }

    /// The note with this number, if there is one.
    #[must_use]
    pub fn from_number(number: u16) -> Option<Self> {
        const ALL: [Note; 29] = [
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
            Note::SystemCall,
            Note::Holds,
            Note::Met,
            Note::Paused,
            Note::Continued,
            Note::Given,
            Note::SnapshotStop,
            Note::SnapshotFailed,
            Note::SnapshotsDone,
            Note::Entered,
            Note::Returned,
            Note::Memory,
            Note::Bound,
            Note::Unbound,
            Note::CallBegan,
            Note::Defined,
            Note::PassedOver,
            Note::Arguments,
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
    /// It runs as another user or group, who cannot open the segment.
    OtherUser = 8,
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
            8 => Self::OtherUser,
            _ => Self::StackOutOfReach,
        }
    }
}
