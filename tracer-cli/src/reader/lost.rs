//! What could not be seen, and whose it was.

use std::sync::atomic::Ordering;

use calltap_channel::segment::{Segment, counted};

use super::source::Source;
use crate::damage::{Damage, Part};

/// Lost records of one thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LostByThread {
    /// Process id.
    pub pid: u32,
    /// Thread id.
    pub tid: u32,
    /// Its name.
    pub name: String,
    /// Records given up because its ring was full or the reader gone.
    pub dropped: u64,
    /// Records begun and never finished, because a signal handler has left them by a jump, or the thread was killed in a
    /// handler that had interrupted one.
    pub torn: u64,
    /// Records that were not of the right form.
    pub malformed: u64,
}

impl LostByThread {
    /// All of them.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.dropped + self.torn + self.malformed
    }
}

/// Everything lost in a session.
#[derive(Clone, Debug, Default)]
pub struct Lost {
    threads: Vec<LostByThread>,
    without_ring: u64,
    /// Threads that found no free ring.
    pub threads_without_ring: u64,
    /// Process images that turned their taps off; how many calls they made then is not known.
    pub gave_up: u64,
    /// Forked children whose first calls could not be recorded.
    pub unseen_at_first: u64,
    /// What was found written over.
    pub damage: Damage,
    /// Process images without a way to find unwind tables.
    pub images_without_tables: u64,
}

impl Lost {
    /// A thread is gone: what it dropped is final.
    pub fn thread_ended(&mut self, source: &mut Source) {
        self.damage.add_if(!source.is_sound(), Part::Rings);
        match source.dropped() {
            Some(0) => {}
            Some(dropped) => self.of(source).dropped += dropped,
            None => self.damage.add(Part::Rings),
        }
    }

    /// A record was begun and not finished.
    pub fn torn(&mut self, source: &Source) {
        self.of(source).torn += 1;
    }

    /// A record was not of the right form.
    pub fn malformed(&mut self, source: &Source) {
        self.of(source).malformed += 1;
        self.damage.add(Part::Records);
    }

    /// Takes in what threads without a ring have counted.
    pub fn without_ring(&mut self, segment: &Segment) {
        let header = segment.header();
        let mut count = |counter| {
            counted(counter).unwrap_or_else(|| {
                self.damage.add(Part::Header);
                0
            })
        };
        self.without_ring = count(&header.lost_without_ring);
        self.images_without_tables = count(&header.without_tables);
        self.gave_up = count(&header.gave_up);
        self.unseen_at_first = count(&header.unseen_at_first);
        self.threads_without_ring = u64::from(header.threads_without_ring.load(Ordering::Relaxed));
        // Nobody loses a record for want of a ring but threads that found none.
        if self.without_ring > 0 && self.threads_without_ring == 0 {
            self.damage.add(Part::Header);
        }
    }

    /// All lost records so far, those of `living` threads included.
    pub fn records<'a>(&self, segment: &Segment, living: impl Iterator<Item = &'a Source>) -> u64 {
        let without_ring = counted(&segment.header().lost_without_ring).unwrap_or(0);
        self.counted() + without_ring + living.filter_map(Source::dropped).sum::<u64>()
    }

    /// All lost records, once every thread has ended.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counted() + self.without_ring
    }

    /// By thread, those that lost none left out.
    #[must_use]
    pub fn by_thread(&self) -> &[LostByThread] {
        &self.threads
    }

    fn counted(&self) -> u64 {
        self.threads.iter().map(LostByThread::records).sum()
    }

    fn of(&mut self, source: &Source) -> &mut LostByThread {
        let (pid, tid) = (source.pid, source.thread.0);
        let found = self.threads.iter().position(|thread| (thread.pid, thread.tid) == (pid, tid));
        let index = found.unwrap_or_else(|| {
            self.threads.push(LostByThread {
                pid,
                tid,
                name: source.name(),
                dropped: 0,
                torn: 0,
                malformed: 0,
            });
            self.threads.len() - 1
        });
        &mut self.threads[index]
    }
}
