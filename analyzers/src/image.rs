//! All ledgers of one process image.

use crate::allocation_latency::{AllocationLatency, AllocationLatencyRow};
use crate::arenas::regions::Regions;
use crate::descriptors::{DescriptorReport, Descriptors};
use crate::event::{Action, Analyzer, Event, Image, Thread};
use crate::heap::{HeapLedger, HeapReport};
use crate::kernel::{CallId, CallTotals, Kernel, KernelReport, Made, SystemCall, effects};
use crate::latency::{Latency, LatencyReport};
use crate::mappings::{MappingReport, Mappings};
use crate::outsized::{Capacity, Outsized, OutsizedReport};

/// Which analyzers run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// The heap, and the mappings.
    pub heap: bool,
    /// The descriptors.
    pub descriptors: bool,
    /// The latency of every function.
    pub latency: bool,
    /// The system calls.
    pub kernel: bool,
    /// By function number: the system call that a function makes of its arguments, if its hook tells
    /// of it instead of a stop.
    pub wrappers: &'static [Option<CallId>],
    /// What allocations are measured against, if they are.
    pub capacity: Option<Capacity>,
    /// By function number: whether its latency is divided by size and threads. Empty: that is not done at all.
    pub by_size: &'static [bool],
}

impl Default for Config {
    /// All of them.
    fn default() -> Self {
        Self {
            heap: true,
            descriptors: true,
            latency: true,
            kernel: true,
            wrappers: &[],
            capacity: None,
            by_size: &[],
        }
    }
}

/// What is known of one process image while it runs.
#[derive(Debug)]
pub struct ImageLedger {
    config: Config,
    events: u64,
    began_ns: u64,
    heap: HeapLedger,
    mappings: Mappings,
    outsized: Outsized,
    descriptors: Descriptors,
    latency: Latency,
    by_size: Option<Box<AllocationLatency>>,
    kernel: Kernel,
    regions: Regions,
}

/// What was found about one process image; an analyzer that was off has found nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageReport {
    /// How many calls it made.
    pub events: u64,
    /// When it began, in nanoseconds since the session began.
    pub began_ns: u64,
    /// Its heap.
    pub heap: Option<HeapReport>,
    /// Its mappings.
    pub mappings: Option<MappingReport>,
    /// Its outsized allocations; None also if there was nothing to measure them against.
    pub outsized: Option<OutsizedReport>,
    /// Its descriptors.
    pub descriptors: Option<DescriptorReport>,
    /// The latency of its calls.
    pub latency: Option<LatencyReport>,
    /// The latency of the allocator's calls, by size and threads.
    pub by_size: Option<Vec<AllocationLatencyRow>>,
    /// Its system calls.
    pub kernel: Option<KernelReport>,
}

impl ImageLedger {
    /// `image` began at `now_ns`; one that was forked has what its parent has now.
    #[must_use]
    pub fn new(config: Config, image: Image, parent: Option<&Self>, now_ns: u64) -> Self {
        let heap =
            parent.filter(|_| config.heap).map_or_else(HeapLedger::default, |parent| parent.heap.forked());
        let descriptors = parent.map_or_else(
            || Descriptors::new(image),
            |parent| Descriptors::forked(image, parent.descriptors.inherit()),
        );
        Self {
            config,
            events: 0,
            began_ns: now_ns,
            heap,
            mappings: Mappings::default(),
            outsized: Outsized::new(config.capacity, parent.map(|parent| &parent.outsized)),
            descriptors,
            latency: Latency::default(),
            by_size: (!config.by_size.is_empty()).then(|| Box::new(AllocationLatency::new(config.by_size))),
            kernel: Kernel::default(),
            regions: parent.map_or_else(Regions::default, |parent| parent.regions.inherit()),
        }
    }

    /// Begins with the descriptors of `former`, which it has become by an exec.
    pub(crate) fn executed(&mut self, image: Image, former: &Self) {
        self.descriptors = former.descriptors.executed(image);
    }

    /// Takes over what was found of this image before it was known by its number.
    pub(crate) fn adopt(&mut self, provisional: Self) {
        self.events += provisional.events;
        self.began_ns = self.began_ns.min(provisional.began_ns);
        self.descriptors.adopt(provisional.descriptors);
        self.latency.add(&provisional.latency);
        if let (Some(by_size), Some(provisional)) = (&mut self.by_size, provisional.by_size) {
            by_size.adopt(*provisional);
        }
        self.kernel.adopt(provisional.kernel);
        // What a forked child has is what its parent had then, not when the child told of itself.
        self.regions = provisional.regions;
    }

    /// Takes a system call into account: as such, and for what it does to memory and descriptors.
    pub(crate) fn system_call(&mut self, call: &SystemCall<'_>) {
        if self.config.kernel {
            self.kernel.system_call(call);
        }
        self.regions.system_call(call);
        if self.config.descriptors {
            effects(call, &mut |event| self.descriptors.observe(&event));
        }
    }

    /// Takes in a call of a `vfork` child that this image is: all but what it did to the memory, which
    /// is its maker's.
    pub(crate) fn observe_vfork_child(&mut self, event: &Event<'_>) {
        self.events += 1;
        let made = self.time(event);
        if self.config.descriptors && !event.action.is_memory() {
            self.descriptors.observe_call(&Event { vfork_child: false, ..*event }, made.sums.closes > 0);
        }
    }

    /// Takes in what the `vfork` child of this image did to the memory of both.
    pub(crate) fn observe_memory(&mut self, event: &Event<'_>) {
        if self.config.heap {
            self.outsized.observe(event);
        }
        if self.config.heap && event.action.is_heap() {
            self.regions_observe(event);
            self.heap.observe(event);
        } else if self.config.heap && event.action.is_memory() {
            self.regions.library_call(event);
            self.mappings.observe(event);
        }
    }

    /// A thread of it began at `at_ns`.
    pub(crate) fn thread_began(&mut self, at_ns: u64) {
        if let Some(by_size) = &mut self.by_size {
            by_size.thread_began(at_ns);
        }
    }

    /// Nothing of `thread`, which was seen to be gone at `at_ns`, will come any more.
    pub(crate) fn thread_ended(&mut self, thread: Thread, at_ns: u64) {
        if let Some(by_size) = &mut self.by_size {
            by_size.thread_ended(at_ns);
        }
        self.descriptors.thread_ended(thread);
        self.kernel.thread_ended(thread);
        self.outsized.thread_ended(thread);
        self.regions.thread_ended(thread);
    }

    #[inline]
    fn regions_observe(&mut self, event: &Event<'_>) {
        if self.regions.waiting() {
            self.regions.library_call(event);
        }
    }

    #[inline]
    fn time(&mut self, event: &Event<'_>) -> Made {
        let made = self.kernel.library_call(event);
        if self.config.latency {
            self.latency.observe_call(event, made);
        }
        if let Some(by_size) = &mut self.by_size {
            by_size.observe_call(event, made, &mut self.heap);
        }
        made
    }

    /// Its heap.
    #[must_use]
    pub fn heap(&self) -> &HeapLedger {
        &self.heap
    }

    pub(crate) fn heap_mut(&mut self) -> &mut HeapLedger {
        &mut self.heap
    }

    /// When it began, in nanoseconds since the session began.
    #[must_use]
    pub const fn began_ns(&self) -> u64 {
        self.began_ns
    }

    /// Whether its heap is watched.
    #[must_use]
    pub const fn watches_heap(&self) -> bool {
        self.config.heap
    }

    /// What it has mapped, and how the allocator's regions came to be.
    #[must_use]
    pub fn regions(&self) -> &Regions {
        &self.regions
    }

    /// Its descriptors.
    #[must_use]
    pub fn descriptors(&self) -> &Descriptors {
        &self.descriptors
    }

    pub(crate) fn descriptors_mut(&mut self) -> &mut Descriptors {
        &mut self.descriptors
    }

    /// The latency of its calls.
    #[must_use]
    pub fn latency(&self) -> &Latency {
        &self.latency
    }

    /// Its system calls, to be added up.
    #[must_use]
    pub fn system_calls(&self) -> CallTotals {
        self.kernel.totals(&self.latency, self.config.wrappers)
    }

    /// See [`HeapLedger::touch`].
    #[must_use]
    pub fn touch(&self, events: &[Event<'_>]) -> u64 {
        if self.config.heap { self.heap.touch(events) } else { 0 }
    }
}

impl Analyzer for ImageLedger {
    type Report = ImageReport;

    #[inline]
    fn observe(&mut self, event: &Event<'_>) {
        self.events += 1;
        let made = self.time(event);
        match event.action {
            Action::None if event.used.is_none() && event.errno == 0 => self.regions_observe(event),
            Action::Allocated { bytes, .. }
            | Action::AllocationFailed { bytes }
            | Action::Reallocated { bytes, .. } => {
                if self.config.heap {
                    self.outsized.asked(event, bytes);
                    self.regions_observe(event);
                    self.heap.observe(event);
                }
            }
            Action::Freed { .. } => {
                if self.config.heap {
                    self.regions_observe(event);
                    self.heap.observe(event);
                }
            }
            Action::Mapped { .. } | Action::Unmapped { .. } | Action::Remapped { .. } => {
                if self.config.heap {
                    self.regions.library_call(event);
                    self.mappings.observe(event);
                    self.outsized.observe(event);
                }
            }
            Action::MapFailed { .. } | Action::LimitRead { .. } => {
                self.regions_observe(event);
                if self.config.heap {
                    self.outsized.observe(event);
                }
            }
            _ => {
                self.regions_observe(event);
                if self.config.descriptors {
                    self.descriptors.observe_call(event, made.sums.closes > 0);
                }
            }
        }
    }

    fn report(&self) -> ImageReport {
        let Config { heap, descriptors, latency, kernel, wrappers, .. } = self.config;
        ImageReport {
            events: self.events,
            began_ns: self.began_ns,
            heap: heap.then(|| self.heap.report()),
            mappings: heap.then(|| self.mappings.report()),
            outsized: self.outsized.report().filter(|_| heap),
            descriptors: descriptors.then(|| self.descriptors.report()),
            latency: latency.then(|| self.latency.report()),
            by_size: self.by_size.as_ref().map(|by_size| by_size.report()),
            kernel: kernel.then(|| self.kernel.report(&self.latency, wrappers)),
        }
    }
}
