//! The stamp of a record: ticks of one counter that both sides read.

/// Where ticks come from. The CLI chooses, writes it in the segment's header, and calibrates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Clock {
    /// The CPU's time-stamp counter (invariant TSC); about 10 ns a read.
    Tsc = 1,
    /// `clock_gettime(CLOCK_MONOTONIC)` in nanoseconds; about 23 ns a read.
    Monotonic = 2,
}

impl Clock {
    /// The counter to use on this CPU: the TSC where it runs at one rate in all power states.
    ///
    /// CPUID leaf 8000_0007h, EDX bit 8 ("Invariant TSC"; Intel SDM vol. 3 section 18.17.1).
    #[must_use]
    pub fn of_this_machine() -> Self {
        let highest = core::arch::x86_64::__cpuid(0x8000_0000).eax;
        if highest >= 0x8000_0007 && core::arch::x86_64::__cpuid(0x8000_0007).edx & (1 << 8) != 0 {
            Self::Tsc
        } else {
            Self::Monotonic
        }
    }

    /// The clock that a header's number names; unknown numbers are the slower, always present one.
    #[must_use]
    pub fn from_number(number: u32) -> Self {
        if number == Self::Tsc as u32 { Self::Tsc } else { Self::Monotonic }
    }

    /// Reads the clock, in its own ticks.
    #[inline(always)]
    #[must_use]
    pub fn now(self) -> u64 {
        match self {
            // SAFETY: RDTSC needs no memory; a kernel that forbids it (PR_SET_TSC) is not one
            // whose TSC `of_this_machine` would have found usable for the CLI itself.
            Self::Tsc => unsafe { core::arch::x86_64::_rdtsc() },
            Self::Monotonic => monotonic_ns(),
        }
    }
}

/// `CLOCK_MONOTONIC` in nanoseconds, by the vDSO.
#[must_use]
pub fn monotonic_ns() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a live timespec; CLOCK_MONOTONIC always exists.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}
