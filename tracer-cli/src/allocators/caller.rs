//! Whose code has mapped something, by the addresses on its stack.

use std::path::Path;

use calltap_analyzers::arenas::Allocator;
use calltap_analyzers::arenas::areas::{Caller, Origins};
use calltap_analyzers::arenas::memory_map::Mapper;
use calltap_channel::stack::StackTable;

use super::{file_name, is_ours_or_loader};
use crate::exit_snapshot::Mapped;
use crate::object_name::is_loader;

/// Tells whose code is where in a process.
#[derive(Clone, Copy, Debug)]
pub struct Callers<'a> {
    /// What is mapped, by ascending address.
    pub maps: &'a [Mapped],
    /// The allocators it has.
    pub allocators: &'a [Allocator],
    /// The stacks of calls.
    pub stacks: StackTable,
}

impl Origins for Callers<'_> {
    fn caller(&self, mapper: Mapper) -> Caller {
        self.objects().caller(mapper.site, || {
            let stack = if mapper.stack == 0 { None } else { self.stacks.get(mapper.stack) };
            stack.map(|stack| stack.frames.iter().map(|frame| frame.address()).collect()).unwrap_or_default()
        })
    }
}

impl Callers<'_> {
    fn objects(&self) -> Objects<'_> {
        Objects { maps: self.maps, allocators: self.allocators }
    }
}

/// What lies where in a process.
pub(super) struct Objects<'a> {
    pub(super) maps: &'a [Mapped],
    pub(super) allocators: &'a [Allocator],
}

impl Objects<'_> {
    /// Who is behind a call that was made at `site`, with these return addresses below it, the innermost
    /// first.
    ///
    /// The C library maps for itself through a function of its own. If it was called for by somebody
    /// else directly (`syscall`), it is that one's. What lies in no object is a program's own code.
    pub(super) fn caller(&self, site: u64, frames: impl Fn() -> Vec<u64>) -> Caller {
        match self.object(site) {
            Object::C => {
                let next = frames().into_iter().find(|frame| *frame != site);
                match next.map(|frame| self.object(frame)) {
                    None | Some(Object::C) => Caller::Runtime,
                    Some(other) => other.caller(),
                }
            }
            other => other.caller(),
        }
    }

    fn object(&self, address: u64) -> Object {
        let Some(mapped) = Mapped::holding(self.maps, address) else { return Object::Program };
        let name = file_name(&mapped.path);
        match () {
            () if is_loader(name) => Object::Loader,
            () if is_c_library(name) => Object::C,
            () if is_ours_or_loader(&mapped.path) => Object::Calltap,
            () if self.is_allocator(&mapped.path) => Object::Allocator,
            () => Object::Program,
        }
    }

    /// Whether an object is nothing but an allocator; a program may have one in it.
    fn is_allocator(&self, path: &Path) -> bool {
        file_name(path).contains(".so")
            && self.allocators.iter().any(|allocator| Path::new(&allocator.object) == path)
    }
}

/// Whose code an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Object {
    Loader,
    C,
    Calltap,
    Allocator,
    Program,
}

impl Object {
    const fn caller(self) -> Caller {
        match self {
            Self::Loader | Self::C => Caller::Runtime,
            Self::Calltap => Caller::Calltap,
            Self::Allocator => Caller::Allocator,
            Self::Program => Caller::Program,
        }
    }
}

fn is_c_library(name: &str) -> bool {
    ["libc.so", "libc-2.", "libpthread.so", "libpthread-2."].iter().any(|start| name.starts_with(start))
}
