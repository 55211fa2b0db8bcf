//! The objects of a process image: whose code an address is.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::rc::Rc;

use goblin::elf::program_header::{PT_LOAD, ProgramHeader};

use crate::elf_file::{self, CONTEXT};
use crate::regular_file;

/// An object of an image.
#[derive(Clone, Debug)]
struct Object {
    path: Rc<str>,
    end: u64,
}

/// The objects of all images.
#[derive(Debug, Default)]
pub struct Objects {
    /// By image, by first address.
    images: HashMap<u32, BTreeMap<u64, (u64, Object)>>,
    /// Of each file: its first address and the one behind its last.
    spans: HashMap<Rc<str>, (u64, u64)>,
    /// The program of each image.
    programs: HashMap<u32, Rc<str>>,
}

impl Objects {
    /// An image begins; it has what its parent had.
    pub fn begun(&mut self, image: u32, parent: u32, program: &str) {
        if let Some(objects) = self.images.get(&parent).filter(|_| parent != 0) {
            let objects = objects.clone();
            self.images.insert(image, objects);
        }
        self.programs.insert(image, program.into());
    }

    /// An image is gone.
    pub fn ended(&mut self, image: u32) {
        self.images.remove(&image);
        self.programs.remove(&image);
    }

    /// An image has an object, loaded at `base`; `path` is empty for the program itself.
    pub fn bound(&mut self, image: u32, base: u64, path: &str) {
        let path: Rc<str> = path.into();
        let file = if path.is_empty() {
            self.programs.get(&image).cloned().unwrap_or_default()
        } else {
            path.clone()
        };
        let (first, behind) = *self.spans.entry(file).or_insert_with_key(|file| span(Path::new(&**file)));
        let end = base.saturating_add(behind);
        let objects = self.images.entry(image).or_default();
        objects.insert(base.wrapping_add(first), (base, Object { path, end }));
    }

    /// An object is gone.
    pub fn unbound(&mut self, image: u32, base: u64) {
        if let Some(objects) = self.images.get_mut(&image) {
            objects.retain(|_, (other, _)| *other != base);
        }
    }

    /// The path of the object whose code `address` is, and the address it is loaded at; `?` if none is known.
    #[must_use]
    pub fn of(&self, image: u32, address: u64) -> (&str, u64) {
        self.images
            .get(&image)
            .and_then(|objects| objects.range(..=address).next_back())
            .filter(|(_, (_, object))| address < object.end)
            .map_or(("?", 0), |(_, (base, object))| (&object.path, *base))
    }
}

/// Where a file's segments begin and end, before it is loaded; everything if it cannot be read.
fn span(path: &Path) -> (u64, u64) {
    let segments = regular_file::open(path).and_then(|file| {
        let header = elf_file::header(&file)?;
        let count = usize::from(header.e_phnum);
        let table = elf_file::part(&file, header.e_phoff, (count * ProgramHeader::size(CONTEXT)) as u64)?;
        ProgramHeader::parse(&table, 0, count, CONTEXT).map_err(elf_file::garbled)
    });
    segments
        .unwrap_or_default()
        .iter()
        .filter(|segment| segment.p_type == PT_LOAD)
        .map(|segment| (segment.p_vaddr, segment.p_vaddr.saturating_add(segment.p_memsz)))
        .reduce(|whole, one| (whole.0.min(one.0), whole.1.max(one.1)))
        .unwrap_or((0, u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_of_the_object_that_reaches_as_far() {
        let mut objects = Objects::default();
        let program = std::env::current_exe().unwrap();
        objects.begun(1, 0, program.to_str().unwrap());
        objects.bound(1, 0x10_0000_0000, "");
        objects.bound(1, 0x7000_0000_0000, "/nowhere/liba.so");
        assert_eq!(objects.of(1, 0x10_0000_1000), ("", 0x10_0000_0000));
        assert_eq!(objects.of(1, 0x6fff_ffff_ffff), ("?", 0));
        assert_eq!(objects.of(1, 0x7000_0000_0001), ("/nowhere/liba.so", 0x7000_0000_0000));
        assert_eq!(objects.of(1, 0x10), ("?", 0));
    }

    #[test]
    fn a_forked_image_has_its_parents_objects() {
        let mut objects = Objects::default();
        objects.begun(1, 0, "/nowhere/a");
        objects.bound(1, 0x1000, "/nowhere/liba.so");
        objects.begun(2, 1, "/nowhere/a");
        objects.unbound(1, 0x1000);
        assert_eq!(objects.of(1, 0x1001).0, "?");
        assert_eq!(objects.of(2, 0x1001).0, "/nowhere/liba.so");
        objects.ended(2);
        assert_eq!(objects.of(2, 0x1001).0, "?");
    }
}
