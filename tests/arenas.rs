//! Where the memory is: verdicts, pins and advice beside what programs say of themselves.

mod allocators;
mod equality;
mod found;
mod java;
mod snapshots;
mod verdicts;
