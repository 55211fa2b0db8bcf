//! Who keeps the rings: takes new ones in, says which are free, answers the tracer.

use std::sync::atomic::{AtomicBool, Ordering};

use calltap_channel::segment::{Segment, counted};

use super::merge::Records;
use super::ring::Ring;
use super::tracer::Act;
use crate::damage::{Damage, Guard, Part};
use crate::reader::Pause;

/// How a session went.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outcome {
    /// The first process's wait status; None if it was not seen to end.
    pub status: Option<i32>,
    /// Why the program could not be executed, if so.
    pub exec_errno: Option<i32>,
    /// Whether that was the filter of system calls, not the program.
    pub filter_refused: bool,
    /// Whether the tracer has said that nothing is left to trace.
    pub complete: bool,
    /// What was found written over.
    pub damage: Damage,
}

/// Keeps a session's rings.
#[derive(Debug)]
pub struct Keeper {
    segment: Segment,
    /// Where the next owner of each ring begins.
    positions: Vec<u64>,
    /// What is known of the session's end.
    pub outcome: Outcome,
    guard: Guard,
}

/// Has `drain` make round after round, each of which gives the words taken from the fullest ring, until the tracer is
/// done, or until `stop` and the rings are empty. `root_ended` is set when the first process has ended.
pub fn rounds<T>(
    drain: &mut T,
    segment: Segment,
    stop: &AtomicBool,
    root_ended: &AtomicBool,
    outcome: impl Fn(&T) -> &Outcome,
    mut round: impl FnMut(&mut T) -> u64,
) {
    let mut pause = Pause::new(segment.layout().capacity);
    let header = segment.header();
    while !outcome(drain).complete {
        let stopping = stop.load(Ordering::Relaxed);
        let bell = header.bell.load(Ordering::Relaxed);
        pause.round_begins();
        let most = round(drain);
        header.heartbeat.fetch_add(1, Ordering::Relaxed);
        root_ended.store(outcome(drain).status.is_some(), Ordering::Relaxed);
        if stopping && most == 0 {
            break;
        }
        if !outcome(drain).complete {
            pause.after(most, &header.bell, bell);
        }
    }
}

impl Keeper {
    /// Of a new session.
    #[must_use]
    pub fn new(segment: Segment) -> Self {
        let positions = vec![0; segment.layout().ring_count as usize];
        Self { segment, positions, outcome: Outcome::default(), guard: Guard::new(segment) }
    }

    /// No ring yet.
    #[must_use]
    pub fn rings(&self) -> Vec<Option<Ring>> {
        self.positions.iter().map(|_| None).collect()
    }

    /// Takes in rings that have been claimed, and mends what the target has scribbled over.
    pub fn discover(&mut self, rings: &mut [Option<Ring>]) {
        let mark = self.guard.look(&mut self.outcome.damage);
        for (index, ring) in rings.iter_mut().enumerate().take(mark) {
            match ring {
                None => *ring = Ring::open(&self.segment, index, self.positions[index]),
                Some(ring) => {
                    if let Some(part) = ring.mend() {
                        self.outcome.damage.add(part);
                    }
                }
            }
        }
    }

    /// All rings are closed: what the header counts, of records that found no ring and of calls not followed.
    pub fn counters(&mut self) -> [u64; 2] {
        let header = self.segment.header();
        let damage = &mut self.outcome.damage;
        self.guard.finish(damage);
        [&header.lost_without_ring, &header.unfollowed].map(|counter| {
            counted(counter).unwrap_or_else(|| {
                damage.add(Part::Header);
                0
            })
        })
    }

    /// Does what the tracer asks for. Gives the rings whose owners are gone.
    pub fn act(&mut self, act: Act, rings: &[Option<Ring>]) -> Vec<usize> {
        let which = |gone: &dyn Fn(&Ring) -> bool| {
            let indexed = rings.iter().enumerate();
            indexed.filter_map(|(index, ring)| gone(ring.as_ref()?).then_some(index)).collect()
        };
        match act {
            Act::ThreadEnded(pid, tid) => {
                return which(&|ring| (ring.owner().pid, ring.owner().tid) == (pid, tid));
            }
            // The new program may have rings already.
            Act::Executed(pid, at) => {
                return which(&|ring| {
                    let owner = ring.owner();
                    owner.pid == pid && owner.image != 0 && ring.began.is_some_and(|began| began < at)
                });
            }
            Act::Ended(pid, status) => {
                if u64::from(pid) == self.segment.inner().root_pid.load(Ordering::Acquire) {
                    self.outcome.status = Some(status);
                }
            }
            Act::Release(sequence) => self.release(sequence),
            Act::ExecFailed(errno, filter_refused) => {
                self.outcome.exec_errno = Some(errno);
                self.outcome.filter_refused = filter_refused;
            }
            Act::Done => self.outcome.complete = true,
        }
        Vec::new()
    }

    /// Lets the tracer go on with a process that it holds.
    fn release(&self, sequence: u64) {
        let header = self.segment.inner();
        header.released.store(sequence, Ordering::Release);
        header.released_bell.fetch_add(1, Ordering::Release);
        crate::futex::wake_all(&header.released_bell);
    }

    /// A ring is to be closed, and everything in it has been taken.
    pub fn closes(&mut self, ring: &mut Ring) {
        self.outcome.damage.add_if(!ring.is_sound(), Part::Rings);
        self.outcome.damage.add_if(ring.malformed > 0, Part::Records);
    }

    /// A ring has been closed: its next owner begins where the last one ended.
    pub fn freed(&mut self, index: usize, ring: &Ring) {
        self.positions[index] = ring.position();
    }
}
