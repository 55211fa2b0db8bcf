//! Stopping a whole process for a moment, so that the reader can look at its memory.
//!
//! All its threads are interrupted, and kept in the stop that follows. An interruption does not last:
//! a stop for another reason takes its place, is handled as ever, and the thread interrupted again.
//! Threads that it would disturb are left asleep (see [`crate::tracer::sleep`]). Nothing of it blocks:
//! other processes' stops are handled while one is gathered.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use calltap_channel::Note;
use calltap_channel::segment::{Header, LOOK_AT_RUNNING};
use nix::unistd::Pid;

use super::Events;
use crate::tracer::notes::SnapshotNote;
use crate::tracer::ptrace::{self, Stop, Stopped};
use crate::tracer::signals;
use crate::tracer::sleep::{self, Sleep};
use crate::tracer::tracees::Id;

/// Threads that have not stopped by then may be unable to: the kernel is asked what they do.
const SLOW: Duration = Duration::from_millis(5);
/// After this time the threads that have stopped are let go, whatever the others do.
const GIVE_UP: Duration = Duration::from_millis(500);

/// What was asked for, and how far it is.
#[derive(Debug, Default)]
pub(super) struct Snapshots {
    /// Number of the last one that was taken up.
    taken_up: u64,
    /// Number of the last one that is done.
    done: u64,
    occasion: u64,
    /// Processes that are yet to be stopped.
    waiting: Vec<Id>,
    gathering: Option<Gathering>,
}

/// A process that is being stopped.
#[derive(Debug)]
struct Gathering {
    group: Id,
    /// When the first thread was interrupted, in ticks.
    began: u64,
    since: Instant,
    /// Threads that are to stop.
    missing: HashSet<Id>,
    /// Those that have.
    held: Vec<(Stopped, Stop)>,
    /// Those that sleep, and are left so.
    asleep: HashMap<Id, Sleep>,
}

impl Snapshots {
    /// Takes up what was asked for last, if anything. Gives the process it is about, 0 for all.
    fn take_up(&mut self, header: &Header) -> Option<Id> {
        // Acquire: pairs with the CLI's Release, so the words about it are there.
        let asked = header.snapshots_asked.load(Ordering::Acquire);
        let stops = header.flags.load(Ordering::Relaxed) & LOOK_AT_RUNNING == 0;
        if asked == self.taken_up || !stops {
            return None;
        }
        self.taken_up = asked;
        self.occasion = header.snapshot_occasion.load(Ordering::Relaxed);
        Some(header.snapshot_of.load(Ordering::Relaxed) as Id)
    }

    /// The process that is being stopped, if it is this one.
    fn of(&mut self, group: Id) -> Option<&mut Gathering> {
        self.gathering.as_mut().filter(|gathering| gathering.group == group)
    }
}

impl Events {
    /// Goes on with what was asked for, as far as it can.
    pub(super) fn take_snapshots(&mut self) -> nix::Result<()> {
        while !self.detaching && !self.staying {
            if self.snapshots.gathering.is_some() {
                if !self.is_gathered() {
                    return Ok(());
                }
                self.show()?;
            } else if let Some(group) = self.snapshots.waiting.pop() {
                self.gather(group);
            } else if self.snapshots.done != self.snapshots.taken_up {
                self.snapshots.done = self.snapshots.taken_up;
                signals::rest();
                self.notes.write(Note::SnapshotsDone, &[self.snapshots.done]);
                self.notes.ring_bell();
            } else if let Some(wanted) = self.snapshots.take_up(self.notes.header()) {
                let tapped = self.tapped.iter().copied();
                self.snapshots.waiting = tapped.filter(|group| wanted == 0 || wanted == *group).collect();
            } else {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Begins to stop a process.
    fn gather(&mut self, group: Id) {
        let threads = self.tracees.running(group);
        if threads.is_empty() {
            return;
        }
        let asleep: HashMap<_, _> =
            threads.iter().filter_map(|&tid| Some((tid, self.undisturbed(group, tid)?))).collect();
        let missing: HashSet<_> = threads.into_iter().filter(|tid| !asleep.contains_key(tid)).collect();
        let began = self.notes.now();
        missing.iter().for_each(|&tid| self.interrupt(tid));
        let since = Instant::now();
        self.snapshots.gathering = Some(Gathering { group, began, since, missing, held: Vec::new(), asleep });
    }

    /// How a thread sleeps that should be left asleep: an interruption would disturb it, or show in what
    /// we tell of a call whose end we wait for.
    fn undisturbed(&self, group: Id, tid: Id) -> Option<Sleep> {
        if self.is_in_call(tid) { Sleep::of(group, tid, "S") } else { Sleep::worth_keeping(group, tid) }
    }

    fn is_in_call(&self, tid: Id) -> bool {
        self.calls.as_ref().is_some_and(|calls| calls.is_open(tid))
    }

    /// Interrupts a thread, but not in a call whose end we wait for: that brings a stop anyway.
    fn interrupt(&self, tid: Id) {
        if !self.is_in_call(tid) {
            ptrace::interrupt(Pid::from_raw(tid));
        }
    }

    /// A thread is in a stop that we asked for, or that its whole process is in. Gives it back if it is
    /// not to be held.
    pub(super) fn hold(&mut self, stopped: Stopped, stop: Stop, group: Id) -> Option<Stopped> {
        let Some(gathering) = self.snapshots.of(group) else { return Some(stopped) };
        let tid = stopped.tid().as_raw();
        gathering.missing.remove(&tid);
        gathering.asleep.remove(&tid);
        gathering.held.push((stopped, stop));
        None
    }

    /// A thread goes on after another stop, which an interruption does not outlast. Interrupted in that stop,
    /// it stops again before it runs.
    pub(super) fn stop_again(&mut self, tid: Id, group: Id) {
        if self.snapshots.of(group).is_some_and(|gathering| gathering.missing.contains(&tid)) {
            self.interrupt(tid);
        }
    }

    /// A thread was made; its first stop will do.
    pub(super) fn joins(&mut self, tid: Id, group: Id) {
        if let Some(gathering) = self.snapshots.of(group) {
            gathering.missing.insert(tid);
        }
    }

    /// A thread will run no more of its program.
    pub(super) fn leaves(&mut self, tid: Id, group: Id) {
        if let Some(gathering) = self.snapshots.of(group) {
            gathering.missing.remove(&tid);
            gathering.asleep.remove(&tid);
            // Whoever was killed in our stop is in another one by now, or gone.
            gathering.held.retain(|(stopped, _)| stopped.tid().as_raw() != tid);
            if gathering.missing.is_empty() && gathering.held.is_empty() && gathering.asleep.is_empty() {
                self.snapshots.gathering = None;
            }
        }
    }

    /// A process is about to end: whoever we hold has been killed in our stop, or is let go.
    pub(super) fn let_end(&mut self, group: Id) -> nix::Result<()> {
        let gathering = self.snapshots.gathering.take_if(|gathering| gathering.group == group);
        self.let_run(gathering.map_or_else(Vec::new, |gathering| gathering.held))
    }

    /// A process is gone, or has begun another program: none of the threads that we hold is left, but one
    /// that is called like the process may be another thread by now.
    pub(super) fn forget(&mut self, group: Id) {
        if self.snapshots.of(group).is_some() {
            self.snapshots.gathering = None;
        }
    }

    /// Whether all threads have stopped, or sleep; gives up on those that do not.
    fn is_gathered(&mut self) -> bool {
        let Some(gathering) = &self.snapshots.gathering else { return false };
        let (group, waited) = (gathering.group, gathering.since.elapsed());
        if !gathering.missing.is_empty() && waited >= SLOW {
            // A sleep that nothing interrupts, or one in a call whose end we wait for.
            let slow = gathering.missing.iter().copied();
            let states = |tid| if self.is_in_call(tid) { "SD" } else { "D" };
            let asleep: Vec<_> =
                slow.filter_map(|tid| Some((tid, Sleep::of(group, tid, states(tid))?))).collect();
            let Some(gathering) = &mut self.snapshots.gathering else { return false };
            gathering.missing.retain(|tid| !asleep.iter().any(|(slow, _)| slow == tid));
            gathering.asleep.extend(asleep);
        }
        let Some(gathering) = &mut self.snapshots.gathering else { return false };
        if gathering.missing.is_empty() {
            let woken = gathering.asleep.extract_if(|_, sleep| !sleep.goes_on());
            gathering.missing.extend(woken.map(|(tid, _)| tid));
            if gathering.missing.is_empty() {
                return true;
            }
            let woken: Vec<_> = gathering.missing.iter().copied().collect();
            woken.into_iter().for_each(|tid| self.interrupt(tid));
        }
        waited >= GIVE_UP
    }

    /// Shows the stopped process to the reader, and lets it go when that has looked.
    fn show(&mut self) -> nix::Result<()> {
        let Some(gathering) = self.snapshots.gathering.take() else { return Ok(()) };
        let Gathering { group, began, missing, held, asleep, .. } = gathering;
        if let Some(tid) = missing.iter().next() {
            let state = sleep::state(group, *tid).map_or('?', |(state, _)| state);
            let waited = GIVE_UP.as_millis();
            let reason = format!("thread {tid} did not stop within {waited} ms (state {state})");
            self.notes.write_with_text(Note::SnapshotFailed, &[group as u64], reason.as_bytes());
        } else {
            self.sequence += 1;
            let mut tids =
                held.iter().map(|(stopped, _)| stopped.tid().as_raw()).chain(asleep.keys().copied());
            self.notes.write_snapshot(&SnapshotNote {
                group,
                sequence: self.sequence,
                tid: tids.next().unwrap_or(group),
                began,
                held: held.len() as u64,
                asleep: asleep.len() as u64,
                switches: asleep.values().map(|sleep| sleep.switches).sum(),
                occasion: self.snapshots.occasion,
            });
            self.notes.ring_bell();
            self.notes.await_release(self.sequence);
        }
        self.let_run(held)
    }

    /// Lets a process go that was being stopped, if there is one.
    pub(super) fn abandon_snapshots(&mut self) -> nix::Result<()> {
        signals::rest();
        self.snapshots.waiting.clear();
        let gathering = self.snapshots.gathering.take();
        self.let_run(gathering.map_or_else(Vec::new, |gathering| gathering.held))
    }

    fn let_run(&mut self, held: Vec<(Stopped, Stop)>) -> nix::Result<()> {
        held.into_iter().try_for_each(|(stopped, stop)| match stop {
            Stop::Group(_) => stopped.listen(),
            _ => self.go_on(stopped, 0),
        })
    }
}
