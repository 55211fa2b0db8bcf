//! One ring as a trace reads it: its owner, the record at its head, when that happened.

use std::sync::atomic::Ordering;

use calltap_channel::Note;
use calltap_channel::record::{MAX_DURATION, MAX_WORDS};
use calltap_channel::ring::{Consumer, Control, Peeked, Torn};
use calltap_channel::segment::{RawWords, Segment, counted};

use super::merge::Records;
use crate::damage::Part;
use crate::futex;

/// Whose records these are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// The ring, or what stands for it in a recording: tells owners apart that live at one time.
    pub ring: u32,
    /// Process id.
    pub pid: u32,
    /// Thread id.
    pub tid: u32,
    /// Serial number of the process image; 0 is the tracer.
    pub image: u32,
    /// The image that it was forked from; 0 if none.
    pub parent: u32,
}

/// A claimed ring.
#[derive(Debug)]
pub struct Ring {
    control: &'static Control,
    words: RawWords,
    consumer: Consumer,
    head: [u64; MAX_WORDS],
    length: usize,
    owner: Owner,
    capacity: u64,
    /// Stamp of the first record that was seen; None before.
    pub began: Option<u64>,
    /// What has been told of records dropped.
    pub told_dropped: u64,
    /// Heads that no producer writes.
    pub malformed: u64,
    serial: u64,
}

impl Ring {
    /// The ring `index` from `position` on, if somebody has claimed it.
    #[must_use]
    pub fn open(segment: &Segment, index: usize, position: u64) -> Option<Self> {
        let control = segment.control(index);
        let (pid, tid) = control.owner();
        if pid == 0 || tid == 0 {
            return None;
        }
        let serial = control.serial.load(Ordering::Relaxed);
        let capacity = segment.layout().capacity;
        Some(Self {
            control,
            words: segment.words(index),
            consumer: Consumer::new(position, capacity),
            head: [0; MAX_WORDS],
            length: 0,
            owner: Owner {
                ring: index as u32,
                pid,
                tid,
                image: serial as u32,
                parent: (serial >> 32) as u32,
            },
            capacity,
            began: None,
            told_dropped: 0,
            malformed: 0,
            serial,
        })
    }

    /// The consumer's position.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.consumer.position()
    }

    /// Its words, for who takes many records at once.
    #[must_use]
    pub fn words(&self) -> RawWords {
        self.words
    }

    /// Passes `words` words of records at once, the first of which was stamped `began`. Their places have been filled
    /// with zeros.
    pub fn advance(&mut self, words: usize, began: u64) {
        self.began.get_or_insert(began);
        self.consumer.advance(words as u64);
    }

    /// Words that are reserved from the position on, as far as can be believed.
    pub fn reserved(&mut self) -> u64 {
        self.consumer.reserved(self.control).unwrap_or(0)
    }

    /// Whether the ring says what it did when it was claimed, and figures that can be.
    pub fn is_sound(&mut self) -> bool {
        self.control.belongs_to(self.owner.pid, self.owner.tid, self.serial, self.capacity)
            && self.consumer.reserved(self.control).is_some()
            && counted(&self.control.dropped).is_some()
    }

    /// To be called once a round. Puts back what is ours, and goes on where the record at the head has been cleared.
    /// Whether somebody has scribbled there.
    pub fn mend(&mut self) -> Option<Part> {
        if self.consumer.restore_tail(self.control) {
            return Some(Part::Rings);
        }
        if self.consumer.peek(&self.words, &mut self.head) == Peeked::Nothing
            && self.consumer.is_stuck(self.control)
        {
            self.scrub();
            return Some(Part::Records);
        }
        None
    }

    /// Records dropped since this was asked last.
    pub fn newly_dropped(&mut self) -> u64 {
        let dropped = counted(&self.control.dropped).unwrap_or(self.told_dropped);
        let new = dropped.saturating_sub(self.told_dropped);
        self.told_dropped = dropped;
        new
    }

    /// Goes on behind words that no producer writes: somebody has scribbled there.
    pub fn scrub(&mut self) {
        self.malformed += 1;
        self.consumer.restart(&self.words, self.control);
    }

    /// Gives what was passed back to the producer and wakes it if it waits.
    pub fn release(&mut self) {
        if self.consumer.unreleased() > 0 && self.consumer.release(self.control) {
            self.control.waiting.store(0, Ordering::Relaxed);
            futex::wake_all(futex::low_half(&self.control.waiting));
        }
    }

    /// Ends the ring after its owner's death; what was reserved and not committed is skipped, and the ring can be claimed
    /// anew at [`Self::position`].
    ///
    /// Whether records are lost so. One that was under way is not: a call that was to be entered has not been made, one
    /// that was to return has not come back to its caller, and stays open.
    pub fn close(&mut self) -> bool {
        let torn = self.consumer.abandon(&self.words, self.control);
        self.control.free(self.consumer.position());
        torn == Torn::Run
    }
}

impl Records for Ring {
    fn owner(&self) -> &Owner {
        &self.owner
    }

    #[inline]
    fn look(&mut self) -> Option<u64> {
        match self.consumer.peek(&self.words, &mut self.head) {
            Peeked::Nothing => None,
            Peeked::Record(length) if self.consumer.is_reserved(self.control, length) => {
                self.length = length;
                self.began.get_or_insert(self.head[1]);
                Some(happened(&self.head))
            }
            Peeked::Record(_) | Peeked::Corrupt(_) => {
                self.scrub();
                None
            }
        }
    }

    #[inline]
    fn head(&self) -> &[u64] {
        &self.head[..self.length]
    }

    fn pass_over(&mut self) {
        self.malformed += 1;
        self.pass();
    }

    #[inline]
    fn pass(&mut self) {
        self.consumer.pass(&self.words, self.length);
        if self.consumer.unreleased() >= self.capacity / 8 {
            self.release();
        }
    }
}

/// When what a record tells of happened, in ticks. A system call is told when it has ended.
#[inline]
#[must_use]
pub fn happened(words: &[u64]) -> u64 {
    if (words[0] >> 16) as u16 == Note::SystemCall as u16 {
        words[1].saturating_add(words[2] & MAX_DURATION)
    } else {
        words[1]
    }
}
