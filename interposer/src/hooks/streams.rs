//! Hooks of stdio streams and directories: the descriptor is asked of the stream itself.

use core::ffi::{c_char, c_void};

use super::custom_hook;
use crate::types::{Address, Path};

unsafe extern "C" {
    fn fileno(stream: *mut c_void) -> i32;
    fn dirfd(directory: *mut c_void) -> i32;
}

/// The descriptor behind a stream, -1 if there is none. Leaves `errno` alone.
fn of_stream(stream: Address) -> u64 {
    asked(stream, fileno)
}

/// The descriptor behind a directory, -1 if there is none. Leaves `errno` alone.
fn of_directory(directory: Address) -> u64 {
    asked(directory, dirfd)
}

fn asked(of: Address, ask: unsafe extern "C" fn(*mut c_void) -> i32) -> u64 {
    if of.0.is_null() {
        return -1i64 as u64;
    }
    let before = crate::types::errno();
    // SAFETY: the program passes it to, or has it from, a function that would use it in the same way.
    let fd = unsafe { ask(of.0) };
    crate::types::set_errno(i32::from(before));
    i64::from(fd) as u64
}

macro_rules! open_hooks {
    ($($name:ident)*) => {$(
        custom_hook! {
            $name(path: Path, mode: *const c_char) -> Address, first 0,
            |real, call| {
                // SAFETY: the program's own arguments.
                let stream = unsafe { real(path, mode) };
                call.finish_long(stream, &[of_stream(stream)], path.0);
                stream
            }
        }
    )*};
}
open_hooks!(fopen fopen64 popen);

macro_rules! reopen_hooks {
    ($($name:ident)*) => {$(
        custom_hook! {
            $name(path: Path, mode: *const c_char, stream: Address) -> Address, first stream.0 as u64,
            |real, call| {
                let old = of_stream(stream);
                // SAFETY: the program's own arguments.
                let reopened = unsafe { real(path, mode, stream) };
                call.finish_long(reopened, &[old, of_stream(reopened)], path.0);
                reopened
            }
        }
    )*};
}
reopen_hooks!(freopen freopen64);

macro_rules! temporary_hooks {
    ($($name:ident)*) => {$(
        custom_hook! {
            $name() -> Address, first 0,
            |real, call| {
                // SAFETY: takes nothing.
                let stream = unsafe { real() };
                call.finish(stream, [of_stream(stream)]);
                stream
            }
        }
    )*};
}
temporary_hooks!(tmpfile tmpfile64);

macro_rules! close_hooks {
    ($($name:ident)*) => {$(
        custom_hook! {
            $name(stream: Address) -> i32, first stream.0 as u64,
            |real, call| {
                let fd = of_stream(stream);
                // SAFETY: the program's own argument.
                let returned = unsafe { real(stream) };
                call.finish(returned, [stream.0 as u64, fd]);
                returned
            }
        }
    )*};
}
close_hooks!(fclose pclose);

custom_hook! {
    opendir(path: Path) -> Address, first 0,
    |real, call| {
        // SAFETY: the program's own argument.
        let directory = unsafe { real(path) };
        call.finish_long(directory, &[of_directory(directory)], path.0);
        directory
    }
}

custom_hook! {
    closedir(directory: Address) -> i32, first directory.0 as u64,
    |real, call| {
        let fd = of_directory(directory);
        // SAFETY: the program's own argument.
        let returned = unsafe { real(directory) };
        call.finish(returned, [directory.0 as u64, fd]);
        returned
    }
}
