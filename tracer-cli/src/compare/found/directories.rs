//! The directories in which the loader looks for libraries.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::suppressions::Pattern;

/// Where the system's configuration lists directories.
const CONFIGURATION: &str = "/etc/ld.so.conf";

/// Directories that loaders know without being told, Debian's and Fedora's, and where `make install` puts things.
const STANDARD: [&str; 8] = [
    "/lib/x86_64-linux-gnu",
    "/usr/lib/x86_64-linux-gnu",
    "/lib64",
    "/usr/lib64",
    "/lib",
    "/usr/lib",
    "/usr/local/lib64",
    "/usr/local/lib",
];

/// Configuration files that include each other are followed so far.
const DEEPEST: usize = 8;

/// Those of `LD_LIBRARY_PATH` (given as `library_path`), of `/etc/ld.so.conf`, and the standard ones; only those that
/// exist, each once.
#[must_use]
pub fn directories(library_path: Option<&OsStr>) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = library_path
        .unwrap_or_default()
        .as_bytes()
        .split(|byte| matches!(byte, b':' | b';'))
        .filter(|part| !part.is_empty())
        .map(|part| PathBuf::from(OsStr::from_bytes(part)))
        .collect();
    configured(Path::new(CONFIGURATION), DEEPEST, &mut all);
    all.extend(STANDARD.map(PathBuf::from));
    let mut seen = Vec::new();
    // `/lib` is a link to `/usr/lib` on most systems.
    all.retain(|directory| {
        let Some(canonical) = directory.canonicalize().ok().filter(|path| path.is_dir()) else {
            return false;
        };
        let is_new = !seen.contains(&canonical);
        seen.push(canonical);
        is_new
    });
    all
}

/// Adds the directories that a configuration file lists, and those of the files that it includes (ldconfig(8)).
pub(super) fn configured(file: &Path, deepest: usize, directories: &mut Vec<PathBuf>) {
    let text = fs::read_to_string(file).unwrap_or_default();
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        let mut words = line.split_whitespace();
        match words.next() {
            None | Some("hwcap") => {}
            Some("include") if deepest > 0 => {
                let base = file.parent().unwrap_or(Path::new("/"));
                for included in words.flat_map(|glob| matching(&base.join(glob))) {
                    configured(&included, deepest - 1, directories);
                }
            }
            Some("include") => {}
            // One directory a line; a kernel's or library's kind may be given behind `=`.
            Some(_) => directories.push(PathBuf::from(line.split('=').next().unwrap_or(line))),
        }
    }
}

/// Files that a path with `*` in its last part stands for, in the order of their names.
fn matching(glob: &Path) -> Vec<PathBuf> {
    let (Some(directory), Some(name)) = (glob.parent(), glob.file_name().and_then(OsStr::to_str)) else {
        return Vec::new();
    };
    let pattern = Pattern::new(&format!("^{name}$"));
    let mut files: Vec<PathBuf> = fs::read_dir(directory)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.file_name().to_str().is_some_and(|name| pattern.matches(name)))
        .map(|entry| entry.path())
        .collect();
    files.sort();
    files
}
