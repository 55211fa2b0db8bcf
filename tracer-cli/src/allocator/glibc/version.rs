//! Which glibc a process has, and where.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use memchr::memmem;

use crate::allocator::memory::Memory;
use crate::exit_snapshot::Mapped;

/// What every build says of itself; the version follows.
const BANNER: &[u8] = b"GNU C Library (";
const RELEASE: &[u8] = b"release version ";
/// Bytes that are searched at one time; the memory for all of a library takes longer to get than to search.
const PIECE: usize = 1 << 14;
/// No first line of a banner has more bytes.
const LONGEST: usize = 256;

/// The mappings of the process's one C library.
///
/// # Errors
///
/// If there is none, or several, as after `dlmopen`: they share the program break, but not their
/// arenas.
pub(super) fn library(maps: &[Mapped]) -> Result<Vec<&Mapped>, String> {
    let is_libc = |mapped: &&Mapped| {
        let name = mapped.path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name == "libc.so.6" || (name.starts_with("libc-2.") && name.ends_with(".so"))
    };
    let library: Vec<_> = maps.iter().filter(is_libc).collect();
    match library.iter().filter(|mapped| mapped.offset == 0).count() {
        0 => Err("it has no libc.so.6".into()),
        1 => Ok(library),
        copies => Err(format!("it has {copies} C libraries")),
    }
}

/// Its version: major, minor.
///
/// # Errors
///
/// If it does not say.
pub(super) fn version(pid: u32, memory: Memory, library: &[&Mapped]) -> Result<(u32, u32), String> {
    let path = &library[0].path;
    // Through the process's root, which may be another than ours; and the file before the memory, so
    // that no page becomes resident because we looked.
    let file = library[0].file().and_then(|path| path.strip_prefix("/").ok());
    let file = file.and_then(|path| File::open(Path::new(&format!("/proc/{pid}/root")).join(path)).ok());
    // Constants are in what is neither written nor executed, and behind the code, as GNU's linker puts them.
    let constants = || library.iter().rev().filter(|mapped| mapped.permissions[..3] == *b"r--");
    let in_file = |file: &File| {
        let mut piece = [0; PIECE];
        constants().find_map(|mapped| {
            let starts = (0..mapped.end - mapped.start).step_by(PIECE - LONGEST);
            starts.map(|start| mapped.offset + start).find_map(|start| {
                let got = file.read_at(&mut piece, start).ok()?;
                in_banner(&piece[..got])
            })
        })
    };
    let in_memory = || {
        library.iter().filter(|mapped| mapped.permissions[0] == b'r').find_map(|mapped| {
            let mut bytes = vec![0; (mapped.end - mapped.start) as usize];
            let got = memory.read(mapped.start, &mut bytes);
            in_banner(&bytes[..got])
        })
    };
    file.as_ref()
        .and_then(in_file)
        .or_else(in_memory)
        .ok_or_else(|| format!("{} does not say its version", path.display()))
}

/// The version in the first banner.
fn in_banner(bytes: &[u8]) -> Option<(u32, u32)> {
    memmem::find_iter(bytes, BANNER).map(|at| &bytes[at..]).find_map(|banner| {
        let line = &banner[..memchr::memchr(b'\n', banner)?];
        let at = memmem::find(line, RELEASE)?;
        let version = std::str::from_utf8(&line[at + RELEASE.len()..]).ok()?;
        let (major, minor) = version.split_once('.')?;
        // Development versions have a third number, and every banner ends with a period.
        let minor = minor.split('.').next()?;
        Some((major.parse().ok()?, minor.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit_snapshot::maps;

    #[test]
    fn the_version_is_in_the_banner() {
        let debian =
            b"\0GNU C Library (%s\0GNU C Library (Debian GLIBC 2.36-9) stable release version 2.36.\nCo";
        assert_eq!(in_banner(debian), Some((2, 36)));
        let development = b"GNU C Library (GNU libc) development release version 2.41.9000.\n";
        assert_eq!(in_banner(development), Some((2, 41)));
        assert_eq!(in_banner(b"GNU C Library (x) stable release version two\n"), None);
        assert_eq!(in_banner(b"release version 2.36"), None);
    }

    #[test]
    fn one_library_is_expected() {
        let line = "-10 r--p 0 0:1 7 /lib/libc.so.6\n";
        let both = format!("1{line}1000-1010 rw-p 1000 0:1 7 /lib/libc-2.31.so\n");
        assert_eq!(library(&maps::parse(both.as_bytes())).unwrap().len(), 2);
        assert!(library(&maps::parse(b"0-10 r--p 0 0:1 7 /lib/libcrypt.so.1\n")).is_err());
        let twice = maps::parse(format!("1{line}2{line}").as_bytes());
        assert_eq!(library(&twice).unwrap_err(), "it has 2 C libraries");
    }
}
