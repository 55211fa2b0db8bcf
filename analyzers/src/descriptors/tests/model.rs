//! A kernel's table of descriptors beside the ledger, through forks and execs.

use std::collections::BTreeMap;

use super::*;

/// One thing that a process does.
#[derive(Clone, Copy, Debug)]
enum Step {
    Open { close_on_exec: bool, told: Told },
    Close { fd: i32, told: Told },
    DuplicateOnto { from: i32, onto: i32, told: Told },
    CloseRange { first: i32, last: i32 },
    CloseOnExec { fd: i32, on: bool },
    Fork,
    Execute,
}

/// Who tells of it.
#[derive(Clone, Copy, Debug)]
enum Told {
    /// A hook.
    Hook,
    /// The tracer: no library call is around it.
    Stop,
    /// The tracer, then a hook whose call was around it.
    Both,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let told = || prop_oneof![Just(Told::Hook), Just(Told::Stop), Just(Told::Both)];
    let fd = || 0..10_i32;
    let step = prop_oneof![
        6 => (any::<bool>(), told()).prop_map(|(close_on_exec, told)| Step::Open { close_on_exec, told }),
        4 => (fd(), told()).prop_map(|(fd, told)| Step::Close { fd, told }),
        2 => (fd(), fd(), told()).prop_map(|(from, onto, told)| Step::DuplicateOnto { from, onto, told }),
        1 => (fd(), fd()).prop_map(|(first, last)| Step::CloseRange { first, last }),
        1 => (fd(), any::<bool>()).prop_map(|(fd, on)| Step::CloseOnExec { fd, on }),
        1 => Just(Step::Fork),
        1 => Just(Step::Execute),
    ];
    prop::collection::vec(step, 1..80)
}

/// A process with its true table, number to close-on-exec, and its ledger.
struct Process {
    table: BTreeMap<i32, bool>,
    ledger: Descriptors,
    images: u32,
    at_ns: u64,
}

impl Process {
    fn start() -> Self {
        let mut ledger = Descriptors::new(IMAGE);
        (0..3).for_each(|fd| ledger.given(Fd(fd), b"/dev/null"));
        Self { table: (0..3).map(|fd| (fd, false)).collect(), ledger, images: 1, at_ns: 0 }
    }

    fn tell(&mut self, told: Told, errno: u16, action: Action<'static>) {
        let outer = Event { errno, end_ns: self.at_ns + 90, ..call(MAIN, self.at_ns, action) };
        let inner = Event { start_ns: self.at_ns + 20, end_ns: self.at_ns + 70, ..on(5, outer) };
        match told {
            Told::Hook => self.ledger.observe(&outer),
            Told::Stop => self.ledger.observe(&inner),
            Told::Both => [inner, outer].iter().for_each(|event| self.ledger.observe(event)),
        }
    }

    fn held(&self) -> Vec<Fd> {
        self.table.keys().copied().map(Fd).collect()
    }

    fn take(&mut self, step: Step) {
        self.at_ns += 1000;
        self.images += 1;
        let image = Image(self.images);
        match step {
            Step::Open { close_on_exec, told } => {
                let fd = (0..).find(|fd| !self.table.contains_key(fd)).expect("there are enough numbers");
                self.table.insert(fd, close_on_exec);
                let flags = OpenFlags { word: None, close_on_exec: Some(close_on_exec) };
                self.tell(told, 0, Action::Opened { fd: Fd(fd), kind: "file", path: b"/a", flags });
            }
            Step::Close { fd, told } => match self.table.remove(&fd) {
                Some(_) => self.tell(told, 0, Action::Closed { fd: Fd(fd) }),
                None => self.tell(told, 9, Action::CloseFailed { fd: Fd(fd) }),
            },
            Step::DuplicateOnto { from, onto, told } => {
                if from != onto && self.table.contains_key(&from) {
                    self.table.insert(onto, false);
                    let (from, onto) = (Fd(from), Fd(onto));
                    self.tell(told, 0, Action::DuplicatedOnto { from, onto, close_on_exec: Some(false) });
                }
            }
            Step::CloseRange { first, last } => {
                self.table.retain(|fd, _| !(first..=last).contains(fd));
                self.tell(Told::Hook, 0, Action::ClosedRange { first: Fd(first), last: Fd(last) });
            }
            Step::CloseOnExec { fd, on } => {
                if let Some(close_on_exec) = self.table.get_mut(&fd) {
                    *close_on_exec = on;
                    self.tell(Told::Hook, 0, Action::CloseOnExec { first: Fd(fd), last: Fd(fd), on });
                }
            }
            Step::Fork => {
                self.ledger = Descriptors::forked(image, self.ledger.inherit());
                self.ledger.holds(self.at_ns, &self.held(), Occasion::Forked);
            }
            Step::Execute => {
                self.table.retain(|_, close_on_exec| !*close_on_exec);
                self.ledger = self.ledger.executed(image);
                self.ledger.holds(self.at_ns, &self.held(), Occasion::Executed);
            }
        }
    }
}

proptest! {
    #[test]
    fn the_ledger_has_exactly_what_the_kernel_has(steps in steps()) {
        let mut process = Process::start();
        for step in steps {
            process.take(step);
            let kernel: Vec<_> = process.table.iter().map(|(fd, close_on_exec)| KernelDescriptor {
                fd: Fd(*fd),
                target: b"/a".to_vec(),
                close_on_exec: Some(*close_on_exec),
            }).collect();
            process.ledger.reconcile(process.at_ns + 500, &kernel);
            let report = process.ledger.report();
            let found = report.reconciliation.expect("it was just made");
            prop_assert_eq!(found.differences, vec![], "{:?}", step);
            prop_assert_eq!(found.other_close_on_exec, vec![], "{:?}", step);
            prop_assert_eq!(report.mispredicted_at_exec, 0);
            prop_assert_eq!(report.replaced_unseen, 0);
            prop_assert_eq!(report.opened, report.closed + report.still_open.len() as u64);
            prop_assert_eq!(process.ledger.in_use(), process.table.len() as u64);
            prop_assert_eq!(report.foreign_closes.count, 0);
        }
    }
}
