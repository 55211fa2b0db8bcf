//! Children that stop themselves in a known place.

use std::ffi::c_void;
use std::hint::black_box;
use std::num::NonZeroUsize;

use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous};
use nix::sys::ptrace;
use nix::sys::signal::{Signal, kill, raise};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork};

use crate::tracer::unwind::{Taken, Unwinder};

/// The most frames that are compared.
pub(super) const MOST: usize = 200;

/// What a child finds on its stack, in memory that it shares with us. Zero where nothing is.
pub(super) type Own = [u64; MOST];

pub(super) fn shared<T>() -> &'static mut T {
    let length = NonZeroUsize::new(size_of::<T>()).unwrap();
    let access = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
    // SAFETY: a new mapping at an address of the kernel's choice.
    let base = unsafe { mmap_anonymous(None, length, access, MapFlags::MAP_SHARED) }.unwrap();
    // SAFETY: as many bytes, all zero, which makes an array of integers; never unmapped.
    unsafe { &mut *base.as_ptr().cast() }
}

/// A child that has stopped itself, and is killed in the end.
pub(super) struct Child(pub(super) Pid);

impl Child {
    /// Runs `body` in a child until its first SIGSTOP.
    pub(super) fn stopped_in(body: impl FnOnce()) -> Self {
        // What the child will call must be loaded and bound.
        own_stack(&mut [0; MOST]);
        // SAFETY: the child calls nothing that may wait for a lock that another thread of ours holds.
        match unsafe { fork() }.unwrap() {
            ForkResult::Child => {
                if ptrace::traceme().is_ok() {
                    body();
                }
                // SAFETY: ends the child at once.
                unsafe { libc::_exit(1) }
            }
            ForkResult::Parent { child: pid } => {
                let child = Self(pid);
                loop {
                    match waitpid(pid, None).unwrap() {
                        WaitStatus::Stopped(_, Signal::SIGSTOP) => return child,
                        WaitStatus::Stopped(_, signal) => ptrace::cont(pid, signal).unwrap(),
                        ended => panic!("{ended:?}"),
                    }
                }
            }
        }
    }

    /// Runs [`stop_at_depth`] in a child.
    pub(super) fn stopped_at_depth(depth: u32, own: &mut Own) -> Self {
        Self::stopped_in(|| {
            black_box(stop_at_depth(depth, own));
        })
    }

    pub(super) fn take(&self, unwinder: &mut Unwinder) -> Taken {
        unwinder.take(self.0.as_raw(), self.0.as_raw(), &ptrace::getregs(self.0).unwrap())
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = kill(self.0, Signal::SIGKILL);
        let _ = waitpid(self.0, None);
    }
}

/// The return addresses on our stack, innermost first.
pub(super) fn own_stack(into: &mut Own) {
    let mut found = [std::ptr::null_mut::<c_void>(); MOST];
    // SAFETY: room for as many addresses as is said.
    let count = unsafe { libc::backtrace(found.as_mut_ptr(), MOST as i32) } as usize;
    for (address, pointer) in into.iter_mut().zip(&found[..count]) {
        *address = *pointer as u64;
    }
}

#[inline(never)]
pub(super) fn stop_at_depth(depth: u32, own: &mut Own) -> u64 {
    if depth == 0 {
        own_stack(own);
        let _ = raise(Signal::SIGSTOP);
        return 0;
    }
    black_box(stop_at_depth(black_box(depth - 1), own) + 1)
}

/// The same by a system call of this very function.
#[inline(never)]
pub(super) fn stop_here() {
    let (pid, signal) = (std::process::id(), libc::SIGSTOP);
    let mut result = libc::SYS_kill;
    // SAFETY: kill(2) with two integers.
    unsafe {
        std::arch::asm!("syscall", inout("rax") result, in("rdi") pid, in("rsi") signal,
            out("rcx") _, out("r11") _, options(nostack));
    }
    black_box(result);
}
