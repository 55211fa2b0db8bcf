//! What the kernel itself counts of a process's memory.

use std::fs;

use calltap_analyzers::arenas::memory_map::KernelCounts;

use crate::exit_snapshot::memory::Memory;

/// The counters that it keeps: asked in no time. They can be late by some pages for each CPU.
#[must_use]
pub fn counts(pid: u32, tid: u32) -> KernelCounts {
    let memory = Memory::parse(&read(pid, tid, "status"), "");
    KernelCounts {
        rss_anon: memory.rss_anon_bytes,
        rss_file: memory.rss_file_bytes,
        rss_shmem: memory.rss_shmem_bytes,
        swap: memory.swap_bytes,
        ..KernelCounts::default()
    }
}

/// Adds what it has to count page by page: 1.4 ms for 100 MB, 27 ms for 1 GB.
pub fn rollup(pid: u32, tid: u32, counts: &mut KernelCounts) {
    let memory = Memory::parse("", &read(pid, tid, "smaps_rollup"));
    counts.lazily_freed = memory.lazily_freed_bytes;
    counts.anonymous = memory.anonymous_bytes;
    counts.huge = memory.huge_bytes;
}

fn read(pid: u32, tid: u32, name: &str) -> String {
    fs::read_to_string(format!("/proc/{pid}/task/{tid}/{name}")).unwrap_or_default()
}
