//! The headers of an object file, and what they say of where its debug information is.
//!
//! Only the parts that are asked for are read, because executables of hundreds of megabytes exist.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use goblin::container::{Container, Ctx, Endian};
use goblin::elf::note::NT_GNU_BUILD_ID;
use goblin::elf::program_header::{PT_LOAD, ProgramHeader};
use goblin::elf::section_header::{SHT_NOBITS, SHT_NOTE, SectionHeader};
use goblin::elf::{Elf, header};

/// Sections that are read whole, and tables, are garbage above this many bytes.
const MAX_PART: u64 = 1 << 26;
pub(super) const CONTEXT: Ctx = Ctx { container: Container::Big, le: Endian::Little };

/// The headers of a 64-bit little-endian ELF file.
#[derive(Debug)]
pub(super) struct Headers<'a> {
    file: &'a File,
    segments: Segments,
    sections: Vec<SectionHeader>,
    names: Vec<u8>,
}

/// Which part of a file is loaded where.
#[derive(Clone, Debug, Default)]
pub(super) struct Segments(Vec<ProgramHeader>);

impl Segments {
    /// The virtual address of the byte at this offset of the file, if it is loaded.
    pub(super) fn address_of_offset(&self, offset: u64) -> Option<u64> {
        self.0.iter().filter(|s| s.p_type == PT_LOAD).find_map(|segment| {
            // The loader maps whole pages: what precedes the segment in its first page comes along.
            let within = offset.checked_sub(segment.p_offset & !0xfff)?;
            (within < segment.p_filesz.saturating_add(segment.p_offset & 0xfff))
                .then(|| (segment.p_vaddr & !0xfff).wrapping_add(within))
        })
    }
}

impl<'a> Headers<'a> {
    /// Reads them.
    ///
    /// # Errors
    /// If the file cannot be read or is something else.
    pub(super) fn read(file: &'a File) -> io::Result<Self> {
        let mut start = [0; header::header64::SIZEOF_EHDR];
        file.read_exact_at(&mut start, 0)?;
        let header = Elf::parse_header(&start).map_err(io::Error::other)?;
        if header.container().map_err(io::Error::other)? != CONTEXT.container
            || header.endianness().map_err(io::Error::other)? != CONTEXT.le
        {
            return Err(io::Error::other("neither 64-bit nor little-endian"));
        }
        let count = usize::from(header.e_phnum);
        let table = part(file, header.e_phoff, (count * ProgramHeader::size(CONTEXT)) as u64)?;
        let segments = Segments(ProgramHeader::parse(&table, 0, count, CONTEXT).map_err(io::Error::other)?);
        let count = usize::from(header.e_shnum);
        let table = part(file, header.e_shoff, (count * SectionHeader::size(CONTEXT)) as u64)?;
        let sections = match count {
            0 => Vec::new(), // stripped of its section headers
            _ => SectionHeader::parse_from(&table, 0, count, CONTEXT).map_err(io::Error::other)?,
        };
        let mut headers = Self { file, segments, sections, names: Vec::new() };
        if let Some(names) = headers.sections.get(usize::from(header.e_shstrndx)) {
            headers.names = headers.content(names)?;
        }
        Ok(headers)
    }

    /// Whether line numbers and inlined functions can be read from this very file.
    pub(super) fn has_debug_information(&self) -> bool {
        [".debug_info", ".zdebug_info"].iter().any(|name| self.section(name).is_some())
    }

    /// What is loaded.
    pub(super) fn segments(&self) -> &Segments {
        &self.segments
    }

    /// What tells this build of the file from all others.
    pub(super) fn build_id(&self) -> Option<Vec<u8>> {
        self.sections.iter().filter(|s| s.sh_type == SHT_NOTE).find_map(|section| {
            let notes = self.content(section).ok()?;
            build_id_in(&notes).map(<[u8]>::to_vec)
        })
    }

    /// `.gnu_debuglink`: the name of the file with the debug information, and the CRC-32 of its content.
    pub(super) fn debug_link(&self) -> Option<(PathBuf, u32)> {
        let content = self.content(self.section(".gnu_debuglink")?).ok()?;
        let length = content.iter().position(|&byte| byte == 0).filter(|&length| length > 0)?;
        // The sum follows at the next multiple of 4 behind the zero byte.
        let sum = content.get((length + 1).next_multiple_of(4)..)?.first_chunk()?;
        let name = Path::new(OsStr::from_bytes(&content[..length])).file_name()?;
        Some((name.into(), u32::from_le_bytes(*sum)))
    }

    /// The section with this name, if it has content in this file.
    fn section(&self, name: &str) -> Option<&SectionHeader> {
        self.sections.iter().find(|section| {
            let rest = self.names.get(section.sh_name..).unwrap_or_default();
            section.sh_type != SHT_NOBITS
                && rest.strip_prefix(name.as_bytes()).is_some_and(|rest| rest.first() == Some(&0))
        })
    }

    fn content(&self, section: &SectionHeader) -> io::Result<Vec<u8>> {
        part(self.file, section.sh_offset, section.sh_size)
    }
}

/// The build id in a block of notes: each has the lengths of its name and content, a type, and both
/// padded to 4 bytes.
pub(super) fn build_id_in(mut notes: &[u8]) -> Option<&[u8]> {
    loop {
        let word = |at: usize| notes.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes));
        let (name, content) = (word(0)? as usize, word(4)? as usize);
        let begin = 12_usize.checked_add(name)?.checked_next_multiple_of(4)?;
        let end = begin.checked_add(content)?;
        if word(8)? == NT_GNU_BUILD_ID && notes.get(12..12 + name)? == b"GNU\0" {
            return notes.get(begin..end);
        }
        notes = notes.get(end.checked_next_multiple_of(4)?..)?;
    }
}

fn part(file: &File, offset: u64, size: u64) -> io::Result<Vec<u8>> {
    if size > MAX_PART || offset.saturating_add(size) > file.metadata()?.len() {
        return Err(io::Error::other("a part lies outside of the file"));
    }
    let mut bytes = vec![0; size as usize];
    file.read_exact_at(&mut bytes, offset)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_build_id_is_found_among_other_notes() {
        let note = |kind: u32, name: &[u8], content: &[u8]| {
            let mut bytes = Vec::new();
            for word in [name.len() as u32, content.len() as u32, kind] {
                bytes.extend(word.to_le_bytes());
            }
            for part in [name, content] {
                bytes.extend(part);
                bytes.resize(bytes.len().next_multiple_of(4), 0);
            }
            bytes
        };
        let other = note(1, b"Linux\0", &[7; 5]);
        let build_id = note(NT_GNU_BUILD_ID, b"GNU\0", &[1, 2, 3]);
        assert_eq!(build_id_in(&[other.clone(), build_id.clone()].concat()), Some(&[1, 2, 3][..]));
        assert_eq!(build_id_in(&other), None);
        for length in 0..build_id.len() - 1 {
            assert_eq!(build_id_in(&build_id[..length]), None, "{length}");
        }
    }

    #[test]
    fn lengths_that_make_no_sense_are_no_note() {
        assert_eq!(build_id_in(&[0xff; 64]), None);
    }

    #[test]
    fn this_program_has_debug_information_and_offsets_become_addresses() {
        let file = File::open("/proc/self/exe").unwrap();
        let headers = Headers::read(&file).unwrap();
        assert!(headers.has_debug_information());
        assert_eq!(headers.debug_link(), None);
        assert_eq!(headers.segments().address_of_offset(0), Some(0));
        assert_eq!(headers.segments().address_of_offset(u64::MAX), None);
    }

    #[test]
    fn what_is_no_object_file_is_refused() {
        assert!(Headers::read(&File::open("/proc/self/status").unwrap()).is_err());
    }
}
