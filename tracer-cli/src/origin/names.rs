//! Which of the C library's exported functions hand memory to their caller, and which keep it.
//!
//! The manual pages decide: a function whose page names another one that releases the memory
//! (`free`, `fclose`, `closedir`, `freeaddrinfo` ...) hands it out. A name that is in neither list
//! decides nothing. A trailing `*` stands for any ending. `newlocale` is left out on purpose: it
//! hands out its object, but shares the locale data with `setlocale`, which keeps them.

/// Whose the memory is that a function acquires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keeper {
    /// The caller's.
    Program,
    /// The C library's, for the process's life or the thread's. For what, is in the text.
    Runtime(&'static str),
}

const HANDED_OUT: &[&str] = &[
    // Strings and buffers released with free(3).
    "strdup",
    "strndup",
    "wcsdup",
    "asprintf",
    "vasprintf",
    "__asprintf_chk",
    "__vasprintf_chk",
    "getline",
    "getdelim",
    "getcwd",
    "get_current_dir_name",
    "realpath",
    "canonicalize_file_name",
    "tempnam",
    "backtrace_symbols",
    "argz_*",
    "envz_*",
    "sscanf",
    "vfscanf",
    "__isoc99_*scanf",
    // Streams released with fclose(3), pclose(3); memory streams' buffers are the caller's to free.
    "fopen",
    "fdopen",
    "fmemopen",
    "fopencookie",
    "popen",
    "tmpfile",
    "open_memstream",
    "open_wmemstream",
    "_IO_str_*",
    // Directories: closedir(3), fts_close(3), globfree(3).
    "opendir",
    "fdopendir",
    "scandir",
    "scandirat",
    "fts_*",
    "fts64_*",
    "glob",
    "glob64",
    // Name look-ups: freeaddrinfo(3), freeifaddrs(3), if_freenameindex(3).
    "getaddrinfo",
    "getifaddrs",
    "if_nameindex",
    // Patterns and words: regfree(3), wordfree(3). regexec grows what regcomp made.
    "regcomp",
    "regexec",
    "re_compile_pattern",
    "wordexp",
    // Containers: hdestroy(3).
    "hcreate_r",
    // Objects with a destroy, close or free function of their own.
    "posix_spawn_file_actions_*",
    "pthread_attr_*",
    "pthread_getattr_np",
    "sem_open",
    "timer_create",
    "catopen",
    "duplocale",
];

const KEPT: &[(&str, &[&str])] = &[
    (
        "stdio buffers",
        &[
            "_IO_file_doallocate",
            "_IO_default_doallocate",
            "_IO_wdefault_doallocate",
            "_IO_default_pbackfail",
            "_IO_wdefault_pbackfail",
            "_IO_wfile_seekoff",
            "_IO_wfile_jumps",
            "__underflow",
            "__uflow",
            "__wunderflow",
            "__wuflow",
        ],
    ),
    ("locale data", &["setlocale", "strftime_l", "wcsftime_l", "strptime_l"]),
    ("translations", &["bindtextdomain", "textdomain", "dcgettext", "dcngettext"]),
    ("character conversion", &["__gconv_*", "mbrtowc", "wcrtomb", "btowc"]),
    ("time zone", &["tzset", "localtime", "localtime_r", "gmtime_r"]),
    ("environment", &["setenv", "putenv", "clearenv"]),
    (
        "exit and fork handlers",
        &["__cxa_atexit", "__cxa_at_quick_exit", "on_exit", "__cxa_thread_atexit_impl", "__register_atfork"],
    ),
    ("thread data", &["pthread_setspecific", "pthread_create", "pthread_mutex_*"]),
    ("loader's error text", &["dlopen", "dlmopen", "dlsym", "dlvsym", "dlclose", "dlinfo"]),
    (
        "name service",
        &[
            "getpw*",
            "getgr*",
            "getsp*",
            "getsg*",
            "gethost*",
            "getnet*",
            "getproto*",
            "getserv*",
            "getrpc*",
            "getalias*",
            "setnetgrent",
            "innetgr",
            "initgroups",
            "fgetpwent",
            "fgetgrent",
            "__nss_*",
            "_nss_*",
            "__res_*",
            "__resolv_*",
        ],
    ),
    (
        "static results",
        &["getutent", "getutid", "getutline", "getfsent", "setfsent", "getusershell", "ttyname", "getmntent"],
    ),
    ("asynchronous requests", &["aio_*", "lio_listio", "getaddrinfo_a"]),
    ("printf extensions", &["register_printf_*", "addseverity"]),
    // The library's own trees: setenv, locales and name services call tsearch too. A program's own
    // nodes go uncounted here, but the keys in them are its own blocks.
    ("search trees", &["tsearch", "__tsearch"]),
    ("sort space", &["qsort", "qsort_r"]),
];

/// What the lists say of a function.
pub(crate) fn keeper(name: &str) -> Option<Keeper> {
    let listed = |patterns: &[&str]| patterns.iter().any(|pattern| fits(pattern, name));
    if listed(HANDED_OUT) {
        return Some(Keeper::Program);
    }
    KEPT.iter().find(|(_, patterns)| listed(patterns)).map(|&(what, _)| Keeper::Runtime(what))
}

/// Whether callers outside of the library are meant to use a name, so that those who call it
/// inside say nothing of its purpose.
pub(crate) fn is_public(name: &str) -> bool {
    !name.starts_with('_')
}

/// `*` stands for any text, once in a pattern.
fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        Some((start, end)) => {
            name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end)
        }
        None => pattern == name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_is_in_both_lists() {
        for (_, kept) in KEPT {
            for pattern in *kept {
                let shortest = pattern.replace('*', "");
                assert!(!HANDED_OUT.iter().any(|other| fits(other, &shortest)), "{pattern}");
            }
        }
    }

    #[test]
    fn a_star_stands_for_any_text() {
        assert!(fits("aio_*", "aio_read64") && fits("aio_*", "aio_"));
        assert!(fits("__isoc99_*scanf", "__isoc99_vsscanf"));
        assert!(!fits("aio_*", "aio") && !fits("a*a", "a") && !fits("getpw", "getpwnam"));
    }

    #[test]
    fn what_is_in_no_list_decides_nothing() {
        assert_eq!(keeper("strdup"), Some(Keeper::Program));
        assert_eq!(keeper("getpwnam_r"), Some(Keeper::Runtime("name service")));
        assert_eq!(keeper("newlocale"), None);
    }
}
