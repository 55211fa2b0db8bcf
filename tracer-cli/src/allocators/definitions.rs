//! Which functions of an allocator an object file defines.

use std::fs::File;
use std::io;

use goblin::elf::section_header::{SHN_UNDEF, SHT_DYNSYM, SHT_SYMTAB, SectionHeader};
use goblin::elf::sym::Symtab;

use crate::elf_file::{self, CONTEXT, garbled, part};

/// Tables above this many bytes are not read.
const MAX_TABLE: u64 = 1 << 28;

/// Functions that only one allocator has, exported or, with its own prefixes, linked into a program.
const TELLING: [(&str, &str); 8] = [
    ("gnu_get_libc_version", "glibc"),
    ("mallctl", "jemalloc"),
    ("je_mallctl", "jemalloc"),
    ("_rjem_mallctl", "jemalloc"),
    ("tc_malloc", "tcmalloc"),
    ("TCMallocInternalMalloc", "tcmalloc"),
    ("mi_malloc", "mimalloc"),
    ("_mi_malloc_generic", "mimalloc"),
];

/// What matters of an object's symbols.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Definitions {
    /// It exports a function `malloc`.
    pub(super) exports_malloc: bool,
    /// The allocator that a function of it tells of.
    telling: Option<&'static str>,
}

impl Definitions {
    /// Reads the symbols of a 64-bit little-endian object file.
    ///
    /// # Errors
    /// If it cannot be read, or is something else.
    pub(super) fn read(file: &File) -> io::Result<Self> {
        let sections = elf_file::sections(file, &elf_file::header(file)?)?;
        let mut definitions = Self::default();
        for table in sections.iter().filter(|section| matches!(section.sh_type, SHT_DYNSYM | SHT_SYMTAB)) {
            definitions.add(file, &sections, table)?;
        }
        Ok(definitions)
    }

    /// Whether it is an allocator, or has one in it.
    pub(super) fn allocates(&self) -> bool {
        self.exports_malloc || matches!(self.telling, Some(name) if name != "glibc")
    }

    /// Which one, if its functions tell.
    pub(super) fn name(&self) -> Option<&'static str> {
        self.telling
    }

    fn add(&mut self, file: &File, sections: &[SectionHeader], table: &SectionHeader) -> io::Result<()> {
        let strings = sections.get(table.sh_link as usize).ok_or_else(|| garbled("no string table"))?;
        if strings.sh_size.max(table.sh_size) > MAX_TABLE {
            return Err(garbled("a table too large"));
        }
        let names = part(file, strings.sh_offset, strings.sh_size)?;
        let bytes = part(file, table.sh_offset, table.sh_size)?;
        let count = bytes.len() / goblin::elf64::sym::SIZEOF_SYM;
        let symbols = Symtab::parse(&bytes, 0, count, CONTEXT).map_err(garbled)?;
        let defined =
            symbols.iter().filter(|symbol| symbol.is_function() && symbol.st_shndx != SHN_UNDEF as usize);
        for name in defined.filter_map(|symbol| name_at(&names, symbol.st_name)) {
            self.exports_malloc |= table.sh_type == SHT_DYNSYM && name == b"malloc";
            let telling = TELLING.iter().find(|(function, _)| function.as_bytes() == name);
            self.telling = self.telling.or(telling.map(|(_, allocator)| *allocator));
        }
        Ok(())
    }
}

fn name_at(names: &[u8], at: usize) -> Option<&[u8]> {
    names.get(at..)?.split(|&byte| byte == 0).next()
}
