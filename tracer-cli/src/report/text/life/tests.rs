use super::*;
use crate::report::View;
use crate::report::model::{Executed, MappedObject, Report, SignalGot, SignalSent, Stopped};
use crate::report::text::render;

fn program(command: &str, at_ns: u64) -> Vec<Executed> {
    let command = command.split(' ').map(str::to_owned).collect();
    vec![Executed { path: "/bin/x".to_owned(), command, at_ns }]
}

fn shell() -> Lived {
    Lived {
        pid: 10,
        made_by: "start",
        programs: program("sh -c all", 1_000_000),
        threads: 1,
        ended_ns: Some(9_000_000_000),
        exit_code: Some(2),
        ..Lived::default()
    }
}

fn child(pid: u32, command: &str) -> Lived {
    Lived {
        pid,
        made_by: "vfork",
        maker: Some(0),
        started_ns: 2_000_000 + u64::from(pid),
        programs: program(command, 3_000_000),
        threads: 1,
        ended_ns: Some(5_000_000),
        exit_code: Some(0),
        reaped_by: Some(10),
        reaped_ns: Some(5_040_000),
        zombie_ns: Some(40_000 + u64::from(pid)),
        ..Lived::default()
    }
}

fn shown(processes: Vec<Lived>) -> String {
    let life = Life { processes, ..Life::default() };
    let report = Report { life, ..Report::default() };
    let text = render(&report, &View { life: true, ..View::default() });
    let (_, part) = text.split_once("\nlife of ").expect("the part");
    part.split("\n\n").next().unwrap_or_default().trim_end().to_owned()
}

#[test]
fn a_tree_has_a_line_for_each_process() {
    let mut grandchild = child(13, "cc1");
    grandchild.maker = Some(1);
    grandchild.threads = 4;
    let text = shown(vec![shell(), child(11, "gcc a.c"), child(12, "true"), grandchild]);
    let expected = "\
4 processes
  10 sh -c all; exec at 1.00 ms, status 2 at 9.00 s
  |- 11 gcc a.c; vfork at 2.00 ms, exec at 3.00 ms, status 0 at 5.00 ms, zombie for 40.0 us until 10 asked
  |  `- 13 cc1; vfork at 2.00 ms, exec at 3.00 ms, 4 threads, status 0 at 5.00 ms, zombie for 40.0 us until 10 asked
  `- 12 true; vfork at 2.00 ms, exec at 3.00 ms, status 0 at 5.00 ms, zombie for 40.0 us until 10 asked";
    assert_eq!(text, expected);
}

#[test]
fn siblings_that_lived_alike_are_two_lines() {
    let mut processes = vec![shell()];
    processes.extend((100..600).map(|pid| child(pid, "true")));
    processes[300].exit_code = Some(1);
    let text = shown(processes);
    assert_eq!(text.lines().count(), 5, "{text}");
    assert!(
        text.contains("  |     ... and 498 like it, the last one at 2.00 ms, zombies for 40.6 us at most"),
        "{text}"
    );
    assert!(text.contains("`- 399 true; vfork at 2.00 ms, exec at 3.00 ms, status 1"), "{text}");
}

#[test]
fn what_happened_to_a_process_is_below_it() {
    let named = |name: &str| Some(name.to_owned());
    let mut shell = shell();
    shell.signals_got = vec![SignalGot {
        signal: 15,
        signal_name: named("SIGTERM"),
        sender_pid: Some(77),
        sender_uid: Some(1000),
        count: 1,
        first_ns: 4_000_000,
        last_ns: 4_000_000,
        ..SignalGot::default()
    }];
    shell.signals_sent = vec![
        SignalSent {
            signal_name: named("SIGKILL"),
            target: "process",
            target_id: 11,
            count: 2,
            ..SignalSent::default()
        },
        SignalSent {
            target: "process",
            target_id: 12,
            count: 1,
            error_name: named("ESRCH"),
            ..SignalSent::default()
        },
    ];
    shell.stopped = vec![Stopped {
        signal_name: named("SIGSTOP"),
        from_ns: 1_000,
        until_ns: Some(3_000),
        ..Stopped::default()
    }];
    let object = MappedObject {
        path: "/lib/libc.so.6".to_owned(),
        address: 0x7f00,
        bytes: 2_000_000,
        first_seen_ns: None,
    };
    shell.objects = vec![object];
    let mut killed = child(11, "sleep 9");
    (killed.exit_code, killed.signal_name, killed.core_dumped) = (None, named("SIGKILL"), true);
    (killed.zombie_ns, killed.reaped_by) = (None, None);
    let text = shown(vec![shell, killed]);
    let expected = "\
2 processes
  10 sh -c all; exec at 1.00 ms, status 2 at 9.00 s
  |  got SIGTERM from 77 (uid 1000) at 4.00 ms
  |  sent SIGKILL to process 11 2 times, 0 ns to 0 ns
  |  asked whether process 12 is there at 0 ns: ESRCH
  |  stopped by SIGSTOP at 1.00 us for 2.00 us
  |  1 object mapped, 2.00 MB: libc.so.6 at 0x7f00 2.00 MB
  `- 11 sleep 9; vfork at 2.00 ms, exec at 3.00 ms, killed by SIGKILL at 5.00 ms, core dumped, nobody seen to ask";
    assert_eq!(text, expected);
}

#[test]
fn a_long_tree_is_cut_and_says_so() {
    let mut processes = vec![shell()];
    processes.extend((100..200).map(|pid| child(pid, &format!("job {pid}"))));
    let text = shown(processes);
    assert_eq!(text.lines().count(), 1 + MAX_PROCESSES + 1, "{text}");
    assert!(text.ends_with("... and 41 more (all with --format json)"), "{text}");
}

#[test]
fn it_is_only_there_if_it_is_wanted() {
    let report = Report { life: Life { processes: vec![shell()], ..Life::default() }, ..Report::default() };
    assert!(!render(&report, &View::default()).contains("life of"));
}
