//! All process images of a session.

use std::hint::black_box;

use hdrhistogram::Histogram;

use crate::event::{Analyzer, Event, FunctionId, Image};
use crate::hash::SpreadMap;
use crate::image::{Config, ImageLedger, ImageReport};
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
    totals: Totals,
    latency: Latency,
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

    /// `image` began at `now_ns`, forked from `parent` if that is given: it has what its parent has
    /// now. An image of the same number that has not ended is forgotten.
    pub fn begin(&mut self, image: Image, parent: Option<Image>, now_ns: u64) {
        let parent = parent.and_then(|parent| self.image(parent));
        let ledger = ImageLedger::new(self.config, parent, now_ns);
        self.remove(image);
        self.places.insert(image.0, self.ledgers.len());
        self.ledgers.push(ledger);
        self.images.push(image);
    }

    /// Takes one event into account.
    #[inline]
    pub fn observe(&mut self, event: &Event<'_>) {
        self.totals.events += 1;
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

    /// The latency of each function in all images together: nanoseconds, 3 significant digits.
    #[must_use]
    pub fn histograms(&self) -> Vec<(FunctionId, Histogram<u64>)> {
        let mut all = Latency::default();
        all.add(&self.latency);
        self.ledgers.iter().for_each(|ledger| all.add(ledger.latency()));
        all.histograms()
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
mod tests {
    use super::*;
    use crate::event::{Action, Block, Fd, Giver, Thread};

    const OLD: Image = Image(1);
    const YOUNG: Image = Image(2);

    fn event(image: Image, at_ns: u64, action: Action<'static>) -> Event<'static> {
        Event {
            image,
            thread: Thread(image.0),
            function: FunctionId(3),
            start_ns: at_ns,
            end_ns: at_ns + 10,
            timed: true,
            stopped_ns: 0,
            errno: 0,
            site: 0x400,
            stack: 0,
            vfork_child: false,
            action,
        }
    }

    fn malloc(image: Image, at_ns: u64, block: u64) -> Event<'static> {
        event(image, at_ns, Action::Allocated { block: Block(block), bytes: 8, giver: Giver::C })
    }

    fn free(image: Image, at_ns: u64, block: u64) -> Event<'static> {
        event(image, at_ns, Action::Freed { block: Block(block), giver: Giver::C })
    }

    #[test]
    fn each_image_has_its_own_heap() {
        let mut session = Session::new(Config::default());
        session.begin(OLD, None, 0);
        session.begin(YOUNG, None, 5);
        session.observe_batch(&[malloc(OLD, 100, 0x10), malloc(YOUNG, 100, 0x10), free(OLD, 900, 0x10)]);
        assert_eq!(session.totals(), Totals { events: 3, live_bytes: 8, ..Totals::default() });
        let [old, young] =
            [OLD, YOUNG].map(|image| session.end(image).and_then(|report| report.heap).expect("it began"));
        assert_eq!((old.live_blocks, young.live_blocks), (0, 1));
        assert_eq!(session.running().count(), 0);
    }

    #[test]
    fn a_forked_child_may_release_what_its_parent_was_given() {
        let mut session = Session::new(Config::default());
        session.begin(OLD, None, 0);
        session.observe(&malloc(OLD, 100, 0x10));
        session.observe(&event(OLD, 200, Action::Opened { fd: Fd(3), kind: "file", path: b"/a" }));
        session.begin(YOUNG, Some(OLD), 500);
        session.observe(&free(YOUNG, 900, 0x10));
        session.observe(&event(YOUNG, 950, Action::Duplicated { from: Fd(3), to: Fd(4) }));
        let report = session.end(YOUNG).expect("it began");
        let heap = report.heap.expect("it is on");
        assert_eq!((heap.inherited_frees, heap.unmatched_frees.count), (1, 0));
        assert_eq!(report.descriptors.expect("it is on").still_open[0].path, b"/a");
        assert_eq!(session.end(OLD).and_then(|report| report.heap).expect("it is on").live_blocks, 1);
    }

    #[test]
    fn events_of_an_image_that_does_not_run_are_strays() {
        let mut session = Session::new(Config::default());
        session.observe(&malloc(OLD, 1, 0x10));
        session.begin(OLD, None, 2);
        session.end(OLD);
        session.observe(&malloc(OLD, 3, 0x10));
        assert_eq!(session.totals(), Totals { events: 2, stray_events: 2, ..Totals::default() });
        assert_eq!(session.end(OLD), None);
    }

    #[test]
    fn an_analyzer_that_is_off_finds_nothing() {
        let mut session = Session::new(Config { heap: false, descriptors: false, latency: true });
        session.begin(OLD, None, 0);
        session.observe(&malloc(OLD, 1, 0x10));
        let report = session.end(OLD).expect("it began");
        assert_eq!((report.heap, report.mappings, report.descriptors), (None, None, None));
        assert_eq!(report.latency.expect("it is on").rows[0].count, 1);
    }

    #[test]
    fn latencies_outlive_their_image() {
        let mut session = Session::new(Config::default());
        for image in [OLD, YOUNG] {
            session.begin(image, None, 0);
            session.observe(&malloc(image, 1, 0x10));
        }
        session.end(OLD);
        let histograms = session.histograms();
        assert_eq!((histograms[0].0, histograms[0].1.len()), (FunctionId(3), 2));
    }
}
