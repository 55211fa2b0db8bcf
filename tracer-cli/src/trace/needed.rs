//! The objects that a program will have from the beginning: as its own loader finds them, which does not run it.

use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use goblin::elf::Symtab;
use goblin::elf::dynamic::DT_SONAME;
use goblin::elf::section_header::{SHT_DYNAMIC, SHT_DYNSYM, SectionHeader};
use goblin::elf::sym::{STT_OBJECT, STT_TLS};
use goblin::elf64::dynamic::SIZEOF_DYN;
use goblin::elf64::sym::SIZEOF_SYM;

use crate::elf_file::{self, CONTEXT};
use crate::prototype::exports::text;
use crate::regular_file;
use crate::tracer::loader::Loader;

/// The program and what it needs; the program alone if its loader does not say.
#[must_use]
pub fn objects(program: &Path) -> Vec<PathBuf> {
    let mut objects: Vec<PathBuf> = std::path::absolute(program).into_iter().collect();
    let Ok(Loader::At(loader)) = File::open(program).and_then(|file| Loader::of(&file)) else {
        return objects;
    };
    let listed = Command::new(&loader)
        .arg("--list")
        .args(objects.first())
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    objects.extend(listed.unwrap_or_default().lines().filter_map(path));
    objects
}

/// The path in a line such as `libc.so.6 => /lib/libc.so.6 (0x7f0000)`.
fn path(line: &str) -> Option<PathBuf> {
    let (before, address) = line.rsplit_once(" (0x")?;
    address.strip_suffix(')')?;
    let path = before.rsplit_once(" => ").map_or(before, |(_, path)| path).trim();
    path.starts_with('/').then(|| PathBuf::from(path))
}

/// The functions that an object needs of others, and those that others can have of it; nothing of a file that
/// cannot be read.
#[must_use]
pub fn functions(object: &Path) -> [HashSet<String>; 2] {
    dynamic(object).unwrap_or_default()
}

/// The same.
///
/// # Errors
/// If the file cannot be read, or has no table of such functions.
pub fn dynamic(object: &Path) -> io::Result<[HashSet<String>; 2]> {
    let file = regular_file::open(object)?;
    let header = elf_file::header(&file)?;
    let sections = elf_file::sections(&file, &header)?;
    if sections.iter().all(|section| section.sh_type != SHT_DYNSYM) {
        return Err(elf_file::garbled("no table of dynamic symbols"));
    }
    let mut functions = [HashSet::new(), HashSet::new()];
    for section in sections.iter().filter(|section| section.sh_type == SHT_DYNSYM) {
        let Some(names) = sections.get(section.sh_link as usize) else { continue };
        let names = elf_file::part(&file, names.sh_offset, names.sh_size)?;
        let table = elf_file::part(&file, section.sh_offset, section.sh_size)?;
        let count = table.len() / SIZEOF_SYM;
        for symbol in Symtab::parse(&table, 0, count, CONTEXT).map_err(elf_file::garbled)?.iter() {
            let is_data = matches!(symbol.st_type(), STT_OBJECT | STT_TLS);
            if let Some(name) = text(&names, symbol.st_name).filter(|_| !is_data) {
                functions[usize::from(symbol.st_shndx != 0)].insert(name.to_owned());
            }
        }
    }
    Ok(functions)
}

/// The soname of an object, if it has one.
///
/// # Errors
/// If the file cannot be read.
pub fn soname(object: &Path) -> io::Result<Option<String>> {
    let file = regular_file::open(object)?;
    let header = elf_file::header(&file)?;
    let sections = elf_file::sections(&file, &header)?;
    let Some(dynamic) = sections.iter().find(|section| section.sh_type == SHT_DYNAMIC) else {
        return Ok(None);
    };
    let Some(names) = sections.get(dynamic.sh_link as usize) else { return Ok(None) };
    let names = elf_file::part(&file, names.sh_offset, names.sh_size)?;
    let entries = dynamic_section(&file, &sections)?;
    let soname = entries.iter().find(|[tag, _]| *tag == DT_SONAME);
    Ok(soname.and_then(|[_, at]| text(&names, *at as usize)).map(str::to_owned))
}

/// The entries of an object's dynamic section, tag and value (gABI, "Dynamic Section"); none of an object without one.
///
/// # Errors
/// If it cannot be read.
pub fn dynamic_section(file: &File, sections: &[SectionHeader]) -> io::Result<Vec<[u64; 2]>> {
    let Some(dynamic) = sections.iter().find(|section| section.sh_type == SHT_DYNAMIC) else {
        return Ok(Vec::new());
    };
    let entries = elf_file::part(file, dynamic.sh_offset, dynamic.sh_size)?;
    let word = |entry: &[u8; SIZEOF_DYN], at: usize| {
        entry[at..].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
    };
    let (entries, _) = entries.as_chunks::<SIZEOF_DYN>();
    Ok(entries.iter().map(|entry| [word(entry, 0), word(entry, 8)]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_needs_functions_that_its_libraries_have() {
        let objects = objects(&std::env::current_exe().unwrap());
        let [needs, _] = functions(&objects[0]);
        let libc = objects.iter().find(|path| path.ends_with("libc.so.6")).unwrap();
        let [_, has] = functions(libc);
        assert_eq!(soname(libc).unwrap().unwrap(), "libc.so.6");
        assert_eq!(soname(&objects[0]).unwrap(), None);
        assert!(!functions(libc)[1].contains("environ") && dynamic(Path::new("/etc/passwd")).is_err());
        assert!(needs.contains("malloc") && has.contains("malloc") && !has.contains("no_such_function"));
        assert_eq!(functions(Path::new("/etc/passwd")), [HashSet::new(), HashSet::new()]);
    }

    #[test]
    fn a_program_needs_its_libraries() {
        let objects = objects(&std::env::current_exe().unwrap());
        assert_eq!(objects[0], std::env::current_exe().unwrap());
        assert!(objects.iter().any(|path| path.ends_with("libc.so.6")), "{objects:?}");
        assert_eq!(self::objects(Path::new("/etc/passwd")), [PathBuf::from("/etc/passwd")]);
    }

    #[test]
    fn lines_without_a_path_name_none() {
        assert_eq!(path("\tlinux-vdso.so.1 (0x00007ffd)"), None);
        assert_eq!(path("\tlibx.so => not found"), None);
        assert_eq!(path("\t/lib64/ld.so (0x1)"), Some(PathBuf::from("/lib64/ld.so")));
    }
}
