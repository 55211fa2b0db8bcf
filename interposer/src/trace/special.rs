//! Functions that cannot be called like others, by name.

use super::functions::{
    BACKTRACES, CALLS_KERNEL, CONTROLS, GIVES_ADDRESS, JUMP, LEAVES, TAKES_ADDRESS, UNWINDS, VFORKS,
};

/// Functions that return twice, do not return, or look at their caller: entered by a jump.
const JUMPED: [&[u8]; 80] = [
    b"_ULx86_64_resume",
    b"_Ux86_64_getcontext",
    b"_Ux86_64_resume",
    b"_Ux86_64_setcontext",
    b"_Exit",
    b"_ITM_beginTransaction",
    b"_Unwind_Backtrace",
    b"_Unwind_ForcedUnwind",
    b"_Unwind_RaiseException",
    b"_Unwind_Resume",
    b"_Unwind_Resume_or_Rethrow",
    b"__assert",
    b"__assert_fail",
    b"__assert_perror_fail",
    b"__backtrace",
    b"__chk_fail",
    b"__cxa_bad_cast",
    b"__cxa_bad_typeid",
    b"__cxa_call_terminate",
    b"__cxa_call_unexpected",
    b"__cxa_pure_virtual",
    b"__cxa_rethrow",
    b"__cxa_throw",
    b"__cxa_throw_bad_array_new_length",
    b"__fortify_fail",
    b"__libc_fatal",
    b"__libc_start_call_main",
    b"__libc_start_main",
    b"__longjmp_chk",
    b"__pthread_unwind",
    b"__pthread_unwind_next",
    b"__sigsetjmp",
    b"__sigsetjmp_cancel",
    b"__stack_chk_fail",
    b"_exit",
    b"_longjmp",
    b"_setjmp",
    b"_ZSt10unexpectedv",
    b"_ZSt17__throw_bad_allocv",
    b"_ZSt17rethrow_exceptionNSt15__exception_ptr13exception_ptrE",
    b"_ZSt20__throw_length_errorPKc",
    b"_ZSt20__throw_out_of_rangePKc",
    b"_ZSt24__throw_out_of_range_fmtPKcz",
    b"_ZSt28__throw_bad_array_new_lengthv",
    b"_ZSt9terminatev",
    b"abort",
    b"backtrace",
    b"clone",
    b"dlmopen",
    b"dlopen",
    b"err",
    b"errx",
    b"execl",
    b"execle",
    b"execlp",
    b"execv",
    b"execve",
    b"execveat",
    b"execvp",
    b"execvpe",
    b"exit",
    b"fexecve",
    b"getcontext",
    b"longjmp",
    b"makecontext",
    b"pthread_exit",
    b"quick_exit",
    b"savectx",
    b"setcontext",
    b"setjmp",
    b"siglongjmp",
    b"sigsetjmp",
    b"thrd_exit",
    b"verr",
    b"verrx",
    b"vfork",
    b"__vfork",
    b"__libc_longjmp",
    b"__libc_siglongjmp",
    b"rust_begin_unwind",
];

/// Functions whose address or call is none of the C ABI, or that are part of the loader's or a profiler's inner workings.
const UNTOUCHABLE: [&[u8]; 10] = [
    b"__tls_get_addr",
    b"___tls_get_addr",
    b"__tls_get_offset",
    b"__fentry__",
    b"mcount",
    b"_mcount",
    b"__gmon_start__",
    b"__morestack",
    b"__morestack_non_split",
    b"rust_eh_personality",
];

/// Whether a function must not be bound at all.
pub(crate) fn is_untouchable(name: &[u8]) -> bool {
    UNTOUCHABLE.contains(&name)
        || name.starts_with(b"_dl_")
        || name.starts_with(b"__cyg_profile_")
        || (name.starts_with(b"__g") && name.ends_with(b"_personality_v0"))
}

/// What its name says of a function: [`JUMP`], and why it has to be known of.
pub(crate) fn flags(name: &[u8]) -> u64 {
    match name {
        b"longjmp" | b"_longjmp" | b"siglongjmp" | b"__longjmp_chk" | b"__libc_longjmp"
        | b"__libc_siglongjmp" => JUMP | LEAVES,
        b"vfork" | b"__vfork" => JUMP | VFORKS,
        b"backtrace" | b"__backtrace" => JUMP | BACKTRACES,
        b"_Unwind_Backtrace" => JUMP | UNWINDS,
        b"dlsym" | b"dlvsym" => JUMP | GIVES_ADDRESS,
        b"dladdr" | b"dladdr1" => TAKES_ADDRESS,
        b"prctl" => CONTROLS,
        b"syscall" => CALLS_KERNEL,
        _ if JUMPED.contains(&name) => JUMP,
        _ => 0,
    }
}
