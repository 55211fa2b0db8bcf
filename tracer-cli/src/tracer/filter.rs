//! The filter that stops system calls: installed in the target before its exec, and what its presence
//! asks of the tracer.

use std::io::{self, Write};

use calltap_analyzers::kernel::CallId;
use calltap_channel::note::{I386, X86_64};
use nix::errno::Errno;

use super::ptrace::Stopped;
use super::tracees::Id;

/// What our filter says to the tracer, so that it is not taken for somebody else's.
pub(crate) const FILTER_DATA: u16 = 0xca17;

/// `clone`: the child is not traced, whatever its maker's tracer asked for.
const CLONE_UNTRACED: u64 = 0x0080_0000;

/// Installs the filter in this process, for ever and for all it will make or execute.
///
/// Without the right to do so it first gives up gaining rights by exec (`PR_SET_NO_NEW_PRIVS`), which a
/// traced process could not anyway.
///
/// # Errors
/// The kernel's: `EINVAL` or `ENOSYS` where it has no filters, `EPERM` or `EACCES` in a sandbox.
pub(crate) fn install(program: &[libc::sock_filter]) -> nix::Result<()> {
    let program =
        libc::sock_fprog { len: program.len() as libc::c_ushort, filter: program.as_ptr().cast_mut() };
    let set = || {
        // SAFETY: the program is alive, of the announced length, and only read.
        let done =
            unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, &raw const program) };
        Errno::result(done).map(drop)
    };
    match set() {
        Err(Errno::EACCES) => {
            nix::sys::prctl::set_no_new_privs()?;
            set()
        }
        done => done,
    }
}

/// Has the call fail as it would have without any tracer.
pub(crate) fn refuse(stopped: &Stopped) -> nix::Result<()> {
    let mut registers = stopped.registers()?;
    registers.orig_rax = u64::MAX;
    registers.rax = -i64::from(libc::ENOSYS) as u64;
    stopped.set_registers(registers)
}

/// Takes the wish not to be traced out of a `clone`: without a tracer the filter would have every
/// stopped call of the child fail.
pub(crate) fn keep_traced(stopped: &Stopped, id: CallId, flags: u64) -> nix::Result<()> {
    let is_clone = match id.interface {
        I386 => id.number == 120,
        _ => i64::from(id.number) == libc::SYS_clone,
    };
    if !is_clone || flags & CLONE_UNTRACED == 0 {
        return Ok(());
    }
    let mut registers = stopped.registers()?;
    if id.interface == I386 {
        registers.rbx &= !CLONE_UNTRACED;
    } else {
        registers.rdi &= !CLONE_UNTRACED;
    }
    stopped.set_registers(registers)
}

const GET_AFFINITY: CallId = call(libc::SYS_sched_getaffinity);
const SET_AFFINITY: CallId = call(libc::SYS_sched_setaffinity);
const PRCTL: CallId = call(libc::SYS_prctl);
const SECCOMP: CallId = call(libc::SYS_seccomp);

/// Calls that are stopped whatever is asked for: those that must not see where we have put a thread, and those that the
/// kernel may refuse because of the filter.
pub(crate) const ALWAYS: [CallId; 4] = [GET_AFFINITY, SET_AFFINITY, PRCTL, SECCOMP];

const fn call(number: i64) -> CallId {
    CallId { interface: X86_64, number: number as u32 }
}

/// Whether a call sets the CPUs that a thread may use.
pub(crate) fn sets_affinity(id: CallId) -> bool {
    id == SET_AFFINITY
}

/// Whether a call asks for or sets the CPUs that a thread may use.
pub(crate) fn is_about_affinity(id: CallId) -> bool {
    id == GET_AFFINITY || id == SET_AFFINITY
}

/// Whether a call asks for seccomp's strict mode, which no thread gets that has a filter.
pub(crate) fn asks_for_strict_mode(id: CallId, arguments: &[u64; 6]) -> bool {
    const STRICT: u64 = libc::SECCOMP_MODE_STRICT as u64;
    const SET_STRICT: u64 = libc::SECCOMP_SET_MODE_STRICT as u64;
    (id == PRCTL && arguments[0] as i32 == libc::PR_SET_SECCOMP && arguments[1] == STRICT)
        || (id == SECCOMP && arguments[0] == SET_STRICT)
}

/// Tells on stderr that strict mode is refused.
pub(crate) fn tell_of_strict_mode(group: Id) {
    // Nobody may be there to read it.
    let _ = writeln!(
        io::stderr(),
        "calltap: process {group} asks for seccomp's strict mode: the kernel refuses it, because a filter stops system calls\n\
         hint: --syscalls none (of trace: no NAME@SYS; -S alone shows all calls) needs none, nor does --syscalls-mode all-stops"
    );
}
