//! The processes of a session: who made whom, what each one ran, how it ended.

use std::collections::HashMap;

use calltap_analyzers::arenas::ArenaReport;
use calltap_analyzers::event::{Image, Thread};
use calltap_channel::Function;
use calltap_channel::note::Untapped;

use crate::exit_snapshot::ExitSnapshot;
use crate::symbols::Loaded;

/// How a process image ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It has not been seen to end.
    Running,
    /// `exit` with this status.
    Exited(i32),
    /// Killed by this signal.
    Killed(i32),
    /// The process went on with another program.
    Replaced,
}

impl Ending {
    /// From a wait status (wait(2)).
    #[must_use]
    pub fn from_wait_status(status: i32) -> Self {
        if nix::libc::WIFSIGNALED(status) {
            Self::Killed(nix::libc::WTERMSIG(status))
        } else {
            Self::Exited(nix::libc::WEXITSTATUS(status))
        }
    }

    /// What a shell would make of it: the status, or 128 and the signal.
    #[must_use]
    pub fn shell_status(self) -> Option<u8> {
        match self {
            Self::Exited(status) => Some(status as u8),
            Self::Killed(signal) => Some((128 + signal) as u8),
            Self::Running | Self::Replaced => None,
        }
    }
}

/// One program in one process.
#[derive(Debug)]
pub struct Process {
    /// Its process id.
    pub pid: u32,
    /// The process that made it; 0 if unknown.
    pub parent: u32,
    /// Its image in the segment, once the interposer has told of itself.
    pub image: Option<Image>,
    /// The function that the hook of `malloc` calls; 0 if it has not told.
    pub real_malloc: u64,
    /// Functions that its program defines itself: its own calls of them are not seen.
    pub defined: Vec<Function>,
    /// For each `dlmopen` namespace that is not tapped the path of one of its objects.
    pub passed_over: Vec<String>,
    /// The image whose ledgers are this program's: `image` if it is tapped, else one of the reader's own.
    pub ledger: Option<Image>,
    /// The thread that is suspended while this `vfork` child uses its memory.
    pub vforked_by: Option<Thread>,
    /// Objects that stacks of system calls have led to.
    pub met: Vec<Loaded>,
    /// Path of the program file, empty if it was never seen to exec.
    pub program: String,
    /// Its arguments.
    pub command: Vec<String>,
    /// Whether it was seen to exec: a fork's copy of its parent's program was not.
    pub executed: bool,
    /// Why the interposer was not loaded, if it was not.
    pub untapped: Untapped,
    /// When it began, in nanoseconds since the session began.
    pub began_ns: u64,
    /// When it ended.
    pub ended_ns: Option<u64>,
    /// How.
    pub ending: Ending,
    /// Threads ever seen, the first one included.
    pub threads: u64,
    /// What `/proc` said at its exit stop.
    pub snapshot: Option<ExitSnapshot>,
    /// What looks at its memory have found, by time.
    pub looks: Vec<ArenaReport>,
    /// Why it could not be looked at, each time.
    pub looks_failed: Vec<String>,
    /// Calls that had begun and not ended when their threads died: thread, function, first argument.
    pub unfinished: Vec<(u32, Function, u64)>,
    /// Fatal signal's sender, if another process sent it.
    pub killer: Option<u32>,
    /// Its number is one of a PID namespace of its own.
    pub numbered_elsewhere: bool,
}

impl Process {
    fn new(pid: u32, parent: u32, began_ns: u64) -> Self {
        Self {
            pid,
            parent,
            image: None,
            real_malloc: 0,
            defined: Vec::new(),
            passed_over: Vec::new(),
            ledger: None,
            vforked_by: None,
            met: Vec::new(),
            program: String::new(),
            command: Vec::new(),
            executed: false,
            untapped: Untapped::Tapped,
            began_ns,
            ended_ns: None,
            ending: Ending::Running,
            threads: 1,
            snapshot: None,
            looks: Vec::new(),
            looks_failed: Vec::new(),
            unfinished: Vec::new(),
            killer: None,
            numbered_elsewhere: false,
        }
    }
}

impl Process {
    /// Its arguments, or what is known in their stead.
    #[must_use]
    pub fn shown_command(&self) -> Vec<String> {
        if self.command.is_empty() { vec![self.program.clone()] } else { self.command.clone() }
    }
}

/// All processes, in the order of their beginning.
#[derive(Debug, Default)]
pub struct Processes {
    all: Vec<Process>,
    current: HashMap<u32, usize>,
    root: Option<u32>,
}

impl Processes {
    /// The present program of process `pid`, made known at `now_ns` if it was not.
    pub fn current(&mut self, pid: u32, now_ns: u64) -> &mut Process {
        let all = &mut self.all;
        let index = *self.current.entry(pid).or_insert_with(|| {
            all.push(Process::new(pid, 0, now_ns));
            all.len() - 1
        });
        self.root.get_or_insert(pid);
        &mut self.all[index]
    }

    /// An image has told of itself under a number that the tracer has not told of: that of a PID namespace. It has its
    /// program from the image that it was forked from. To be called before the process is known.
    pub fn numbered_elsewhere(&mut self, pid: u32, parent: Image, now_ns: u64) {
        if self.current.contains_key(&pid) {
            return;
        }
        let maker = self.all.iter().find(|process| process.image == Some(parent));
        let known = maker.map(|maker| (maker.pid, maker.program.clone(), maker.command.clone()));
        let process = self.current(pid, now_ns);
        process.numbered_elsewhere = true;
        if let Some((maker, program, command)) = known {
            (process.parent, process.program, process.command) = (maker, program, command);
        }
    }

    /// `parent` made process `child`, which runs the same program until it execs.
    pub fn forked(&mut self, parent: u32, child: u32, now_ns: u64) {
        let maker = self.current(parent, now_ns);
        let (program, command) = (maker.program.clone(), maker.command.clone());
        let process = self.current(child, now_ns);
        process.parent = parent;
        process.program = program;
        process.command = command;
    }

    /// Process `pid` goes on with another program. Gives the image that ended with it.
    pub fn executed(&mut self, pid: u32, program: String, untapped: Untapped, now_ns: u64) -> Option<Image> {
        let known = self.current.contains_key(&pid);
        let old = self.current(pid, now_ns);
        let (parent, image) = (old.parent, old.image);
        if image.is_some() {
            old.ending = Ending::Replaced;
            old.ended_ns = Some(now_ns);
            self.all.push(Process::new(pid, parent, now_ns));
            self.current.insert(pid, self.all.len() - 1);
        } else if known {
            // The fork's own copy made no recorded call: only the new program is worth an entry.
            old.threads = 1;
            old.met.clear();
        }
        let process = self.current(pid, now_ns);
        process.program = program;
        process.command.clear();
        process.executed = true;
        process.untapped = untapped;
        image
    }

    /// Process `pid` was reaped with a wait status.
    pub fn ended(&mut self, pid: u32, status: i32, now_ns: u64) -> Option<Image> {
        let process = self.current(pid, now_ns);
        process.ending = Ending::from_wait_status(status);
        process.ended_ns = Some(now_ns);
        let image = process.image;
        // The number may come again.
        self.current.remove(&pid);
        image
    }

    /// How the first process ended, in whatever program it last was.
    #[must_use]
    pub fn root_ending(&self) -> Option<Ending> {
        let root = self.root?;
        self.all.iter().rev().find(|process| process.pid == root).map(|process| process.ending)
    }

    /// Whether the first process has ended.
    #[must_use]
    pub fn root_has_ended(&self) -> bool {
        self.root.is_some_and(|root| !self.current.contains_key(&root))
    }

    /// The ids of the processes that are tapped and have not been seen to end, by number.
    #[must_use]
    pub fn tapped(&self) -> Vec<u32> {
        let tapped = self.current.iter().filter(|(_, index)| self.all[**index].image.is_some());
        let mut pids: Vec<_> = tapped.map(|(pid, _)| *pid).collect();
        pids.sort_unstable();
        pids
    }

    /// The processes that have not been seen to end, but for `vfork` children, which are in their parent's memory.
    pub fn with_memory_of_their_own(&self) -> impl Iterator<Item = &Process> {
        let current = self.current.values().map(|index| &self.all[*index]);
        current.filter(|process| process.vforked_by.is_none())
    }

    /// Gives each process what looks at its image have found.
    pub fn looked_at(&mut self, mut looks: HashMap<Image, Vec<ArenaReport>>) {
        for process in &mut self.all {
            process.looks = process.image.and_then(|image| looks.remove(&image)).unwrap_or_default();
        }
    }

    /// The process id of every image.
    #[must_use]
    pub fn pids(&self) -> HashMap<Image, u32> {
        self.all.iter().filter_map(|process| Some((process.image?, process.pid))).collect()
    }

    /// All of them.
    #[must_use]
    pub fn into_all(self) -> Vec<Process> {
        self.all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fork_that_execs_at_once_is_one_process_entry() {
        let mut processes = Processes::default();
        processes.executed(10, "/bin/sh".into(), Untapped::Tapped, 1);
        processes.current(10, 1).image = Some(Image(1));
        processes.forked(10, 11, 5);
        assert_eq!(processes.executed(11, "/bin/ls".into(), Untapped::Tapped, 6), None);
        processes.ended(11, 0, 9);
        processes.ended(10, 9, 10);
        assert_eq!(processes.root_ending(), Some(Ending::Killed(9)));
        let all = processes.into_all();
        let programs: Vec<_> = all.iter().map(|p| (p.pid, p.program.as_str())).collect();
        assert_eq!(programs, [(10, "/bin/sh"), (11, "/bin/ls")]);
    }

    #[test]
    fn a_number_that_comes_again_is_another_process() {
        let mut processes = Processes::default();
        processes.forked(1, 2, 1);
        processes.ended(2, 0, 2);
        processes.forked(1, 2, 3);
        processes.ended(2, 256, 4);
        let endings: Vec<_> = processes.into_all().iter().map(|p| p.ending).collect();
        assert_eq!(endings, [Ending::Running, Ending::Exited(0), Ending::Exited(1)]);
    }

    #[test]
    fn an_exec_of_a_tapped_program_ends_its_image() {
        let mut processes = Processes::default();
        processes.current(4, 0).image = Some(Image(3));
        assert_eq!(processes.executed(4, "/bin/true".into(), Untapped::Static, 7), Some(Image(3)));
        assert_eq!(processes.current(4, 8).untapped, Untapped::Static);
        assert_eq!(processes.current(4, 8).image, None);
    }
}
