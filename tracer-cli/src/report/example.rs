//! A report with everything in it.

mod arenas;
mod outsized;

use super::model::{
    Allocation, AtExit, Balance, Call, CostPart, CostSplit, DescriptorFault, Descriptors, Difference,
    Executed, FailedCalls, FailedClose, Fault, Forecast, Frame, Growing, Heap, KindTotal, LastUse, Latency,
    LatencyBySize, Life, Lifetimes, Limits, Lived, Lost, Maker, MappedObject, Mappings, MemoryAtExit,
    MemoryPoint, Mismatch, Named, OriginTotal, PassedOn, PathCalls, PathTotal, Process, RefusedOpen, Report,
    Residue, RuntimeOwned, SCHEMA_VERSION, SignalGot, SignalSent, SiteTotal, SizeClass, SoftHard, Stack,
    StackCounts, StackEnd, StackTotal, StillAllocated, StillOpen, Stopped, Suppressed, SystemCallTotal,
    SystemCalls, SystemOpenFiles, Target, Unfinished, UseTotal, Uses,
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
            by_path: vec![PathTotal::default()],
            by_stack: vec![Balance::default()],
            still_open: vec![StillOpen { last_use: Some(LastUse::default()), ..StillOpen::default() }],
            growing: vec![Growing::default()],
            forecast: Some(Forecast::default()),
            faults: vec![DescriptorFault {
                kind: "double_close",
                closed: Some(Call::default()),
                opened: Some(Call::default()),
                missed: Some(Call::default()),
                ..DescriptorFault::default()
            }],
            failed_close_examples: vec![FailedClose::default()],
            refused_open_examples: vec![RefusedOpen::default()],
            passed_on: vec![PassedOn::default()],
            at_exit: Some(AtExit {
                differences: vec![Difference {
                    kind: "only_in_ledger",
                    opened: Some(Call::default()),
                    ..Difference::default()
                }],
                ..AtExit::default()
            }),
            ..Descriptors::default()
        };
        let total = || SystemCallTotal { made_by: vec![Maker::default()], ..SystemCallTotal::default() };
        let system_calls = SystemCalls {
            calls: vec![total()],
            cost_split: vec![CostSplit {
                function: Self::EXAMPLE_FUNCTION.to_owned(),
                slow: Some(0),
                slow_above_ns: Some(0),
                parts: vec![CostPart::default()],
                ..CostSplit::default()
            }],
            by_path: vec![PathCalls {
                system_calls: vec![Named::default()],
                error_names: vec![Named::default()],
                ..PathCalls::default()
            }],
            errors: vec![FailedCalls::default()],
            residue: vec![Residue::default()],
            ..SystemCalls::default()
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
            outsized: Some(Self::example_outsized()),
            latency: vec![Latency { function: Self::EXAMPLE_FUNCTION.to_owned(), ..Latency::default() }],
            latency_by_size: Some(vec![LatencyBySize {
                function: Self::EXAMPLE_FUNCTION.to_owned(),
                up_to_bytes: zero,
                durations: vec![(0, 0)],
                ..LatencyBySize::default()
            }]),
            system_calls: Some(system_calls),
            arenas: Some(Self::example_arenas()),
            unfinished_calls: vec![Unfinished::default()],
            memory_at_exit: Some(memory_at_exit),
            limits: Some(Limits {
                open_files: Some(limit.clone()),
                open_files_ceiling: zero,
                system_open_files: Some(SystemOpenFiles::default()),
                address_space: Some(limit),
            }),
            kernel_descriptors_at_exit: zero,
            ..Process::default()
        };
        let lived = Lived {
            programs: vec![Executed::default()],
            signals_got: vec![SignalGot::default()],
            signals_sent: vec![SignalSent { target: "process", ..SignalSent::default() }],
            stopped: vec![Stopped::default()],
            objects: vec![MappedObject::default()],
            made_by: "start",
            ..Lived::default()
        };
        let target = Target { exit_code: Some(0), signal: Some(0), ..Target::default() };
        Self {
            schema_version: SCHEMA_VERSION,
            target,
            lost_by_thread: vec![Lost::default()],
            damaged: vec!["records"],
            system_calls: vec![total()],
            memory_over_time: Some(vec![MemoryPoint::default()]),
            stacks: StackCounts { checked: zero, differing: zero, ..StackCounts::default() },
            processes: vec![process],
            life: Life { processes: vec![lived], ..Life::default() },
            ..Self::default()
        }
    }
}
