//! Looks that were asked for, by `--snapshot-every` or `calltap snapshot`.

use std::fs;
use std::sync::atomic::Ordering;

use calltap_analyzers::arenas::{ArenaReport, Occasion};
use calltap_analyzers::event::Image;
use calltap_channel::note::ON_DEMAND;
use crossbeam_channel::{Receiver, Sender, bounded};

use super::Reader;
use super::look::Stop;
use super::notes::NoteRecord;
use crate::exit_snapshot::Mapped;
use crate::snapshot::answer::{Process, Seen};
use crate::tracer::sleep;

/// Threads of a stopped process that were left asleep in a system call, and may wake at any time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sleepers {
    pid: u32,
    count: u64,
    /// Their context switches, added up.
    switches: u64,
}

impl Sleepers {
    /// Whether none of them has run since they were counted.
    fn sleep_on(self) -> bool {
        let Ok(tasks) = fs::read_dir(format!("/proc/{}/task", self.pid)) else { return false };
        let tids = tasks.flatten().filter_map(|task| task.file_name().to_str()?.parse().ok());
        let mut now = Self { count: 0, switches: 0, ..self };
        for (state, switches) in tids.filter_map(|tid| sleep::state(self.pid as i32, tid)) {
            match state {
                'S' | 'D' => {
                    now.count += 1;
                    now.switches += switches;
                }
                'R' => return false,
                // In a stop, or dead.
                _ => {}
            }
        }
        now == self
    }
}

impl Reader {
    /// Whether no thread of the process that is stopped has run since. To be asked when everything has
    /// been read. True if no process is stopped.
    pub(super) fn nobody_has_run(&self) -> bool {
        self.sleepers.is_none_or(|sleepers| sleepers.count == 0 || sleepers.sleep_on())
    }

    /// A process is stopped to be looked at.
    pub(super) fn snapshot_stop(&mut self, note: &NoteRecord) {
        let [_, sequence, _, began, _, count, switches, occasion, ..] = note.arguments;
        let pid = note.number(0);
        self.sleepers = Some(Sleepers { pid, count, switches });
        let stop = Stop { began_ns: self.scale.since_zero(began), sequence };
        self.look(pid, note.number(2), occasion_of(occasion), Some(stop));
        self.sleepers = None;
    }

    /// Who wants the result of a look at `image`, process `pid`, with these mappings, as soon as it is there.
    pub(super) fn asked_by(
        &mut self,
        image: Image,
        pid: u32,
        maps: &[Mapped],
        occasion: Occasion,
    ) -> Option<Sender<ArenaReport>> {
        if occasion != Occasion::OnDemand {
            return None;
        }
        let (tell, found) = bounded(1);
        let seen = self.seen(image, pid, maps.to_vec(), Ok(found));
        self.seen.push(seen);
        Some(tell)
    }

    fn seen(
        &mut self,
        image: Image,
        pid: u32,
        maps: Vec<Mapped>,
        found: Result<Receiver<ArenaReport>, String>,
    ) -> Process {
        let process = self.processes.current(pid, 0);
        Process {
            image,
            pid,
            parent: process.parent,
            command: process.shown_command(),
            began_ns: process.began_ns,
            threads: process.threads,
            maps,
            found,
        }
    }

    /// A process was to be stopped, and was not.
    pub(super) fn snapshot_failed(&mut self, note: NoteRecord) {
        let reason = String::from_utf8_lossy(&note.text).into_owned();
        let pid = note.number(0);
        let ledger = self.ledger(pid, note.at_ns);
        if self.segment.inner().snapshot_occasion.load(Ordering::Relaxed) == ON_DEMAND {
            let seen = self.seen(ledger, pid, Vec::new(), Err(reason.clone()));
            self.seen.push(seen);
        }
        self.look_failed(pid, note.at_ns, reason);
    }

    /// All processes have been looked at that number `asked` was about.
    pub(super) fn snapshots_done(&mut self, asked: u64) {
        let header = self.segment.inner();
        // Release: whoever sees it sees the looks.
        header.snapshots_done.store(asked, Ordering::Release);
        let on_demand = header.snapshot_occasion.load(Ordering::Relaxed) == ON_DEMAND;
        let seen = on_demand.then(|| Seen {
            symbols: self.symbols.as_of_now(),
            at_ns: self.scale.since_zero(self.clock.now()),
            processes: std::mem::take(&mut self.seen),
        });
        // Nobody listening is no reason to stop reading.
        let _ = self.tell_seen.send((asked, seen));
    }

    /// Looks at processes without a stop, if that is how it is done and it was asked for.
    pub(super) fn look_at_running(&mut self) {
        let header = self.segment.inner();
        let asked = header.snapshots_asked.load(Ordering::Acquire);
        if !self.options.looks_at_running || asked == header.snapshots_done.load(Ordering::Relaxed) {
            return;
        }
        let wanted = header.snapshot_of.load(Ordering::Relaxed) as u32;
        let occasion = occasion_of(header.snapshot_occasion.load(Ordering::Relaxed));
        for pid in self.processes.tapped() {
            if wanted == 0 || wanted == pid {
                self.look(pid, pid, occasion, None);
            }
        }
        self.snapshots_done(asked);
    }
}

fn occasion_of(number: u64) -> Occasion {
    if number == ON_DEMAND { Occasion::OnDemand } else { Occasion::Periodic }
}
