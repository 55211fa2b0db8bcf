//! Reads that may fault: what the target's reading loop and the tracer agree on.
//!
//! The target reads an address that may be anything with [`MAGIC`] in `r11` and, in `r10`, the address of the instruction
//! to go on at if that faults, at most [`REACH`] bytes behind the one that reads. The tracer, which sees every signal first,
//! goes on there and does not deliver the signal.

/// What `r11` holds.
pub const MAGIC: u64 = 0x9d4c_a17a_6bd3_e0f5;

/// How far behind the reading instruction the other one can be, in bytes.
pub const REACH: u64 = 64;

/// Whether a fault at `rip` with these registers is one of a guarded read.
#[must_use]
pub const fn is_guarded(rip: u64, r10: u64, r11: u64) -> bool {
    let behind = r10.wrapping_sub(rip);
    r11 == MAGIC && behind != 0 && behind <= REACH
}
