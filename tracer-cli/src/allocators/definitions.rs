//! Which functions of an allocator an object file defines.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use goblin::container::{Container, Ctx, Endian};
use goblin::elf::section_header::{SHN_UNDEF, SHT_DYNSYM, SHT_SYMTAB, SectionHeader};
use goblin::elf::sym::Symtab;
use goblin::elf::{Elf, header};

/// Tables above this many bytes are not read.
const MAX_PART: u64 = 1 << 28;
const CONTEXT: Ctx = Ctx { container: Container::Big, le: Endian::Little };

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
        let mut start = [0; header::header64::SIZEOF_EHDR];
        file.read_exact_at(&mut start, 0)?;
        let header = Elf::parse_header(&start).map_err(garbled)?;
        if header.container().map_err(garbled)? != Container::Big
            || header.endianness().map_err(garbled)? != Endian::Little
        {
            return Err(garbled("neither 64-bit nor little-endian"));
        }
        let count = usize::from(header.e_shnum);
        let table = part(file, header.e_shoff, (count * SectionHeader::size(CONTEXT)) as u64)?;
        let sections = match count {
            0 => Vec::new(),
            _ => SectionHeader::parse_from(&table, 0, count, CONTEXT).map_err(garbled)?,
        };
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

fn part(file: &File, offset: u64, length: u64) -> io::Result<Vec<u8>> {
    if length > MAX_PART {
        return Err(garbled("a table too large"));
    }
    let mut bytes = vec![0; length as usize];
    file.read_exact_at(&mut bytes, offset)?;
    Ok(bytes)
}

fn garbled(what: impl ToString) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_string())
}
