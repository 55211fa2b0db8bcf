//! All of calltap that only thinks: events in, findings out.
//!
//! No I/O, no clock, no threads, no unsafe code. Every analyzer is generic over where events come
//! from and keeps memory in proportion to what is live, not to the length of the run.
#![forbid(unsafe_code)]

pub mod counts;
pub mod event;
mod hash;
pub mod heap;
pub mod latency;
mod pairing;
