//! All objects that were met on a stack, each read once, however many processes have it mapped.

use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::rc::Rc;

use super::object::Object;
use crate::exit_snapshot::Mapped;
use crate::regular_file;
use crate::tracer::memory;
use crate::tracer::tracees::Id;

/// Objects of no living process are forgotten when there are so many.
const KEPT: usize = 512;

/// Tells a file from all others, also from one that gets its number later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Identity {
    device: u64,
    inode: u64,
    bytes: u64,
    changed: (i64, i64),
}

impl Identity {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            bytes: metadata.size(),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct Objects {
    known: HashMap<Identity, Option<Rc<Object>>>,
    /// The kernel's own, which is the same in every process.
    vdso: Option<Option<Rc<Object>>>,
    next: u32,
    /// The interposer's file.
    interposer: Option<Metadata>,
}

impl Objects {
    pub(super) fn new(library: &Path) -> Self {
        Self { known: HashMap::new(), vdso: None, next: 0, interposer: std::fs::metadata(library).ok() }
    }

    /// Whether this may be a mapping of the interposer.
    pub(super) fn may_be_interposer(&self, mapped: &Mapped) -> bool {
        self.interposer.as_ref().is_some_and(|file| file.ino() == mapped.inode)
    }

    /// The object of which a process has mapped executable pages; `maps` are all of its mappings. None if
    /// it is none, or cannot be read.
    pub(super) fn mapped(
        &mut self,
        tid: Id,
        mapped: &Mapped,
        maps: &dyn Fn() -> Vec<Mapped>,
    ) -> Option<Rc<Object>> {
        if mapped.path == Path::new("[vdso]") {
            if self.vdso.is_none() {
                self.vdso = Some(self.in_memory(tid, mapped, &maps()));
            }
            return self.vdso.clone().flatten();
        }
        if mapped.inode == 0 {
            return None;
        }
        let Some((file, metadata)) = open(tid, mapped) else { return self.in_memory(tid, mapped, &maps()) };
        let identity = Identity::of(&metadata);
        if let Some(known) = self.known.get(&identity) {
            return known.clone();
        }
        let is_interposer = self.interposer.as_ref().is_some_and(|own| Identity::of(own) == identity);
        let content = |offset, into: &mut [u8]| file.read_exact_at(into, offset).is_ok();
        let object = Object::read(&content, self.number(), is_interposer).map(Rc::new);
        if self.known.len() >= KEPT {
            self.known.retain(|_, known| known.as_ref().is_some_and(|known| Rc::strong_count(known) > 1));
        }
        self.known.insert(identity, object.clone());
        object
    }

    /// The object as it is mapped: its file is gone, or never was.
    fn in_memory(&mut self, tid: Id, mapped: &Mapped, maps: &[Mapped]) -> Option<Rc<Object>> {
        let content = |offset: u64, into: &mut [u8]| {
            let of_same = |other: &&Mapped| {
                (other.inode, other.device, &other.path) == (mapped.inode, mapped.device, &mapped.path)
            };
            let holds = |other: &&Mapped| {
                offset.checked_sub(other.offset).is_some_and(|within| within < other.end - other.start)
            };
            let Some(part) = maps.iter().filter(of_same).find(holds) else { return false };
            memory::read(tid, part.start + (offset - part.offset), into) == into.len()
        };
        Object::read(&content, self.number(), self.may_be_interposer(mapped)).map(Rc::new)
    }

    fn number(&mut self) -> u32 {
        self.next += 1;
        self.next
    }
}

/// Opens the very file that is mapped.
fn open(tid: Id, mapped: &Mapped) -> Option<(File, Metadata)> {
    // Whoever is privileged gets it also where it has been unlinked or replaced.
    let direct = format!("/proc/{tid}/map_files/{:x}-{:x}", mapped.start, mapped.end);
    let opened = regular_file::open(Path::new(&direct)).or_else(|error| {
        let inside = mapped.file().and_then(|path| path.strip_prefix("/").ok()).ok_or(error)?;
        regular_file::open(&Path::new(&format!("/proc/{tid}/root")).join(inside))
    });
    let file = opened.ok()?;
    let metadata = file.metadata().ok()?;
    (metadata.is_file() && metadata.ino() == mapped.inode).then_some((file, metadata))
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::exit_snapshot::maps;
    use crate::tracer::unwind::rule::Rule;
    use crate::tracer::unwind::rules::Rules;
    use crate::tracer::unwind::tables::Context;

    fn own_maps() -> Vec<Mapped> {
        maps::parse(&std::fs::read("/proc/self/maps").unwrap())
    }

    fn code_of<'a>(maps: &'a [Mapped], name: &str) -> &'a Mapped {
        let is_code = |m: &&Mapped| m.permissions[2] == b'x' && m.path.file_name().is_some_and(|n| n == name);
        maps.iter().find(is_code).unwrap()
    }

    fn rules_of(object: &Object, mapped: &Mapped) -> Vec<Rule> {
        let (mut rules, mut context) = (Rules::default(), Context::new());
        let first = object.address_of_code(mapped.offset).unwrap();
        let addresses = (first..first + (mapped.end - mapped.start)).step_by(517);
        addresses.map(|address| object.rule(address, &mut rules, &mut context)).collect()
    }

    #[test]
    fn an_object_whose_file_is_gone_is_read_from_memory() {
        let (tid, maps) = (nix::unistd::getpid().as_raw(), own_maps());
        let mapped = code_of(&maps, "libc.so.6");
        let mut objects = Objects::new(Path::new("/nonexistent"));
        let file = objects.mapped(tid, mapped, &|| unreachable!()).unwrap();
        let memory = objects.in_memory(tid, mapped, &maps).unwrap();
        let rules = rules_of(&file, mapped);
        assert_eq!(rules, rules_of(&memory, mapped));
        assert!(rules.iter().filter(|rule| **rule != Rule::Unknown).count() > rules.len() / 2);
        assert_eq!(file.span(), memory.span());
        let again = objects.mapped(tid, mapped, &|| unreachable!()).unwrap();
        assert!(Rc::ptr_eq(&file, &again), "read once");
    }

    #[test]
    fn the_kernels_own_object_has_tables() {
        let (tid, maps) = (nix::unistd::getpid().as_raw(), own_maps());
        let mapped = code_of(&maps, "[vdso]");
        let object = Objects::new(Path::new("/nonexistent")).mapped(tid, mapped, &own_maps).unwrap();
        let rules = rules_of(&object, mapped);
        assert!(rules.iter().any(|rule| matches!(rule, Rule::Stack { .. } | Rule::Frame { .. })));
    }

    #[test]
    fn a_file_that_is_no_object_is_none() {
        let tid = nix::unistd::getpid().as_raw();
        let mut mapped = code_of(&own_maps(), "libc.so.6").clone();
        mapped.path = "/proc/self/status".into();
        (mapped.start, mapped.end, mapped.inode) =
            (0, 0x1000, std::fs::metadata(&mapped.path).unwrap().ino());
        let mut objects = Objects::new(Path::new("/nonexistent"));
        assert!(objects.mapped(tid, &mapped, &Vec::new).is_none());
        mapped.inode = 0;
        assert!(objects.mapped(tid, &mapped, &Vec::new).is_none(), "anonymous memory");
    }
}
