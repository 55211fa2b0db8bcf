//! What becomes of places in the program.

use calltap_analyzers::event::Image;
use calltap_analyzers::heap::PlaceUse;
use calltap_channel::stack::{End, GUESSED};

use super::*;
use crate::report::View;
use crate::report::stacks::{GroupBy, StackValue};
use crate::suppressions::Suppressions;

/// Two ways to `make` through `build`, one of them by another address of the same line, and one
/// straight from `main`.
fn program() -> Fake {
    Fake::default()
        .frame(0x1010, "make(int)  /src/a.c:1")
        .frame(0x1018, "make(int)  /src/a.c:2")
        .frame(0x1020, "build  /src/a.c:10")
        .frame(0x1028, "build  /src/a.c:10")
        .frame(0x1030, "main  /src/a.c:20")
        .kept_at(0x3010)
        .stack(&[0x1010, 0x1020, 0x1030], End::Outermost)
        .stack(&[0x1010, 0x1028, 0x1030], End::Outermost)
        .stack(&[0x1018, 0x1030], End::Outermost)
}

fn process(heap: HeapReport) -> ProcessFacts {
    ProcessFacts {
        image: Some(Image(1)),
        command: vec!["/srv/bin/server".to_owned()],
        findings: Some(ImageReport { heap: Some(heap), ..nothing() }),
        ..ProcessFacts::default()
    }
}

fn leaks() -> HeapReport {
    let still_allocated = vec![
        living(0x1010, 1, 2, 64),
        living(0x1010, 2, 1, 100),
        living(0x1018, 3, 1, 120),
        living(0x1030, 0, 4, 8),
    ];
    HeapReport { still_allocated, ..HeapReport::default() }
}

fn with(wishes: &Wishes, processes: Vec<ProcessFacts>) -> (Report, Option<Folded>) {
    Report::build(Facts { processes, ..Facts::default() }, &mut program(), wishes)
}

fn view(view: View) -> Wishes {
    Wishes { view, ..Wishes::default() }
}

fn heap_of(wishes: &Wishes, heap: HeapReport) -> model::Heap {
    let (mut report, _) = with(wishes, vec![process(heap)]);
    report.processes.remove(0).heap.unwrap()
}

fn names(stack: &model::Stack) -> String {
    stack.frames.iter().map(|frame| frame.function.as_deref().unwrap_or("?")).collect::<Vec<_>>().join(" ")
}

#[test]
fn leaks_of_stacks_that_look_alike_are_added_up() {
    let left = heap_of(&Wishes::default(), leaks()).still_allocated;
    let rows: Vec<_> =
        left.by_stack.iter().map(|row| (row.bytes, row.blocks, row.stack.id, names(&row.stack))).collect();
    assert_eq!(
        rows,
        [
            (164, 3, Some(2), "make(int) build main".to_owned()),
            (120, 1, Some(3), "make(int) main".to_owned()),
            (8, 4, None, "main".to_owned()),
        ]
    );
    let first = &left.by_stack[0];
    assert_eq!((first.largest_bytes, first.oldest_at_ns, &*first.function), (100, 98, "malloc"));
    assert_eq!((left.blocks, left.bytes, left.by_site.len()), (8, 292, 3));
    assert_eq!(left.by_stack_omitted, model::Omitted::default());
}

#[test]
fn leaks_are_grouped_as_asked() {
    let rows = |group_by| {
        let wishes = view(View { group_by: Some(group_by), ..View::default() });
        let rows = heap_of(&wishes, leaks()).still_allocated.by_stack;
        rows.into_iter().map(|row| (row.group.unwrap(), row.bytes)).collect::<Vec<_>>()
    };
    let row = |group: &str, bytes| (group.to_owned(), bytes);
    assert_eq!(rows(GroupBy::Function), [row("make(int)", 284), row("main", 8)]);
    assert_eq!(rows(GroupBy::Site), [row("/src/a.c:1", 164), row("/src/a.c:2", 120), row("/src/a.c:20", 8)]);
    assert_eq!(rows(GroupBy::Object), [row("/srv/bin/leaky", 292)]);
}

#[test]
fn a_text_gets_the_top_and_the_sum_of_the_rest() {
    let left = heap_of(&view(View { top: 1, whole: false, ..View::default() }), leaks()).still_allocated;
    assert_eq!(left.by_stack.len(), 1);
    assert_eq!(left.by_stack_omitted, model::Omitted { groups: 2, blocks: 5, bytes: 128 });
    let largest = left.largest.unwrap();
    assert_eq!((largest.bytes, names(&largest.stack)), (164, "make(int) build main".to_owned()));
}

#[test]
fn suppressed_leaks_are_no_leaks() {
    let suppressions = Suppressions::parse("leak:nothing\nleak:build\nleak:^main$\n", "x").unwrap();
    let folded = Some(StackValue::Leaked);
    let wishes = Wishes { suppressions, folded, ..Wishes::default() };
    let (report, folded) = with(&wishes, vec![process(leaks())]);
    let heap = report.processes[0].heap.as_ref().unwrap();
    let told: Vec<_> = heap.suppressed.iter().map(|s| (&*s.pattern, s.blocks, s.bytes)).collect();
    assert_eq!(told, [("build", 3, 164), ("^main$", 5, 128)], "the innermost frame that matches decides");
    assert_eq!(heap.still_allocated, model::StillAllocated::default());
    let mut lines = Vec::new();
    folded.unwrap().write(&mut lines).unwrap();
    assert!(lines.is_empty());
}

#[test]
fn what_the_run_times_keep_is_neither_suppressed_nor_folded() {
    let heap = HeapReport { still_allocated: vec![living(0x3010, 0, 1, 288)], ..HeapReport::default() };
    let suppressions = Suppressions::parse("leak:*", "x").unwrap();
    let wishes = Wishes { suppressions, folded: Some(StackValue::Leaked), ..Wishes::default() };
    let (report, folded) = with(&wishes, vec![process(heap)]);
    let heap = report.processes[0].heap.as_ref().unwrap();
    assert_eq!((heap.suppressed.len(), heap.runtime_owned.blocks), (0, 1));
    let mut lines = Vec::new();
    folded.unwrap().write(&mut lines).unwrap();
    assert!(lines.is_empty());
}

#[test]
fn without_an_exit_snapshot_sites_are_named_by_the_objects_that_were_met() {
    let heap = heap_of(&Wishes::default(), leaks());
    let site = &heap.still_allocated.by_site[0].site;
    assert_eq!((site.address, site.to_string()), (0x1010, "leaky+0x10 (make(int))".to_owned()));
    assert!(!heap.still_allocated.by_stack[0].guess);
    let nowhere = HeapReport { still_allocated: vec![living(0, 0, 1, 1)], ..HeapReport::default() };
    let left = heap_of(&Wishes::default(), nowhere).still_allocated;
    assert!(left.by_stack[0].guess);
    assert_eq!(left.by_site[0].site.to_string(), "unknown");
}

#[test]
fn stacks_that_end_early_or_have_a_guess_are_counted_once_each() {
    let mut source = Fake::default().stack(&[0x1010], End::Lost).stack(&[0x1010], End::Depth);
    source.stacks[1].frames[0] = source.stacks[1].frames[0].with(0, GUESSED);
    let heap = HeapReport {
        still_allocated: vec![living(0x1010, 1, 1, 1), living(0x1010, 2, 1, 1)],
        by_place: vec![place(0x1010, 1, [1; 5]), place(0x1010, 9, [1; 5])],
        ..HeapReport::default()
    };
    let facts = Facts { processes: vec![process(heap)], ..Facts::default() };
    let (report, _) = Report::build(facts, &mut source, &Wishes::default());
    assert_eq!((report.stacks.lost, report.stacks.guessed), (1, 1));
}

fn place(site: u64, stack: u32, figures: [u64; 5]) -> PlaceUse {
    let [allocations, allocated_bytes, temporary, peak_blocks, peak_bytes] = figures;
    PlaceUse {
        site,
        stack,
        function: id("malloc"),
        allocations,
        reallocations: 1,
        allocated_bytes,
        temporary,
        live_blocks: 0,
        live_bytes: 0,
        peak_blocks,
        peak_bytes,
        largest: 0,
        first_birth_ns: 0,
    }
}

fn uses() -> HeapReport {
    let by_place = vec![
        place(0x1010, 1, [10, 500, 0, 1, 50]),
        place(0x1010, 2, [20, 100, 5, 1, 30]),
        place(0x1018, 3, [25, 900, 0, 0, 0]),
    ];
    HeapReport { by_place, ..HeapReport::default() }
}

#[test]
fn users_of_the_heap_are_ranked_by_each_value() {
    let uses = heap_of(&Wishes::default(), uses()).by_stack;
    let told = |rows: &[model::UseTotal]| -> Vec<_> {
        rows.iter().map(|row| (row.allocations, row.allocated_bytes, row.temporary, row.peak_bytes)).collect()
    };
    let (both, other) = ((30, 600, 5, 80), (25, 900, 0, 0));
    assert_eq!(uses.groups, 2);
    assert_eq!(told(&uses.peak), [both], "who has none is not listed");
    assert_eq!(told(&uses.allocated), [other, both]);
    assert_eq!(told(&uses.allocations), [both, other]);
    assert_eq!(told(&uses.temporary), [both]);
    assert_eq!((uses.peak[0].reallocations, uses.peak[0].stack.id), (2, Some(1)), "the most of it");
    assert_eq!(uses.temporary[0].stack.id, Some(2));
}

#[test]
fn a_text_without_wishes_gets_users_by_caller() {
    let heap = heap_of(&view(View { whole: false, ..View::default() }), uses());
    assert_eq!(heap.by_stack, model::Uses::default());
    let allocations: Vec<_> = heap.by_caller.allocations.iter().map(|user| user.allocations).collect();
    assert_eq!(allocations, [30, 25]);
}

#[test]
fn any_value_can_be_folded_and_several_processes_are_told_apart() {
    let folded = |value, processes| {
        let mut lines = Vec::new();
        let wishes = Wishes { folded: Some(value), ..Wishes::default() };
        with(&wishes, processes).1.unwrap().write(&mut lines).unwrap();
        String::from_utf8(lines).unwrap()
    };
    let one = |value| folded(value, vec![process(uses())]);
    assert_eq!(one(StackValue::Peak), "main;build;make 80\n");
    assert_eq!(one(StackValue::Allocated), "main;build;make 600\nmain;make 900\n");
    assert_eq!(one(StackValue::Allocations), "main;build;make 30\nmain;make 25\n");
    assert_eq!(one(StackValue::Temporary), "main;build;make 5\n");
    let two = folded(StackValue::Leaked, vec![process(leaks()), process(leaks())]);
    assert_eq!(two, "server;main 16\nserver;main;build;make 328\nserver;main;make 240\n");
}

#[test]
fn only_descriptors_that_the_kernel_still_has_are_folded() {
    let open = |fd| OpenDescriptor {
        fd: Fd(fd),
        kind: "file",
        path: b"a".into(),
        function: id("open"),
        site: 0x1018,
        stack: 3,
        thread: Thread(1),
        opened_ns: 8,
        ..OpenDescriptor::default()
    };
    let found = DescriptorReport { still_open: vec![open(3), open(4)], ..DescriptorReport::default() };
    let table = vec![Descriptor { fd: 4, target: "/a".to_owned(), flags: None }];
    let facts = ProcessFacts {
        image: Some(Image(1)),
        snapshot: Some(ExitSnapshot { descriptors: Some(table), ..ExitSnapshot::default() }),
        findings: Some(ImageReport { descriptors: Some(found), ..nothing() }),
        ..ProcessFacts::default()
    };
    let wishes = Wishes { folded: Some(StackValue::Descriptors), ..Wishes::default() };
    let (report, folded) = with(&wishes, vec![facts]);
    let open = &report.processes[0].descriptors.as_ref().unwrap().still_open;
    assert_eq!((open.len(), names(&open[0].stack)), (1, "make(int) main".to_owned()));
    let mut lines = Vec::new();
    folded.unwrap().write(&mut lines).unwrap();
    assert_eq!(lines, b"main;make 1\n");
}

#[test]
fn of_many_processes_a_text_names_the_users_of_those_that_may_be_shown() {
    let one = |n| process(HeapReport { live_bytes: n, by_place: uses().by_place, ..leaks() });
    let processes = || (0..100).map(one).collect::<Vec<_>>();
    let (report, _) = with(&view(View { whole: false, ..View::default() }), processes());
    let named: Vec<usize> =
        (0..100).filter(|&n| !report.processes[n].heap.as_ref().unwrap().by_caller.peak.is_empty()).collect();
    assert_eq!(named, std::iter::once(0).chain(81..100).collect::<Vec<_>>());
    assert!(report.processes.iter().all(|p| p.heap.as_ref().unwrap().still_allocated.by_stack.len() == 3));
    let (report, _) = with(&Wishes::default(), processes());
    assert!(report.processes.iter().all(|p| p.heap.as_ref().unwrap().by_stack.groups == 2));
}
