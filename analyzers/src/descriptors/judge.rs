//! Which calls are faults, and whose.

use super::Descriptors;
use super::faults::{Call, CloseFault, DoubleClose, Exhausted, ForeignClose, UseAfterClose, Verdict};
use super::number::{Close, Number, Opened};
use crate::event::{Event, Fd, Image};
use crate::pairing::Latest;

/// `EBADF`: nothing is open under that number.
pub(super) const BAD_DESCRIPTOR: u16 = 9;
/// `ENFILE`: the system has too many files open.
const SYSTEM_FULL: u16 = 23;
/// `EMFILE`: the process has too many files open.
const PROCESS_FULL: u16 = 24;

impl Descriptors {
    /// A close met EBADF.
    pub(super) fn close_failed(&mut self, event: &Event<'_>, fd: Fd) {
        let close = Close::of(event, false, 0);
        let fault = CloseFault {
            fd,
            function: event.function,
            site: event.site,
            stack: event.stack,
            thread: event.thread,
            at_ns: event.start_ns,
        };
        if let Some(inner) = self.told_before(fd, &close) {
            let examples = self.faults.failed_closes.examples.iter_mut().rev();
            let same = |known: &&mut CloseFault| {
                (known.fd, known.thread, known.at_ns) == (fd, inner.thread, inner.start_ns)
            };
            if let Some(known) = examples.take(1).find(same) {
                *known = fault;
            }
            return;
        }
        self.faults.failed_closes.add(fault);
        let verdict = if fd.0 < 0 { Verdict::Harmless } else { self.judge(fd, &close, Verdict::Double) };
        if verdict == Verdict::Sweep {
            self.faults.sweepers.insert(close.place, ());
        }
        self.faults.latest.insert(close.thread, (fd, close, verdict));
    }

    /// A use met EBADF.
    pub(super) fn use_failed(&mut self, event: &Event<'_>, fd: Fd) {
        let call = Close::of(event, false, 0);
        if self.told_before(fd, &call).is_none() {
            let verdict = self.judge(fd, &call, Verdict::Use);
            self.faults.latest.insert(call.thread, (fd, call, verdict));
        }
    }

    /// Whether a call failed because too many descriptors are open.
    pub(super) fn is_exhausted(errno: u16) -> bool {
        matches!(errno, PROCESS_FULL | SYSTEM_FULL)
    }

    /// A call found no free number.
    pub(super) fn exhausted(&mut self, event: &Event<'_>) {
        let call = Close::of(event, false, 0);
        let fd = Fd(-1);
        if self.told_before(fd, &call).is_none() {
            self.faults.exhausted.add(Exhausted { errno: event.errno, call: call.call(self.image) });
            self.faults.latest.insert(call.thread, (fd, call, Verdict::Exhaustion));
        }
    }

    /// The last close of `fd` found an owner: perhaps not its own.
    pub(super) fn perhaps_foreign(&mut self, fd: Fd) {
        let Some(number) = self.numbers.get_mut(&fd) else { return };
        let (Some(former), Some(close)) = (&number.former, &number.last_close) else { return };
        let Latest::Released(owner, _) = &number.history.latest else { return };
        let same_code = former.closed.place == close.place && close.place.stack != 0;
        let at_once = former.closed.turn + 1 == close.turn;
        let anothers = owner.thread != close.thread && owner.place != former.place;
        if former.thread == close.thread && same_code && at_once && anothers && !close.is_implied {
            let fault = foreign(self.image, fd, owner, former.closed.call(self.image), close, None);
            self.faults.foreign_closes.add(fault);
            number.former = None;
        }
    }

    /// The call inside `outer` that told of the same failure.
    fn told_before(&mut self, fd: Fd, outer: &Close) -> Option<Close> {
        let (known, inner, verdict) = self.faults.latest.get(&outer.thread)?;
        if *known != fd || !outer.encloses(inner) {
            return None;
        }
        let (inner, verdict) = (inner.clone(), *verdict);
        self.faults.rename(fd, &inner, outer, verdict, self.image);
        self.faults.latest.insert(outer.thread, (fd, outer.clone(), verdict));
        Some(inner)
    }

    /// A call found `fd` closed: whose fault is that?
    fn judge(&mut self, fd: Fd, call: &Close, plain: Verdict) -> Verdict {
        let known = self.numbers.get_mut(&fd).filter(|number| number.live().is_none());
        let Some(number) = known else {
            let is_open = self.numbers.contains_key(&fd) || self.inherited.contains_key(&fd);
            return if is_open { Verdict::Harmless } else { Verdict::Sweep };
        };
        let Some(closed) = number.last_close.clone().filter(|close| close.start_ns <= call.end_ns) else {
            return Verdict::Sweep;
        };
        if closed.is_implied {
            return Verdict::Harmless;
        }
        let owner = if let Latest::Released(owner, _) = &number.history.latest { Some(owner) } else { None };
        if let Some(fault) = owner.and_then(|owner| confirmed(self.image, fd, owner, number, call)) {
            self.faults.foreign_closes.add(fault);
            number.former = None;
            return Verdict::Foreign;
        }
        let (kind, path) = owner.map_or(("", Vec::new()), |owner| {
            (owner.descriptor.source.kind, owner.descriptor.source.path.to_vec())
        });
        let opened = owner.map(|owner| owner.call(self.image));
        let (first, second) = (closed.call(self.image), call.call(self.image));
        if plain == Verdict::Use {
            self.faults.uses_after_close.add(UseAfterClose {
                fd,
                kind,
                path,
                opened,
                closed: first,
                used: second,
            });
        } else {
            let fault = DoubleClose { fd, kind, path, opened, first, second };
            self.faults.double.entry(call.place).or_insert((0, fault)).0 += 1;
        }
        plain
    }
}

/// The opener finds closed what another thread closed that had had the number before.
fn confirmed(image: Image, fd: Fd, owner: &Opened, number: &Number, call: &Close) -> Option<ForeignClose> {
    let (former, closed) = (number.former.as_ref()?, number.last_close.as_ref()?);
    let by_another = closed.thread != call.thread && former.thread == closed.thread;
    (owner.thread == call.thread && by_another)
        .then(|| foreign(image, fd, owner, former.closed.call(image), closed, Some(call.call(image))))
}

fn foreign(
    image: Image,
    fd: Fd,
    owner: &Opened,
    former: Call,
    closed: &Close,
    missed: Option<Call>,
) -> ForeignClose {
    let source = &owner.descriptor.source;
    ForeignClose {
        fd,
        kind: source.kind,
        path: source.path.to_vec(),
        opened: owner.call(image),
        former,
        closed: closed.call(image),
        missed,
    }
}
