//! A comparison with everything in it, for tests: five variants, one of which fails.

use std::collections::BTreeMap;

use crate::compare::result::{
    CallRow, Compared, Difference, Estimate, Figure, Headline, Machine, SCHEMA_VERSION, Unit, Variant,
    Verdict,
};
use crate::compare::run::{CallClass, Ending, Load, MemoryPoint, Outcome, Served, Tapped, Untapped};

mod calls;
mod figures;

const ROUNDS: u64 = 10;
const MIB: u64 = 1 << 20;

/// What sets a variant apart: its median wall time in milliseconds, peak in MiB, p50 and tail of `malloc` in ns.
#[derive(Clone, Copy)]
struct Character {
    label: &'static str,
    wall_ms: u64,
    peak_mib: u64,
    p50_ns: u64,
    tail: f64,
}

const CHARACTERS: [Character; 6] = [
    Character { label: "glibc", wall_ms: 503, peak_mib: 84, p50_ns: 34, tail: 0.9 },
    Character { label: "glibc MALLOC_ARENA_MAX=1", wall_ms: 655, peak_mib: 51, p50_ns: 61, tail: 1.6 },
    Character { label: "jemalloc", wall_ms: 412, peak_mib: 71, p50_ns: 22, tail: 0.75 },
    Character { label: "mimalloc", wall_ms: 425, peak_mib: 78, p50_ns: 15, tail: 0.8 },
    Character { label: "./broken.so", wall_ms: 90, peak_mib: 9, p50_ns: 900, tail: 1.0 },
    Character { label: "glibc (again)", wall_ms: 503, peak_mib: 84, p50_ns: 34, tail: 0.9 },
];

/// What each test draws its numbers from: a linear congruential generator (Knuth's MMIX).
struct Numbers(u64);

impl Numbers {
    /// From 0 to 1.
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Around 1, with this width.
    fn around(&mut self, width: f64) -> f64 {
        1.0 + width * (self.next() + self.next() + self.next() - 1.5)
    }
}

impl Compared {
    /// A comparison in which every field that can be there is there.
    pub(crate) fn example() -> Self {
        let mut numbers = Numbers(42);
        let variants: Vec<Variant> =
            CHARACTERS.into_iter().map(|character| variant(character, &mut numbers)).collect();
        Self {
            schema_version: SCHEMA_VERSION,
            tool: crate::report::model::Tool::default(),
            command: vec!["./work".to_owned(), "--name=<a & b>".to_owned()],
            runs: ROUNDS as u32,
            rounds: ROUNDS as u32,
            interrupted: false,
            seed: 7,
            machine: Machine {
                cpus: 8,
                cpu_model: Some("Example CPU".to_owned()),
                kernel: Some("Linux 6.1.0".to_owned()),
                memory_bytes: Some(16 << 30),
                load_average: Some(0.4),
            },
            figures: figures::figures(&variants),
            variants,
            notes: vec!["jemalloc <5.3> was asked for its \"version\" & gave none".to_owned()],
        }
    }
}

fn variant(character: Character, numbers: &mut Numbers) -> Variant {
    let failed = character.label == "./broken.so";
    let is_glibc = character.label.starts_with("glibc");
    let allocator = if failed { "broken.so" } else { character.label.split(' ').next().unwrap_or_default() };
    let library = (!is_glibc).then(|| format!("/usr/lib/lib{allocator}.so.2"));
    let arenas = (character.label.ends_with("=1")).then(|| "1".to_owned());
    let calls = if failed { Vec::new() } else { calls::rows(character, numbers) };
    let untapped: Vec<_> = (0..ROUNDS).map(|_| (!failed).then(|| untapped(character, numbers))).collect();
    let tapped: Vec<_> = (0..ROUNDS).map(|_| (!failed).then(|| tapped(character, &calls, numbers))).collect();
    Variant {
        label: character.label.to_owned(),
        allocator: allocator.to_owned(),
        library,
        environment: BTreeMap::from([("MALLOC_ARENA_MAX".to_owned(), arenas)]),
        again: character.label.ends_with("(again)"),
        failure: failed.then(|| "killed by SIGSEGV in 10 of 10 runs".to_owned()),
        memory_untapped: untapped[0].as_ref().map(|run| run.memory.clone()).unwrap_or_default(),
        memory_tapped: tapped[0].as_ref().map(|run| run.memory.clone()).unwrap_or_default(),
        calls,
        untapped,
        tapped,
    }
}

fn outcome(load_ns: u64) -> Outcome {
    Outcome {
        ending: Ending::Exited(0),
        stdout_crc32: 0x1234_5678,
        stdout_bytes: 120,
        stderr_tail: String::new(),
        ready_ns: Some(20_000_000),
        load: Some(Load { wall_ns: load_ns, status: 0, output: "10000 requests\n".to_owned() }),
    }
}

fn untapped(character: Character, numbers: &mut Numbers) -> Untapped {
    let wall_ns = (character.wall_ms as f64 * 1e6 * numbers.around(0.03)) as u64;
    let peak = (character.peak_mib as f64 * numbers.around(0.02)) * MIB as f64;
    Untapped {
        outcome: outcome(wall_ns),
        wall_ns,
        user_ns: wall_ns * 3,
        system_ns: wall_ns / 4,
        peak_rss_bytes: peak as u64,
        minor_faults: peak as u64 / 4096,
        major_faults: 0,
        voluntary_switches: (120.0 * numbers.around(0.5)) as u64,
        involuntary_switches: (30.0 * numbers.around(0.9)) as u64,
        memory: memory(wall_ns, peak, None, numbers),
        last_reading_ns: Some(900_000),
        mapped_allocators: Vec::new(),
    }
}

fn tapped(character: Character, calls: &[CallRow], numbers: &mut Numbers) -> Tapped {
    let class = |row: &CallRow| {
        Some(CallClass {
            function: row.function.clone(),
            up_to_bytes: Some(row.up_to_bytes?),
            up_to_threads: row.up_to_threads?,
            durations: row.durations.clone(),
        })
    };
    let peak = character.peak_mib as f64 * MIB as f64;
    let is_glibc = character.label.starts_with("glibc");
    let maps = (character.peak_mib as f64 * 2.0 * numbers.around(0.1)) as u64;
    Tapped {
        outcome: outcome(character.wall_ms * 1_400_000),
        calls: calls.iter().filter_map(class).collect(),
        memory_calls: BTreeMap::from([("mmap".to_owned(), maps), ("munmap".to_owned(), maps / 2)]),
        arenas: is_glibc.then_some(if character.label.ends_with("=1") { 1 } else { 17 }),
        retained_bytes: is_glibc.then_some((character.peak_mib - 44) * MIB),
        fragmentation_bytes: None,
        peak_live_bytes: 44 * MIB,
        memory: memory(character.wall_ms * 1_400_000, peak, Some(44.0 * MIB as f64), numbers),
        served: vec![Served {
            pid: 100,
            command: "./work".to_owned(),
            object: Some("/usr/lib/libc.so.6".to_owned()),
            tapped: true,
            allocations: 320_000,
        }],
        lost_records: 0,
    }
}

/// Grows, shrinks a little at two thirds, and rests.
fn memory(wall_ns: u64, peak: f64, live: Option<f64>, numbers: &mut Numbers) -> Vec<MemoryPoint> {
    let point = |step: u64| {
        let part = step as f64 / 80.0;
        let grown = (part * 1.6).min(1.0);
        let kept = if part > 0.7 { 0.85 } else { grown.powf(0.8) };
        let lives = if part > 0.7 { 0.4 } else { grown * (0.95 + 0.05 * (part * 40.0).sin()) };
        let resident = ((4.0 * MIB as f64) + (peak - 4.0 * MIB as f64) * kept * numbers.around(0.005)) as u64;
        MemoryPoint {
            at_ns: wall_ns * step / 80,
            live_bytes: live.map(|live| (live * lives) as u64),
            resident_bytes: resident,
            anonymous_bytes: resident.saturating_sub(3 * MIB),
        }
    };
    (0..=80).map(point).collect()
}
