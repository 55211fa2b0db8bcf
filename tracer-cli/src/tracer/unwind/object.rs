//! An executable or shared object: where its parts are, and its unwind tables.

use std::ops::Range;

use goblin::container::{Container, Ctx, Endian};
use goblin::elf::header::{EM_X86_64, header64};
use goblin::elf::program_header::{PT_GNU_EH_FRAME, PT_LOAD, ProgramHeader};
use goblin::elf::section_header::SectionHeader;
use goblin::elf::{Elf, Header};

use super::rule::Rule;
use super::rules::Rules;
use super::tables::{Context, Tables};

const CONTEXT: Ctx = Ctx { container: Container::Big, le: Endian::Little };
/// Tables above this many bytes are garbage.
const MAX_TABLES: u64 = 1 << 28;
/// The beginning of `.eh_frame_hdr`, without the entries.
const HEADER_BYTES: u64 = 16;
/// An entry point has no caller, and often no unwind table: so far behind it, code without a table is taken
/// for a part of it.
const ENTRY_BYTES: u64 = 128;

/// Fills a buffer with the bytes at an offset of the object's file; false if it cannot.
pub(super) type Content<'a> = &'a dyn Fn(u64, &mut [u8]) -> bool;

/// An object, the same for every process that has it mapped. Addresses are those of its file.
#[derive(Debug)]
pub(super) struct Object {
    /// No two objects of a session have the same.
    number: u32,
    loaded: Vec<ProgramHeader>,
    entry: u64,
    tables: Option<Tables>,
    pub(super) is_interposer: bool,
}

impl Object {
    /// Reads what unwinding needs. None if it is no object for this machine.
    pub(super) fn read(content: Content<'_>, number: u32, is_interposer: bool) -> Option<Self> {
        let mut start = [0; header64::SIZEOF_EHDR];
        if !content(0, &mut start) {
            return None;
        }
        let header = Elf::parse_header(&start).ok()?;
        if header.e_machine != EM_X86_64
            || header.container().ok()? != CONTEXT.container
            || header.endianness().ok()? != CONTEXT.le
        {
            return None;
        }
        let count = usize::from(header.e_phnum);
        let table = part(content, header.e_phoff, (count * ProgramHeader::size(CONTEXT)) as u64)?;
        let segments = ProgramHeader::parse(&table, 0, count, CONTEXT).ok()?;
        let loaded = segments.iter().filter(|s| s.p_type == PT_LOAD).cloned().collect();
        let mut object = Self { number, loaded, entry: header.e_entry, tables: None, is_interposer };
        object.tables = match segments.iter().find(|s| s.p_type == PT_GNU_EH_FRAME) {
            Some(segment) => object.tables_with_header(content, segment.p_vaddr),
            None => tables_by_section(content, &header),
        };
        Some(object)
    }

    /// The address of the code at this offset of the file, if it is loaded.
    pub(super) fn address_of_code(&self, offset: u64) -> Option<u64> {
        // One page of the file may be mapped twice: at its end one segment, at its beginning the next.
        self.loaded.iter().filter(|segment| segment.is_executable()).find_map(|segment| {
            // Whole pages are mapped: what precedes the segment in its first page comes along.
            let within = offset.checked_sub(segment.p_offset & !0xfff)?;
            (within < segment.p_filesz.saturating_add(segment.p_offset & 0xfff))
                .then(|| (segment.p_vaddr & !0xfff).wrapping_add(within))
        })
    }

    /// All its addresses, in whole pages.
    pub(super) fn span(&self) -> Range<u64> {
        let low = self.loaded.iter().map(|s| s.p_vaddr & !0xfff).min();
        let high = self.loaded.iter().map(|s| s.p_vaddr.saturating_add(s.p_memsz)).max();
        low.unwrap_or(0)..high.unwrap_or(0).checked_next_multiple_of(0x1000).unwrap_or(u64::MAX)
    }

    /// The rule of the code at an address.
    pub(super) fn rule(&self, address: u64, rules: &mut Rules, context: &mut Context) -> Rule {
        let mut look_up =
            || match self.tables.as_ref().map_or(Rule::Unknown, |tables| tables.rule(address, context)) {
                Rule::Unknown if (self.entry..self.entry.saturating_add(ENTRY_BYTES)).contains(&address) => {
                    Rule::Outermost
                }
                rule => rule,
            };
        let first = self.loaded.first().map_or(0, |segment| segment.p_vaddr);
        match u32::try_from(address.wrapping_sub(first)) {
            Ok(offset) => rules.get(self.number, offset, look_up),
            Err(_) => look_up(),
        }
    }

    /// `.eh_frame_hdr` and `.eh_frame`, which linkers put next to each other. Where the latter ends, no
    /// header says: at the end of the segment at the latest.
    fn tables_with_header(&self, content: Content<'_>, header: u64) -> Option<Tables> {
        let segment = self
            .loaded
            .iter()
            .find(|s| (s.p_vaddr..s.p_vaddr.saturating_add(s.p_filesz)).contains(&header))?;
        let offset =
            |address: u64| Some(address.checked_sub(segment.p_vaddr)?.wrapping_add(segment.p_offset));
        let beginning = part(content, offset(header)?, HEADER_BYTES)?;
        let start = Tables::start_by_header(&beginning, header)?.min(header);
        let bytes = part(
            content,
            offset(start)?,
            segment.p_vaddr.saturating_add(segment.p_filesz).checked_sub(start)?,
        )?;
        Some(Tables::with_header(bytes, start, header))
    }
}

fn tables_by_section(content: Content<'_>, header: &Header) -> Option<Tables> {
    let count = usize::from(header.e_shnum);
    let table = part(content, header.e_shoff, (count * SectionHeader::size(CONTEXT)) as u64)?;
    let sections = match count {
        0 => return None, // stripped of its section headers
        _ => SectionHeader::parse_from(&table, 0, count, CONTEXT).ok()?,
    };
    let names = sections.get(usize::from(header.e_shstrndx))?;
    let names = part(content, names.sh_offset, names.sh_size)?;
    let is_named = |s: &&SectionHeader| names.get(s.sh_name..).is_some_and(|n| n.starts_with(b".eh_frame\0"));
    let section = sections.iter().find(is_named)?;
    let bytes = part(content, section.sh_offset, section.sh_size)?;
    Some(Tables::without_header(bytes, section.sh_addr))
}

fn part(content: Content<'_>, offset: u64, size: u64) -> Option<Vec<u8>> {
    if size > MAX_TABLES {
        return None;
    }
    let mut bytes = vec![0; size as usize];
    content(offset, &mut bytes).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::unix::fs::FileExt;

    use super::*;

    fn program(content: Content<'_>) -> Object {
        Object::read(content, 1, false).unwrap()
    }

    fn file() -> File {
        File::open("/proc/self/exe").unwrap()
    }

    fn rules_of(object: &Object, addresses: &[u64]) -> Vec<Rule> {
        let (mut rules, mut context) = (Rules::default(), Context::new());
        addresses.iter().map(|address| object.rule(*address, &mut rules, &mut context)).collect()
    }

    #[test]
    fn tables_without_the_linkers_index_say_the_same() {
        let file = file();
        let whole = |offset: u64, into: &mut [u8]| file.read_exact_at(into, offset).is_ok();
        let hidden = |offset: u64, into: &mut [u8]| {
            let read = whole(offset, into);
            let kind = PT_GNU_EH_FRAME.to_le_bytes();
            if let (true, Some(at)) = (offset < 0x1000, into.windows(4).position(|window| window == kind)) {
                into[at..at + 4].fill(0);
            }
            read
        };
        let (one, other) = (program(&whole), program(&hidden));
        let is_own = |object: &Object| object.tables.as_ref().is_some_and(Tables::has_own_index);
        assert!(!is_own(&one) && is_own(&other));
        let code = one.loaded.iter().find(|segment| segment.is_executable()).unwrap();
        let addresses: Vec<u64> = (code.p_vaddr..code.p_vaddr + code.p_memsz).step_by(4099).collect();
        let rules = rules_of(&one, &addresses);
        assert_eq!(rules, rules_of(&other, &addresses));
        assert!(rules.iter().filter(|rule| **rule != Rule::Unknown).count() > addresses.len() / 2);
    }

    #[test]
    fn the_entry_point_has_no_caller() {
        let file = file();
        let object = program(&|offset, into| file.read_exact_at(into, offset).is_ok());
        assert_eq!(rules_of(&object, &[object.entry + 4]), [Rule::Outermost]);
    }

    #[test]
    fn what_is_no_object_gives_none() {
        let zeros = |_: u64, into: &mut [u8]| {
            into.fill(0);
            true
        };
        assert!(Object::read(&zeros, 1, false).is_none());
        assert!(Object::read(&|_, _| false, 1, false).is_none());
        let file = file();
        // Every byte of the headers may be wrong.
        for damaged in 0..0x400 {
            let content = |offset: u64, into: &mut [u8]| {
                let read = file.read_exact_at(into, offset).is_ok();
                if let Some(byte) =
                    usize::try_from(damaged - offset as i64).ok().and_then(|at| into.get_mut(at))
                {
                    *byte ^= 0xff;
                }
                read
            };
            if let Some(object) = Object::read(&content, 1, false) {
                let _ = (
                    object.span(),
                    object.address_of_code(0x1000),
                    rules_of(&object, &[object.entry, 0, u64::MAX]),
                );
            }
        }
    }
}
