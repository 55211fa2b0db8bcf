//! The symbol tables of an object file.

use std::fs::File;
use std::io;

use goblin::elf::section_header::SectionHeader;
use goblin::elf::sym::Symtab;

use crate::elf_file::{CONTEXT, garbled, part};

/// Named functions or data of an object, by address.
#[derive(Debug, Default)]
pub(super) struct Symbols {
    by_address: Vec<Named>,
    names: Vec<u8>,
}

#[derive(Debug)]
struct Named {
    start: u64,
    size: u64,
    name: usize,
}

impl Symbols {
    /// The symbols of these types in the table of this kind. Nothing if the object has no such table, or one that contradicts itself.
    pub(super) fn read(file: &File, sections: &[SectionHeader], kind: u32, types: &[u8]) -> Self {
        sections
            .iter()
            .find(|s| s.sh_type == kind)
            .and_then(|table| Self::of_table(file, sections, table, types).ok())
            .unwrap_or_default()
    }

    fn of_table(
        file: &File,
        sections: &[SectionHeader],
        table: &SectionHeader,
        types: &[u8],
    ) -> io::Result<Self> {
        let strings = sections.get(table.sh_link as usize).ok_or_else(|| garbled("no string table"))?;
        let names = part(file, strings.sh_offset, strings.sh_size)?;
        let bytes = part(file, table.sh_offset, table.sh_size)?;
        let count = bytes.len() / goblin::elf64::sym::SIZEOF_SYM;
        let symbols = Symtab::parse(&bytes, 0, count, CONTEXT).map_err(garbled)?;
        let mut by_address: Vec<Named> = symbols
            .iter()
            .filter(|s| types.contains(&s.st_type()) && s.st_value != 0)
            .map(|s| Named { start: s.st_value, size: s.st_size, name: s.st_name })
            .collect();
        by_address.sort_by_key(|f| (f.start, f.size));
        Ok(Self { by_address, names })
    }

    /// The names that hold this address.
    pub(super) fn names_at(&self, address: u64) -> impl Iterator<Item = &str> {
        let end = self.by_address.partition_point(|f| f.start <= address);
        let start = end
            .checked_sub(1)
            .map_or(0, |last| self.by_address.partition_point(|f| f.start < self.by_address[last].start));
        self.by_address[start..end]
            .iter()
            .filter(move |f| address - f.start < f.size.max(1))
            .filter_map(|f| self.name(f.name))
    }

    fn name(&self, at: usize) -> Option<&str> {
        let rest = self.names.get(at..)?;
        let end = rest.iter().position(|&byte| byte == 0)?;
        std::str::from_utf8(&rest[..end]).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_holds_from_its_first_to_its_last_byte() {
        let functions = Symbols {
            by_address: vec![
                Named { start: 0x10, size: 0x10, name: 1 },
                Named { start: 0x10, size: 0x10, name: 7 },
                Named { start: 0x30, size: 0, name: 1 },
            ],
            names: b"\0first\0alias\0".to_vec(),
        };
        let at = |address| functions.names_at(address).collect::<Vec<_>>();
        assert_eq!(at(0x0f), [] as [&str; 0]);
        assert_eq!(at(0x10), ["first", "alias"]);
        assert_eq!(at(0x1f), ["first", "alias"]);
        assert_eq!(at(0x20), [] as [&str; 0]);
        assert_eq!(at(0x30), ["first"], "a symbol without a size holds its own address");
    }
}
