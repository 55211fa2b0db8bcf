//! What the arguments of system calls lead to, if calls are traced: copied out of stopped threads as the interposer copies
//! what those of library calls lead to.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use calltap_analyzers::kernel::CallId;
use calltap_channel::note::X86_64;
use calltap_channel::segment::Segment;
use calltap_channel::trace::plan::{Plan, Row};
use calltap_channel::trace::walk::{Memory, Scratch, Sink, Values, walk};

use super::memory;
use super::notes::Notes;
use super::tracees::Id;
use crate::system_calls;

/// The plan, as far as it is about system calls.
#[derive(Debug)]
pub(crate) struct Captures {
    plan: Plan<'static>,
    /// By number of the 64-bit interface.
    rows: HashMap<u32, Option<Row>>,
}

/// A moment of a stopped thread's call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// The thread.
    pub(crate) tid: Id,
    /// Which call.
    pub(crate) id: CallId,
    /// Its arguments.
    pub(crate) arguments: [u64; 6],
    /// When, in ticks.
    pub(crate) stamp: u64,
}

impl Captures {
    /// Of a session that traces calls; None of any other.
    pub(crate) fn new(segment: Segment) -> Option<Self> {
        if segment.inner().traces.load(Ordering::Relaxed) == 0 {
            return None;
        }
        // SAFETY: the CLI has written it before it started us.
        let plan = Plan::new(unsafe { segment.plan() })?;
        Some(Self { plan, rows: HashMap::new() })
    }

    /// Notes what is to be seen before a call.
    pub(crate) fn at_entry(&mut self, moment: &Moment, notes: &Notes) {
        if let Some(row) = self.row(moment.id) {
            self.copy(row.entry, moment, 0, notes);
        }
    }

    /// Notes what is to be seen after a call with this result.
    pub(crate) fn at_end(&mut self, moment: &Moment, result: i64, notes: &Notes) {
        if let Some(row) = self.row(moment.id) {
            self.copy(row.exit, moment, result, notes);
        }
    }

    /// The row of a call. None also of 32-bit ones: their structs are laid out in another way.
    fn row(&mut self, id: CallId) -> Option<Row> {
        if id.interface != X86_64 {
            return None;
        }
        *self.rows.entry(id.number).or_insert_with(|| {
            let name = format!("{}@SYS", system_calls::name(id)?);
            self.plan.row(name.as_bytes(), |_| false)
        })
    }

    fn copy(&self, captures: usize, moment: &Moment, result: i64, notes: &Notes) {
        let values = Values { gprs: moment.arguments, rax: result as u64, ..Values::default() };
        let mut regions = Regions { notes, moment };
        walk(&self.plan, captures, &values, &mut Tracee(moment.tid), &mut regions, &mut Scratch::new());
    }
}

/// A stopped thread's memory.
struct Tracee(Id);

impl Memory for Tracee {
    fn read(&mut self, address: u64, into: &mut [u8]) -> usize {
        memory::read(self.0, address, into)
    }
}

struct Regions<'a> {
    notes: &'a Notes,
    moment: &'a Moment,
}

impl Sink for Regions<'_> {
    fn region(&mut self, address: u64, bytes: &[u8]) {
        self.notes.write_memory(self.moment.stamp, self.moment.tid as u64, address, bytes);
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;
    use std::rc::Rc;

    use calltap_channel::Note;
    use calltap_channel::record::{MAX_TEXT, MAX_WORDS, Record};
    use calltap_channel::ring::{Consumer, Peeked};
    use calltap_channel::segment::{Layout, MIN_RING_BYTES};
    use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous};

    use super::*;
    use crate::prototype::types::{Expression, Kind, Lens, Origin, Parameter, Prototype, Typed};
    use crate::trace::plan::PlanWriter;

    /// `int NAME(int, +string[retval], ulong)`.
    fn reading(name: &str) -> Prototype {
        let int = |bytes| Typed::plain(Kind::Int { bytes, signed: true });
        let characters = Kind::Array { of: Rc::new(Typed::plain(Kind::Char)), length: Expression::Returned };
        let string = Typed { kind: Kind::Pointer(Rc::new(Typed::plain(characters))), lens: Lens::String };
        let parameter = |typed, on_return| Parameter { on_return, ..Parameter::of(typed) };
        Prototype {
            name: name.to_owned(),
            returns: int(4),
            parameters: vec![parameter(int(4), false), parameter(string, true), parameter(int(8), true)],
            origin: Origin::Shipped,
        }
    }

    fn segment(plan: &[u64]) -> Segment {
        let layout = Layout::new(2, MIN_RING_BYTES).unwrap().with_trace(plan.len() as u64, false).unwrap();
        let length = NonZeroUsize::new(layout.size() as usize).unwrap();
        let access = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: a new mapping at an address of the kernel's choice.
        let base = unsafe { mmap_anonymous(None, length, access, MapFlags::MAP_SHARED) }.unwrap();
        // SAFETY: as many bytes are mapped as the layout has, and stay so.
        let segment = unsafe { Segment::create(base.as_ptr().cast(), layout) };
        segment.write_plan(plan);
        segment
    }

    fn moment(number: i64, address: u64) -> Moment {
        let id = CallId { interface: X86_64, number: number as u32 };
        let arguments = [3, address, 4096, 0, 0, 0];
        Moment { tid: nix::unistd::getpid().as_raw(), id, arguments, stamp: 17 }
    }

    #[test]
    fn bytes_are_noted_before_the_call_that_they_belong_to() {
        let mut writer = PlanWriter::new(0, 2 * MAX_TEXT as u64, 4);
        writer.row("read@SYS", "", Some(&reading("read")));
        let segment = segment(&writer.finish());
        assert!(Captures::new(segment).is_none(), "calls are not traced");
        segment.header().traces.store(1, Ordering::Relaxed);
        let mut captures = Captures::new(segment).unwrap();
        let notes = Notes::claim(segment).unwrap();
        let bytes: Vec<u8> = (0..MAX_TEXT + 3).map(|index| index as u8 | 1).collect();
        let address = bytes.as_ptr() as u64;
        let read = moment(libc::SYS_read, address);
        captures.at_entry(&read, &notes);
        captures.at_end(&moment(libc::SYS_write, address), 5, &notes);
        captures.at_end(&read, bytes.len() as i64, &notes);
        notes.write(Note::TracerDone, &[]);

        let mut consumer = Consumer::new(0, segment.layout().capacity);
        let mut copy = [0; MAX_WORDS];
        for (from, to) in [(0, MAX_TEXT), (MAX_TEXT, bytes.len())] {
            let Peeked::Record(length) = consumer.peek(&segment.words(0), &mut copy) else { panic!() };
            let record = Record::parse(&copy[..length]).unwrap();
            assert_eq!(Note::from_number(record.number()), Some(Note::Memory));
            assert_eq!((record.start(), record.site()), (17, read.tid as u64));
            assert_eq!(record.argument(0), address + from as u64);
            assert_eq!(record.text().unwrap().as_bytes(), &bytes[from..to]);
            consumer.pass(&segment.words(0), length);
        }
        let Peeked::Record(length) = consumer.peek(&segment.words(0), &mut copy) else { panic!() };
        let record = Record::parse(&copy[..length]).unwrap();
        assert_eq!(Note::from_number(record.number()), Some(Note::TracerDone));
    }
}
