//! Which system call does what.

use super::{SystemCall, descriptor};
use crate::event::OpenFlags;

/// `O_CLOEXEC`, which `SOCK_`, `EPOLL_`, `EFD_`, `SFD_`, `TFD_` and `IN_CLOEXEC` are as well.
const CLOSE_ON_EXEC: u64 = 0o2_000_000;
const CLONE_PIDFD: u64 = 0x1000;
const SET_MODE_FILTER: u64 = 1;
const NEW_LISTENER: u64 = 1 << 3;
const MSG_CMSG_CLOEXEC: u64 = 0x4000_0000;

/// What a call did that succeeded, except for [`Effect::Close`].
pub(super) enum Effect {
    /// Made the descriptor that it returned: of this kind, asked for with these flags.
    Open(&'static str, OpenFlags),
    /// The same, and its text is the path.
    OpenPath(&'static str, OpenFlags),
    /// The same, and its text is the peer's address.
    Accept(OpenFlags),
    /// Made descriptors that its text has as numbers of four bytes.
    OpenTold(&'static str, OpenFlags),
    /// Copied its first argument to the descriptor that it returned.
    Duplicate(bool),
    /// Copied its first argument onto the second.
    DuplicateOnto(bool),
    /// Tied its first argument to the address in its text.
    Address { is_peer: bool },
    /// Changed whether an exec closes its first argument.
    CloseOnExec(bool),
    /// Changed whether an exec closes the range from its first argument to the second: it does now.
    CloseOnExecRange,
    /// Closed its first argument.
    Close,
    /// Closed the range from its first argument to the second.
    CloseRange,
    /// Nothing.
    None,
}

pub(super) fn effect(call: &SystemCall<'_>) -> Effect {
    let [a0, a1, a2, a3, a4, _] = call.arguments;
    let always = OpenFlags { word: None, close_on_exec: Some(true) };
    let never = OpenFlags { word: None, close_on_exec: Some(false) };
    match call.name {
        "open" => Effect::OpenPath("file", flags(a1, CLOSE_ON_EXEC)),
        "openat" | "open_by_handle_at" => Effect::OpenPath("file", flags(a2, CLOSE_ON_EXEC)),
        "openat2" => Effect::OpenPath("file", OpenFlags::default()),
        "creat" => Effect::OpenPath("file", never),
        "socket" => Effect::Open("socket", flags(a1, CLOSE_ON_EXEC)),
        "accept" => Effect::Accept(never),
        "accept4" => Effect::Accept(flags(a3, CLOSE_ON_EXEC)),
        "socketpair" => Effect::OpenTold("socket", flags(a1, CLOSE_ON_EXEC)),
        "socketcall" => socket_call(a0),
        "connect" => Effect::Address { is_peer: true },
        "bind" => Effect::Address { is_peer: false },
        "pipe" => Effect::OpenTold("pipe", never),
        "pipe2" => Effect::OpenTold("pipe", flags(a1, CLOSE_ON_EXEC)),
        "recvmsg" => Effect::OpenTold("received", received(a2)),
        "recvmmsg" | "recvmmsg_time64" => Effect::OpenTold("received", received(a3)),
        "dup" => Effect::Duplicate(false),
        "dup2" => Effect::DuplicateOnto(false),
        "dup3" => Effect::DuplicateOnto(a2 & CLOSE_ON_EXEC != 0),
        "fcntl" | "fcntl64" => control(a1, a2),
        "ioctl" => device_control(a1),
        "close" => Effect::Close,
        "close_range" => close_range(a2),
        "epoll_create" => Effect::Open("epoll", never),
        "epoll_create1" => Effect::Open("epoll", flags(a0, CLOSE_ON_EXEC)),
        "eventfd" => Effect::Open("eventfd", never),
        "eventfd2" => Effect::Open("eventfd", flags(a1, CLOSE_ON_EXEC)),
        "timerfd_create" => Effect::Open("timerfd", flags(a1, CLOSE_ON_EXEC)),
        // On a descriptor that is one already it changes that and makes none.
        "signalfd" | "signalfd4" if descriptor(a0).is_some() => Effect::None,
        "signalfd" => Effect::Open("signalfd", never),
        "signalfd4" => Effect::Open("signalfd", flags(a3, CLOSE_ON_EXEC)),
        "inotify_init" => Effect::Open("inotify", never),
        "inotify_init1" => Effect::Open("inotify", flags(a0, CLOSE_ON_EXEC)),
        "fanotify_init" => Effect::Open("fanotify", flags(a0, 1)),
        "memfd_create" => Effect::OpenPath("memfd", flags(a1, 1)),
        "memfd_secret" => Effect::Open("memfd", flags(a0, CLOSE_ON_EXEC)),
        "pidfd_open" => Effect::Open("pidfd", always),
        "pidfd_getfd" => Effect::Open("received", always),
        "clone" if a0 & CLONE_PIDFD != 0 => Effect::OpenTold("pidfd", always),
        "clone3" => Effect::OpenTold("pidfd", always),
        "userfaultfd" => Effect::Open("userfaultfd", flags(a0, CLOSE_ON_EXEC)),
        "perf_event_open" => Effect::Open("perf-event", flags(a4, 8)),
        "bpf" if makes_bpf_descriptor(a0) => Effect::Open("bpf", always),
        "io_uring_setup" => Effect::Open("io_uring", always),
        "fsopen" => Effect::OpenPath("mount", flags(a1, 1)),
        "fsmount" => Effect::Open("mount", flags(a1, 1)),
        "fspick" => Effect::OpenPath("mount", flags(a2, 1)),
        "open_tree" => Effect::OpenPath("mount", flags(a2, CLOSE_ON_EXEC)),
        "mq_open" => Effect::OpenPath("message-queue", OpenFlags { word: Some(a1 as u32), ..always }),
        // With a flag it only tells its version.
        "landlock_create_ruleset" if a2 == 0 => Effect::Open("landlock", always),
        "seccomp" if a0 == SET_MODE_FILTER && a1 & NEW_LISTENER != 0 => Effect::Open("seccomp", always),
        _ => Effect::None,
    }
}

fn flags(word: u64, close_on_exec: u64) -> OpenFlags {
    OpenFlags { word: Some(word as u32), close_on_exec: Some(word & close_on_exec != 0) }
}

fn received(flags: u64) -> OpenFlags {
    OpenFlags { word: None, close_on_exec: Some(flags & MSG_CMSG_CLOEXEC != 0) }
}

/// `fcntl`'s command, and what is passed with it.
fn control(command: u64, argument: u64) -> Effect {
    const F_DUPFD: u32 = 0;
    const F_SETFD: u32 = 2;
    const F_DUPFD_CLOEXEC: u32 = 1030;
    match command as u32 {
        F_DUPFD => Effect::Duplicate(false),
        F_DUPFD_CLOEXEC => Effect::Duplicate(true),
        F_SETFD => Effect::CloseOnExec(argument & 1 != 0),
        _ => Effect::None,
    }
}

fn device_control(request: u64) -> Effect {
    const FIONCLEX: u32 = 0x5450;
    const FIOCLEX: u32 = 0x5451;
    match request as u32 {
        FIOCLEX => Effect::CloseOnExec(true),
        FIONCLEX => Effect::CloseOnExec(false),
        _ => Effect::None,
    }
}

fn close_range(flags: u64) -> Effect {
    const CLOSE_RANGE_CLOEXEC: u64 = 1 << 2;
    if flags & CLOSE_RANGE_CLOEXEC != 0 { Effect::CloseOnExecRange } else { Effect::CloseRange }
}

/// The one call of 32-bit programs for all that sockets do; its flags are in memory.
fn socket_call(which: u64) -> Effect {
    let unknown = OpenFlags::default();
    match which {
        1 => Effect::Open("socket", unknown),
        5 => Effect::Open("socket", OpenFlags { close_on_exec: Some(false), ..unknown }),
        18 => Effect::Open("socket", unknown),
        8 => Effect::OpenTold("socket", unknown),
        17 | 19 => Effect::OpenTold("received", unknown),
        _ => Effect::None,
    }
}

/// Whether a command of `bpf` (enum bpf_cmd in linux/bpf.h) returns a descriptor.
fn makes_bpf_descriptor(command: u64) -> bool {
    matches!(command, 0 | 5 | 7 | 13 | 14 | 17 | 18 | 19 | 28 | 30 | 32 | 33 | 36)
}
