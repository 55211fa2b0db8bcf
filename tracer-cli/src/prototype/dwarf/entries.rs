//! The entries of debug information, and how they refer to each other.

use gimli::{AttributeValue, DwAt, DwTag, EndianSlice, LittleEndian, UnitOffset};

type Slice<'d> = EndianSlice<'d, LittleEndian>;
type Value<'d> = AttributeValue<Slice<'d>>;
type Unit<'d> = gimli::Unit<Slice<'d>>;

/// So many entries may complete one another: a definition, its abstract form, the declaration in a class.
const MAX_CHAIN: usize = 4;

/// Namespaces within one another above which functions are not looked for.
const MAX_NAMESPACES: usize = 64;

/// Which entry: number of its unit, offset in that.
pub(super) type Key = (usize, usize);

/// One entry.
#[derive(Clone, Debug)]
pub(super) struct Entry<'d> {
    pub(super) unit: usize,
    pub(super) tag: DwTag,
    entry: gimli::DebuggingInformationEntry<Slice<'d>>,
}

/// All units of an object.
pub(super) struct Entries<'d> {
    dwarf: &'d gimli::Dwarf<Slice<'d>>,
    units: Vec<Unit<'d>>,
    /// Where each unit begins.
    starts: Vec<usize>,
}

impl Entry<'_> {
    /// What tells it from all others.
    pub(super) fn key(&self) -> Key {
        (self.unit, self.entry.offset().0)
    }
}

impl<'d> Entries<'d> {
    /// Of units that can be read.
    pub(super) fn of(dwarf: &'d gimli::Dwarf<Slice<'d>>) -> Self {
        let mut entries = Self { dwarf, units: Vec::new(), starts: Vec::new() };
        let mut headers = dwarf.units();
        while let Ok(Some(header)) = headers.next() {
            if let (Some(start), Ok(unit)) = (header.debug_info_offset(), dwarf.unit(header)) {
                entries.starts.push(start.0);
                entries.units.push(unit);
            }
        }
        entries
    }

    /// The functions of all units whose language calls functions as C does.
    pub(super) fn functions(&self) -> impl Iterator<Item = Entry<'d>> {
        (0..self.units.len()).flat_map(|unit| {
            let mut found = Vec::new();
            if let Some(root) = self.root(unit) {
                let language = match self.value(&root, gimli::DW_AT_language) {
                    Some(AttributeValue::Language(language)) => Some(language),
                    _ => None,
                };
                if !matches!(language, Some(gimli::DW_LANG_Go | gimli::DW_LANG_Swift)) {
                    self.functions_in(&root, 0, &mut found);
                }
                if language == Some(gimli::DW_LANG_Rust) {
                    // A mangled name is that of a function which only Rust knows how to call.
                    found.retain(|function| {
                        let linkage = self.inherited_text(function, gimli::DW_AT_linkage_name);
                        linkage.is_none_or(|linkage| {
                            Some(linkage) == self.inherited_text(function, gimli::DW_AT_name)
                        })
                    });
                }
            }
            found
        })
    }

    fn root(&self, unit: usize) -> Option<Entry<'d>> {
        self.entry(unit, self.units.get(unit)?.header.root_offset())
    }

    fn functions_in(&self, parent: &Entry<'d>, depth: usize, found: &mut Vec<Entry<'d>>) {
        for child in self.children(parent) {
            match child.tag {
                gimli::DW_TAG_subprogram => found.push(child),
                gimli::DW_TAG_namespace | gimli::DW_TAG_module if depth < MAX_NAMESPACES => {
                    self.functions_in(&child, depth + 1, found);
                }
                _ => {}
            }
        }
    }

    /// The entries within another one.
    pub(super) fn children(&self, parent: &Entry<'d>) -> Vec<Entry<'d>> {
        let mut found = Vec::new();
        if !parent.entry.has_children() {
            return found;
        }
        let Some(unit) = self.units.get(parent.unit) else { return found };
        let Ok(mut tree) = unit.entries_tree(Some(parent.entry.offset())) else { return found };
        let Ok(node) = tree.root() else { return found };
        let mut children = node.children();
        while let Ok(Some(child)) = children.next() {
            let entry = child.entry().clone();
            found.push(Entry { unit: parent.unit, tag: entry.tag(), entry });
        }
        found
    }

    /// The entry that an attribute of this one refers to.
    pub(super) fn referred(&self, entry: &Entry<'d>, name: DwAt) -> Option<Entry<'d>> {
        match self.value(entry, name)? {
            AttributeValue::UnitRef(offset) => self.entry(entry.unit, offset),
            AttributeValue::DebugInfoRef(offset) => {
                let unit = self.starts.partition_point(|start| *start <= offset.0).checked_sub(1)?;
                let within = offset.to_unit_offset(&self.units[unit].header)?;
                self.entry(unit, within)
            }
            // In another file, or in a section of its own.
            _ => None,
        }
    }

    fn entry(&self, unit: usize, offset: UnitOffset) -> Option<Entry<'d>> {
        let entry = self.units.get(unit)?.entry(offset).ok()?;
        Some(Entry { unit, tag: entry.tag(), entry })
    }

    /// What an entry itself says.
    pub(super) fn value(&self, entry: &Entry<'d>, name: DwAt) -> Option<Value<'d>> {
        entry.entry.attr_value(name)
    }

    /// A number that an entry itself says.
    pub(super) fn number(&self, entry: &Entry<'d>, name: DwAt) -> Option<u64> {
        self.value(entry, name)?.udata_value()
    }

    /// Whether an entry itself has this flag.
    pub(super) fn flag(&self, entry: &Entry<'d>, name: DwAt) -> bool {
        matches!(self.value(entry, name), Some(AttributeValue::Flag(true)))
    }

    /// A text that an entry itself says.
    pub(super) fn text(&self, entry: &Entry<'d>, name: DwAt) -> Option<&'d str> {
        let value = self.value(entry, name)?;
        let slice = self.dwarf.attr_string(self.units.get(entry.unit)?, value).ok()?;
        std::str::from_utf8(slice.slice()).ok()
    }

    /// Where a function's code begins.
    pub(super) fn address(&self, entry: &Entry<'d>) -> Option<u64> {
        let value = self.value(entry, gimli::DW_AT_low_pc)?;
        self.dwarf.attr_address(self.units.get(entry.unit)?, value).ok().flatten()
    }

    /// This entry, then those that complete it.
    fn chain(&self, entry: &Entry<'d>) -> Vec<Entry<'d>> {
        let mut chain = vec![entry.clone()];
        while let Some(last) = chain.last()
            && chain.len() < MAX_CHAIN
        {
            let next = self
                .referred(last, gimli::DW_AT_abstract_origin)
                .or_else(|| self.referred(last, gimli::DW_AT_specification));
            match next {
                Some(next) => chain.push(next),
                None => break,
            }
        }
        chain
    }

    /// Whether an entry or those that complete it have an attribute.
    pub(super) fn inherits(&self, entry: &Entry<'d>, name: DwAt) -> bool {
        self.chain(entry).iter().any(|entry| self.value(entry, name).is_some())
    }

    /// The type that an entry or those that complete it have.
    pub(super) fn typed(&self, entry: &Entry<'d>) -> Option<Entry<'d>> {
        self.chain(entry).iter().find_map(|entry| self.referred(entry, gimli::DW_AT_type))
    }

    /// A text that an entry or those that complete it say.
    pub(super) fn inherited_text(&self, entry: &Entry<'d>, name: DwAt) -> Option<&'d str> {
        self.chain(entry).iter().find_map(|entry| self.text(entry, name))
    }

    /// Whether an entry or those that complete it have a flag.
    pub(super) fn inherited_flag(&self, entry: &Entry<'d>, name: DwAt) -> bool {
        self.chain(entry).iter().any(|entry| self.flag(entry, name))
    }
}
