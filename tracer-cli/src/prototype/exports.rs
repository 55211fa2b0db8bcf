//! The functions that an object provides.

use std::collections::HashMap;
use std::fs::File;
use std::io;

use goblin::elf::section_header::{SHN_UNDEF, SHT_DYNSYM};
use goblin::elf::sym::{STB_GLOBAL, STB_WEAK, STT_FUNC, STT_GNU_IFUNC, Symtab};

use crate::elf_file::{self, CONTEXT, garbled, part};

/// Function symbols that other objects can be bound to.
#[derive(Debug, Default)]
pub struct Exports {
    /// None: the loader asks the object which one of several pieces of code it is.
    addresses: HashMap<String, Option<u64>>,
    names: HashMap<u64, Vec<String>>,
}

impl Exports {
    /// Reads them from the object's `.dynsym`; none of an object that has no such section.
    ///
    /// # Errors
    /// If it cannot be read, or is no 64-bit little-endian ELF file.
    pub fn read(file: &File) -> io::Result<Self> {
        let header = elf_file::header(file)?;
        let sections = elf_file::sections(file, &header)?;
        let mut exports = Self::default();
        let Some(table) = sections.iter().find(|section| section.sh_type == SHT_DYNSYM) else {
            return Ok(exports);
        };
        let strings = sections.get(table.sh_link as usize).ok_or_else(|| garbled("no string table"))?;
        let strings = part(file, strings.sh_offset, strings.sh_size)?;
        let bytes = part(file, table.sh_offset, table.sh_size)?;
        let count = bytes.len() / goblin::elf64::sym::SIZEOF_SYM;
        for symbol in Symtab::parse(&bytes, 0, count, CONTEXT).map_err(garbled)?.iter() {
            if symbol.st_shndx == SHN_UNDEF as usize
                || !matches!(symbol.st_type(), STT_FUNC | STT_GNU_IFUNC)
                || !matches!(symbol.st_bind(), STB_GLOBAL | STB_WEAK)
            {
                continue;
            }
            if let Some(name) = text(&strings, symbol.st_name) {
                let address = (symbol.st_type() == STT_FUNC).then_some(symbol.st_value);
                exports.names.entry(symbol.st_value).or_default().push(name.to_owned());
                exports.addresses.insert(name.to_owned(), address);
            }
        }
        Ok(exports)
    }

    /// All names, with the address that each is for in the object's file; none if the loader has to choose it.
    pub fn all(&self) -> impl Iterator<Item = (&str, Option<u64>)> {
        self.addresses.iter().map(|(name, address)| (name.as_str(), *address))
    }

    /// Whether it provides this function.
    #[must_use]
    pub fn provides(&self, name: &str) -> bool {
        self.addresses.contains_key(name)
    }

    /// All names of the function at this address.
    pub fn names_at(&self, address: u64) -> impl Iterator<Item = &str> {
        self.names.get(&address).into_iter().flatten().map(String::as_str)
    }
}

/// The text at an offset of a string table, if it is a name.
#[must_use]
pub fn text(strings: &[u8], offset: usize) -> Option<&str> {
    let rest = strings.get(offset..)?;
    let length = rest.iter().position(|&byte| byte == 0).filter(|&length| length > 0)?;
    std::str::from_utf8(&rest[..length]).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_c_library_provides_its_functions_and_their_other_names() {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let path = maps.split_whitespace().find(|word| word.ends_with("/libc.so.6")).unwrap();
        let exports = Exports::read(&File::open(path).unwrap()).unwrap();
        assert!(exports.provides("open") && exports.provides("memcpy"));
        assert!(!exports.provides("stdout") && !exports.provides("sqrtf128_of_nobody"));
        let (_, address) = exports.all().find(|(name, _)| *name == "puts").unwrap();
        assert!(exports.names_at(address.unwrap()).any(|name| name == "_IO_puts"));
        assert_eq!(exports.names_at(1).count(), 0);
    }

    #[test]
    fn what_is_no_object_is_refused() {
        assert!(Exports::read(&File::open("/proc/self/status").unwrap()).is_err());
    }
}
