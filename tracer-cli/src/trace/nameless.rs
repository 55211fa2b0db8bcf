//! What an object's file says of calls without a symbol (`R_X86_64_IRELATIVE`): those of its own indirect functions. In
//! memory only the exported ones have names, so these are told to the program in its plan.

use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use calltap_channel::trace::plan::names::{FileId, Name, NameKind};
use goblin::elf::Symtab;
use goblin::elf::dynamic::{DT_JMPREL, DT_PLTRELSZ};
use goblin::elf::reloc::{R_X86_64_IRELATIVE, RelocSection};
use goblin::elf::section_header::{SHN_UNDEF, SHT_DYNSYM, SHT_RELA, SHT_SYMTAB, SectionHeader};
use goblin::elf::sym::{STT_FUNC, STT_GNU_IFUNC, Sym};

use crate::elf_file::{self, CONTEXT, garbled, part};
use crate::prototype::exports::text;
use crate::regular_file;

use super::needed;

/// The names of an object that has such calls.
#[derive(Debug, PartialEq, Eq)]
pub struct Nameless {
    file: FileId,
    names: Vec<(NameKind, u64, String)>,
}

impl Nameless {
    /// Reads the names of the indirect functions that an object calls in this way, and the places of those
    /// functions of it that are `named`, which an indirect one may turn out to be. Nothing of an object without such calls.
    ///
    /// # Errors
    /// If the file cannot be read, or contradicts itself.
    pub fn read(object: &Path, named: &HashSet<&str>) -> io::Result<Self> {
        let file = regular_file::open(object)?;
        let metadata = file.metadata()?;
        let mut found =
            Self { file: FileId { device: metadata.dev(), inode: metadata.ino() }, names: Vec::new() };
        let header = elf_file::header(&file)?;
        let sections = elf_file::sections(&file, &header)?;
        let mut unknown = resolvers(&file, &sections)?;
        if unknown.is_empty() {
            return Ok(found);
        }
        // The one that is mapped first, as the program looks there first; the other may be large.
        for kind in [SHT_DYNSYM, SHT_SYMTAB] {
            if unknown.is_empty() && named.is_empty() {
                break;
            }
            let table = sections.iter().find(|section| section.sh_type == kind);
            let Some(table) = table else { continue };
            each_symbol(&file, &sections, table, |symbol, name| {
                let kind = match symbol.st_type() {
                    // Of several names of one the first counts, as for ltrace.
                    STT_GNU_IFUNC if unknown.remove(&symbol.st_value) => NameKind::Resolver,
                    STT_FUNC if named.contains(name) => NameKind::Function,
                    _ => return,
                };
                found.names.push((kind, symbol.st_value, name.to_owned()));
            })?;
        }
        Ok(found)
    }

    /// Whether they are of the file that is at this path now.
    #[must_use]
    pub fn is_of(&self, path: &Path) -> bool {
        path.metadata()
            .is_ok_and(|metadata| FileId { device: metadata.dev(), inode: metadata.ino() } == self.file)
    }

    /// All of them, for the plan.
    pub fn names(&self) -> impl Iterator<Item = Name<'_>> {
        self.names.iter().map(|(kind, address, text)| Name {
            file: self.file,
            kind: *kind,
            address: *address,
            text: text.as_bytes(),
        })
    }

    /// The names of this kind.
    pub fn of_kind(&self, kind: NameKind) -> impl Iterator<Item = &str> {
        self.names.iter().filter(move |(of, ..)| *of == kind).map(|(_, _, name)| name.as_str())
    }
}

/// The resolvers that the relocations of an object's PLT have instead of a symbol.
fn resolvers(file: &File, sections: &[SectionHeader]) -> io::Result<HashSet<u64>> {
    let dynamic = needed::dynamic_section(file, sections)?;
    let value = |tag| dynamic.iter().find(|entry| entry[0] == tag).map_or(0, |entry| entry[1]);
    let (at, bytes) = (value(DT_JMPREL), value(DT_PLTRELSZ));
    let holds = |section: &&SectionHeader| {
        section.sh_type == SHT_RELA
            && at
                .checked_sub(section.sh_addr)
                .is_some_and(|before| before.checked_add(bytes).is_some_and(|end| end <= section.sh_size))
    };
    let Some(section) = sections.iter().find(holds).filter(|_| bytes != 0) else {
        return Ok(HashSet::new());
    };
    let offset = section.sh_offset.checked_add(at - section.sh_addr);
    let table = part(file, offset.ok_or_else(|| garbled("a table lies outside of the file"))?, bytes)?;
    let relocations = RelocSection::parse(&table, 0, table.len(), true, CONTEXT).map_err(garbled)?;
    let nameless = relocations.iter().filter(|relocation| relocation.r_type == R_X86_64_IRELATIVE);
    Ok(nameless.filter_map(|relocation| relocation.r_addend).map(i64::cast_unsigned).collect())
}

/// Calls `each` with the symbols that a table defines, and their names.
fn each_symbol(
    file: &File,
    sections: &[SectionHeader],
    table: &SectionHeader,
    mut each: impl FnMut(&Sym, &str),
) -> io::Result<()> {
    let strings = sections.get(table.sh_link as usize).ok_or_else(|| garbled("no string table"))?;
    let strings = part(file, strings.sh_offset, strings.sh_size)?;
    let bytes = part(file, table.sh_offset, table.sh_size)?;
    let count = bytes.len() / goblin::elf64::sym::SIZEOF_SYM;
    for symbol in Symtab::parse(&bytes, 0, count, CONTEXT).map_err(garbled)?.iter() {
        let is_of_functions = matches!(symbol.st_type(), STT_FUNC | STT_GNU_IFUNC);
        if symbol.st_shndx != SHN_UNDEF as usize
            && is_of_functions
            && let Some(name) = text(&strings, symbol.st_name)
        {
            each(&symbol, name);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::process::Command;

    use tempfile::TempDir;

    use super::*;

    const SOURCE: &str = "static long code(long from) { return from + 1; }
        static long (*choose(void))(long) { return code; }
        __attribute__((visibility(\"hidden\"), ifunc(\"choose\"))) long first(long);
        __attribute__((visibility(\"hidden\"), ifunc(\"choose\"))) long second(long);
        int main(void) { return first(0) + second(0); }";

    /// The source, built with these flags.
    fn built(directory: &TempDir, flags: &[&str]) -> PathBuf {
        let [source, program] = ["source.c", "program"].map(|name| directory.path().join(name));
        std::fs::write(&source, SOURCE).unwrap();
        let status = Command::new("gcc").args(flags).arg(&source).arg("-o").arg(&program).status().unwrap();
        assert!(status.success());
        program
    }

    #[test]
    fn an_indirect_function_is_named_once_and_its_code_if_that_is_asked_for() {
        let directory = TempDir::new().unwrap();
        for flags in [&["-pie", "-fPIE"][..], &["-no-pie", "-fno-pie"], &["-shared", "-fPIC"]] {
            let program = built(&directory, flags);
            let read = |named: &[&str]| Nameless::read(&program, &named.iter().copied().collect()).unwrap();
            let found = read(&[]);
            let [name] = found.names().collect::<Vec<_>>()[..] else { panic!("{found:?}") };
            assert!([&b"first"[..], b"second"].contains(&name.text), "{found:?}");
            let metadata = std::fs::metadata(&program).unwrap();
            assert_eq!(name.file, FileId { device: metadata.dev(), inode: metadata.ino() });
            let found = read(&["code", "choose", "first", "no_such_function"]);
            let functions: HashSet<&str> = found.of_kind(NameKind::Function).collect();
            assert_eq!(functions, HashSet::from(["code", "choose"]), "{found:?}");
            assert_eq!(found.of_kind(NameKind::Resolver).count(), 1, "{found:?}");
            // The resolver is a function at the same address.
            let at = |text: &[u8]| found.names().find(|name| name.text == text).map(|name| name.address);
            assert_eq!(at(b"choose"), Some(name.address));
            assert_ne!(at(b"code"), Some(name.address));
        }
    }

    #[test]
    fn a_stripped_object_has_none_and_what_is_no_object_is_refused() {
        let directory = TempDir::new().unwrap();
        let stripped = Nameless::read(&built(&directory, &["-s"]), &HashSet::from(["code"])).unwrap();
        assert_eq!(stripped.names().count(), 0);
        assert!(Nameless::read(Path::new("/etc/passwd"), &HashSet::new()).is_err());
    }

    #[test]
    fn an_object_without_such_calls_is_not_read_further() {
        let own = Nameless::read(&std::env::current_exe().unwrap(), &HashSet::from(["main"])).unwrap();
        assert_eq!(own.names().count(), 0);
    }

    #[test]
    fn a_table_that_lies_outside_of_the_file_is_an_error() {
        let directory = TempDir::new().unwrap();
        let program = built(&directory, &[]);
        let bytes = std::fs::read(&program).unwrap();
        // Section headers come last, the symbols before them.
        std::fs::write(&program, &bytes[..bytes.len() / 2]).unwrap();
        assert!(Nameless::read(&program, &HashSet::new()).is_err());
    }
}
