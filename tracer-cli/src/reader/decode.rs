//! From a record's words to an event: by the effect that the list of functions gives.

mod descriptors;
mod flags;
mod limits;

use analyzers::event::{Action, Block, Event, Fd, FunctionId, Giver, Image, Thread};
use calltap_analyzers as analyzers;
use calltap_channel::function::{Bytes, Effect};
use calltap_channel::record::{self, Record, Text};
use calltap_channel::{Family, Function};
use nix::libc;

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
        errno: record.errno(),
        site: record.site(),
        stack: record.stack(),
        vfork_child: flags & record::VFORK_CHILD != 0,
        text: b"",
        used: None,
        action,
    }
}

/// The event of a call that is not about heap blocks. `text` is the record's own, taken out before.
#[must_use]
pub fn call<'a>(
    record: &Record<'a>,
    function: Function,
    text: Option<&'a Text>,
    context: &Context,
) -> Event<'a> {
    let action = action(record, function, text);
    let names_a_path = function.row().arguments.iter().any(|argument| argument.kind == "Path");
    let text = if names_a_path { bytes_of(text) } else { b"" };
    Event { text, used: descriptors::used(record, function), ..event(record, function, action, context) }
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

fn action<'a>(record: &Record<'a>, function: Function, text: Option<&'a Text>) -> Action<'a> {
    let failed = record.errno() != 0;
    match function.effect() {
        Effect::Unmap | Effect::Remap if failed => Action::None,
        Effect::Map => mapping(record, failed),
        Effect::Unmap => {
            Action::Unmapped { address: record.argument(0), bytes: possible(record.argument(1)) }
        }
        Effect::Remap => Action::Remapped {
            old: record.argument(0),
            old_bytes: possible(record.argument(1)),
            new: record.returned(),
            new_bytes: possible(record.argument(2)),
        },
        Effect::None if function.family() == Family::Memory => limits::action(record, function),
        _ => descriptors::action(record, function, text),
    }
}

/// `mmap(address, length, protection, flags, fd, offset)`.
fn mapping<'a>(record: &Record<'_>, failed: bool) -> Action<'a> {
    let bytes = record.argument(1);
    let (protection, flags) = (record.argument(2) as i32, record.argument(3) as i32);
    let is_anonymous = flags & libc::MAP_ANONYMOUS != 0;
    let reserves = protection == libc::PROT_NONE || flags & libc::MAP_NORESERVE != 0;
    match failed {
        false => {
            let fd = if is_anonymous { None } else { descriptor(record.argument(4)) };
            Action::Mapped { address: record.returned(), bytes: possible(bytes), fd, reserves }
        }
        true if is_anonymous && !reserves => Action::MapFailed { bytes },
        true => Action::None,
    }
}

fn giver_of(giver: calltap_channel::Giver) -> Giver {
    match giver {
        calltap_channel::Giver::C => Giver::C,
        calltap_channel::Giver::New => Giver::New,
        calltap_channel::Giver::NewArray => Giver::NewArray,
    }
}

/// The family of the blocks that a function gives or takes back, if it does.
pub fn heap_family(function: Function) -> Option<Giver> {
    match function.effect() {
        Effect::Allocate(giver, _) | Effect::AllocateAt(giver, _) | Effect::Free(giver) => {
            Some(giver_of(giver))
        }
        Effect::Reallocate(_) => Some(Giver::C),
        _ => None,
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
        Action::Allocated { block: Block(block), bytes: possible(bytes), giver }
    }
}

/// What there can have been room for: the half of the address space that programs have. Only who scribbles over the
/// rings tells of more, and no sum of that may overflow.
fn possible(bytes: u64) -> u64 {
    const MOST: u64 = 1 << 47;
    bytes.min(MOST)
}

/// `realloc`'s four meanings (C17 7.22.3.5 and glibc, where size 0 frees).
fn reallocation<'a>(record: &Record<'_>, bytes: u64) -> Action<'a> {
    match (record.argument(0), record.returned()) {
        (0, new) => allocation(new, bytes, Giver::C),
        (old, 0) if bytes == 0 => Action::Freed { block: Block(old), giver: Giver::C },
        (_, 0) => Action::AllocationFailed { bytes },
        (old, new) => Action::Reallocated { old: Block(old), new: Block(new), bytes: possible(bytes) },
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
        let action =
            heap(&record, function).unwrap_or_else(|| call(&record, function, None, &context).action);
        format!("{action:?}")
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

    #[test]
    fn whether_an_exec_closes_it_is_in_each_calls_own_flags() {
        const CLOEXEC: u64 = nix::libc::O_CLOEXEC as u64;
        for (function, arguments, closes) in [
            (Function::open, &[CLOEXEC, 0][..], "Some(true)"),
            (Function::openat64, &[3, 0, 0], "Some(false)"),
            (Function::mkostemp, &[CLOEXEC], "Some(true)"),
            (Function::socket, &[1, 1 | CLOEXEC, 0], "Some(true)"),
            (Function::socketpair, &[7, 8, 1, 1], "Some(false)"),
            (Function::accept, &[3, 0, 0], "Some(false)"),
            (Function::accept4, &[3, 0, 0, CLOEXEC], "Some(true)"),
            (Function::pipe, &[7, 8], "Some(false)"),
            (Function::pipe2, &[7, 8, CLOEXEC], "Some(true)"),
            (Function::memfd_create, &[1], "Some(true)"),
            (Function::pidfd_open, &[1, 0], "Some(true)"),
            (Function::dup3, &[3, 7, CLOEXEC], "Some(true)"),
            (Function::dup, &[3], "Some(false)"),
            (Function::fopen, &[7], "None"),
        ] {
            let told = decoded(function, 0, Some(7), arguments);
            assert!(told.contains(&format!("close_on_exec: {closes}")), "{}: {told}", function.name());
        }
    }

    #[test]
    fn descriptor_flags_and_streams_are_told() {
        let set = |flag| decoded(Function::fcntl, 0, Some(0), &[3, nix::libc::F_SETFD as u64, flag]);
        assert_eq!(set(1), "CloseOnExec { first: Fd(3), last: Fd(3), on: true }");
        assert!(set(0).contains("on: false"));
        assert!(decoded(Function::close_range, 0, Some(0), &[3, 9, 4]).starts_with("CloseOnExec"));
        assert_eq!(decoded(Function::fdopen, 0, Some(64), &[3, 0]), "Streamed { fd: Fd(3), stream: File }");
        assert_eq!(decoded(Function::fdopen, 22, Some(0), &[3, 0]), "None");
    }

    #[test]
    fn a_mapping_without_access_or_swap_space_only_reserves_addresses() {
        let mmap = |returned: i64, protection: i32, flags: i32, fd: u64| {
            let arguments = [0, 4096, protection as u64, flags as u64, fd, 0];
            decoded(Function::mmap, if returned < 0 { 12 } else { 0 }, Some(returned as u64), &arguments)
        };
        let (both, anonymous) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        assert!(mmap(64, both, anonymous, u64::MAX).contains("fd: None, reserves: false"));
        assert!(mmap(64, libc::PROT_NONE, anonymous, 3).contains("fd: None, reserves: true"));
        assert!(mmap(64, both, anonymous | libc::MAP_NORESERVE, 3).contains("reserves: true"));
        assert!(mmap(64, libc::PROT_READ, libc::MAP_SHARED, 3).contains("fd: Some(Fd(3))"));
        assert_eq!(mmap(-1, both, anonymous, u64::MAX), "MapFailed { bytes: 4096 }");
        assert_eq!(mmap(-1, libc::PROT_NONE, anonymous, u64::MAX), "None");
        assert_eq!(mmap(-1, both, libc::MAP_PRIVATE, 3), "None");
    }

    #[test]
    fn limits_are_read_from_what_each_function_tells() {
        const NOFILE: u64 = libc::RLIMIT_NOFILE as u64;
        let getrlimit = decoded(Function::getrlimit, 0, Some(0), &[NOFILE, 1024, u64::MAX]);
        assert_eq!(
            getrlimit,
            r#"LimitRead { limit: "RLIMIT_NOFILE", value: Some(1024), hard: None, counts: true }"#
        );
        assert_eq!(decoded(Function::getrlimit64, 14, Some(u64::MAX), &[NOFILE, 0, 0]), "None");
        let prlimit = |process, old| decoded(Function::prlimit, 0, Some(0), &[process, NOFILE, old, 7, 9]);
        assert!(prlimit(0, 64).contains("value: Some(7), hard: Some(9)"));
        assert_eq!((prlimit(0, 0), prlimit(4711, 64)), ("None".to_owned(), "None".to_owned()));
        let sysconf =
            |name: i32, value: i64| decoded(Function::sysconf, 0, Some(value as u64), &[name as u64]);
        assert!(sysconf(libc::_SC_OPEN_MAX, 20_000).contains(r#""_SC_OPEN_MAX", value: Some(20000)"#));
        assert!(sysconf(libc::_SC_CHILD_MAX, -1).contains("value: None"));
        assert_eq!(sysconf(libc::_SC_PAGESIZE, 4096), "None", "it is no limit");
        let table = decoded(Function::getdtablesize, 0, Some(1024), &[]);
        assert_eq!(table, r#"LimitRead { limit: "", value: Some(1024), hard: None, counts: true }"#);
        let stack = decoded(Function::getrlimit, 0, Some(0), &[libc::RLIMIT_STACK.into(), 1 << 23, 1 << 23]);
        assert!(stack.contains("RLIMIT_STACK") && stack.contains("counts: false"));
    }

    #[test]
    fn input_and_output_use_their_descriptor_and_other_calls_use_none() {
        let used = |function: Function, first: u64| {
            let mut words = vec![header(PREFIX_WORDS + 4, 0, function.number(), 0), 0, outcome(5, 9), 9, 0];
            words.extend([first, 0, 0]);
            descriptors::used(&Record::parse(&words).unwrap(), function)
        };
        assert_eq!(used(Function::read, 3), Some(Fd(3)));
        assert_eq!(used(Function::accept, 3), Some(Fd(3)));
        assert_eq!(used(Function::write, u64::MAX), None);
        assert_eq!(used(Function::poll, 3), None);
        assert_eq!(used(Function::close, 3), None);
    }
}
