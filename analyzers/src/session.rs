//! All process images of a session.

mod processes;

use std::hint::black_box;

use hdrhistogram::Histogram;

use crate::event::{Analyzer, Event, FunctionId, Image, Thread};
use crate::hash::SpreadMap;
use crate::image::{Config, ImageLedger, ImageReport};
use crate::kernel::{CallTotals, SystemCall, SystemCallRow};
use crate::latency::Latency;

/// So many events are looked up together: as many cache misses as a CPU can have under way, twice.
const BATCH: usize = 32;

/// Takes events of any process and keeps a ledger for each image that runs.
///
/// An image that has ended leaves its report, which the caller keeps, and its latencies, which are
/// added up for the whole session.
#[derive(Debug, Default)]
pub struct Session {
    config: Config,
    ledgers: Vec<ImageLedger>,
    images: Vec<Image>,
    places: SpreadMap<u32, usize>,
    /// Whose event came last, and its place.
    current: Option<(Image, usize)>,
    /// The `vfork` children that run now, by the thread whose call made them and waits for them.
    vfork_children: SpreadMap<Thread, (Image, Thread)>,
    totals: Totals,
    latency: Latency,
    system_calls: CallTotals,
}

/// Figures for a progress line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Events taken so far.
    pub events: u64,
    /// Events of images that have not begun or have ended; they change nothing.
    pub stray_events: u64,
    /// Requested bytes that live now, in all images that run.
    pub live_bytes: u64,
    /// Descriptors open now, in all images that run.
    pub open_descriptors: u64,
}

impl Session {
    /// A session that runs these analyzers.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self { config, ..Self::default() }
    }

    /// Takes a system call into account. It comes before the library call that made it.
    pub fn system_call(&mut self, call: &SystemCall<'_>) {
        match self.ledger(call.image) {
            Some(ledger) => ledger.system_call(call),
            None => self.totals.stray_events += 1,
        }
    }

    /// Takes one event into account.
    #[inline]
    pub fn observe(&mut self, event: &Event<'_>) {
        self.totals.events += 1;
        if event.vfork_child && self.observe_vfork_child(event) {
            return;
        }
        match self.place_of(event.image) {
            Some(place) => self.ledgers[place].observe(event),
            None => self.totals.stray_events += 1,
        }
    }

    /// Takes many events into account, in their order: faster than one by one where a million
    /// blocks live.
    pub fn observe_batch(&mut self, events: &[Event<'_>]) {
        for batch in events.chunks(BATCH) {
            if let Some(place) = batch.first().and_then(|first| self.place_of(first.image)) {
                black_box(self.ledgers[place].touch(batch));
            }
            batch.iter().for_each(|event| self.observe(event));
        }
    }

    /// `image` has ended: what was found, or None if it never began. Frees its memory.
    pub fn end(&mut self, image: Image) -> Option<ImageReport> {
        let ledger = self.remove(image)?;
        self.latency.add(ledger.latency());
        self.system_calls.add(&ledger.system_calls());
        Some(ledger.report())
    }

    /// Images that have begun and not ended, in no particular order.
    pub fn running(&self) -> impl Iterator<Item = Image> + '_ {
        self.images.iter().copied()
    }

    /// The ledger of an image that has begun and not ended.
    #[must_use]
    pub fn image(&self, image: Image) -> Option<&ImageLedger> {
        self.places.get(&image.0).map(|place| &self.ledgers[*place])
    }

    /// What a progress line shows.
    #[must_use]
    pub fn totals(&self) -> Totals {
        Totals {
            live_bytes: self.ledgers.iter().map(|ledger| ledger.heap().live_bytes()).sum(),
            open_descriptors: self.ledgers.iter().map(|ledger| ledger.descriptors().open_now()).sum(),
            ..self.totals
        }
    }

    /// How many places leave more and more descriptors open as of `now_ns`, in all images that run, and
    /// how many a second the fastest one does. Not for every event: it looks at every place.
    #[must_use]
    pub fn growing(&self, now_ns: u64) -> (u64, f64) {
        let growing = self.ledgers.iter().flat_map(|ledger| ledger.descriptors().growing(now_ns));
        growing.fold((0, 0.0), |(count, fastest), growth| (count + 1, growth.per_second.max(fastest)))
    }

    /// The latency of each function in all images together: nanoseconds, 3 significant digits.
    #[must_use]
    pub fn histograms(&self) -> Vec<(FunctionId, Histogram<u64>)> {
        let mut all = Latency::default();
        all.add(&self.latency);
        self.ledgers.iter().for_each(|ledger| all.add(ledger.latency()));
        all.histograms()
    }

    /// The system calls of all images together, most calls first.
    #[must_use]
    pub fn system_calls(&self) -> Vec<SystemCallRow> {
        let mut all = CallTotals::default();
        all.add(&self.system_calls);
        self.ledgers.iter().for_each(|ledger| all.add(&ledger.system_calls()));
        all.rows()
    }

    /// Whether the child is known: then the event is dealt with.
    #[cold]
    fn observe_vfork_child(&mut self, event: &Event<'_>) -> bool {
        let Some(&(image, thread)) = self.vfork_children.get(&event.thread) else { return false };
        let Some(child) = self.ledger(image) else { return false };
        child.observe_vfork_child(&Event { image, thread, ..*event });
        if let Some(maker) = self.ledger(event.image) {
            maker.observe_memory(event);
        }
        true
    }

    fn ledger(&mut self, image: Image) -> Option<&mut ImageLedger> {
        self.places.get(&image.0).map(|place| &mut self.ledgers[*place])
    }

    #[inline]
    fn place_of(&mut self, image: Image) -> Option<usize> {
        if let Some((current, place)) = self.current
            && current == image
        {
            return Some(place);
        }
        let place = *self.places.get(&image.0)?;
        self.current = Some((image, place));
        Some(place)
    }

    fn remove(&mut self, image: Image) -> Option<ImageLedger> {
        let place = self.places.remove(&image.0)?;
        self.current = None;
        self.images.swap_remove(place);
        if let Some(moved) = self.images.get(place) {
            self.places.insert(moved.0, place);
        }
        Some(self.ledgers.swap_remove(place))
    }
}

#[cfg(test)]
mod tests;
