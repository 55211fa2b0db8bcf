//! What was done wrong with descriptors, as people read it.

use super::*;

fn call(function: &str, frames: &[&str], tid: u32, at_ns: u64) -> Call {
    Call { function: function.to_owned(), site: site(0x1700, "f"), stack: stack(7, frames), tid, at_ns }
}

#[test]
fn a_double_close_is_told_with_all_places() {
    let text = with(|descriptors| {
        descriptors.double_closes = 3;
        descriptors.faults = vec![DescriptorFault {
            kind: "double_close",
            fd: 5,
            path: "/tmp/a".to_owned(),
            call: call("close", &["finish  /src/s.c:40"], 43, 9_000),
            closed: Some(call("close", &["drop  /src/s.c:30"], 42, 8_000)),
            opened: Some(call("open", &["begin  /src/s.c:20", "main  /src/s.c:90"], 42, 7_000)),
            missed: None,
        }];
    });
    let lines: Vec<_> = text.lines().take(2).collect();
    assert_eq!(lines[0], "calltap: server 3 x double close; status 0");
    assert_eq!(lines[1], "where:   double close of fd 5 by close in finish (s.c:40)");
    let expected = "
    double close of fd 5 (/tmp/a)
      closed again by close in finish (s.c:40), thread 43, at 9.00 us
      closed before by close in drop (s.c:30), thread 42, at 8.00 us
      opened by open in begin (s.c:20), thread 42, at 7.00 us
          begin  s.c:20
          main   s.c:90
    ... and 2 more: 3 x double close in all
";
    assert!(text.contains(expected), "{text}");
    assert!(!text.contains("ulimit"), "no limit is near: {text}");
}

#[test]
fn a_close_of_anothers_descriptor_names_both_threads() {
    let text = with(|descriptors| {
        descriptors.foreign_closes = 1;
        descriptors.faults = vec![DescriptorFault {
            kind: "foreign_close",
            fd: 5,
            path: String::new(),
            call: call("close", &["finish  /src/s.c:40"], 43, 9_000),
            closed: Some(call("close", &["finish  /src/s.c:40"], 43, 7_000)),
            opened: Some(call("socket", &["connect_to  /src/s.c:20"], 44, 8_000)),
            missed: Some(call("send", &["talk  /src/s.c:25"], 44, 10_000)),
        }];
    });
    assert!(text.starts_with("calltap: server 1 x close of another's descriptor; status 0\n"), "{text}");
    let expected = "
    close of another's descriptor of fd 5
      closed by close in finish (s.c:40), thread 43, at 9.00 us
      the closer's own was closed by close in finish (s.c:40), thread 43, at 7.00 us
      but opened by socket in connect_to (s.c:20), thread 44, at 8.00 us
      missed by send in talk (s.c:25), thread 44, at 10.0 us
";
    assert!(text.contains(expected), "{text}");
}

#[test]
fn what_was_refused_tells_which_limit_it_was() {
    let refused = |errno| {
        with(|descriptors| {
            descriptors.refused_opens = 2;
            let call = call("accept", &["serve  /src/s.c:7"], 42, 9_000);
            descriptors.refused_open_examples = vec![RefusedOpen { errno, call }];
            descriptors.peak_in_use = 1024;
        })
    };
    let text = refused(24);
    assert!(
        text.starts_with("calltap: server 2 calls refused for want of descriptors; status 0\n"),
        "{text}"
    );
    let expected = "
    2 calls refused for want of descriptors (EMFILE: the process's limit)
      first by accept in serve (s.c:7), thread 42, at 9.00 us
";
    assert!(text.contains(expected), "{text}");
    assert!(text.contains("ulimit -n 2048  (as root)\n"), "beyond the hard limit: {text}");
    assert!(text.contains("prlimit --pid 1 --nofile=2048:2048  (as root)\n"), "{text}");
    assert!(refused(23).contains("(ENFILE: the system's limit)\n"));
}

#[test]
fn a_process_that_got_a_descriptor_at_exec_is_told_of_at_length() {
    let passed = PassedOn { fd: 7, ..PassedOn::default() };
    let mut child = quiet(2, "child");
    child.descriptors.as_mut().unwrap().passed_on = vec![passed];
    let text = rendered(&report(vec![quiet(1, "server"), child.clone()]));
    assert!(text.contains("\nprocess 2: child; status 0, 1 thread"), "{text}");
    let many: Vec<_> = (1..9).map(|pid| Process { pid, ..child.clone() }).collect();
    let line = "process 8: child; status 0; no block still allocated, no descriptor left open, 1 descriptor got at exec\n";
    let text = rendered(&report(many));
    assert!(text.contains(line), "{text}");
}

#[test]
fn what_came_through_exec_is_no_leak_but_told() {
    let text = with(|descriptors| {
        descriptors.passed_on = vec![PassedOn {
            fd: 7,
            kind: "file".to_owned(),
            path: "/etc/shadow".to_owned(),
            opened: call("open", &["start  /src/s.c:7"], 40, 9_000),
        }];
        descriptors.passed_on_omitted = 2;
    });
    let lines: Vec<_> = text.lines().take(2).collect();
    let clean = "did not leak: no block still allocated, no descriptor left open";
    assert_eq!(lines[0], format!("calltap: server {clean}; 3 descriptors passed on at exec; status 0"));
    assert_eq!(lines[1], "where:   got descriptor 7 (/etc/shadow) at exec, opened by open in start (s.c:7)");
    let expected = "
    fd 7 (/etc/shadow) came through exec, for want of O_CLOEXEC
      opened by open in start (s.c:7), thread 40, at 9.00 us
    ... and 2 more came through exec (see --top)
";
    assert!(text.contains(expected), "{text}");
}
