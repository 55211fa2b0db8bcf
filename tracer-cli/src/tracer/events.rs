//! The tracer's loop: one change of one tracee after the other, each noted and passed on untouched.

use std::collections::HashSet;

use calltap_channel::Note;
use calltap_channel::note::{CLONED, Untapped};
use nix::unistd::Pid;

use super::family::{Family, is_killed, is_thread_of};
use super::injection::{Injection, program_of};
use super::launch::Launched;
use super::notes::{Notes, kind_of};
use super::ptrace::{self, Change, Stop, Stopped};
use super::signals;
use super::tracees::{Id, Tracees};

/// Signals that programs send themselves all the time; they are delivered, but not noted.
const FREQUENT: [i32; 4] = [libc::SIGCHLD, libc::SIGALRM, libc::SIGVTALRM, libc::SIGPROF];

/// Everything the loop knows.
#[derive(Debug)]
pub(crate) struct Events {
    notes: Notes,
    injection: Injection,
    follow: bool,
    root: Launched,
    /// How far the first process is.
    start: Start,
    tracees: Tracees,
    /// Met before their makers' stops, which bring no news then.
    met: HashSet<Id>,
    /// Number of the last held exit stop.
    sequence: u64,
    detaching: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    /// Still our fork.
    Pending,
    /// The target's program runs, or has run.
    Executed,
    /// It could not be executed.
    Failed,
}

impl Events {
    /// A loop with one tracee.
    pub(crate) fn new(notes: Notes, injection: Injection, follow: bool, root: Launched) -> Self {
        let mut tracees = Tracees::new();
        tracees.add(root.pid.as_raw(), root.pid.as_raw());
        Self {
            notes,
            injection,
            follow,
            root,
            start: Start::Pending,
            tracees,
            met: HashSet::new(),
            sequence: 0,
            detaching: false,
        }
    }

    /// Runs until nothing is left to trace.
    ///
    /// # Errors
    /// The kernel's, of requests that cannot fail for a living tracee.
    pub(crate) fn run(mut self) -> nix::Result<()> {
        loop {
            match ptrace::wait()? {
                Change::Stopped(stopped, stop) => self.stopped(stopped, stop)?,
                Change::Ended(tid, status) => self.ended(tid.as_raw(), status),
                Change::Interrupted => {}
                Change::NothingLeft => break,
            }
            if signals::detach_requested() && !self.detaching {
                self.detaching = true;
                self.tracees.ids().for_each(|tid| ptrace::interrupt(Pid::from_raw(tid)));
            }
            // The target itself stays our child, so `NothingLeft` may be far away.
            if self.detaching && self.tracees.is_empty() {
                break;
            }
        }
        self.notes.write(Note::TracerDone, &[]);
        self.notes.ring_bell();
        Ok(())
    }

    /// A stop: of someone we know, or the first one of a child whose maker's stop is yet to come.
    fn stopped(&mut self, stopped: Stopped, stop: Stop) -> nix::Result<()> {
        let tid = stopped.tid().as_raw();
        if let Some(group) = self.tracees.group_of(tid) {
            return self.handle(stopped, stop, group);
        }
        self.met.insert(tid);
        match Family::of(tid) {
            Some(family) if family.group != tid || self.follow => {
                self.add(family.maker, tid, family.kind, family.group);
                self.handle(stopped, stop, family.group)
            }
            Some(_) => stopped.detach(0),
            // Killed meanwhile: its wait status will come, and nobody asks for it.
            None => stopped.resume(0),
        }
    }

    fn handle(&mut self, stopped: Stopped, stop: Stop, group: Id) -> nix::Result<()> {
        match stop {
            Stop::Signal(signal) => {
                self.note_signal(&stopped, group, signal);
                self.go_on(stopped, signal)
            }
            Stop::Group if !self.detaching => stopped.listen(),
            Stop::Group | Stop::Trap => self.go_on(stopped, 0),
            Stop::Created(event) => {
                // If the maker was killed meanwhile, its child will introduce itself.
                if let Ok(child) = stopped.message() {
                    self.created(group, child as Id, kind_of(event));
                }
                self.go_on(stopped, 0)
            }
            Stop::Exec => {
                self.executed(&stopped, group);
                self.go_on(stopped, 0)
            }
            Stop::Exit => {
                self.exiting(&stopped, group);
                self.go_on(stopped, 0)
            }
        }
    }

    fn go_on(&mut self, stopped: Stopped, signal: i32) -> nix::Result<()> {
        if self.detaching {
            self.tracees.remove(stopped.tid().as_raw());
            stopped.detach(signal)
        } else {
            stopped.resume(signal)
        }
    }

    fn note_signal(&self, stopped: &Stopped, group: Id, signal: i32) {
        if FREQUENT.contains(&signal) {
            return;
        }
        let Ok(details) = stopped.signal_details() else {
            return;
        };
        let sender = match details.si_code {
            // SAFETY: these codes mean that a process sent it, and then si_pid is set.
            libc::SI_USER | libc::SI_QUEUE | libc::SI_TKILL => unsafe { details.si_pid() },
            _ => 0,
        };
        let tid = stopped.tid().as_raw();
        let numbers = [group, tid, signal, sender, details.si_code];
        self.notes.write(Note::Signalled, &numbers.map(|number| i64::from(number) as u64));
    }

    /// A task of `maker` made `child`, which may have been met, or even be dead, already.
    ///
    /// Nothing depends on this: a maker can be killed before it tells of its child, and the number
    /// of such a child stays in `met`. Who is not known yet introduces itself by its first stop.
    fn created(&mut self, maker: Id, child: Id, kind: u64) {
        if self.met.remove(&child) || self.tracees.group_of(child).is_some() {
            return;
        }
        if is_thread_of(maker, child) {
            self.add(maker, child, CLONED, maker);
        } else if self.follow {
            self.add(maker, child, kind, child);
        }
    }

    fn add(&mut self, maker: Id, child: Id, kind: u64, group: Id) {
        let arguments = [maker as u64, child as u64, kind, group as u64];
        self.notes.write(Note::Created, &arguments);
        self.tracees.add(child, group);
    }

    /// `group` has begun a new program. The thread that did so is now called like the group, all
    /// others are gone.
    fn executed(&mut self, stopped: &Stopped, group: Id) {
        let notes = &self.notes;
        self.tracees.executed(group, |tid| {
            notes.write(Note::ThreadEnded, &[group as u64, tid as u64]);
        });
        let first = self.start == Start::Pending && group == self.root.pid.as_raw();
        if first {
            self.start = Start::Executed;
        }
        // Without a reader there is no segment for the new program to find.
        let reason = if self.notes.reader_gone() || (!self.follow && !first) {
            Untapped::NotFollowed
        } else {
            self.injection.inject(stopped)
        };
        let arguments = [group as u64, reason as u64];
        self.notes.write_with_text(Note::Executed, &arguments, &program_of(group));
    }

    /// A thread is in its exit stop. If it is its group's last one it is held there until the
    /// reader has looked at the process.
    ///
    /// A thread that was about to end by itself when another one ended the whole group has no exit
    /// stop any more, and then no stop is the last one. So the first stop of a group that is being
    /// killed is looked at too; a later look replaces it.
    fn exiting(&mut self, stopped: &Stopped, group: Id) {
        let tid = stopped.tid().as_raw();
        let last = self.tracees.exiting(tid);
        if self.start == Start::Pending {
            if let Some(errno) = self.root.exec_error() {
                self.start = Start::Failed;
                self.notes.write(Note::ExecFailed, &[errno as u64]);
                self.notes.ring_bell();
            }
            return;
        }
        let look = last || (self.is_being_killed(tid, group) && self.tracees.first_early_look(group));
        if let (true, false, Ok(status)) = (look, self.detaching, stopped.message()) {
            self.sequence += 1;
            let arguments = [group as u64, self.sequence, status, tid as u64];
            self.notes.write(Note::ExitStop, &arguments);
            self.notes.ring_bell();
            self.notes.await_release(self.sequence);
        }
    }

    /// Whether the other threads of `tid`'s group have been sent the SIGKILL of `exit_group`.
    fn is_being_killed(&self, tid: Id, group: Id) -> bool {
        let Some(sibling) = self.tracees.running_sibling(tid) else { return false };
        is_killed(group, sibling)
    }

    /// A wait status: of a thread, of a group (its leader's, the last one of it), or of something
    /// that was never ours to follow.
    fn ended(&mut self, tid: Id, status: i32) {
        let Some(group) = self.tracees.group_of(tid) else {
            self.met.insert(tid);
            return;
        };
        let notes = &self.notes;
        if tid == group {
            self.tracees.remove_others(group, |other| {
                notes.write(Note::ThreadEnded, &[group as u64, other as u64]);
            });
        }
        self.tracees.remove(tid);
        if self.start == Start::Failed {
            return;
        }
        notes.write(Note::ThreadEnded, &[group as u64, tid as u64]);
        if tid == group {
            notes.write(Note::Ended, &[group as u64, status as u64]);
            notes.ring_bell();
        }
    }
}
