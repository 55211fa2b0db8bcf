//! Very many processes, and very little processor time for calltap.

use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use super::left::child_of;
use crate::counts::expect_agreement;
use crate::launch::{Launch, calltap};
use crate::outcome::Outcome;
use crate::running::{Running, wait_for};
use crate::target::Target;

const WORK: [&str; 2] = ["2", "40"];

#[test]
fn three_hundred_processes_at_one_time_are_counted_exactly() {
    const PROCESSES: i64 = 300;
    let program = Target::c("tells.c").build();
    let path = program.path().to_str().expect("a plain path");
    let directory = crate::launch::scratch();
    let place = directory.path().to_str().expect("a plain path");
    let script = format!(
        "n=0; while [ $n -lt {PROCESSES} ]; do '{path}' '{place}/'$n 50 & n=$((n + 1)); done; wait; exit 4"
    );
    let options = ["--max-threads", "2000", "--syscalls", "none"];
    let outcome = calltap().options(&options).run("sh", &["-c", &script]).expect_status(4);
    assert_eq!(outcome.report().lost(), 0, "{outcome}");
    let processes = outcome.report().processes_of(&format!("{path}\",\"{place}"));
    let programs: Vec<_> = processes.into_iter().filter(|process| process.at("/executed") == true).collect();
    assert_eq!(programs.len() as i64, PROCESSES);
    for process in programs {
        assert_eq!(process.number("/exit_code"), 3);
        assert_eq!(process.calls("dup"), 100, "{:#}", process.0);
        assert_eq!(process.still_open(), []);
    }
}

/// Busy loops that have a processor for themselves and whoever is sent there.
struct Hogs(Vec<Child>);

impl Hogs {
    fn on_first_processor() -> Self {
        let hog = |_| {
            let mut command = Command::new("taskset");
            command.args(["-c", "0", "sh", "-c", "while :; do :; done"]).stdin(Stdio::null());
            command.spawn().expect("taskset is part of util-linux")
        };
        Self((0..2).map(hog).collect())
    }
}

impl Drop for Hogs {
    fn drop(&mut self) {
        for hog in &mut self.0 {
            let _ = hog.kill();
            let _ = hog.wait();
        }
    }
}

/// All threads of calltap run only when nobody else wants the first processor.
fn starve(running: &Running) {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", running.pid())).expect("it runs");
    for tid in tasks.flatten().filter_map(|task| task.file_name().to_str()?.parse::<i32>().ok()) {
        // SAFETY: all zero is a valid set and a valid parameter; both pointers are to live values.
        unsafe {
            let mut first: libc::cpu_set_t = std::mem::zeroed();
            libc::CPU_SET(0, &mut first);
            libc::sched_setaffinity(tid, size_of_val(&first), &raw const first);
            let parameter: libc::sched_param = std::mem::zeroed();
            libc::sched_setscheduler(tid, libc::SCHED_IDLE, &raw const parameter);
        }
    }
}

/// As long as the program runs; what is left to do then is not to take minutes.
fn starved(launch: Launch, work: [&str; 2]) -> Outcome {
    // The first processor has room for one such story.
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let hogs = Hogs::on_first_processor();
    let running = launch.start(Target::c("counts_heap.c").build(), &work);
    let program = || child_of(child_of(running.pid())?);
    wait_for("the program", || program().is_some());
    starve(&running);
    wait_for("its end", || program().is_none());
    drop(hogs);
    running.finish().expect_status(0)
}

const NARROW: [&str; 4] = ["--ring-size", "16K", "--syscalls", "none"];

#[test]
fn a_starved_reader_loses_nothing_if_the_program_waits() {
    let idle = calltap().options(&NARROW).run(Target::c("counts_heap.c").build(), &[WORK[0], "0"]);
    let busy = starved(calltap().options(&NARROW), WORK);
    expect_agreement(&idle.expect_status(0), &busy);
}

#[test]
fn a_starved_reader_says_what_was_dropped() {
    let all = |outcome: &Outcome| -> i64 {
        outcome.report().processes().iter().map(|process| process.all_calls()).sum()
    };
    let issued = all(&calltap().options(&NARROW).run(Target::c("counts_heap.c").build(), &WORK));
    let dropping = calltap().options(&NARROW).options(&["--on-full", "drop"]);
    let some = starved(dropping, WORK);
    assert!(some.report().lost() > 0, "no ring was full, so this shows nothing");
    assert_eq!(all(&some) + some.report().lost(), issued);
}
