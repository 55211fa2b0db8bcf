//! One ring as the reader sees it: its owner, its position, the record at its head.

use std::sync::atomic::Ordering;

use calltap_analyzers::event::{Image, Thread};
use calltap_channel::Function;
use calltap_channel::function::Effect;
use calltap_channel::note;
use calltap_channel::record::{AT_START, MAX_DURATION, MAX_WORDS, Malformed, Record, UNTIMED};
use calltap_channel::ring::{Consumer, Control, Peeked, Torn};
use calltap_channel::segment::{RawWords, Segment, counted};

use crate::damage::Part;
use crate::futex;

/// Which functions release, by their numbers.
static RELEASES: [bool; Function::ALL.len()] = {
    let mut releases = [false; Function::ALL.len()];
    let mut number = 0;
    while number < releases.len() {
        releases[number] = matches!(
            Function::ALL[number].effect(),
            Effect::Free(_) | Effect::Close(_) | Effect::CloseRange | Effect::CloseFrom | Effect::Unmap
        );
        number += 1;
    }
    releases
};

/// No call is stopped, and goes on, in fewer ticks: about a microsecond.
const MAY_HAVE_STOPPED: u64 = 1 << 12;

/// A claimed ring.
#[derive(Debug)]
pub struct Source {
    control: &'static Control,
    words: RawWords,
    consumer: Consumer,
    head: [u64; MAX_WORDS],
    length: usize,
    /// Process id of its owner.
    pub pid: u32,
    /// Its owner.
    pub thread: Thread,
    /// The owner's process image; 0 is the tracer.
    pub image: Image,
    /// The image that the owner's image was forked from; 0 if none.
    pub parent: Image,
    /// Whether it is the tracer's.
    pub is_tracer: bool,
    serial: u64,
    capacity: u64,
}

/// What is at a source's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Head {
    /// Nothing yet.
    Empty,
    /// A record that takes effect at this time, in ticks.
    At(u64),
    /// Words that nobody writes; the ring has been cleared and what was in it is lost.
    Corrupt,
}

impl Source {
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
            pid,
            thread: Thread(tid),
            image: Image(serial as u32),
            parent: Image((serial >> 32) as u32),
            is_tracer: index == 0,
            serial,
            capacity,
        })
    }

    /// Looks at the next record, copying it.
    #[inline]
    pub fn look(&mut self) -> Head {
        match self.consumer.peek(&self.words, &mut self.head) {
            Peeked::Nothing => Head::Empty,
            Peeked::Record(length) if self.consumer.is_reserved(self.control, length) => {
                self.length = length;
                Head::At(self.effective())
            }
            Peeked::Record(_) | Peeked::Corrupt(_) => {
                self.consumer.restart(&self.words, self.control);
                Head::Corrupt
            }
        }
    }

    /// Whether the record at the head can have begun in a session that began at `zero`, in ticks.
    #[inline]
    #[must_use]
    pub fn is_of_this_session(&self, zero: u64) -> bool {
        let [header, start, ..] = self.head;
        start >= zero || header >> 8 & u64::from(UNTIMED) != 0 || (header >> 16) as u16 >= note::FIRST
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
            self.consumer.restart(&self.words, self.control);
            return Some(Part::Records);
        }
        None
    }

    /// When the head takes effect: a release at its start, anything else at its end.
    ///
    /// A release so long that it may have made system calls waits for them: they are told before it, and
    /// the analyzers pair releases that come late.
    #[inline]
    fn effective(&self) -> u64 {
        let start = self.head[1];
        let number = usize::from((self.head[0] >> 16) as u16);
        let at_start = self.head[0] >> 8 & u64::from(AT_START) != 0;
        match RELEASES.get(number) {
            Some(true) if self.head[2] & MAX_DURATION < MAY_HAVE_STOPPED => start,
            None if at_start => start,
            _ => start.saturating_add(self.head[2] & MAX_DURATION),
        }
    }

    /// The record at the head, checked for its form.
    ///
    /// # Errors
    /// [`Malformed`] if its lengths contradict each other.
    #[inline]
    pub fn record(&self) -> Result<Record<'_>, Malformed> {
        Record::parse(&self.head[..self.length])
    }

    /// Passes the head.
    #[inline]
    pub fn pass(&mut self) {
        self.consumer.pass(&self.words, self.length);
        if self.consumer.unreleased() >= self.capacity / 8 {
            self.release();
        }
    }

    /// Gives what was passed back to the producer and wakes it if it waits.
    pub fn release(&mut self) {
        if self.consumer.unreleased() > 0 && self.consumer.release(self.control) {
            self.control.waiting.store(0, Ordering::Relaxed);
            futex::wake_all(futex::low_half(&self.control.waiting));
        }
    }

    /// The consumer's position.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.consumer.position()
    }

    /// Records that the owner gave up; None if what the ring says of it cannot be.
    #[must_use]
    pub fn dropped(&self) -> Option<u64> {
        counted(&self.control.dropped)
    }

    /// Whether the ring says what it did when it was claimed, and a cursor that can be.
    pub fn is_sound(&mut self) -> bool {
        self.control.belongs_to(self.pid, self.thread.0, self.serial, self.capacity)
            && self.consumer.reserved(self.control).is_some()
    }

    /// The thread's name: printable, at most 15 bytes.
    #[must_use]
    pub fn name(&self) -> String {
        let bytes: Vec<u8> = self
            .control
            .name
            .iter()
            .flat_map(|word| word.load(Ordering::Relaxed).to_le_bytes())
            .take_while(|byte| *byte != 0)
            .collect();
        String::from_utf8_lossy(&bytes).chars().filter(|c| !c.is_control()).collect()
    }

    /// The call that the owner has begun and not ended: its function and first argument.
    #[must_use]
    pub fn unfinished(&self) -> Option<(Function, u64)> {
        let number = self.control.in_flight.load(Ordering::Relaxed).checked_sub(1)?;
        let function = Function::from_number(u16::try_from(number).ok()?)?;
        Some((function, self.control.in_flight_argument.load(Ordering::Relaxed)))
    }

    /// Ends the source after its owner's death. What was reserved and not committed is skipped, and the ring can be
    /// claimed anew at [`Self::position`].
    ///
    /// Whether a call is lost so. That which [`Self::unfinished`] tells is not: its thread was killed before it had come
    /// back to its caller. Nor is a note, which is written outside calls.
    pub fn close(&mut self) -> bool {
        let began = self.unfinished().map(|_| self.control.in_flight_start.load(Ordering::Relaxed));
        let torn = self.consumer.abandon(&self.words, self.control);
        self.control.free(self.consumer.position());
        match torn {
            Torn::Nothing => false,
            // Another start is that of a call which a signal handler's, under way now, has interrupted.
            Torn::Record(start) => began.is_some_and(|began| start != 0 && began != 0 && start != began),
            Torn::Run => true,
        }
    }
}

#[cfg(test)]
mod tests;
