//! The flags of calls that open.

use calltap_analyzers::event::OpenFlags;
use calltap_channel::Function;
use calltap_channel::record::Record;

/// `O_CLOEXEC`, which `SOCK_`, `EPOLL_`, `EFD_`, `SFD_`, `TFD_` and `IN_CLOEXEC` are as well.
pub(super) const CLOSE_ON_EXEC: u64 = nix::libc::O_CLOEXEC as u64;
/// `MFD_`, `FAN_`, `FSOPEN_`, `FSPICK_` and `FSMOUNT_CLOEXEC`.
const FIRST_BIT: u64 = 1;

/// The flags of a call that opens. What happens in an exec is unknown where the record does not tell
/// (`fopen`'s mode) and the system call inside decides.
pub(super) fn flags(record: &Record<'_>, function: Function) -> OpenFlags {
    let given = |at, bit| {
        let word: u64 = record.argument(at);
        OpenFlags { word: Some(word as u32), close_on_exec: Some(word & bit != 0) }
    };
    let fixed = |close_on_exec| OpenFlags { word: None, close_on_exec: Some(close_on_exec) };
    match function {
        Function::open | Function::open64 | Function::__open_2 | Function::__open64_2 => {
            given(0, CLOSE_ON_EXEC)
        }
        Function::openat | Function::openat64 | Function::__openat_2 | Function::__openat64_2 => {
            given(1, CLOSE_ON_EXEC)
        }
        Function::open_by_handle_at => given(2, CLOSE_ON_EXEC),
        Function::mkostemp | Function::mkostemp64 | Function::posix_openpt => given(0, CLOSE_ON_EXEC),
        Function::mkostemps | Function::mkostemps64 => given(1, CLOSE_ON_EXEC),
        Function::creat
        | Function::creat64
        | Function::mkstemp
        | Function::mkstemp64
        | Function::mkstemps
        | Function::mkstemps64
        | Function::accept
        | Function::pipe
        | Function::epoll_create
        | Function::inotify_init
        | Function::getpt
        | Function::openpty
        | Function::forkpty => fixed(false),
        // The kernel, or libc, always asks for it.
        Function::opendir
        | Function::shm_open
        | Function::mq_open
        | Function::pidfd_open
        | Function::pidfd_getfd => fixed(true),
        Function::socket | Function::eventfd | Function::signalfd | Function::timerfd_create => {
            given(1, CLOSE_ON_EXEC)
        }
        Function::socketpair | Function::accept4 => given(3, CLOSE_ON_EXEC),
        Function::pipe2 => given(2, CLOSE_ON_EXEC),
        Function::open_tree => given(1, CLOSE_ON_EXEC),
        Function::epoll_create1 | Function::inotify_init1 | Function::memfd_secret => given(0, CLOSE_ON_EXEC),
        Function::fanotify_init | Function::memfd_create | Function::fsopen => given(0, FIRST_BIT),
        Function::fspick | Function::fsmount => given(1, FIRST_BIT),
        _ => OpenFlags::default(),
    }
}
