//! This process image: the segment it is attached to, and its identity in it.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use calltap_channel::Note;
use calltap_channel::clock::Clock;
use calltap_channel::ring::Control;
use calltap_channel::segment::{self, Segment};

use crate::{call, kernel, state, thread, thread_id};

struct Attached(UnsafeCell<Option<Segment>>);

// SAFETY: written once by the constructor, while the process has one thread; read afterwards.
unsafe impl Sync for Attached {}

static ATTACHED: Attached = Attached(UnsafeCell::new(None));
static PID: AtomicU32 = AtomicU32::new(0);
static SERIAL: AtomicU32 = AtomicU32::new(0);
static PARENT_SERIAL: AtomicU32 = AtomicU32::new(0);
static REGISTERING: AtomicBool = AtomicBool::new(false);
/// Whether a forked child has been told of whose first thread has made no call yet.
static WAITS_FOR_FIRST: AtomicBool = AtomicBool::new(false);

/// The segment, if this process is attached to one.
pub(crate) fn segment() -> Option<Segment> {
    // SAFETY: see `Attached`; `taps` being non-zero, or a call of the constructor, comes after it.
    unsafe { *ATTACHED.0.get() }
}

/// The process id that [`register`] saw: the image's own, also in a `vfork` child.
pub(crate) fn pid() -> u32 {
    PID.load(Ordering::Relaxed)
}

/// The image's serial number.
pub(crate) fn serial() -> u32 {
    SERIAL.load(Ordering::Relaxed)
}

/// The serial number of the image it was forked from, 0 if it was exec'ed.
pub(crate) fn parent_serial() -> u32 {
    PARENT_SERIAL.load(Ordering::Relaxed)
}

/// Whether the tracer sees what befalls this thread, which may be a `vfork` child. It lets everybody go when nobody reads
/// any more, and does not follow children if it is asked not to.
pub(crate) fn is_traced(vfork_child: bool) -> bool {
    segment().is_some_and(|segment| {
        let header = segment.header();
        header.reader.load(Ordering::Relaxed) != segment::READER_GONE
            && !(vfork_child && header.flags.load(Ordering::Relaxed) & segment::NO_FOLLOW != 0)
    })
}

/// How this process and its thread are called.
struct Ids {
    pid: u32,
    tid: u32,
    parent: u32,
    name: [u64; 2],
}

impl Ids {
    /// Of a program that has just begun, in a process of this id; the tracer knows the rest.
    fn told(id: u32) -> Self {
        Self { pid: id, tid: id, parent: 0, name: [0; 2] }
    }

    /// Of a child that was forked in a sandbox, by the thread whose ring it has `inherited`.
    fn of_child(inherited: Option<&Control>) -> Option<Self> {
        let parent = pid();
        let id = thread_id::of_forked(inherited, parent)?;
        let name =
            inherited.map_or([0; 2], |ring| ring.name.each_ref().map(|word| word.load(Ordering::Relaxed)));
        Some(Self { pid: id, tid: id, parent, name })
    }

    /// As the kernel tells.
    fn asked() -> Self {
        let (pid, parent) = (kernel::process_id(), kernel::parent_id());
        Self { pid, tid: kernel::thread_id(), parent, name: thread::given_name() }
    }
}

/// Attaches this image to `segment` and registers it, as process `told` if its id was told. Only the constructor calls this.
pub(crate) fn attach(segment: Segment, told: Option<u32>) {
    // SAFETY: the constructor runs before the process has a second thread.
    unsafe { *ATTACHED.0.get() = Some(segment) };
    if state::wipe_on_fork() {
        register_as(told.map(Ids::told));
    }
}

/// Registers this process under a new serial number and turns its taps on.
///
/// Called by the constructor, and in a forked child by its first hook. A signal handler that
/// interrupts it and comes here too only forwards.
#[cold]
#[inline(never)]
pub(crate) fn register() {
    register_as(None);
}

/// The same, with what was `told` to a new program.
#[cold]
fn register_as(told: Option<Ids>) {
    let Some(segment) = segment() else { return };
    let header = segment.header();
    let inherited = crate::slot::ring();
    if REGISTERING.swap(true, Ordering::Relaxed) {
        return;
    }
    // A forked child has inherited the slot; its content is the parent's ring.
    crate::slot::set_memory(core::ptr::null_mut());
    crate::slot::set_ring(core::ptr::null());
    crate::slot::set_parked(core::ptr::null());
    crate::slot::set_counts(0);
    let forked = PID.load(Ordering::Relaxed) != 0;
    let flags = header.flags.load(Ordering::Relaxed);
    if header.reader.load(Ordering::Relaxed) == segment::READER_GONE
        || (forked && flags & segment::NO_FOLLOW != 0)
    {
        state::set_taps(state::REGISTERED);
        REGISTERING.store(false, Ordering::Relaxed);
        return;
    }
    // SAFETY: a slot holds a control block of the mapped segment, also one that was inherited.
    let inherited = unsafe { inherited.as_ref() };
    let Ids { pid, tid, parent, name } = told.or_else(|| Ids::of_child(inherited)).unwrap_or_else(Ids::asked);
    if forked && tid != pid {
        // The thread that has forked has its parent's ring in its slot until it comes here itself.
        if !WAITS_FOR_FIRST.swap(true, Ordering::Relaxed) {
            header.unseen_at_first.fetch_add(1, Ordering::Relaxed);
        }
        REGISTERING.store(false, Ordering::Relaxed);
        return;
    }
    WAITS_FOR_FIRST.store(false, Ordering::Relaxed);
    PARENT_SERIAL.store(serial(), Ordering::Relaxed);
    SERIAL.store(header.serials.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
    PID.store(pid, Ordering::Relaxed);
    let mut taps = header.taps.load(Ordering::Relaxed) as u32 | state::REGISTERED;
    if flags & segment::LATENCY_OFF != 0 {
        taps |= state::UNTIMED;
    }
    if header.traces.load(Ordering::Relaxed) != 0 {
        taps |= state::TRACED;
    }
    if Clock::from_number(header.clock.load(Ordering::Relaxed) as u32) == Clock::Monotonic {
        taps |= state::MONOTONIC;
    }
    if header.stack_depth.load(Ordering::Relaxed) != 0 {
        taps |= state::STACKS;
        if flags & segment::STACKS_AT_ALL != 0 {
            taps |= state::STACKS_AT_ALL;
        }
        if !crate::unwind::can_be_found() {
            header.without_tables.fetch_add(1, Ordering::Relaxed);
        }
    }
    if thread::claim(tid, name).is_some() {
        // The image's first record.
        let hooks = crate::hooks::malloc::hooks();
        let own = hooks.program.real.address();
        let real_malloc = if own == 0 { hooks.next.address() } else { own };
        let arguments = [u64::from(pid), u64::from(parent), u64::from(parent_serial()), real_malloc, 0];
        call::note(call::now(taps), Note::ProcessBegan, arguments, None);
    }
    state::set_taps(taps);
    REGISTERING.store(false, Ordering::Relaxed);
}
