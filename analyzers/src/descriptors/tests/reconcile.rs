//! The ledger beside the kernel.

use super::*;

fn real(fd: i32, target: &str) -> KernelDescriptor {
    KernelDescriptor { fd: Fd(fd), target: target.into(), close_on_exec: Some(false) }
}

fn opened(start_ns: u64, fd: i32, kind: &'static str, path: &'static [u8]) -> Event<'static> {
    call(MAIN, start_ns, Action::Opened { fd: Fd(fd), kind, path, flags: FLAGS })
}

fn reconciled(events: &[Event<'_>], kernel: &[KernelDescriptor]) -> Reconciliation {
    let mut descriptors = Descriptors::new(IMAGE);
    descriptors.given(Fd(0), b"/dev/null");
    events.iter().for_each(|event| descriptors.observe(event));
    descriptors.reconcile(900, kernel);
    descriptors.report().reconciliation.expect("it was just made")
}

#[test]
fn what_both_have_is_identical() {
    let events =
        [opened(100, 3, "socket", b""), opened(200, 4, "pipe", b""), opened(300, 5, "file", b"/lib/x")];
    let kernel =
        [real(0, "/dev/null"), real(3, "socket:[77]"), real(4, "pipe:[8]"), real(5, "/usr/lib/x (deleted)")];
    let result = reconciled(&events, &kernel);
    assert_eq!((result.identical, &result.differences[..], result.at_ns), (4, &[][..], 900));
}

#[test]
fn each_difference_is_told() {
    let events = [opened(100, 3, "socket", b""), opened(200, 4, "file", b"/a")];
    let result = reconciled(&events, &[real(3, "pipe:[8]"), real(4, "/a"), real(9, "/b")]);
    let told: Vec<_> = result.differences.iter().map(|one| (one.fd.0, one.kind)).collect();
    use DifferenceKind::{OnlyInKernel, OnlyInLedger, OtherTarget};
    assert_eq!(told, [(0, OnlyInLedger), (3, OtherTarget), (9, OnlyInKernel)]);
    assert_eq!(result.differences[1].opened.map(|call| call.at_ns), Some(120));
    assert_eq!((&result.differences[2].in_kernel[..], result.identical), (&b"/b"[..], 1));
}

#[test]
fn a_file_that_stands_for_another_descriptor_can_be_anything() {
    let events = [opened(100, 3, "file", b"/dev/stdin"), opened(200, 4, "file", b"/proc/self/ns/net")];
    let kernel = [real(0, "/dev/null"), real(3, "pipe:[8]"), real(4, "net:[4026531840]")];
    assert_eq!(reconciled(&events, &kernel).differences, []);
}

#[test]
fn close_on_exec_is_compared_where_both_know_it() {
    let marked = call(MAIN, 200, Action::CloseOnExec { first: Fd(3), last: Fd(3), on: true });
    let kernel = [real(0, "/dev/null"), real(3, "/a")];
    let result = reconciled(&[opened(100, 3, "file", b"/a"), marked], &kernel);
    assert_eq!((result.other_close_on_exec, result.identical), (vec![Fd(3)], 2));
}
