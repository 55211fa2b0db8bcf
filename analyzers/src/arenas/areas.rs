//! What each mapping of a process is for.

mod claims;
mod names;
#[cfg(test)]
mod tests;

use std::ops::Range;

use super::chunk_map::ChunkMap;
use super::memory_map::{Area, AreaKind, Mapper};
use super::regions::{Birth, Change, Mapping, Purpose};
use crate::heap::LiveBlock;
use claims::Claims;

/// A line of `/proc/PID/maps`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MapLine {
    /// First address.
    pub start: u64,
    /// First address behind it.
    pub end: u64,
    /// `r`, `w`, `x` and `p` (private) or `s` (shared), `-` for what it is not.
    pub permissions: [u8; 4],
    /// Whether a file is behind it.
    pub is_file: bool,
    /// The file, or a name in brackets; empty for anonymous memory.
    pub path: String,
}

/// Whose code has mapped something outside any allocation call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// The program's, or a library's on its behalf.
    Program,
    /// The loader's or the C library's, for itself.
    Runtime,
    /// An allocator's: it has prepared itself before it was first asked.
    Allocator,
    /// calltap's.
    Calltap,
}

/// Tells who is behind a call.
pub trait Origins {
    /// Whose code has made the call at the mapper's site, or had it made.
    fn caller(&self, mapper: Mapper) -> Caller;
}

/// Splits everything that is mapped (`lines`, by ascending address) into areas of one purpose each.
///
/// `ranges` is what calls told ([`super::regions::Regions::ranges`]), `live` the blocks that live, by
/// ascending address. Without calls that told (`--syscalls none`) what has no name in `/proc`, no chunk
/// and no living block in it stays unknown.
#[must_use]
pub fn classify(
    lines: &[MapLine],
    ranges: &[Mapping],
    chunk_map: Option<&ChunkMap>,
    live: &[LiveBlock],
    origins: &dyn Origins,
) -> Vec<Area> {
    let known = Known { claims: Claims::new(ranges, chunk_map), live, origins };
    let mut areas: Vec<Area> = Vec::with_capacity(lines.len());
    let mut own: Option<(&MapLine, u64)> = None;
    for (index, line) in lines.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|before| line.zeroed_data_of(&lines[before]));
        // Our own data has a page in its middle that the kernel keeps apart.
        let object = before.or(own.filter(|(_, end)| *end == line.start).map(|(object, _)| object));
        own = object.filter(|object| names::is_ours(&object.path)).map(|object| (object, line.end));
        if let Some(kind) = names::kind(line) {
            push(&mut areas, line, line.start..line.end, kind);
            continue;
        }
        for range in known.claims.pieces(line.start..line.end) {
            let object = object.filter(|_| range.start == line.start);
            let kind = known.kind(line, &range, object);
            push(&mut areas, line, range, kind);
        }
    }
    guards(&mut areas);
    areas
}

/// What allocators have mapped for themselves outside any allocation call, when they were loaded.
#[must_use]
pub fn prepared(ranges: &[Mapping], origins: &dyn Origins) -> Vec<Birth> {
    let others = ranges.iter().filter(|mapping| mapping.purpose == Purpose::Other);
    let prepared = others.filter(|mapping| origins.caller(mapping.mapper) == Caller::Allocator);
    let birth = |mapping: &Mapping| Birth {
        change: Change::RegionMapped,
        start: mapping.start,
        end: mapping.end,
        at_ns: mapping.born_ns,
        thread: mapping.thread,
        function: None,
        stack: mapping.mapper.stack,
        site: mapping.mapper.site,
    };
    prepared.map(birth).collect()
}

/// What is known beside the lines.
struct Known<'a> {
    claims: Claims<'a>,
    live: &'a [LiveBlock],
    origins: &'a dyn Origins,
}

impl Known<'_> {
    /// Of a part of an anonymous line. `object` is the file whose data ends where it begins.
    fn kind(&self, line: &MapLine, range: &Range<u64>, object: Option<&MapLine>) -> AreaKind {
        if self.claims.is_chunk(range.start) {
            return AreaKind::Allocator;
        }
        let mapping = self.claims.mapping(range.start);
        match mapping.map(|mapping| mapping.purpose) {
            Some(purpose) if purpose.is_allocator() => return AreaKind::Allocator,
            Some(Purpose::Stack) => return AreaKind::Stack,
            _ => {}
        }
        let caller = mapping.map(|mapping| (self.origins.caller(mapping.mapper), mapping.mapper));
        // The loader maps it, or the kernel for the program itself.
        if let Some(object) = object
            && matches!(caller, None | Some((Caller::Runtime, _)))
        {
            return names::of_file(object);
        }
        if line.is_executable() {
            return AreaKind::Code;
        }
        match caller {
            Some((Caller::Calltap, _)) => AreaKind::Calltap,
            Some((Caller::Allocator, _)) => AreaKind::Allocator,
            _ if self.has_living(range) => AreaKind::Allocator,
            Some((Caller::Runtime, _)) => AreaKind::Runtime,
            Some((Caller::Program, mapper)) => AreaKind::Direct(mapper),
            None => AreaKind::Unknown,
        }
    }

    fn has_living(&self, range: &Range<u64>) -> bool {
        let next = self.live.partition_point(|block| block.block.0 < range.start);
        self.live.get(next).is_some_and(|block| block.block.0 < range.end)
    }
}

impl MapLine {
    /// The object whose zero-initialised data this may be: it lies directly behind its last part.
    fn zeroed_data_of<'a>(&self, before: &'a Self) -> Option<&'a Self> {
        let follows = before.is_file && before.is_private() && before.end == self.start;
        (follows && self.is_writable()).then_some(before)
    }

    const fn is_writable(&self) -> bool {
        self.permissions[1] == b'w'
    }

    const fn is_executable(&self) -> bool {
        self.permissions[2] == b'x'
    }

    const fn is_private(&self) -> bool {
        self.permissions[3] == b'p'
    }
}

/// Adds an area, or makes the last one longer.
fn push(areas: &mut Vec<Area>, line: &MapLine, range: Range<u64>, kind: AreaKind) {
    let area = Area {
        start: range.start,
        end: range.end,
        kind,
        writable: line.is_writable(),
        private: line.is_private(),
    };
    match areas.last_mut() {
        Some(last)
            if last.end == area.start
                && last.kind == area.kind
                && last.writable == area.writable
                && last.private == area.private =>
        {
            last.end = area.end;
        }
        _ => areas.push(area),
    }
}

/// What nobody knows and nobody can write to, directly below a stack, is its guard.
fn guards(areas: &mut [Area]) {
    for index in 1..areas.len() {
        let [guard, stack] = &mut areas[index - 1..=index] else { continue };
        let below = guard.end == stack.start && stack.kind == AreaKind::Stack;
        if below && guard.kind == AreaKind::Unknown && !guard.writable {
            guard.kind = AreaKind::Stack;
        }
    }
}
