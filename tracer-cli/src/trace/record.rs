//! `--record FILE`: what is in the rings, written down as it is.
//!
//! Nothing is decoded but what the tracer says: whose rings are free, what it waits for. Records go from the ring
//! to the kernel in one copy.

pub mod format;
mod run;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use calltap_channel::clock::Clock;
use calltap_channel::record::MAX_WORDS;
use calltap_channel::ring::Words;
use calltap_channel::segment::{ABI, Segment};
use calltap_channel::trace::MAX_FUNCTIONS;

use self::format::{FOLLOWED, HEAD_WORDS, Kind, MAGIC, OWNER_WORDS, VERSION, put_text};
use super::print::End;
use super::stream::{Act, Keeper, Outcome, Owner, Records, Ring, rounds};
use crate::calibration::Scale;

/// As much is written at once, in words: it stays in the caches until then.
const AT_ONCE: usize = 32 << 10;

/// A recording that is being written.
pub struct Recorder<'a> {
    file: &'a File,
    segment: Segment,
    rings: Vec<Option<Ring>>,
    keeper: Keeper,
    /// Stacks that have been written.
    stacks: HashSet<u32>,
    /// Functions that have been written.
    functions: Vec<bool>,
    /// The directory's growth when it was looked at last and before.
    growth: [u64; 2],
    /// Why nothing is written any more.
    failure: Option<io::Error>,
    lost: u64,
}

/// Writes the head of a recording, the plan and the program.
///
/// # Errors
/// Of writing.
pub fn begin(
    mut file: &File,
    scale: Scale,
    zero: SystemTime,
    followed: bool,
    plan: &[u64],
    program: &Path,
) -> io::Result<()> {
    let [ticks, factor] = scale.parts();
    let zero = zero.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64);
    let flags = if followed { FOLLOWED } else { 0 };
    let head: [u64; HEAD_WORDS] = [MAGIC, VERSION, ABI, ticks, factor, zero, flags, 0];
    let mut words = head.to_vec();
    words.push(Kind::Plan.word(plan.len()));
    words.extend_from_slice(plan);
    let mut name = Vec::new();
    put_text(program.as_os_str().as_encoded_bytes(), &mut name);
    words.push(Kind::Program.word(name.len()));
    words.extend(name);
    file.write_all(&bytes(&words))
}

impl<'a> Recorder<'a> {
    /// Of a new session.
    #[must_use]
    pub fn new(file: &'a File, segment: Segment) -> Self {
        let keeper = Keeper::new(segment);
        Self {
            file,
            segment,
            rings: keeper.rings(),
            keeper,
            stacks: HashSet::new(),
            functions: vec![false; MAX_FUNCTIONS],
            growth: [0; 2],
            failure: None,
            lost: 0,
        }
    }

    /// Records until the tracer is done, or until `stop` and the rings are empty. `root_ended` is set when the first
    /// process has ended.
    ///
    /// # Errors
    /// Of writing; the program has run to its end all the same.
    pub fn run(
        mut self,
        clock: Clock,
        scale: Scale,
        stop: &AtomicBool,
        root_ended: &AtomicBool,
    ) -> (Outcome, End, io::Result<()>) {
        let segment = self.segment;
        rounds(
            &mut self,
            segment,
            stop,
            root_ended,
            |recorder| &recorder.keeper.outcome,
            |recorder| recorder.round(clock),
        );
        (0..self.rings.len()).for_each(|index| self.close(index));
        self.functions();
        let [without_ring, unfollowed] = self.keeper.counters();
        let end = End {
            at_ns: scale.since_zero(clock.now()),
            lost: self.lost + without_ring,
            unfollowed,
            counts: Vec::new(),
        };
        self.block(Kind::Bound, &[u64::MAX]);
        self.block(Kind::End, &[end.at_ns, end.lost, end.unfollowed]);
        (self.keeper.outcome, end, self.failure.map_or(Ok(()), Err))
    }

    /// Writes what is there. Gives the words taken from the fullest ring.
    fn round(&mut self, clock: Clock) -> u64 {
        let now = clock.now();
        self.keeper.discover(&mut self.rings);
        let mut acts = Vec::new();
        let mut most = 0;
        for index in 0..self.rings.len() {
            let Some(mut ring) = self.rings[index].take() else { continue };
            let before = ring.position();
            let enough = before + self.segment.layout().capacity;
            while ring.position() < enough && self.take(&mut ring, &mut acts) > 0 {}
            most = most.max(ring.position() - before);
            self.dropped(&mut ring);
            self.rings[index] = Some(ring);
        }
        self.new_functions();
        if most > 0 {
            self.block(Kind::Bound, &[now]);
        }
        for act in acts {
            let closed = self.keeper.act(act, &self.rings);
            closed.into_iter().for_each(|index| self.close(index));
        }
        most
    }

    /// Writes a run of a ring's records and gives its space back. Gives its words.
    fn take(&mut self, ring: &mut Ring, acts: &mut Vec<Act>) -> usize {
        let owner = *ring.owner();
        let capacity = self.segment.layout().capacity;
        let position = ring.position();
        let words = ring.words();
        let mut stacks = Vec::new();
        let reserved = ring.reserved() as usize;
        let run = run::committed(&words, position, capacity, [AT_ONCE, reserved], |header, place| {
            let stack = (header >> 32) as u32;
            if stack != 0 && !self.stacks.contains(&stack) {
                stacks.push(stack);
            }
            if owner.image == 0 {
                let mut copy = [0; MAX_WORDS];
                let length = (header & 0xff) as usize;
                copy[..length].iter_mut().enumerate().for_each(|(index, word)| {
                    *word = words.load(place + index, Ordering::Relaxed);
                });
                acts.extend(Act::of(&copy[..length]));
            }
        });
        let Some(run) = run else {
            ring.scrub();
            self.lost += 1;
            return 0;
        };
        if run.words == 0 {
            return 0;
        }
        let began = words.load(run.place + 1, Ordering::Relaxed);
        stacks.into_iter().for_each(|stack| self.stack(stack));
        let before = head_of(Kind::Records, &owner, run.words);
        if self.failure.is_none() {
            self.failure = run::write(self.file, &before, &words, run).err();
        }
        run::clear(&words, run);
        ring.advance(run.words, began);
        ring.release();
        run.words
    }

    fn dropped(&mut self, ring: &mut Ring) {
        let dropped = ring.newly_dropped();
        if dropped > 0 {
            self.lost += dropped;
            let mut words = head_of(Kind::Dropped, ring.owner(), 1).to_vec();
            words.push(dropped);
            self.write(&words);
        }
    }

    /// Frees the ring of a dead thread.
    fn close(&mut self, index: usize) {
        let Some(mut ring) = self.rings[index].take() else { return };
        while self.take(&mut ring, &mut Vec::new()) > 0 {}
        self.dropped(&mut ring);
        self.keeper.closes(&mut ring);
        self.lost += u64::from(ring.close());
        self.keeper.freed(index, &ring);
        self.block(Kind::Closed, &[index as u64]);
    }

    /// Writes functions that have come since this was done last. One that is being entered is met the next time.
    fn new_functions(&mut self) {
        let Some(directory) = self.segment.directory() else { return };
        let growth = directory.growth();
        if self.growth != [growth; 2] {
            self.growth = [growth, self.growth[0]];
            self.functions();
        }
    }

    fn functions(&mut self) {
        let Some(directory) = self.segment.directory() else { return };
        for number in 0..MAX_FUNCTIONS {
            if self.functions[number] {
                continue;
            }
            let Some(met) = directory.get(number as u32) else { continue };
            self.functions[number] = true;
            let mut words = vec![number as u64, met.row.map_or(0, |row| u64::from(row) + 1)];
            put_text(met.name, &mut words);
            put_text(met.provider, &mut words);
            self.block(Kind::Function, &words);
        }
    }

    fn stack(&mut self, id: u32) {
        let Some(stack) = self.segment.stacks().get(id) else { return };
        self.stacks.insert(id);
        let mut words = vec![u64::from(id), stack.end as u64];
        words.extend(stack.frames.iter().map(|frame| frame.0));
        self.block(Kind::Stack, &words);
    }

    fn block(&mut self, kind: Kind, words: &[u64]) {
        let mut all = Vec::with_capacity(words.len() + 1);
        all.push(kind.word(words.len()));
        all.extend_from_slice(words);
        self.write(&all);
    }

    fn write(&mut self, words: &[u64]) {
        if self.failure.is_none() {
            let mut file = self.file;
            self.failure = file.write_all(&bytes(words)).err();
        }
    }
}

/// The words before a block of a thread.
fn head_of(kind: Kind, owner: &Owner, words: usize) -> [u64; 1 + OWNER_WORDS] {
    [
        kind.word(OWNER_WORDS + words),
        u64::from(owner.ring),
        u64::from(owner.pid) << 32 | u64::from(owner.tid),
        u64::from(owner.parent) << 32 | u64::from(owner.image),
    ]
}

fn bytes(words: &[u64]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}
