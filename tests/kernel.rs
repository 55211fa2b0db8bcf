//! The kernel's side: system calls beside the calls that made them, and descriptors to the last one.

mod counts;
mod descriptors;
mod interfaces;
mod ledger;
mod misuse;
mod owners;
mod residue;
mod section;
mod stops;
mod strace;
mod survival;
mod tracers;
