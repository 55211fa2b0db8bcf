use super::*;
use crate::event::Image;
use crate::kernel::{CallId, SystemCall};

const SHELL: u32 = 10;
const CHILD: u32 = 11;
const MAIN: Thread = Thread(SHELL);

fn shell() -> Life {
    let mut life = Life::default();
    life.executed(SHELL, "/bin/sh".to_owned(), vec!["sh".to_owned()], 1);
    life
}

fn with_child() -> Life {
    let mut life = shell();
    life.created(SHELL, MAIN, CHILD, Maker::Fork, 5);
    life
}

fn call(
    name: &'static str,
    arguments: [u64; 6],
    result: i64,
    start_ns: u64,
    end_ns: u64,
) -> SystemCall<'static> {
    SystemCall {
        image: Image(1),
        thread: MAIN,
        id: CallId::default(),
        name,
        start_ns,
        end_ns,
        stopped_ns: 0,
        result,
        arguments,
        text: b"",
        site: 0,
        stack: 0,
        in_hook: None,
        entry_only: false,
    }
}

fn child(life: &Life) -> Lived {
    life.report().processes.into_iter().find(|process| process.pid == CHILD).expect("the child")
}

#[test]
fn a_child_has_its_maker_its_programs_and_its_end() {
    let mut life = with_child();
    life.executed(CHILD, "/bin/ls".to_owned(), vec!["ls".to_owned(), "-l".to_owned()], 7);
    life.exited(CHILD, 2 << 8, 9);
    let report = life.report();
    assert_eq!(report.processes.len(), 2);
    let child = &report.processes[1];
    assert_eq!((child.maker, child.made_by, child.made_by_thread), (Some(0), Maker::Fork, Some(MAIN)));
    assert_eq!((child.born_ns, child.programs[0].at_ns, child.programs[0].command.len()), (5, 7, 2));
    assert_eq!(child.end.and_then(|end| end.status), Some(2));
    assert_eq!(report.processes[0].maker, None);
}

#[test]
fn a_command_line_that_came_late_is_that_of_the_present_program() {
    let mut life = with_child();
    life.executed(CHILD, "/bin/ls".to_owned(), Vec::new(), 7);
    life.commanded(CHILD, &["ls".to_owned()], 8);
    life.commanded(SHELL, &["late".to_owned()], 8);
    assert_eq!(child(&life).programs[0].command, ["ls"]);
    assert_eq!(life.report().processes[0].programs[0].command, ["sh"]);
}

#[test]
fn a_zombie_lives_from_its_end_to_its_wait() {
    let mut life = with_child();
    life.system_call(SHELL, &call("wait4", [u64::MAX, 0, 2, 0, 0, 0], i64::from(CHILD), 6, 7));
    assert_eq!(child(&life).reaped, None, "a stopped child is not gone");
    life.exited(CHILD, killed_with_core(9), 9);
    assert_eq!(child(&life).zombie_ns(), None);
    life.system_call(SHELL, &call("wait4", [u64::MAX, 0, 0, 0, 0, 0], i64::from(CHILD), 8, 12));
    let child = child(&life);
    assert_eq!(child.reaped, Some(Reaped { by: SHELL, at_ns: 12 }));
    assert_eq!(child.zombie_ns(), Some(3));
    assert_eq!(child.end.map(|end| (end.signal, end.core_dumped)), Some((Some(9), true)));
}

/// The wait status of that.
const fn killed_with_core(signal: i32) -> i32 {
    signal | 0x80
}

#[test]
fn a_wait_that_fails_or_finds_nothing_reaps_nobody() {
    let mut life = with_child();
    life.exited(CHILD, 0, 9);
    for result in [0, -10, -4] {
        life.system_call(SHELL, &call("wait4", [0; 6], result, 10, 11));
    }
    assert_eq!(child(&life).reaped, None);
}

#[test]
fn waitid_reaps_whom_it_names_or_the_only_one() {
    let any = [0, 0, 0, 4, 0, 0];
    let mut life = with_child();
    life.exited(CHILD, 0, 9);
    life.system_call(SHELL, &call("waitid", [0, 0, 0, 4 | 0x0100_0000, 0, 0], 0, 9, 10));
    assert_eq!(child(&life).reaped, None, "it only looked");
    life.system_call(SHELL, &call("waitid", any, 0, 8, 11));
    assert_eq!(child(&life).zombie_ns(), Some(2));

    let mut life = with_child();
    life.created(SHELL, MAIN, 12, Maker::Vfork, 6);
    life.exited(CHILD, 0, 9);
    life.exited(12, 0, 9);
    life.system_call(SHELL, &call("waitid", any, 0, 8, 11));
    assert_eq!((child(&life).reaped, life.report().unclear_waits), (None, 1));
    life.system_call(SHELL, &call("waitid", [1, u64::from(CHILD), 0, 4, 0, 0], 0, 8, 12));
    assert_eq!(child(&life).reaped.map(|reaped| reaped.at_ns), Some(12));
}

#[test]
fn a_wait_that_does_not_wait_misses_who_ended_meanwhile() {
    let mut life = with_child();
    life.exited(CHILD, 0, 9);
    life.system_call(SHELL, &call("waitid", [0, 0, 0, 4 | 1, 0, 0], 0, 8, 11));
    assert_eq!(child(&life).reaped, None);
    life.system_call(SHELL, &call("waitid", [0, 0, 0, 4 | 1, 0, 0], 0, 12, 13));
    assert!(child(&life).reaped.is_some());
}

#[test]
fn signals_are_counted_by_kind_and_sender() {
    let mut life = with_child();
    let sender = Some(Sender { pid: SHELL, uid: 1000 });
    let term = Delivery { signal: 15, code: 0, sender };
    for (delivery, at) in [(term, 20), (term, 30), (Delivery { sender: None, code: 128, ..term }, 40)] {
        life.delivered(CHILD, &delivery, at);
    }
    let got = child(&life).got;
    assert_eq!(got[0], SignalGot { signal: 15, code: 0, sender, count: 2, first_ns: 20, last_ns: 30 });
    assert_eq!((got.len(), got[1].sender), (2, None));
}

#[test]
fn signals_sent_are_told_with_their_target_and_error() {
    let mut life = with_child();
    life.system_call(SHELL, &call("kill", [u64::from(CHILD), 15, 0, 0, 0, 0], 0, 20, 21));
    life.system_call(SHELL, &call("kill", [u64::MAX, 0, 0, 0, 0, 0], -3, 22, 23));
    life.system_call(SHELL, &call("tgkill", [10, 12, 6, 0, 0, 0], 0, 24, 25));
    life.system_call(SHELL, &call("pidfd_send_signal", [4, 9, 0, 0, 0, 0], 0, 26, 27));
    let sent: Vec<_> =
        life.report().processes[0].sent.iter().map(|sent| (sent.signal, sent.target, sent.errno)).collect();
    let expected = [
        (15, Target::Process(11), 0),
        (0, Target::Process(-1), 3),
        (6, Target::Thread(12), 0),
        (9, Target::Descriptor(4), 0),
    ];
    assert_eq!(sent, expected);
}

#[test]
fn a_stop_ends_once_and_at_the_latest_with_the_process() {
    let mut life = with_child();
    life.continued(CHILD, 6);
    life.paused(CHILD, 19, 10);
    life.paused(CHILD, 19, 11);
    life.continued(CHILD, 15);
    life.continued(CHILD, 16);
    life.paused(CHILD, 20, 20);
    life.exited(CHILD, 9, 25);
    let pauses = child(&life).pauses;
    assert_eq!(pauses[0], Pause { signal: 19, from_ns: 10, until_ns: Some(15) });
    assert_eq!(pauses[1], Pause { signal: 20, from_ns: 20, until_ns: Some(25) });
    assert_eq!(pauses.len(), 2);
}

#[test]
fn an_id_that_comes_again_is_another_process() {
    let mut life = with_child();
    life.exited(CHILD, 0, 9);
    life.reaped(CHILD, SHELL, 10);
    life.created(SHELL, MAIN, CHILD, Maker::Clone, 20);
    life.exited(CHILD, 256, 29);
    let ends: Vec<_> = life.report().processes.iter().map(|p| p.end.and_then(|end| end.status)).collect();
    assert_eq!(ends, [None, Some(0), Some(1)]);
}

#[test]
fn threads_are_counted_and_end_with_an_exec() {
    let mut life = shell();
    life.thread_created(SHELL, 2);
    life.thread_created(SHELL, 3);
    life.thread_ended(SHELL);
    life.thread_created(SHELL, 4);
    life.executed(SHELL, "/bin/true".to_owned(), Vec::new(), 5);
    life.thread_created(SHELL, 6);
    let shell = &life.report().processes[0];
    assert_eq!((shell.threads, shell.threads_peak, shell.programs.len()), (5, 3, 2));
}

#[test]
fn objects_know_when_they_were_first_seen_by_the_present_program() {
    let mut life = shell();
    life.object_seen(SHELL, "/lib/old.so", 2);
    life.executed(SHELL, "/bin/true".to_owned(), Vec::new(), 5);
    life.object_seen(SHELL, "/lib/new.so", 6);
    life.object_seen(SHELL, "/lib/new.so", 7);
    let object =
        |path: &str| Object { path: path.to_owned(), address: 0x1000, bytes: 4096, first_seen_ns: None };
    life.mapped(SHELL, vec![object("/lib/old.so"), object("/lib/new.so")], 8);
    life.mapped(SHELL, Vec::new(), 9);
    let seen: Vec<_> = life.report().processes[0].objects.iter().map(|object| object.first_seen_ns).collect();
    assert_eq!(seen, [None, Some(6)]);
}

#[test]
fn what_is_too_much_is_counted() {
    let mut life = shell();
    for pid in 0..KEPT as u32 {
        life.created(SHELL, MAIN, 1000 + pid, Maker::Fork, 5);
        life.exited(1000 + pid, 0, 6);
    }
    for signal in 1..=70 {
        life.delivered(SHELL, &Delivery { signal, code: 0, sender: None }, 7);
    }
    let report = life.report();
    assert_eq!((report.processes.len(), report.left_out), (KEPT, 1));
    assert_eq!((report.processes[0].got.len(), report.processes[0].left_out), (64, 6));
}
