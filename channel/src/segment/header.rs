//! The first page of a segment: what is configured, and words of the whole session.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::{ABI, Layout, MAGIC, NotOurs};

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
    /// Forked children of which other threads' first calls came before those of the thread that was forked, and are unseen.
    pub unseen_at_first: AtomicU64,
    pub(super) end_padding: [AtomicU64; 6],
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
    /// Says what segment this is; that it is one comes last.
    pub(super) fn begin(&self, layout: &Layout) {
        self.abi.store(ABI, Ordering::Relaxed);
        self.size.store(layout.size(), Ordering::Relaxed);
        self.ring_count.store(layout.ring_count, Ordering::Relaxed);
        self.capacity.store(layout.capacity, Ordering::Relaxed);
        self.stacks_bytes.store(layout.stacks_bytes, Ordering::Relaxed);
        self.directory_bytes.store(layout.directory_bytes, Ordering::Relaxed);
        self.plan_bytes.store(layout.plan_bytes, Ordering::Relaxed);
        self.counts_bytes.store(layout.counts_bytes, Ordering::Relaxed);
        self.walk_bytes.store(layout.walk_bytes, Ordering::Relaxed);
        self.reader.store(READER_RUNS, Ordering::Relaxed);
        self.magic.store(MAGIC, Ordering::Release);
    }

    /// The layout that is told here, of a segment of `size` bytes.
    pub(super) fn layout(&self, size: u64) -> Result<Layout, NotOurs> {
        if self.magic.load(Ordering::Acquire) != MAGIC {
            return Err(NotOurs::Magic);
        }
        let abi = self.abi.load(Ordering::Relaxed);
        if abi != ABI {
            return Err(NotOurs::Abi(abi));
        }
        let layout = Layout {
            ring_count: self.ring_count.load(Ordering::Relaxed),
            capacity: self.capacity.load(Ordering::Relaxed),
            stacks_bytes: self.stacks_bytes.load(Ordering::Relaxed),
            directory_bytes: self.directory_bytes.load(Ordering::Relaxed),
            plan_bytes: self.plan_bytes.load(Ordering::Relaxed),
            counts_bytes: self.counts_bytes.load(Ordering::Relaxed),
            walk_bytes: self.walk_bytes.load(Ordering::Relaxed),
        }
        .checked()?;
        if layout.size() != size || self.size.load(Ordering::Relaxed) != size {
            return Err(NotOurs::Layout);
        }
        Ok(layout)
    }

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

    pub(super) fn configuration_words(&self) -> [&AtomicU64; CONFIGURATION_WORDS] {
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
