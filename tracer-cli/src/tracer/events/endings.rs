//! How threads and processes end: the last look at a process, and its wait status.

use calltap_channel::Note;

use super::{Events, Start};
use crate::tracer::ptrace::Stopped;
use crate::tracer::tracees::Id;

impl Events {
    /// A thread is in its exit stop. If it is its group's last one it is held there until the
    /// reader has looked at the process.
    ///
    /// Which one is the last is not sure once the group is being killed, by `exit_group` or a signal:
    /// a thread that was about to end by itself has no exit stop then, and one that was killed in
    /// another stop may pass through its own before that one is answered. So the first stop of such a
    /// group is looked at too; a later look replaces it.
    pub(super) fn exiting(&mut self, stopped: &Stopped, group: Id) -> nix::Result<()> {
        let tid = stopped.tid().as_raw();
        let last = self.tracees.exiting(tid);
        if self.start == Start::Pending {
            if let Some(failure) = self.root.failure() {
                self.start = Start::Failed;
                self.notes.write(Note::ExecFailed, &[failure.errno as u64, u64::from(failure.of_filter)]);
                self.notes.ring_bell();
            }
            return Ok(());
        }
        let early = !last && !self.tracees.is_looked_at(group) && !ends_alone(stopped);
        if let (true, false, Ok(status)) = (last || early, self.detaching, stopped.message()) {
            self.let_end(group)?;
            self.tracees.looked_at(group);
            self.sequence += 1;
            let arguments = [group as u64, self.sequence, status, tid as u64];
            self.notes.write(Note::ExitStop, &arguments);
            self.notes.ring_bell();
            self.notes.await_release(self.sequence);
        }
        self.let_in(|maker| maker == group)
    }

    /// A wait status: of a thread, of a group (its leader's, the last one of it), or of something
    /// that was never ours to follow.
    pub(super) fn ended(&mut self, tid: Id, status: i32) -> nix::Result<()> {
        self.unannounced.remove(&tid);
        let Some(group) = self.tracees.group_of(tid) else {
            self.met.insert(tid);
            return Ok(());
        };
        self.fresh.remove(&tid);
        self.paused.remove(&tid);
        self.leaves(tid, group);
        if tid == group {
            self.tapped.remove(&group);
            self.forget(group);
        }
        if let Some(calls) = &mut self.calls {
            calls.thread_ended(group, tid, &self.notes);
            if tid == group {
                calls.unwinder().ended(group);
            }
        }
        let notes = &self.notes;
        if tid == group {
            self.tracees.remove_others(group, |other| {
                notes.write(Note::ThreadEnded, &[group as u64, other as u64]);
            });
        }
        self.tracees.remove(tid);
        if self.start == Start::Failed {
            return Ok(());
        }
        notes.write(Note::ThreadEnded, &[group as u64, tid as u64]);
        if tid == group {
            notes.write(Note::Ended, &[group as u64, status as u64]);
            notes.ring_bell();
        }
        self.let_in(|maker| maker == group)
    }
}

/// Whether a thread in its exit stop got there by a call of `exit`. If not, its whole group ends: by
/// `exit_group`, by a signal, or by another thread's exec.
fn ends_alone(stopped: &Stopped) -> bool {
    // In doubt the group is looked at, which does no harm.
    stopped.registers().is_ok_and(|registers| registers.orig_rax == libc::SYS_exit as u64)
}
