//! A look at a process's memory: everything that has to be read while nothing of it can run.

use std::fs;

use calltap_analyzers::arenas::memory_map::KernelCounts;
use calltap_analyzers::arenas::{Decoding, Moment, Occasion};
use calltap_analyzers::event::Image;
use calltap_channel::Family;

use super::Reader;
use crate::exit_snapshot::{ExitSnapshot, Mapped, maps};
use crate::looks::{Read, Taken};
use crate::residency;

/// Whether a process that is looked at can run meanwhile.
#[derive(Clone, Copy, Debug)]
enum Hold {
    /// No: it is in its exit stop, and this is what the kernel counts of it.
    Exit(KernelCounts),
    /// No: it has been stopped for the look, since then.
    Stop(u64),
    /// Yes.
    Runs,
}

impl Reader {
    /// Looks at the memory of process `pid`. If `stop_began_ns` is given its thread `tid` is held in a stop,
    /// as are all others; else the process runs.
    pub(super) fn look(&mut self, pid: u32, tid: u32, occasion: Occasion, stop_began_ns: Option<u64>) {
        let maps = fs::read(format!("/proc/{pid}/task/{tid}/maps")).unwrap_or_default();
        self.look_at((pid, tid), &maps::parse(&maps), occasion, stop_began_ns.map_or(Hold::Runs, Hold::Stop));
    }

    /// Looks at the memory of process `pid`, whose last thread `tid` is held in its exit stop.
    pub(super) fn look_at_exit(&mut self, pid: u32, tid: u32, snapshot: &ExitSnapshot) {
        let counts = residency::counted(&snapshot.memory);
        self.look_at((pid, tid), &snapshot.maps, Occasion::Exit, Hold::Exit(counts));
    }

    /// A process that is not tapped, or has given its memory up, is not looked at.
    fn look_at(&mut self, (pid, tid): (u32, u32), maps: &[Mapped], occasion: Occasion, hold: Hold) {
        let now_ns = self.scale.since_zero(self.clock.now());
        let process = self.processes.current(pid, now_ns);
        let real_malloc = (process.real_malloc != 0).then_some(process.real_malloc);
        let Some(image) = process.image.filter(|_| !maps.is_empty()) else { return };
        let Some(ledger) = self.feed.session().image(image).filter(|ledger| ledger.watches_heap()) else {
            return;
        };
        let held = !matches!(hold, Hold::Runs);
        // First: pages that nobody has touched are mapped once they are read.
        let residency = match residency::read(pid, tid, maps) {
            Ok(residency) => residency,
            Err(error) => {
                let reason = format!("its page tables cannot be read: {error}");
                self.processes.current(pid, now_ns).looks_failed.push((now_ns, reason));
                return;
            }
        };
        let (read, live) = match real_malloc {
            Some(address) if !is_libc(maps, address) => (Read::NotGlibc, ledger.heap().live().collect()),
            _ => self.looks.read((image, pid, tid), maps, ledger.heap(), held),
        };
        let mut moment = Moment {
            at_ns: now_ns,
            began_ns: ledger.began_ns(),
            occasion,
            stopped_ns: None,
            consistent: false,
            calls_under_way: 0,
            allocators: Vec::new(),
            decoding: Decoding::Regions,
            live,
            areas: Vec::new(),
            residency,
            kernel: KernelCounts::default(),
            births: ledger.regions().births(),
        };
        let ranges = ledger.regions().ranges();
        moment.calls_under_way = self.allocation_calls_under_way(image);
        moment.consistent = held && self.nobody_has_run();
        let asked_by = self.asked_by(image, pid, maps, occasion);
        match hold {
            Hold::Exit(counts) => moment.kernel = counts,
            Hold::Stop(began_ns) => {
                moment.kernel = residency::counts(pid, tid);
                let ended_ns = self.scale.since_zero(self.clock.now());
                moment.stopped_ns = Some(ended_ns.saturating_sub(began_ns));
            }
            // Nobody waits for what it has to count page by page.
            Hold::Runs => moment.kernel = residency::counts_in_full(pid, tid),
        }
        let maps = maps.to_vec();
        let stacks = self.segment.stacks();
        self.looks.think(Taken { image, pid, moment, read, maps, ranges, real_malloc, stacks, asked_by });
    }

    /// Calls of allocation functions that have begun in threads of `image` and not ended.
    fn allocation_calls_under_way(&self, image: Image) -> u64 {
        let sources = self.sources.iter().flatten().filter(|source| source.image == image);
        let calls = sources.filter_map(|source| source.unfinished());
        calls.filter(|(function, _)| function.family() == Family::Memory).count() as u64
    }
}

/// Whether the C library's code is at `address`.
fn is_libc(maps: &[Mapped], address: u64) -> bool {
    let name = Mapped::holding(maps, address).and_then(|mapped| mapped.path.file_name()?.to_str());
    name.is_some_and(|name| name.starts_with("libc.so") || name.starts_with("libc-"))
}
