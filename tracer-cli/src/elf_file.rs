//! The parts of a 64-bit little-endian ELF file. Only those that are asked for are read, because
//! executables of hundreds of megabytes exist.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use goblin::container::{Container, Ctx, Endian};
use goblin::elf::header::Header;
use goblin::elf::section_header::SectionHeader;
use goblin::elf::{Elf, header};

/// Sections and tables above this many bytes are taken for garbage and not read.
const MAX_PART: u64 = 1 << 30;

/// What goblin has to know of such files.
pub const CONTEXT: Ctx = Ctx { container: Container::Big, le: Endian::Little };

/// Reads the header.
///
/// # Errors
/// If it cannot be read, or is of another kind of file.
pub fn header(file: &File) -> io::Result<Header> {
    let mut start = [0; header::header64::SIZEOF_EHDR];
    file.read_exact_at(&mut start, 0)?;
    let header = Elf::parse_header(&start).map_err(garbled)?;
    if header.container().map_err(garbled)? != Container::Big
        || header.endianness().map_err(garbled)? != Endian::Little
    {
        return Err(garbled("neither 64-bit nor little-endian"));
    }
    Ok(header)
}

/// Reads the section headers; none of a file that was stripped of them.
///
/// # Errors
/// If they cannot be read.
pub fn sections(file: &File, header: &Header) -> io::Result<Vec<SectionHeader>> {
    let count = usize::from(header.e_shnum);
    let table = part(file, header.e_shoff, (count * SectionHeader::size(CONTEXT)) as u64)?;
    match count {
        0 => Ok(Vec::new()),
        _ => SectionHeader::parse_from(&table, 0, count, CONTEXT).map_err(garbled),
    }
}

/// The bytes from `offset` of the file.
///
/// # Errors
/// If they are not all there, or too many.
pub fn part(file: &File, offset: u64, size: u64) -> io::Result<Vec<u8>> {
    if size > MAX_PART || offset.saturating_add(size) > file.metadata()?.len() {
        return Err(garbled("a part lies outside of the file"));
    }
    let mut bytes = vec![0; size as usize];
    file.read_exact_at(&mut bytes, offset)?;
    Ok(bytes)
}

/// The file is not what it should be.
pub fn garbled(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, cause)
}
