//! A look at a process's memory: everything that has to be read while nothing of it can run.

use std::path::Path;
use std::{io, thread};

use calltap_analyzers::arenas::memory_map::KernelCounts;
use calltap_analyzers::arenas::{Decoding, Moment, Occasion};
use calltap_analyzers::event::Image;
use calltap_channel::Family;

use super::Reader;
use crate::exit_snapshot::{ExitSnapshot, Mapped, maps};
use crate::looks::{self, Read, Taken};
use crate::residency;

/// With fewer blocks a thread of its own costs more than it saves.
const WORTH_A_THREAD: u64 = 20_000;

/// Whether a process that is looked at can run meanwhile.
#[derive(Clone, Copy, Debug)]
enum Hold {
    /// No: it is in its exit stop, and this is what the kernel counts of it.
    Exit(KernelCounts),
    /// No: it has been stopped for the look.
    Stop(Stop),
    /// Yes.
    Runs,
}

/// A snapshot stop.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stop {
    /// When it began, in nanoseconds since the session began.
    pub(super) began_ns: u64,
    /// Its number.
    pub(super) sequence: u64,
}

impl Reader {
    /// Looks at the memory of process `pid`. In a stop its thread `tid` is held, as are all others, until
    /// everything has been read; else the process runs.
    pub(super) fn look(&mut self, pid: u32, tid: u32, occasion: Occasion, stop: Option<Stop>) {
        let maps = maps::read(Path::new(&format!("/proc/{pid}/task/{tid}")));
        self.look_at((pid, tid), maps, occasion, stop.map_or(Hold::Runs, Hold::Stop));
        self.looks.think_of_small();
    }

    /// Looks at the memory of process `pid`, whose last thread `tid` is held in its exit stop.
    pub(super) fn look_at_exit(&mut self, pid: u32, tid: u32, snapshot: &ExitSnapshot) {
        let counts = residency::counted(&snapshot.memory);
        self.look_at((pid, tid), snapshot.maps.clone(), Occasion::Exit, Hold::Exit(counts));
    }

    fn look_at(&mut self, ids: (u32, u32), maps: Vec<Mapped>, occasion: Occasion, hold: Hold) {
        let seen = self.see(ids, maps, occasion, hold);
        if let Hold::Stop(Stop { sequence, .. }) = hold {
            self.release_stop(sequence);
        }
        let Some(mut taken) = seen else { return };
        // No event has been taken in since: these are the blocks and regions of the moment that was seen.
        if let Some(ledger) = self.feed.session().image(taken.image) {
            taken.moment.live = ledger.heap().live().collect();
            taken.moment.births = ledger.regions().births();
            taken.ranges = ledger.regions().ranges();
        }
        if let Read::Captured(captured, glibc) = &taken.read {
            taken.mmapped = looks::mmapped(glibc, captured, &taken.moment.live);
        }
        let at_ns = taken.moment.at_ns;
        if !self.looks.think(taken) {
            self.look_failed(ids.0, at_ns, "those before it had not been worked out".to_owned());
        }
    }

    /// Process `pid` could not be looked at.
    pub(super) fn look_failed(&mut self, pid: u32, at_ns: u64, reason: String) {
        self.processes.current(pid, at_ns).looks_failed.push(reason);
    }

    /// Reads what can only be read while the process does not run. A process that is not tapped, or has
    /// given its memory up, is not looked at.
    fn see(
        &mut self,
        (pid, tid): (u32, u32),
        maps: Vec<Mapped>,
        occasion: Occasion,
        hold: Hold,
    ) -> Option<Taken> {
        let at_ns = self.scale.since_zero(self.clock.now());
        let process = self.processes.current(pid, at_ns);
        let real_malloc = (process.real_malloc != 0).then_some(process.real_malloc);
        let image = process.image.filter(|_| !maps.is_empty())?;
        let ledger = self.feed.session().image(image).filter(|ledger| ledger.watches_heap())?;
        let began_ns = ledger.began_ns();
        let is_large = ledger.heap().live_blocks() >= WORTH_A_THREAD;
        let held = !matches!(hold, Hold::Runs);
        let looks = &mut self.looks;
        let mut heaps = || match real_malloc {
            Some(address) if !is_libc(&maps, address) => Read::NotGlibc,
            _ => looks.read((image, pid, tid), &maps, held),
        };
        let (residency, read) = if is_large && residency::leaves_out_zero_pages() {
            thread::scope(|scope| {
                let residency = scope.spawn(|| residency::read(pid, tid, &maps));
                let read = heaps();
                (residency.join().unwrap_or_else(|_| Err(io::Error::other("reading failed"))), read)
            })
        } else {
            // In this order: to read a page that nobody has touched maps the page of zeros there.
            (residency::read(pid, tid, &maps), heaps())
        };
        let residency = match residency {
            Ok(residency) => residency,
            Err(error) => {
                let reason = format!("its page tables cannot be read: {error}");
                self.look_failed(pid, at_ns, reason);
                return None;
            }
        };
        let kernel = match hold {
            Hold::Exit(counts) => counts,
            Hold::Stop(_) => residency::counts(pid, tid),
            // Nobody waits for what it has to count page by page.
            Hold::Runs => residency::counts_in_full(pid, tid),
        };
        let calls_under_way = self.allocation_calls_under_way(image);
        let consistent = held && self.nobody_has_run();
        let asked_by = self.asked_by(image, pid, &maps, occasion);
        let stopped_ns = match hold {
            Hold::Stop(stop) => Some(self.scale.since_zero(self.clock.now()).saturating_sub(stop.began_ns)),
            Hold::Exit(_) | Hold::Runs => None,
        };
        let moment = Moment {
            at_ns,
            began_ns,
            occasion,
            stopped_ns,
            consistent,
            calls_under_way,
            allocators: Vec::new(),
            decoding: Decoding::Regions,
            live: Vec::new(),
            areas: Vec::new(),
            residency,
            kernel,
            births: Vec::new(),
        };
        let stacks = self.segment.stacks();
        let (mmapped, ranges) = (Vec::new(), Vec::new());
        Some(Taken { image, pid, moment, read, mmapped, maps, ranges, real_malloc, stacks, asked_by })
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
