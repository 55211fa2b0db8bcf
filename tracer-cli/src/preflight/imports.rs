//! Whether a program names a function of another object.

use std::fs::File;
use std::os::unix::fs::FileExt;

use goblin::container::{Container, Ctx, Endian};
use goblin::elf::dynamic::{DT_STRSZ, DT_STRTAB};
use goblin::elf::program_header::{PT_DYNAMIC, PT_LOAD, ProgramHeader};
use goblin::elf::{Elf, header};

/// String tables above this many bytes are garbage.
const MAX_PART: u64 = 1 << 28;
const CONTEXT: Ctx = Ctx { container: Container::Big, le: Endian::Little };

/// Whether the names that a 64-bit program's dynamic linking needs have `name` among them: those of
/// what it imports, and of what it exports. False also if they cannot be read.
pub(super) fn names(file: &File, name: &str) -> bool {
    string_table(file)
        .is_some_and(|table| table.split(|&byte| byte == 0).any(|other| other == name.as_bytes()))
}

/// Reads the string table that `PT_DYNAMIC` points to, and no more of the file.
fn string_table(file: &File) -> Option<Vec<u8>> {
    let start = part(file, 0, header::header64::SIZEOF_EHDR as u64)?;
    let header = Elf::parse_header(&start).ok()?;
    let count = usize::from(header.e_phnum);
    let table = part(file, header.e_phoff, count as u64 * u64::from(header.e_phentsize))?;
    let segments = ProgramHeader::parse(&table, 0, count, CONTEXT).ok()?;
    let dynamic = segments.iter().find(|segment| segment.p_type == PT_DYNAMIC)?;
    let dynamic = part(file, dynamic.p_offset, dynamic.p_filesz)?;
    // Entries of a tag and a value, 8 bytes each (System V ABI, "Dynamic Section").
    let (entries, _) = dynamic.as_chunks::<16>();
    let value = |tag: u64| {
        let entry = entries.iter().find(|entry| entry[..8] == tag.to_le_bytes())?;
        Some(u64::from_le_bytes(*entry[8..].first_chunk()?))
    };
    let (address, length) = (value(DT_STRTAB)?, value(DT_STRSZ)?);
    let loaded = segments.iter().filter(|segment| segment.p_type == PT_LOAD);
    let holding =
        loaded.into_iter().find(|s| address.checked_sub(s.p_vaddr).is_some_and(|at| at < s.p_filesz))?;
    part(file, address - holding.p_vaddr + holding.p_offset, length)
}

fn part(file: &File, offset: u64, length: u64) -> Option<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(length).ok().filter(|_| length <= MAX_PART)?];
    file.read_exact_at(&mut bytes, offset).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_this_program_calls_is_found_by_its_whole_name() {
        let own = File::open("/proc/self/exe").unwrap();
        assert!(names(&own, "ptrace"));
        assert!(!names(&own, "ptrac"));
        assert!(!names(&own, "forkpty_of_nobody"));
        assert!(!names(&File::open("/dev/null").unwrap(), "ptrace"));
    }
}
