//! Which allocators a process has, and which one serves it.

mod caller;
mod definitions;
/// An object file, as fuzzing feeds it.
#[cfg(any(test, fuzzing))]
pub(crate) fn fuzz(file: &std::fs::File) {
    if let Ok(definitions) = Definitions::read(file) {
        let _ = (definitions.allocates(), definitions.name());
    }
}

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use calltap_analyzers::arenas::Allocator;

use crate::exit_snapshot::Mapped;
use crate::object_name::is_loader;
use crate::regular_file;
pub use caller::Callers;
use definitions::Definitions;

/// Knows what object files define; each is read once.
#[derive(Debug, Default)]
pub struct Allocators {
    objects: HashMap<ObjectId, Option<Definitions>>,
}

/// Path, device and inode number of an object file.
type ObjectId = (PathBuf, (u32, u32), u64);

impl Allocators {
    /// The allocators among what a process has mapped (`maps`, by ascending address), the one that
    /// serves first. `real_malloc` is the address that the hooks call, if that is known; else the only
    /// object that exports a `malloc` is taken to serve.
    ///
    /// One that the program keeps for itself, with names of its own, is among them and does not serve:
    /// no hook sees its calls. Reads files, so not for the time in which a process is stopped.
    pub fn loaded(&mut self, maps: &[Mapped], real_malloc: Option<u64>) -> Vec<Allocator> {
        let serving = real_malloc.and_then(|address| Mapped::holding(maps, address));
        let mut found: Vec<(Allocator, bool)> = Vec::new();
        for mapped in objects(maps) {
            let serves = serving.is_some_and(|serving| serving.path == mapped.path);
            let definitions = if is_ours_or_loader(&mapped.path) { None } else { self.of(mapped) };
            let defines = definitions.is_some_and(|definitions| definitions.allocates());
            if serves || defines {
                let name = definitions.and_then(Definitions::name).map(str::to_owned);
                let name = name.unwrap_or_else(|| name_of(&mapped.path));
                let object = mapped.path.to_string_lossy().into_owned();
                let exports = definitions.is_some_and(|definitions| definitions.exports_malloc);
                found.push((Allocator { name, object, serves }, exports));
            }
        }
        let mut exporting = found.iter_mut().filter(|(_, exports)| *exports);
        if serving.is_none()
            && let (Some((only, _)), None) = (exporting.next(), exporting.next())
        {
            only.serves = true;
        }
        let mut found: Vec<Allocator> = found.into_iter().map(|(allocator, _)| allocator).collect();
        found.sort_by_key(|allocator| !allocator.serves);
        found
    }

    fn of(&mut self, mapped: &Mapped) -> Option<&Definitions> {
        let path = mapped.file()?;
        let id = (path.to_owned(), mapped.device, mapped.inode);
        self.objects
            .entry(id)
            .or_insert_with(|| Definitions::read(&regular_file::open(path).ok()?).ok())
            .as_ref()
    }
}

/// The first mapping of each file that code is mapped of.
fn objects(maps: &[Mapped]) -> impl Iterator<Item = &Mapped> {
    let mut seen: Vec<&Path> = Vec::new();
    let code = maps.iter().filter(|mapped| mapped.inode != 0 && mapped.permissions[2] == b'x');
    code.filter(move |mapped| {
        let is_new = !seen.contains(&mapped.path.as_path());
        seen.push(&mapped.path);
        is_new
    })
}

/// The interposer, and the loader, whose `malloc` serves nobody but itself.
fn is_ours_or_loader(path: &Path) -> bool {
    let name = file_name(path);
    name.starts_with("libcalltap") || path.starts_with("/memfd:libcalltap.so") || is_loader(name)
}

/// The allocator that an object file has in it and may keep for itself: its name, if its functions tell.
#[must_use]
pub fn within(path: &Path) -> Option<&'static str> {
    let definitions = Definitions::read(&regular_file::open(path).ok()?).ok()?;
    definitions.name().filter(|name| *name != "glibc")
}

/// What an allocator is called by its object's file name.
#[must_use]
pub fn name_of(path: &Path) -> String {
    const KNOWN: [(&str, &str); 5] = [
        ("libjemalloc", "jemalloc"),
        ("libtcmalloc", "tcmalloc"),
        ("libmimalloc", "mimalloc"),
        ("libc.so", "glibc"),
        ("libc-2.", "glibc"),
    ];
    let name = file_name(path);
    let known = KNOWN.iter().find(|(start, _)| name.starts_with(start));
    known.map_or(name, |(_, allocator)| allocator).to_owned()
}

fn file_name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}
