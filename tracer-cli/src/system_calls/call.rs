//! A system call as the table has it.

use calltap_analyzers::kernel::CallId;
use calltap_channel::note::{I386, X32, X86_64};

/// Number of a call that an interface does not have.
pub(super) const NO_NUMBER: u16 = u16::MAX;

/// Interfaces, and places in [`Call::numbers`]: x86-64, i386, x32.
pub(super) const INTERFACES: [u8; 3] = [X86_64, I386, X32];

/// What an argument is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A descriptor, which may be `AT_FDCWD`.
    Descriptor,
    /// A descriptor of a socket.
    Socket,
    /// Address of a path, null-terminated.
    Path,
    /// Address of another text, null-terminated.
    Text,
    /// Address of a socket address.
    SocketAddress,
    /// Another address.
    Pointer,
    /// How many bytes or elements.
    Size,
    /// One of a set of constants, or several.
    Flags,
    /// A process or thread id.
    Process,
    /// A user or group id.
    Identity,
    /// A signal's number.
    Signal,
    /// Any other number.
    Integer,
}

/// A system call.
#[derive(Debug)]
pub(super) struct Call {
    /// As the kernel has it.
    pub(super) name: &'static str,
    /// In [`INTERFACES`]; [`NO_NUMBER`] where it does not exist. x32's without the interface's bit.
    pub(super) numbers: [u16; 3],
    /// Name and kind of each. On i386 some old calls take one address of all of them instead (`mmap`,
    /// `select`).
    pub(super) arguments: &'static [(&'static str, Kind)],
    /// Whether what it returns is a descriptor, unless it failed.
    pub(super) gives_descriptor: bool,
}

impl Call {
    pub(super) const fn new(
        name: &'static str,
        numbers: [u16; 3],
        arguments: &'static [(&'static str, Kind)],
    ) -> Self {
        Self { name, numbers, arguments, gives_descriptor: false }
    }

    pub(super) const fn returning_descriptor(
        name: &'static str,
        numbers: [u16; 3],
        arguments: &'static [(&'static str, Kind)],
    ) -> Self {
        Self { name, numbers, arguments, gives_descriptor: true }
    }

    /// The first argument of a kind.
    pub(super) fn first(&self, wanted: Kind) -> Option<usize> {
        self.arguments.iter().position(|(_, kind)| *kind == wanted)
    }

    /// Its ids in the interfaces that have it.
    pub(super) fn ids(&self) -> impl Iterator<Item = CallId> {
        let numbers = INTERFACES.into_iter().zip(self.numbers);
        numbers
            .filter(|(_, number)| *number != NO_NUMBER)
            .map(|(interface, number)| CallId { interface, number: u32::from(number) })
    }
}
