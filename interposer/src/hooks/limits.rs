//! Hooks of functions that tell a limit: what they have told is recorded.

use libc::rlimit;

use super::custom_hook;

/// The soft and the hard limit that a call has stored at `limit`; zeros if it has stored none.
///
/// # Safety
/// `limit` is null, or `succeeded` says that a limit has just been stored there.
unsafe fn told(limit: *const rlimit, succeeded: bool) -> [u64; 2] {
    if !succeeded || limit.is_null() {
        return [0; 2];
    }
    // SAFETY: the contract.
    let rlimit { rlim_cur, rlim_max } = unsafe { *limit };
    [rlim_cur, rlim_max]
}

macro_rules! own_limit_hooks {
    ($($name:ident)*) => {$(
        custom_hook! {
            $name(resource: i32, limit: *mut rlimit) -> i32, first resource as u64,
            |real, call| {
                // SAFETY: the program's own arguments.
                let returned: i32 = unsafe { real(resource, limit) };
                // SAFETY: read only after success.
                let [soft, hard] = unsafe { told(limit, returned == 0) };
                call.finish(returned, [resource as u64, soft, hard]);
                returned
            }
        }
    )*};
}
own_limit_hooks!(getrlimit getrlimit64);

macro_rules! process_limit_hooks {
    ($($name:ident)*) => {$(
        custom_hook! {
            $name(process: i32, resource: i32, new: *const rlimit, old: *mut rlimit) -> i32, first process as u64,
            |real, call| {
                // SAFETY: the program's own arguments.
                let returned: i32 = unsafe { real(process, resource, new, old) };
                // SAFETY: read only after success.
                let [soft, hard] = unsafe { told(old, returned == 0) };
                // This process goes by one number.
                let process = if process as u32 == crate::image::pid() { 0 } else { process };
                call.finish(returned, [process as u64, resource as u64, old as u64, soft, hard]);
                returned
            }
        }
    )*};
}
process_limit_hooks!(prlimit prlimit64);

custom_hook! {
    /// Returns -1 also where there is no limit; only `errno` tells that from a failure, and is left as
    /// it was then (sysconf(3)).
    sysconf(name: i32) -> isize, first name as u64,
    |real, call| {
        let before = D::errno();
        D::set_errno(0);
        // SAFETY: the program's own argument.
        let returned: isize = unsafe { real(name) };
        let failure = D::errno();
        call.finish(returned, [name as u64]);
        if failure == 0 {
            D::set_errno(i32::from(before));
        }
        returned
    }
}
