//! Processes, as far as a stream must know them: which program each runs, and whose calls a `vfork` child's are.

use std::collections::HashMap;
use std::rc::Rc;

use super::decode::EnteredWords;
use super::ring::Owner;
use crate::trace::event::Function;

/// The processes of a session.
#[derive(Debug, Default)]
pub struct Processes {
    programs: HashMap<u32, String>,
    /// The image that each process is.
    images: HashMap<u32, u32>,
    /// The `vfork` child whose calls a thread's ring has, by the thread that made it.
    borrowers: HashMap<u32, u32>,
    /// Open calls of `vfork` children: ring and stack address; None if they are not shown.
    borrowed: HashMap<(u32, u64), Option<u32>>,
    /// Threads' last calls of `vfork`.
    vforks: HashMap<u32, Vfork>,
}

/// A call of `vfork`.
#[derive(Clone, Debug)]
pub struct Vfork {
    /// The process that called.
    pub pid: u32,
    /// The function.
    pub function: Rc<Function>,
    /// Names the call.
    pub sp: u64,
}

impl Processes {
    /// Process and thread that enter a call; None if that is not to be shown.
    pub(super) fn enters(&mut self, owner: &Owner, call: &EnteredWords, follow: bool) -> Option<(u32, u32)> {
        if !call.in_vfork_child {
            return Some((owner.pid, owner.tid));
        }
        let child = self.borrowers.get(&owner.tid).copied().filter(|_| follow);
        if !call.entry_only {
            self.borrowed.insert((owner.ring, call.sp), child);
        }
        child.map(|child| (child, child))
    }

    /// The same of a return.
    pub(super) fn returns(&mut self, owner: &Owner, sp: u64, follow: bool) -> Option<(u32, u32)> {
        if self.borrowed.is_empty() {
            return Some((owner.pid, owner.tid));
        }
        match self.borrowed.remove(&(owner.ring, sp)) {
            Some(child) => child.filter(|_| follow).map(|child| (child, child)),
            None => Some((owner.pid, owner.tid)),
        }
    }

    /// A thread calls `vfork`.
    pub(super) fn vforks(&mut self, owner: &Owner, function: &Rc<Function>, sp: u64) {
        let vfork = Vfork { pid: owner.pid, function: Rc::clone(function), sp };
        self.vforks.insert(owner.tid, vfork);
    }

    /// A thread has made a `vfork` child. Gives the call that did so, if it was seen.
    pub(super) fn vforked(&mut self, maker: u32, child: u32) -> Option<Vfork> {
        self.borrowers.insert(maker, child);
        self.vforks.get(&maker).cloned()
    }

    /// The `vfork` child that has a thread's memory.
    #[inline]
    pub(super) fn child_of(&self, maker: u32) -> Option<u32> {
        if self.borrowers.is_empty() { None } else { self.borrowers.get(&maker).copied() }
    }

    /// A process has memory of its own, or is gone: its maker goes on. Gives the maker and its call.
    pub(super) fn lets_go(&mut self, child: u32) -> Option<(u32, Vfork)> {
        let maker = self.borrowers.iter().find(|(_, other)| **other == child).map(|(maker, _)| *maker)?;
        self.borrowers.remove(&maker);
        Some((maker, self.vforks.remove(&maker)?))
    }

    /// A process was forked.
    pub(super) fn forked(&mut self, maker: u32, child: u32) {
        let program = self.program(maker).to_owned();
        self.programs.insert(child, program);
    }

    /// A process runs a program. Gives whether it is its first that is known.
    pub(super) fn executed(&mut self, pid: u32, program: String) -> bool {
        self.programs.insert(pid, program).is_none()
    }

    /// The path of a process's program; empty if it is not known.
    #[must_use]
    pub fn program(&self, pid: u32) -> &str {
        self.programs.get(&pid).map_or("", String::as_str)
    }

    /// A process is this image from now on. Gives the one that it was.
    pub(super) fn began(&mut self, pid: u32, image: u32) -> Option<u32> {
        self.images.insert(pid, image)
    }

    /// A process is gone. Gives the image that it was.
    pub(super) fn ended(&mut self, pid: u32) -> Option<u32> {
        self.programs.remove(&pid);
        self.images.remove(&pid)
    }

    /// A ring belongs to nobody any more.
    pub(super) fn forget(&mut self, ring: u32) {
        self.borrowed.retain(|(other, _), _| *other != ring);
    }
}
