//! Which dynamic loader a program asks for: what decides whether the interposer can be loaded.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use goblin::container::{Container, Ctx};
use goblin::elf::header::{EM_X86_64, ET_DYN, ET_EXEC};
use goblin::elf::program_header::PT_INTERP;
use goblin::elf::program_header::program_header64::SIZEOF_PHDR;
use goblin::elf::{Elf, ProgramHeader};

/// What a program file asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Loader {
    /// The loader at this path.
    At(PathBuf),
    /// None: statically linked.
    None,
    /// Not one for this machine: it is for 32 bits or another processor.
    OtherMachine {
        /// 32 or 64.
        bits: u8,
        /// `e_machine`.
        machine: u16,
    },
    /// It is no ELF file.
    NotElf,
    /// It is an ELF file that the kernel would not execute.
    Broken,
}

/// Bytes of program headers above which the kernel refuses a file.
const MAX_HEADERS: u64 = 65536;

impl Loader {
    /// Reads it from the file's headers.
    ///
    /// # Errors
    /// Of reading; a file that is too short is not an error but [`Loader::NotElf`] or
    /// [`Loader::Broken`].
    pub(crate) fn of(file: &File) -> io::Result<Self> {
        let mut start = [0; 64];
        let length = read_some(file, &mut start, 0)?;
        let start = &start[..length];
        if !start.starts_with(b"\x7fELF") {
            return Ok(Self::NotElf);
        }
        let Ok(header) = Elf::parse_header(start) else {
            return Ok(Self::Broken);
        };
        let little = header.endianness().is_ok_and(|endian| endian.is_little());
        let wide = header.container().is_ok_and(|container| container.is_big());
        if header.e_machine != EM_X86_64 || !wide || !little {
            let bits = if wide { 64 } else { 32 };
            return Ok(Self::OtherMachine { bits, machine: header.e_machine });
        }
        let bytes = u64::from(header.e_phnum) * SIZEOF_PHDR as u64;
        if !matches!(header.e_type, ET_EXEC | ET_DYN)
            || usize::from(header.e_phentsize) != SIZEOF_PHDR
            || bytes == 0
            || bytes > MAX_HEADERS
        {
            return Ok(Self::Broken);
        }
        let mut table = vec![0; bytes as usize];
        if !read_all(file, &mut table, header.e_phoff)? {
            return Ok(Self::Broken);
        }
        let context = Ctx::new(Container::Big, goblin::container::Endian::Little);
        let Ok(headers) = ProgramHeader::parse(&table, 0, header.e_phnum.into(), context) else {
            return Ok(Self::Broken);
        };
        match headers.iter().find(|header| header.p_type == PT_INTERP) {
            None => Ok(Self::None),
            Some(header) => Self::named(file, header),
        }
    }

    /// Reads the path that a `PT_INTERP` header points to.
    fn named(file: &File, header: &ProgramHeader) -> io::Result<Self> {
        if !(2..=libc::PATH_MAX as u64).contains(&header.p_filesz) {
            return Ok(Self::Broken);
        }
        let mut path = vec![0; header.p_filesz as usize];
        if !read_all(file, &mut path, header.p_offset)? || path.last() != Some(&0) {
            return Ok(Self::Broken);
        }
        let end = path.iter().position(|&byte| byte == 0).unwrap_or(path.len());
        Ok(Self::At(OsStr::from_bytes(&path[..end]).into()))
    }
}

/// Whether this is glibc's loader for x86-64: the one that reads `LD_PRELOAD` as we need it.
pub(crate) fn is_glibc(path: &Path) -> bool {
    path.file_name() == Some(OsStr::new("ld-linux-x86-64.so.2"))
}

/// Reads as much as there is, up to the buffer's size.
fn read_some(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read_at(&mut buffer[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(bytes) => filled += bytes,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Fills the buffer; false if the file ends before, or no file can be that long.
fn read_all(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<bool> {
    if offset > i64::MAX as u64 - buffer.len() as u64 {
        return Ok(false);
    }
    Ok(read_some(file, buffer, offset)? == buffer.len())
}
