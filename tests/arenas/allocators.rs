//! The same work under several allocators: which one serves, where each byte is, and who mapped it.

use std::path::Path;

use serde::Deserialize;

use super::found::Verdict;
use crate::launch::{Launch, bare, calltap, skipped};
use crate::marks::Marks;
use crate::outcome::Outcome;
use crate::stack::{Leak, Stack};
use crate::target::Target;

const SOURCE: &str = "arena_work.c";

/// Where distributions keep libraries.
const LIBRARIES: [&str; 3] = ["/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib"];

/// What the last look found of memory that is not glibc's, or is nobody's.
#[derive(Debug, Deserialize)]
struct Found {
    allocators: Vec<Allocator>,
    ledger: Ledger,
    parts: Vec<Part>,
    verdicts: Vec<Verdict>,
    regions: Vec<Region>,
    births: Vec<Birth>,
}

#[derive(Debug, Deserialize)]
struct Allocator {
    name: String,
    object: String,
    serves: bool,
}

#[derive(Debug, Deserialize)]
struct Ledger {
    requested: Extent,
    kernel: KernelCounts,
    anonymous_bytes: i64,
    explained_bytes: i64,
}

#[derive(Debug, Deserialize)]
struct Extent {
    bytes: i64,
}

#[derive(Debug, Deserialize)]
struct KernelCounts {
    rss_anon_bytes: Option<i64>,
}

#[derive(Debug, Deserialize)]
struct Part {
    part: String,
    bytes: i64,
    resident_bytes: i64,
}

#[derive(Debug, Deserialize)]
struct Region {
    bytes: i64,
    resident_bytes: i64,
    live_bytes: i64,
    live_blocks: i64,
    tid: Option<i64>,
    empty_pages: i64,
    sparse_pages: i64,
}

#[derive(Debug, Deserialize)]
struct Birth {
    change: String,
    tid: i64,
    function: Option<String>,
    stack: Stack,
}

#[test]
fn under_glibc_each_byte_has_a_name() {
    let (outcome, found) = look(calltap(), "glibc", None);
    expect_served_by(&found, "glibc");
    expect_explained(&outcome, &found);
    expect_births(&outcome, &found, "arena_born", outcome.said("threads"));
    assert!(found.regions.is_empty(), "{:#?}", found.regions);
}

#[test]
fn under_jemalloc_each_byte_has_a_name() {
    let Some(library) = library("libjemalloc.so.2") else { return };
    let (outcome, found) = look(calltap(), "jemalloc", Some(&library));
    expect_served_by(&found, "jemalloc");
    expect_explained(&outcome, &found);
    expect_regions(&found);
    expect_births(&outcome, &found, "region_mapped", 1);
}

#[test]
fn under_tcmalloc_each_byte_has_a_name() {
    let Some(library) = library("libtcmalloc_minimal.so.4") else { return };
    let (outcome, found) = look(calltap(), "tcmalloc", Some(&library));
    expect_served_by(&found, "tcmalloc");
    expect_explained(&outcome, &found);
    expect_regions(&found);
    // It takes its memory where the C library's main arena would: by the program's break.
    expect_births(&outcome, &found, "grown", 1);
}

#[test]
fn under_mimalloc_each_byte_has_a_name() {
    let Some(library) = library("libmimalloc.so.2").or_else(|| library("libmimalloc.so.3")) else { return };
    let (outcome, found) = look(calltap(), "mimalloc", Some(&library));
    expect_served_by(&found, "mimalloc");
    expect_explained(&outcome, &found);
    expect_regions(&found);
    // It needs a second region only for what does not fit in the first.
    assert!(found.births.iter().any(|birth| birth.change == "region_mapped"), "{:#?}", found.births);
}

#[test]
fn without_system_calls_what_cannot_be_known_is_said_to_be_unknown() {
    let launch = calltap().options(&["--syscalls", "none"]);
    let (outcome, found) = look(launch, "glibc", None);
    expect_served_by(&found, "glibc");
    assert_eq!(found.births.len(), 0, "{:#?}", found.births);
    assert_eq!(found.ledger.requested.bytes, living(&outcome), "{outcome}");
    // What hooks tell is known all the same: what the program has mapped through them, and its blocks.
    let direct = outcome.said("direct.bytes") - outcome.said("raw.bytes");
    assert_eq!(part(&found, "direct").resident_bytes, direct, "{:#?}", found.parts);
    let unknown = part(&found, "unknown").resident_bytes;
    assert!(unknown >= outcome.said("raw.bytes") + outcome.said("stack.bytes"), "{:#?}", found.parts);
    let (explained, anonymous) = (found.ledger.explained_bytes, found.ledger.anonymous_bytes);
    assert_eq!(explained + unknown, anonymous, "{:#?}", found.ledger);
}

/// Runs the work under an allocator, or under the one that is there anyway.
fn look(launch: Launch, name: &str, library: Option<&str>) -> (Outcome, Found) {
    let target = Target::c(SOURCE).build();
    let with = |launch: Launch| match library {
        Some(library) => launch.variable("LD_PRELOAD", library),
        None => launch,
    };
    let without = with(bare()).run::<&str>(&target, &[]).expect_status(0);
    let outcome = with(launch).run::<&str>(&target, &[]).expect_same_as(&without);
    let report = outcome.report();
    assert_eq!(report.lost(), 0, "{name}: {outcome}");
    let process = report.only_process();
    let leaks = Leak::all(process);
    let line = Marks::of(&[SOURCE]).leak("work");
    let of_work = || leaks.iter().filter(|leak| leak.stack.passes(line));
    let found = (of_work().map(|leak| leak.blocks).sum(), of_work().map(|leak| leak.bytes).sum());
    assert_eq!(found, (outcome.said("live.blocks"), outcome.said("live.bytes")), "{name}: {leaks:#?}");
    let last = process.at("/arenas/last");
    let found = Found::deserialize(last).unwrap_or_else(|error| panic!("{error} in {last:#}"));
    (outcome, found)
}

fn library(name: &str) -> Option<String> {
    let mut paths = LIBRARIES.iter().map(|directory| format!("{directory}/{name}"));
    let found = paths.find(|path| Path::new(path).exists());
    if found.is_none() {
        skipped(&format!("{name} is not installed"));
    }
    found
}

/// One allocator serves; glibc's is there in any case.
fn expect_served_by(found: &Found, name: &str) {
    let serving: Vec<_> = found.allocators.iter().filter(|allocator| allocator.serves).collect();
    let [serving] = serving[..] else { panic!("{:#?}", found.allocators) };
    assert_eq!(serving.name, name);
    assert!(serving.object.contains("/lib"), "{serving:#?}");
    let mut names: Vec<_> = found.allocators.iter().map(|allocator| &*allocator.name).collect();
    names.dedup();
    assert_eq!(names.last(), Some(&"glibc"), "{names:?}");
    assert_eq!(names.len(), 1 + usize::from(name != "glibc"), "{names:?}");
}

fn part<'a>(found: &'a Found, name: &str) -> &'a Part {
    let part = found.parts.iter().find(|part| part.part == name);
    part.unwrap_or_else(|| panic!("no part {name}: {:#?}", found.parts))
}

/// At least 97% of the kernel's own count, and what the program knows, to the byte.
fn expect_explained(outcome: &Outcome, found: &Found) {
    let kernel = found.ledger.kernel.rss_anon_bytes.expect("this kernel tells");
    let most = kernel.max(found.ledger.anonymous_bytes);
    assert!(100 * found.ledger.explained_bytes >= 97 * most, "{:#?}\n{:#?}", found.ledger, found.parts);
    assert_eq!(part(found, "direct").resident_bytes, outcome.said("direct.bytes"), "{:#?}", found.parts);
    assert_eq!(part(found, "direct").bytes, outcome.said("direct.bytes"), "{:#?}", found.parts);
    assert_eq!(part(found, "code").resident_bytes, outcome.said("code.bytes"), "{:#?}", found.parts);
    assert!(part(found, "stacks").resident_bytes >= outcome.said("stack.bytes"), "{:#?}", found.parts);
    assert!(part(found, "files").resident_bytes >= outcome.said("zeroed.bytes"), "{:#?}", found.parts);
    assert_eq!(found.ledger.requested.bytes, living(outcome), "{outcome}");
    let verdict = found.verdicts.iter().find(|verdict| verdict.kind == "not_the_allocators");
    let culprits = &verdict.expect("there is such memory").culprits;
    for place in ["mapped", "raw"] {
        let line = Marks::of(&[SOURCE]).fault(place);
        assert!(culprits.iter().any(|culprit| culprit.stack.passes(line)), "{place}: {culprits:#?}");
    }
}

/// Bytes of all blocks that live by the hooks' ledger: the program's, and the run-time's.
fn living(outcome: &Outcome) -> i64 {
    let process = outcome.report().only_process();
    process.still_allocated().1 + process.number("/heap/runtime_owned/bytes")
}

/// All living bytes lie in the regions, and nowhere else.
fn expect_regions(found: &Found) {
    let sum = |of: fn(&Region) -> i64| found.regions.iter().map(of).sum::<i64>();
    assert_eq!(sum(|region| region.live_bytes), found.ledger.requested.bytes, "{:#?}", found.regions);
    assert!(sum(|region| region.live_blocks) > 0);
    for region in &found.regions {
        assert!(region.resident_bytes <= region.bytes, "{region:#?}");
        let pages = region.resident_bytes / 4096;
        assert!(region.empty_pages + region.sparse_pages <= pages, "{region:#?}");
    }
    let largest = found.regions.iter().max_by_key(|region| region.live_bytes);
    assert!(largest.is_some_and(|region| region.tid.is_some()), "{:#?}", found.regions);
}

/// Threads of the work have had this happen in `malloc`, each from the marked line.
fn expect_births(outcome: &Outcome, found: &Found, change: &str, least: i64) {
    let line = Marks::of(&[SOURCE]).leak("work");
    let of_work = |birth: &&Birth| {
        birth.change == change && birth.function.as_deref() == Some("malloc") && birth.stack.passes(line)
    };
    let mut threads: Vec<i64> = found.births.iter().filter(of_work).map(|birth| birth.tid).collect();
    threads.sort_unstable();
    threads.dedup();
    assert!(threads.len() as i64 >= least, "{threads:?}: {:#?}\n{outcome}", found.births);
}
