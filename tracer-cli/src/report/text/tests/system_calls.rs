//! The text of what the program asked of the kernel.

use super::*;

fn total(system_call: &str, made_by: &[(Option<&str>, u64)], total_ns: u64) -> SystemCallTotal {
    let count = made_by.iter().map(|(_, count)| count).sum();
    let maker = |(function, count): &(Option<&str>, u64)| Maker {
        function: function.map(str::to_owned),
        count: *count,
    };
    SystemCallTotal {
        system_call: system_call.to_owned(),
        count,
        stopped: count,
        timed: count,
        total_ns,
        min_ns: 900,
        p50_ns: 1_000,
        p99_ns: 9_000,
        max_ns: 12_000,
        made_by: made_by.iter().map(maker).collect(),
        ..SystemCallTotal::default()
    }
}

fn part(system_call: Option<&str>, count: u64, p50_ns: u64) -> CostPart {
    let system_call = system_call.map(str::to_owned);
    CostPart { system_call, count, timed: count, p50_ns, ..CostPart::default() }
}

fn asked() -> SystemCalls {
    let malloc = CostSplit {
        function: "malloc".to_owned(),
        count: 20_000,
        slow: Some(2),
        slow_above_ns: Some(1_000),
        parts: vec![part(None, 19_740, 21), part(Some("brk"), 220, 3_100), part(Some("mmap"), 40, 9_000)],
        ..CostSplit::default()
    };
    let close =
        CostSplit { function: "close".to_owned(), parts: vec![part(Some("close"), 9, 80)], ..malloc.clone() };
    let failed = FailedCalls {
        error: "ENOENT".to_owned(),
        errno: 2,
        system_call: Some("openat".to_owned()),
        path: Some("/etc/none".to_owned()),
        count: 4,
        stack: stack(1, &["read_name  /src/leaky.c:30", "main  /src/leaky.c:41"]),
        ..FailedCalls::default()
    };
    let raw = Residue {
        system_call: "openat".to_owned(),
        count: 3,
        descriptors: 3,
        sure: true,
        stack: failed.stack.clone(),
        ..Residue::default()
    };
    let named = |name: &str| vec![Named { name: name.to_owned(), count: 4 }];
    SystemCalls {
        stops: 267,
        stopped_ns: 1_500_000,
        calls: vec![
            SystemCallTotal { errors: 4, ..total("openat", &[(Some("fopen"), 6), (None, 3)], 750_000) },
            total("brk", &[(Some("malloc"), 250)], 250_000),
        ],
        cost_split: vec![malloc, CostSplit { slow: None, ..close }],
        by_path: vec![PathCalls {
            path: "/etc/none".to_owned(),
            count: 4,
            errors: 4,
            total_ns: 44_000,
            system_calls: named("openat"),
            error_names: named("ENOENT"),
        }],
        errors: vec![failed],
        residue: vec![raw],
        residue_calls: 3,
        residue_descriptors: 3,
        unclaimed: 1,
        ..SystemCalls::default()
    }
}

fn process(pid: u32) -> Process {
    Process { system_calls: Some(asked()), ..quiet(pid, "server") }
}

#[test]
fn system_calls_are_shown_as_strace_does_with_who_made_them() {
    let text = rendered(&report(vec![process(1)]));
    let (_, part) = text.split_once("  system calls: ").expect("there is a part of them");
    assert_eq!(
        part,
        "\
259 calls of 2 kinds, 4 failed; 267 stops took 1.50 ms (not in these times, but for waking the tracer)
    % time   seconds  usecs/call  calls  errors      p50      p99      max  syscall  made by
     75.00  0.000750          83      9       4  1.00 us  9.00 us  12.0 us  openat   fopen 66.7%
     25.00  0.000250           1    250          1.00 us  9.00 us  12.0 us  brk      malloc
  library calls by what they did in the kernel, most time first
    malloc: 98.7% no system call p50 21 ns; 1.1% brk p50 3.10 us; 0.2% mmap p50 9.00 us; 1 in 10000 slow without a system call (page faults or preemption)
    failed  error   call    path or peer  where
         4  ENOENT  openat  /etc/none     in read_name (leaky.c:30)
  under no library call: 3 system calls, which made 3 descriptors
    and 1 system call inside library calls that did not return
    calls  syscall  where
        3  openat   in read_name (leaky.c:30)
"
    );
}

#[test]
fn calls_of_the_loader_are_one_row_wherever_in_it_they_are() {
    let mut process = process(1);
    let part = process.system_calls.as_mut().unwrap();
    let at = |offset| {
        let object = Some("/lib64/ld-linux-x86-64.so.2".into());
        let mut frames = part.residue[0].stack.frames.clone();
        frames.insert(0, Frame { object, offset, ..Frame::default() }.into());
        Residue { stack: Stack { frames, ..part.residue[0].stack.clone() }, ..part.residue[0].clone() }
    };
    (part.residue, part.residue_calls) = (vec![at(0x20ca3), at(0x20d07)], 6);
    let text = rendered(&report(vec![process]));
    let row =
        "        6  openat   in the loader (ld-linux-x86-64.so.2), called from read_name (leaky.c:30)\n";
    assert!(text.contains(row), "{text}");
}

#[test]
fn what_failed_alike_in_one_place_is_one_row_and_the_rest_is_counted() {
    let mut process = process(1);
    let part = process.system_calls.as_mut().unwrap();
    let first = part.errors[0].clone();
    part.errors.push(FailedCalls { path: Some("/etc/other".to_owned()), count: 3, ..first.clone() });
    part.errors.extend((0..9_u64).map(|n| FailedCalls { error: format!("E{n}"), count: 1, ..first.clone() }));
    part.errors_omitted = 100;
    part.residue_calls = 13;
    let text = rendered(&report(vec![process]));
    assert!(
        text.contains("         7  ENOENT  openat  /etc/none and 1 more  in read_name (leaky.c:30)\n"),
        "{text}"
    );
    assert!(text.contains("    ... and 105 more that failed (all with --format json)\n"), "{text}");
    assert!(text.contains("    ... and 10 more (all with --format json)\n"), "{text}");
}

#[test]
fn paths_are_shown_if_they_were_asked_for() {
    let text = render(&report(vec![process(1)]), &View { by_path: true, ..VIEW });
    let row = "    44.0 us      4       4  /etc/none     4 openat  4 ENOENT\n";
    assert!(text.contains(row), "{text}");
}

#[test]
fn the_totals_of_several_programs_come_first() {
    let mut both = report(vec![process(1), process(2)]);
    both.system_calls = vec![total("brk", &[(Some("malloc"), 500)], 500_000)];
    let text = rendered(&both);
    let totals = text.find("\nsystem calls of all 2 programs: 500 calls of 1 kind, 0 failed; 534 stops took");
    assert!(totals.is_some_and(|at| at < text.find("\nprocess 1:").unwrap()), "{text}");
    assert!(!rendered(&report(vec![process(1)])).contains("of all"));
}

#[test]
fn a_program_that_was_not_tapped_is_not_nothing() {
    let mut process = process(1);
    (process.tapped, process.untapped_reason) = (false, Some("statically linked".to_owned()));
    let text = rendered(&report(vec![process]));
    assert!(text.contains("not tapped: statically linked; 259 system calls seen\n"), "{text}");
}

#[test]
fn a_stack_that_does_not_tell_is_said_to() {
    let mut process = process(1);
    process.system_calls.as_mut().unwrap().residue[0].sure = false;
    let text = rendered(&report(vec![process]));
    assert!(
        text.contains("in read_name (leaky.c:30)  (or in a library call: the stack does not tell)\n"),
        "{text}"
    );
}
