//! The tracer's loop: one change of one tracee after the other, each noted and passed on untouched.

mod children;
mod endings;
mod snapshot;

use std::collections::HashSet;
use std::sync::atomic::Ordering;

use calltap_channel::Note;
use calltap_channel::note::Untapped;
use nix::errno::Errno;
use nix::unistd::Pid;

use super::calls::{Calls, Next};
use super::injection::Injection;
use super::launch::Launched;
use super::notes::{Notes, kind_of};
use super::placement::Placement;
use super::ptrace::{self, Change, Stop, Stopped};
use super::tracees::{Id, Tracees};
use super::{denied_clock, guarded, held, program, signals, sleep};
use children::Unannounced;
use snapshot::Snapshots;

/// Signals that programs send themselves all the time; they are delivered, but noted only if asked for.
const FREQUENT: [i32; 4] = [libc::SIGCHLD, libc::SIGALRM, libc::SIGVTALRM, libc::SIGPROF];

/// Signals that stop a process, which ends waits also where nobody traces.
const STOPPING: [i32; 4] = [libc::SIGSTOP, libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU];

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
    /// System calls, if any are asked for.
    calls: Option<Calls>,
    /// Whether processes' descriptors are listed where they begin.
    lists_descriptors: bool,
    /// Whether frequent signals are noted, too.
    all_signals: bool,
    /// Processes that are stopped by a signal.
    paused: HashSet<Id>,
    /// Processes that have not had their first stop.
    fresh: HashSet<Id>,
    /// Met before their makers' stops, which bring no news then.
    met: HashSet<Id>,
    /// `vfork` children that wait for their makers' stops.
    unannounced: Unannounced,
    /// Processes whose program is tapped, and those that it has forked.
    tapped: HashSet<Id>,
    /// Processes that are stopped to be looked at.
    snapshots: Snapshots,
    /// Number of the last stop that was held for the reader.
    sequence: u64,
    detaching: bool,
    /// Asked to let go, but the filter needs us: goes on without a reader.
    staying: bool,
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
    pub(crate) fn new(
        notes: Notes,
        injection: Injection,
        follow: bool,
        calls: Option<Calls>,
        lists_descriptors: bool,
        root: Launched,
    ) -> Self {
        let mut tracees = Tracees::new();
        tracees.add(root.pid.as_raw(), root.pid.as_raw());
        let all_signals = notes.all_signals();
        Self {
            notes,
            injection,
            follow,
            root,
            start: Start::Pending,
            tracees,
            calls,
            lists_descriptors,
            all_signals,
            paused: HashSet::new(),
            fresh: HashSet::new(),
            met: HashSet::new(),
            unannounced: Unannounced::default(),
            tapped: HashSet::new(),
            snapshots: Snapshots::default(),
            sequence: 0,
            detaching: false,
            staying: false,
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
                Change::Ended(tid, status) => self.ended(tid.as_raw(), status)?,
                Change::Interrupted => {
                    if let Some(placement) = self.placement() {
                        placement.interrupted();
                    }
                }
                Change::NothingLeft => break,
            }
            if signals::detach_requested() && !self.detaching && !self.staying {
                self.let_go()?;
            }
            self.take_snapshots()?;
            // The target itself stays our child, so `NothingLeft` may be far away.
            if self.detaching && self.tracees.is_empty() {
                break;
            }
        }
        if !self.staying {
            self.done();
        }
        Ok(())
    }

    fn placement(&mut self) -> Option<&mut Placement> {
        self.calls.as_mut().and_then(Calls::placement)
    }

    fn done(&self) {
        self.notes.write(Note::TracerDone, &[]);
        self.notes.ring_bell();
        // Who waits for it may have been woken behind us: our end takes longer than all that it has to do.
        let _ = nix::sched::sched_yield();
    }

    /// Lets the tracees go; if a filter is in place, only the reader: without a tracer the kernel would
    /// have their filtered calls fail.
    fn let_go(&mut self) -> nix::Result<()> {
        self.abandon_snapshots()?;
        if self.calls.as_ref().is_some_and(|calls| !calls.all_stops()) {
            self.staying = true;
            self.done();
            return Ok(());
        }
        self.detaching = true;
        if let Some(placement) = self.placement() {
            placement.release_all();
        }
        self.tracees.ids().for_each(|tid| ptrace::interrupt(Pid::from_raw(tid)));
        self.let_in(|_| true)
    }

    fn handle(&mut self, stopped: Stopped, stop: Stop, group: Id) -> nix::Result<()> {
        let tid = stopped.tid().as_raw();
        if !self.fresh.is_empty() && self.fresh.remove(&stopped.tid().as_raw()) && self.lists_descriptors {
            held::note_numbers(&self.notes, group, stopped.tid().as_raw());
        }
        match stop {
            Stop::Filtered | Stop::Call => self.call(stopped, group)?,
            // Not the target's, and nothing that it may see.
            Stop::Signal(signal)
                if guarded::goes_on(&stopped, signal)
                    || denied_clock::goes_on(&stopped, signal, |at| self.injection.is_library(tid, at)) =>
            {
                self.stop_again(tid, group);
                self.go_on(stopped, 0)?;
            }
            Stop::Signal(signal) => {
                self.note_signal(&stopped, group, signal);
                // Untraced, nobody is woken by a signal that is ignored.
                if !STOPPING.contains(&signal) {
                    sleep::make_again(&stopped)?;
                }
                self.stop_again(tid, group);
                self.go_on(stopped, signal)?;
            }
            Stop::Group(signal) if !self.detaching => {
                if stopped.tid().as_raw() == group && self.paused.insert(group) {
                    self.notes.write(Note::Paused, &[group as u64, signal as u64]);
                }
                if let Some(stopped) = self.hold(stopped, stop, group) {
                    stopped.listen()?;
                }
            }
            Stop::Trap => {
                if self.paused.remove(&group) {
                    self.notes.write(Note::Continued, &[group as u64]);
                }
                // Perhaps by an interruption that came while it was in another stop.
                sleep::make_again(&stopped)?;
                if let Some(stopped) = self.hold(stopped, stop, group) {
                    self.go_on(stopped, 0)?;
                }
            }
            Stop::Group(_) => self.go_on(stopped, 0)?,
            Stop::Created(event) => {
                // If the maker was killed meanwhile, its child will introduce itself.
                if let Ok(child) = stopped.message() {
                    self.created(group, stopped.tid().as_raw(), child as Id, kind_of(event))?;
                }
                self.stop_again(tid, group);
                self.go_on(stopped, 0)?;
            }
            Stop::Exec => {
                self.forget(group);
                self.executed(&stopped, group);
                self.go_on(stopped, 0)?;
            }
            Stop::Exit => {
                self.leaves(tid, group);
                self.exiting(&stopped, group)?;
                self.go_on(stopped, 0)?;
            }
        }
        Ok(())
    }

    fn go_on(&mut self, stopped: Stopped, signal: i32) -> nix::Result<()> {
        let tid = stopped.tid().as_raw();
        if self.detaching {
            self.tracees.remove(tid);
            return stopped.detach(signal);
        }
        match &self.calls {
            // A signal, or the child of a `fork`, comes in the middle of a call.
            Some(calls) if calls.all_stops() || calls.is_open(tid) => stopped.resume_to_call(signal),
            _ => stopped.resume(signal),
        }
    }

    /// A thread has stopped at a system call.
    fn call(&mut self, stopped: Stopped, group: Id) -> nix::Result<()> {
        let Some(calls) = &mut self.calls else { return self.go_on(stopped, 0) };
        let next = match calls.stopped(&stopped, group, &self.notes) {
            Ok(next) => next,
            // Killed meanwhile; its end will be told.
            Err(Errno::ESRCH) => Next::Run,
            Err(errno) => return Err(errno),
        };
        match next {
            Next::ToEnd if !self.detaching => {
                let tid = stopped.tid().as_raw();
                stopped.resume_to_call(0)?;
                self.stop_again(tid, group);
                Ok(())
            }
            _ => {
                // While it is stopped: it must not run, and see the result of an interrupted call.
                self.stop_again(stopped.tid().as_raw(), group);
                self.go_on(stopped, 0)
            }
        }
    }

    fn note_signal(&self, stopped: &Stopped, group: Id, signal: i32) {
        if FREQUENT.contains(&signal) && !self.all_signals {
            return;
        }
        let Ok(details) = stopped.signal_details() else {
            return;
        };
        let (sender, user) = match details.si_code {
            // SAFETY: these codes mean that a process sent it, and then both are set.
            libc::SI_USER | libc::SI_QUEUE | libc::SI_TKILL => unsafe {
                (details.si_pid(), details.si_uid())
            },
            _ => (0, 0),
        };
        let sender = u64::from(sender as u32) | u64::from(user) << 32;
        let [group, tid, signal, code] =
            [group, stopped.tid().as_raw(), signal, details.si_code].map(|number| i64::from(number) as u64);
        self.notes.write(Note::Signalled, &[group, tid, signal, sender, code]);
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
        // Traced, a process stays so through its execs, as with ltrace; it is its children that are not followed.
        let traces = self.notes.header().traces.load(Ordering::Relaxed) != 0;
        let reason = if self.notes.reader_gone() || (!self.follow && !first && !traces) {
            Untapped::NotFollowed
        } else {
            self.injection.inject(stopped)
        };
        if reason == Untapped::Tapped {
            self.tapped.insert(group);
        } else {
            self.tapped.remove(&group);
        }
        let arguments = [group as u64, reason as u64];
        if !traces {
            program::note_arguments(&self.notes, group);
        }
        self.notes.write_with_text(Note::Executed, &arguments, &program::path(group));
        if self.lists_descriptors {
            if first {
                held::note_given(&self.notes, group);
            } else {
                held::note_numbers(&self.notes, group, group);
            }
        }
        if let Some(calls) = &mut self.calls {
            calls.executed(group, stopped.message().map_or(group, |former| former as Id));
        }
    }
}
