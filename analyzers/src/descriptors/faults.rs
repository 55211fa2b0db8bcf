//! Descriptors that were closed twice, by the wrong one, or used when they were closed.
//!
//! What is told here must not happen in a correct program, so doubt acquits: closes that fail are
//! double closes only where this process has closed that number before, and where the same place has
//! not also tried to close numbers that were never open (programs close whole ranges, to be safe).

use super::number::Close;
use crate::event::{Fd, FunctionId, Image, Thread};
use crate::hash::SpreadMap;
use crate::heap::Faults;
use crate::place::Place;

/// Of each kind of fault, this many are described; the others are counted.
const EXAMPLES: usize = 100;

/// Who did what when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Call {
    /// In which image: its stack belongs there.
    pub image: Image,
    /// Which function.
    pub function: FunctionId,
    /// Called from where; 0 if unknown.
    pub site: u64,
    /// Id of the call stack; 0 if none was taken.
    pub stack: u32,
    /// By which thread.
    pub thread: Thread,
    /// When, in nanoseconds since the session began: a close or a use when it began, an open when it
    /// had ended.
    pub at_ns: u64,
}

/// A close that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CloseFault {
    /// The number that was not open.
    pub fd: Fd,
    /// By which function.
    pub function: FunctionId,
    /// Called from where; 0 if unknown.
    pub site: u64,
    /// Id of the call stack; 0 if none was taken.
    pub stack: u32,
    /// By which thread.
    pub thread: Thread,
    /// When.
    pub at_ns: u64,
}

/// A close (EBADF) of what this process had closed already.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DoubleClose {
    /// The number.
    pub fd: Fd,
    /// Of what it was: see [`super::OpenDescriptor::kind`]; empty if it is not known.
    pub kind: &'static str,
    /// Path, name or peer; empty if it had none.
    pub path: Vec<u8>,
    /// Who had opened it; None if it was inherited.
    pub opened: Option<Call>,
    /// Who had closed it.
    pub first: Call,
    /// Who closed it again.
    pub second: Call,
}

/// A close of another thread's descriptor, by a thread that had had that number before.
///
/// Thread A opens and closes 5, thread B is given 5, A closes 5 again: B's is gone. Told where A did
/// nothing else with descriptors in between, closed at the same place again, and B opened it at
/// another place than A; or where B then met EBADF.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ForeignClose {
    /// The number.
    pub fd: Fd,
    /// Of what it was.
    pub kind: &'static str,
    /// Path, name or peer; empty if it had none.
    pub path: Vec<u8>,
    /// Who had opened it.
    pub opened: Call,
    /// Who had closed the same number's former owner, which was its own.
    pub former: Call,
    /// Who closed it.
    pub closed: Call,
    /// The opener's call that found it closed, if one did.
    pub missed: Option<Call>,
}

/// A use (EBADF) of what this process had closed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UseAfterClose {
    /// The number.
    pub fd: Fd,
    /// Of what it was.
    pub kind: &'static str,
    /// Path, name or peer; empty if it had none.
    pub path: Vec<u8>,
    /// Who had opened it; None if it was inherited.
    pub opened: Option<Call>,
    /// Who had closed it.
    pub closed: Call,
    /// Who used it.
    pub used: Call,
}

/// A call that got no descriptor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exhausted {
    /// EMFILE (24): too many open in this process. ENFILE (23): too many open in the system.
    pub errno: u16,
    /// Which.
    pub call: Call,
}

/// All faults of one process.
#[derive(Clone, Debug, Default)]
pub(crate) struct DescriptorFaults {
    pub(crate) failed_closes: Faults<CloseFault>,
    pub(crate) foreign_closes: Faults<ForeignClose>,
    pub(crate) uses_after_close: Faults<UseAfterClose>,
    pub(crate) exhausted: Faults<Exhausted>,
    /// By the place of the second close: how often, and the first time.
    pub(super) double: SpreadMap<Place, (u64, DoubleClose)>,
    /// Places that closed what was never open.
    pub(super) sweepers: SpreadMap<Place, ()>,
    /// Each thread's last call that failed.
    pub(super) latest: SpreadMap<Thread, (Fd, Close, Verdict)>,
}

/// What a failed call was taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Harmless,
    Sweep,
    Double,
    Foreign,
    Use,
    Exhaustion,
}

impl Call {
    pub(crate) const fn new(image: Image, place: Place, thread: Thread, at_ns: u64) -> Self {
        Self { image, function: place.function, site: place.site, stack: place.stack, thread, at_ns }
    }
}

impl DescriptorFaults {
    /// Double closes at places that do not close ranges.
    pub(crate) fn double_closes(&self) -> Faults<DoubleClose> {
        let places = self.double.iter().filter(|(place, _)| !self.sweepers.contains_key(place));
        let mut faults: Vec<_> = places.map(|(_, fault)| fault).collect();
        faults.sort_by_key(|(_, fault)| (fault.second.at_ns, fault.fd));
        Faults {
            count: faults.iter().map(|(count, _)| count).sum(),
            examples: faults.into_iter().map(|(_, fault)| fault.clone()).take(EXAMPLES).collect(),
        }
    }

    /// Nothing of this thread will come.
    pub(crate) fn thread_ended(&mut self, thread: Thread) {
        self.latest.remove(&thread);
    }

    /// The same call's name and place, told by the outer call.
    pub(super) fn rename(&mut self, fd: Fd, inner: &Close, outer: &Close, verdict: Verdict, image: Image) {
        let (was, is) = (inner.call(image), outer.call(image));
        match verdict {
            Verdict::Double => {
                let Some((count, fault)) = self.double.get_mut(&inner.place) else { return };
                let fault = DoubleClose { second: is, ..fault.clone() };
                *count -= 1;
                if *count == 0 {
                    self.double.remove(&inner.place);
                }
                self.double.entry(outer.place).or_insert((0, fault)).0 += 1;
            }
            Verdict::Use => {
                let last = self.uses_after_close.examples.last_mut();
                if let Some(fault) = last.filter(|fault| fault.fd == fd && fault.used == was) {
                    fault.used = is;
                }
            }
            Verdict::Exhaustion => {
                if let Some(fault) = self.exhausted.examples.last_mut().filter(|fault| fault.call == was) {
                    fault.call = is;
                }
            }
            Verdict::Foreign => {
                let last = self.foreign_closes.examples.last_mut();
                if let Some(fault) = last.filter(|fault| fault.fd == fd && fault.missed == Some(was)) {
                    fault.missed = Some(is);
                }
            }
            Verdict::Sweep => {
                self.sweepers.insert(outer.place, ());
            }
            Verdict::Harmless => {}
        }
    }
}
