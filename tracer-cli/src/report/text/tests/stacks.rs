//! Stacks in texts.

use super::*;

fn leak(bytes: u64, stack: Stack) -> StackTotal {
    StackTotal { function: "malloc".to_owned(), blocks: 2, bytes, stack, ..StackTotal::default() }
}

fn with_leaks(by_stack: Vec<StackTotal>) -> Report {
    let mut process = quiet(1, "./leaky");
    let left = &mut process.heap.as_mut().unwrap().still_allocated;
    left.blocks = by_stack.iter().map(|leak| leak.blocks).sum();
    left.bytes = by_stack.iter().map(|leak| leak.bytes).sum();
    left.largest = by_stack.first().cloned();
    left.by_stack = by_stack;
    let stacks = StackCounts { depth: 32, ..StackCounts::default() };
    Report { stacks, ..report(vec![process]) }
}

#[test]
fn deep_stacks_keep_their_ends_and_recursion_is_counted() {
    let mut frames: Vec<String> = (0..20).map(|n| format!("f{n}  a.c:{n}")).collect();
    frames.splice(3..3, ["again  a.c:99".to_owned(), "again  a.c:99".to_owned(), "again  a.c:99".to_owned()]);
    let frames: Vec<&str> = frames.iter().map(String::as_str).collect();
    let report = with_leaks(vec![leak(10, stack(1, &frames))]);
    let text = rendered(&report);
    assert!(text.contains("\n        f2     a.c:2\n        again  a.c:99  (3 times)\n"), "{text}");
    let end = "        f8     a.c:8\n        ... 9 more callers (see --raw-stacks)\n        f18    a.c:18\n";
    assert!(text.contains(end), "{text}");
    let all = render(&report, &View { raw: true, ..VIEW });
    assert!(all.contains("f12    a.c:12\n") && !all.contains("more callers"), "{all}");
}

#[test]
fn a_stack_says_what_is_not_sure_and_why_it_ends() {
    let mut cut = stack(1, &["f  a.c:1", "", "jit"]);
    cut.end = Some(StackEnd::Depth);
    let guessed = std::sync::Arc::make_mut(&mut cut.frames[2]);
    (guessed.guessed, guessed.object) = (true, None);
    let mut lost = stack(2, &["g"]);
    lost.end = Some(StackEnd::Lost);
    let mut report = with_leaks(vec![leak(9, cut), leak(8, lost)]);
    (report.stacks.distinct, report.stacks.lost, report.stacks.guessed) = (2, 1, 1);
    let text = rendered(&report);
    let expected = "    9 B in 2 blocks by malloc
        f      a.c:1
        ??     leaky+0x1
        ? jit  0x55551002
        ... deeper than --stack-depth 32
    8 B in 2 blocks by malloc
        g  leaky+0x0
        ... lost: no unwind table
";
    assert!(text.contains(expected), "{text}");
    let spot = "\nnot seen:\n  stacks that end in code without an unwind table: 1\n  stacks with callers";
    assert!(text.contains(spot), "{text}");
}

#[test]
fn what_is_beyond_the_top_is_added_up() {
    let leaks: Vec<_> = (1..=5).rev().map(|n| leak(n * 100, stack(n as u32, &["f  a.c:1"]))).collect();
    let mut report = with_leaks(leaks);
    let omitted = Omitted { groups: 7, blocks: 70, bytes: 1_000 };
    report.processes[0].heap.as_mut().unwrap().still_allocated.by_stack_omitted = omitted;
    let text = render(&report, &View { top: 3, ..VIEW });
    assert!(text.contains("    300 B in 2 blocks"), "{text}");
    assert!(text.contains("\n    ... and 9 more stacks: 1.30 kB in 74 blocks (see --top)\n"), "{text}");
}

#[test]
fn groups_other_than_stacks_are_rows() {
    let mut row = leak(500, stack(1, &["ns::f(int)  /src/a.c:1", "main  /src/b/a.c:2"]));
    row.largest_bytes = 400;
    let told = |group: &str, group_by| {
        row.group = Some(group.to_owned());
        let report = with_leaks(vec![row.clone()]);
        let text = render(&report, &View { group_by: Some(group_by), ..VIEW });
        text.lines().skip_while(|line| !line.contains("largest")).take(2).collect::<Vec<_>>().join("\n")
    };
    let mut told = told;
    assert_eq!(
        told("ns::f(int)", GroupBy::Function),
        "    bytes  blocks  largest  function\n    500 B       2    400 B  ns::f"
    );
    assert_eq!(
        told("/src/a.c:1", GroupBy::Site),
        "    bytes  blocks  largest  place\n    500 B       2    400 B  ns::f (src/a.c:1)"
    );
    assert_eq!(
        told("/srv/bin/leaky", GroupBy::Object),
        "    bytes  blocks  largest  object\n    500 B       2    400 B  leaky"
    );
}

#[test]
fn users_of_the_heap_are_told_as_asked() {
    let user = |bytes, name: &str| UseTotal {
        function: "_Znwm".to_owned(),
        peak_bytes: bytes,
        peak_blocks: 1,
        stack: stack(1, &[name, "main  a.c:9"]),
        ..UseTotal::default()
    };
    let mut process = quiet(1, "./app");
    let heap = process.heap.as_mut().unwrap();
    heap.peak_live_bytes = 1_000;
    heap.by_caller.peak = vec![user(600, "std::vector<int>::push_back(int&&)  /usr/include/v.h:3")];
    heap.by_stack =
        Uses { groups: 5, peak: vec![user(600, "f  a.c:1"), user(300, "g  a.c:2")], ..Uses::default() };
    let report = report(vec![process]);
    let text = rendered(&report);
    let expected = "    users of the heap  bytes  blocks  in\n    at the peak        600 B       1  \
                    std::vector<int>::push_back (v.h:3), called from main (a.c:9)\n";
    assert!(text.contains(expected), "{text}");
    let text = render(&report, &View { group_by: Some(GroupBy::Stack), top: 1, ..VIEW });
    let expected = "  users of the heap at the peak: 1.00 kB
    600 B in 1 block by operator new
        f     a.c:1
        main  a.c:9
    ... and 4 more stacks: 400 B (see --top)
";
    assert!(text.contains(expected), "{text}");
}

#[test]
fn suppressed_leaks_are_counted() {
    let mut report = with_leaks(vec![]);
    let heap = report.processes[0].heap.as_mut().unwrap();
    let hidden = |pattern: &str, blocks, bytes| Suppressed { pattern: pattern.to_owned(), blocks, bytes };
    heap.suppressed = vec![hidden("a", 2, 100), hidden("b", 1, 20)];
    let text = rendered(&report);
    assert!(text.contains("\n  suppressed: 3 blocks, 120 B by 2 patterns\n"), "{text}");
    assert!(text.starts_with("calltap: ./leaky did not leak"), "{text}");
}

#[test]
fn the_verdict_names_the_programs_own_function() {
    let library = "std::vector<int>::push_back(int&&)  /usr/include/c++/12/bits/stl_vector.h:1294";
    let text = rendered(&with_leaks(vec![leak(64, stack(1, &[library, "fill  /src/fill.cc:7", "main"]))]));
    let place =
        "by malloc in std::vector<int>::push_back (stl_vector.h:1294), called from fill (fill.cc:7)\n";
    assert!(text.contains(place), "{text}");
}

#[test]
fn without_debug_information_the_verdict_says_what_to_do() {
    let text = rendered(&with_leaks(vec![leak(64, stack(1, &["make_node", "main"]))]));
    assert!(text.contains("by malloc in make_node (leaky+0x0)\n"), "{text}");
    assert!(text.contains("\nnext:    build leaky with -g, or name a directory"), "{text}");
}

#[test]
fn descriptors_of_one_stack_are_one_row() {
    let open = |fd, path: &str, id| StillOpen {
        fd,
        kind: "file".to_owned(),
        path: path.to_owned(),
        opened_by: "open".to_owned(),
        stack: stack(id, &["load  a.c:5"]),
        ..StillOpen::default()
    };
    let mut process = quiet(1, "./app");
    let descriptors = process.descriptors.as_mut().unwrap();
    descriptors.still_open = vec![open(3, "/a", 1), open(5, "/b", 1), open(9, "/a", 1)];
    let report = report(vec![process]);
    let text = rendered(&report);
    let expected = "    3 (fd 3..9) file /a (2), /b by open\n        load  a.c:5\n";
    assert!(text.contains(expected), "{text}");
    let text = render(&report, &View { group_by: Some(GroupBy::Object), ..VIEW });
    assert!(text.contains("    3 (fd 3..9) file /a (2), /b by open in leaky\n"), "{text}");
}
