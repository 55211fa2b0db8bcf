//! Processes that come by fork, vfork and exec, and are known before they tell of themselves.

use super::*;

const CHILD: Image = Image(0x8000_0001);
const MAKER: Thread = Thread(1);
const CHILD_THREAD: Thread = Thread(77);

fn open(image: Image, at_ns: u64, fd: i32) -> Event<'static> {
    let flags = OpenFlags::default();
    event(image, at_ns, Action::Opened { fd: Fd(fd), kind: "file", path: b"/a", flags })
}

fn close(image: Image, at_ns: u64, fd: i32) -> Event<'static> {
    event(image, at_ns, Action::Closed { fd: Fd(fd) })
}

fn system_call(image: Image, at_ns: u64, name: &'static str, result: i64) -> SystemCall<'static> {
    SystemCall {
        image,
        thread: CHILD_THREAD,
        id: CallId::default(),
        name,
        start_ns: at_ns,
        end_ns: at_ns + 4,
        stopped_ns: 0,
        result,
        arguments: [3, 0, 0, 0, 0, 0],
        text: b"/b",
        site: 0,
        stack: 0,
        in_hook: None,
        entry_only: false,
    }
}

fn descriptors(session: &mut Session, image: Image) -> crate::descriptors::DescriptorReport {
    session.end(image).and_then(|report| report.descriptors).expect("it began")
}

#[test]
fn a_vfork_child_has_its_own_descriptors_in_its_makers_memory() {
    let mut session = Session::new(Config::default());
    session.begin(OLD, None, 0);
    session.observe(&open(OLD, 100, 3));
    session.begin_provisional(CHILD, Some(OLD), 200);
    session.vfork_child(MAKER, Some((CHILD, CHILD_THREAD)));
    session.system_call(&system_call(CHILD, 302, "close", 0));
    for action in [Action::Closed { fd: Fd(3) }, malloc(OLD, 0, 0x10).action] {
        session.observe(&Event { vfork_child: true, ..event(OLD, 300, action) });
    }
    session.vfork_child(MAKER, None);
    session.observe(&Event { vfork_child: true, ..close(OLD, 400, 3) });
    let child = descriptors(&mut session, CHILD);
    assert_eq!((child.closed_inherited, child.inherited.len()), (1, 0));
    let maker = session.end(OLD).expect("it began");
    assert_eq!(maker.heap.expect("it is on").live_blocks, 1);
    let maker = maker.descriptors.expect("it is on");
    assert_eq!((maker.still_open.len(), maker.vfork_child_calls), (1, 1));
}

#[test]
fn system_calls_open_and_close_where_no_hook_is() {
    let mut session = Session::new(Config::default());
    session.begin_provisional(CHILD, None, 0);
    session.system_call(&system_call(CHILD, 100, "openat", 3));
    session.system_call(&system_call(CHILD, 200, "openat", 4));
    session.system_call(&system_call(CHILD, 300, "close", 0));
    session.system_call(&system_call(YOUNG, 400, "close", 0));
    assert_eq!((session.totals().open_descriptors, session.totals().stray_events), (1, 1));
    let report = session.end(CHILD).expect("it began");
    assert_eq!((report.heap, report.mappings), (None, None));
    let open = &report.descriptors.expect("it is on").still_open;
    assert_eq!((open.len(), open[0].fd, &open[0].path[..]), (1, Fd(4), &b"/b"[..]));
}

#[test]
fn an_image_that_tells_of_itself_goes_on_where_its_provisional_one_was() {
    let mut session = Session::new(Config::default());
    session.begin(OLD, None, 0);
    session.observe(&open(OLD, 100, 3));
    session.begin_provisional(CHILD, Some(OLD), 200);
    session.holds(CHILD, 210, &[Fd(3)], Occasion::Forked);
    session.system_call(&system_call(CHILD, 300, "close", 0));
    session.observe(&open(OLD, 400, 9));
    session.begin(YOUNG, Some(OLD), 500);
    session.adopt(YOUNG, CHILD);
    assert_eq!(session.end(CHILD), None);
    assert_eq!(session.image(YOUNG).map(|ledger| ledger.descriptors().in_use()), Some(0));
}

#[test]
fn an_exec_passes_descriptors_from_one_image_to_the_next() {
    let mut session = Session::new(Config::default());
    session.begin(OLD, None, 0);
    session.given(OLD, Fd(0), b"/dev/null");
    session.observe(&open(OLD, 100, 3));
    session.observe(&open(OLD, 200, 4));
    session.begin_provisional(CHILD, None, 300);
    session.executed(OLD, CHILD);
    assert_eq!(descriptors(&mut session, OLD).still_open.len(), 2);
    session.holds(CHILD, 310, &[Fd(0), Fd(4)], Occasion::Executed);
    let kernel =
        [0, 4].map(|fd| KernelDescriptor { fd: Fd(fd), target: b"/a".to_vec(), close_on_exec: None });
    session.reconcile(CHILD, 400, &kernel);
    let report = descriptors(&mut session, CHILD);
    assert_eq!((report.passed_on.count, report.passed_on.examples[0].opened.image), (1, OLD));
    let reconciled = report.reconciliation.expect("it was made");
    assert_eq!((reconciled.identical, reconciled.differences.len()), (2, 0));
}

#[test]
fn a_call_around_a_system_call_bears_the_name_of_both() {
    let mut session = Session::new(Config::default());
    session.begin(OLD, None, 0);
    let inner = SystemCall { thread: MAKER, ..system_call(OLD, 102, "openat", 3) };
    session.system_call(&inner);
    session.observe(&open(OLD, 100, 3));
    session.thread_ended(OLD, MAKER, 200);
    let report = descriptors(&mut session, OLD);
    assert_eq!((report.opened, report.still_open[0].function), (1, FunctionId(3)));
}
