//! The rings of a running session, drained in the order of time.

use std::sync::atomic::AtomicBool;

use calltap_channel::clock::Clock;
use calltap_channel::segment::Segment;

use super::Stream;
use super::counts::Counts;
use super::keeper::{Keeper, Outcome, rounds};
use super::merge::{Merge, Records};
use super::ring::Ring;
use crate::damage::Part;
use crate::trace::print::{Count, End};

/// The rings of a session.
pub struct Live {
    segment: Segment,
    clock: Clock,
    rings: Vec<Option<Ring>>,
    keeper: Keeper,
    merge: Merge,
    counts: Counts,
}

impl Live {
    /// The rings of a new session.
    #[must_use]
    pub fn new(segment: Segment, clock: Clock) -> Self {
        let keeper = Keeper::new(segment);
        Self {
            segment,
            clock,
            rings: keeper.rings(),
            keeper,
            merge: Merge::default(),
            counts: Counts::default(),
        }
    }

    /// Has `stream` take everything until the tracer is done, or until `stop` and the rings are empty.
    /// `root_ended` is set when the first process has ended.
    pub fn run(mut self, stream: &mut Stream, stop: &AtomicBool, root_ended: &AtomicBool) -> (Outcome, End) {
        let segment = self.segment;
        rounds(&mut self, segment, stop, root_ended, |live| &live.keeper.outcome, |live| live.round(stream));
        (0..self.rings.len()).for_each(|index| self.close(index, stream));
        let counts: Vec<Count> = self
            .counts
            .called()
            .map(|(number, calls)| Count { function: stream.functions.get(number), calls })
            .collect();
        let [without_ring, unfollowed] = self.keeper.counters();
        let damage = &mut self.keeper.outcome.damage;
        damage.add_if(stream.malformed > 0, Part::Records);
        damage.add_if(stream.functions.has_unknown, Part::Functions);
        let end = End {
            at_ns: stream.scale.since_zero(self.clock.now()),
            lost: stream.lost + without_ring,
            unfollowed,
            counts,
        };
        (self.keeper.outcome, end)
    }

    /// Takes what happened before now. Gives the words taken from the fullest ring.
    fn round(&mut self, stream: &mut Stream) -> u64 {
        // The bound first: every ring claimed before it is then discovered.
        let now = self.clock.now();
        self.keeper.discover(&mut self.rings);
        let before: Vec<u64> = self.rings.iter().flatten().map(Ring::position).collect();
        let mut acts = Vec::new();
        self.merge.round(&mut self.rings, now, |owner, words| acts.extend(stream.take(owner, words)));
        let mut most = 0;
        for (ring, before) in self.rings.iter_mut().flatten().zip(before) {
            ring.release();
            most = most.max(ring.position() - before);
            let dropped = ring.newly_dropped();
            if dropped > 0 {
                stream.dropped(ring.owner(), dropped);
            }
        }
        // Before the tracer goes on: a process that has ended leaves a trace that is complete.
        stream.rest();
        for act in acts {
            let closed = self.keeper.act(act, &self.rings);
            closed.into_iter().for_each(|index| self.close(index, stream));
        }
        most
    }

    /// Frees a ring whose owner is gone. What it committed has been taken, or is taken now.
    fn close(&mut self, index: usize, stream: &mut Stream) {
        let Some(mut ring) = self.rings[index].take() else { return };
        while ring.look().is_some() {
            // What the tracer asks for has been done by now, or nobody waits for it any more.
            let _ = stream.take(ring.owner(), ring.head());
            ring.pass();
        }
        self.keeper.closes(&mut ring);
        self.counts.take(&self.segment, index);
        let dropped = ring.newly_dropped() + u64::from(ring.close()) + ring.malformed;
        if dropped > 0 {
            stream.dropped(ring.owner(), dropped);
        }
        stream.forget(ring.owner());
        self.keeper.freed(index, &ring);
    }
}
