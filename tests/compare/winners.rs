//! Work that favours one allocator or setting gets that one as the winner.

use crate::compare::found::{Found, compare};
use crate::launch::skipped;
use crate::target::Target;

/// Is this allocator installed?
fn is_installed(library: &str) -> bool {
    let is_there = std::path::Path::new("/usr/lib/x86_64-linux-gnu").join(library).exists();
    if !is_there {
        skipped(&format!("{library} is not installed"));
    }
    is_there
}

fn favours(options: &[&str], work: &[&str]) -> Found {
    let program = Target::c("favours.c").build();
    let program = program.path().to_str().expect("a plain path");
    compare(options, &[&[program], work].concat())
}

#[test]
fn many_arenas_are_larger_than_one() {
    let options = ["--allocator", "glibc", "--env", "MALLOC_ARENA_MAX=,1", "--runs", "9"];
    let found = favours(&options, &["arenas", "64"]);
    let one = "glibc MALLOC_ARENA_MAX=1";
    assert_eq!(found.labels()[..2], ["glibc", one]);
    let peak = found.figure("peak_rss");
    peak.expect(one, "lower");
    assert!(peak.median(one) * 3.0 < peak.median("glibc"), "{:#}", peak.value);
    assert_eq!(peak.leaders(), [one]);
    let arenas = found.figure("arenas");
    assert_eq!(arenas.median(one), 1.0);
    assert!(arenas.median("glibc") > 4.0, "{:#}", arenas.value);
    found.figure("retained").expect(one, "lower");
}

#[test]
fn large_blocks_that_are_mapped_each_time_are_slow() {
    let options = ["--allocator", "glibc", "--env", "MALLOC_MMAP_THRESHOLD_=,131072", "--runs", "9"];
    let found = favours(&options, &["churn", "1000"]);
    let mapped = "glibc MALLOC_MMAP_THRESHOLD_=131072";
    for figure in ["wall_time", "minor_faults", "mmap_calls", "munmap_calls", "memory_system_calls"] {
        found.figure(figure).expect(mapped, "higher");
    }
    assert_eq!(found.figure("wall_time").leaders(), ["glibc"]);
}

#[test]
fn an_allocator_that_keeps_large_blocks_is_faster_with_them() {
    if !is_installed("libjemalloc.so.2") {
        return;
    }
    let found = favours(&["--allocator", "glibc,jemalloc", "--runs", "9"], &["churn", "2000"]);
    found.figure("wall_time").expect("jemalloc", "lower");
    found.figure("minor_faults").expect("jemalloc", "lower");
    assert_eq!(found.figure("wall_time").leaders(), ["jemalloc"]);
}

#[test]
fn blocks_that_other_threads_release_pile_up_in_one_of_two() {
    if !is_installed("libjemalloc.so.2") || !is_installed("libmimalloc.so.2") {
        return;
    }
    let found = favours(&["--allocator", "jemalloc,mimalloc", "--runs", "9"], &["cross", "300"]);
    found.figure("peak_rss").expect("mimalloc", "lower");
    assert_eq!(found.figure("peak_rss").leaders(), ["mimalloc"]);
}
