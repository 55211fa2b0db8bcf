//! Calls that belong to class `fd` with some of their arguments only.

/// A call is meant if the low half of one of its arguments is among some values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Condition {
    /// Place of the argument, from 0.
    pub(super) argument: usize,
    pub(super) values: &'static [u32],
}

impl Condition {
    /// Whether it holds.
    pub(super) fn holds(&self, arguments: &[u64; 6]) -> bool {
        self.values.contains(&(arguments[self.argument] as u32))
    }
}

/// When a call of class `fd` makes, copies, closes or passes on a descriptor. `None`: always, or that
/// cannot be seen in its arguments.
pub(super) fn condition(name: &str) -> Option<Condition> {
    let (argument, values): (usize, &[u32]) = match name {
        "fcntl" | "fcntl64" => (1, &FCNTL),
        "ioctl" => (1, &IOCTL),
        "socketcall" => (0, &SOCKETCALL),
        "bpf" => (0, &BPF),
        "seccomp" => (0, &SECCOMP),
        _ => return None,
    };
    Some(Condition { argument, values })
}

/// Copies, and the flag that has a descriptor closed at exec (fcntl(2)).
const FCNTL: [u32; 3] = [libc::F_DUPFD as u32, libc::F_DUPFD_CLOEXEC as u32, libc::F_SETFD as u32];

/// The same flag, and what opens a terminal's other side (ioctl_fd(2), ioctl_tty(2)).
const IOCTL: [u32; 3] = [libc::FIOCLEX as u32, libc::FIONCLEX as u32, libc::TIOCGPTPEER as u32];

/// `socket`, `accept`, `socketpair`, `recvmsg`, `accept4`, `recvmmsg` (linux/net.h).
const SOCKETCALL: [u32; 6] = [1, 5, 8, 17, 18, 19];

/// Commands that return a descriptor (bpf(2), linux/bpf.h): maps, programs, objects in the file system,
/// by id, tracepoints, type information, links, statistics, iterators, tokens.
const BPF: [u32; 13] = [0, 5, 7, 13, 14, 17, 18, 19, 28, 30, 32, 33, 36];

/// Installing a filter, which can give a descriptor to listen on (seccomp(2)).
const SECCOMP: [u32; 1] = [libc::SECCOMP_SET_MODE_FILTER];
