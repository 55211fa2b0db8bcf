//! What the tracer does with a system call beside noting it: what it reads, and when it took effect.

use calltap_analyzers::kernel::CallId;
use calltap_channel::note::X86_64;

use super::call::{Call, Kind};
use super::lookup;

/// An argument that tells more than its value, and what to read there. Places count from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextArgument {
    /// Address of a path or a name, null-terminated; may be null. To be read at the entry.
    Path(usize),
    /// A socket address and its length in bytes. To be read at the entry.
    SocketAddress {
        /// Place of its address, which may be null.
        pointer: usize,
        /// Place of its length.
        length: usize,
    },
    /// Address of two descriptors, each an `i32`, which the call wrote if it returned 0.
    Pair(usize),
    /// What the call received if it returned a number that is not negative: descriptors can be in the
    /// control data (`SCM_RIGHTS`). Of the 64-bit interface only.
    Messages {
        /// Place of the address of one `msghdr`, or of an array of `mmsghdr`.
        pointer: usize,
        /// Whether it is an array, with as several elements filled as the call returned.
        several: bool,
    },
}

/// What is worth reading of a call. Of several paths the one that the call looks up first.
#[must_use]
pub fn text_of(id: CallId) -> Option<TextArgument> {
    let call = lookup::call(id)?;
    match call.name {
        "pipe" | "pipe2" => return Some(TextArgument::Pair(0)),
        "socketpair" => return Some(TextArgument::Pair(3)),
        // Their structures are others in the other interfaces.
        "recvmsg" | "recvmmsg" | "recvmmsg_time64" if id.interface != X86_64 => return None,
        "recvmsg" => return Some(TextArgument::Messages { pointer: 1, several: false }),
        "recvmmsg" => return Some(TextArgument::Messages { pointer: 1, several: true }),
        // The first one is a link's content, which is not looked up.
        "symlink" => return Some(TextArgument::Path(1)),
        "symlinkat" => return Some(TextArgument::Path(2)),
        _ => {}
    }
    call.first(Kind::Path).map(TextArgument::Path).or_else(|| named(call)).or_else(|| address(call))
}

/// The name of what a call makes a descriptor of.
fn named(call: &Call) -> Option<TextArgument> {
    let place = call.first(Kind::Text)?;
    call.gives_descriptor.then_some(TextArgument::Path(place))
}

/// The socket address that a call is given: one that it fills has its length in memory.
fn address(call: &Call) -> Option<TextArgument> {
    let pointer = call.first(Kind::SocketAddress)?;
    let length = pointer + 1;
    let given = call.arguments.get(length).is_some_and(|(_, kind)| *kind == Kind::Size);
    given.then_some(TextArgument::SocketAddress { pointer, length })
}

/// Whether a call takes effect at its start, as far as others can tell: what it gives up can be given to
/// somebody else before it returns. All others take effect at their end.
#[must_use]
pub fn releases(id: CallId) -> bool {
    let name = lookup::name(id).unwrap_or_default();
    matches!(name, "close" | "close_range" | "munmap" | "shmdt") || ends(name)
}

/// Whether a call has no end that could be seen: the thread is gone, or goes on where a signal had
/// interrupted it.
#[must_use]
pub fn does_not_return(id: CallId) -> bool {
    let name = lookup::name(id).unwrap_or_default();
    ends(name) || matches!(name, "rt_sigreturn" | "sigreturn")
}

fn ends(name: &str) -> bool {
    matches!(name, "exit" | "exit_group")
}

#[cfg(test)]
mod tests {
    use super::super::lookup::id;
    use super::*;

    fn text(name: &str) -> Option<TextArgument> {
        text_of(id(0, name).expect(name))
    }

    #[test]
    fn paths_are_found_by_what_the_arguments_are() {
        let cases =
            [("open", 0), ("openat", 1), ("rename", 0), ("symlink", 1), ("symlinkat", 2), ("execve", 0)];
        for (name, place) in cases {
            assert_eq!(text(name), Some(TextArgument::Path(place)), "{name}");
        }
        assert_eq!(text("memfd_create"), Some(TextArgument::Path(0)));
        assert_eq!(text("mq_open"), Some(TextArgument::Path(0)));
        assert_eq!(text("write"), None);
    }

    #[test]
    fn addresses_are_read_where_they_are_given_and_not_where_they_are_asked_for() {
        for name in ["connect", "bind"] {
            assert_eq!(text(name), Some(TextArgument::SocketAddress { pointer: 1, length: 2 }), "{name}");
        }
        assert_eq!(text("sendto"), Some(TextArgument::SocketAddress { pointer: 4, length: 5 }));
        assert_eq!(text("accept4"), None);
        assert_eq!(text("getpeername"), None);
    }

    #[test]
    fn what_is_written_into_memory_is_read_from_there() {
        assert_eq!(text("pipe2"), Some(TextArgument::Pair(0)));
        assert_eq!(text("socketpair"), Some(TextArgument::Pair(3)));
        assert_eq!(text("recvmmsg"), Some(TextArgument::Messages { pointer: 1, several: true }));
        assert_eq!(text_of(id(1, "recvmsg").unwrap()), None);
    }

    #[test]
    fn what_ends_a_thread_takes_effect_at_once_and_what_a_handler_does_has_no_end() {
        let id = |name| id(0, name).expect(name);
        assert!(releases(id("exit")) && does_not_return(id("exit")));
        assert!(releases(id("munmap")) && !does_not_return(id("munmap")));
        assert!(!releases(id("rt_sigreturn")) && does_not_return(id("rt_sigreturn")));
        assert!(!releases(id("openat")) && !does_not_return(id("openat")));
    }
}
