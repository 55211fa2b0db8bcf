//! Which programs can open the session's segment, and the library: those of the same user.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Bit of the capability that opens everybody's `/proc/PID/fd` (`CAP_SYS_PTRACE` of capability.h).
const SYS_PTRACE: u64 = 1 << 19;

/// Who can open the segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reach {
    user: u32,
    /// Only with this group: the segment is opened through `/proc`, where the kernel compares both (`ptrace_may_access`).
    group: Option<u32>,
}

impl Reach {
    /// Of the segment at this path.
    ///
    /// # Errors
    /// If it cannot be looked at.
    pub(crate) fn of(segment: &Path) -> io::Result<Self> {
        let metadata = std::fs::metadata(segment)?;
        let group = segment.starts_with("/proc").then(|| nix::unistd::getegid().as_raw());
        Ok(Self { user: metadata.uid(), group })
    }

    /// Whether a process with this `/proc/PID/status` can. What it does not say is taken to be so.
    pub(crate) fn includes(self, status: &str) -> bool {
        let line = |name| status.lines().find_map(|line| line.strip_prefix(name));
        // Real, effective, saved, of file access; a program that has just begun has one for all three but the first.
        let accessing = |name| line(name)?.split_ascii_whitespace().nth(3)?.parse::<u32>().ok();
        let capable = line("CapEff:")
            .and_then(|set| u64::from_str_radix(set.trim(), 16).ok())
            .is_some_and(|set| set & SYS_PTRACE != 0);
        let same_group = self.group.is_none_or(|group| accessing("Gid:").is_none_or(|gid| gid == group));
        accessing("Uid:").is_none_or(|uid| uid == self.user) && (same_group || capable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(uid: u32, gid: u32, capabilities: &str) -> String {
        format!("Name:\tx\nUid:\t7\t7\t7\t{uid}\nGid:\t8\t8\t8\t{gid}\nCapEff:\t{capabilities}\n")
    }

    #[test]
    fn only_the_same_user_reaches_the_segment() {
        let reach = Reach { user: 1000, group: Some(1000) };
        let none = "0000000000000000";
        assert!(reach.includes(&status(1000, 1000, none)));
        assert!(!reach.includes(&status(0, 1000, "000001ffffffffff")));
        assert!(!reach.includes(&status(65534, 1000, none)));
        assert!(!reach.includes(&status(1000, 100, none)));
        assert!(reach.includes(&status(1000, 100, "0000000000080000")));
        assert!(Reach { group: None, ..reach }.includes(&status(1000, 100, none)));
    }

    #[test]
    fn this_process_reaches_its_own() {
        let own = Reach::of(Path::new("/proc/self/exe")).unwrap();
        let me = Reach { user: nix::unistd::geteuid().as_raw(), ..own };
        assert!(me.includes(&std::fs::read_to_string("/proc/self/status").unwrap()));
    }
}
