//! The shared segment: a header, the rings' control blocks, two tables, the rings.
//!
//! ```text
//! 0          Header                    one page
//! controls   Control x ring_count      192 bytes each
//! stacks     [`StackTable`]            each call stack once
//! directory  [`Directory`]             functions that are traced, by name; only if calls are traced
//! plan       words                     which calls are traced, and how; see [`crate::trace::plan`]
//! counts     u64 x ring_count          calls by function and thread, if they are only counted
//! walks      walk_bytes x ring_count   what a thread remembers of its last walk; nobody else reads it
//! rings      words x ring_count        capacity + slack each, whole pages
//! ```
//!
//! The CLI creates it (a sparse memfd), every process of the target maps it. Both sides keep their
//! own copy of the [`Layout`], checked once; what the header says later is never believed.
//!
//! What the CLI and the tracer tell each other goes through memory of their own, the *inner part*, which no process of
//! the target maps: a header, and ring 0, which is the tracer's.
//!
//! ```text
//! 0          Header     one page; what is configured, and the words of the tracer
//! control    Control    one page
//! words      words      as a ring of the segment
//! ```

mod layout;

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

pub use layout::{Layout, NotOurs};

use crate::ring::{Control, Words};
use crate::stack::{self, StackTable};
use crate::trace::directory::Directory;

/// First word of the header: "calltap" and a version digit of the header itself.
pub const MAGIC: u64 = u64::from_le_bytes(*b"calltap1");
/// Version of everything else here: layout, record format, the list of functions.
pub const ABI: u64 = 6;

/// Header flag: a full ring drops records instead of making the caller wait.
pub const DROP_WHEN_FULL: u64 = 1 << 0;
/// Header flag: calls are stamped once, durations are not measured.
pub const LATENCY_OFF: u64 = 1 << 1;
/// Header flag: only the first process is tapped.
pub const NO_FOLLOW: u64 = 1 << 2;
/// Header flag: stacks are taken at every call, not only at those that acquire something.
pub const STACKS_AT_ALL: u64 = 1 << 3;
/// Header flag: every remembered walk is compared with a full one.
pub const CHECK_STACKS: u64 = 1 << 4;

/// Header flag: all signals are noted, also those that programs send themselves all the time.
pub const ALL_SIGNALS: u64 = 1 << 5;

/// Header flag: processes run on while they are looked at; the reader alone serves what is asked for.
pub const LOOK_AT_RUNNING: u64 = 1 << 6;

/// `reader`: rings are being drained.
pub const READER_RUNS: u32 = 1;
/// `reader`: nobody will ever drain again; taps turn themselves off.
pub const READER_GONE: u32 = 2;

/// Environment variable that carries the segment's path to the interposer.
pub const SEGMENT_VARIABLE: &str = "CALLTAP_SEGMENT";

/// The smallest ring, in bytes.
pub const MIN_RING_BYTES: u64 = 16 << 10;
/// The largest ring, in bytes.
pub const MAX_RING_BYTES: u64 = 1 << 30;
/// The most rings a segment can have.
pub const MAX_RINGS: u64 = 1 << 16;

const PAGE: u64 = 4096;

/// The first page of the segment.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct Header {
    // Written by the CLI before anyone else maps the segment.
    magic: AtomicU64,
    abi: AtomicU64,
    size: AtomicU64,
    ring_count: AtomicU64,
    capacity: AtomicU64,
    stacks_bytes: AtomicU64,
    directory_bytes: AtomicU64,
    plan_bytes: AtomicU64,
    counts_bytes: AtomicU64,
    walk_bytes: AtomicU64,
    /// [`crate::clock::Clock`], as a number.
    pub clock: AtomicU64,
    /// Bits of the families that are tapped.
    pub taps: AtomicU64,
    /// [`DROP_WHEN_FULL`] and the others.
    pub flags: AtomicU64,
    unused: AtomicU64,
    /// The most frames taken of a stack, 0 for none.
    pub stack_depth: AtomicU64,
    /// What hooks leave in the sixth argument register of the system calls they record, so that the
    /// tracer's filter lets them pass; 0 if there is no filter. Secret: 63 random bits, never 0.
    pub tag: AtomicU64,
    /// Whether library calls are traced (1) or tapped (0).
    pub traces: AtomicU64,
    config_padding: [AtomicU64; 7],
    // Of the inner part: written by the tracer.
    /// Process id of the first process; 0 until it is known.
    pub root_pid: AtomicU64,
    // Written by the reader.
    /// Counts up while the reader runs, at least once a second.
    pub heartbeat: AtomicU64,
    /// Of the inner part: exit stops up to this sequence number may go on.
    pub released: AtomicU64,
    /// Futex of `released`: changes whenever it does.
    pub released_bell: AtomicU32,
    /// [`READER_RUNS`] or [`READER_GONE`]; the tracer writes the second.
    pub reader: AtomicU32,
    // Written by the CLI while it runs; the next four are of the inner part.
    /// Number of the last snapshot that was asked for; the two words below say which.
    pub snapshots_asked: AtomicU64,
    /// The process to stop and look at; 0: every tapped one.
    pub snapshot_of: AtomicU64,
    /// [`crate::note::PERIODIC`] or [`crate::note::ON_DEMAND`].
    pub snapshot_occasion: AtomicU64,
    /// Number of the last snapshot that is done: by the reader.
    pub snapshots_done: AtomicU64,
    /// Futex: changes when an answer to `calltap snapshot` is there.
    pub answers: AtomicU32,
    /// Descriptor of the CLI, plus one, that takes what `calltap snapshot` asks; 0 if there is none.
    pub requests: AtomicU32,
    // Written by the target and the tracer.
    /// Futex on which the reader sleeps; rung for what should not wait for its next round.
    pub bell: AtomicU32,
    /// One more than the highest ring ever claimed.
    pub high_water: AtomicU32,
    /// The last process image's serial number; the first is 1.
    pub serials: AtomicU32,
    /// Threads that found no free ring.
    pub threads_without_ring: AtomicU32,
    /// Records that those threads could not write.
    pub lost_without_ring: AtomicU64,
    /// Process images that turned their taps off because the reader showed no sign of life.
    pub gave_up: AtomicU64,
    /// Walks compared with a full one ([`CHECK_STACKS`]).
    pub stacks_checked: AtomicU64,
    /// Those that differed.
    pub stacks_differing: AtomicU64,
    /// Process images whose loader cannot be asked for unwind tables: their stacks are guessed.
    pub without_tables: AtomicU64,
    /// Traced calls whose return could not be followed: a thread was in too many of them at a time.
    pub unfollowed: AtomicU64,
    end_padding: [AtomicU64; 7],
}

const _: () = assert!(size_of::<Header>() == 384, "no hidden padding, within the first page");

/// Words that the CLI writes before anyone else maps the segment, and nobody later.
const CONFIGURATION_WORDS: usize = 24;

/// No counter of a session gets so far: a thousand million records a second, for twelve days.
const MOST_COUNTED: u64 = 1 << 50;

/// A counter of the segment's as a report may tell it; None if it cannot be, because somebody has scribbled over it.
#[must_use]
pub fn counted(counter: &AtomicU64) -> Option<u64> {
    Some(counter.load(Ordering::Relaxed)).filter(|counted| *counted < MOST_COUNTED)
}

impl Header {
    /// All words that nobody may write once the target runs, in one order.
    #[must_use]
    pub fn configuration(&self) -> [u64; CONFIGURATION_WORDS] {
        self.configuration_words().map(|word| word.load(Ordering::Relaxed))
    }

    /// Puts back what was configured. Whether anything was different.
    pub fn restore(&self, configured: &[u64; CONFIGURATION_WORDS]) -> bool {
        let mut differed = false;
        for (word, configured) in self.configuration_words().into_iter().zip(configured) {
            if word.load(Ordering::Relaxed) != *configured {
                word.store(*configured, Ordering::Relaxed);
                differed = true;
            }
        }
        differed
    }

    fn configuration_words(&self) -> [&AtomicU64; CONFIGURATION_WORDS] {
        let [a, b, c, d, e, f, g] = &self.config_padding;
        [
            &self.magic,
            &self.abi,
            &self.size,
            &self.ring_count,
            &self.capacity,
            &self.stacks_bytes,
            &self.directory_bytes,
            &self.plan_bytes,
            &self.counts_bytes,
            &self.walk_bytes,
            &self.clock,
            &self.taps,
            &self.flags,
            &self.unused,
            &self.stack_depth,
            &self.tag,
            &self.traces,
            a,
            b,
            c,
            d,
            e,
            f,
            g,
        ]
    }
}

/// A mapped segment. Copies are views of the same memory.
#[derive(Clone, Copy, Debug)]
pub struct Segment {
    base: *mut u8,
    layout: Layout,
    /// Null where it is not mapped: in the target.
    inner: *mut u8,
}

// SAFETY: the segment is shared memory made of atomics; any thread may look at it.
unsafe impl Send for Segment {}
// SAFETY: as above.
unsafe impl Sync for Segment {}

impl Segment {
    /// Views the segment mapped at `base`, and writes its header if it is new (all zero).
    ///
    /// # Safety
    /// `base` is page-aligned and `layout.size()` bytes from it stay mapped, readable and writable,
    /// as long as any copy of the returned value is used.
    #[must_use]
    pub unsafe fn create(base: *mut u8, layout: Layout) -> Self {
        let segment = Self { base, layout, inner: core::ptr::null_mut() };
        let header = segment.header();
        header.abi.store(ABI, Ordering::Relaxed);
        header.size.store(layout.size(), Ordering::Relaxed);
        header.ring_count.store(layout.ring_count, Ordering::Relaxed);
        header.capacity.store(layout.capacity, Ordering::Relaxed);
        header.stacks_bytes.store(layout.stacks_bytes, Ordering::Relaxed);
        header.directory_bytes.store(layout.directory_bytes, Ordering::Relaxed);
        header.plan_bytes.store(layout.plan_bytes, Ordering::Relaxed);
        header.counts_bytes.store(layout.counts_bytes, Ordering::Relaxed);
        header.walk_bytes.store(layout.walk_bytes, Ordering::Relaxed);
        header.reader.store(READER_RUNS, Ordering::Relaxed);
        header.magic.store(MAGIC, Ordering::Release);
        segment
    }

    /// Reads the layout from a mapped first page, whose segment has `size` bytes.
    ///
    /// # Safety
    /// One page from `base` is mapped and readable.
    ///
    /// # Errors
    /// [`NotOurs`] says what does not fit.
    pub unsafe fn layout_at(base: *const u8, size: u64) -> Result<Layout, NotOurs> {
        // SAFETY: the page is mapped by the contract; Header is plain atomics, any bits are valid.
        let header = unsafe { &*base.cast::<Header>() };
        if header.magic.load(Ordering::Acquire) != MAGIC {
            return Err(NotOurs::Magic);
        }
        let abi = header.abi.load(Ordering::Relaxed);
        if abi != ABI {
            return Err(NotOurs::Abi(abi));
        }
        let layout = Layout {
            ring_count: header.ring_count.load(Ordering::Relaxed),
            capacity: header.capacity.load(Ordering::Relaxed),
            stacks_bytes: header.stacks_bytes.load(Ordering::Relaxed),
            directory_bytes: header.directory_bytes.load(Ordering::Relaxed),
            plan_bytes: header.plan_bytes.load(Ordering::Relaxed),
            counts_bytes: header.counts_bytes.load(Ordering::Relaxed),
            walk_bytes: header.walk_bytes.load(Ordering::Relaxed),
        }
        .checked()?;
        if layout.size() != size || header.size.load(Ordering::Relaxed) != size {
            return Err(NotOurs::Layout);
        }
        Ok(layout)
    }

    /// Views the segment mapped at `base` with a layout that [`Self::layout_at`] has checked.
    ///
    /// # Safety
    /// As for [`Self::create`].
    #[must_use]
    pub unsafe fn view(base: *mut u8, layout: Layout) -> Self {
        Self { base, layout, inner: core::ptr::null_mut() }
    }

    /// The same with its inner part, which is mapped at `inner`.
    ///
    /// # Safety
    /// `inner` is page-aligned and `layout().inner_size()` bytes from it stay mapped, readable and writable, as long as
    /// any copy of the returned value is used. They were zero when they were new.
    #[must_use]
    pub unsafe fn with_inner(self, inner: *mut u8) -> Self {
        Self { inner, ..self }
    }

    /// Makes the inner part known: ring 0 of the segment is nobody's any more, and the configuration is copied.
    /// To be called by the CLI when all is configured, before the tracer starts.
    pub fn prepare_inner(&self) {
        if self.inner.is_null() {
            return;
        }
        self.outer_control(0).reserve_for_nobody();
        let inner = self.inner();
        for (to, from) in inner.configuration_words().into_iter().zip(self.header().configuration()) {
            to.store(from, Ordering::Relaxed);
        }
        inner.reader.store(READER_RUNS, Ordering::Relaxed);
    }

    /// The header of the inner part; the segment's where there is none.
    #[inline]
    #[must_use]
    pub fn inner(&self) -> &'static Header {
        let base = if self.inner.is_null() { self.base } else { self.inner };
        // SAFETY: as `header`; `with_inner`'s contract keeps the page mapped.
        unsafe { &*base.cast::<Header>() }
    }

    /// Nobody will read any more.
    pub fn no_reader(&self) {
        self.header().reader.store(READER_GONE, Ordering::Relaxed);
        self.inner().reader.store(READER_GONE, Ordering::Relaxed);
    }

    /// Whether ring `index` is the inner part's.
    #[inline]
    #[must_use]
    pub fn is_inner(&self, index: usize) -> bool {
        index == 0 && !self.inner.is_null()
    }

    /// Whether nobody has touched what nobody uses: the rest of the first page, and the control block of the ring that
    /// is not there.
    #[must_use]
    pub fn is_untouched(&self) -> bool {
        let words = (PAGE as usize - size_of::<Header>()) / 8;
        // SAFETY: within the first page, which is mapped; aligned, and plain atomics.
        let rest = unsafe {
            core::slice::from_raw_parts(self.base.add(size_of::<Header>()).cast::<AtomicU64>(), words)
        };
        let padding = &self.header().end_padding;
        rest.iter().chain(padding).all(|word| word.load(Ordering::Relaxed) == 0)
            && (self.inner.is_null() || self.outer_control(0).is_for_nobody())
    }

    fn outer_control(&self, index: usize) -> &'static Control {
        let offset = self.layout.controls() as usize + index * size_of::<Control>();
        // SAFETY: within the mapped segment by the checked layout, for callers give an index below `ring_count`.
        unsafe { &*self.base.add(offset).cast::<Control>() }
    }

    /// The header.
    #[inline]
    #[must_use]
    pub fn header(&self) -> &'static Header {
        // SAFETY: `create`'s contract keeps the page mapped; nothing is ever unmapped while a view
        // is used, so 'static is as long as anyone can look. Plain atomics: any bits are valid.
        unsafe { &*self.base.cast::<Header>() }
    }

    /// The layout.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The control block of ring `index`, which is less than `ring_count`.
    ///
    /// # Panics
    /// If it is not.
    #[inline]
    #[must_use]
    pub fn control(&self, index: usize) -> &'static Control {
        assert!((index as u64) < self.layout.ring_count);
        if self.is_inner(index) {
            // SAFETY: the second page of the inner part, which is mapped by `with_inner`'s contract.
            return unsafe { &*self.inner.add(PAGE as usize).cast::<Control>() };
        }
        self.outer_control(index)
    }

    /// The stack table; one without slots if no stacks are taken.
    #[inline]
    #[must_use]
    pub fn stacks(&self) -> StackTable {
        let slots = stack::slots_in(self.layout.stacks_bytes).unwrap_or(0);
        // SAFETY: within the mapped segment by the checked layout, which has a table of this size.
        unsafe { StackTable::at(self.base.add(self.layout.stacks() as usize), slots) }
    }

    /// The directory of functions, if calls are traced.
    #[must_use]
    pub fn directory(&self) -> Option<Directory> {
        // SAFETY: within the mapped segment by the checked layout, on a page of its own.
        (self.layout.directory_bytes != 0)
            .then(|| unsafe { Directory::at(self.base.add(self.layout.directory() as usize)) })
    }

    /// The plan's words, empty if calls are not traced.
    ///
    /// # Safety
    /// Nobody writes them any more: the CLI does so before the target starts.
    #[must_use]
    pub unsafe fn plan(&self) -> &'static [u64] {
        // SAFETY: within the mapped segment by the checked layout, page-aligned, and by the contract unchanging.
        unsafe {
            core::slice::from_raw_parts(
                self.base.add(self.layout.plan() as usize).cast::<u64>(),
                self.layout.plan_bytes as usize / 8,
            )
        }
    }

    /// Writes the plan: by the CLI, before the target starts. `words` are as many as the layout has room for.
    ///
    /// # Panics
    /// If they are more.
    pub fn write_plan(&self, words: &[u64]) {
        assert!(words.len() as u64 * 8 <= self.layout.plan_bytes);
        for (index, word) in words.iter().enumerate() {
            // SAFETY: within the plan by the assertion; nobody else is there yet.
            unsafe { self.base.add(self.layout.plan() as usize).cast::<u64>().add(index).write(*word) };
        }
    }

    /// Address of ring `index`'s counts, [`crate::trace::MAX_FUNCTIONS`] of them; 0 if calls are not only counted.
    ///
    /// # Panics
    /// If there is no such ring.
    #[must_use]
    pub fn counts(&self, index: usize) -> u64 {
        assert!((index as u64) < self.layout.ring_count);
        if self.layout.counts_bytes == 0 {
            return 0;
        }
        self.base as u64 + self.layout.counts() + index as u64 * self.layout.counts_bytes
    }

    /// Address of the `walk_bytes` bytes of ring `index`, which is less than `ring_count`; 64-aligned.
    ///
    /// # Panics
    /// If it is not.
    #[must_use]
    pub fn walk(&self, index: usize) -> u64 {
        assert!((index as u64) < self.layout.ring_count);
        self.base as u64 + self.layout.walks() + index as u64 * self.layout.walk_bytes
    }

    /// The words of ring `index`, which is less than `ring_count`.
    ///
    /// # Panics
    /// If it is not.
    #[inline]
    #[must_use]
    pub fn words(&self, index: usize) -> RawWords {
        assert!((index as u64) < self.layout.ring_count);
        if self.is_inner(index) {
            // SAFETY: within the inner part, which is mapped by `with_inner`'s contract.
            return RawWords { base: unsafe { self.inner.add(2 * PAGE as usize) }.cast() };
        }
        let offset = self.layout.rings() + index as u64 * self.layout.stride();
        // SAFETY: within the mapped segment by the assertion and the checked layout.
        let base = unsafe { self.base.add(offset as usize) };
        RawWords { base: base.cast() }
    }
}

/// The words of one ring in mapped memory.
#[derive(Clone, Copy, Debug)]
pub struct RawWords {
    base: *const AtomicU64,
}

impl RawWords {
    /// The words at an address that [`Segment::words`] gave out in this process.
    ///
    /// # Safety
    /// `base` came from [`Self::address`] in this process and the segment is still mapped.
    #[inline(always)]
    #[must_use]
    pub unsafe fn at(base: u64) -> Self {
        Self { base: base as *const AtomicU64 }
    }

    /// Their address in this process.
    #[must_use]
    pub fn address(&self) -> u64 {
        self.base as u64
    }
}

impl Words for RawWords {
    #[inline(always)]
    fn load(&self, index: usize, order: Ordering) -> u64 {
        // SAFETY: ring positions are masked to the capacity, and a record adds less than MAX_WORDS,
        // which is the slack mapped behind it.
        unsafe { (*self.base.add(index)).load(order) }
    }

    #[inline(always)]
    fn store(&self, index: usize, value: u64, order: Ordering) {
        // SAFETY: as in `load`.
        unsafe { (*self.base.add(index)).store(value, order) }
    }

    fn clear(&self, index: usize, value: u64) {
        // SAFETY: as in `load`.
        let word = unsafe { &*self.base.add(index) };
        let _ = word.compare_exchange(value, 0, Ordering::Relaxed, Ordering::Relaxed);
    }
}
