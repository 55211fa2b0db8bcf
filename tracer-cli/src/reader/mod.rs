//! The reader: drains all rings in the order of time, decodes, has the analyzers look.
//!
//! Rings are merged by when their records take effect. A round looks only at what took effect before
//! it began: an acquire that a release depends on was committed before the release could begin, so
//! within that bound nothing is missing, and the analyzers' pairing is exact.

mod decode;
mod executed;
mod feed;
mod kernel;
mod life;
mod look;
mod lost;
mod memory_series;
mod notes;
mod pause;
pub mod processes;
mod snapshots;
mod source;
mod tally;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use calltap_analyzers::life::{Life, LifeReport};
use calltap_analyzers::session::Session;
use calltap_channel::clock::Clock;
use calltap_channel::segment::Segment;
use crossbeam_channel::Sender;

pub use self::decode::heap_family;
use self::executed::Arguments;
use self::feed::Feed;
use self::kernel::Held;
pub use self::lost::Lost;
pub use self::memory_series::MemoryReading;
use self::memory_series::MemorySeries;
pub(crate) use self::pause::Pause;
use self::processes::Processes;
use self::snapshots::Sleepers;
use self::source::{Head, Source};
pub use self::tally::Tally;
use crate::calibration::Scale;
use crate::damage::Guard;
use crate::looks::Looks;
use crate::snapshot;
use crate::symbols::Symbols;

/// How often progress is told.
const PROGRESS_EVERY: Duration = Duration::from_millis(250);
/// How often descriptors are looked at for growth while the program runs.
const GROWTH_EVERY: Duration = Duration::from_secs(2);
/// A record from so far in the future is none: 10 milliseconds at 3 GHz, which CPUs' clocks do not differ by.
const FUTURE: u64 = 30_000_000;

/// What the rest of the program hears while the reader works.
#[derive(Clone, Copy, Debug, Default)]
pub struct Progress {
    /// Records read.
    pub events: u64,
    /// Bytes allocated and not freed, in all processes.
    pub live_bytes: u64,
    /// Descriptors open, in all processes.
    pub open_descriptors: u64,
    /// Records lost.
    pub lost: u64,
    /// Whether the first process has ended.
    pub root_ended: bool,
    /// Places that leave more and more descriptors open, as of the last look.
    pub growing: u64,
    /// How many descriptors a second the fastest of them leaves open.
    pub fastest_per_second: f64,
}

/// How to read.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// A pause after each round, for tests.
    pub throttle: Option<Duration>,
    /// Whether allocations are counted by stack, for tests.
    pub tallies: bool,
    /// Whether processes run on while they are looked at.
    pub looks_at_running: bool,
    /// How often memory is read over time, if it is.
    pub memory_every: Option<Duration>,
}

/// Everything the reader knows.
pub struct Reader {
    segment: Segment,
    clock: Clock,
    scale: Scale,
    options: Options,
    /// In boxes: most rings are never claimed, and every round goes through all.
    sources: Vec<Option<Box<Source>>>,
    positions: Vec<u64>,
    order: BinaryHeap<Reverse<(u64, usize)>>,
    feed: Feed,
    processes: Processes,
    symbols: Symbols,
    ended: Vec<(calltap_analyzers::event::Image, calltap_analyzers::image::ImageReport)>,
    lost: Lost,
    life: Life,
    arguments: Arguments,
    events: u64,
    exec_errno: Option<i32>,
    filter_refused: bool,
    tracer_done: bool,
    /// See [`Session::growing`]; when that was asked last.
    growing: (u64, f64),
    looked_for_growth: Instant,
    /// The last provisional image.
    provisional: u32,
    held: Held,
    looks: Looks,
    memory: Option<MemorySeries>,
    /// Of a process that is stopped: threads that are not.
    sleepers: Option<Sleepers>,
    guard: Guard,
    /// What was looked at on demand and has not been told yet.
    seen: Vec<snapshot::answer::Process>,
    tell_seen: Sender<(u64, Option<snapshot::answer::Seen>)>,
}

/// What is left when the reader is done.
pub struct Outcome {
    /// The processes.
    pub processes: Processes,
    /// The objects they had loaded.
    pub symbols: Symbols,
    /// What the analyzers found, by image.
    pub images: Vec<(calltap_analyzers::event::Image, calltap_analyzers::image::ImageReport)>,
    /// What could not be seen.
    pub lost: Lost,
    /// Records read.
    pub events: u64,
    /// Why the program could not be executed, if so.
    pub exec_errno: Option<i32>,
    /// Whether that was the filter of system calls, not the program.
    pub filter_refused: bool,
    /// Whether the tracer has said that nothing is left to trace.
    pub complete: bool,
    /// Whether the rest was let go on request.
    pub detached: bool,
    /// The latency of each function in all processes together, in nanoseconds.
    pub histograms: Vec<(calltap_analyzers::event::FunctionId, hdrhistogram::Histogram<u64>)>,
    /// The life of the processes.
    pub life: LifeReport,
    /// The system calls of all processes together.
    pub system_calls: Vec<calltap_analyzers::kernel::SystemCallRow>,
    /// Memory over time, if it was to be read.
    pub memory_over_time: Option<Vec<MemoryReading>>,
    /// From the beginning of the session to its end.
    pub duration_ns: u64,
    /// Allocations by stack, if they were to be counted.
    pub tally: Option<Tally>,
}

impl Reader {
    /// A reader of a segment whose clock is calibrated. Each time that processes have been looked at
    /// because that was asked for, `tell_seen` gets its number, and what was seen if it was on demand.
    #[must_use]
    pub fn new(
        segment: Segment,
        clock: Clock,
        scale: Scale,
        session: Session,
        symbols: Symbols,
        options: Options,
        tell_seen: Sender<(u64, Option<snapshot::answer::Seen>)>,
    ) -> Self {
        let rings = segment.layout().ring_count as usize;
        Self {
            segment,
            clock,
            scale,
            options,
            sources: (0..rings).map(|_| None).collect(),
            positions: vec![0; rings],
            order: BinaryHeap::new(),
            feed: Feed::new(session, scale, options.tallies),
            processes: Processes::default(),
            symbols,
            ended: Vec::new(),
            lost: Lost::default(),
            life: Life::default(),
            arguments: Arguments::default(),
            events: 0,
            exec_errno: None,
            filter_refused: false,
            tracer_done: false,
            growing: (0, 0.0),
            looked_for_growth: Instant::now(),
            provisional: 0,
            held: Held::default(),
            looks: Looks::default(),
            memory: options.memory_every.map(MemorySeries::new),
            sleepers: None,
            guard: Guard::new(segment),
            seen: Vec::new(),
            tell_seen,
        }
    }

    /// Reads until the tracer is done, or until `stop` and the rings are empty.
    pub fn run(mut self, stop: &AtomicBool, progress: &Sender<Progress>) -> Outcome {
        let mut pause = Pause::new(self.segment.layout().capacity);
        let mut told = Instant::now();
        loop {
            let stopping = stop.load(Ordering::Relaxed);
            let bell = self.segment.header().bell.load(Ordering::Relaxed);
            pause.round_begins();
            let most = self.round();
            self.look_at_running();
            self.read_memory_if_due();
            let header = self.segment.header();
            header.heartbeat.fetch_add(1, Ordering::Relaxed);
            if told.elapsed() >= PROGRESS_EVERY {
                told = Instant::now();
                // Nobody listening is no reason to stop reading.
                let _ = progress.try_send(self.progress());
            }
            if self.tracer_done || (stopping && most == 0) {
                break;
            }
            if let Some(throttle) = self.options.throttle {
                std::thread::sleep(throttle);
            } else {
                pause.after(most, &header.bell, bell);
            }
        }
        self.finish()
    }

    /// Drains what took effect before now. Gives the words taken from the fullest ring.
    fn round(&mut self) -> u64 {
        // The bound first: every ring claimed before it is then discovered.
        let bounds = Bounds { zero: self.scale.parts()[0], now: self.clock.now(), clock: self.clock };
        let now = bounds.now;
        self.discover();
        self.order.clear();
        let mut begun = Vec::new();
        for (index, source) in self.sources.iter_mut().enumerate() {
            let Some(source) = source else { continue };
            begun.push((index, source.position()));
            if let Some(part) = source.mend() {
                self.lost.damage.add(part);
            }
            if let Some(key) = next(source, &bounds, &mut self.lost) {
                self.order.push(Reverse((key, index)));
            }
        }
        while let Some(Reverse((_, index))) = self.order.pop() {
            let limit = self.order.peek().map_or(now, |Reverse((key, _))| *key);
            while let Some(source) = &mut self.sources[index] {
                let note = self.feed.take(source, &mut self.lost);
                source.pass();
                self.events += 1;
                if let Some(note) = note {
                    self.handle(note);
                }
                let Some(source) = &mut self.sources[index] else { break };
                match next(source, &bounds, &mut self.lost) {
                    None => break,
                    Some(key) if key > limit => {
                        self.order.push(Reverse((key, index)));
                        break;
                    }
                    Some(_) => {}
                }
            }
        }
        self.feed.flush();
        let mut most = 0;
        for (index, before) in begun {
            if let Some(source) = &mut self.sources[index] {
                source.release();
                most = most.max(source.position() - before);
            }
        }
        most
    }

    /// Takes in rings that were claimed since the last round.
    fn discover(&mut self) {
        for index in 0..self.guard.look(&mut self.lost.damage) {
            if self.sources[index].is_none() {
                let source = Source::open(&self.segment, index, self.positions[index]);
                self.sources[index] = source.map(Box::new);
            }
        }
    }

    /// Frees the ring of a dead thread. What it committed has been read, or is read now.
    fn close(&mut self, index: usize) {
        let Some(mut source) = self.sources[index].take() else { return };
        loop {
            match source.look() {
                Head::At(_) => {
                    self.feed.take(&source, &mut self.lost);
                    source.pass();
                    self.events += 1;
                }
                Head::Empty => break,
                Head::Corrupt => self.lost.malformed(&source),
            }
        }
        self.lost.thread_ended(&mut source);
        if source.close() {
            self.lost.torn(&source);
        }
        self.positions[index] = source.position();
    }

    fn progress(&mut self) -> Progress {
        if self.looked_for_growth.elapsed() >= GROWTH_EVERY {
            self.looked_for_growth = Instant::now();
            let now_ns = self.scale.since_zero(self.clock.now());
            self.growing = self.feed.session().growing(now_ns);
        }
        let (growing, fastest_per_second) = self.growing;
        let totals = self.feed.session().totals();
        Progress {
            growing,
            fastest_per_second,
            events: self.events,
            live_bytes: totals.live_bytes,
            open_descriptors: totals.open_descriptors,
            lost: self.lost.records(&self.segment, self.sources.iter().flatten().map(Box::as_ref)),
            root_ended: self.processes.root_has_ended(),
        }
    }

    fn finish(mut self) -> Outcome {
        for index in 0..self.sources.len() {
            self.close(index);
        }
        let running: Vec<_> = self.feed.session().running().collect();
        let detached = self.tracer_done && !running.is_empty();
        for image in running {
            self.end_image(image);
        }
        self.lost.without_ring(&self.segment);
        self.guard.finish(&mut self.lost.damage);
        self.processes.looked_at(self.looks.finish());
        Outcome {
            processes: self.processes,
            symbols: self.symbols,
            images: self.ended,
            lost: self.lost,
            events: self.events,
            exec_errno: self.exec_errno,
            filter_refused: self.filter_refused,
            complete: self.tracer_done,
            detached,
            histograms: self.feed.session().histograms(),
            life: self.life.report(),
            system_calls: self.feed.session().system_calls(),
            memory_over_time: self.memory.map(MemorySeries::into_readings),
            duration_ns: self.scale.since_zero(self.clock.now()),
            tally: self.feed.tally(),
        }
    }

    fn end_image(&mut self, image: calltap_analyzers::event::Image) {
        if let Some(report) = self.feed.session().end(image) {
            self.ended.push((image, report));
        }
        self.looks.forget(image);
    }
}

/// What can be a record's time, in ticks.
struct Bounds {
    /// When the session began.
    zero: u64,
    /// When the round did.
    now: u64,
    clock: Clock,
}

/// When the source's next record takes effect, if that was before the round began.
#[inline]
fn next(source: &mut Source, bounds: &Bounds, lost: &mut Lost) -> Option<u64> {
    loop {
        match source.look() {
            Head::Empty => return None,
            Head::At(key) if key <= bounds.now && source.is_of_this_session(bounds.zero) => return Some(key),
            // Made since then.
            Head::At(key) if key > bounds.now && key < bounds.clock.now() + FUTURE => return None,
            Head::At(_) => {
                lost.malformed(source);
                source.pass();
            }
            Head::Corrupt => {
                lost.malformed(source);
                return None;
            }
        }
    }
}
