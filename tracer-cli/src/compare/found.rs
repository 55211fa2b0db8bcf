//! Where allocators are: the names that their libraries have, looked for where the loader looks.

mod directories;
#[cfg(test)]
mod tests;

use std::fmt::Write;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use goblin::elf::header::ET_DYN;

pub use directories::directories;

use crate::elf_file;
use crate::preflight::machine_name;
use crate::prototype::exports::Exports;
use crate::tracer::loader::Loader;

/// An allocator that distributions have.
#[derive(Debug)]
pub struct Known {
    /// Its name, as the user writes it.
    pub name: &'static str,
    /// Its libraries' names, the better one first. One that ends with a dot stands for all versions, the newest first.
    libraries: &'static [&'static str],
    /// How to install it on Debian.
    package: &'static str,
}

/// All of them; the C library's own is none that must be found.
pub static KNOWN: [Known; 3] = [
    Known {
        name: "jemalloc",
        libraries: &["libjemalloc.so.2", "libjemalloc.so.1"],
        package: "apt-get install libjemalloc2",
    },
    Known {
        name: "tcmalloc",
        libraries: &["libtcmalloc.so.4", "libtcmalloc_minimal.so.4"],
        package: "apt-get install libtcmalloc-minimal4 (or libgoogle-perftools4, which profiles, too)",
    },
    Known {
        name: "mimalloc",
        libraries: &["libmimalloc.so."],
        package: "apt-get install libmimalloc3 (before Debian 13: libmimalloc2.0)",
    },
];

impl Known {
    /// The canonical path of its library: of the first name that a usable file in one of the directories has.
    #[must_use]
    pub fn find(&self, directories: &[PathBuf]) -> Option<PathBuf> {
        let candidates = self.libraries.iter().flat_map(|library| match library.ends_with('.') {
            true => versions(library, directories),
            false => directories.iter().map(|directory| directory.join(library)).collect(),
        });
        candidates.filter(|path| path.exists()).find_map(|path| usable(&path).ok())
    }

    /// That it is not there, where it was looked for, and how to get it.
    #[must_use]
    pub fn missing(&self, directories: &[PathBuf]) -> String {
        let mut text = format!("{} is not installed: there is no usable", self.name);
        for (number, library) in self.libraries.iter().enumerate() {
            let any = if library.ends_with('.') { "*" } else { "" };
            let _ = write!(text, "{} {library}{any}", if number == 0 { "" } else { " or" });
        }
        let directories: Vec<_> = directories.iter().map(|path| path.display().to_string()).collect();
        let _ = write!(text, " in {}\nhint: {}", directories.join(", "), self.package);
        text + ", or give the path of its library: --allocator PATH"
    }
}

/// Files whose names begin so and go on with a version, the newest first; of one version, in the directories' order.
fn versions(start: &str, directories: &[PathBuf]) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for directory in directories {
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let version = name.to_str().and_then(|name| name.strip_prefix(start)).and_then(version);
            all.extend(version.map(|version| (version, entry.path())));
        }
    }
    all.sort_by(|(a, _), (b, _)| b.cmp(a));
    all.into_iter().map(|(_, path)| path).collect()
}

/// `2.0` as numbers; None if there is something else in it.
fn version(text: &str) -> Option<Vec<u32>> {
    text.split('.').map(|part| part.parse().ok()).collect()
}

/// The canonical path of a shared library that can stand in for the C library's allocator.
///
/// # Errors
/// Why it cannot, with a hint.
pub fn usable(path: &Path) -> Result<PathBuf, String> {
    let shown = path.display();
    let canonical = path.canonicalize().map_err(|error| {
        format!("cannot preload {shown}: {error}\nhint: check the path and the working directory")
    })?;
    let not_a_library = |why: &str| {
        format!(
            "cannot preload {shown}: {why}\nhint: give a shared library (gcc -shared -fPIC) that defines malloc and free"
        )
    };
    let file = File::open(&canonical).map_err(|error| {
        format!("cannot preload {shown}: {error}\nhint: make it readable (chmod +r {shown})")
    })?;
    match Loader::of(&file).map_err(|error| not_a_library(&error.to_string()))? {
        Loader::At(_) | Loader::None => {}
        Loader::OtherMachine { bits, machine } => {
            let machine = machine_name(bits, machine);
            return Err(format!(
                "cannot preload {shown}: it is for {machine}\nhint: build it for 64-bit x86, or install the package of that architecture"
            ));
        }
        Loader::NotElf => return Err(not_a_library("it is no ELF file")),
        Loader::Broken => return Err(not_a_library("it is an ELF file, but no complete shared library")),
    }
    let header = elf_file::header(&file).map_err(|error| not_a_library(&error.to_string()))?;
    if header.e_type != ET_DYN {
        return Err(not_a_library("it is a program, no shared library"));
    }
    let exports = Exports::read(&file).map_err(|error| not_a_library(&error.to_string()))?;
    if let Some(missing) = ["malloc", "free"].into_iter().find(|name| !exports.provides(name)) {
        return Err(not_a_library(&format!("it exports no {missing}")));
    }
    // Spaces and colons separate the libraries in LD_PRELOAD, and nothing escapes them (ld.so(8)).
    match canonical.to_str() {
        Some(text) if !text.contains([' ', ':']) => Ok(canonical),
        _ => Err(format!(
            "cannot preload {shown}: LD_PRELOAD cannot name a path with a space or a colon in it, or one that is not UTF-8\n\
             hint: copy it to a directory with a plain name"
        )),
    }
}
