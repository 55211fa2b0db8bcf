//! The time-stamp counter where a program has been denied it: seccomp's strict mode takes it away, and `PR_SET_TSC` can.
//!
//! The interposer reads it at each call. The fault comes to us first; the thread goes on with what it would have read.

use calltap_channel::clock::Clock;

use super::memory;
use super::ptrace::Stopped;

/// `rdtsc` (Intel SDM vol. 2B).
const READ: [u8; 2] = [0x0f, 0x31];

/// Whether the signal that a thread has stopped for is the fault of such a read, at an address that is the interposer's by
/// `is_ours`. Then it will go on behind that, if the signal is not delivered.
pub(crate) fn goes_on(stopped: &Stopped, signal: i32, is_ours: impl FnOnce(u64) -> bool) -> bool {
    if signal != libc::SIGSEGV {
        return false;
    }
    let Ok(mut registers) = stopped.registers() else { return false };
    let mut instruction = [0; READ.len()];
    if memory::read(stopped.tid().as_raw(), registers.rip, &mut instruction) != READ.len()
        || instruction != READ
    {
        return false;
    }
    // Somebody may send the signal in just this moment; the kernel's own have positive codes.
    if !stopped.signal_details().is_ok_and(|details| details.si_code > 0) || !is_ours(registers.rip) {
        return false;
    }
    let now = Clock::Tsc.now();
    registers.rax = now & 0xffff_ffff;
    registers.rdx = now >> 32;
    registers.rip += READ.len() as u64;
    stopped.set_registers(registers).is_ok()
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::tracer::faulting::faults_passed;

    /// Denies itself the counter and reads it: twice, of which the second read is to be somebody else's.
    fn child() -> ! {
        // SAFETY: async-signal-safe functions only; the last read is meant to fault.
        unsafe {
            // Until it is traced.
            libc::raise(libc::SIGSTOP);
            libc::prctl(libc::PR_SET_TSC, libc::PR_TSC_SIGSEGV);
            let first = core::arch::x86_64::_rdtsc();
            if first == 0 {
                libc::_exit(1);
            }
            core::arch::x86_64::_rdtsc();
            libc::_exit(2)
        }
    }

    #[test]
    fn a_read_of_ours_goes_on_and_any_other_is_the_programs_fault() {
        assert_eq!(
            faults_passed(child, |stopped, signal, passed| goes_on(stopped, signal, |_| passed == 0)),
            1
        );
    }
}
