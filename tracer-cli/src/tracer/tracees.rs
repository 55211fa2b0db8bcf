//! Who is traced: threads and the thread groups (processes) they belong to.

use std::collections::HashMap;

/// A thread id or, for a group, a process id, as the kernel numbers them.
pub(crate) type Id = i32;

/// Room for this many threads is made at the start, so that stops do not allocate.
const EXPECTED: usize = 4096;

#[derive(Debug)]
struct Thread {
    group: Id,
    /// Has been in its exit stop.
    exiting: bool,
}

#[derive(Debug, Default)]
struct Group {
    /// Threads in the table.
    threads: usize,
    /// Those of them that have not been in their exit stop.
    running: usize,
    /// The reader has looked at it in an exit stop.
    looked_at: bool,
}

/// The table of tracees.
#[derive(Debug)]
pub(crate) struct Tracees {
    threads: HashMap<Id, Thread>,
    groups: HashMap<Id, Group>,
}

impl Tracees {
    /// An empty table.
    pub(crate) fn new() -> Self {
        Self { threads: HashMap::with_capacity(EXPECTED), groups: HashMap::with_capacity(EXPECTED) }
    }

    /// Adds a thread.
    pub(crate) fn add(&mut self, tid: Id, group: Id) {
        if self.threads.insert(tid, Thread { group, exiting: false }).is_none() {
            let group = self.groups.entry(group).or_default();
            group.threads += 1;
            group.running += 1;
        }
    }

    /// The thread's group, if the thread is known.
    pub(crate) fn group_of(&self, tid: Id) -> Option<Id> {
        self.threads.get(&tid).map(|thread| thread.group)
    }

    /// Takes note of a thread's exit stop. True if all others of its group had theirs before.
    pub(crate) fn exiting(&mut self, tid: Id) -> bool {
        let Some(thread) = self.threads.get_mut(&tid) else {
            return false;
        };
        let Some(group) = self.groups.get_mut(&thread.group) else {
            return false;
        };
        if !std::mem::replace(&mut thread.exiting, true) {
            group.running -= 1;
        }
        group.running == 0
    }

    /// Whether the reader has looked at a group.
    pub(crate) fn is_looked_at(&self, group: Id) -> bool {
        self.groups.get(&group).is_some_and(|group| group.looked_at)
    }

    /// Takes note that the reader has looked at a group.
    pub(crate) fn looked_at(&mut self, group: Id) {
        if let Some(group) = self.groups.get_mut(&group) {
            group.looked_at = true;
        }
    }

    /// The threads of a group that have not been in their exit stop.
    pub(crate) fn running(&self, group: Id) -> Vec<Id> {
        let threads = self.threads.iter().filter(|(_, thread)| thread.group == group && !thread.exiting);
        threads.map(|(tid, _)| *tid).collect()
    }

    /// Whether a thread of this group is known.
    pub(crate) fn has_group(&self, group: Id) -> bool {
        self.groups.contains_key(&group)
    }

    /// Forgets a thread. Returns its group, if it was known.
    pub(crate) fn remove(&mut self, tid: Id) -> Option<Id> {
        let thread = self.threads.remove(&tid)?;
        if let Some(group) = self.groups.get_mut(&thread.group) {
            group.threads -= 1;
            group.running -= usize::from(!thread.exiting);
            if group.threads == 0 {
                self.groups.remove(&thread.group);
            }
        }
        Some(thread.group)
    }

    /// Forgets all threads of `group` except the one that is called like it, and names them to
    /// `each`. So after an exec, by which thread ever, and when the group has ended.
    pub(crate) fn remove_others(&mut self, group: Id, mut each: impl FnMut(Id)) {
        let Some(counts) = self.groups.get_mut(&group) else {
            return;
        };
        let leader = usize::from(self.threads.contains_key(&group));
        if counts.threads == leader {
            return;
        }
        counts.threads = leader;
        counts.running = self.threads.get(&group).map_or(0, |leader| usize::from(!leader.exiting));
        if leader == 0 {
            self.groups.remove(&group);
        }
        self.threads.retain(|&tid, thread| {
            let stays = thread.group != group || tid == group;
            if !stays {
                each(tid);
            }
            stays
        });
    }

    /// Takes note of an exec in `group`: one thread is left, which runs and is called like the
    /// group. The others are named to `each`.
    pub(crate) fn executed(&mut self, group: Id, each: impl FnMut(Id)) {
        self.remove_others(group, each);
        self.remove(group);
        self.add(group, group);
    }

    /// All thread ids.
    pub(crate) fn ids(&self) -> impl Iterator<Item = Id> {
        self.threads.keys().copied()
    }

    /// Whether nobody is traced.
    pub(crate) fn is_empty(&self) -> bool {
        self.threads.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group_of_three() -> Tracees {
        let mut tracees = Tracees::new();
        for tid in [10, 11, 12] {
            tracees.add(tid, 10);
        }
        tracees.add(20, 20);
        tracees
    }

    #[test]
    fn the_last_thread_is_last_also_if_the_leader_went_first() {
        let mut tracees = group_of_three();
        assert!(!tracees.exiting(10));
        assert!(!tracees.exiting(12));
        assert_eq!(tracees.running(10), [11]);
        assert_eq!(tracees.remove(12), Some(10));
        assert!(tracees.exiting(11));
    }

    #[test]
    fn a_thread_that_died_without_an_exit_stop_is_not_waited_for() {
        let mut tracees = group_of_three();
        tracees.remove(11);
        assert!(!tracees.exiting(12));
        assert!(tracees.exiting(10));
    }

    #[test]
    fn exec_leaves_one_running_thread_called_like_the_group() {
        let mut tracees = group_of_three();
        // The leader exits, thread 12 executes and gets the leader's number.
        assert!(!tracees.exiting(10));
        let mut gone = Vec::new();
        tracees.executed(10, |tid| gone.push(tid));
        gone.sort_unstable();
        assert_eq!(gone, [11, 12]);
        assert_eq!(tracees.group_of(10), Some(10));
        assert_eq!(tracees.group_of(20), Some(20));
        assert!(tracees.exiting(10));
    }

    #[test]
    fn nothing_is_left_of_what_ended() {
        let mut tracees = group_of_three();
        for tid in [11, 12, 10, 20] {
            assert!(tracees.remove(tid).is_some());
        }
        assert!(tracees.is_empty());
        assert!(tracees.groups.is_empty());
        assert_eq!(tracees.remove(10), None);
    }
}
