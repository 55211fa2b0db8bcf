//! What memory still has of an object whose file is gone: its exported functions and its build id.
//!
//! They are copied into a file without a name that has just the sections with which they are found
//! in any object file: `.dynsym`, `.dynstr` and a note. The vDSO, which never had a file, is read
//! in the same way.

use std::fs::File;
use std::io::{self, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;

use goblin::elf::Elf;
use goblin::elf::dynamic::{DT_GNU_HASH, DT_HASH, DT_NULL, DT_STRSZ, DT_STRTAB, DT_SYMTAB};
use goblin::elf::header::header64;
use goblin::elf::program_header::{PT_DYNAMIC, PT_NOTE, ProgramHeader};
use goblin::elf::section_header::{SHT_DYNSYM, SHT_NOTE, SHT_NULL, SHT_STRTAB, section_header64};
use goblin::elf64::sym::SIZEOF_SYM;
use nix::sys::memfd::{MFdFlags, memfd_create};

use super::elf::CONTEXT;

/// Tables above this many bytes are taken for garbage and not read.
const MAX_TABLE: u64 = 1 << 26;

/// The memory of a process that has an object loaded.
pub(super) struct LoadedObject<'a> {
    /// `/proc/PID/mem`.
    pub(super) memory: &'a File,
    /// The object's addresses.
    pub(super) range: Range<u64>,
    /// What its file's addresses are moved by.
    pub(super) bias: u64,
}

impl LoadedObject<'_> {
    /// Copies what is there into an anonymous object file.
    ///
    /// # Errors
    /// If the memory cannot be read, or what is there makes no sense.
    pub(super) fn copy(&self) -> io::Result<File> {
        let start = self.read(self.range.start, header64::SIZEOF_EHDR as u64)?;
        let header = Elf::parse_header(&start).map_err(io::Error::other)?;
        let count = usize::from(header.e_phnum);
        let size = (count * ProgramHeader::size(CONTEXT)) as u64;
        let table = self.read(self.range.start.wrapping_add(header.e_phoff), size)?;
        let segments = ProgramHeader::parse(&table, 0, count, CONTEXT).map_err(io::Error::other)?;
        let content =
            |segment: &ProgramHeader| self.read(self.bias.wrapping_add(segment.p_vaddr), segment.p_memsz);
        let (symbols, strings) = match segments.iter().find(|s| s.p_type == PT_DYNAMIC) {
            Some(segment) => self.symbols(&content(segment)?)?,
            None => Default::default(),
        };
        let notes = segments.iter().filter(|s| s.p_type == PT_NOTE && s.p_align <= 4);
        let notes: Vec<u8> = notes.filter_map(|s| content(s).ok()).flatten().collect();
        let mut file = File::from(memfd_create(c"calltap-object", MFdFlags::MFD_CLOEXEC)?);
        file.write_all(&object_file(&start, &table, &symbols, &strings, &notes))?;
        Ok(file)
    }

    /// The symbol table and its strings, by what the dynamic section says of them.
    fn symbols(&self, dynamic: &[u8]) -> io::Result<(Vec<u8>, Vec<u8>)> {
        let entries = dynamic.chunks_exact(16).map(|entry| (word(entry, 0), word(entry, 8)));
        let entries: Vec<(u64, u64)> = entries.take_while(|(tag, _)| *tag != DT_NULL).collect();
        let value = |wanted: u64| entries.iter().find(|(tag, _)| *tag == wanted).map(|(_, value)| *value);
        let place = |tag| {
            // The loader moves these words in place, unless the object is mapped without it.
            value(tag).map(|at| if self.range.contains(&at) { at } else { self.bias.wrapping_add(at) })
        };
        let (Some(symbols), Some(strings), Some(length)) =
            (place(DT_SYMTAB), place(DT_STRTAB), value(DT_STRSZ))
        else {
            return Err(io::Error::other("no symbol table"));
        };
        let count = match (place(DT_GNU_HASH), place(DT_HASH)) {
            (Some(table), _) => self.count_by_gnu_hash(table)?,
            // `nchain`, the second word of the older table, is the number of symbols.
            (None, Some(table)) => self.word32(table.wrapping_add(4))?,
            (None, None) => return Err(io::Error::other("no hash table")),
        };
        Ok((self.read(symbols, u64::from(count) * SIZEOF_SYM as u64)?, self.read(strings, length)?))
    }

    /// The table has no count: the last symbol is at the end of the chain that begins last.
    fn count_by_gnu_hash(&self, table: u64) -> io::Result<u32> {
        let head = self.read(table, 16)?;
        let (bucket_count, first, bloom_words) = (word32(&head, 0), word32(&head, 4), word32(&head, 8));
        let buckets = table.wrapping_add(16).wrapping_add(u64::from(bloom_words) * 8);
        let starts = self.read(buckets, u64::from(bucket_count) * 4)?;
        let Some(mut last) = starts.chunks_exact(4).map(|start| word32(start, 0)).max() else {
            return Ok(first);
        };
        if last < first {
            return Ok(first); // no symbol is exported
        }
        let chains = buckets.wrapping_add(starts.len() as u64);
        // The lowest bit marks a chain's end.
        while self.word32(chains.wrapping_add(u64::from(last - first) * 4))? & 1 == 0 {
            last = last.checked_add(1).ok_or_else(|| io::Error::other("an endless chain"))?;
        }
        Ok(last.saturating_add(1))
    }

    fn word32(&self, address: u64) -> io::Result<u32> {
        Ok(word32(&self.read(address, 4)?, 0))
    }

    /// Bytes of the object, and of nothing else.
    fn read(&self, address: u64, size: u64) -> io::Result<Vec<u8>> {
        let end = address.saturating_add(size);
        if size > MAX_TABLE || !self.range.contains(&address) || end > self.range.end {
            return Err(io::Error::other("a part lies outside of the object"));
        }
        let mut bytes = vec![0; size as usize];
        self.memory.read_exact_at(&mut bytes, address)?;
        Ok(bytes)
    }
}

/// An object file with these sections. `start` is the header of the file that is gone, `segments` its
/// table of them.
fn object_file(start: &[u8], segments: &[u8], symbols: &[u8], strings: &[u8], notes: &[u8]) -> Vec<u8> {
    const NAMES: &[u8] = b"\0.dynsym\0.dynstr\0.note.gnu.build-id\0.shstrtab\0";
    const STRINGS: u32 = 2;
    const SECTION_NAMES: u16 = 4;
    let name = |name: &[u8]| NAMES.windows(name.len()).position(|w| w == name).unwrap_or(0) as u32;
    let mut file = vec![0; header64::SIZEOF_EHDR];
    file.extend(segments);
    let mut headers: Vec<u8> = Vec::new();
    let mut section = |kind: u32, label: u32, content: &[u8], link: u32, entry: usize| {
        let offset = file.len();
        file.extend(content);
        file.resize(file.len().next_multiple_of(8), 0);
        headers.extend([label, kind].map(u32::to_le_bytes).as_flattened());
        // Flags, address; offset, size.
        headers.extend([0, 0, offset as u64, content.len() as u64].map(u64::to_le_bytes).as_flattened());
        headers.extend([link, 0].map(u32::to_le_bytes).as_flattened());
        headers.extend([8, entry as u64].map(u64::to_le_bytes).as_flattened());
    };
    section(SHT_NULL, 0, &[], 0, 0);
    section(SHT_DYNSYM, name(b".dynsym\0"), symbols, STRINGS, SIZEOF_SYM);
    section(SHT_STRTAB, name(b".dynstr\0"), strings, 0, 0);
    section(SHT_NOTE, name(b".note.gnu.build-id\0"), notes, 0, 0);
    section(SHT_STRTAB, name(b".shstrtab\0"), NAMES, 0, 0);
    let table = file.len() as u64;
    file.extend(headers);
    // All stays but where the tables are and how many sections there are.
    file[..header64::SIZEOF_EHDR].copy_from_slice(start);
    let tables = [header64::SIZEOF_EHDR as u64, table];
    file[32..48].copy_from_slice(tables.map(u64::to_le_bytes).as_flattened());
    let sections = [section_header64::SIZEOF_SHDR as u16, SECTION_NAMES + 1, SECTION_NAMES];
    file[58..64].copy_from_slice(sections.map(u16::to_le_bytes).as_flattened());
    file
}

fn word(bytes: &[u8], at: usize) -> u64 {
    bytes[at..].first_chunk().copied().map_or(0, u64::from_le_bytes)
}

fn word32(bytes: &[u8], at: usize) -> u32 {
    bytes[at..].first_chunk().copied().map_or(0, u32::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::sync::Arc;

    use crate::exit_snapshot::{Mapped, maps};
    use crate::symbols::Detail;
    use crate::symbols::elf::Headers;
    use crate::symbols::lookup::look_up;

    /// The object of this process that holds an address; `mapped` says which mappings are its own.
    fn copied(mapped: impl Fn(&Mapped) -> bool) -> (File, u64) {
        let maps = maps::parse(&std::fs::read("/proc/self/maps").unwrap());
        let own: Vec<&Mapped> = maps.iter().filter(|m| mapped(m)).collect();
        let range = own[0].start..own[own.len() - 1].end;
        let memory = File::open("/proc/self/mem").unwrap();
        let bias = range.start;
        (LoadedObject { memory: &memory, range, bias }.copy().unwrap(), bias)
    }

    fn name_of(object: &File, address: u64) -> Option<Arc<str>> {
        use std::os::fd::AsRawFd;
        let path = format!("/proc/self/fd/{}", object.as_raw_fd());
        let mut name = None;
        look_up(path.as_ref(), None, &[], Detail::Lines, &[address], |found| {
            name = found[0].1.first().and_then(|named| named.function.clone());
        });
        name
    }

    #[test]
    fn the_c_library_in_memory_has_the_names_and_the_build_id_of_its_file() {
        // `free` could be the address of a stub in the program.
        // SAFETY: the name is a string of the C library's.
        let function = unsafe { libc::dlsym(libc::RTLD_NEXT, c"getppid".as_ptr()) } as u64;
        // Another test may have mapped the file as well, elsewhere.
        let maps = maps::parse(&std::fs::read("/proc/self/maps").unwrap());
        let at = maps.iter().position(|m| (m.start..m.end).contains(&function)).unwrap();
        let first = (1..=at)
            .rev()
            .find(|&at| maps[at - 1].end != maps[at].start || maps[at - 1].path != maps[at].path)
            .unwrap_or(0);
        let range = maps[first].start..maps[at].end;
        let is_libc =
            |m: &Mapped| m.path == maps[at].path && m.start >= range.start && m.start < range.end + (1 << 22);
        let (copy, bias) = copied(is_libc);
        let name = name_of(&copy, function - bias + 1).unwrap();
        assert!(name.ends_with("getppid"), "{name}");
        let file = File::open(&maps.iter().find(|m| is_libc(m)).unwrap().path).unwrap();
        let address = |file| Headers::read(file).unwrap().segments().address_of_offset(0x30000);
        assert_eq!(address(&copy), address(&file));
        let build_id = |file| Headers::read(file).unwrap().build_id().expect("distributions give ids");
        assert_eq!(build_id(&copy), build_id(&file));
    }

    #[test]
    fn the_vdso_is_an_object_in_memory() {
        let (copy, _) = copied(|m| m.path.as_os_str() == "[vdso]");
        let mut symbols = Vec::new();
        for address in 0..0x4000 {
            symbols.extend(name_of(&copy, address).filter(|_| address % 64 == 0));
        }
        assert!(symbols.iter().any(|name| name.ends_with("clock_gettime")), "{symbols:?}");
    }

    #[test]
    fn memory_that_is_no_object_is_refused() {
        let page = vec![0_u8; 8192];
        let start = page.as_ptr() as u64;
        let memory = File::open("/proc/self/mem").unwrap();
        assert!(LoadedObject { memory: &memory, range: start..start + 8192, bias: start }.copy().is_err());
        assert!(LoadedObject { memory: &memory, range: 0..4096, bias: 0 }.copy().is_err());
    }
}
