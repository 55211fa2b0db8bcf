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

use std::ptr;

use calltap_channel::clock::monotonic_ns;
use nix::sched::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use nix::unistd::Pid;

use super::tracees::Id;

/// Stops of one thread in a row before it is pinned: an entry and an end for each call.
const ENOUGH: u32 = 16;
/// They are no further apart, in nanoseconds: a pinned stop saves some tens of microseconds.
const CLOSE_NS: u64 = 200_000;
/// Stops of other threads in a row after which it is let go.
const STRANGERS: u32 = 4;
/// A thread that has made no stop for so long is let go, in nanoseconds.
const QUIET_NS: u64 = 1_000_000;
/// How often that is looked at, in microseconds.
const LOOK_EVERY_US: libc::suseconds_t = 2_000;
/// Who asks for its CPUs gets the answer within this time, in nanoseconds, or at its next stop.
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
}

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
        let own = sched_getaffinity(Pid::from_raw(0)).ok();
        Self {
            own: own.filter(|own| cpus(own).nth(1).is_some()),
            rate: Rate::default(),
            pinned: None,
            former: Vec::with_capacity(REMEMBERED),
            asking: None,
            has_handler: false,
        }
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
        self.release(tid);
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
        let _ = sched_setaffinity(Pid::from_raw(0), &own);
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
        let (thread, us) = (Pid::from_raw(tid), Pid::from_raw(0));
        let Ok(its) = sched_getaffinity(thread) else { return };
        let is_common = |cpu: &usize| [own, &its].iter().all(|set| set.is_set(*cpu) == Ok(true));
        let Some(cpu) = sched_getcpu().ok().filter(is_common).or_else(|| cpus(&its).find(is_common)) else {
            return;
        };
        let mut here = CpuSet::new();
        if here.set(cpu).is_err() || sched_setaffinity(us, &here).is_err() {
            return;
        }
        let pinned = Pinned { tid, own: its, here };
        let is_there = its == here || sched_setaffinity(thread, &here).is_ok();
        if is_there && self.catches_timer() {
            set_timer(LOOK_EVERY_US);
            self.pinned = Some(pinned);
        } else {
            pinned.restore(tid);
            let _ = sched_setaffinity(us, own);
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

/// What the rate of stops speaks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Advice {
    Pin,
    LetGo,
    Nothing,
}

/// Who stops how often.
#[derive(Debug, Default)]
struct Rate {
    /// Who stopped last.
    tid: Id,
    /// How often it did so in a row, each stop close to the one before.
    row: u32,
    /// When the last stop was of the pinned thread, or of the one that may come to be.
    last_ns: u64,
    /// Stops of others since.
    strangers: u32,
}

impl Rate {
    fn stopped(&mut self, tid: Id, pinned: Option<Id>, now_ns: u64) -> Advice {
        if pinned.is_some_and(|pinned| pinned != tid) {
            self.strangers += 1;
            return if self.strangers >= STRANGERS { Advice::LetGo } else { Advice::Nothing };
        }
        let is_next = tid == self.tid && now_ns.saturating_sub(self.last_ns) < CLOSE_NS;
        self.row = if is_next { self.row.saturating_add(1) } else { 1 };
        (self.tid, self.last_ns, self.strangers) = (tid, now_ns, 0);
        if pinned.is_none() && self.row >= ENOUGH { Advice::Pin } else { Advice::Nothing }
    }

    fn is_quiet(&self, now_ns: u64) -> bool {
        now_ns.saturating_sub(self.last_ns) >= QUIET_NS
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use nix::sys::signal::{kill, raise};
    use nix::sys::wait::{WaitStatus, waitpid};
    use nix::unistd::{ForkResult, fork, gettid};

    use super::*;

    /// Runs `body` in a process with one thread, as a tracer is: the timer's signal is for the process.
    fn alone(body: impl FnOnce()) {
        // SAFETY: the child uses locks of the C library only, which are free after its fork.
        match unsafe { fork() }.unwrap() {
            ForkResult::Child => {
                let failed = catch_unwind(AssertUnwindSafe(body)).is_err();
                // SAFETY: ends the child at once.
                unsafe { libc::_exit(failed.into()) }
            }
            ForkResult::Parent { child } => {
                assert_eq!(waitpid(child, None), Ok(WaitStatus::Exited(child, 0)), "see above");
            }
        }
    }

    /// A process that waits to be killed.
    struct Waiting(Id);

    impl Waiting {
        fn new() -> Self {
            // SAFETY: the child only sleeps.
            match unsafe { fork() }.unwrap() {
                ForkResult::Child => loop {
                    let _ = raise(Signal::SIGSTOP);
                },
                ForkResult::Parent { child } => Self(child.as_raw()),
            }
        }
    }

    impl Drop for Waiting {
        fn drop(&mut self) {
            let _ = kill(Pid::from_raw(self.0), Signal::SIGKILL);
            let _ = waitpid(Pid::from_raw(self.0), None);
        }
    }

    fn cpus_of(tid: Id) -> CpuSet {
        sched_getaffinity(Pid::from_raw(tid)).unwrap()
    }

    fn count_of(tid: Id) -> usize {
        cpus(&cpus_of(tid)).count()
    }

    /// A placement that has pinned a process; None on a machine with one CPU.
    fn pinning(tid: Id) -> Option<Placement> {
        let mut placement = Placement::new();
        let own = placement.own?;
        placement.pin(tid, &own);
        assert_eq!((count_of(tid), count_of(0)), (1, 1));
        assert_eq!(cpus_of(tid), cpus_of(0));
        Some(placement)
    }

    #[test]
    fn one_thread_that_stops_often_is_pinned() {
        let mut rate = Rate::default();
        let mut advice = Vec::new();
        for stop in 1..=u64::from(ENOUGH) {
            advice.push(rate.stopped(7, None, stop * CLOSE_NS / 2));
        }
        assert_eq!(advice.pop(), Some(Advice::Pin));
        assert!(advice.iter().all(|advice| *advice == Advice::Nothing));
    }

    #[test]
    fn threads_that_take_turns_and_slow_ones_are_left_alone() {
        let (mut turns, mut slow) = (Rate::default(), Rate::default());
        for stop in 1..1000 {
            assert_eq!(turns.stopped((stop % 2) as Id, None, stop), Advice::Nothing);
            assert_eq!(slow.stopped(7, None, stop * CLOSE_NS), Advice::Nothing);
        }
    }

    #[test]
    fn a_pinned_thread_is_let_go_when_others_take_over_or_it_is_quiet() {
        let mut rate = Rate::default();
        rate.stopped(7, Some(7), 1);
        for _ in 1..STRANGERS {
            assert_eq!(rate.stopped(8, Some(7), 2), Advice::Nothing);
        }
        assert_eq!(rate.stopped(9, Some(7), 3), Advice::LetGo);
        rate.stopped(7, Some(7), 4);
        assert_eq!(rate.stopped(8, Some(7), 5), Advice::Nothing, "they count from its own stops");
        assert!(!rate.is_quiet(QUIET_NS) && rate.is_quiet(QUIET_NS + 4));
    }

    #[test]
    fn both_have_their_own_cpus_again_when_let_go() {
        alone(|| {
            let (child, before) = (Waiting::new(), cpus_of(0));
            let Some(mut placement) = pinning(child.0) else { return };
            placement.release(gettid().as_raw());
            assert_eq!(count_of(child.0), 1, "another thread's end changes nothing");
            placement.release(child.0);
            assert_eq!((cpus_of(child.0), cpus_of(0)), (before, before));
            let Some(placement) = pinning(child.0) else { return };
            drop(placement);
            assert_eq!((cpus_of(child.0), cpus_of(0)), (before, before));
        });
    }

    #[test]
    fn whoever_asks_for_cpus_is_told_the_threads_own() {
        alone(|| {
            let (child, before) = (Waiting::new(), cpus_of(0));
            let Some(mut placement) = pinning(child.0) else { return };
            placement.affinity_asked(1);
            assert_eq!(cpus_of(child.0), before);
            // Until the answer has been given, nobody is pinned.
            for _ in 0..2 * ENOUGH {
                placement.stopped(child.0);
            }
            assert_eq!(cpus_of(child.0), before);
            placement.asking = Some((1, 0));
            for _ in 0..2 * ENOUGH {
                placement.stopped(child.0);
            }
            assert!(placement.pinned.is_some() || placement.rate.row < ENOUGH);
        });
    }

    #[test]
    fn what_a_pinned_thread_makes_has_the_threads_own_cpus() {
        alone(|| {
            let (maker, before) = (Waiting::new(), cpus_of(0));
            let Some(mut placement) = pinning(maker.0) else { return };
            // We are pinned too: what we make inherits that, as what the thread makes does.
            let [child, late, other] = [Waiting::new(), Waiting::new(), Waiting::new()];
            placement.created(maker.0, child.0);
            assert_eq!((cpus_of(child.0), count_of(maker.0)), (before, 1));
            placement.created(other.0, late.0);
            assert_eq!(count_of(late.0), 1, "another thread's child may be where it wants to be");
            placement.release_all();
            placement.created(maker.0, late.0);
            assert_eq!(cpus_of(late.0), before, "also if it is met late");
        });
    }

    #[test]
    fn a_thread_that_executes_is_let_go_under_its_new_name() {
        alone(|| {
            let (child, before) = (Waiting::new(), cpus_of(0));
            let Some(mut placement) = pinning(child.0) else { return };
            // As if the pinned one had been another thread of the child's process.
            placement.pinned.as_mut().unwrap().tid = 1;
            placement.executed(1, child.0);
            assert_eq!((cpus_of(child.0), cpus_of(0)), (before, before));
        });
    }

    #[test]
    fn cpus_that_somebody_else_has_set_stay() {
        alone(|| {
            let (child, before) = (Waiting::new(), cpus_of(0));
            let Some(mut placement) = pinning(child.0) else { return };
            let elsewhere = cpus(&before).find(|cpu| cpus_of(0).is_set(*cpu) == Ok(false)).unwrap();
            let mut other = CpuSet::new();
            other.set(elsewhere).unwrap();
            sched_setaffinity(Pid::from_raw(child.0), &other).unwrap();
            placement.release_all();
            assert_eq!(cpus_of(child.0), other);
        });
    }

    #[test]
    fn a_quiet_thread_is_let_go_by_the_timer() {
        alone(|| {
            let (child, before) = (Waiting::new(), cpus_of(0));
            let Some(mut placement) = pinning(child.0) else { return };
            placement.rate.last_ns = monotonic_ns();
            // The timer's signal comes again and again.
            while placement.pinned.is_some() {
                nix::unistd::pause();
                placement.interrupted();
            }
            assert_eq!(cpus_of(child.0), before);
        });
    }
}
