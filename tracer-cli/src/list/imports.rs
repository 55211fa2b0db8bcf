//! The functions that an object imports: those which slots of its global offset table are for.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;

use goblin::elf::reloc::{R_X86_64_64, R_X86_64_GLOB_DAT, R_X86_64_JUMP_SLOT};
use goblin::elf::section_header::{SHT_DYNSYM, SHT_RELA};
use goblin::elf::sym::{STT_FUNC, STT_GNU_IFUNC, Symtab};

use crate::elf_file::{self, CONTEXT, garbled, part};
use crate::prototype::exports::text;

/// Names of an object's slots.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Imports {
    /// Called through the procedure linkage table, or said to be functions.
    pub(super) functions: BTreeSet<String>,
    /// Functions or data: who has them knows.
    pub(super) others: BTreeSet<String>,
}

impl Imports {
    /// Reads the relocations of a 64-bit little-endian ELF file.
    ///
    /// # Errors
    /// If they cannot be read, or are no such file's.
    pub(super) fn read(file: &File) -> io::Result<Self> {
        let header = elf_file::header(file)?;
        let sections = elf_file::sections(file, &header)?;
        let mut imports = Self::default();
        let Some(at) = sections.iter().position(|section| section.sh_type == SHT_DYNSYM) else {
            return Ok(imports);
        };
        let table = part(file, sections[at].sh_offset, sections[at].sh_size)?;
        let count = table.len() / goblin::elf64::sym::SIZEOF_SYM;
        let symbols = Symtab::parse(&table, 0, count, CONTEXT).map_err(garbled)?;
        let strings =
            sections.get(sections[at].sh_link as usize).ok_or_else(|| garbled("no string table"))?;
        let strings = part(file, strings.sh_offset, strings.sh_size)?;
        for section in sections.iter().filter(|s| s.sh_type == SHT_RELA && s.sh_link as usize == at) {
            let bytes = part(file, section.sh_offset, section.sh_size)?;
            // Offset, symbol and kind, addend: 8 bytes each (psABI, "Relocation").
            let (relocations, _) = bytes.as_chunks::<24>();
            for relocation in relocations {
                let info = u64::from_le_bytes(*relocation[8..].first_chunk().unwrap_or(&[0; 8]));
                let Some(symbol) = symbols.get((info >> 32) as usize) else { continue };
                let Some(name) = text(&strings, symbol.st_name) else { continue };
                let is_function = matches!(symbol.st_type(), STT_FUNC | STT_GNU_IFUNC);
                match info as u32 {
                    R_X86_64_JUMP_SLOT => imports.functions.insert(name.to_owned()),
                    R_X86_64_GLOB_DAT if is_function => imports.functions.insert(name.to_owned()),
                    R_X86_64_GLOB_DAT | R_X86_64_64 => imports.others.insert(name.to_owned()),
                    _ => continue,
                };
            }
        }
        Ok(imports)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_program_calls_others_and_uses_their_data() {
        let imports = Imports::read(&File::open("/proc/self/exe").unwrap()).unwrap();
        let all = || imports.functions.iter().chain(&imports.others);
        assert!(all().any(|name| name == "mmap") || all().any(|name| name == "mmap64"), "{imports:?}");
        assert!(!imports.functions.contains("environ"));
        assert!(Imports::read(&File::open("/proc/self/status").unwrap()).is_err());
    }
}
