//! Calls that are in a class by their names: what neither numbers nor arguments tell.
//!
//! A test compares the classes with strace's.

/// Beside those that always return one.
pub(super) const FD: [&str; 14] = [
    "close",
    "close_range",
    "pipe",
    "pipe2",
    "socketpair",
    "recvmsg",
    "recvmmsg",
    "recvmmsg_time64",
    "bpf",
    "fcntl",
    "fcntl64",
    "ioctl",
    "seccomp",
    "socketcall",
];

pub(super) const MEMORY: [&str; 30] = [
    "break",
    "brk",
    "get_mempolicy",
    "io_destroy",
    "io_setup",
    "io_uring_register",
    "madvise",
    "map_shadow_stack",
    "mbind",
    "migrate_pages",
    "mincore",
    "mlock",
    "mlock2",
    "mlockall",
    "mmap",
    "mmap2",
    "move_pages",
    "mprotect",
    "mremap",
    "mseal",
    "msync",
    "munlock",
    "munlockall",
    "munmap",
    "pkey_mprotect",
    "remap_file_pages",
    "set_mempolicy",
    "set_mempolicy_home_node",
    "shmat",
    "shmdt",
];

pub(super) const PROCESS: [&str; 17] = [
    "clone",
    "clone3",
    "execve",
    "execveat",
    "exit",
    "exit_group",
    "fork",
    "kill",
    "pidfd_send_signal",
    "rt_sigqueueinfo",
    "rt_tgsigqueueinfo",
    "tgkill",
    "tkill",
    "vfork",
    "wait4",
    "waitid",
    "waitpid",
];

pub(super) const NETWORK_WITHOUT_SOCKET: [&str; 7] =
    ["getpmsg", "putpmsg", "sendfile", "sendfile64", "socket", "socketcall", "socketpair"];

pub(super) const FILE_WITHOUT_PATH: [&str; 4] = ["fsconfig", "getcwd", "quotactl", "umount"];

pub(super) const SIGNAL: [&str; 26] = [
    "io_uring_enter",
    "kill",
    "pause",
    "pidfd_send_signal",
    "rt_sigaction",
    "rt_sigpending",
    "rt_sigprocmask",
    "rt_sigqueueinfo",
    "rt_sigreturn",
    "rt_sigsuspend",
    "rt_sigtimedwait",
    "rt_sigtimedwait_time64",
    "rt_tgsigqueueinfo",
    "sgetmask",
    "sigaction",
    "sigaltstack",
    "signal",
    "signalfd",
    "signalfd4",
    "sigpending",
    "sigprocmask",
    "sigreturn",
    "sigsuspend",
    "ssetmask",
    "tgkill",
    "tkill",
];

pub(super) const IPC: [&str; 14] = [
    "ipc",
    "msgctl",
    "msgget",
    "msgrcv",
    "msgsnd",
    "semctl",
    "semget",
    "semop",
    "semtimedop",
    "semtimedop_time64",
    "shmat",
    "shmctl",
    "shmdt",
    "shmget",
];

/// Their descriptors are in memory, and so not among the arguments, or the table's source does not
/// describe the call (`kexec_file_load`).
pub(super) const DESC_IN_MEMORY: [&str; 12] = [
    "_newselect",
    "bpf",
    "fstatat64",
    "kexec_file_load",
    "pipe",
    "pipe2",
    "poll",
    "ppoll",
    "ppoll_time64",
    "pselect6",
    "pselect6_time64",
    "select",
];

/// Descriptors are arguments of theirs, or can be, but not what they are about.
pub(super) const NOT_DESC: [&str; 3] = ["kcmp", "socket", "waitid"];

pub(super) const CREDS: [&str; 3] = ["capget", "capset", "prctl"];

pub(super) const CLOCK: [&str; 12] = [
    "adjtimex",
    "clock_adjtime",
    "clock_adjtime64",
    "clock_getres",
    "clock_getres_time64",
    "clock_gettime",
    "clock_gettime64",
    "clock_settime",
    "clock_settime64",
    "gettimeofday",
    "settimeofday",
    "time",
];

pub(super) const PURE: [&str; 12] = [
    "getegid",
    "getegid32",
    "geteuid",
    "geteuid32",
    "getgid",
    "getgid32",
    "getpgrp",
    "getpid",
    "getppid",
    "gettid",
    "getuid",
    "getuid32",
];
