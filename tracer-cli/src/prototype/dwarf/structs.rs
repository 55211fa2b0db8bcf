//! Structs, classes and unions.

use std::rc::Rc;

use super::entries::Entry;
use super::types::Types;
use crate::prototype::types::{Expression, Kind, Lens, Struct, Typed};

/// Structs within one another above which the debug information makes no sense.
const MAX_DEPTH: usize = 16;

/// What is larger is in memory anyway, whatever its members are.
const MAX_IN_REGISTERS: u64 = 16;

/// A struct as far as its members are known.
#[derive(Default)]
struct Layout {
    members: Vec<Typed>,
    size: u64,
    exact: bool,
}

impl Layout {
    /// Adds a member where it is; false if there is none in the language at such a place.
    fn push(&mut self, at: u64, typed: Typed) -> bool {
        let (bytes, align) = typed.layout();
        let next = self.size.next_multiple_of(align as u64);
        if at < self.size || !at.is_multiple_of(align as u64) {
            return false;
        }
        if at != next {
            self.members.push(bytes_of(at - self.size, Lens::Hide));
        }
        self.members.push(typed);
        self.size = at + bytes as u64;
        true
    }
}

impl<'d> Types<'_, 'd> {
    /// A struct, with its members or before they are read; `None` if they are not known here.
    pub(super) fn structure(&mut self, entry: &Entry<'d>) -> Option<Rc<Struct>> {
        if self.entries.flag(entry, gimli::DW_AT_declaration) {
            return None;
        }
        Some(Rc::clone(self.structs.entry(entry.key()).or_default()))
    }

    /// Reads the members of a struct, if they have not been read; false if they are being read, so that it would hold
    /// itself.
    pub(super) fn fill(&mut self, of: &Struct, entry: &Entry<'d>) -> bool {
        if of.members.get().is_some() {
            return true;
        }
        if self.exact.insert(entry.key(), false).is_some() {
            return false;
        }
        let size = self.entries.number(entry, gimli::DW_AT_byte_size).unwrap_or(0);
        let as_bytes = |exact| Layout { members: vec![bytes_of(size, Lens::Default)], size, exact };
        let mut layout = if entry.tag == gimli::DW_TAG_union_type {
            as_bytes(self.has_integers_only(entry, 0))
        } else {
            self.layout(entry, size).unwrap_or_else(|| as_bytes(false))
        };
        let align = self.entries.number(entry, gimli::DW_AT_alignment).unwrap_or(1);
        layout.exact |= size > MAX_IN_REGISTERS && align <= 8;
        self.exact.insert(entry.key(), layout.exact);
        // Only here they are set, and they were not above.
        let _ = of.members.set(layout.members);
        true
    }

    /// `None`: the language has no struct that looks like this one.
    fn layout(&mut self, entry: &Entry<'d>, size: u64) -> Option<Layout> {
        let mut layout = Layout { exact: true, ..Layout::default() };
        let mut found = Vec::new();
        for child in self.entries.children(entry) {
            // Of a Rust enum, members depend on a value.
            layout.exact &= child.tag != gimli::DW_TAG_variant_part;
            // Bit-fields are part of the bytes between other members.
            if !self.is_part(&child) || self.entries.value(&child, gimli::DW_AT_bit_size).is_some() {
                continue;
            }
            let at = match self.entries.value(&child, gimli::DW_AT_data_member_location) {
                Some(value) => value.udata_value()?,
                None => 0,
            };
            let mut typed = self.member(&self.entries.referred(&child, gimli::DW_AT_type)?)?;
            if self.entries.flag(&child, gimli::DW_AT_artificial) {
                typed.lens = Lens::Hide;
            }
            if let Some(element) = self.element(&child).filter(|element| self.is_aggregate(element)) {
                layout.exact &= self.exact.get(&element.key()) == Some(&true);
            }
            found.push((at, typed));
        }
        found.sort_by_key(|(at, _)| *at);
        for (at, typed) in found {
            // An empty base class has no bytes of its own.
            if at + typed.layout().0 as u64 > size || !layout.push(at, typed) {
                return None;
            }
        }
        let align = layout.members.iter().map(|member| member.layout().1).max().unwrap_or(1) as u64;
        if layout.size.next_multiple_of(align) != size {
            layout.members.push(bytes_of(size - layout.size, Lens::Hide));
        }
        Some(layout)
    }

    /// Whether it is something that each value of a struct has: a member, or a base class.
    pub(super) fn is_part(&self, child: &Entry<'d>) -> bool {
        matches!(child.tag, gimli::DW_TAG_member | gimli::DW_TAG_inheritance)
            && !self.entries.flag(child, gimli::DW_AT_external)
            && !self.entries.flag(child, gimli::DW_AT_declaration)
    }

    /// Whether every part of a value is an integer or a pointer.
    fn has_integers_only(&mut self, entry: &Entry<'d>, depth: usize) -> bool {
        if depth > MAX_DEPTH {
            return false;
        }
        let mut parts = self.entries.children(entry);
        parts.retain(|child| self.is_part(child));
        parts.iter().all(|child| {
            let Some(typed) = self.element(child) else { return false };
            if self.is_aggregate(&typed) {
                return self.has_integers_only(&typed, depth + 1);
            }
            let member = self.member(&typed).map(|typed| typed.kind);
            matches!(member, Some(Kind::Int { .. } | Kind::Char | Kind::Pointer(_)))
        })
    }
}

/// So many bytes, in hexadecimal if they are shown at all.
fn bytes_of(count: u64, lens: Lens) -> Typed {
    let length = Expression::Constant(count.try_into().unwrap_or(0));
    let byte = Rc::new(Typed { kind: Kind::Int { bytes: 1, signed: false }, lens: Lens::Hex });
    Typed { kind: Kind::Array { of: byte, length }, lens }
}
