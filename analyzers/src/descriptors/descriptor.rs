//! What is known of a descriptor, whoever opened it.

use std::sync::Arc;

use super::open::LastUse;
use crate::event::{Event, Stream};

/// What is behind a descriptor: duplicates share it, and forked children.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) kind: &'static str,
    pub(crate) path: Arc<[u8]>,
    /// As they were passed when it was opened.
    pub(crate) flags: Option<u32>,
}

/// A descriptor that is open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Descriptor {
    pub(crate) source: Source,
    pub(crate) close_on_exec: Option<bool>,
    /// Somebody said expressly that an exec shall not close it.
    pub(crate) kept: bool,
    /// The caller named the number, and whatever had it made way.
    pub(crate) is_redirection: bool,
    pub(crate) stream: Option<Stream>,
    pub(crate) last_use: Option<LastUse>,
}

impl Source {
    pub(crate) fn new(kind: &'static str, path: &[u8], flags: Option<u32>) -> Self {
        Self { kind, path: path.into(), flags }
    }
}

impl Descriptor {
    pub(crate) fn new(source: Source, close_on_exec: Option<bool>) -> Self {
        let stream = match source.kind {
            "stream" => Some(Stream::File),
            "directory" => Some(Stream::Directory),
            _ => None,
        };
        Self { source, close_on_exec, stream, ..Self::default() }
    }

    /// A copy under another number: of the same thing, but no stream stands on it.
    pub(crate) fn duplicate(&self, close_on_exec: Option<bool>) -> Self {
        Self { source: self.source.clone(), close_on_exec, ..Self::default() }
    }

    pub(crate) fn used(&mut self, event: &Event<'_>) {
        let use_ = LastUse { at_ns: event.end_ns, function: event.function, thread: event.thread };
        if self.last_use.is_none_or(|last| last.at_ns <= use_.at_ns) {
            self.last_use = Some(use_);
        }
    }

    pub(crate) fn set_close_on_exec(&mut self, on: bool) {
        self.close_on_exec = Some(on);
        self.kept = !on;
    }

    /// This is what an outer call says of what `inner` said: the outer one names it, the inner one
    /// knows what the outer one does not tell.
    pub(crate) fn completed_by(mut self, inner: &Self) -> Self {
        if self.source.path.is_empty() {
            self.source.path = inner.source.path.clone();
        }
        self.source.flags = self.source.flags.or(inner.source.flags);
        self.close_on_exec = self.close_on_exec.or(inner.close_on_exec);
        self.stream = self.stream.or(inner.stream);
        self.last_use = self.last_use.or(inner.last_use);
        self.kept |= inner.kept;
        self.is_redirection |= inner.is_redirection;
        self
    }
}
