//! When a library call has failed, and why.
//!
//! C functions have no common way to say so, and `errno` keeps its value when they succeed. A call counts as failed
//! - if it is one of `pthread_*` and `posix_*` that give an error number, and that is not 0;
//! - if an `int` or a `long` is -1, or a pointer `NULL` or `MAP_FAILED`, and `errno` is another than it was when the
//!   thread's call before had returned;
//! - also if `errno` is the same, but not 0, when the function is one of the C library whose -1 always means failure
//!   (comparing and reading a character, which may give -1 otherwise, are none), or one of those that
//!   [set `errno` whenever they give `NULL`](SET_WITH_NULL).
//!
//! Without a prototype nothing is known.

use crate::prototype::types::Kind;
use crate::trace::event::Function;

/// How a function says that it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Convention {
    /// It does not, or nobody knows.
    None,
    /// By -1; `sets` if that always comes with `errno` set.
    MinusOne {
        /// `errno` is set then, even if it has the same value as before.
        sets: bool,
    },
    /// By `NULL` or `MAP_FAILED`; `sets` as above.
    Null {
        /// `errno` is set then, even if it has the same value as before.
        sets: bool,
    },
    /// By giving an error number.
    Number,
}

/// Functions of the C library whose -1 may be an ordinary result: it says nothing if `errno` is as before.
const ORDINARY: [&str; 43] = [
    "getopt",
    "getopt_long",
    "getopt_long_only",
    "strcmp",
    "strncmp",
    "strcasecmp",
    "strncasecmp",
    "strcoll",
    "strverscmp",
    "memcmp",
    "bcmp",
    "wcscmp",
    "wcsncmp",
    "wcscasecmp",
    "wcsncasecmp",
    "wcscoll",
    "wmemcmp",
    "alphasort",
    "alphasort64",
    "versionsort",
    "versionsort64",
    "getc",
    "fgetc",
    "getchar",
    "getwc",
    "fgetwc",
    "getwchar",
    "ungetc",
    "ungetwc",
    "wctob",
    "wcwidth",
    "wcswidth",
    "atoi",
    "atol",
    "atoll",
    "abs",
    "labs",
    "llabs",
    "toupper",
    "tolower",
    "scanf",
    "sscanf",
    "fscanf",
];

/// Functions that set `errno` whenever they give `NULL` or `MAP_FAILED`.
const SET_WITH_NULL: [&str; 26] = [
    "malloc",
    "calloc",
    "realloc",
    "reallocarray",
    "aligned_alloc",
    "memalign",
    "valloc",
    "pvalloc",
    "strdup",
    "strndup",
    "fopen",
    "fopen64",
    "fdopen",
    "freopen",
    "freopen64",
    "popen",
    "tmpfile",
    "opendir",
    "fdopendir",
    "mmap",
    "mmap64",
    "mremap",
    "shmat",
    "sem_open",
    "realpath",
    "getcwd",
];

/// Functions named as those that give an error number, and do not.
const NO_NUMBER: [&str; 3] = ["pthread_equal", "pthread_self", "posix_openpt"];

/// How a function says that it failed.
pub fn convention(function: &Function) -> Convention {
    let Some(prototype) = &function.prototype else { return Convention::None };
    let name = function.name.as_str();
    let provider = function.provider_name.as_str();
    let libc =
        ["libc.so", "libpthread.so", "librt.so", "libdl.so"].iter().any(|own| provider.starts_with(own));
    let named = name.starts_with("pthread_") || name.starts_with("posix_");
    match prototype.returns.kind {
        Kind::Int { bytes: 4, signed: true } if named && libc && !NO_NUMBER.contains(&name) => {
            Convention::Number
        }
        Kind::Int { bytes: 4 | 8, signed: true } => {
            Convention::MinusOne { sets: libc && !ORDINARY.contains(&name) }
        }
        Kind::Pointer(_) => Convention::Null { sets: libc && SET_WITH_NULL.contains(&name) },
        _ => Convention::None,
    }
}

/// The error of a call that gave `result`, if it failed; `before` is `errno` when the thread's call before it had
/// returned.
pub fn error(convention: Convention, result: Option<i64>, errno: i32, before: i32) -> Option<i32> {
    let result = result?;
    let set = |sets: bool| errno != 0 && (sets || errno != before);
    match convention {
        Convention::None => None,
        Convention::Number => i32::try_from(result).ok().filter(|number| *number > 0),
        Convention::MinusOne { sets } => (result == -1 && set(sets)).then_some(errno),
        Convention::Null { sets } => (matches!(result, 0 | -1) && set(sets)).then_some(errno),
    }
}
