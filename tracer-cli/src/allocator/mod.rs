//! Allocators' memory, read from outside the process: nothing runs in it, and nothing is written.
//!
//! glibc's alone is read chunk by chunk ([`glibc`]); of the others only the regions are known.

pub mod glibc;
mod memory;
