//! What the correlator found in one process image.

use crate::event::FunctionId;
use crate::kernel::CallId;

/// All of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KernelReport {
    /// System calls that were stopped.
    pub stops: u64,
    /// Time that all stops together held threads, in nanoseconds.
    pub stopped_ns: u64,
    /// By system call, most calls first. Calls that a hook's record stands for are in it.
    pub calls: Vec<SystemCallRow>,
    /// By library function that was called: how its latency divides.
    pub split: Vec<FunctionSplit>,
    /// By path, most total time first; at most 10,000 paths, then [`Self::paths_omitted`].
    pub paths: Vec<PathRow>,
    /// Calls with a path that has no row.
    pub paths_omitted: u64,
    /// Failed calls by error, call, path or peer, and stack; most first; at most 10,000 rows.
    pub errors: Vec<ErrorRow>,
    /// Failed calls that have no row.
    pub errors_omitted: u64,
    /// System calls under no library call, most first; at most 10,000 rows.
    pub residue: Vec<Residue>,
    /// System calls under no library call that have no row.
    pub residue_omitted: u64,
    /// System calls under a hook whose record never came (left by `longjmp`,
    /// cancellation or the thread's end).
    pub unclaimed: u64,
    /// Calls that were put to no library call only because too many waited for one.
    pub decided_early: u64,
}

/// One system call's row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SystemCallRow {
    /// Which.
    pub id: CallId,
    /// Calls.
    pub count: u64,
    /// Calls that failed.
    pub errors: u64,
    /// Calls that were stopped. The others are known from the record of a hook.
    pub stopped: u64,
    /// Calls whose end was seen; the durations are theirs.
    pub timed: u64,
    /// Durations (see [`super::SystemCall::duration_ns`]), or latencies of the wrapper, in nanoseconds.
    pub total_ns: u64,
    /// Shortest.
    pub min_ns: u64,
    /// Median.
    pub p50_ns: u64,
    /// 99th percentile.
    pub p99_ns: u64,
    /// Longest.
    pub max_ns: u64,
    /// Library functions it was made by, most calls first; `None` for calls under none.
    pub by: Vec<Enclosing>,
}

/// A library function above a system call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Enclosing {
    /// Which; `None`: no library call.
    pub function: Option<FunctionId>,
    /// Calls.
    pub count: u64,
}

/// How the latency of a library function divides by what it did in the kernel.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FunctionSplit {
    /// Which.
    pub function: FunctionId,
    /// All its calls.
    pub calls: u64,
    /// Calls that were seen to make a system call.
    pub with_calls: u64,
    /// Time that stops took out of its calls, in nanoseconds.
    pub stopped_ns: u64,
    /// Calls without a system call that took longer than [`Self::slow_above_ns`].
    pub slow: u64,
    /// Ten times the median of the calls without a system call, at least 1 us.
    pub slow_above_ns: u64,
    /// By first system call inside, most calls first; the first row (`None`) has those without any.
    pub rows: Vec<SplitRow>,
}

/// Calls of a library function that made the same first system call, or none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SplitRow {
    /// First system call inside; `None`: none was seen.
    pub id: Option<CallId>,
    /// Calls.
    pub count: u64,
    /// Those that failed.
    pub errors: u64,
    /// Those that were timed; the durations are theirs.
    pub timed: u64,
    /// System calls in them.
    pub system_calls: u64,
    /// Latency without our stops, in nanoseconds.
    pub total_ns: u64,
    /// Shortest.
    pub min_ns: u64,
    /// Median.
    pub p50_ns: u64,
    /// 99th percentile.
    pub p99_ns: u64,
    /// Longest.
    pub max_ns: u64,
}

/// How the kernel was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Via {
    /// By a system call that was stopped.
    SystemCall(CallId),
    /// By a library call that was not seen to make one with a path.
    Function(FunctionId),
}

/// What happened with one path, or one socket address (see [`ErrorRow::text`]).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PathRow {
    /// The path as the program gave it (not resolved).
    pub path: Vec<u8>,
    /// Calls that named it.
    pub count: u64,
    /// Those that failed.
    pub errors: u64,
    /// Time in them.
    pub total_ns: u64,
    /// What they were, most first.
    pub calls: Vec<(Via, u64)>,
    /// Errors, most first.
    pub errnos: Vec<(u16, u64)>,
}

/// Calls that failed alike.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ErrorRow {
    /// Error number.
    pub errno: u16,
    /// System call; `None` if only the library's record tells of it.
    pub id: Option<CallId>,
    /// Library function around it.
    pub function: Option<FunctionId>,
    /// Path, or socket address as the kernel has it (`struct sockaddr`).
    pub text: Vec<u8>,
    /// Return address in the direct caller of the library function, or behind the system call.
    pub site: u64,
    /// The stack, 0 if none.
    pub stack: u32,
    /// How many.
    pub count: u64,
}

/// System calls under no library call, by call and stack.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Residue {
    /// Which.
    pub id: CallId,
    /// Where.
    pub stack: u32,
    /// Address behind the instruction.
    pub site: u64,
    /// How many.
    pub count: u64,
    /// Of them, those that made a descriptor.
    pub descriptors: u64,
    /// Whether an enclosing hook is known not to be there (else the stack did not tell).
    pub sure: bool,
}
