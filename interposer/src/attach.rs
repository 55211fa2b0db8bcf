//! The constructor: takes our variables out of the environment and maps the segment.
//!
//! It runs before every other constructor (see `build.rs`) and makes system calls only.

use core::ffi::{c_char, c_int};

use core::sync::atomic::Ordering;

use calltap_channel::segment::{CONFINED_VARIABLE, SEGMENT_VARIABLE, Segment};
use calltap_channel::trace::plan::Plan;

use crate::trace::binding;
use crate::{confined, hooks, image, kernel, tag, thread_id, unwind};

/// The program's own `LD_PRELOAD`, set aside by whoever started us.
const PRELOAD_VARIABLE: &str = "CALLTAP_PRELOAD";

#[used]
#[unsafe(link_section = ".init_array")]
static CONSTRUCTOR: extern "C" fn(c_int, *const *const c_char, *mut *mut c_char) = construct;

extern "C" fn construct(_: c_int, _: *const *const c_char, environment: *mut *mut c_char) {
    if environment.is_null() {
        return;
    }
    // SAFETY: the loader passes the process's environment: a null-terminated array of strings on
    // the initial stack, writable, and nobody else runs yet.
    let Some(Given { path, confined }) = (unsafe { clean(environment) }) else { return };
    hooks::resolve_all();
    unwind::resolve();
    thread_id::resolve();
    if let Some(segment) = map(path) {
        tag::set(segment.header().tag.load(Ordering::Relaxed));
        if let Some(id) = confined {
            thread_id::check(id);
        }
        image::attach(segment, confined);
        bind(segment);
        if confined.is_some() {
            confined::inherit();
        }
    }
}

/// Binds slots, if the session has a plan for that.
fn bind(segment: Segment) {
    // SAFETY: the CLI has written it before it started the first process.
    let words: &'static [u64] = unsafe { segment.plan() };
    if let Some(plan) = Plan::new(words) {
        binding::bind_all(plan);
    }
}

/// What our variables say.
struct Given {
    /// The segment's.
    path: *const c_char,
    /// The process id, if the program begins in a sandbox.
    confined: Option<u32>,
}

/// Removes our variables, puts the program's own `LD_PRELOAD` back, and gives what they say.
///
/// # Safety
/// `environment` is a null-terminated, writable array of writable, zero-terminated strings.
unsafe fn clean(environment: *mut *mut c_char) -> Option<Given> {
    let mut path = None;
    let mut confined = None;
    let mut preload = None;
    let mut kept = 0;
    let mut index = 0;
    // SAFETY: walks to the terminator; see the contract.
    unsafe {
        loop {
            let entry = *environment.add(index);
            if entry.is_null() {
                break;
            }
            index += 1;
            if let Some(value) = value_of(entry, SEGMENT_VARIABLE) {
                path = Some(value.cast_const());
                // Ours comes last: what came before is from somebody else, and so is what that one set aside.
                preload = None;
                confined = None;
                continue;
            }
            if path.is_some()
                && let Some(value) = value_of(entry, CONFINED_VARIABLE)
            {
                confined = number(value);
                continue;
            }
            // Ours comes behind the segment's.
            if path.is_some() && value_of(entry, PRELOAD_VARIABLE).is_some() {
                // "CALLTAP_PRELOAD=" ends as "LD_PRELOAD=" does: rewritten in place from there.
                let name = entry.add(PRELOAD_VARIABLE.len() - "LD_PRELOAD".len());
                for (offset, byte) in "LD_PRELOAD".bytes().enumerate() {
                    *name.add(offset) = byte as c_char;
                }
                preload = Some(name);
                continue;
            }
            *environment.add(kept) = entry;
            kept += 1;
        }
    }
    let given = Given { path: path?, confined };
    let mut last = 0;
    // SAFETY: the first `kept` entries are those kept above; the array is no longer than before.
    unsafe {
        for index in 0..kept {
            let entry = *environment.add(index);
            let entry = if value_of(entry, "LD_PRELOAD").is_some() {
                match preload {
                    Some(own) => own,
                    None => continue,
                }
            } else {
                entry
            };
            *environment.add(last) = entry;
            last += 1;
        }
        *environment.add(last) = core::ptr::null_mut();
    }
    Some(given)
}

/// The number that a string says.
///
/// # Safety
/// It is zero-terminated.
unsafe fn number(text: *const c_char) -> Option<u32> {
    let mut number = None;
    for at in 0..10 {
        // SAFETY: stops at the terminator.
        let byte = unsafe { *text.add(at) } as u8;
        if !byte.is_ascii_digit() {
            break;
        }
        number = Some(number.unwrap_or(0_u32).wrapping_mul(10).wrapping_add(u32::from(byte - b'0')));
    }
    number.filter(|number| *number != 0)
}

/// The value in `entry` if it is `name=value`.
///
/// # Safety
/// `entry` is a zero-terminated string.
unsafe fn value_of(entry: *mut c_char, name: &str) -> Option<*mut c_char> {
    for (offset, byte) in name.bytes().chain([b'=']).enumerate() {
        // SAFETY: stops at the first difference, so at the terminator at the latest.
        if unsafe { *entry.add(offset) } as u8 != byte {
            return None;
        }
    }
    // SAFETY: the name and `=` were there.
    Some(unsafe { entry.add(name.len() + 1) })
}

/// Maps the segment file at `path`; its descriptor is closed again at once.
fn map(path: *const c_char) -> Option<Segment> {
    // Without us the variable may name anything: nothing is waited for, and no terminal becomes the process's own.
    let flags = (libc::O_RDWR | libc::O_CLOEXEC | libc::O_NONBLOCK | libc::O_NOCTTY) as u64;
    let fd = kernel::call(libc::SYS_openat, [libc::AT_FDCWD as u64, path as u64, flags, 0, 0]);
    if fd < 0 {
        return None;
    }
    let size = kernel::call(libc::SYS_lseek, [fd as u64, 0, libc::SEEK_END as u64, 0, 0]);
    let segment = usize::try_from(size).ok().filter(|size| *size >= 4096).and_then(|size| {
        let base = kernel::map_shared(size, fd as i32)?;
        // A core dump of the target is its own.
        kernel::call(libc::SYS_madvise, [base as u64, size as u64, libc::MADV_DONTDUMP as u64, 0, 0]);
        // SAFETY: `size` bytes, at least a page, are mapped at `base`.
        match unsafe { Segment::layout_at(base, size as u64) } {
            // SAFETY: the mapping is never undone, and the layout is of its size.
            Ok(layout) => Some(unsafe { Segment::view(base, layout) }),
            Err(_) => {
                kernel::call(libc::SYS_munmap, [base as u64, size as u64, 0, 0, 0]);
                None
            }
        }
    });
    kernel::call(libc::SYS_close, [fd as u64, 0, 0, 0, 0]);
    segment
}
