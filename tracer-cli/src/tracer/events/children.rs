//! New tasks: told of by their makers' stops, or met before them.

use std::collections::HashMap;

use calltap_channel::Note;
use calltap_channel::note::{CLONED, VFORKED};

use super::Events;
use crate::tracer::family::{Family, is_thread_of};
use crate::tracer::ptrace::{Stop, Stopped};
use crate::tracer::tracees::Id;

/// First stops of `vfork` children that came before their makers', by the child.
///
/// Only the maker's stop tells which of its threads waits for the child, and whose memory the child's
/// calls are made in must be known before it makes one.
pub(super) type Unannounced = HashMap<Id, FirstStop>;

/// A child that is held in its first stop.
#[derive(Debug)]
pub(super) struct FirstStop {
    stopped: Stopped,
    stop: Stop,
    family: Family,
}

impl Events {
    /// A stop: of someone we know, or the first one of a child whose maker's stop is yet to come.
    pub(super) fn stopped(&mut self, stopped: Stopped, stop: Stop) -> nix::Result<()> {
        let tid = stopped.tid().as_raw();
        if let Some(group) = self.tracees.group_of(tid) {
            return self.handle(stopped, stop, group);
        }
        match Family::of(tid) {
            Some(family) if family.group != tid || self.follow => {
                let first = FirstStop { stopped, stop, family };
                if family.kind == VFORKED && !self.detaching && self.tracees.has_group(family.maker) {
                    self.unannounced.insert(tid, first);
                    return Ok(());
                }
                self.meet(first)
            }
            Some(_) => {
                self.met.insert(tid);
                stopped.detach(0)
            }
            // Killed meanwhile: its wait status will come, and nobody asks for it.
            None => {
                self.met.insert(tid);
                stopped.resume(0)
            }
        }
    }

    /// A child introduces itself.
    fn meet(&mut self, first: FirstStop) -> nix::Result<()> {
        let FirstStop { stopped, stop, family } = first;
        let tid = stopped.tid().as_raw();
        self.met.insert(tid);
        self.add(family.maker, 0, tid, family.kind, family.group);
        self.handle(stopped, stop, family.group)
    }

    /// Children of certain makers wait no longer: nobody will tell of them.
    pub(super) fn let_in(&mut self, of: impl Fn(Id) -> bool) -> nix::Result<()> {
        let waiting: Vec<_> = self.unannounced.extract_if(|_, first| of(first.family.maker)).collect();
        waiting.into_iter().try_for_each(|(_, first)| self.meet(first))
    }

    /// A task of `maker` made `child`, which may have been met, or even be dead, already.
    ///
    /// Nothing depends on this: a maker can be killed before it tells of its child, and the number
    /// of such a child stays in `met`. Who is not known yet introduces itself by its first stop.
    pub(super) fn created(&mut self, maker: Id, thread: Id, child: Id, kind: u64) -> nix::Result<()> {
        if let Some(FirstStop { stopped, stop, .. }) = self.unannounced.remove(&child) {
            self.add(maker, thread, child, kind, child);
            return self.handle(stopped, stop, child);
        }
        if self.met.remove(&child) || self.tracees.group_of(child).is_some() {
            return Ok(());
        }
        if is_thread_of(maker, child) {
            self.add(maker, thread, child, CLONED, maker);
        } else if self.follow {
            self.add(maker, thread, child, kind, child);
        }
        Ok(())
    }

    fn add(&mut self, maker: Id, thread: Id, child: Id, kind: u64, group: Id) {
        let arguments = [maker as u64, child as u64, kind, group as u64, thread as u64];
        self.notes.write(Note::Created, &arguments);
        self.tracees.add(child, group);
        if group == child {
            self.fresh.insert(child);
            // A `vfork` child is in its parent's memory, which is looked at as the parent's.
            if kind != VFORKED && self.tapped.contains(&maker) {
                self.tapped.insert(child);
            }
            if let Some(calls) = &mut self.calls {
                calls.unwinder().forked(maker, child);
            }
        } else {
            self.joins(child, group);
        }
        if let Some(placement) = self.placement() {
            placement.created(thread, child);
        }
    }
}
