//! Hooks of functions that give descriptors through an array, a message or an out-parameter.

use core::ffi::c_void;

use calltap_channel::Function;
use calltap_channel::record::{MAX_WORDS, PREFIX_WORDS};

use super::custom_hook;
use crate::tag::tagged;

/// The two descriptors that a successful call has stored at `pair`.
///
/// # Safety
/// The call that fills two ints at `pair` has succeeded.
unsafe fn both(pair: *const i32) -> [u64; 2] {
    // SAFETY: the contract.
    unsafe { [*pair as u64, *pair.add(1) as u64] }
}

/// The int at `place` if the call that stores it has succeeded and the caller wanted it.
///
/// # Safety
/// `place` is null, or `succeeded` says that the kernel has just stored an int there.
unsafe fn stored(place: *const i32, succeeded: bool) -> u64 {
    if !succeeded || place.is_null() {
        return -1i64 as u64;
    }
    // SAFETY: the contract.
    i64::from(unsafe { *place }) as u64
}

custom_hook! {
    posix_memalign(out: *mut *mut c_void, alignment: usize, size: usize) -> Code, first size as u64,
    |real, call| {
        // SAFETY: the program's own arguments.
        let returned = unsafe { real(out, alignment, size) };
        // SAFETY: a call that succeeded has stored the block's address.
        let block = if returned.0 == 0 { unsafe { *out as u64 } } else { 0 };
        call.finish(returned, [block, alignment as u64, size as u64]);
        returned
    }
}

custom_hook! {
    pipe(ends: *mut i32) -> i32, first 0,
    |real, call| {
        let returned: i32 = tagged!(Function::pipe, REAL.of::<D>(), real(ends));
        // SAFETY: read only after success.
        let fds = if returned == 0 { unsafe { both(ends) } } else { [0; 2] };
        call.finish(returned, fds);
        returned
    }
}

custom_hook! {
    pipe2(ends: *mut i32, flags: i32) -> i32, first 0,
    |real, call| {
        let returned: i32 = tagged!(Function::pipe2, REAL.of::<D>(), real(ends, flags));
        // SAFETY: read only after success.
        let [read_end, write_end] = if returned == 0 { unsafe { both(ends) } } else { [0; 2] };
        call.finish(returned, [read_end, write_end, flags as u64]);
        returned
    }
}

custom_hook! {
    socketpair(domain: i32, kind: i32, protocol: i32, ends: *mut i32) -> i32, first domain as u64,
    |real, call| {
        let returned: i32 = tagged!(Function::socketpair, REAL.of::<D>(), real(domain, kind, protocol, ends));
        // SAFETY: read only after success.
        let [one, other] = if returned == 0 { unsafe { both(ends) } } else { [0; 2] };
        call.finish(returned, [one, other, domain as u64, kind as u64]);
        returned
    }
}

custom_hook! {
    openpty(master: *mut i32, slave: *mut i32, name: *mut c_void, terminal: *const c_void, size: *const c_void) -> i32,
    first 0,
    |real, call| {
        // SAFETY: the program's own arguments.
        let returned = unsafe { real(master, slave, name, terminal, size) };
        // SAFETY: both are stored by a call that succeeded.
        let fds = unsafe { [stored(master, returned == 0), stored(slave, returned == 0)] };
        call.finish(returned, fds);
        returned
    }
}

custom_hook! {
    forkpty(master: *mut i32, name: *mut c_void, terminal: *const c_void, size: *const c_void) -> i32, first 0,
    |real, call| {
        // SAFETY: the program's own arguments.
        let returned = unsafe { real(master, name, terminal, size) };
        // SAFETY: stored by a call that succeeded, in the parent; the child's record is not made.
        let fd = unsafe { stored(master, returned > 0) };
        call.finish(returned, [fd]);
        returned
    }
}

custom_hook! {
    signalfd(fd: i32, mask: *const c_void, flags: i32) -> i32, first fd as u64,
    |real, call| {
        let returned: i32 = tagged!(Function::signalfd, REAL.of::<D>(), real(fd, mask, flags));
        call.finish(returned, [i64::from(fd) as u64, flags as u64]);
        returned
    }
}

/// How many descriptors one record can name behind the socket.
const RECEIVED_ROOM: usize = MAX_WORDS - PREFIX_WORDS - 2;

/// Puts the descriptors that a message brought behind `count` others.
///
/// # Safety
/// `message` was filled by a successful receive.
unsafe fn received(message: *const libc::msghdr, into: &mut [u64], mut count: usize) -> usize {
    // SAFETY: the kernel wrote the control buffer and its length; the CMSG functions stay in it.
    unsafe {
        let mut header = libc::CMSG_FIRSTHDR(message);
        while !header.is_null() {
            if (*header).cmsg_level == libc::SOL_SOCKET && (*header).cmsg_type == libc::SCM_RIGHTS {
                let bytes = (*header).cmsg_len - libc::CMSG_LEN(0) as usize;
                let fds = libc::CMSG_DATA(header).cast::<i32>();
                for index in 0..bytes / size_of::<i32>() {
                    if count < into.len() {
                        into[count] = fds.add(index).read_unaligned() as u64;
                    }
                    count += 1;
                }
            }
            header = libc::CMSG_NXTHDR(message, header);
        }
    }
    count.min(into.len())
}

custom_hook! {
    recvmsg(socket: i32, message: *mut libc::msghdr, flags: i32) -> isize, first socket as u64,
    |real, call| {
        let returned: isize = tagged!(Function::recvmsg, REAL.of::<D>(), real(socket, message, flags));
        let mut words = [0; RECEIVED_ROOM];
        words[0] = socket as u64;
        // SAFETY: looked at only after success.
        let count = if returned >= 0 { unsafe { received(message, &mut words, 1) } } else { 1 };
        call.finish_long(returned, &words[..count], core::ptr::null());
        returned
    }
}

custom_hook! {
    recvmmsg(socket: i32, messages: *mut libc::mmsghdr, room: u32, flags: i32, timeout: *mut c_void) -> i32,
    first socket as u64,
    |real, call| {
        let returned: i32 = tagged!(Function::recvmmsg, REAL.of::<D>(), real(socket, messages, room, flags, timeout));
        let mut words = [0; RECEIVED_ROOM];
        words[0] = socket as u64;
        let mut count = 1;
        for index in 0..returned.max(0) as usize {
            // SAFETY: the first `returned` messages were filled.
            count = unsafe { received(&raw const (*messages.add(index)).msg_hdr, &mut words, count) };
        }
        call.finish_long(returned, &words[..count], core::ptr::null());
        returned
    }
}
