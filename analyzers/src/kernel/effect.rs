//! What a system call does to descriptors, in the terms of library calls.

mod calls;

use super::SystemCall;
use crate::event::{Action, Event, Fd, FunctionId};
use calls::{Effect, effect};

const BAD_DESCRIPTOR: u16 = 9;

/// Tells what a system call did to descriptors, as events of the image and thread that made it.
pub(crate) fn effects<'a>(call: &SystemCall<'a>, tell: &mut impl FnMut(Event<'a>)) {
    let event = Event {
        image: call.image,
        thread: call.thread,
        function: FunctionId::of_system_call(call.id),
        start_ns: call.start_ns,
        end_ns: call.end_ns,
        timed: !call.entry_only,
        errno: call.errno(),
        site: call.site,
        stack: call.stack,
        vfork_child: false,
        text: b"",
        used: if uses_first(call.name) { descriptor(call.arguments[0]) } else { None },
        action: Action::None,
    };
    let mut told = false;
    actions(call, &mut |action| {
        // The first event stands for the call; what follows is only what else it did.
        let used = if told { None } else { event.used };
        told = true;
        tell(Event { used, action, ..event });
    });
    if !told && (event.used.is_some() || event.errno != 0) {
        tell(event);
    }
}

/// Whether a system call succeeded in making a descriptor.
pub(super) fn makes_descriptor(call: &SystemCall<'_>) -> bool {
    let mut makes = false;
    actions(call, &mut |action| {
        makes |= matches!(
            action,
            Action::Opened { .. } | Action::Duplicated { .. } | Action::DuplicatedOnto { .. }
        );
    });
    makes
}

fn actions<'a>(call: &SystemCall<'a>, tell: &mut impl FnMut(Action<'a>)) {
    let [first, second, ..] = call.arguments;
    let effect = effect(call);
    if call.errno() != 0 {
        if matches!(effect, Effect::Close) {
            failed_close(call, tell);
        }
        return;
    }
    let opened = |kind, path, flags, tell: &mut dyn FnMut(Action<'a>)| {
        if let Some(fd) = descriptor(call.result as u64) {
            tell(Action::Opened { fd, kind, path, flags });
        }
    };
    match effect {
        Effect::Open(kind, flags) => opened(kind, b"", flags, tell),
        Effect::OpenPath(kind, flags) => opened(kind, call.text, flags, tell),
        Effect::Accept(flags) => {
            opened("socket", b"", flags, tell);
            if let Some(fd) = descriptor(call.result as u64).filter(|_| !call.text.is_empty()) {
                tell(Action::Addressed { fd, address: call.text, is_peer: true });
            }
        }
        Effect::OpenTold(kind, flags) => {
            for fd in told(call.text) {
                tell(Action::Opened { fd, kind, path: b"", flags });
            }
        }
        Effect::Duplicate(close_on_exec) => {
            if let (Some(from), Some(to)) = (descriptor(first), descriptor(call.result as u64)) {
                tell(Action::Duplicated { from, to, close_on_exec: Some(close_on_exec) });
            }
        }
        Effect::DuplicateOnto(close_on_exec) => match (descriptor(first), descriptor(second)) {
            (Some(from), Some(onto)) if from != onto => {
                tell(Action::DuplicatedOnto { from, onto, close_on_exec: Some(close_on_exec) });
            }
            _ => {}
        },
        Effect::Address { is_peer } => {
            if let Some(fd) = descriptor(first) {
                tell(Action::Addressed { fd, address: call.text, is_peer });
            }
        }
        Effect::CloseOnExec(on) => {
            if let Some(fd) = descriptor(first) {
                tell(Action::CloseOnExec { first: fd, last: fd, on });
            }
        }
        Effect::CloseOnExecRange => {
            tell(Action::CloseOnExec { first: bounded(first), last: bounded(second), on: true });
        }
        Effect::Close => {
            if let Some(fd) = descriptor(first) {
                tell(Action::Closed { fd });
            }
        }
        Effect::CloseRange => tell(Action::ClosedRange { first: bounded(first), last: bounded(second) }),
        Effect::None => {}
    }
}

/// Linux frees the number also when `close` reports EINTR or EIO (close(2), "NOTES"); only EBADF
/// means that nothing was open.
fn failed_close<'a>(call: &SystemCall<'a>, tell: &mut impl FnMut(Action<'a>)) {
    let number = Fd(call.arguments[0] as u32 as i32);
    if call.errno() == BAD_DESCRIPTOR {
        tell(Action::CloseFailed { fd: number });
    } else if let Some(fd) = descriptor(call.arguments[0]) {
        tell(Action::Closed { fd });
    }
}

/// Whether a call works on its first argument, a descriptor, in earnest: those that only ask
/// (`fstat`, `fcntl`) are also used to find out whether a descriptor is open.
fn uses_first(name: &str) -> bool {
    matches!(
        name,
        "read"
            | "write"
            | "pread64"
            | "pwrite64"
            | "readv"
            | "writev"
            | "preadv"
            | "pwritev"
            | "preadv2"
            | "pwritev2"
            | "sendto"
            | "recvfrom"
            | "sendmsg"
            | "recvmsg"
            | "sendmmsg"
            | "recvmmsg"
            | "connect"
            | "bind"
            | "listen"
            | "accept"
            | "accept4"
            | "shutdown"
            | "fsync"
            | "fdatasync"
            | "ftruncate"
            | "fallocate"
            | "sendfile"
            | "splice"
            | "getdents"
            | "getdents64"
            | "epoll_wait"
            | "epoll_pwait"
            | "epoll_pwait2"
            | "timerfd_settime"
    )
}

/// The descriptor in a register, None for -1 and other negative numbers.
fn descriptor(word: u64) -> Option<Fd> {
    let fd = word as u32 as i32;
    (fd >= 0).then_some(Fd(fd))
}

fn bounded(word: u64) -> Fd {
    Fd(i32::try_from(word as u32).unwrap_or(i32::MAX))
}

fn told(text: &[u8]) -> impl Iterator<Item = Fd> + '_ {
    text.chunks_exact(4).filter_map(|bytes| {
        let number = i32::from_le_bytes(bytes.try_into().ok()?);
        (number >= 0).then_some(Fd(number))
    })
}

#[cfg(test)]
mod tests;
