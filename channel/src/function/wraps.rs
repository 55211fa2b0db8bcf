//! Which functions are plain wrappers of one system call each.

use super::Function;

impl Function {
    /// The number (x86-64) of the one system call that the function makes of its arguments in glibc,
    /// where that has five arguments or fewer: the hook leaves the session's tag in the sixth argument
    /// register, and such a wrapper does not touch it.
    ///
    /// Where a C library's wrapper does otherwise, the tracer sees the call beside the record.
    #[must_use]
    pub const fn wraps(self) -> Option<u32> {
        Some(match self {
            Self::open | Self::open64 | Self::openat | Self::openat64 => 257,
            Self::__open_2 | Self::__open64_2 | Self::__openat_2 | Self::__openat64_2 => 257,
            Self::creat | Self::creat64 => 85,
            Self::open_by_handle_at => 304,
            Self::socket => 41,
            Self::socketpair => 53,
            Self::accept => 43,
            Self::accept4 => 288,
            Self::pipe | Self::pipe2 => 293,
            Self::recvmsg => 47,
            Self::recvmmsg => 299,
            Self::dup => 32,
            Self::dup2 => 33,
            Self::dup3 => 292,
            Self::fcntl | Self::fcntl64 => 72,
            Self::close | Self::__close | Self::mq_close => 3,
            Self::close_range => 436,
            Self::epoll_create => 213,
            Self::epoll_create1 => 291,
            Self::eventfd => 290,
            Self::signalfd => 289,
            Self::timerfd_create => 283,
            Self::inotify_init => 253,
            Self::inotify_init1 => 294,
            Self::fanotify_init => 300,
            Self::memfd_create => 319,
            Self::memfd_secret => 447,
            Self::pidfd_open => 434,
            Self::pidfd_getfd => 438,
            Self::fsopen => 430,
            Self::fsmount => 432,
            Self::fspick => 433,
            Self::open_tree => 428,
            Self::munmap => 11,
            Self::mremap => 25,
            Self::read | Self::__read_chk => 0,
            Self::write => 1,
            Self::poll => 7,
            Self::pread | Self::pread64 => 17,
            Self::pwrite | Self::pwrite64 => 18,
            Self::readv => 19,
            Self::writev => 20,
            Self::connect => 42,
            Self::sendmsg => 46,
            Self::fsync => 74,
            Self::fdatasync => 75,
            Self::epoll_wait => 232,
            Self::ppoll => 271,
            _ => return None,
        })
    }
}
