//! Types.

use std::collections::HashMap;
use std::rc::Rc;

use super::entries::{Entries, Entry, Key};
use super::scalars::integer;
use crate::prototype::types::{Expression, Kind, Lens, Struct, Typed};

/// Modifiers and names around one type above which the debug information makes no sense.
const MAX_CHAIN: usize = 64;

/// A type as a parameter or a result has it.
pub(super) struct Passed {
    pub(super) typed: Typed,
    /// A class that is never passed itself: a pointer to it is.
    pub(super) by_reference: bool,
}

/// Types that have been read.
pub(super) struct Types<'a, 'd> {
    pub(super) entries: &'a Entries<'d>,
    named: &'a dyn Fn(&str) -> Option<Typed>,
    pub(super) enums: HashMap<Key, Typed>,
    pub(super) structs: HashMap<Key, Rc<Struct>>,
    /// Whether a struct whose members are known is passed as those members would be.
    pub(super) exact: HashMap<Key, bool>,
    /// Structs that pointers have been seen to; their members are still to be read.
    pub(super) waiting: Vec<(Rc<Struct>, Entry<'d>)>,
    /// Types around the one that is being read.
    depth: usize,
}

/// A type without the modifiers and names around it.
struct Bare<'d> {
    entry: Option<Entry<'d>>,
    is_const: bool,
    /// It goes by the name `wchar_t`.
    is_wide: bool,
    /// A file gives this name another meaning.
    meant: Option<Typed>,
}

impl<'a, 'd> Types<'a, 'd> {
    /// Nothing is read yet. `named` knows types that count instead of those of the same name.
    pub(super) fn new(entries: &'a Entries<'d>, named: &'a dyn Fn(&str) -> Option<Typed>) -> Self {
        Self {
            entries,
            named,
            enums: HashMap::new(),
            structs: HashMap::new(),
            exact: HashMap::new(),
            waiting: Vec::new(),
            depth: 0,
        }
    }

    /// Reads the members of all structs that pointers lead to.
    pub(super) fn finish(&mut self) {
        while let Some((of, entry)) = self.waiting.pop() {
            self.fill(&of, &entry);
        }
    }

    /// The type of a parameter or result; `None` if it cannot be told where such a value is.
    pub(super) fn passed(&mut self, entry: &Entry<'d>) -> Option<Passed> {
        let bare = self.bare(entry);
        if let Some(entry) = &bare.entry
            && bare.meant.is_none()
            && self.is_aggregate(entry)
        {
            if self.by_reference(entry)? {
                let kind = Kind::Pointer(Rc::new(self.pointee(entry)));
                return Some(Passed { typed: Typed::plain(kind), by_reference: true });
            }
            let typed = self.value(&bare)?;
            let exact = self.exact.get(&entry.key()) == Some(&true);
            return exact.then_some(Passed { typed, by_reference: false });
        }
        Some(Passed { typed: self.value(&bare)?, by_reference: false })
    }

    /// The type of a member or element; `None` if it has no place in the language.
    pub(super) fn member(&mut self, entry: &Entry<'d>) -> Option<Typed> {
        let bare = self.bare(entry);
        self.value(&bare)
    }

    /// Goes through modifiers and names.
    fn bare(&self, entry: &Entry<'d>) -> Bare<'d> {
        let mut bare = Bare { entry: Some(entry.clone()), is_const: false, is_wide: false, meant: None };
        for _ in 0..MAX_CHAIN {
            let Some(entry) = bare.entry.take() else { break };
            let name = self.entries.text(&entry, gimli::DW_AT_name);
            bare.is_wide |= name == Some("wchar_t");
            if entry.tag != gimli::DW_TAG_base_type {
                bare.meant = name.and_then(self.named);
            }
            let passes = match entry.tag {
                gimli::DW_TAG_const_type => {
                    bare.is_const = true;
                    true
                }
                gimli::DW_TAG_typedef
                | gimli::DW_TAG_volatile_type
                | gimli::DW_TAG_restrict_type
                | gimli::DW_TAG_atomic_type
                | gimli::DW_TAG_immutable_type => true,
                _ => false,
            };
            if !passes || bare.meant.is_some() {
                bare.entry = Some(entry);
                break;
            }
            bare.entry = self.entries.referred(&entry, gimli::DW_AT_type);
        }
        bare
    }

    fn value(&mut self, bare: &Bare<'d>) -> Option<Typed> {
        if self.depth > MAX_CHAIN {
            return None;
        }
        self.depth += 1;
        let typed = self.own_value(bare);
        self.depth -= 1;
        typed
    }

    fn own_value(&mut self, bare: &Bare<'d>) -> Option<Typed> {
        if let Some(meant) = &bare.meant {
            return Some(meant.clone());
        }
        let Some(entry) = &bare.entry else { return Some(Typed::plain(Kind::Void)) };
        match entry.tag {
            gimli::DW_TAG_base_type => self.base(entry),
            gimli::DW_TAG_enumeration_type => self.enumeration(entry),
            gimli::DW_TAG_pointer_type
            | gimli::DW_TAG_reference_type
            | gimli::DW_TAG_rvalue_reference_type => Some(self.pointer(entry)),
            // `nullptr`.
            gimli::DW_TAG_unspecified_type => Some(nothing()),
            gimli::DW_TAG_ptr_to_member_type => {
                let to = self.entries.referred(entry, gimli::DW_AT_type)?;
                // A function of a class: its address, and what to add to `this`.
                (to.tag != gimli::DW_TAG_subroutine_type).then(|| integer(8, true))
            }
            gimli::DW_TAG_array_type => self.array(entry),
            _ if self.is_aggregate(entry) => {
                let of = self.structure(entry)?;
                self.fill(&of, entry).then(|| Typed::plain(Kind::Struct(of)))
            }
            _ => None,
        }
    }

    fn pointer(&mut self, entry: &Entry<'d>) -> Typed {
        let Some(to) = self.entries.referred(entry, gimli::DW_AT_type) else { return nothing() };
        let bare = self.bare(&to);
        if let Some(to) = &bare.entry
            && bare.meant.is_none()
        {
            if self.is_aggregate(to) {
                return Typed::plain(Kind::Pointer(Rc::new(self.pointee(to))));
            }
            if bare.is_const {
                match self.value(&bare).map(|typed| typed.kind) {
                    Some(Kind::Char) => return text(Kind::Char),
                    Some(wide @ Kind::Int { bytes: 4, .. }) if bare.is_wide => return text(wide),
                    _ => {}
                }
            }
        }
        let to = self.value(&bare).unwrap_or(Typed::plain(Kind::Void));
        Typed::plain(Kind::Pointer(Rc::new(to)))
    }

    /// A struct that a pointer leads to; its members are read later.
    fn pointee(&mut self, entry: &Entry<'d>) -> Typed {
        match self.structure(entry) {
            Some(of) => {
                self.waiting.push((Rc::clone(&of), entry.clone()));
                Typed::plain(Kind::Struct(of))
            }
            None => Typed::plain(Kind::Void),
        }
    }

    fn array(&mut self, entry: &Entry<'d>) -> Option<Typed> {
        let element = self.entries.referred(entry, gimli::DW_AT_type)?;
        if self.entries.flag(entry, gimli::DW_AT_GNU_vector) {
            let (bytes, _) = self.member(&element)?.layout();
            let size = self
                .lengths(entry)
                .iter()
                .try_fold(bytes as u64, |size, length| size.checked_mul(*length))?;
            return matches!(size, 16 | 32 | 64).then(|| Typed::plain(Kind::Vector(size as u8)));
        }
        let mut typed = self.member(&element)?;
        for length in self.lengths(entry).into_iter().rev() {
            let length = Expression::Constant(length.try_into().unwrap_or(0));
            typed = Typed::plain(Kind::Array { of: Rc::new(typed), length });
        }
        Some(typed)
    }

    /// How many elements an array has in each of its dimensions; 0 if that is not known.
    fn lengths(&self, entry: &Entry<'d>) -> Vec<u64> {
        let dimensions = self.entries.children(entry);
        let dimensions = dimensions.iter().filter(|child| child.tag == gimli::DW_TAG_subrange_type);
        dimensions
            .map(|dimension| {
                let bound = || self.entries.number(dimension, gimli::DW_AT_upper_bound)?.checked_add(1);
                self.entries.number(dimension, gimli::DW_AT_count).or_else(bound).unwrap_or(0)
            })
            .collect()
    }

    /// The type of an entry without names and modifiers; of an array, that of its elements.
    pub(super) fn element(&self, of: &Entry<'d>) -> Option<Entry<'d>> {
        let mut entry = of.clone();
        for _ in 0..MAX_CHAIN {
            entry = self.bare(&self.entries.referred(&entry, gimli::DW_AT_type)?).entry?;
            if entry.tag != gimli::DW_TAG_array_type {
                return Some(entry);
            }
        }
        None
    }

    /// Whether it is a struct, class or union.
    pub(super) fn is_aggregate(&self, entry: &Entry<'d>) -> bool {
        matches!(
            entry.tag,
            gimli::DW_TAG_structure_type | gimli::DW_TAG_class_type | gimli::DW_TAG_union_type
        )
    }
}

/// Characters up to the zero behind a pointer.
pub(super) fn text(of: Kind) -> Typed {
    let characters = Kind::Array { of: Rc::new(Typed::plain(of)), length: Expression::Zero(None) };
    Typed { kind: Kind::Pointer(Rc::new(Typed::plain(characters))), lens: Lens::String }
}

/// A pointer to what is not known.
pub(super) fn nothing() -> Typed {
    Typed::plain(super::pointer_to_nothing())
}
