//! The ledger beside what the kernel says is open.

use std::collections::BTreeMap;

use super::Descriptors;
use super::descriptor::Descriptor;
use super::faults::Call;
use crate::event::Fd;

/// A descriptor as `/proc` has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KernelDescriptor {
    /// Its number.
    pub fd: Fd,
    /// Where `/proc/PID/fd/N` points.
    pub target: Vec<u8>,
    /// Whether an exec closes it, if that could be read.
    pub close_on_exec: Option<bool>,
}

/// How ledger and kernel compare.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reconciliation {
    /// When the kernel was asked, in nanoseconds since the session began.
    pub at_ns: u64,
    /// Numbers on which both agree.
    pub identical: u64,
    /// Numbers on which they do not, in order.
    pub differences: Vec<Difference>,
    /// Numbers on which both agree, but not on whether an exec closes them.
    pub other_close_on_exec: Vec<Fd>,
}

/// What a difference is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DifferenceKind {
    /// It is open and the ledger does not know it.
    OnlyInKernel,
    /// The ledger has it as open and it is not.
    OnlyInLedger,
    /// Both have it, as things that cannot be the same.
    OtherTarget,
}

/// A number on which ledger and kernel do not agree.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The number.
    pub fd: Fd,
    /// What the difference is.
    pub kind: DifferenceKind,
    /// Kind and path that the ledger has; empty if it has none.
    pub in_ledger: (&'static str, Vec<u8>),
    /// Where `/proc` points; empty if it has none.
    pub in_kernel: Vec<u8>,
    /// Who opened what the ledger has, if it knows.
    pub opened: Option<Call>,
}

impl Descriptors {
    /// At `at_ns` the kernel has exactly `kernel` open. The last time counts.
    pub fn reconcile(&mut self, at_ns: u64, kernel: &[KernelDescriptor]) {
        self.seen_ns = self.seen_ns.max(at_ns);
        let mut ledger: BTreeMap<Fd, (&Descriptor, Option<Call>)> =
            self.inherited.iter().map(|(fd, one)| (*fd, (&one.descriptor, one.opened))).collect();
        ledger.extend(
            self.open().map(|(fd, opened)| (fd, (&opened.descriptor, Some(opened.call(self.image))))),
        );
        let mut result = Reconciliation { at_ns, ..Reconciliation::default() };
        for real in kernel {
            let known = ledger.remove(&real.fd);
            let Some((descriptor, opened)) = known else {
                result.differences.push(Difference {
                    fd: real.fd,
                    kind: DifferenceKind::OnlyInKernel,
                    in_ledger: ("", Vec::new()),
                    in_kernel: real.target.clone(),
                    opened: None,
                });
                continue;
            };
            if !can_be(descriptor, &real.target) {
                result.differences.push(Difference {
                    fd: real.fd,
                    kind: DifferenceKind::OtherTarget,
                    in_ledger: named(descriptor),
                    in_kernel: real.target.clone(),
                    opened,
                });
                continue;
            }
            result.identical += 1;
            if let (Some(one), Some(other)) = (descriptor.close_on_exec, real.close_on_exec)
                && one != other
            {
                result.other_close_on_exec.push(real.fd);
            }
        }
        result.differences.extend(ledger.into_iter().map(|(fd, (descriptor, opened))| Difference {
            fd,
            kind: DifferenceKind::OnlyInLedger,
            in_ledger: named(descriptor),
            in_kernel: Vec::new(),
            opened,
        }));
        result.differences.sort_by_key(|difference| difference.fd);
        self.reconciliation = Some(result);
    }
}

fn named(descriptor: &Descriptor) -> (&'static str, Vec<u8>) {
    (descriptor.source.kind, descriptor.source.path.to_vec())
}

/// What `/proc/PID/fd/N` points to, as a kind; empty if its name does not tell.
pub(crate) fn kind_of(target: &[u8]) -> &'static str {
    const NAMES: [(&[u8], &str); 19] = [
        (b"socket:[", "socket"),
        (b"pipe:[", "pipe"),
        (b"/memfd:", "memfd"),
        (b"/secretmem", "memfd"),
        (b"/dev/shm/", "shared-memory"),
        (b"/dev/pts/", "pty"),
        (b"/dev/ptmx", "pty"),
        (b"/", "file"),
        (b"anon_inode:[eventpoll]", "epoll"),
        (b"anon_inode:[eventfd", "eventfd"),
        (b"anon_inode:[signalfd]", "signalfd"),
        (b"anon_inode:[timerfd]", "timerfd"),
        (b"anon_inode:inotify", "inotify"),
        (b"anon_inode:[fanotify]", "fanotify"),
        (b"anon_inode:[pidfd]", "pidfd"),
        (b"pidfd:[", "pidfd"),
        (b"anon_inode:[userfaultfd]", "userfaultfd"),
        (b"anon_inode:[perf_event]", "perf-event"),
        (b"anon_inode:[io_uring]", "io_uring"),
    ];
    NAMES.iter().find(|(name, _)| target.starts_with(name)).map_or("", |(_, kind)| kind)
}

/// Whether a descriptor of this kind can point there. Paths are not compared: the kernel has them
/// resolved, renamed and from its own root.
fn can_be(descriptor: &Descriptor, target: &[u8]) -> bool {
    let real = kind_of(target);
    match descriptor.source.kind {
        _ if real.is_empty() => true,
        // Opening these gives what is behind them, whatever that is.
        "file" if is_alias(&descriptor.source.path) => true,
        "file" | "directory" | "pty" | "shared-memory" | "message-queue" | "mount" => target[0] == b'/',
        kind @ ("socket" | "pipe" | "epoll" | "eventfd" | "signalfd" | "timerfd" | "inotify" | "fanotify"
        | "memfd" | "pidfd" | "userfaultfd" | "perf-event" | "io_uring") => real == kind,
        _ => true,
    }
}

fn is_alias(path: &[u8]) -> bool {
    [&b"/dev/fd"[..], b"/dev/std", b"/proc/", b"/dev/tty"].iter().any(|name| path.starts_with(name))
        || !path.starts_with(b"/")
}
