//! The investigation of descriptors, as people read it.

use super::*;
use crate::report::View;

fn upload(number: i32) -> StillOpen {
    StillOpen {
        fd: number,
        kind: "file".to_owned(),
        path: format!("/tmp/upload-{number}"),
        path_template: "/tmp/upload-*".to_owned(),
        opened_by: "open".to_owned(),
        stack: stack(3, &["receive  /src/server.c:30", "main  /src/server.c:90"]),
        last_use: Some(LastUse { function: "write".to_owned(), tid: 42, at_ns: 1_000 * number as u64 }),
        ..StillOpen::default()
    }
}

fn limits(soft: u64, hard: u64) -> Option<Limits> {
    Some(Limits {
        open_files: Some(SoftHard { soft: Some(soft), hard: Some(hard) }),
        open_files_ceiling: Some(1_048_576),
        system_open_files: Some(SystemOpenFiles { allocated: 2_112, maximum: 100_000 }),
        address_space: None,
    })
}

/// A server that leaks a file for every upload, and a stream.
fn leaking_server() -> Process {
    let stream = StillOpen {
        fd: 20,
        kind: "stream".to_owned(),
        unclosed: Some("FILE*"),
        path: "/etc/hosts".to_owned(),
        path_template: "/etc/hosts".to_owned(),
        opened_by: "fopen".to_owned(),
        stack: stack(4, &["resolve  /src/server.c:50", "main  /src/server.c:91"]),
        ..StillOpen::default()
    };
    let (receive, resolve) = (upload(8).stack, stream.stack.clone());
    let kind = |kind: &str, opened, closed| KindTotal { kind: kind.to_owned(), opened, closed };
    let row = |function: &str, opened, still_open, stack| Balance {
        group: None,
        function: function.to_owned(),
        opened,
        still_open,
        stack,
    };
    let growing = Growing {
        function: "open".to_owned(),
        per_minute: 12.0,
        confidence: 0.9996,
        still_open: 12,
        opened: 40,
        site: site(0x1300, "receive"),
        stack: receive.clone(),
    };
    let at_exit = AtExit { in_ledger: 16, in_kernel: 16, agreed: 16, differences: Vec::new() };
    Process {
        descriptors: Some(Descriptors {
            opened: 42,
            closed: 29,
            peak_open: 14,
            peak_in_use: 17,
            began_with: 3,
            by_kind: vec![kind("file", 40, 28), kind("socket", 1, 1), kind("stream", 1, 0)],
            by_path: vec![PathTotal { path: "/tmp/upload-*".to_owned(), still_open: 12 }],
            by_stack: vec![row("open", 40, 12, receive), row("fopen", 1, 1, resolve)],
            still_open: (8..20).map(upload).chain([stream]).collect(),
            growing: vec![growing],
            forecast: Some(Forecast {
                in_use: 16,
                per_minute: 12.0,
                limit: 1024,
                exhausted_in_ns: 5_040_000_000_000,
            }),
            at_exit: Some(at_exit),
            ..Descriptors::default()
        }),
        limits: limits(1024, 524_288),
        ..quiet(42, "./server")
    }
}

#[test]
fn a_leak_is_investigated_to_the_end() {
    let text = rendered(&report(vec![leaking_server()]));
    let lines: Vec<_> = text.lines().take(2).collect();
    assert_eq!(
        lines,
        [
            "calltap: ./server 13 descriptors left open; descriptors grow by 12/min, EMFILE in 84 min; status 0",
            "where:   12 of 40 descriptors still open, and ever more, by open in receive (server.c:30)",
        ]
    );
    let section = &text[text.find("descriptors:").unwrap()..];
    assert_eq!(
        section,
        "\
  descriptors: 42 opened, 29 closed, 13 still open, at most 14 at once, 0 failed closes; ledger and /proc agree: 16 of 16; at most 17 in use, limit 1024
    grows by 12/min, confidence 0.999: 12 of 40 still open by open in receive (server.c:30)
    EMFILE in 84 min at this rate: 16 in use, growing by 12/min, limit 1024
    left open by kind: file 12 of 40, stream 1 of 1
    12 of 40 (fd 8..19) file /tmp/upload-* by open; last used at 19.0 us by write
        receive  server.c:30
        main     server.c:90
    1 (fd 20) unclosed FILE* /etc/hosts by fopen; missing: fclose
        resolve  server.c:50
        main     server.c:91
    limits: 1024 soft, 524288 hard; fs.nr_open 1048576 for any process; fs.file-nr 2112 of 100000 in the whole system
    to raise the limit until that is repaired:
      this shell       ulimit -n 2048
      while it runs    prlimit --pid 42 --nofile=2048:524288
      a service        systemctl edit NAME.service   [Service] LimitNOFILE=2048
      a user's logins  /etc/security/limits.conf   USER - nofile 2048
"
    );
}

#[test]
fn a_program_that_closes_what_it_opens_gets_one_line() {
    let mut process = quiet(1, "clean");
    process.descriptors = Some(Descriptors {
        opened: 900,
        closed: 900,
        peak_open: 4,
        peak_in_use: 7,
        by_kind: vec![KindTotal { kind: "file".to_owned(), opened: 900, closed: 900 }],
        at_exit: Some(AtExit { in_ledger: 3, in_kernel: 3, agreed: 3, differences: Vec::new() }),
        ..Descriptors::default()
    });
    process.limits = limits(1024, 524_288);
    let text = rendered(&report(vec![process]));
    assert!(text.starts_with("calltap: clean did not leak"), "{text}");
    let expected = "\n  descriptors: 900 opened, 900 closed, 0 still open, at most 4 at once, 0 failed closes; \
                    ledger and /proc agree: 3 of 3; at most 7 in use, limit 1024\n";
    assert!(text.ends_with(expected), "{text}");
}

fn with(change: impl FnOnce(&mut Descriptors)) -> String {
    let mut process = quiet(1, "server");
    change(process.descriptors.as_mut().unwrap());
    process.limits = limits(1024, 1024);
    rendered(&report(vec![process]))
}

#[test]
fn every_difference_from_the_kernel_is_printed() {
    let difference = |fd, kind, in_ledger: Option<&str>, in_kernel: Option<&str>| Difference {
        fd,
        kind,
        in_ledger: in_ledger.map(str::to_owned),
        in_kernel: in_kernel.map(str::to_owned),
        opened: None,
    };
    let text = with(|descriptors| {
        let differences = vec![
            difference(4, "only_in_ledger", Some("file /tmp/a"), None),
            difference(6, "only_in_kernel", None, Some("socket:[77]")),
            difference(7, "other_target", Some("pipe"), Some("/dev/null")),
        ];
        descriptors.at_exit = Some(AtExit { in_ledger: 5, in_kernel: 5, agreed: 3, differences });
    });
    let expected = "; 5 open in /proc at exit; limit 1024
    ledger and /proc differ at exit: 3 of 5 agree
      fd 4: file /tmp/a in the ledger, not in /proc
      fd 6: not in the ledger, socket:[77] in /proc
      fd 7: pipe in the ledger, /dev/null in /proc
";
    assert!(text.contains(expected), "{text}");
}

#[test]
fn what_is_not_alike_in_a_group_is_named_side_by_side() {
    let view = View { group_by: Some(GroupBy::Object), ..VIEW };
    let text = render(&report(vec![leaking_server()]), &view);
    let expected = "    13 (fd 8..20) file, unclosed FILE* /tmp/upload-* (12), /etc/hosts by open, fopen in leaky; \
                    missing: fclose; last used at 19.0 us by write\n";
    assert!(text.contains(expected), "{text}");
}

#[test]
fn at_the_limit_nothing_is_forecast() {
    let mut process = leaking_server();
    let forecast = process.descriptors.as_mut().unwrap().forecast.as_mut().unwrap();
    (forecast.in_use, forecast.exhausted_in_ns) = (1024, 0);
    let text = rendered(&report(vec![process]));
    assert!(text.contains("; descriptors grow by 12/min, the limit is reached; status 0\n"), "{text}");
    assert!(text.contains("\n    the limit of 1024 is reached: 1024 in use, growing by 12/min\n"), "{text}");
}

#[test]
fn a_path_that_several_places_left_open_is_added_up() {
    let mut process = leaking_server();
    let descriptors = process.descriptors.as_mut().unwrap();
    descriptors.still_open[12].path_template = "/tmp/upload-*".to_owned();
    descriptors.by_path[0].still_open = 13;
    let text = rendered(&report(vec![process]));
    assert!(text.contains("\n    left open by path: 13 /tmp/upload-*\n"), "{text}");
}

#[test]
fn paths_of_a_group_that_are_not_alike_are_counted() {
    let mut process = leaking_server();
    let descriptors = process.descriptors.as_mut().unwrap();
    for (index, open) in descriptors.still_open.iter_mut().take(5).enumerate() {
        open.path_template = format!("/data/{}", ["a", "b", "c", "d", "d"][index]);
    }
    let view = View { top: 1, ..VIEW };
    let text = render(&report(vec![process]), &view);
    assert!(text.contains(" file /tmp/upload-* (7), /data/d (2), /data/a and 2 others by open"), "{text}");
    assert!(text.contains("    ... and 1 more stack: 1 descriptor (see --top)\n"), "{text}");
}

mod faults;
