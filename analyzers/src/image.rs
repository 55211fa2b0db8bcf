//! All ledgers of one process image.

use crate::descriptors::{DescriptorReport, Descriptors};
use crate::event::{Action, Analyzer, Event};
use crate::heap::{HeapLedger, HeapReport};
use crate::latency::{Latency, LatencyReport};
use crate::mappings::{MappingReport, Mappings};

/// Which analyzers run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// The heap, and the mappings.
    pub heap: bool,
    /// The descriptors.
    pub descriptors: bool,
    /// The latency of every function.
    pub latency: bool,
}

impl Default for Config {
    /// All of them.
    fn default() -> Self {
        Self { heap: true, descriptors: true, latency: true }
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
    descriptors: Descriptors,
    latency: Latency,
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
    /// Its descriptors.
    pub descriptors: Option<DescriptorReport>,
    /// The latency of its calls.
    pub latency: Option<LatencyReport>,
}

impl ImageLedger {
    /// An image that began at `now_ns`; one that was forked has what its parent has now.
    #[must_use]
    pub fn new(config: Config, parent: Option<&Self>, now_ns: u64) -> Self {
        let heap = parent
            .map_or_else(HeapLedger::default, |parent| HeapLedger::with_inherited(parent.heap.inherit()));
        let descriptors = parent.map_or_else(Descriptors::default, |parent| {
            Descriptors::with_inherited(parent.descriptors.inherit())
        });
        Self {
            config,
            events: 0,
            began_ns: now_ns,
            heap,
            mappings: Mappings::default(),
            descriptors,
            latency: Latency::default(),
        }
    }

    /// Its heap.
    #[must_use]
    pub fn heap(&self) -> &HeapLedger {
        &self.heap
    }

    /// Its descriptors.
    #[must_use]
    pub fn descriptors(&self) -> &Descriptors {
        &self.descriptors
    }

    /// The latency of its calls.
    #[must_use]
    pub fn latency(&self) -> &Latency {
        &self.latency
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
        if self.config.latency {
            self.latency.observe(event);
        }
        match event.action {
            Action::None => {}
            Action::Allocated { .. }
            | Action::AllocationFailed { .. }
            | Action::Reallocated { .. }
            | Action::Freed { .. } => {
                if self.config.heap {
                    self.heap.observe(event);
                }
            }
            Action::Mapped { .. } | Action::Unmapped { .. } | Action::Remapped { .. } => {
                if self.config.heap {
                    self.mappings.observe(event);
                }
            }
            _ => {
                if self.config.descriptors {
                    self.descriptors.observe(event);
                }
            }
        }
    }

    fn report(&self) -> ImageReport {
        let Config { heap, descriptors, latency } = self.config;
        ImageReport {
            events: self.events,
            began_ns: self.began_ns,
            heap: heap.then(|| self.heap.report()),
            mappings: heap.then(|| self.mappings.report()),
            descriptors: descriptors.then(|| self.descriptors.report()),
            latency: latency.then(|| self.latency.report()),
        }
    }
}
