use super::stage::{Made, function};
use crate::trace::print::failure::{convention, error};

/// The error of a call that gives `result` and leaves `errno`, after one that left 0.
fn failed(made: &Made, result: i64, errno: i32) -> Option<i32> {
    error(convention(&made.function), Some(result), errno, 0)
}

/// The same, after a call that left the same `errno`.
fn failed_again(made: &Made, result: i64, errno: i32) -> Option<i32> {
    error(convention(&made.function), Some(result), errno, errno)
}

#[test]
fn minus_one_is_failure_if_errno_says_why() {
    let own = function("int own(int)");
    assert_eq!(failed(&own, -1, 2), Some(2));
    assert_eq!(failed(&own, -1, 0), None);
    assert_eq!(failed(&own, 0, 2), None);
    assert_eq!(failed_again(&own, -1, 2), None);
    let open = function("int f(string)").named("open", "libc.so.6");
    assert_eq!(failed_again(&open, -1, 2), Some(2));
}

#[test]
fn comparing_does_not_fail() {
    let strcmp = function("int f(string, string)").named("strcmp", "libc.so.6");
    assert_eq!(failed_again(&strcmp, -1, 2), None);
}

#[test]
fn null_is_failure_if_errno_says_why() {
    let fopen = function("addr f(string, string)").named("fopen", "libc.so.6");
    assert_eq!(failed_again(&fopen, 0, 13), Some(13));
    let strchr = function("string f(string, char)").named("strchr", "libc.so.6");
    assert_eq!(failed_again(&strchr, 0, 13), None);
    let mmap = function("addr f(addr, ulong)").named("mmap", "libc.so.6");
    assert_eq!(failed(&mmap, -1, 12), Some(12));
}

#[test]
fn some_functions_give_the_error_itself() {
    let lock = function("int f(addr)").named("pthread_mutex_trylock", "libc.so.6");
    assert_eq!(failed(&lock, 16, 0), Some(16));
    assert_eq!(failed(&lock, 0, 16), None);
    let equal = function("int f(ulong, ulong)").named("pthread_equal", "libc.so.6");
    assert_eq!(failed(&equal, 1, 0), None);
}

#[test]
fn what_gives_no_number_does_not_fail() {
    for conf in ["void f()", "double f()", "uint f()", "char f()"] {
        assert_eq!(failed(&function(conf), -1, 2), None, "{conf}");
    }
}
