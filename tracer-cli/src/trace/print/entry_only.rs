//! Functions that are entered by a jump: which of them never return.

/// Functions that never return. Others that are entered by a jump do, unseen (`setjmp`, `dlopen`), or do if they fail
/// (`execve`).
const NEVER: [&str; 28] = [
    "exit",
    "_exit",
    "_Exit",
    "quick_exit",
    "abort",
    "longjmp",
    "_longjmp",
    "siglongjmp",
    "__longjmp_chk",
    "pthread_exit",
    "thrd_exit",
    "__cxa_throw",
    "__cxa_rethrow",
    "__cxa_bad_cast",
    "__cxa_bad_typeid",
    "_Unwind_Resume",
    "__stack_chk_fail",
    "__assert_fail",
    "__assert_perror_fail",
    "__assert",
    "__chk_fail",
    "__fortify_fail",
    "err",
    "errx",
    "verr",
    "verrx",
    "_ZSt9terminatev",
    "_ZSt10unexpectedv",
];

/// Whether a function never returns.
#[must_use]
pub fn never_returns(name: &str) -> bool {
    NEVER.contains(&name)
}
