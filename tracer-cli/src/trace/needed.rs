//! The objects that a program will have from the beginning: as its own loader finds them, which does not run it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::tracer::loader::Loader;

/// The program and what it needs; the program alone if its loader does not say.
#[must_use]
pub fn objects(program: &Path) -> Vec<PathBuf> {
    let mut objects: Vec<PathBuf> = std::path::absolute(program).into_iter().collect();
    let Ok(Loader::At(loader)) = File::open(program).and_then(|file| Loader::of(&file)) else { return objects };
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

#[cfg(test)]
mod tests {
    use super::*;

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
