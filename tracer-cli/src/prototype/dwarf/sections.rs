//! The sections with an object's debug information.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use gimli::DwarfSections;
use goblin::elf::compression_header::{CompressionHeader, ELFCOMPRESS_ZLIB, ELFCOMPRESS_ZSTD};
use goblin::elf::section_header::{SHF_COMPRESSED, SHT_NOBITS, SectionHeader};

use crate::elf_file::{self, CONTEXT, garbled, part};
use crate::prototype::exports::text;

/// What `.debug_str` of the largest programs comes to; more is taken for garbage.
const MAX_SECTION: u64 = 1 << 30;

/// An object's sections, by name.
struct Sections<'a> {
    file: &'a File,
    headers: Vec<SectionHeader>,
    names: Vec<u8>,
}

/// Reads the debug information of an object: its own, or that of the file which it was moved to.
///
/// # Errors
/// If there is some that cannot be read.
pub(super) fn read(
    object: &File,
    path: &Path,
    debug_directories: &[PathBuf],
) -> io::Result<Option<DwarfSections<Vec<u8>>>> {
    if let Some(own) = Sections::of(object)?.debug_information()? {
        return Ok(Some(own));
    }
    match crate::symbols::debug_file(object, path, debug_directories) {
        Some(separate) => Sections::of(&File::open(separate)?)?.debug_information(),
        None => Ok(None),
    }
}

impl<'a> Sections<'a> {
    fn of(file: &'a File) -> io::Result<Self> {
        let header = elf_file::header(file)?;
        let headers = elf_file::sections(file, &header)?;
        let names = match headers.get(usize::from(header.e_shstrndx)) {
            Some(names) => part(file, names.sh_offset, names.sh_size)?,
            None => Vec::new(),
        };
        Ok(Self { file, headers, names })
    }

    fn debug_information(&self) -> io::Result<Option<DwarfSections<Vec<u8>>>> {
        if self.find(".debug_info").is_none() {
            return Ok(None);
        }
        DwarfSections::load(|id| self.content(id.name())).map(Some)
    }

    fn find(&self, name: &str) -> Option<&SectionHeader> {
        self.headers
            .iter()
            .find(|header| header.sh_type != SHT_NOBITS && text(&self.names, header.sh_name) == Some(name))
    }

    /// What a section holds; nothing if it is not there.
    fn content(&self, name: &str) -> io::Result<Vec<u8>> {
        let Some(header) = self.find(name) else { return Ok(Vec::new()) };
        let bytes = part(self.file, header.sh_offset, header.sh_size)?;
        if header.sh_flags & u64::from(SHF_COMPRESSED) == 0 {
            return Ok(bytes);
        }
        inflated(&bytes)
    }
}

/// A compressed section as it was.
fn inflated(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let header = CompressionHeader::parse(bytes, 0, CONTEXT).map_err(garbled)?;
    let size = header.ch_size;
    let packed = bytes.get(CompressionHeader::size(CONTEXT)..).unwrap_or_default();
    if size > MAX_SECTION {
        return Err(garbled("a section is too large"));
    }
    let mut content = Vec::with_capacity(size as usize);
    match header.ch_type {
        ELFCOMPRESS_ZLIB => {
            flate2::read::ZlibDecoder::new(packed).take(size).read_to_end(&mut content)?;
        }
        ELFCOMPRESS_ZSTD => {
            zstd::stream::read::Decoder::new(packed)?.take(size).read_to_end(&mut content)?;
        }
        _ => return Err(garbled("a section is compressed in a way that is not known")),
    }
    if content.len() as u64 == size { Ok(content) } else { Err(garbled("a compressed section is cut short")) }
}
