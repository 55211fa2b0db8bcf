//! The memory's part, and what the first lines say of it.

use calltap_analyzers::arenas::Occasion;
use calltap_analyzers::arenas::regions::Change;
use calltap_analyzers::arenas::report::{Part, PinKind, VerdictKind};

use super::*;

fn extent(bytes: u64, resident_bytes: u64) -> Extent {
    Extent { bytes, resident_bytes, swapped_bytes: 0 }
}

fn verdict(kind: VerdictKind, bytes: u64, resident_bytes: u64, percent: f64) -> Verdict {
    Verdict { kind, bytes, resident_bytes, percent, culprits: Vec::new() }
}

fn pin() -> Pin {
    Pin {
        kind: PinKind::Top,
        block: 0x7f12_3400_0010,
        bytes: Some(48),
        pinned_bytes: 190_000_000,
        pinned_resident_bytes: 188_000_000,
        arena: 0x7f12_3400_0030,
        birth_ns: Some(1_000_000_000),
        tid: Some(1234),
        function: Some("malloc".to_owned()),
        is_cached: false,
        site: site(0x1400, "parse"),
        stack: stack(5, &["parse  /src/leaky.c:88", "main  /src/leaky.c:99"]),
    }
}

/// 400 MB are resident; 300 MB of them are free and would go back, 40 MB are free and would not.
fn retaining() -> LastLook {
    let part = |part, bytes, resident| PartBytes { part, extent: extent(bytes, resident) };
    let leak = Culprit {
        function: Some("malloc".to_owned()),
        blocks: 1000,
        bytes: 4_000_000,
        own_bytes: 4_000_000,
        bytes_per_second: Some(1_200_000.0),
        stack: stack(6, &["grow  /src/leaky.c:70"]),
        ..Culprit::default()
    };
    let arena = |address, is_main, system| Arena {
        address,
        is_main,
        system: extent(system, system),
        live_bytes: 20_000_000,
        live_blocks: 2000,
        top: extent(190_000_000, 188_000_000),
        trim_bytes: 150_000_000,
        heaps: 3,
        attached_threads: Some(u64::from(is_main)),
        threads: vec![ThreadBytes { tid: 1234, bytes: 20_000_000 }],
        made_by_tid: (!is_main).then_some(1234),
        born_ns: (!is_main).then_some(3_000_000),
        ..Arena::default()
    };
    LastLook {
        at_ns: 13_300_000_000,
        consistent: true,
        glibc: Some("2.36".to_owned()),
        allocators: vec![Allocator { name: "glibc".to_owned(), serves: true, ..Allocator::default() }],
        ledger: Ledger {
            requested: extent(40_000_000, 39_000_000),
            usable: Some(extent(41_000_000, 40_000_000)),
            in_use: Some(extent(42_000_000, 41_000_000)),
            system: extent(402_000_000, 381_000_000),
            mapped: extent(536_870_912, 381_000_000),
            kernel: KernelCounts {
                rss_anon_bytes: Some(400_100_000),
                anonymous_bytes: Some(400_000_000),
                ..KernelCounts::default()
            },
            anonymous_bytes: 400_000_000,
            explained_bytes: 399_000_000,
        },
        parts: vec![
            part(Part::Live, 40_000_000, 39_000_000),
            part(Part::Rounding, 1_000_000, 1_000_000),
            part(Part::Headers, 1_000_000, 1_000_000),
            part(Part::Bin, 170_000_000, 152_000_000),
            part(Part::Top, 190_000_000, 188_000_000),
            part(Part::Reserved, 134_870_912, 0),
            part(Part::Stacks, 9_000_000, 1_000_000),
            part(Part::Files, 17_000_000, 17_000_000),
            part(Part::Unknown, 1_000_000, 1_000_000),
        ],
        verdicts: vec![
            verdict(VerdictKind::Retention, 300_000_000, 300_000_000, 71.0),
            verdict(VerdictKind::Fragmentation, 40_000_000, 40_000_000, 9.5),
            verdict(VerdictKind::InUse, 36_000_000, 35_000_000, 8.5),
            verdict(VerdictKind::NeverTouched, 22_000_000, 0, 5.2),
            verdict(VerdictKind::NotTheAllocators, 19_000_000, 19_000_000, 4.5),
            Verdict { culprits: vec![leak], ..verdict(VerdictKind::Leak, 4_000_000, 4_000_000, 1.0) },
            verdict(VerdictKind::Overhead, 2_000_000, 2_000_000, 0.5),
        ],
        pins: vec![pin()],
        advice: vec![Advice {
            remedy: "arena_max",
            value: Some(2),
            command: Some("MALLOC_ARENA_MAX=2 calltap run -- ./leaky".to_owned()),
            saves_bytes: 120_000_000,
            because: "60 of 64 arenas hold 150 MB that nobody uses".to_owned(),
            ..Advice::default()
        }],
        trim: Some(Trim { returned_bytes: 300_000_000, from_top_bytes: 0, kept_bytes: 40_000_000 }),
        arenas: vec![arena(0x7f12_0000_0c60, true, 201_000_000), arena(0x7f12_3400_0030, false, 201_000_000)],
        tcaches: vec![Tcache { tid: Some(1234), chunks: 7, bytes: 448 }],
        differences: Differences { matched: 3000, ..Differences::default() },
        births_by_change: [(Change::ArenaBorn, 2), (Change::Grown, 1)]
            .map(|(change, count)| ChangeCount { change, count })
            .to_vec(),
        ..LastLook::default()
    }
}

fn looked_at(last: LastLook) -> Process {
    let look = Look { at_ns: last.at_ns, consistent: true, ..Look::default() };
    Process { arenas: Some(Arenas { looks: vec![look], last }), ..quiet(42, "./leaky") }
}

fn memory_part(process: Process) -> String {
    let text = rendered(&report(vec![process]));
    let at = text.find("  memory: ").unwrap_or_else(|| panic!("{text}"));
    let end = text[at..].find("  descriptors: ").map_or(text.len(), |length| at + length);
    text[at..end].to_owned()
}

#[test]
fn what_is_resident_has_reasons_pins_and_remedies() {
    assert_eq!(
        memory_part(looked_at(retaining())),
        "  memory: 400 MB resident at exit: 75% retention (malloc_trim would return 300 MB), 10% fragmentation, 9% in use, 5% not the allocator's, 1% leak, <1% overhead; 22.0 MB never touched
    this 48-byte block (0x7f1234000010) pins 190 MB: given to thread 1234 by malloc in parse (leaky.c:88), 12 s old; without it the top of arena 0x7f1234000030 could shrink
    try: MALLOC_ARENA_MAX=2 calltap run -- ./leaky
        saves at most 120 MB, because 60 of 64 arenas hold 150 MB that nobody uses
    why                    bytes  resident  share  mostly
    retention             300 MB    300 MB    71%
    fragmentation        40.0 MB   40.0 MB    10%
    in use               36.0 MB   35.0 MB     8%
    never touched        22.0 MB       0 B     5%
    not the allocator's  19.0 MB   19.0 MB     4%
    leak                 4.00 MB   4.00 MB     1%  4.00 MB by malloc in grow (leaky.c:70), 1.20 MB/s more
    overhead             2.00 MB   2.00 MB    <1%
    ledger                         bytes  resident
    requested                    40.0 MB   39.0 MB
      + rounding                 1.00 MB   1.00 MB
    usable                       41.0 MB   40.0 MB
      + headers                  1.00 MB   1.00 MB
    in use                       42.0 MB   41.0 MB
      + bins                      170 MB    152 MB
      + tops                      190 MB    188 MB
    system                        402 MB    381 MB
      + reserved                  135 MB       0 B
    mapped for it                 537 MB    381 MB
    beside it
      + stacks                   9.00 MB   1.00 MB
      + files and objects' data  17.0 MB   17.0 MB
      + not explained            1.00 MB   1.00 MB
    explained: 399 MB of 400 MB resident and anonymous (99.7%); the kernel counts 400 MB in smaps, 400 MB in RssAnon
    arena           system  resident     live  tcache  free     top  trim gives  heaps  users                                    made by
    main            201 MB    201 MB  20.0 MB     0 B   0 B  190 MB      150 MB      3  1 thread
    0x7f1234000030  201 MB    201 MB  20.0 MB     0 B   0 B  190 MB      150 MB      3  none: an orphan, 20.0 MB of thread 1234  thread 1234 at 3.00 ms
    threads' caches: 448 B in 1, at most 448 B in 7 chunks (thread 1234)
    from the kernel: 2 arenas made, grown 1 time
    hooks and allocator agree: 3000 living blocks
"
    );
}

#[test]
fn a_small_heap_gets_one_line() {
    let last = LastLook {
        consistent: true,
        ledger: Ledger {
            system: extent(135_168, 12_288),
            anonymous_bytes: 300_000,
            explained_bytes: 300_000,
            ..Ledger::default()
        },
        verdicts: vec![
            verdict(VerdictKind::InUse, 10_000, 10_000, 2.0),
            verdict(VerdictKind::NotTheAllocators, 290_000, 290_000, 90.0),
            verdict(VerdictKind::NeverTouched, 122_880, 0, 8.0),
        ],
        ..LastLook::default()
    };
    assert_eq!(
        memory_part(looked_at(last.clone())),
        "  memory: 300 kB resident at exit: 97% not the allocator's, 3% in use; 123 kB never touched\n"
    );
    let asked = LastLook { occasion: Occasion::OnDemand, at_ns: 2_500_000_000, ..last };
    let text = memory_part(looked_at(asked));
    assert!(text.starts_with("  memory: 300 kB resident at 2.50 s: 97%"), "{text}");
    assert!(text.contains("\n    system         135 kB   12.3 kB\n"), "who asks is told: {text}");
}

#[test]
fn what_is_not_sure_is_said() {
    let mut last = retaining();
    last.consistent = false;
    last.glibc = None;
    last.not_decoded = Some("its version 2.99 is not known".to_owned());
    last.arenas[1].locked = true;
    last.pins.clear();
    let text = memory_part(looked_at(last));
    let doubts: Vec<_> = text.lines().skip(1).take(3).collect();
    assert_eq!(
        doubts,
        [
            "    not of one moment: the process ran while it was read",
            "    not decoded, because its version 2.99 is not known",
            "    1 arena read in the middle of an operation",
        ]
    );
    assert!(!text.contains("agree"), "{text}");

    let mut last = retaining();
    last.differences = Differences {
        matched: 10,
        chunks_not_seen: 2,
        chunks_not_seen_bytes: 96,
        blocks_without_chunk: 1,
        blocks_without_chunk_bytes: 8,
        too_small: 1,
        mmapped_missing: -1,
        under_way: 3,
    };
    let text = memory_part(looked_at(last));
    let told = "    hooks and allocator agree on 10 living blocks; 2 chunks (96 B) in use that the hooks did not \
                see, 1 block (8 B) that the allocator does not have, 1 chunk smaller than was asked for, 1 \
                mapped chunk more than the allocator counts (3 calls under way)\n";
    assert!(text.contains(told), "{text}");
}

#[test]
fn another_allocators_regions_are_added_up() {
    let named = |name: &str, serves| Allocator { name: name.to_owned(), serves, ..Allocator::default() };
    let region = || Region {
        extent: extent(4_000_000, 3_000_000),
        live_bytes: 1_000_000,
        live_blocks: 100,
        empty_pages: 100,
        sparse_pages: 10,
        ..Region::default()
    };
    let mut last = retaining();
    last.glibc = None;
    last.allocators = vec![named("jemalloc", true), named("glibc", false)];
    (last.arenas, last.regions) = (Vec::new(), vec![region(), region()]);
    let text = memory_part(looked_at(last));
    assert!(text.contains("    allocator: jemalloc; also loaded: glibc\n"), "{text}");
    let told = "    2 regions of the allocator: 8.00 MB, 6.00 MB resident, 2.00 MB requested in 200 blocks; 819 \
                kB of pages without a living byte, 81.9 kB of pages less than a quarter used\n";
    assert!(text.contains(told), "{text}");
}

#[test]
fn several_looks_are_a_time_series() {
    let mut process = looked_at(retaining());
    let arenas = process.arenas.as_mut().unwrap();
    let look = |at_ns| Look {
        at_ns,
        occasion: Occasion::Periodic,
        stopped_ns: Some(4_000_000),
        consistent: at_ns != 2_000_000_000,
        requested_bytes: 1_000_000,
        in_use_bytes: Some(1_100_000),
        system_bytes: 2_000_000,
        anonymous_resident_bytes: 3_000_000,
        verdicts: VerdictBytes { retention_bytes: 500_000, ..VerdictBytes::default() },
        ..Look::default()
    };
    arenas.looks = vec![
        look(1_000_000_000),
        look(2_000_000_000),
        Look { occasion: Occasion::Exit, stopped_ns: None, ..look(3_000_000_000) },
    ];
    let text = memory_part(process);
    let series = &text[text.find("    look at").unwrap_or_else(|| panic!("{text}"))..];
    assert_eq!(
        series,
        "    look at  requested   in use   system  resident  leak  retention  fragmentation
     1.00 s    1.00 MB  1.10 MB  2.00 MB   3.00 MB   0 B     500 kB            0 B  stopped 4.00 ms
     2.00 s    1.00 MB  1.10 MB  2.00 MB   3.00 MB   0 B     500 kB            0 B  stopped 4.00 ms, not of one moment
     3.00 s    1.00 MB  1.10 MB  2.00 MB   3.00 MB   0 B     500 kB            0 B  at exit
"
    );
}

#[test]
fn what_is_free_and_kept_is_in_the_first_lines() {
    let text = rendered(&report(vec![looked_at(retaining())]));
    let lines: Vec<_> = text.lines().take(3).collect();
    assert_eq!(
        lines,
        [
            "calltap: ./leaky did not leak: no block still allocated, no descriptor left open; 400 MB resident, \
             of it free and kept: retention 300 MB, fragmentation 40.0 MB; status 0",
            "where:   this 48-byte block (0x7f1234000010) pins 190 MB: given to thread 1234 by malloc in parse \
             (leaky.c:88), 12 s old",
            "next:    MALLOC_ARENA_MAX=2 calltap run -- ./leaky   saves at most 120 MB",
        ]
    );
}

#[test]
fn a_larger_leak_or_a_fault_comes_first() {
    let mut process = looked_at(retaining());
    let heap = process.heap.as_mut().unwrap();
    heap.still_allocated.bytes = 900_000_000;
    heap.still_allocated.blocks = 9;
    let text = rendered(&report(vec![process.clone()]));
    let lines: Vec<_> = text.lines().take(3).collect();
    assert!(lines[0].contains("left 9 blocks, 900 MB still allocated; 400 MB resident, of it"), "{text}");
    assert!(!lines[2].contains("MALLOC_ARENA_MAX"), "{text}");

    let arenas = process.arenas.as_mut().unwrap();
    arenas.last.verdicts[0].resident_bytes = 10_000_000;
    arenas.last.verdicts[1].resident_bytes = 4_000_000;
    let text = rendered(&report(vec![process]));
    assert!(!text.lines().next().unwrap().contains("resident"), "less than 16 MiB is no finding: {text}");
}

#[test]
fn who_keeps_much_gets_a_section() {
    let mut process = looked_at(retaining());
    process.pid = 50;
    let text = rendered(&report(vec![quiet(41, "sh"), quiet(42, "cat"), process]));
    assert!(text.contains("\nprocess 50: ./leaky; status 0, 1 thread"), "{text}");
    assert!(text.contains("\nprocess 42: cat; status 0; no block still allocated"), "{text}");
    assert!(text.contains("\nwhere:   process 50 (leaky): this 48-byte block"), "{text}");
}
