//! Somebody is stopped for some seconds, and goes on.

use std::time::Duration;

use super::left::child_of;
use super::runs;
use crate::counts::expect_agreement;
use crate::launch::calltap;
use crate::running::wait_for;
use crate::target::Target;

const WORK: [&str; 2] = ["4", "4000"];

/// For how long: five seconds where there is time for it.
fn pause() -> Duration {
    Duration::from_millis(if runs(1) > 1 { 5000 } else { 1200 })
}

fn signal(pid: i32, signal: i32) {
    // SAFETY: plain system call; the process is one of a session that runs, or of the test's own child.
    assert_eq!(unsafe { libc::kill(pid, signal) }, 0);
}

/// Stops one of calltap, its tracer and its target in the middle of the work, with rings that are soon full.
fn stopped(who: impl Fn(i32) -> Option<i32>) {
    let target = Target::c("counts_heap.c").build();
    let options = ["--ring-size", "16K", "--syscalls", "none"];
    let idle = calltap().options(&options).run(&target, &[WORK[0], "0"]).expect_status(0);
    let running = calltap().options(&options).start(&target, &WORK);
    let root = || child_of(child_of(running.pid())?);
    let is_at_work =
        || std::fs::read_dir(format!("/proc/{}/task", root().unwrap_or(0))).map_or(0, Iterator::count) > 4;
    wait_for("the work", is_at_work);
    let pid = who(running.pid()).expect("it runs");
    signal(pid, libc::SIGSTOP);
    std::thread::sleep(pause());
    signal(pid, libc::SIGCONT);
    let busy = running.finish().expect_status(0);
    expect_agreement(&idle, &busy);
    let process = busy.report().only_process();
    assert_eq!(process.still_allocated(), (busy.said("kept.blocks"), busy.said("kept.bytes")));
    assert_eq!(busy.report().at("/damaged").as_array().map(Vec::len), Some(0));
}

#[test]
fn nothing_is_lost_while_calltap_is_stopped() {
    stopped(Some);
}

#[test]
fn nothing_is_lost_while_the_tracer_is_stopped() {
    stopped(child_of);
}

#[test]
fn nothing_is_lost_while_the_program_is_stopped() {
    stopped(|calltap| child_of(child_of(calltap)?));
}
