//! What the tracer tells: beginnings and ends, signals, system calls.

use calltap_analyzers::kernel::CallId;
use calltap_channel::Note;
use calltap_channel::note::{ARGUMENTS, CLONED, SystemCallWord, Untapped, VFORKED};
use calltap_channel::trace::walk::Values;

use super::decode::{self, CallWords};
use super::processes::Vfork;
use super::ring::Owner;
use super::{Stream, tell};
use crate::system_calls;
use crate::trace::event::{Copied, Returned, SystemCall, TraceEvent, What};

/// What whoever reads the rings has to do on hearing a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Free the ring of this thread: process id, thread id.
    ThreadEnded(u32, u32),
    /// Free the rings that this process had before this stamp.
    Executed(u32, u64),
    /// A process has ended with this wait status.
    Ended(u32, i32),
    /// Let the tracer go on with what it holds under this number.
    Release(u64),
    /// The target could not be executed: `errno`, and whether it was the filter that was refused.
    ExecFailed(i32, bool),
    /// Nothing is left to trace.
    Done,
}

impl Act {
    /// What a note of the tracer asks for.
    #[must_use]
    pub fn of(words: &[u64]) -> Option<Self> {
        let argument = |index| decode::argument(words, index);
        Some(match Note::from_number((words[0] >> 16) as u16)? {
            Note::ThreadEnded => Self::ThreadEnded(argument(0) as u32, argument(1) as u32),
            Note::Executed => Self::Executed(argument(0) as u32, words[1]),
            Note::Ended => Self::Ended(argument(0) as u32, argument(1) as i32),
            Note::ExitStop | Note::SnapshotStop => Self::Release(argument(1)),
            Note::ExecFailed => Self::ExecFailed(argument(0) as i32, argument(1) != 0),
            Note::TracerDone => Self::Done,
            _ => return None,
        })
    }
}

impl Stream {
    /// Takes a note of the tracer.
    pub(super) fn tracer_note(&mut self, owner: &Owner, note: Option<Note>, words: &[u64]) -> Option<Act> {
        let [pid, second] = [0, 1].map(|index| decode::argument(words, index) as u32);
        match note {
            Some(Note::Memory) => self.waiting.add(owner, words),
            Some(Note::CallBegan) => self.system_call(owner, words, true),
            Some(Note::SystemCall) => self.system_call(owner, words, false),
            Some(Note::Created) => self.created(words),
            Some(Note::Executed) => self.executed(pid, words),
            Some(Note::ThreadEnded) => self.tell(pid, second, What::ThreadEnded),
            Some(Note::Ended) => self.ended(pid, second as i32),
            Some(Note::Signalled) => {
                let [signal, sender, code] = [2, 3, 4].map(|index| decode::argument(words, index));
                let what = What::Signal { signal: signal as i32, sender: sender as u32, code: code as i32 };
                self.tell(pid, second, what);
            }
            _ => {}
        }
        Act::of(words)
    }

    fn system_call(&mut self, owner: &Owner, words: &[u64], begins: bool) {
        let Some(call) = CallWords::of(words) else {
            self.malformed += 1;
            return;
        };
        let memory = self.waiting.of(owner, u64::from(call.tid));
        let id = CallId { interface: call.word.interface(), number: call.word.number() };
        let known = system_calls::name(id);
        let unknown;
        let name = match known {
            Some(name) => name,
            None => {
                unknown = format!("syscall_{}", id.number);
                &unknown
            }
        };
        let duration_ns = self.scale.length(call.duration);
        let system_call = SystemCall {
            name,
            prototype: known.and_then(|name| self.functions.system_call(name)),
            arguments: call.arguments,
            result: call.result,
            duration_ns,
            site: call.site,
            memory: &memory,
            entry_only: call.word.has(SystemCallWord::ENTRY_ONLY),
        };
        let what = if begins { What::CallBegan(system_call) } else { What::CallEnded(system_call) };
        let at_ns = self.scale.since_zero(self.last);
        let event = TraceEvent { pid: call.pid, tid: call.tid, at_ns, what };
        tell(&mut self.sink, &mut self.failure, &event);
        self.waiting.done(memory);
    }

    fn created(&mut self, words: &[u64]) {
        let [pid, child, kind, group, maker] = std::array::from_fn(|index| decode::argument(words, index));
        let [pid, child, group, maker] = [pid, child, group, maker].map(|id| id as u32);
        let thread = kind == CLONED && group == pid;
        let by = if maker == 0 { pid } else { maker };
        self.tell(pid, by, What::Created { child, thread });
        if thread {
            return;
        }
        self.processes.forked(pid, child);
        if kind == VFORKED
            && let Some(vfork) = self.processes.vforked(maker, child)
        {
            self.vfork_returns(child, child, &vfork, 0);
        }
    }

    fn executed(&mut self, pid: u32, words: &[u64]) {
        let untapped = Untapped::from_number(decode::argument(words, 1));
        decode::text(words, ARGUMENTS, &mut self.text);
        let program = String::from_utf8_lossy(&self.text).into_owned();
        let first = self.processes.executed(pid, program.clone());
        let untapped = (untapped != Untapped::Tapped).then(|| reason(untapped).to_owned());
        // What the session was started with is known.
        if !first || untapped.is_some() {
            self.tell(pid, pid, What::Executed { program, untapped });
        }
        self.goes_on(pid);
    }

    fn ended(&mut self, pid: u32, status: i32) {
        let what = if nix::libc::WIFSIGNALED(status) {
            What::Killed(nix::libc::WTERMSIG(status))
        } else {
            What::Exited(nix::libc::WEXITSTATUS(status))
        };
        self.goes_on(pid);
        self.tell(pid, pid, what);
        if let Some(image) = self.processes.ended(pid) {
            self.objects.ended(image);
        }
    }

    /// The thread that waited for a `vfork` child, if this was one, goes on.
    fn goes_on(&mut self, child: u32) {
        if let Some((maker, vfork)) = self.processes.lets_go(child) {
            self.vfork_returns(vfork.pid, maker, &vfork, u64::from(child));
        }
    }

    /// A thread has made a call of its own: if it waited for a `vfork` child, that has let it go before the tracer
    /// could tell so.
    #[inline]
    pub(super) fn runs_again(&mut self, owner: &Owner) {
        if let Some(child) = self.processes.child_of(owner.tid) {
            self.goes_on(child);
        }
    }

    /// A `vfork` returns: the tracer knows when, and with what.
    fn vfork_returns(&mut self, pid: u32, tid: u32, vfork: &Vfork, result: u64) {
        let memory = Copied::default();
        let returned = Returned {
            function: &vfork.function,
            sp: vfork.sp,
            values: Values { rax: result, sp: vfork.sp, ..Values::default() },
            vectors: [0; 2],
            x87: [[0; 10]; 2],
            errno: 0,
            memory: &memory,
            left: false,
        };
        self.tell(pid, tid, What::Returned(returned));
    }
}

/// Why nothing is seen of a program's library calls.
fn reason(untapped: Untapped) -> &'static str {
    match untapped {
        Untapped::Tapped => "it is traced",
        Untapped::Static => "it is statically linked",
        Untapped::ForeignLoader => "its loader is not that of glibc for x86-64",
        Untapped::Secure => "it has raised privileges",
        Untapped::OtherUser => "it runs as another user or group",
        Untapped::LibraryOutOfReach => "calltap's library cannot be reached where it runs",
        Untapped::StackOutOfReach => "its start-up stack could not be changed",
        Untapped::NotFollowed => "children are not followed",
        Untapped::Listed => "it only lists its objects",
    }
}
