//! What comes by fork and exec.

use super::*;

const CHILD: Image = Image(2);
const NEXT: Image = Image(3);

fn open_with(start_ns: u64, fd: i32, close_on_exec: bool) -> Event<'static> {
    let flags = OpenFlags { word: Some(0), close_on_exec: Some(close_on_exec) };
    call(MAIN, start_ns, Action::Opened { fd: Fd(fd), kind: "file", path: b"/etc/hosts", flags })
}

fn fds(numbers: &[i32]) -> Vec<Fd> {
    numbers.iter().copied().map(Fd).collect()
}

/// A program that was started with 0, 1 and 2.
fn started(events: &[Event<'_>]) -> Descriptors {
    let mut descriptors = Descriptors::new(IMAGE);
    (0..3).for_each(|fd| descriptors.given(Fd(fd), b"/dev/pts/0"));
    events.iter().for_each(|event| descriptors.observe(event));
    descriptors
}

fn executed(former: &Descriptors, held: &[i32]) -> DescriptorReport {
    let mut next = former.executed(NEXT);
    next.holds(900, &fds(held), Occasion::Executed);
    next.report()
}

fn numbers(report: &DescriptorReport) -> Vec<i32> {
    report.inherited.iter().map(|one| one.fd.0).collect()
}

#[test]
fn what_the_target_was_started_with_is_no_finding_and_counts_as_in_use() {
    let report = started(&[open(100, 3), close(300, 1)]).report();
    assert_eq!((numbers(&report), report.began_with), (vec![0, 2], 3));
    assert_eq!((report.inherited[0].kind, report.inherited[0].from), ("pty", Origin::Given));
    assert_eq!((report.closed_inherited, report.peak_in_use, report.in_use()), (1, 4, 3));
}

#[test]
fn a_forked_child_has_exactly_what_the_kernel_says() {
    let parent = started(&[open(100, 3), open(200, 4)]);
    let mut child = Descriptors::forked(CHILD, parent.inherit());
    child.holds(500, &fds(&[0, 1, 2, 4, 7]), Occasion::Forked);
    let report = child.report();
    assert_eq!((numbers(&report), report.began_with), (vec![0, 1, 2, 4, 7], 5));
    let born = report.inherited[3].opened.expect("the parent opened it");
    assert_eq!((born.image, born.at_ns, report.inherited[3].from), (IMAGE, 220, Origin::Forked));
    assert_eq!((report.inherited[4].kind, report.inherited[4].from), ("unknown", Origin::Found));
}

#[test]
fn an_exec_passes_on_what_has_no_close_on_exec() {
    let report = executed(&started(&[open_with(100, 3, false), open_with(200, 4, true)]), &[0, 1, 2, 3]);
    assert_eq!((numbers(&report), report.mispredicted_at_exec), (vec![0, 1, 2, 3], 0));
    let passed = &report.passed_on.examples[..];
    assert_eq!((passed.len(), passed[0].fd, passed[0].at_ns, passed[0].opened.at_ns), (1, Fd(3), 900, 120));
    assert!(report.inherited.iter().all(|one| one.from == Origin::Executed));
}

#[test]
fn an_exec_that_closes_other_than_predicted_is_counted() {
    let former = started(&[open_with(100, 3, false), open_with(200, 4, true)]);
    assert_eq!(executed(&former, &[0, 1, 2, 4]).mispredicted_at_exec, 2);
}

#[test]
fn what_a_forked_child_opens_or_duplicates_before_its_exec_is_meant_to_be_passed_on() {
    let parent = started(&[open_with(100, 3, false), open_with(200, 4, false), open_with(300, 5, false)]);
    let mut child = Descriptors::forked(CHILD, parent.inherit());
    child.observe(&dup2(400, 3, 1));
    child.observe(&dup2(450, 3, 9));
    child.observe(&call(MAIN, 500, Action::CloseOnExec { first: Fd(5), last: Fd(5), on: false }));
    let report = executed(&child, &[0, 1, 2, 3, 4, 5, 9]);
    let passed: Vec<_> = report.passed_on.examples.iter().map(|one| (one.fd.0, one.opened.image)).collect();
    assert_eq!(passed, [(3, IMAGE), (4, IMAGE)]);
}

#[test]
fn a_range_can_be_marked_for_the_exec_to_close() {
    let mut former = started(&[open(100, 3), open(200, 4)]);
    former.observe(&call(MAIN, 300, Action::CloseOnExec { first: Fd(3), last: Fd(i32::MAX), on: true }));
    let report = executed(&former, &[0, 1, 2]);
    assert_eq!((report.mispredicted_at_exec, report.passed_on.count), (0, 0));
}

#[test]
fn an_image_takes_over_what_it_did_under_its_provisional_number() {
    let mut provisional = Descriptors::new(Image(0x8000_0000));
    [open(100, 3), open(200, 4)].iter().for_each(|event| provisional.observe(event));
    let mut image = Descriptors::forked(CHILD, started(&[open(50, 8)]).inherit());
    image.adopt(provisional);
    assert_eq!((numbers(&image.report()), image.open_now()), (vec![], 2));
    let born = image.inherit();
    let child = Descriptors::forked(NEXT, born).report();
    assert!(child.inherited.iter().all(|one| one.opened.is_some_and(|call| call.image == CHILD)));
}

#[test]
fn an_inherited_descriptor_closed_inside_an_outer_close_counts_once() {
    let mut child = Descriptors::forked(CHILD, started(&[open(100, 3)]).inherit());
    child.observe(&close(300, 3));
    child.observe(&Event { end_ns: 400, ..close(290, 3) });
    assert_eq!(child.report().closed_inherited, 1);
}
