//! What is open, as the report lists it.

use super::Descriptors;
use super::faults::Call;
use super::inherited::Origin;
use crate::event::{Fd, FunctionId, Stream, Thread};

/// What used a descriptor last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LastUse {
    /// When it was done.
    pub at_ns: u64,
    /// Which function.
    pub function: FunctionId,
    /// By which thread.
    pub thread: Thread,
}

/// A descriptor that this process opened and did not close.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OpenDescriptor {
    /// Its number.
    pub fd: Fd,
    /// What it is: a duplicate is what its source was, `duplicate` if that is unknown.
    pub kind: &'static str,
    /// Path, name or peer, empty if it has none.
    pub path: Vec<u8>,
    /// The flags it was opened with, as they were passed.
    pub flags: Option<u32>,
    /// Whether an exec closes it, if that is known.
    pub close_on_exec: Option<bool>,
    /// Whether a `FILE*` or `DIR*` stands on it.
    pub stream: Option<Stream>,
    /// Whether the caller named the number (`dup2`, `freopen`) instead of being given one.
    pub is_redirection: bool,
    /// Which function made it.
    pub function: FunctionId,
    /// Called from where; 0 if unknown.
    pub site: u64,
    /// Id of the call stack; 0 if none was taken.
    pub stack: u32,
    /// By which thread.
    pub thread: Thread,
    /// When the call began.
    pub started_ns: u64,
    /// When it was open.
    pub opened_ns: u64,
    /// Its last use, among those that were recorded.
    pub last_use: Option<LastUse>,
}

/// A descriptor that this process began with and did not close.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InheritedDescriptor {
    /// Its number.
    pub fd: Fd,
    /// What it is; `unknown` if nobody saw it come.
    pub kind: &'static str,
    /// Path, name or peer, empty if it has none.
    pub path: Vec<u8>,
    /// The flags it was opened with, as they were passed.
    pub flags: Option<u32>,
    /// Whether an exec closes it, if that is known.
    pub close_on_exec: Option<bool>,
    /// Whether a `FILE*` or `DIR*` stands on it.
    pub stream: Option<Stream>,
    /// How it came to this process.
    pub from: Origin,
    /// Who opened it, if that was seen.
    pub opened: Option<Call>,
    /// Its last use in this process, among those that were recorded.
    pub last_use: Option<LastUse>,
}

pub(super) fn opened(descriptors: &Descriptors) -> Vec<OpenDescriptor> {
    let open = descriptors.open().map(|(fd, opened)| OpenDescriptor {
        fd,
        kind: opened.descriptor.source.kind,
        path: opened.descriptor.source.path.to_vec(),
        flags: opened.descriptor.source.flags,
        close_on_exec: opened.descriptor.close_on_exec,
        stream: opened.descriptor.stream,
        is_redirection: opened.descriptor.is_redirection,
        function: opened.place.function,
        site: opened.place.site,
        stack: opened.place.stack,
        thread: opened.thread,
        started_ns: opened.started_ns,
        opened_ns: opened.opened_ns,
        last_use: opened.descriptor.last_use,
    });
    open.collect()
}

pub(super) fn inherited(descriptors: &Descriptors) -> Vec<InheritedDescriptor> {
    let held = descriptors.inherited.iter().map(|(fd, inherited)| InheritedDescriptor {
        fd: *fd,
        kind: inherited.descriptor.source.kind,
        path: inherited.descriptor.source.path.to_vec(),
        flags: inherited.descriptor.source.flags,
        close_on_exec: inherited.descriptor.close_on_exec,
        stream: inherited.descriptor.stream,
        from: inherited.from,
        opened: inherited.opened,
        last_use: inherited.descriptor.last_use,
    });
    held.collect()
}
