//! The arenas' part of it: every name once, and every field.

use calltap_analyzers::arenas::Occasion;
use calltap_analyzers::arenas::regions::Change;
use calltap_analyzers::arenas::report::PinKind;

use crate::origin::Site;
use crate::report::model::names::{CHANGES, PARTS, VERDICTS};
use crate::report::model::{
    Advice, Allocator, Arena, Arenas, Birth, Cells, ChangeCount, Culprit, Differences, Extent, KernelCounts,
    LastLook, Ledger, Look, PartBytes, Pin, Region, Report, Stack, Strip, Tcache, ThreadBytes, Trim, Verdict,
};

const ZERO: Option<u64> = Some(0);

impl Report {
    /// Looks that found everything there is.
    pub(super) fn example_arenas() -> Arenas {
        let look = Look {
            occasion: Occasion::Periodic,
            stopped_ns: ZERO,
            usable_bytes: ZERO,
            in_use_bytes: ZERO,
            rss_anon_bytes: ZERO,
            trim_returned_bytes: ZERO,
            ..Look::default()
        };
        Arenas { looks: vec![look, Look::default()], last: last() }
    }
}

fn last() -> LastLook {
    let culprit = Culprit { bytes_per_second: Some(0.0), ..Culprit::default() };
    let verdict =
        |kind| Verdict { kind, bytes: 0, resident_bytes: 0, percent: 0.0, culprits: vec![culprit.clone()] };
    let remedies = [
        "malloc_trim",
        "arena_max",
        "trim_threshold",
        "mmap_threshold",
        "top_pad",
        "tcache_count",
        "allocator",
        "release",
    ];
    let advice = |remedy| Advice {
        remedy,
        value: ZERO,
        allocator: Some(String::new()),
        command: Some(String::new()),
        culprit: Some(culprit.clone()),
        ..Advice::default()
    };
    LastLook {
        stopped_ns: ZERO,
        glibc: Some("2.36".to_owned()),
        not_decoded: Some(String::new()),
        allocators: vec![Allocator::default()],
        ledger: ledger(),
        parts: PARTS.map(|part| PartBytes { part, extent: Extent::default() }).to_vec(),
        verdicts: VERDICTS.map(verdict).to_vec(),
        pins: [PinKind::Top, PinKind::Heap].map(pin).to_vec(),
        advice: remedies.map(advice).to_vec(),
        trim: Some(Trim::default()),
        arenas: vec![Arena {
            attached_threads: ZERO,
            threads: vec![ThreadBytes::default()],
            born_ns: ZERO,
            made_by_tid: Some(0),
            ..Arena::default()
        }],
        tcaches: vec![Tcache { tid: Some(0), ..Tcache::default() }],
        regions: vec![Region { born_ns: ZERO, tid: Some(0), ..Region::default() }],
        differences: Differences { mmapped_missing: -1, ..Differences::default() },
        births: CHANGES.map(birth).to_vec(),
        births_by_change: CHANGES.map(|change| ChangeCount { change, count: 0 }).to_vec(),
        strips: vec![Strip {
            cells: Cells {
                live_bytes: vec![0],
                tcache_bytes: vec![0],
                free_bytes: vec![0],
                untouched_bytes: vec![0],
            },
            ..Strip::default()
        }],
        ..LastLook::default()
    }
}

fn ledger() -> Ledger {
    Ledger {
        usable: Some(Extent::default()),
        in_use: Some(Extent::default()),
        kernel: KernelCounts {
            rss_anon_bytes: ZERO,
            rss_file_bytes: ZERO,
            rss_shmem_bytes: ZERO,
            swap_bytes: ZERO,
            lazily_freed_bytes: ZERO,
            anonymous_bytes: ZERO,
            huge_bytes: ZERO,
        },
        ..Ledger::default()
    }
}

fn pin(kind: PinKind) -> Pin {
    Pin {
        kind,
        block: 0,
        bytes: ZERO,
        pinned_bytes: 0,
        pinned_resident_bytes: 0,
        arena: 0,
        birth_ns: ZERO,
        tid: Some(0),
        function: Some(String::new()),
        is_cached: false,
        site: Site::default(),
        stack: Stack::default(),
    }
}

fn birth(change: Change) -> Birth {
    Birth {
        change,
        start: 0,
        end: 0,
        at_ns: 0,
        tid: 0,
        function: Some(String::new()),
        site: Site::default(),
        stack: Stack::default(),
    }
}
