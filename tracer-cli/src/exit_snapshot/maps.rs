//! `/proc/PID/maps`: what is mapped where.

use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// One line of `/proc/PID/maps`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapped {
    /// First address.
    pub start: u64,
    /// First address behind it.
    pub end: u64,
    /// `r`, `w`, `x` and `p` (private) or `s` (shared), `-` for what it is not.
    pub permissions: [u8; 4],
    /// Offset of `start` in the file, in bytes.
    pub offset: u64,
    /// Major and minor number of the file's device.
    pub device: (u32, u32),
    /// Inode number; 0 if no file is behind it.
    pub inode: u64,
    /// The file, or a name in brackets such as `[heap]`; empty for anonymous memory.
    pub path: PathBuf,
    /// The file has since been unlinked or replaced.
    pub deleted: bool,
}

impl Mapped {
    /// The file's path, if there is a file that can still be opened by it.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        (self.inode != 0 && !self.deleted && self.path.is_absolute()).then_some(&self.path)
    }

    /// The mapping that holds `address`, in `maps` sorted by address as the kernel prints them.
    #[must_use]
    pub fn holding(maps: &[Self], address: u64) -> Option<&Self> {
        let next = maps.partition_point(|m| m.start <= address);
        maps[..next].last().filter(|m| address < m.end)
    }
}

/// The text for a small program. The kernel says no length, and the process mostly waits: one long read instead of many
/// that grow.
const LIKELY_BYTES: usize = 16 << 10;

/// What is mapped now in the process or thread whose directory in `/proc` this is; empty if it is gone.
#[must_use]
pub fn read(directory: &Path) -> Vec<Mapped> {
    let mut text = Vec::with_capacity(LIKELY_BYTES);
    let read = File::open(directory.join("maps")).and_then(|mut maps| maps.read_to_end(&mut text));
    read.map_or_else(|_| Vec::new(), |_| parse(&text))
}

/// Reads all lines that can be understood; others are left out.
#[must_use]
pub fn parse(text: &[u8]) -> Vec<Mapped> {
    text.split(|&byte| byte == b'\n').filter_map(line).collect()
}

fn line(line: &[u8]) -> Option<Mapped> {
    let mut rest = line;
    let (start, end) = word(&mut rest)?.split_once('-')?;
    let permissions = *word(&mut rest)?.as_bytes().first_chunk()?;
    let offset = hexadecimal(word(&mut rest)?)?;
    let (major, minor) = word(&mut rest)?.split_once(':')?;
    let inode = word(&mut rest)?.parse().ok()?;
    // What remains is the name, spaces included; the kernel pads before it.
    let name = rest.trim_ascii_start();
    let (name, deleted) = match name.strip_suffix(b" (deleted)") {
        Some(name) => (name, true),
        None => (name, false),
    };
    let (start, end) = (hexadecimal(start)?, hexadecimal(end)?);
    (start <= end).then_some(())?;
    Some(Mapped {
        start,
        end,
        permissions,
        offset,
        device: (hexadecimal(major)? as u32, hexadecimal(minor)? as u32),
        inode,
        path: OsString::from_vec(newlines(name)).into(),
        deleted,
    })
}

/// Takes the next word off, and the one space behind it.
fn word<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    let end = rest.iter().position(|&byte| byte == b' ').unwrap_or(rest.len());
    let word = std::str::from_utf8(&rest[..end]).ok()?;
    *rest = rest.get(end + 1..).unwrap_or_default();
    Some(word)
}

fn hexadecimal(text: &str) -> Option<u64> {
    u64::from_str_radix(text, 16).ok()
}

/// A newline is the only byte that the kernel writes in another way here (proc(5)).
fn newlines(name: &[u8]) -> Vec<u8> {
    const ESCAPED: &[u8] = b"\\012";
    let mut plain = Vec::with_capacity(name.len());
    let mut rest = name;
    while let Some((&first, behind)) = rest.split_first() {
        match rest.strip_prefix(ESCAPED) {
            Some(behind) => (plain.push(b'\n'), rest = behind).1,
            None => (plain.push(first), rest = behind).1,
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(text: &[u8]) -> Mapped {
        let mut all = parse(text);
        assert_eq!(all.len(), 1);
        all.remove(0)
    }

    #[test]
    fn every_field_of_a_line_is_read() {
        let mapped = only(b"7f00-7f10 r-xp 00026000 fe:1a 1311   /usr/lib/x86_64-linux-gnu/libc.so.6\n");
        assert_eq!(
            mapped,
            Mapped {
                start: 0x7f00,
                end: 0x7f10,
                permissions: *b"r-xp",
                offset: 0x26000,
                device: (0xfe, 0x1a),
                inode: 1311,
                path: "/usr/lib/x86_64-linux-gnu/libc.so.6".into(),
                deleted: false,
            }
        );
        assert_eq!(mapped.file(), Some(Path::new("/usr/lib/x86_64-linux-gnu/libc.so.6")));
    }

    #[test]
    fn paths_may_hold_spaces_newlines_and_any_bytes() {
        let path = |text| only(text).path.into_os_string().into_vec();
        assert_eq!(path(b"0-1 r--p 0 0:1 7    /a b  c"), b"/a b  c");
        assert_eq!(path(b"0-1 r--p 0 0:1 7    /a\\012b"), b"/a\nb");
        assert_eq!(path(b"0-1 r--p 0 0:1 7    /\xff\xfe"), b"/\xff\xfe");
    }

    #[test]
    fn a_deleted_file_cannot_be_opened_by_its_path() {
        let mapped = only(b"0-1 r--p 0 0:1 7 /tmp/x (deleted)");
        assert_eq!((mapped.path.to_str(), mapped.deleted), (Some("/tmp/x"), true));
        assert_eq!(mapped.file(), None);
    }

    #[test]
    fn anonymous_and_special_mappings_have_no_file() {
        assert_eq!(only(b"10-20 rw-p 00000000 00:00 0 ").path, Path::new(""));
        assert_eq!(only(b"10-20 rw-p 00000000 00:00 0").file(), None);
        assert_eq!(only(b"10-20 rw-p 00000000 00:00 0    [heap]").path, Path::new("[heap]"));
    }

    #[test]
    fn lines_that_make_no_sense_are_left_out() {
        let text = b"\ngarbage\n10-20 rw-p zz 00:00 0\n10 rw-p 0 0:0 0\n10-20 r\n30-40 r--p 0 0:0 0\n";
        assert_eq!(only(text).start, 0x30);
    }

    #[test]
    fn an_address_belongs_to_the_mapping_around_it() {
        let maps = parse(b"10-20 r--p 0 0:0 0\n20-30 r--p 0 0:0 0\n40-50 r--p 0 0:0 0\n");
        let start = |address| Mapped::holding(&maps, address).map(|m| m.start);
        assert_eq!(
            [0xf, 0x10, 0x1f, 0x20, 0x30, 0x4f, 0x50].map(start),
            [None, Some(0x10), Some(0x10), Some(0x20), None, Some(0x40), None]
        );
    }
}
