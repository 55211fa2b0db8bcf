//! After random work in many threads: what calltap reads of glibc's heap, beside what glibc says of it
//! in the same process at the same moment, to the byte.
//!
//! glibc's own figures have two flaws, which are corrected here. `malloc_info` adds up the size words
//! of free chunks with the flag in their lowest bit, that the chunk before is in use, which it always
//! is: one byte too much for each free chunk. And both `malloc_info` and `malloc_stats` count what
//! lies in threads' caches as in use; `in_use_bytes` of the report does so too, and says besides how
//! much that is.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::launch::{calltap, scratch};
use crate::report::Process;
use crate::target::Target;

/// Calls that all threads make together, unless `CALLTAP_STORY_OPERATIONS` says otherwise: about a
/// second of work; 20 million are ten.
const OPERATIONS: u64 = 1_000_000;

/// What is said of one arena. Bytes.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    is_main: bool,
    system: u64,
    max_system: u64,
    in_use: u64,
    fast: u64,
    /// In the other bins and the top.
    rest: u64,
}

/// What glibc said: of its arenas, and number and bytes of mapped chunks.
struct Stated {
    arenas: Vec<Row>,
    mapped: (u64, u64),
}

impl Stated {
    /// From the target's report: `malloc_stats`, and then `malloc_info`.
    fn of(path: &Path) -> Self {
        let text = fs::read_to_string(path).expect("the target wrote it");
        let (stats, info) = text.split_once("<malloc").expect("malloc_info comes second");
        let (stats, _) = stats.split_once("Total").expect("the sum is last");
        let numbers = stats.lines().filter_map(|line| line.split_once('='));
        let stats: Vec<u64> = numbers.map(|(_, number)| number.trim().parse().expect("a number")).collect();
        let (heaps, total) = info.rsplit_once("</heap>").expect("an arena at least");
        let arenas = heaps.split("</heap>").zip(stats.as_chunks().0).enumerate();
        let arenas = arenas.map(|(index, (heap, &[system, in_use]))| {
            // A top is always counted, and has no flags in its size.
            let flags = attribute(heap, "rest", "count") - 1;
            assert_eq!(attribute(heap, "current", "size"), system);
            Row {
                is_main: index == 0,
                system,
                max_system: attribute(heap, "max", "size"),
                in_use,
                fast: attribute(heap, "fast", "size"),
                rest: attribute(heap, "rest", "size") - flags,
            }
        });
        let mut arenas: Vec<_> = arenas.collect();
        assert_eq!(arenas.len() * 2, stats.len());
        arenas.sort_unstable();
        Self { arenas, mapped: (attribute(total, "mmap", "count"), attribute(total, "mmap", "size")) }
    }
}

/// An attribute of the element with this `type`.
fn attribute(xml: &str, of: &str, name: &str) -> u64 {
    let element = xml.lines().find(|line| line.contains(&format!("type=\"{of}\"")));
    let value = element.and_then(|element| element.split_once(&format!("{name}=\"")));
    let number = value.and_then(|(_, value)| value.split('"').next()?.parse().ok());
    number.unwrap_or_else(|| panic!("no {name} of {of} in {xml}"))
}

/// What calltap says of the arenas.
fn decoded(process: Process) -> Vec<Row> {
    let row = |arena: &Value| {
        let bytes = |pointer: &str| {
            let value = arena.pointer(pointer).and_then(Value::as_u64);
            value.unwrap_or_else(|| panic!("no {pointer} in {arena:#}"))
        };
        Row {
            is_main: arena["is_main"] == true,
            system: bytes("/system/bytes"),
            max_system: bytes("/max_system_bytes"),
            in_use: bytes("/in_use_bytes"),
            fast: bytes("/fast/bytes"),
            rest: bytes("/bin/bytes") + bytes("/top/bytes"),
        }
    };
    let mut rows: Vec<_> =
        process.at("/arenas/last/arenas").as_array().expect("an array").iter().map(row).collect();
    rows.sort_unstable();
    rows
}

/// Runs the target, and expects that glibc, the chunks and the hooks say the same; gives how many
/// arenas there were.
fn expect_equality(threads: u64, arena_max: Option<&str>) -> usize {
    let directory = scratch();
    let report = directory.path().join("report");
    let all = std::env::var("CALLTAP_STORY_OPERATIONS").ok();
    let all = all.map_or(OPERATIONS, |all| all.parse().expect("a number"));
    let arguments = [threads.to_string(), (all / threads).to_string(), report.display().to_string()];
    let launch = calltap();
    let launch = match arena_max {
        Some(number) => launch.variable("MALLOC_ARENA_MAX", number),
        None => launch,
    };
    let outcome = launch.run(Target::c("arena_random.c").build(), &arguments).expect_status(0);
    assert_eq!(outcome.report().lost(), 0, "{outcome}");
    let process = outcome.report().only_process();
    assert!(process.at("/arenas/last/not_decoded").is_null(), "{:#}", process.at("/arenas/last"));
    let stated = Stated::of(&report);
    assert_eq!(decoded(process), stated.arenas);
    let differences = process.at("/arenas/last/differences");
    let difference = |name: &str| process.number(&format!("/arenas/last/differences/{name}"));
    assert!(difference("matched") > 0, "{differences:#}");
    for name in ["chunks_not_seen", "blocks_without_chunk", "too_small", "mmapped_missing", "under_way"] {
        assert_eq!(difference(name), 0, "{name}: {differences:#}");
    }
    let in_chunks: u64 = stated.arenas.iter().map(|arena| arena.system).sum();
    let system = process.number("/arenas/last/ledger/system/bytes");
    assert_eq!(u64::try_from(system), Ok(in_chunks + stated.mapped.1), "{} mapped chunks", stated.mapped.0);
    stated.arenas.len()
}

#[test]
fn of_one_thread() {
    assert_eq!(expect_equality(1, None), 1);
}

#[test]
fn of_eight_threads_with_an_arena_each() {
    assert!(expect_equality(8, None) > 1);
}

#[test]
fn of_eight_threads_in_one_arena() {
    assert_eq!(expect_equality(8, Some("1")), 1);
}

#[test]
fn of_64_threads_that_share_arenas() {
    assert!(expect_equality(64, None) > 1);
}

#[test]
fn of_64_threads_with_an_arena_each() {
    assert!(expect_equality(64, Some("100")) > 64);
}

#[test]
fn of_64_threads_in_one_arena() {
    assert_eq!(expect_equality(64, Some("1")), 1);
}
