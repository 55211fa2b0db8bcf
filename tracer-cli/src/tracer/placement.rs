//! Where tracer and tracees run: on one CPU, while one thread makes stop after stop.
//!
//! A stop costs a few microseconds where tracer and tracee share a CPU, and several times that where the
//! wake-ups go to another one, mostly an idle one that has to be fetched from its sleep. Left to itself the
//! kernel spreads the two, because it cannot know that one always waits for the other. So while a single
//! thread stops at a high rate, it and the tracer are kept on the tracer's CPU.
//!
//! The program must not notice: a thread gets its own CPUs back when the rate falls, before anyone in the
//! target asks for or sets such a thing ([`Placement::affinity_asked`]), and so does what it has made
//! meanwhile ([`Placement::created`]).
//!
//! The first program is there before it begins ([`Placement::stay`]): the tracer has nothing to do until that stops, and
//! to have it begin on another CPU would only fetch that from its sleep.

mod rate;

use std::ptr;

use calltap_channel::clock::monotonic_ns;
use nix::sched::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use nix::unistd::Pid;

use self::rate::{Advice, Rate};
use super::tracees::Id;

/// How often that is looked at, in microseconds.
const LOOK_EVERY_US: libc::suseconds_t = 2_000;
/// Who asks for CPUs has got the answer after this time, in nanoseconds, or when it stops often again.
const ANSWERED_NS: u64 = 100_000_000;
/// So many are remembered that have been let go.
const REMEMBERED: usize = 32;

/// A thread on our CPU.
#[derive(Clone, Copy, Debug)]
struct Pinned {
    tid: Id,
    /// The CPUs it may use.
    own: CpuSet,
    /// The one it uses.
    here: CpuSet,
    /// It is still our fork, which will execute the first program.
    begins: bool,
}

/// The calling process.
const US: Pid = Pid::from_raw(0);

impl Pinned {
    /// Gives `tid`, which is the thread or has inherited its CPUs, those that are its own. If somebody
    /// else has given it others, it keeps them.
    fn restore(&self, tid: Id) {
        let tid = Pid::from_raw(tid);
        // Who is gone needs none.
        if self.own != self.here && sched_getaffinity(tid) == Ok(self.here) {
            let _ = sched_setaffinity(tid, &self.own);
        }
    }
}

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Placement {
    /// The CPUs that we may use. `None` if there are not two of them, or they cannot be told.
    own: Option<CpuSet>,
    rate: Rate,
    pinned: Option<Pinned>,
    /// The CPU where we stay for a tracee to come.
    staying: Option<CpuSet>,
    /// Let go, the youngest last: what they have made may be met only now.
    former: Vec<Pinned>,
    /// Who has asked for CPUs, and until when the answer must be the true one.
    asking: Option<(Id, u64)>,
    /// Whether the timer's signal is caught.
    has_handler: bool,
}

impl Placement {
    /// Of a tracer with one thread, the calling one. Nothing is changed before the first stops.
    pub(crate) fn new() -> Self {
        let own = sched_getaffinity(US).ok();
        Self {
            own: own.filter(|own| cpus(own).nth(1).is_some()),
            rate: Rate::default(),
            pinned: None,
            staying: None,
            former: Vec::with_capacity(REMEMBERED),
            asking: None,
            has_handler: false,
        }
    }

    /// Keeps us on this CPU, with the first tracee that will be forked: [`Self::launched`].
    pub(crate) fn stay(&mut self) {
        let (Some(own), Ok(cpu)) = (self.own, sched_getcpu()) else { return };
        let mut here = CpuSet::new();
        if own.is_set(cpu) == Ok(true) && here.set(cpu).is_ok() && sched_setaffinity(US, &here).is_ok() {
            self.staying = Some(here);
        }
    }

    /// `tid` was forked off us, and waits for its exec. To be called once our signals' handlers are installed.
    pub(crate) fn launched(&mut self, tid: Id) {
        let (Some(own), Some(here)) = (self.own, self.staying.take()) else { return };
        self.keep(Pinned { tid, own, here, begins: true }, true, &own);
        self.rate.begins(tid);
    }

    /// A thread has stopped at a system call.
    pub(crate) fn stopped(&mut self, tid: Id) {
        let Some(own) = self.own else { return };
        let now_ns = monotonic_ns();
        match self.rate.stopped(tid, self.pinned.map(|pinned| pinned.tid), now_ns) {
            Advice::Pin if !self.is_answering(tid, now_ns) => self.pin(tid, &own),
            Advice::LetGo => self.release_all(),
            Advice::Pin | Advice::Nothing => {}
        }
    }

    /// [`super::ptrace::wait`] was interrupted, perhaps by our timer.
    pub(crate) fn interrupted(&mut self) {
        if self.pinned.is_some() && self.rate.is_quiet(monotonic_ns()) {
            self.release_all();
        }
    }

    /// A thread is about to be asked for, or given, the CPUs that it may use: by `tid`.
    pub(crate) fn affinity_asked(&mut self, tid: Id) {
        if self.own.is_some() {
            self.release_all();
            self.asking = Some((tid, monotonic_ns() + ANSWERED_NS));
        }
    }

    /// `tid` is about to be given CPUs by the program: what it makes from now on inherits those, even if they are the ones
    /// where we once put it.
    pub(crate) fn affinity_set(&mut self, tid: Id) {
        self.former.retain(|former| former.tid != tid);
    }

    /// Thread `maker` has made `child`, a thread or a process, which has not run yet.
    pub(crate) fn created(&mut self, maker: Id, child: Id) {
        // A number that is used again.
        self.former.retain(|former| former.tid != child);
        let all = self.pinned.iter().chain(self.former.iter().rev());
        if let Some(heritage) = all.into_iter().find(|pinned| pinned.tid == maker) {
            heritage.restore(child);
        }
    }

    /// Thread `former` has begun a new program, and is called `tid` now.
    pub(crate) fn executed(&mut self, former: Id, tid: Id) {
        if let Some(pinned) = self.pinned.as_mut().filter(|pinned| pinned.tid == former) {
            pinned.tid = tid;
        }
        match &mut self.pinned {
            // The first program is where it is to be; if it does not stop soon, it need not be.
            Some(pinned) if pinned.tid == tid && pinned.begins => {
                pinned.begins = false;
                self.rate.runs(tid, monotonic_ns());
            }
            _ => self.release(tid),
        }
        if self.pinned.is_none() {
            self.rate.begins(tid);
        }
    }

    /// Lets go of a thread, if it is pinned: it has ended, or is about to be left alone.
    pub(crate) fn release(&mut self, tid: Id) {
        if self.pinned.is_some_and(|pinned| pinned.tid == tid) {
            self.release_all();
        }
    }

    /// Lets go of everyone.
    pub(crate) fn release_all(&mut self) {
        self.rate = Rate::default();
        let (Some(pinned), Some(own)) = (self.pinned.take(), self.own) else { return };
        set_timer(0);
        pinned.restore(pinned.tid);
        let _ = sched_setaffinity(US, &own);
        self.former.retain(|former| former.tid != pinned.tid);
        if self.former.len() == REMEMBERED {
            self.former.remove(0);
        }
        self.former.push(pinned);
    }

    /// Whether somebody who has asked for CPUs may not have got the answer yet.
    fn is_answering(&mut self, stopped: Id, now_ns: u64) -> bool {
        self.asking = self.asking.filter(|(tid, until_ns)| *tid != stopped && now_ns < *until_ns);
        self.asking.is_some()
    }

    /// Both on the CPU where we are, or on another one that both may use.
    fn pin(&mut self, tid: Id, own: &CpuSet) {
        let thread = Pid::from_raw(tid);
        let Ok(its) = sched_getaffinity(thread) else { return };
        let is_common = |cpu: &usize| [own, &its].iter().all(|set| set.is_set(*cpu) == Ok(true));
        let Some(cpu) = sched_getcpu().ok().filter(is_common).or_else(|| cpus(&its).find(is_common)) else {
            return;
        };
        let mut here = CpuSet::new();
        if here.set(cpu).is_err() || sched_setaffinity(US, &here).is_err() {
            return;
        }
        let pinned = Pinned { tid, own: its, here, begins: false };
        let is_there = its == here || sched_setaffinity(thread, &here).is_ok();
        self.keep(pinned, is_there, own);
    }

    /// Keeps a thread where it is, and us with it, until it is quiet. If it is not there, or nobody would tell us that it is
    /// quiet, both get their own CPUs back.
    fn keep(&mut self, pinned: Pinned, is_there: bool, own: &CpuSet) {
        if is_there && self.catches_timer() {
            set_timer(LOOK_EVERY_US);
            self.pinned = Some(pinned);
        } else {
            pinned.restore(pinned.tid);
            let _ = sched_setaffinity(US, own);
        }
    }

    /// Has the timer interrupt waiting, which its signal would end by killing us else.
    fn catches_timer(&mut self) -> bool {
        extern "C" fn nothing(_signal: i32) {}
        if !self.has_handler {
            let action = SigAction::new(SigHandler::Handler(nothing), SaFlags::empty(), SigSet::empty());
            // SAFETY: the handler does nothing.
            self.has_handler = unsafe { sigaction(Signal::SIGALRM, &action) }.is_ok();
        }
        self.has_handler
    }
}

impl Drop for Placement {
    fn drop(&mut self) {
        self.release_all();
    }
}

/// The CPUs of a set, by number.
fn cpus(set: &CpuSet) -> impl Iterator<Item = usize> {
    (0..CpuSet::count()).filter(|cpu| set.is_set(*cpu) == Ok(true))
}

/// Sends SIGALRM so often, again and again, so that none is missed by coming before the wait begins.
/// 0: never.
fn set_timer(every_us: libc::suseconds_t) {
    let interval = libc::timeval { tv_sec: 0, tv_usec: every_us };
    let timer = libc::itimerval { it_interval: interval, it_value: interval };
    // SAFETY: the pointer is to a live itimerval.
    unsafe { libc::setitimer(libc::ITIMER_REAL, &raw const timer, ptr::null_mut()) };
}

#[cfg(test)]
mod tests;
