//! Guarded reads of the interposer's that fault: the target never learns of them.

use calltap_channel::trace::guarded::is_guarded;

use super::ptrace::Stopped;

/// Whether the signal that a thread has stopped for is the fault of a guarded read. Then it will go on behind that, if the
/// signal is not delivered.
pub(crate) fn goes_on(stopped: &Stopped, signal: i32) -> bool {
    if signal != libc::SIGSEGV && signal != libc::SIGBUS {
        return false;
    }
    let Ok(mut registers) = stopped.registers() else { return false };
    if !is_guarded(registers.rip, registers.r10, registers.r11) {
        return false;
    }
    // Somebody may send the signal in just this moment; the kernel's own have positive codes.
    if !stopped.signal_details().is_ok_and(|details| details.si_code > 0) {
        return false;
    }
    registers.rip = registers.r10;
    stopped.set_registers(registers).is_ok()
}

#[cfg(test)]
mod tests {
    use std::arch::asm;

    use calltap_channel::trace::guarded::MAGIC;

    use super::*;
    use crate::tracer::faulting::faults_passed;

    /// Reads a byte at `address` as the interposer does; gives how many could not be read.
    fn read(address: u64) -> u64 {
        let (mut byte, left) = (0_u8, 1_u64);
        let unread: u64;
        // SAFETY: writes one byte, to a variable; a fault goes on at the label.
        unsafe {
            asm!(
                "lea r10, [rip + 2f]",
                "movabs r11, {magic}",
                "rep movsb byte ptr [rdi], byte ptr [rsi]",
                "2:",
                magic = const MAGIC as i64,
                inout("rcx") left => unread,
                inout("rdi") &raw mut byte => _,
                inout("rsi") address => _,
                out("r10") _,
                out("r11") _,
            );
        }
        unread
    }

    /// Reads here and there, and then in the same place without a guard.
    fn child() -> ! {
        let here = 1_u8;
        let there = [8, 0xdead_beef_dead_beef, u64::MAX];
        // SAFETY: async-signal-safe functions only; the last read is meant to fault.
        unsafe {
            // Until it is traced.
            libc::raise(libc::SIGSTOP);
            let faulted = there.iter().map(|address| read(*address)).sum::<u64>();
            if faulted != 3 || read(&raw const here as u64) != 0 {
                libc::_exit(1);
            }
            asm!("mov {0}, [8]", out(reg) _);
            libc::_exit(2)
        }
    }

    #[test]
    fn a_read_that_faults_goes_on_and_any_other_fault_is_delivered() {
        assert_eq!(faults_passed(child, |stopped, signal, _| goes_on(stopped, signal)), 3);
    }
}
