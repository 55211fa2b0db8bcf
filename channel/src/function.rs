//! What a tapped function is: its number, name, family, arguments and effect, all made from the
//! one list in [`list`](crate::for_each_function).

mod list;
mod wraps;

/// What can be switched on and off with `--tap`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u32)]
pub enum Family {
    /// Heap blocks and mappings.
    Memory = 1 << 0,
    /// Everything that makes or unmakes a descriptor.
    Fd = 1 << 1,
    /// Reading, writing, waiting.
    Io = 1 << 2,
    /// Mutexes, condition variables, semaphores.
    Lock = 1 << 3,
    /// fork, exec, exit, thread names.
    Process = 1 << 4,
}

impl Family {
    /// All families, in the order of their bits.
    pub const ALL: [Self; 5] = [Self::Memory, Self::Fd, Self::Io, Self::Lock, Self::Process];

    /// Its bit in the header's mask of taps.
    #[inline(always)]
    #[must_use]
    pub const fn bit(self) -> u32 {
        self as u32
    }

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Fd => "fd",
            Self::Io => "io",
            Self::Lock => "lock",
            Self::Process => "process",
        }
    }
}

/// Who provides a function, which decides when its real one is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// Every glibc since 2.34: looked up before the program starts.
    C,
    /// Some C libraries or versions: looked up at its first call.
    Newer,
    /// The C++ run-time library, where there is one: looked up at its first call.
    Cxx,
}

/// Which family of functions gave a block, and so which must take it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Giver {
    /// `malloc` and its relatives; goes back through `free`.
    C,
    /// `operator new`; goes back through `operator delete`.
    New,
    /// `operator new[]`; goes back through `operator delete[]`.
    NewArray,
}

/// What a descriptor is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Kind {
    File,
    Directory,
    Stream,
    Socket,
    Pipe,
    Pty,
    Epoll,
    Eventfd,
    Signalfd,
    Timerfd,
    Inotify,
    Fanotify,
    Memfd,
    Pidfd,
    MessageQueue,
    SharedMemory,
    Mount,
    /// A copy: of the kind of what it was copied from, where that is known.
    Duplicate,
    /// Arrived in a message (SCM_RIGHTS).
    Received,
}

impl Kind {
    /// Its name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Directory => "directory",
            Self::Stream => "stream",
            Self::Socket => "socket",
            Self::Pipe => "pipe",
            Self::Pty => "pty",
            Self::Epoll => "epoll",
            Self::Eventfd => "eventfd",
            Self::Signalfd => "signalfd",
            Self::Timerfd => "timerfd",
            Self::Inotify => "inotify",
            Self::Fanotify => "fanotify",
            Self::Memfd => "memfd",
            Self::Pidfd => "pidfd",
            Self::MessageQueue => "message-queue",
            Self::SharedMemory => "shared-memory",
            Self::Mount => "mount",
            Self::Duplicate => "duplicate",
            Self::Received => "received",
        }
    }
}

/// Where in a record a block's size is. Numbers count the recorded arguments from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bytes {
    /// In this argument.
    In(u8),
    /// The product of this argument and the next.
    Product(u8),
}

/// Where in a record a new descriptor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// The returned value.
    Returned,
    /// This argument.
    Argument(u8),
    /// This argument and the next one.
    Pair(u8),
}

/// What a call does to the resources that calltap keeps account of.
///
/// An effect takes place only if the call succeeded, except [`Effect::Free`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing that is accounted for; its latency may still be asked.
    None,
    /// Gives a block at the returned address.
    Allocate(Giver, Bytes),
    /// Gives a block at the address in argument 0 (`posix_memalign`); none if that is null.
    AllocateAt(Giver, Bytes),
    /// Takes the block in argument 0 and gives one at the returned address.
    Reallocate(Bytes),
    /// Takes the block in argument 0 back.
    Free(Giver),
    /// `mmap(address, length, protection, flags, fd, offset)`.
    Map,
    /// `munmap(address, length)`.
    Unmap,
    /// `mremap(old, old_length, new_length, flags, new)`.
    Remap,
    /// Makes descriptors.
    Open(Kind, At),
    /// Makes the descriptor in the returned value a copy of argument 0.
    Duplicate,
    /// Makes argument 1 a copy of argument 0, closing what it was.
    DuplicateOnto,
    /// Closes the descriptor in this argument.
    Close(u8),
    /// Closes argument 0 to argument 1, both included; argument 2: flags.
    CloseRange,
    /// Closes argument 0 and all above.
    CloseFrom,
    /// `fcntl(fd, command, argument)`: may duplicate.
    Control,
    /// All arguments behind argument 0 are descriptors that arrived.
    Receive,
    /// Closes argument 0 and opens argument 1 in its stead (`freopen`).
    Reopen(Kind),
    /// Makes a process.
    Fork,
    /// Replaces the program.
    Execute,
    /// Ends the process.
    Exit,
    /// Names the calling thread by the record's text.
    NameThread,
}

/// An argument as the list declares it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Argument {
    /// Its name.
    pub name: &'static str,
    /// Its type in the list's vocabulary: `Size`, `Fd`, `Path`, ...
    pub kind: &'static str,
}

impl Argument {
    /// Whether it is a text, copied behind the argument words instead of being one of them.
    #[must_use]
    pub const fn is_text(&self) -> bool {
        // The only names in the vocabulary that end so; see `list`.
        matches!(self.kind.as_bytes(), b"Path" | b"Text")
    }
}

/// One row of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The C symbol.
    pub name: &'static str,
    /// Switched with this family.
    pub family: Family,
    /// Who provides the real function.
    pub provider: Provider,
    /// The recorded arguments.
    pub arguments: &'static [Argument],
    /// The returned type in the list's vocabulary; `Nothing` for void.
    pub returns: &'static str,
    /// What the call does.
    pub effect: Effect,
    /// One sentence: its C declaration's meaning here.
    pub doc: &'static str,
}

macro_rules! define_functions {
    ($(
        $family:ident $provider:ident $style:ident
        $name:ident ( $($argument:ident : $kind:ident),* ) -> $returns:ident = $effect:expr, $doc:literal;
    )*) => {
        /// A tapped function; the variant is its C symbol.
        #[allow(non_camel_case_types, reason = "the variants are the C symbols themselves")]
        #[allow(rustdoc::broken_intra_doc_links, reason = "`operator new[](nothrow)` is no link")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u16)]
        pub enum Function {
            $(#[doc = $doc] $name,)*
        }

        /// The list as data; a function's number is its index.
        pub static ROWS: &[Row] = {
            use Bytes::*;
            use Effect::*;
            use Giver::*;
            #[allow(unused_imports)]
            use Kind::*;
            &[$(Row {
                name: stringify!($name),
                family: Family::$family,
                provider: Provider::$provider,
                arguments: &[$(Argument { name: stringify!($argument), kind: stringify!($kind) }),*],
                returns: stringify!($returns),
                effect: $effect,
                doc: $doc,
            },)*]
        };

        impl Function {
            /// All functions, in the list's order.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// What a call of it does.
            #[inline(always)]
            #[must_use]
            pub const fn effect(self) -> Effect {
                use Bytes::*;
                use Effect::*;
                use Giver::*;
                #[allow(unused_imports)]
                use Kind::*;
                match self { $(Self::$name => $effect,)* }
            }

            /// The family it is switched with.
            #[inline(always)]
            #[must_use]
            pub const fn family(self) -> Family {
                match self { $(Self::$name => Family::$family,)* }
            }
        }
    };
}
crate::for_each_function!(define_functions);

const _: () = assert!(Function::ALL.len() < crate::note::FIRST as usize, "notes have the numbers above");

impl Function {
    /// The function with this number, if there is one.
    #[inline]
    #[must_use]
    pub fn from_number(number: u16) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// The function with this C symbol, if it is tapped.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|function| function.name() == name)
    }

    /// Its number in records.
    #[inline(always)]
    #[must_use]
    pub const fn number(self) -> u16 {
        self as u16
    }

    /// Its row in the list.
    #[inline]
    #[must_use]
    pub fn row(self) -> &'static Row {
        &ROWS[self as usize]
    }

    /// Its C symbol.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().name
    }
}

/// How many argument words the record with this number has before its text.
#[must_use]
pub fn argument_words(number: u16) -> usize {
    match Function::from_number(number) {
        Some(function) => function.row().arguments.iter().filter(|a| !a.is_text()).count(),
        None => crate::Note::from_number(number).map_or(crate::note::ARGUMENTS, crate::Note::argument_words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stands_for_one_function_only() {
        for function in Function::ALL {
            assert_eq!(Function::from_name(function.name()), Some(*function));
            assert_eq!(Function::from_number(function.number()), Some(*function));
        }
    }

    #[test]
    fn a_record_has_room_for_every_functions_arguments() {
        for row in ROWS {
            assert!(row.arguments.len() <= crate::record::MAX_ARGUMENTS, "{}", row.name);
            assert!(row.arguments.iter().filter(|a| a.is_text()).count() <= 1, "{}", row.name);
            assert!(!row.doc.is_empty());
        }
    }

    #[test]
    fn an_effect_names_arguments_that_exist() {
        for row in ROWS {
            let words = row.arguments.iter().filter(|a| !a.is_text()).count();
            let needs = match row.effect {
                Effect::Allocate(_, bytes) | Effect::AllocateAt(_, bytes) | Effect::Reallocate(bytes) => {
                    match bytes {
                        Bytes::In(at) => usize::from(at) + 1,
                        Bytes::Product(at) => usize::from(at) + 2,
                    }
                }
                Effect::Open(_, At::Argument(at)) | Effect::Close(at) => usize::from(at) + 1,
                Effect::Open(_, At::Pair(at)) => usize::from(at) + 2,
                Effect::Free(_) | Effect::Duplicate | Effect::CloseFrom => 1,
                Effect::DuplicateOnto | Effect::Unmap | Effect::Reopen(_) => 2,
                Effect::CloseRange | Effect::Control => 3,
                Effect::Remap => 3,
                _ => 0,
            };
            assert!(words >= needs, "{}: {needs} arguments needed, {words} recorded", row.name);
        }
    }
}
