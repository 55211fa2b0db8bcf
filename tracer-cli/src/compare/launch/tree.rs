//! The processes of a run, found below the process of ours that started them, and killed if need be.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::compare::descendants;

/// Whose child the program is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Below {
    /// A shell's, or the measuring process's: its child.
    Child(u32),
    /// `calltap run`'s: its tracer's child.
    Tracer(u32),
}

impl Below {
    /// The process that was started.
    pub(super) fn ours(self) -> u32 {
        match self {
            Self::Child(pid) | Self::Tracer(pid) => pid,
        }
    }

    /// The program's first process; None if there is none yet, or any more.
    pub(super) fn root(self) -> Option<u32> {
        let first = |pid| descendants::children(pid).first().copied();
        match self {
            Self::Child(pid) => first(pid),
            Self::Tracer(pid) => first(pid).and_then(first),
        }
    }

    /// Whether the program's first process has ended before anybody saw it: its tracer has no child, but traces others.
    pub(super) fn root_is_gone(self) -> bool {
        let Self::Tracer(pid) = self else { return false };
        descendants::children(pid).first().is_some_and(|&tracer| {
            descendants::children(tracer).is_empty() && !descendants::traced_by(tracer).is_empty()
        })
    }

    /// All of the program's processes that have not ended.
    fn alive(self) -> Vec<u32> {
        let below = |pid| descendants::of(pid).into_iter().map(|process| process.pid);
        let mut all: Vec<u32> = match self {
            Self::Child(pid) => below(pid).collect(),
            // Orphans lie elsewhere, but are traced all the same.
            Self::Tracer(pid) => {
                let tracers = descendants::children(pid);
                tracers
                    .into_iter()
                    .flat_map(|tracer| below(tracer).chain(descendants::traced_by(tracer)))
                    .collect()
            }
        };
        all.retain(|pid| descendants::is_alive(*pid));
        all
    }

    /// Kills all of the program's processes, and leaves ours to tell of it.
    ///
    /// First all are stopped, until no new ones are found: what makes processes as fast as they are killed does not
    /// get away.
    pub(super) fn kill_program(self) {
        let mut stopped: Vec<u32> = Vec::new();
        loop {
            let alive = self.alive();
            let before = stopped.len();
            for pid in alive {
                if !stopped.contains(&pid) {
                    signal(pid, Signal::SIGSTOP);
                    stopped.push(pid);
                }
            }
            if stopped.len() == before {
                break;
            }
        }
        for pid in stopped {
            signal(pid, Signal::SIGKILL);
        }
    }

    /// Kills all of it, ours too.
    pub(super) fn kill_all(self) {
        self.kill_program();
        if let Self::Tracer(pid) = self {
            // What a tracer traces is killed by the kernel with it.
            for tracer in descendants::children(pid) {
                signal(tracer, Signal::SIGKILL);
            }
        }
        signal(self.ours(), Signal::SIGKILL);
    }
}

/// Sends a signal to a process, which may have ended meanwhile.
pub(super) fn signal(pid: u32, signal: Signal) {
    let _ = kill(Pid::from_raw(pid as i32), signal);
}
