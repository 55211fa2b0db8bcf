//! The shared segment: a header, the rings' control blocks, two tables, the rings.
//!
//! ```text
//! 0          Header                    one page
//! controls   Control x ring_count      192 bytes each
//! stacks     StackTable                each call stack once
//! directory  Directory                 functions that are traced, by name; only if calls are traced
//! plan       words                     which calls are traced, and how; see `crate::trace::plan`
//! counts     u64 x ring_count          calls by function and thread, if they are only counted
//! walks      walk_bytes x ring_count   what a thread remembers of its last walk; nobody else reads it
//! rings      words x ring_count        capacity + slack each, whole pages
//! ```
//!
//! The tables are a [`StackTable`](crate::stack::StackTable) and a [`Directory`](crate::trace::directory::Directory).
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

mod header;
mod inner;
mod layout;
mod parts;
mod words;

pub use header::{
    ALL_SIGNALS, CHECK_STACKS, DROP_WHEN_FULL, Header, LATENCY_OFF, LOOK_AT_RUNNING, NO_FOLLOW, READER_GONE,
    READER_RUNS, STACKS_AT_ALL, counted,
};
pub use layout::{Layout, NotOurs};
pub use words::RawWords;

/// First word of the header: "calltap" and a version digit of the header itself.
pub const MAGIC: u64 = u64::from_le_bytes(*b"calltap1");
/// Version of everything else here: layout, record format, the list of functions.
pub const ABI: u64 = 6;

/// Environment variable that carries the segment's path to the interposer.
pub const SEGMENT_VARIABLE: &str = "CALLTAP_SEGMENT";

/// The environment variable by which a new program is told that it has inherited a sandbox: its process id as it knows it
/// itself.
pub const CONFINED_VARIABLE: &str = "CALLTAP_CONFINED";

/// The smallest ring, in bytes.
pub const MIN_RING_BYTES: u64 = 16 << 10;
/// The largest ring, in bytes.
pub const MAX_RING_BYTES: u64 = 1 << 30;
/// The most rings a segment can have.
pub const MAX_RINGS: u64 = 1 << 16;

const PAGE: u64 = 4096;

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
        segment.header().begin(&segment.layout);
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
        unsafe { &*base.cast::<Header>() }.layout(size)
    }

    /// Views the segment mapped at `base` with a layout that [`Self::layout_at`] has checked.
    ///
    /// # Safety
    /// As for [`Self::create`].
    #[must_use]
    pub unsafe fn view(base: *mut u8, layout: Layout) -> Self {
        Self { base, layout, inner: core::ptr::null_mut() }
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
}
