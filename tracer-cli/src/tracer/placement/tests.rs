//! Pins children of processes that have one thread, as a tracer has.

use std::panic::{AssertUnwindSafe, catch_unwind};

use nix::sys::signal::{kill, raise};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork, gettid};

use super::rate::ENOUGH;
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

/// A placement that has stayed where it was for its first program, the CPUs that both may use, and that program's process;
/// None on a machine with one CPU.
fn launched() -> Option<(Placement, CpuSet, Waiting)> {
    let mut placement = Placement::new();
    let own = placement.own?;
    placement.stay();
    let child = Waiting::new();
    placement.launched(child.0);
    Some((placement, own, child))
}

#[test]
fn the_first_program_begins_where_the_tracer_is_and_the_next_one_has_its_own_cpus() {
    alone(|| {
        let Some((mut placement, own, child)) = launched() else { return };
        assert_eq!(count_of(0), 1);
        assert_eq!(cpus_of(child.0), cpus_of(0), "inherited");
        placement.executed(child.0, child.0);
        assert_eq!((count_of(child.0), count_of(0)), (1, 1));
        // Its first stop changes nothing.
        placement.stopped(child.0);
        assert_eq!((count_of(child.0), count_of(0)), (1, 1));
        placement.executed(child.0, child.0);
        assert_eq!((cpus_of(child.0), cpus_of(0)), (own, own));
    });
}

#[test]
fn a_first_program_that_never_stops_has_its_own_cpus_soon() {
    alone(|| {
        let Some((mut placement, own, child)) = launched() else { return };
        placement.interrupted();
        assert_eq!(count_of(child.0), 1, "it has not begun");
        placement.executed(child.0, child.0);
        while count_of(child.0) == 1 {
            // The timer's signal would end the wait for a stop.
            SigSet::empty().suspend().unwrap();
            placement.interrupted();
        }
        assert_eq!((cpus_of(child.0), cpus_of(0)), (own, own));
    });
}

#[test]
fn a_first_program_that_never_begins_leaves_the_tracer_its_cpus() {
    alone(|| {
        let Some((mut placement, own, child)) = launched() else { return };
        placement.release(child.0);
        assert_eq!((cpus_of(child.0), cpus_of(0)), (own, own));
    });
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
        // It has been when the asker stops often again, or after some time.
        assert!(!placement.is_answering(1, monotonic_ns()));
        placement.affinity_asked(1);
        assert!(placement.is_answering(child.0, monotonic_ns()));
        assert!(!placement.is_answering(child.0, monotonic_ns() + ANSWERED_NS));
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
fn what_a_thread_makes_has_the_cpus_that_the_thread_was_given_since() {
    alone(|| {
        let maker = Waiting::new();
        let Some(mut placement) = pinning(maker.0) else { return };
        let here = cpus_of(0);
        placement.affinity_asked(maker.0);
        placement.affinity_set(maker.0);
        // The very CPU that it was pinned to; its child inherits that.
        let child = Waiting::new();
        for tid in [maker.0, child.0] {
            sched_setaffinity(Pid::from_raw(tid), &here).unwrap();
        }
        placement.created(maker.0, child.0);
        assert_eq!(cpus_of(child.0), here);
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
        placement.stopped(child.0);
        // The timer's signal comes again and again.
        while placement.pinned.is_some() {
            nix::unistd::pause();
            placement.interrupted();
        }
        assert_eq!(cpus_of(child.0), before);
    });
}
