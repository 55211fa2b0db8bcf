//! Reading a program's memory while it runs, from outside.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

use super::points::Points;
use crate::compare::descendants::{self, Descendant};
use crate::compare::run::MemoryPoint;
use crate::statm::Statm;

/// Processes are looked for when the system has started any, and so often in any case.
const LOOKED_FOR_EVERY: Duration = Duration::from_millis(100);
/// What a process has mapped is read when it is new, and again so long after each reading: a loader needs a moment,
/// and a program may load more later.
const MAPS_READ_AGAIN: [Duration; 4] =
    [Duration::from_millis(2), Duration::from_millis(20), Duration::from_millis(500), Duration::from_secs(5)];

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Readings {
    /// Memory of all processes together. What they share counts for each of them.
    pub(super) points: Vec<MemoryPoint>,
    /// A line of `/proc/PID/maps` for each file with code that was seen.
    pub(super) mapped: Vec<String>,
}

/// Reads in a thread of its own until it is told to stop.
#[derive(Debug)]
pub(super) struct Sampler {
    stop: Sender<()>,
    readings: Receiver<Readings>,
}

impl Sampler {
    /// Begins to read what this process's descendants have, by the time since `began`.
    pub(super) fn start(began: Instant) -> Self {
        let (stop, stopped) = bounded(0);
        let (tell, readings) = bounded(1);
        // Without a thread there are no readings; the figures of the run are not lost for it.
        let _ = std::thread::Builder::new().spawn(move || {
            let _ = tell.send(Reader::new(began).read_until(&stopped));
        });
        Self { stop, readings }
    }

    /// Stops.
    pub(super) fn finish(self) -> Readings {
        drop(self.stop);
        self.readings.recv().unwrap_or_default()
    }
}

struct Reader {
    began: Instant,
    processes: Vec<Process>,
    /// The number of the task that the system started last, and when processes were looked for.
    looked: Option<(u64, Duration)>,
    points: Points,
    /// By device, inode and path.
    mapped: BTreeMap<Vec<u8>, String>,
    buffer: Vec<u8>,
}

struct Process {
    who: Descendant,
    /// Pages of its program's code: another number is another program.
    code_pages: u64,
    /// Whether it uses its parent's memory, as between vfork and exec. None of that is its own.
    shares: bool,
    /// When to read what it has mapped, and how often that was done.
    maps_due: Duration,
    maps_read: usize,
}

impl Reader {
    fn new(began: Instant) -> Self {
        Self {
            began,
            processes: Vec::new(),
            looked: None,
            points: Points::default(),
            mapped: BTreeMap::new(),
            buffer: vec![0; 256],
        }
    }

    fn read_until(mut self, stopped: &Receiver<()>) -> Readings {
        loop {
            let now = self.began.elapsed();
            if let Some(point) = self.read(now) {
                self.points.push(point);
            }
            let next = self.began + self.points.next(now, cpu_time());
            match stopped.recv_deadline(next) {
                Err(RecvTimeoutError::Timeout) => {}
                _ => break,
            }
        }
        Readings { points: self.points.into_points(), mapped: self.mapped.into_values().collect() }
    }

    /// None if there is nobody any more.
    fn read(&mut self, now: Duration) -> Option<MemoryPoint> {
        self.look_for_processes(now);
        let mut point = MemoryPoint {
            at_ns: super::nanoseconds(now),
            live_bytes: None,
            resident_bytes: 0,
            anonymous_bytes: 0,
        };
        let mut processes = std::mem::take(&mut self.processes);
        processes.retain_mut(|process| {
            process.shares = process.shares && share_memory(process.who);
            if process.shares {
                return true;
            }
            let Some(statm) = self.statm(process.who.pid) else { return false };
            point.resident_bytes += statm.resident_bytes();
            point.anonymous_bytes += statm.anonymous_bytes();
            if process.code_pages != statm.code {
                (process.code_pages, process.maps_due, process.maps_read) = (statm.code, now, 0);
            }
            if now >= process.maps_due {
                self.read_maps(process.who.pid);
                let again = MAPS_READ_AGAIN.get(process.maps_read);
                process.maps_due = again.map_or(Duration::MAX, |again| now + *again);
                process.maps_read += 1;
            }
            true
        });
        self.processes = processes;
        (point.resident_bytes > 0).then_some(point)
    }

    fn look_for_processes(&mut self, now: Duration) {
        let newest = self.newest_task();
        if self.looked.is_some_and(|(seen, when)| Some(seen) == newest && now < when + LOOKED_FOR_EVERY) {
            return;
        }
        let known = std::mem::take(&mut self.processes);
        let found = descendants::of(std::process::id());
        let mut known: BTreeMap<u32, Process> =
            known.into_iter().map(|process| (process.who.pid, process)).collect();
        self.processes = found
            .into_iter()
            .map(|who| match known.remove(&who.pid) {
                Some(process) => Process { who, ..process },
                None => Process { who, code_pages: 0, shares: true, maps_due: Duration::ZERO, maps_read: 0 },
            })
            .collect();
        self.looked = newest.map(|newest| (newest, now));
    }

    /// The last field of `/proc/loadavg` (proc_loadavg(5)); it costs much less than to look for children.
    fn newest_task(&mut self) -> Option<u64> {
        self.line("/proc/loadavg")?.split_whitespace().last()?.parse().ok()
    }

    /// None if it has ended.
    fn statm(&mut self, pid: u32) -> Option<Statm> {
        Statm::parse(self.line(&format!("/proc/{pid}/statm"))?)
    }

    /// A file of one short line.
    fn line(&mut self, path: &str) -> Option<&str> {
        let length = File::open(path).ok()?.read(&mut self.buffer).ok()?;
        std::str::from_utf8(&self.buffer[..length]).ok()
    }

    fn read_maps(&mut self, pid: u32) {
        let text = fs::read(format!("/proc/{pid}/maps")).unwrap_or_default();
        for line in text.split(|&byte| byte == b'\n') {
            // Address, permissions, offset; then device, inode and path, which say which file it is.
            let mut parts = line.splitn(4, |&byte| byte == b' ');
            let permissions = parts.nth(1).unwrap_or_default();
            let file = parts.nth(1).unwrap_or_default();
            if permissions.get(2) == Some(&b'x') && file.contains(&b'/') && !self.mapped.contains_key(file) {
                self.mapped.insert(file.to_owned(), String::from_utf8_lossy(line).into_owned());
            }
        }
    }
}

/// Whether a process and its parent have one and the same memory (kcmp(2)).
fn share_memory(process: Descendant) -> bool {
    const KCMP_VM: i32 = 1;
    // SAFETY: compares two processes by number; touches no memory of ours.
    let result = unsafe { libc::syscall(libc::SYS_kcmp, process.pid, process.parent, KCMP_VM, 0, 0) };
    result == 0
}

/// CPU time of this thread.
fn cpu_time() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_THREAD);
    usage.map_or(Duration::ZERO, |usage| {
        let microseconds = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
        Duration::from_micros(microseconds as u64)
    })
}
