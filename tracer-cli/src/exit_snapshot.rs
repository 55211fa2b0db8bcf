//! What `/proc` says of a process for the last time, at its exit stop, while its memory and
//! descriptors still exist.

use std::fs;
use std::path::Path;

pub mod descriptors;
pub mod limits;
pub mod maps;
pub mod memory;

pub use descriptors::Descriptor;
pub use limits::{Limit, Limits, SystemFiles};
pub use maps::Mapped;
pub use memory::Memory;

/// Everything that was readable; what was not is empty or `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExitSnapshot {
    /// What is mapped, by ascending address.
    pub maps: Vec<Mapped>,
    /// How much of it is resident.
    pub memory: Memory,
    /// Open descriptors by ascending number; `None` if the directory could not be read.
    pub descriptors: Option<Vec<Descriptor>>,
    /// Resource limits.
    pub limits: Limits,
    /// Open files of the whole system.
    pub system_files: SystemFiles,
    /// The command line as the process left it (programs may rewrite it).
    pub command: Vec<String>,
}

/// Reads the snapshot of a process whose last thread, `tid`, is held in a stop. Never fails: see
/// [`ExitSnapshot`].
///
/// The thread is asked, not the process: if the leader has ended first, `/proc/PID/maps` is empty.
#[must_use]
pub fn read(pid: u32, tid: u32) -> ExitSnapshot {
    let process = read_directory(Path::new(&format!("/proc/{pid}/task/{tid}")));
    ExitSnapshot { system_files: SystemFiles::read(), ..process }
}

fn read_directory(process: &Path) -> ExitSnapshot {
    let bytes = |name| fs::read(process.join(name)).unwrap_or_default();
    let text = |name| String::from_utf8_lossy(&bytes(name)).into_owned();
    // The kernel adds up where it can (since 4.14); the long form has the same lines per mapping.
    let mapped = match text("smaps_rollup") {
        rollup if rollup.is_empty() => text("smaps"),
        rollup => rollup,
    };
    ExitSnapshot {
        maps: maps::read(process),
        memory: Memory::parse(&text("status"), &mapped),
        descriptors: descriptors::read(process).ok(),
        limits: Limits::parse(&text("limits")),
        system_files: SystemFiles::default(),
        command: arguments(&bytes("cmdline")),
    }
}

/// The arguments of a living process; empty if it is gone or has none.
#[must_use]
pub fn command(pid: u32) -> Vec<String> {
    arguments(&fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default())
}

/// The arguments in `/proc/PID/cmdline`, each ended by a zero byte.
pub(crate) fn arguments(cmdline: &[u8]) -> Vec<String> {
    let Some(arguments) = cmdline.strip_suffix(b"\0").or((!cmdline.is_empty()).then_some(cmdline)) else {
        return Vec::new();
    };
    arguments.split(|&byte| byte == 0).map(|a| String::from_utf8_lossy(a).into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_can_be_read() {
        let file = fs::File::open("/proc/self/status").unwrap();
        let pid = std::process::id();
        let snapshot = read(pid, pid);
        let code = this_process_can_be_read as *const () as u64;
        let own = Mapped::holding(&snapshot.maps, code).expect("our code is mapped");
        assert_eq!(own.file(), Some(std::env::current_exe().unwrap().as_path()));
        assert!(snapshot.memory.rss_bytes.unwrap() > 0);
        assert!(snapshot.memory.anonymous_bytes.unwrap() > 0);
        assert!(snapshot.limits.open_files.is_some());
        assert!(snapshot.system_files.allocated.unwrap() > 0);
        assert_eq!(snapshot.command.first(), std::env::args().next().as_ref());
        let targets: Vec<_> = snapshot.descriptors.unwrap().into_iter().map(|d| d.target).collect();
        assert!(targets.iter().any(|t| t.ends_with("/status")), "{targets:?}");
        drop(file);
    }

    #[test]
    fn a_process_that_is_gone_leaves_nothing() {
        assert_eq!(read_directory(Path::new("/proc/0")), ExitSnapshot::default());
    }

    #[test]
    fn arguments_end_with_a_zero_byte_and_may_be_empty() {
        assert_eq!(arguments(b"ls\0\0-l\0"), ["ls", "", "-l"]);
        assert_eq!(arguments(b"renamed title"), ["renamed title"]);
        assert!(arguments(b"").is_empty());
    }
}
