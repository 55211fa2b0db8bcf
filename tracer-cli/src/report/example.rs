//! A report with everything in it.

use super::model::{
    Allocation, Descriptors, FailedClose, Fault, Frame, Heap, KindTotal, Latency, Lifetimes, Limits, Lost,
    Mappings, MemoryAtExit, Mismatch, OriginTotal, Process, Report, RuntimeOwned, SCHEMA_VERSION, SiteTotal,
    SizeClass, SoftHard, Stack, StackCounts, StackEnd, StackTotal, StillAllocated, StillOpen, Suppressed,
    Target, Unfinished, UseTotal, Uses,
};

impl Report {
    /// The function in the one row of [`Self::example`]'s `latency`.
    pub const EXAMPLE_FUNCTION: &'static str = "malloc";

    /// A report in which every field that can be there is there, to check `--fail-on` against.
    #[must_use]
    pub fn example() -> Self {
        let frame = Frame {
            function: Some(String::new().into()),
            file: Some(String::new().into()),
            line: Some(0),
            object: Some(String::new().into()),
            ..Frame::default()
        };
        let stack = Stack { id: Some(0), end: Some(StackEnd::Outermost), frames: vec![frame.into()] };
        let leak = StackTotal { group: Some(String::new()), stack, ..StackTotal::default() };
        let users = || vec![UseTotal::default()];
        let heap = Heap {
            still_allocated: StillAllocated {
                by_site: vec![SiteTotal::default()],
                by_stack: vec![leak],
                ..StillAllocated::default()
            },
            runtime_owned: RuntimeOwned {
                by_origin: vec![OriginTotal::default()],
                ..RuntimeOwned::default()
            },
            suppressed: vec![Suppressed::default()],
            by_stack: Uses {
                groups: 1,
                peak: users(),
                allocated: users(),
                allocations: users(),
                temporary: users(),
            },
            faults: vec![Fault { kind: "unmatched", ..Fault::default() }],
            mismatches: vec![Mismatch::default()],
            largest_allocation: Some(Allocation::default()),
            size_classes: vec![SizeClass::default()],
            lifetime_ns: Some(Lifetimes::default()),
            ..Heap::default()
        };
        let descriptors = Descriptors {
            by_kind: vec![KindTotal::default()],
            still_open: vec![StillOpen::default()],
            failed_close_examples: vec![FailedClose::default()],
            ..Descriptors::default()
        };
        let zero = Some(0);
        let memory_at_exit = MemoryAtExit {
            vm_hwm_bytes: zero,
            vm_peak_bytes: zero,
            rss_bytes: zero,
            rss_anon_bytes: zero,
            rss_file_bytes: zero,
            rss_shmem_bytes: zero,
            pss_bytes: zero,
            anonymous_bytes: zero,
            swap_bytes: zero,
        };
        let limit = SoftHard { soft: zero, hard: zero };
        let process = Process {
            parent_pid: Some(0),
            command: vec![String::new()],
            exit_code: Some(0),
            signal: Some(0),
            ended_ns: zero,
            heap: Some(heap),
            descriptors: Some(descriptors),
            mappings: Some(Mappings::default()),
            latency: vec![Latency { function: Self::EXAMPLE_FUNCTION.to_owned(), ..Latency::default() }],
            unfinished_calls: vec![Unfinished::default()],
            memory_at_exit: Some(memory_at_exit),
            limits: Some(Limits { open_files: Some(limit.clone()), address_space: Some(limit) }),
            kernel_descriptors_at_exit: zero,
            ..Process::default()
        };
        let target = Target { exit_code: Some(0), signal: Some(0), ..Target::default() };
        Self {
            schema_version: SCHEMA_VERSION,
            target,
            lost_by_thread: vec![Lost::default()],
            stacks: StackCounts { checked: zero, differing: zero, ..StackCounts::default() },
            processes: vec![process],
            ..Self::default()
        }
    }
}
