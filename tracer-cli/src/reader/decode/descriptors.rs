//! What calls do to descriptors.

use calltap_analyzers::event::{Action, Fd, OpenFlags, Stream};
use calltap_channel::function::{At, Effect};
use calltap_channel::record::{Record, Text};
use calltap_channel::{Family, Function, Kind};

use super::flags::{CLOSE_ON_EXEC, flags};
use super::{bytes_of, descriptor};

/// What a call did that is not about memory.
pub(super) fn action<'a>(record: &Record<'a>, function: Function, text: Option<&'a Text>) -> Action<'a> {
    let pair = || Some((descriptor(record.argument(0))?, descriptor(record.argument(1))?));
    match function.effect() {
        Effect::Close(at) => close(record.argument(usize::from(at)), record.errno()),
        _ if record.errno() != 0 => Action::None,
        Effect::CloseRange | Effect::CloseFrom => close_range(record, function),
        Effect::Open(kind, at) => open(record, function, kind, at, text),
        Effect::Duplicate => duplicate(record.argument(0), record.returned(), false),
        Effect::DuplicateOnto => match pair() {
            Some((from, onto)) if from != onto => {
                let on = function == Function::dup3 && record.argument(2) & CLOSE_ON_EXEC != 0;
                Action::DuplicatedOnto { from, onto, close_on_exec: Some(on) }
            }
            _ => Action::None,
        },
        Effect::Control => control(record),
        Effect::Receive => match record.arguments().get(1..) {
            Some(fds) if !fds.is_empty() => Action::Received { fds, flags: OpenFlags::default() },
            _ => Action::None,
        },
        Effect::Reopen(kind) => match pair() {
            Some((old, new)) => Action::Reopened { old, new, kind: kind.name(), path: bytes_of(text) },
            None => Action::None,
        },
        _ => streamed(record, function),
    }
}

fn open<'a>(
    record: &Record<'a>,
    function: Function,
    kind: Kind,
    at: At,
    text: Option<&'a Text>,
) -> Action<'a> {
    // signalfd on an existing descriptor changes it and makes none.
    if kind == Kind::Signalfd && descriptor(record.argument(0)).is_some() {
        return Action::None;
    }
    let (word, second) = match at {
        At::Returned => (record.returned(), None),
        At::Argument(at) => (record.argument(usize::from(at)), None),
        At::Pair(at) => (record.argument(usize::from(at)), descriptor(record.argument(usize::from(at) + 1))),
    };
    let (kind, flags) = (kind.name(), flags(record, function));
    match (descriptor(word), second) {
        (Some(fd), Some(other)) => Action::OpenedPair { fds: [fd, other], kind, flags },
        (Some(fd), None) => Action::Opened { fd, kind, path: bytes_of(text), flags },
        _ => Action::None,
    }
}

/// `fdopen` and `fdopendir` put a stream on a descriptor.
fn streamed<'a>(record: &Record<'_>, function: Function) -> Action<'a> {
    let stream = match function {
        Function::fdopen => Stream::File,
        Function::fdopendir => Stream::Directory,
        _ => return Action::None,
    };
    match descriptor(record.argument(0)) {
        Some(fd) => Action::Streamed { fd, stream },
        None => Action::None,
    }
}

/// The descriptor that a call works on and leaves open: input and output, what comes in through a
/// socket, what is copied or controlled.
pub(super) fn used(record: &Record<'_>, function: Function) -> Option<Fd> {
    let works_on_first = match function.family() {
        Family::Io => function.row().arguments.first().is_some_and(|argument| argument.kind == "Fd"),
        _ => {
            use Function::{accept, accept4, dup, dup2, dup3, fcntl, fcntl64, recvmmsg, recvmsg};
            matches!(function, accept | accept4 | recvmsg | recvmmsg | dup | dup2 | dup3 | fcntl | fcntl64)
        }
    };
    if works_on_first { descriptor(record.argument(0)) } else { None }
}

fn control<'a>(record: &Record<'_>) -> Action<'a> {
    match record.argument(1) as i32 {
        nix::libc::F_DUPFD => duplicate(record.argument(0), record.returned(), false),
        nix::libc::F_DUPFD_CLOEXEC => duplicate(record.argument(0), record.returned(), true),
        nix::libc::F_SETFD => match descriptor(record.argument(0)) {
            Some(fd) => {
                let on = record.argument(2) & nix::libc::FD_CLOEXEC as u64 != 0;
                Action::CloseOnExec { first: fd, last: fd, on }
            }
            None => Action::None,
        },
        _ => Action::None,
    }
}

fn duplicate<'a>(from: u64, to: u64, close_on_exec: bool) -> Action<'a> {
    match (descriptor(from), descriptor(to)) {
        (Some(from), Some(to)) => Action::Duplicated { from, to, close_on_exec: Some(close_on_exec) },
        _ => Action::None,
    }
}

/// Linux frees the number also when `close` reports EINTR or EIO (close(2), "NOTES"); only EBADF
/// means that nothing was open.
fn close<'a>(word: u64, errno: u16) -> Action<'a> {
    let bad = i32::from(errno) == nix::libc::EBADF;
    match descriptor(word) {
        Some(fd) if bad => Action::CloseFailed { fd },
        Some(fd) => Action::Closed { fd },
        None if bad => Action::CloseFailed { fd: Fd(word as u32 as i32) },
        None => Action::None,
    }
}

fn close_range<'a>(record: &Record<'_>, function: Function) -> Action<'a> {
    if function.effect() == Effect::CloseFrom {
        return Action::ClosedRange { first: Fd((record.argument(0) as i32).max(0)), last: Fd(i32::MAX) };
    }
    let bounded = |word: u64| Fd(i32::try_from(word as u32).unwrap_or(i32::MAX));
    let (first, last) = (bounded(record.argument(0)), bounded(record.argument(1)));
    if record.argument(2) as u32 & nix::libc::CLOSE_RANGE_CLOEXEC != 0 {
        return Action::CloseOnExec { first, last, on: true };
    }
    Action::ClosedRange { first, last }
}
