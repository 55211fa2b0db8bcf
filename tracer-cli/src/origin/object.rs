//! One object file: which function holds an address, by its symbols and its unwind table.

use std::fs::File;
use std::io;

use goblin::elf::program_header::{PT_GNU_EH_FRAME, ProgramHeader};
use goblin::elf::reloc::R_X86_64_RELATIVE;
use goblin::elf::section_header::{
    SHF_EXECINSTR, SHF_WRITE, SHT_DYNSYM, SHT_PROGBITS, SHT_RELA, SHT_SYMTAB, SectionHeader,
};
use goblin::elf::sym::{STT_FUNC, STT_GNU_IFUNC, STT_OBJECT};

use super::symbols::Symbols;
use crate::elf_file::{self, CONTEXT, garbled, part};

/// Types of function symbols.
const FUNCTIONS: [u8; 2] = [STT_FUNC, STT_GNU_IFUNC];

/// What is kept of an object file. All addresses are the file's own virtual addresses.
#[derive(Debug)]
pub(crate) struct Object {
    file: File,
    segments: Vec<ProgramHeader>,
    sections: Vec<SectionHeader>,
    /// From `.symtab` where it was left, else the exported ones.
    functions: Symbols,
    /// From `.dynsym`.
    exported: Symbols,
}

/// Executable bytes and the address of the first one.
#[derive(Debug)]
pub(crate) struct Code {
    pub(crate) start: u64,
    pub(crate) bytes: Vec<u8>,
}

impl Object {
    /// Reads the headers and function symbols of a 64-bit little-endian ELF file.
    ///
    /// # Errors
    /// If the file cannot be read or is something else.
    pub(crate) fn read(file: File) -> io::Result<Self> {
        let header = elf_file::header(&file)?;
        let count = usize::from(header.e_phnum);
        let table = part(&file, header.e_phoff, (count * ProgramHeader::size(CONTEXT)) as u64)?;
        let segments = ProgramHeader::parse(&table, 0, count, CONTEXT).map_err(garbled)?;
        let sections = elf_file::sections(&file, &header)?;
        let functions = Symbols::read(&file, &sections, SHT_SYMTAB, &FUNCTIONS);
        let exported = Symbols::read(&file, &sections, SHT_DYNSYM, &FUNCTIONS);
        Ok(Self { file, segments, sections, functions, exported })
    }

    /// The name of the function that holds this address.
    pub(crate) fn function_at(&self, address: u64) -> Option<&str> {
        self.functions.names_at(address).next().or_else(|| self.exported_at(address).next())
    }

    /// All exported names of the function that holds this address.
    pub(crate) fn exported_at(&self, address: u64) -> impl Iterator<Item = &str> {
        self.exported.names_at(address)
    }

    /// Where functions begin, ascending, named or not: the binary search table of `.eh_frame_hdr`.
    /// Empty if the object has none in the layout that linkers write.
    pub(crate) fn function_starts(&self) -> Vec<u64> {
        self.segments
            .iter()
            .find(|s| s.p_type == PT_GNU_EH_FRAME)
            .and_then(|s| Some((part(&self.file, s.p_offset, s.p_filesz).ok()?, s.p_vaddr)))
            .and_then(|(table, address)| search_table(&table, address))
            .unwrap_or_default()
    }

    /// Exported names of the data that holds the address of the function that starts here.
    pub(crate) fn tables_with(&self, function: u64) -> Vec<String> {
        let data = Symbols::read(&self.file, &self.sections, SHT_DYNSYM, &[STT_OBJECT]);
        let mut places = Vec::new();
        for section in &self.sections {
            let Ok(bytes) = part(&self.file, section.sh_offset, section.sh_size) else {
                continue;
            };
            match section.sh_type {
                // The loader writes the address there.
                SHT_RELA => places.extend(relative_places(&bytes, function)),
                // It is there already, relative to the object (DT_RELR).
                SHT_PROGBITS if section.sh_flags & u64::from(SHF_WRITE) != 0 => {
                    let words = bytes.chunks_exact(8).zip((section.sh_addr..).step_by(8));
                    places.extend(words.filter(|(w, _)| *w == function.to_le_bytes()).map(|(_, at)| at));
                }
                _ => {}
            }
        }
        places.into_iter().flat_map(|at| data.names_at(at)).map(str::to_owned).collect()
    }

    /// The executable sections.
    pub(crate) fn code(&self) -> Vec<Code> {
        let executable = u64::from(SHF_EXECINSTR);
        self.sections
            .iter()
            .filter(|s| s.sh_type == SHT_PROGBITS && s.sh_flags & executable != 0)
            .filter_map(|s| {
                Some(Code { start: s.sh_addr, bytes: part(&self.file, s.sh_offset, s.sh_size).ok()? })
            })
            .collect()
    }
}

/// The function addresses in an `.eh_frame_hdr` that lies at `address` (LSB Core, section 10.6.2).
///
/// Only the one encoding that linkers produce: a 4-byte count and 4-byte pairs relative to the table.
fn search_table(table: &[u8], address: u64) -> Option<Vec<u64>> {
    const VERSION: u8 = 1;
    const UDATA4: u8 = 0x03;
    const DATAREL_SDATA4: u8 = 0x3b;
    const SDATA4_FORMS: u8 = 0x0b;
    let [version, frame_encoding, count_encoding, table_encoding] = *table.first_chunk()?;
    if version != VERSION
        || frame_encoding & 0x0f != SDATA4_FORMS
        || (count_encoding, table_encoding) != (UDATA4, DATAREL_SDATA4)
    {
        return None;
    }
    let count = u32::from_le_bytes(*table.get(8..)?.first_chunk()?) as usize;
    let pairs = table.get(12..12 + count.checked_mul(8)?)?;
    let starts = pairs.chunks_exact(8).map(|pair| {
        let relative = i32::from_le_bytes([pair[0], pair[1], pair[2], pair[3]]);
        address.wrapping_add_signed(i64::from(relative))
    });
    Some(starts.collect())
}

/// Where relative relocations write `address`: `Elf64_Rela` is place, type in 32 bits, addend.
fn relative_places(relocations: &[u8], address: u64) -> impl Iterator<Item = u64> {
    relocations.chunks_exact(24).filter_map(move |entry| {
        let word = |at: usize| entry[at..].first_chunk().copied().map_or(0, u64::from_le_bytes);
        (word(8) == u64::from(R_X86_64_RELATIVE) && word(16) == address).then(|| word(0))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_table_gives_addresses_relative_to_itself() {
        let mut table = vec![1, 0x1b, 0x03, 0x3b, 0, 0, 0, 0, 2, 0, 0, 0];
        for (start, frame) in [(-0x800_i32, 0x10_i32), (0x40, 0x30)] {
            table.extend(start.to_le_bytes());
            table.extend(frame.to_le_bytes());
        }
        assert_eq!(search_table(&table, 0x1000), Some(vec![0x800, 0x1040]));
    }

    #[test]
    fn a_search_table_that_is_cut_off_or_encoded_otherwise_is_not_believed() {
        let whole = [1, 0x1b, 0x03, 0x3b, 0, 0, 0, 0, 2, 0, 0, 0, 1, 2, 3, 4];
        for length in 0..=whole.len() {
            assert_eq!(search_table(&whole[..length], 0), None, "{length}");
        }
        assert_eq!(search_table(&[1, 0x1b, 0xff, 0x3b, 0, 0, 0, 0, 0, 0, 0, 0], 0), None);
    }

    #[test]
    fn relocations_lead_from_a_function_to_the_tables_that_hold_it() {
        let entry = |place: u64, kind: u64, addend: u64| [place, kind, addend].map(u64::to_le_bytes);
        let entries = [entry(0x10, 8, 0x500), entry(0x18, 6, 0x500), entry(0x20, 8, 0x501)];
        let places = relative_places(entries.as_flattened().as_flattened(), 0x500);
        assert_eq!(places.collect::<Vec<_>>(), [0x10]);
    }

    #[test]
    fn this_programs_own_function_is_found_by_name_and_among_the_starts() {
        let object = Object::read(File::open("/proc/self/exe").unwrap()).unwrap();
        let starts = object.function_starts();
        assert!(starts.is_sorted() && !starts.is_empty());
        let start = starts.iter().copied().find(|&start| {
            let name = object.function_at(start + 1).unwrap_or_default();
            name.contains("this_programs_own_function_is_found_by_name_and_among_the_starts")
        });
        let start = start.expect("this test is a function with a name");
        assert!(
            object
                .code()
                .iter()
                .any(|code| { (code.start..code.start + code.bytes.len() as u64).contains(&start) })
        );
    }

    #[test]
    fn what_is_no_object_file_is_refused() {
        assert!(Object::read(File::open("/proc/self/status").unwrap()).is_err());
        assert!(Object::read(File::open("/dev/null").unwrap()).is_err());
    }
}
