//! The text of whole reports, as people read it.

use super::super::model::*;
use super::process::shortened;
use super::*;
use crate::origin::Site;
use crate::report::stacks::fake::frame;

/// What a text is made of if no option says otherwise.
const VIEW: View = View { group_by: None, top: 10, raw: false, by_path: false, life: false, whole: false };

fn rendered(report: &Report) -> String {
    render(report, &VIEW)
}

/// Frames as [`frame`] reads them, innermost first.
fn stack(id: u32, frames: &[&str]) -> Stack {
    let frames = frames.iter().zip(0x5555_1000..).map(|(name, address)| frame(address, name).into());
    Stack { id: Some(id), end: Some(StackEnd::Outermost), frames: frames.collect() }
}

fn site(offset: u64, symbol: &str) -> Site {
    Site {
        address: 0x5555_0000 + offset,
        object: Some("/srv/bin/leaky".to_owned()),
        offset,
        symbol: Some(symbol.to_owned()),
    }
}

fn quiet(pid: u32, command: &str) -> Process {
    Process {
        pid,
        command: vec![command.to_owned()],
        ended_by: EndedBy::Exit,
        exit_code: Some(0),
        tapped: true,
        ended_ns: Some(2_000_000),
        threads: 1,
        heap: Some(Heap { allocations: 4, frees: 4, ..Heap::default() }),
        descriptors: Some(Descriptors::default()),
        ..Process::default()
    }
}

fn leaky(pid: u32) -> Process {
    let open = |fd| StillOpen {
        fd,
        kind: "file".to_owned(),
        path: "/etc/hostname".to_owned(),
        path_template: "/etc/hostname".to_owned(),
        opened_by: "open".to_owned(),
        site: site(0x1300, "read_name"),
        stack: stack(3, &["read_name  /src/leaky.c:30", "main  /src/leaky.c:41"]),
        tid: 42,
        opened_at_ns: 5_000,
        ..StillOpen::default()
    };
    let by_site = vec![SiteTotal {
        site: site(0x11a9, "make_node"),
        function: "malloc".to_owned(),
        blocks: 100_000,
        bytes: 6_400_000,
        ..SiteTotal::default()
    }];
    let stack =
        stack(1, &["make_node  /src/leaky.c:12", "build  /src/leaky.c:20  inlined", "main  /src/leaky.c:40"]);
    let leak = StackTotal {
        function: "malloc".to_owned(),
        blocks: 100_000,
        bytes: 6_400_000,
        stack: stack.clone(),
        ..StackTotal::default()
    };
    let user = UseTotal { peak_blocks: 100_000, peak_bytes: 6_400_000, stack, ..UseTotal::default() };
    let origin = OriginTotal { origin: "stdio buffers".to_owned(), blocks: 1, bytes: 4096 };
    let malloc = Latency {
        function: "malloc".to_owned(),
        count: 100_001,
        timed: 100_001,
        errors: 0,
        total_ns: 4_100_000,
        min_ns: 18,
        p50_ns: 38,
        p90_ns: 60,
        p99_ns: 120,
        p999_ns: 1_900,
        max_ns: 45_000,
    };
    Process {
        heap: Some(Heap {
            allocations: 100_001,
            frees: 1,
            allocated_bytes: 6_404_096,
            peak_live_bytes: 6_404_096,
            peak_live_at_ns: 1_200_000,
            still_allocated: StillAllocated {
                blocks: 100_000,
                bytes: 6_400_000,
                by_site,
                by_stack: vec![leak.clone()],
                largest: Some(leak),
                ..StillAllocated::default()
            },
            by_caller: Uses { groups: 2, peak: vec![user], ..Uses::default() },
            runtime_owned: RuntimeOwned { blocks: 1, bytes: 4096, by_origin: vec![origin] },
            ..Heap::default()
        }),
        descriptors: Some(Descriptors {
            opened: 5,
            closed: 2,
            peak_open: 4,
            still_open: vec![open(3), open(4), open(6)],
            ..Descriptors::default()
        }),
        latency: vec![malloc],
        memory_at_exit: Some(MemoryAtExit { vm_hwm_bytes: Some(9_000_000), ..MemoryAtExit::default() }),
        ..quiet(pid, "./leaky")
    }
}

fn report(processes: Vec<Process>) -> Report {
    let target = Target { command: processes[0].command.clone(), exit_code: Some(0), ..Target::default() };
    Report { target, duration_ns: 2_100_000, events: 100_007, processes, ..Report::default() }
}

#[test]
fn a_leak_is_told_in_five_lines_and_shown_below() {
    assert_eq!(
        rendered(&report(vec![leaky(42)])),
        "\
calltap: ./leaky left 100000 blocks, 6.40 MB still allocated; 3 descriptors left open; status 0
where:   100000 blocks of 6.40 MB (6400000 bytes) by malloc in make_node (leaky.c:12); descriptor 3 (file /etc/hostname) by open in read_name (leaky.c:30)
next:    calltap run --flamegraph FILE.svg ... draws where all of it comes from
lost:    0 records
seen:    100007 calls in 2.10 ms, 1 program in 1 process

process 42: ./leaky; status 0, 1 thread, 2.00 ms, peak resident 9.00 MB
  heap: 100001 allocations, 1 free, 0 reallocations, 6.40 MB in all; peak 6.40 MB (6404096 bytes) at 1.20 ms
  still allocated: 100000 blocks, 6.40 MB (6400000 bytes)
    6.40 MB in 100000 blocks by malloc
        make_node  leaky.c:12
        build      leaky.c:20  (inlined)
        main       leaky.c:40
  kept by run-times: 1 block, 4.10 kB (stdio buffers 4.10 kB)
    users of the heap    bytes  blocks  in
    at the peak        6.40 MB  100000  make_node (leaky.c:12)
  descriptors: 5 opened, 2 closed, 3 still open, at most 4 at once, 0 failed closes
    3 (fd 3..6) file /etc/hostname by open
        read_name  leaky.c:30
        main       leaky.c:41
  latency of the real functions, by total time
    function   count  errors    total    min    p50    p90     p99    p99.9      max
    malloc    100001       0  4.10 ms  18 ns  38 ns  60 ns  120 ns  1.90 us  45.0 us
"
    );
}

#[test]
fn a_clean_program_is_told_to_be_clean() {
    let text = rendered(&report(vec![quiet(1, "true")]));
    let lines: Vec<_> = text.lines().take(3).collect();
    assert_eq!(
        lines,
        [
            "calltap: true did not leak: no block still allocated, no descriptor left open; status 0",
            "where:   nowhere",
            "next:    calltap run --format json -o FILE ... has every stack and percentile",
        ]
    );
}

#[test]
fn what_was_not_used_is_told_in_a_few_words() {
    let mut process = quiet(1, "true");
    process.heap = Some(Heap::default());
    let text = rendered(&report(vec![process]));
    assert!(text.ends_with("\n  heap: nothing allocated\n  descriptors: none opened\n"), "{text}");
}

#[test]
fn nothing_is_claimed_of_what_was_not_looked_at() {
    let mut process = quiet(1, "busybox");
    (process.heap, process.descriptors, process.tapped) = (None, None, false);
    process.untapped_reason = Some("statically linked".to_owned());
    let text = rendered(&report(vec![process]));
    assert!(text.starts_with("calltap: busybox was not looked into (statically linked); status 0\n"));
    assert!(text.contains("process 1: busybox; status 0; not tapped: statically linked\n"));

    let mut process = quiet(1, "ls");
    process.heap = None;
    let text = rendered(&report(vec![process]));
    assert!(text.starts_with("calltap: ls left no descriptor open (memory not tapped); status 0\n"));
}

#[test]
fn three_hundred_children_do_not_make_three_hundred_sections() {
    let mut processes: Vec<_> = (0..300).map(|pid| quiet(1000 + pid, "child")).collect();
    processes[200] = leaky(1200);
    let text = rendered(&report(processes));
    assert!(text.lines().count() < 50, "{text}");
    assert!(text.starts_with("calltap: child left 100000 blocks, 6.40 MB still allocated; 3 descriptors"));
    assert!(text.contains("\nprocess 1000: child; status 0, 1 thread"), "the target itself: {text}");
    assert!(text.contains("\nprocess 1200: ./leaky; status 0, 1 thread"), "the one that leaks: {text}");
    assert!(
        text.contains("\nprocess 1001: child; status 0; no block still allocated, no descriptor left open\n")
    );
    assert!(text.ends_with("... and 283 more (all with --format json)\n"), "{text}");
}

#[test]
fn what_exec_clears_away_is_no_leak() {
    let mut before = leaky(7);
    before.ended_by = EndedBy::Exec;
    before.command = vec!["sh".to_owned()];
    let text = rendered(&report(vec![before, quiet(7, "ls")]));
    assert!(text.starts_with("calltap: sh did not leak"), "{text}");
    let line = "\nprocess 7: sh; replaced by exec; it had 100000 blocks, 6.40 MB, 3 descriptors open\n";
    assert!(text.contains(line), "{text}");
    assert!(text.contains("\nprocess 7: ls; status 0, 1 thread"), "{text}");
}

#[test]
fn an_image_that_exec_cleared_away_is_told_of_at_length_if_there_is_no_other() {
    let mut before = leaky(7);
    before.ended_by = EndedBy::Exec;
    let mut after = quiet(7, "busybox");
    (after.heap, after.descriptors, after.tapped) = (None, None, false);
    let text = rendered(&report(vec![before, after]));
    assert!(text.contains("\nprocess 7: ./leaky; replaced by exec, 1 thread"), "{text}");
    assert!(text.contains("\nprocess 7: busybox; status 0; not tapped"), "{text}");
}

#[test]
fn a_process_other_than_the_first_is_named_where_it_is_found() {
    let mut without_open = leaky(42);
    without_open.descriptors = None;
    let text = rendered(&report(vec![quiet(41, "sh"), without_open, leaky(43)]));
    let lines: Vec<_> = text.lines().take(2).collect();
    assert!(
        lines[0].starts_with("calltap: sh left 200000 blocks, 12.8 MB still allocated in 2 processes; 3"),
        "{text}"
    );
    assert!(lines[1].starts_with("where:   process 42 (leaky): 100000 blocks of 6.40 MB"), "{text}");
    assert!(lines[1].contains("(leaky.c:12); process 43 (leaky): descriptor 3 (file"), "{text}");
    let text = rendered(&report(vec![quiet(41, "sh"), leaky(42)]));
    assert!(text.contains("\nwhere:   process 42 (leaky): 100000 blocks of"), "{text}");
    assert!(text.contains("(leaky.c:12); descriptor 3 (file"), "once: {text}");
}

#[test]
fn a_first_process_that_was_not_tapped_costs_no_other_its_section() {
    let mut process = quiet(1, "busybox");
    (process.heap, process.descriptors, process.tapped) = (None, None, false);
    let text = rendered(&report(vec![process, leaky(2)]));
    assert!(text.contains("\nprocess 2: ./leaky; status 0, 1 thread"), "{text}");
    assert!(text.contains("\nprocess 1: busybox; status 0; not tapped"), "{text}");
}

#[test]
fn faults_come_before_leaks() {
    let mut process = leaky(1);
    let heap = process.heap.as_mut().unwrap();
    heap.double_frees = 2;
    heap.faults = vec![Fault {
        kind: "double",
        address: 0x5000,
        function: "free".to_owned(),
        site: site(0x1401, "drop_all"),
        stack: Stack::default(),
        tid: 1,
        at_ns: 3,
    }];
    heap.mismatched_frees = 1;
    heap.mismatches = vec![Mismatch {
        times: 1,
        address: 0x6000,
        bytes: 8,
        allocated_by: "malloc".to_owned(),
        allocated_at: site(0x1500, "a"),
        allocated_stack: stack(9, &["a  a.c:1"]),
        released_by: "_ZdlPv".to_owned(),
        released_at: site(0x1600, "b"),
        released_stack: Stack::default(),
    }];
    let text = rendered(&report(vec![process]));
    let lines: Vec<_> = text.lines().collect();
    assert!(lines[0].contains("2 x double free; 1 x release by the wrong function; status 0"), "{text}");
    assert!(lines[1].starts_with("where:   double free at leaky+0x1401 (drop_all); 100000 blocks"), "{text}");
    assert_eq!(
        lines[2],
        "next:    calltap run --stacks-at all ... shows who called the function that released"
    );
    assert!(text.contains("wrong releases: 2 double, 1 by a function of another family\n"));
    assert!(text.contains("malloc in a (a.c:1)  operator delete at leaky+0x1600 (b)\n"), "{text}");
}

#[test]
fn deaths_losses_and_blind_spots_are_told() {
    let mut report = report(vec![quiet(1, "server")]);
    report.target.exit_code = None;
    report.target.signal = Some(11);
    report.target.signal_name = Some("SIGSEGV".to_owned());
    report.lost_records = 12;
    report.blind_spots = vec!["static.so: its calls are bound inside".to_owned()];
    let text = rendered(&report);
    assert!(text.lines().next().unwrap().ends_with("; killed by SIGSEGV"));
    assert!(text.contains("lost:    12 records: the figures below are not complete\n"));
    assert!(text.ends_with("\nnot seen:\n  static.so: its calls are bound inside\n"));
}

#[test]
fn paths_and_commands_keep_to_their_line() {
    assert_eq!(shortened("one\ntwo", 60), "one two");
    assert_eq!(shortened("abcdef", 3), "abc...");
}

mod arenas;
mod descriptors;
mod outsized;
mod stacks;
mod system_calls;
