//! The interfaces by which a program can make system calls, as the kernel tells them apart.

use calltap_analyzers::kernel::CallId;
use calltap_channel::note::{I386, X32, X86_64};

/// Architectures as `seccomp_data` and ptrace have them (linux/audit.h).
pub(super) const AUDIT_X86_64: u32 = 0xc000_003e;
/// See [`AUDIT_X86_64`].
pub(super) const AUDIT_I386: u32 = 0x4000_0003;
/// Set in the numbers of x32's calls.
const X32_BIT: u32 = 0x4000_0000;

/// The call that the kernel shows with this architecture and number.
#[must_use]
pub fn identify(architecture: u32, number: u64) -> CallId {
    let number = number as u32;
    let (interface, number) = match architecture {
        AUDIT_I386 => (I386, number),
        _ if number & X32_BIT != 0 => (X32, number & !X32_BIT),
        _ => (X86_64, number),
    };
    CallId { interface, number }
}

/// The number by which the kernel shows a call.
pub(super) const fn shown_number(id: CallId) -> u32 {
    if id.interface == X32 { id.number | X32_BIT } else { id.number }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interfaces_are_told_apart() {
        let calls = [
            (AUDIT_X86_64, 3, CallId { interface: X86_64, number: 3 }),
            (AUDIT_X86_64, 0x4000_0003, CallId { interface: X32, number: 3 }),
            (AUDIT_I386, 6, CallId { interface: I386, number: 6 }),
        ];
        for (architecture, number, id) in calls {
            assert_eq!(identify(architecture, number), id);
            assert_eq!(u64::from(shown_number(id)), number);
        }
    }
}
