//! From a record's words to an event: by the effect that the list of functions gives.

use analyzers::event::{Action, Block, Event, Fd, FunctionId, Giver, Image, Thread};
use calltap_analyzers as analyzers;
use calltap_channel::function::{At, Bytes, Effect};
use calltap_channel::record::{self, Record, Text};
use calltap_channel::{Function, Kind};

use crate::calibration::Scale;

/// Whose record it is, and how to read its stamps.
#[derive(Clone, Copy, Debug)]
pub struct Context {
    /// The ring owner's process image.
    pub image: Image,
    /// The ring owner.
    pub thread: Thread,
    /// From ticks to nanoseconds.
    pub scale: Scale,
}

/// The event of a record whose action has been decoded.
#[inline]
#[must_use]
pub fn event<'a>(
    record: &Record<'_>,
    function: Function,
    action: Action<'a>,
    context: &Context,
) -> Event<'a> {
    let start_ns = context.scale.since_zero(record.start());
    let flags = record.flags();
    Event {
        image: context.image,
        thread: context.thread,
        function: FunctionId(function.number()),
        start_ns,
        end_ns: start_ns + context.scale.length(record.duration()),
        timed: flags & record::UNTIMED == 0,
        stopped_ns: 0,
        errno: record.errno(),
        site: record.site(),
        stack: record.stack(),
        vfork_child: flags & record::VFORK_CHILD != 0,
        action,
    }
}

/// The action of a call that gives or takes heap blocks; None for other functions.
#[inline]
#[must_use]
pub fn heap(record: &Record<'_>, function: Function) -> Option<Action<'static>> {
    let failed = record.errno() != 0;
    Some(match function.effect() {
        Effect::Allocate(giver, bytes) => {
            allocation(record.returned(), requested(record, bytes), giver_of(giver))
        }
        Effect::Free(giver) => match record.argument(0) {
            0 => Action::None,
            block => Action::Freed { block: Block(block), giver: giver_of(giver) },
        },
        Effect::Reallocate(bytes) => reallocation(record, requested(record, bytes)),
        Effect::AllocateAt(giver, bytes) => match record.argument(0) {
            // realpath into the caller's own buffer gives no block.
            0 if !failed => Action::None,
            block => {
                let block = if failed { 0 } else { block };
                allocation(block, requested(record, bytes), giver_of(giver))
            }
        },
        _ => return None,
    })
}

/// The action of any other call. `text` is the record's own, taken out before.
#[must_use]
pub fn action<'a>(record: &Record<'a>, function: Function, text: Option<&'a Text>) -> Action<'a> {
    let failed = record.errno() != 0;
    match function.effect() {
        Effect::None
        | Effect::Fork
        | Effect::Execute
        | Effect::Exit
        | Effect::NameThread
        | Effect::Allocate(..)
        | Effect::AllocateAt(..)
        | Effect::Reallocate(_)
        | Effect::Free(_) => Action::None,
        Effect::Close(at) => close(record.argument(usize::from(at)), record.errno()),
        Effect::CloseRange | Effect::CloseFrom if !failed => close_range(record, function),
        _ if failed => Action::None,
        Effect::Map => Action::Mapped {
            address: record.returned(),
            bytes: record.argument(1),
            fd: descriptor(record.argument(4)),
        },
        Effect::Unmap => Action::Unmapped { address: record.argument(0), bytes: record.argument(1) },
        Effect::Remap => Action::Remapped {
            old: record.argument(0),
            old_bytes: record.argument(1),
            new: record.returned(),
            new_bytes: record.argument(2),
        },
        Effect::Open(kind, at) => open(record, kind, at, text),
        Effect::Duplicate => duplicate(record.argument(0), record.returned()),
        Effect::DuplicateOnto => match (descriptor(record.argument(0)), descriptor(record.argument(1))) {
            (Some(from), Some(onto)) if from != onto => Action::DuplicatedOnto { from, onto },
            _ => Action::None,
        },
        Effect::Control => match record.argument(1) as i32 {
            nix::libc::F_DUPFD | nix::libc::F_DUPFD_CLOEXEC => {
                duplicate(record.argument(0), record.returned())
            }
            _ => Action::None,
        },
        Effect::Receive => match record.arguments().get(1..) {
            Some(fds) if !fds.is_empty() => Action::Received { fds },
            _ => Action::None,
        },
        Effect::Reopen(kind) => match (descriptor(record.argument(0)), descriptor(record.argument(1))) {
            (Some(old), Some(new)) => Action::Reopened { old, new, kind: kind.name(), path: bytes_of(text) },
            _ => Action::None,
        },
        Effect::CloseRange | Effect::CloseFrom => Action::None,
    }
}

fn giver_of(giver: calltap_channel::Giver) -> Giver {
    match giver {
        calltap_channel::Giver::C => Giver::C,
        calltap_channel::Giver::New => Giver::New,
        calltap_channel::Giver::NewArray => Giver::NewArray,
    }
}

fn requested(record: &Record<'_>, bytes: Bytes) -> u64 {
    match bytes {
        Bytes::In(at) => record.argument(usize::from(at)),
        Bytes::Product(at) => {
            let at = usize::from(at);
            record.argument(at).saturating_mul(record.argument(at + 1))
        }
    }
}

fn allocation<'a>(block: u64, bytes: u64, giver: Giver) -> Action<'a> {
    if block == 0 {
        Action::AllocationFailed { bytes }
    } else {
        Action::Allocated { block: Block(block), bytes, giver }
    }
}

/// `realloc`'s four meanings (C17 7.22.3.5 and glibc, where size 0 frees).
fn reallocation<'a>(record: &Record<'_>, bytes: u64) -> Action<'a> {
    match (record.argument(0), record.returned()) {
        (0, new) => allocation(new, bytes, Giver::C),
        (old, 0) if bytes == 0 => Action::Freed { block: Block(old), giver: Giver::C },
        (_, 0) => Action::AllocationFailed { bytes },
        (old, new) => Action::Reallocated { old: Block(old), new: Block(new), bytes },
    }
}

/// The descriptor in a word, None for -1 and other negative numbers.
fn descriptor(word: u64) -> Option<Fd> {
    let fd = word as u32 as i32;
    (fd >= 0).then_some(Fd(fd))
}

fn bytes_of(text: Option<&Text>) -> &[u8] {
    text.map_or(&[], Text::as_bytes)
}

fn open<'a>(record: &Record<'a>, kind: Kind, at: At, text: Option<&'a Text>) -> Action<'a> {
    // signalfd on an existing descriptor changes it and makes none.
    if kind == Kind::Signalfd && descriptor(record.argument(0)).is_some() {
        return Action::None;
    }
    let (word, second) = match at {
        At::Returned => (record.returned(), None),
        At::Argument(at) => (record.argument(usize::from(at)), None),
        At::Pair(at) => (record.argument(usize::from(at)), descriptor(record.argument(usize::from(at) + 1))),
    };
    match (descriptor(word), second) {
        (Some(fd), Some(other)) => Action::OpenedPair { fds: [fd, other], kind: kind.name() },
        (Some(fd), None) => Action::Opened { fd, kind: kind.name(), path: bytes_of(text) },
        _ => Action::None,
    }
}

fn duplicate<'a>(from: u64, to: u64) -> Action<'a> {
    match (descriptor(from), descriptor(to)) {
        (Some(from), Some(to)) => Action::Duplicated { from, to },
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
    let (first, last) = if function.effect() == Effect::CloseFrom {
        ((record.argument(0) as i32).max(0), i32::MAX)
    } else {
        // CLOSE_RANGE_CLOEXEC closes nothing yet.
        if record.argument(2) as u32 & nix::libc::CLOSE_RANGE_CLOEXEC != 0 {
            return Action::None;
        }
        let bounded = |word: u64| i32::try_from(word as u32).unwrap_or(i32::MAX);
        (bounded(record.argument(0)), bounded(record.argument(1)))
    };
    Action::ClosedRange { first: Fd(first), last: Fd(last) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibration::Calibration;
    use calltap_channel::clock::Clock;
    use calltap_channel::record::{PREFIX_WORDS, header, outcome};

    fn decoded(function: Function, errno: u16, returned: Option<u64>, arguments: &[u64]) -> String {
        let scale = Calibration::begin(Clock::Monotonic).end();
        let flags = if returned.is_none() { record::VOID } else { 0 };
        let length = PREFIX_WORDS + usize::from(returned.is_some()) + arguments.len();
        let mut words = vec![header(length, flags, function.number(), 0), 0, outcome(5, errno), 9];
        words.extend(returned);
        words.extend(arguments);
        let record = Record::parse(&words).unwrap();
        let context = Context { image: Image(1), thread: Thread(2), scale };
        let action = heap(&record, function).unwrap_or_else(|| action(&record, function, None));
        format!("{:?}", event(&record, function, action, &context).action)
    }

    #[test]
    fn realloc_has_four_meanings() {
        let realloc = |returned, old, size| decoded(Function::realloc, 0, Some(returned), &[old, size]);
        assert!(realloc(64, 0, 8).starts_with("Allocated"));
        assert!(realloc(0, 64, 0).starts_with("Freed"));
        assert!(realloc(0, 64, 8).starts_with("AllocationFailed"));
        assert!(realloc(96, 64, 8).starts_with("Reallocated"));
    }

    #[test]
    fn a_failed_close_closes_only_if_something_was_open() {
        let close = |errno| decoded(Function::close, errno, Some(u64::MAX), &[7]);
        assert!(close(nix::libc::EBADF as u16).starts_with("CloseFailed"));
        assert!(close(nix::libc::EINTR as u16).starts_with("Closed"));
    }

    #[test]
    fn freeing_null_is_no_release() {
        assert_eq!(decoded(Function::free, 0, None, &[0]), "None");
    }

    #[test]
    fn fcntl_makes_a_descriptor_only_when_asked_to_copy_one() {
        let fcntl = |command: i32| decoded(Function::fcntl, 0, Some(9), &[3, command as u64, 0]);
        assert!(fcntl(nix::libc::F_DUPFD_CLOEXEC).starts_with("Duplicated"));
        assert_eq!(fcntl(nix::libc::F_GETFL), "None");
    }
}
