//! `/proc/PID/{fd,fdinfo}`: what is open.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use calltap_analyzers::descriptors::KernelDescriptor;
use calltap_analyzers::event::Fd;

/// `O_CLOEXEC` as fdinfo shows it.
const CLOSE_ON_EXEC: u32 = 0o2_000_000;

/// One open descriptor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Descriptor {
    /// Its number.
    pub fd: i32,
    /// A path, or a name such as `socket:[1234]`; empty if the link could not be read.
    pub target: String,
    /// `open(2)` flags; `None` if fdinfo could not be read.
    pub flags: Option<u32>,
}

impl Descriptor {
    /// Whether exec would close it, if that is known.
    #[must_use]
    pub fn close_on_exec(&self) -> Option<bool> {
        self.flags.map(|flags| flags & CLOSE_ON_EXEC != 0)
    }

    /// What the ledger of descriptors is compared with.
    #[must_use]
    pub fn for_ledger(&self) -> KernelDescriptor {
        KernelDescriptor {
            fd: Fd(self.fd),
            target: self.target.clone().into_bytes(),
            close_on_exec: self.close_on_exec(),
        }
    }
}

/// Reads the descriptors of the process at `/proc/PID`, by ascending number.
///
/// # Errors
/// If the directory cannot be listed. Single descriptors that vanish meanwhile are no error.
pub fn read(process: &Path) -> io::Result<Vec<Descriptor>> {
    let infos = process.join("fdinfo");
    let descriptors = targets(process)?.into_iter().map(|(fd, target)| {
        let info = fs::read_to_string(infos.join(fd.to_string()));
        Descriptor { fd, target, flags: info.ok().and_then(|info| flags(&info)) }
    });
    Ok(descriptors.collect())
}

/// The same without their flags, each with what it is of.
///
/// # Errors
/// As [`read`].
pub fn targets(process: &Path) -> io::Result<Vec<(i32, String)>> {
    let mut targets = Vec::new();
    for entry in fs::read_dir(process.join("fd"))? {
        let entry = entry?;
        let Some(fd) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let target = fs::read_link(entry.path())
            .map(|link| String::from_utf8_lossy(link.as_os_str().as_bytes()).into_owned())
            .unwrap_or_default();
        targets.push((fd, target));
    }
    targets.sort_unstable_by_key(|(fd, _)| *fd);
    Ok(targets)
}

/// The octal `flags:` line of an fdinfo file.
pub(crate) fn flags(info: &str) -> Option<u32> {
    let digits = info.lines().find_map(|line| line.strip_prefix("flags:"))?;
    u32::from_str_radix(digits.trim(), 8).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_octal() {
        assert_eq!(flags("pos:\t0\nflags:\t02100002\nmnt_id:\t24\n"), Some(0o2_100_002));
        assert_eq!(flags("pos:\t0\n"), None);
        assert_eq!(flags("flags:\tread\n"), None);
    }

    #[test]
    fn close_on_exec_is_one_of_the_flags() {
        let descriptor = |flags| Descriptor { fd: 3, target: String::new(), flags };
        assert_eq!(descriptor(Some(0o2_000_000)).close_on_exec(), Some(true));
        assert_eq!(descriptor(Some(0o100_002)).close_on_exec(), Some(false));
        assert_eq!(descriptor(None).close_on_exec(), None);
    }

    #[test]
    fn descriptors_come_in_order_with_what_they_are_of() {
        let file = fs::File::open("/proc/self/limits").unwrap();
        let open = read(Path::new("/proc/self")).unwrap();
        assert!(open.is_sorted_by_key(|d| d.fd));
        let own = open.iter().find(|d| d.target.ends_with("/limits")).unwrap();
        assert_eq!(own.close_on_exec(), Some(true), "the standard library opens so");
        drop(file);
    }
}
