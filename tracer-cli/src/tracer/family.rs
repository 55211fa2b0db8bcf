//! Where a new task belongs, as `/proc` tells it: for children that we meet before their makers have
//! told of them.

use calltap_channel::note::{CLONED, FORKED, VFORKED};

use super::tracees::Id;

/// What is known of a task without its maker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Family {
    /// The process that made it, or the one that has taken it over since.
    pub(crate) maker: Id,
    /// Its thread group.
    pub(crate) group: Id,
    /// `kind` of [`calltap_channel::Note::Created`].
    pub(crate) kind: u64,
}

impl Family {
    /// Of a stopped task. `None` if it is gone.
    pub(crate) fn of(task: Id) -> Option<Self> {
        let status = std::fs::read_to_string(format!("/proc/{task}/status")).ok()?;
        let number = |name| {
            let mut lines = status.lines();
            lines.find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
        };
        let group = number("Tgid:")?;
        if group != task {
            return Some(Self { maker: group, group, kind: CLONED });
        }
        let maker = number("PPid:")?;
        let kind = if shares_memory(task, maker) { VFORKED } else { FORKED };
        Some(Self { maker, group, kind })
    }
}

/// Whether `task` is a thread of the process `group`, dead but not reaped ones included.
pub(crate) fn is_thread_of(group: Id, task: Id) -> bool {
    std::fs::exists(format!("/proc/{group}/task/{task}")).unwrap_or(false)
}

/// Whether two processes have one memory, as a `vfork` child and its parent; false where the kernel
/// does not say.
fn shares_memory(one: Id, other: Id) -> bool {
    const KCMP_VM: libc::c_int = 1;
    // SAFETY: compares two kernel objects by process id and touches no memory of ours.
    unsafe { libc::syscall(libc::SYS_kcmp, one, other, KCMP_VM, 0, 0) == 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_belongs_to_its_process_and_a_process_to_its_parent() {
        let process = nix::unistd::getpid().as_raw();
        let parent = nix::unistd::getppid().as_raw();
        let thread = std::thread::spawn(|| {
            let own = nix::unistd::gettid().as_raw();
            (Family::of(own), is_thread_of(nix::unistd::getpid().as_raw(), own))
        });
        let expected = Family { maker: process, group: process, kind: CLONED };
        assert_eq!(thread.join().unwrap(), (Some(expected), true));
        let expected = Family { maker: parent, group: process, kind: FORKED };
        assert_eq!(Family::of(process), Some(expected));
        assert!(!is_thread_of(process, parent));
    }
}
