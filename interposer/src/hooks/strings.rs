//! Hooks of functions that put a string into a block of its own.
//!
//! What they asked the allocator for is not passed to them; it is the length of what they made.

use core::ffi::{c_char, c_int};

use super::custom_hook;
use crate::types::Address;

unsafe extern "C" {
    fn strlen(string: *const c_char) -> usize;
    fn wcslen(string: *const c_int) -> usize;
}

/// Bytes of the string that a call has made, 0 if it has failed.
fn bytes_of(string: Address) -> u64 {
    if string.0.is_null() {
        return 0;
    }
    // SAFETY: the function that has just succeeded returns a zero-terminated string.
    unsafe { strlen(string.0.cast()) as u64 + 1 }
}

macro_rules! string_hooks {
    ($($name:ident ( $($argument:ident : $kind:ty),* ))*) => {$(
        custom_hook! {
            $name($($argument: $kind),*) -> Address, first 0,
            |real, call| {
                // SAFETY: the program's own arguments.
                let string = unsafe { real($($argument),*) };
                call.finish(string, [string.0 as u64, bytes_of(string)]);
                string
            }
        }
    )*};
}
string_hooks! {
    strdup(from: *const c_char)
    __strdup(from: *const c_char)
    strndup(from: *const c_char, most: usize)
    __strndup(from: *const c_char, most: usize)
    canonicalize_file_name(path: *const c_char)
    get_current_dir_name()
}

custom_hook! {
    wcsdup(from: *const c_int) -> Address, first 0,
    |real, call| {
        // SAFETY: the program's own argument.
        let string = unsafe { real(from) };
        let bytes = if string.0.is_null() {
            0
        } else {
            // SAFETY: wcsdup has just made this wide string.
            (unsafe { wcslen(string.0.cast()) } + 1) * size_of::<c_int>()
        };
        call.finish(string, [string.0 as u64, bytes as u64]);
        string
    }
}

custom_hook! {
    realpath(path: *const c_char, buffer: *mut c_char) -> Address, first 0,
    |real, call| {
        // SAFETY: the program's own arguments.
        let resolved = unsafe { real(path, buffer) };
        let block = if buffer.is_null() { resolved.0 as u64 } else { 0 };
        call.finish(resolved, [block, bytes_of(resolved)]);
        resolved
    }
}
