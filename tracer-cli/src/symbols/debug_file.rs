//! Where the debug information of an object is that was stripped of it.
//!
//! In the order of gdb's manual ("Debugging Information in Separate Files"): by build id below the
//! debug directories, then by the name in `.gnu_debuglink`. A file is taken only if it says that
//! it belongs to the object: by its build id, or by the sum of its content.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::elf::Headers;
use super::files::open;

/// Distributions install debug information here.
const SYSTEM_DIRECTORY: &str = "/usr/lib/debug";

/// Where separate debug information is looked for.
#[derive(Clone, Debug)]
pub(super) struct DebugDirectories(Vec<PathBuf>);

impl DebugDirectories {
    /// These, then the system's.
    pub(super) fn new(mut directories: Vec<PathBuf>) -> Self {
        directories.push(SYSTEM_DIRECTORY.into());
        Self(directories)
    }

    pub(super) fn all(&self) -> &[PathBuf] {
        &self.0
    }

    /// The file that has the debug information of this object, if it is not in the object itself.
    /// `path` is the object's.
    pub(super) fn debug_file(&self, object: &File, path: &Path) -> Option<PathBuf> {
        let headers = Headers::read(object).ok()?;
        if headers.has_debug_information() {
            return None;
        }
        self.by_build_id(&headers).or_else(|| self.by_link(&headers, path))
    }

    fn by_build_id(&self, headers: &Headers) -> Option<PathBuf> {
        let id = headers.build_id()?;
        let (first, rest) = id.split_first().filter(|(_, rest)| !rest.is_empty())?;
        let name = rest.iter().fold(String::new(), |name, byte| name + &format!("{byte:02x}"));
        let below = PathBuf::from(format!(".build-id/{first:02x}/{name}.debug"));
        self.0.iter().map(|directory| directory.join(&below)).find(|candidate| {
            open(candidate).is_ok_and(|file| {
                Headers::read(&file).is_ok_and(|headers| headers.build_id().as_ref() == Some(&id))
            })
        })
    }

    fn by_link(&self, headers: &Headers, path: &Path) -> Option<PathBuf> {
        let (name, sum) = headers.debug_link()?;
        // Libraries are often found by a directory that is a link to another.
        let canonical = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let mut beside: Vec<&Path> = [path, &canonical].into_iter().filter_map(Path::parent).collect();
        beside.dedup();
        let near =
            beside.iter().flat_map(|directory| [directory.join(&name), directory.join(".debug").join(&name)]);
        let below = self.0.iter().flat_map(|directory| {
            let mirrored = beside.iter().filter_map(|beside| beside.strip_prefix("/").ok());
            mirrored.map(|beside| directory.join(beside).join(&name)).chain([directory.join(&name)])
        });
        near.chain(below).find(|candidate| {
            *candidate != path && open(candidate).and_then(checksum).is_ok_and(|found| found == sum)
        })
    }
}

/// CRC-32 of a whole file.
fn checksum(mut file: File) -> io::Result<u32> {
    let mut hasher = crc32fast::Hasher::new();
    let mut part = vec![0; 1 << 16];
    loop {
        match file.read(&mut part)? {
            0 => return Ok(hasher.finalize()),
            length => hasher.update(&part[..length]),
        }
    }
}
