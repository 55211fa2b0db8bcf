//! System calls made directly: libc's wrappers would be our own hooks, and would touch `errno`.

use core::arch::asm;
use core::sync::atomic::{AtomicU32, Ordering};

use crate::confined;

/// Looks at a word that a millisecond takes, about: a pause takes 15 to 50 nanoseconds.
const LOOKS_PER_MS: u64 = 30_000;

/// Makes a system call of up to five arguments, tagged as ours; a result of -4095..=-1 is a negative
/// error number.
#[inline]
pub(crate) fn call(number: i64, [a, b, c, d, e]: [u64; 5]) -> i64 {
    call6(number, [a, b, c, d, e, crate::tag::get()])
}

#[inline]
fn call6(number: i64, arguments: [u64; 6]) -> i64 {
    let result: i64;
    // SAFETY: the kernel changes only rax, rcx, r11 and the memory that the caller passes for it;
    // callers pass pointers to their own live memory or none.
    unsafe {
        asm!(
            "syscall",
            // The tag must not reach what comes next.
            "xor r9d, r9d",
            inlateout("rax") number => result,
            in("rdi") arguments[0],
            in("rsi") arguments[1],
            in("rdx") arguments[2],
            in("r10") arguments[3],
            in("r8") arguments[4],
            inlateout("r9") arguments[5] => _,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    result
}

/// This process's id, asked of the kernel.
pub(crate) fn process_id() -> u32 {
    call(libc::SYS_getpid, [0; 5]) as u32
}

/// The parent process's id.
pub(crate) fn parent_id() -> u32 {
    call(libc::SYS_getppid, [0; 5]) as u32
}

/// This thread's id.
pub(crate) fn thread_id() -> u32 {
    call(libc::SYS_gettid, [0; 5]) as u32
}

/// This thread's name: 16 bytes, zero-padded, as two words.
pub(crate) fn thread_name() -> [u64; 2] {
    let mut name = [0u64; 2];
    call(libc::SYS_prctl, [libc::PR_GET_NAME as u64, name.as_mut_ptr() as u64, 0, 0, 0]);
    name
}

/// The device and inode of the file at a path, which is zero-terminated; None if the kernel does not tell.
pub(crate) fn file_at(path: &core::ffi::CStr) -> Option<(u64, u64)> {
    let mut stat = core::mem::MaybeUninit::<libc::stat>::zeroed();
    let result = call(libc::SYS_stat, [path.as_ptr() as u64, stat.as_mut_ptr() as u64, 0, 0, 0]);
    // SAFETY: of plain numbers, for which zeros will do.
    let stat = unsafe { stat.assume_init() };
    (result == 0).then_some((stat.st_dev, stat.st_ino))
}

/// Sleeps while the word at `address` is `value`, at most `milliseconds`. In a sandbox, which need not know the call, it
/// is looked at again and again instead.
pub(crate) fn futex_wait(address: *const u32, value: u32, milliseconds: u64) {
    if confined::is_confined() {
        // SAFETY: the caller's word, which is an atomic one.
        let word = unsafe { AtomicU32::from_ptr(address.cast_mut()) };
        let mut looks = milliseconds * LOOKS_PER_MS;
        while looks > 0 && word.load(Ordering::Relaxed) == value {
            core::hint::spin_loop();
            looks -= 1;
        }
        return;
    }
    let timeout = libc::timespec { tv_sec: 0, tv_nsec: (milliseconds * 1_000_000) as i64 };
    call6(
        libc::SYS_futex,
        [address as u64, libc::FUTEX_WAIT as u64, u64::from(value), (&raw const timeout) as u64, 0, 0],
    );
}

/// Copies up to `into.len()` bytes of this process's own memory from an address that may be
/// anything. Gives how many could be read.
pub(crate) fn copy_own(from: u64, into: &mut [u8]) -> usize {
    let local = libc::iovec { iov_base: into.as_mut_ptr().cast(), iov_len: into.len() };
    let remote = libc::iovec { iov_base: from as *mut _, iov_len: into.len() };
    let own = u64::from(process_id());
    let arguments = [own, (&raw const local) as u64, 1, (&raw const remote) as u64, 1, 0];
    usize::try_from(call6(libc::SYS_process_vm_readv, arguments)).unwrap_or(0)
}

/// Whether the 8 bytes at an address, which may be anything, can be read.
///
/// The kernel reads a new signal mask before it refuses to apply it in an unknown way; few sandboxes
/// forbid this call. In one nothing is said to be readable.
pub(crate) fn is_readable(address: u64) -> bool {
    const NO_SUCH_WAY: u64 = 1 << 20;
    if confined::is_closed() {
        return false;
    }
    let result = call(libc::SYS_rt_sigprocmask, [NO_SUCH_WAY, address, 0, 8, 0]);
    result == -i64::from(libc::EINVAL)
}

/// Where this thread's stack may end: at the thread's control block, which the C library puts there, or
/// where the kernel began the process's first stack.
pub(crate) fn stack_ends() -> [u64; 2] {
    unsafe extern "C" {
        /// Of the loader (glibc 2.1).
        static __libc_stack_end: *const u8;
    }
    let control_block: u64;
    // SAFETY: the first word of the control block is its address (x86-64 ABI); the other is a variable
    // that the loader has set before anyone else ran.
    unsafe {
        asm!("mov {}, qword ptr fs:[0]", out(reg) control_block, options(nostack, readonly, preserves_flags));
        [control_block, __libc_stack_end as u64]
    }
}

/// Whether the caller runs on its thread's signal stack (`sigaltstack`), or may do so for all that can be known in a
/// sandbox. Then nothing is concluded from where frames lie.
pub(crate) fn is_on_signal_stack() -> bool {
    if confined::is_confined() {
        return true;
    }
    let mut stack = libc::stack_t { ss_sp: core::ptr::null_mut(), ss_flags: 0, ss_size: 0 };
    call(libc::SYS_sigaltstack, [0, (&raw mut stack) as u64, 0, 0, 0]);
    stack.ss_flags & libc::SS_ONSTACK != 0
}

/// New private memory, or None.
pub(crate) fn map_private(bytes: usize) -> Option<*mut u8> {
    map(bytes, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1)
}

/// New private memory of which little will be used, or None: nothing is set aside for it.
pub(crate) fn map_sparse(bytes: usize) -> Option<*mut u8> {
    let memory = map(bytes, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE, -1)?;
    // Nor is a large page taken for the first word that is written; a sandbox need not know the call.
    if confined::is_closed() {
        return Some(memory);
    }
    call(libc::SYS_madvise, [memory as u64, bytes as u64, libc::MADV_NOHUGEPAGE as u64, 0, 0]);
    Some(memory)
}

/// `bytes` of the file `fd`, shared, or None.
pub(crate) fn map_shared(bytes: usize, fd: i32) -> Option<*mut u8> {
    map(bytes, libc::MAP_SHARED | libc::MAP_NORESERVE, fd)
}

fn map(bytes: usize, flags: i32, fd: i32) -> Option<*mut u8> {
    let protection = (libc::PROT_READ | libc::PROT_WRITE) as u64;
    let address = call6(libc::SYS_mmap, [0, bytes as u64, protection, flags as u64, fd as i64 as u64, 0]);
    (!(-4095..0).contains(&address)).then_some(address as *mut u8)
}
