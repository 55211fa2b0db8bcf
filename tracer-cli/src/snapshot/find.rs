//! Which session a process belongs to.

use std::fs;
use std::io;
use std::path::PathBuf;

use anyhow::bail;

/// What `/proc` shows of a session's segment.
const SEGMENT: &str = "/memfd:calltap (deleted)";

/// A session, and what of it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The process of `calltap run`.
    pub session: u32,
    /// Path of its segment.
    pub segment: PathBuf,
    /// The process to look at; 0: all of them.
    pub wanted: u32,
}

/// Finds the session of process `pid`, which is `calltap run` itself or one that it follows.
///
/// # Errors
/// If there is none, or it belongs to somebody else.
pub fn session(pid: u32) -> anyhow::Result<Found> {
    let Some(status) = Status::of(pid) else {
        bail!(
            "there is no process {pid}\nhint: give the number of a `calltap run`, or of a program under it"
        );
    };
    let tracer = Status::of(status.tracer);
    // Itself; the parent of its tracer; or its parent, if it is the tracer.
    let candidates = [(pid, 0), (tracer.map_or(0, |tracer| tracer.parent), status.group), (status.parent, 0)];
    for (session, wanted) in candidates.into_iter().filter(|(session, _)| *session != 0) {
        match descriptor(session, SEGMENT) {
            Ok(Some(segment)) => return Ok(Found { session, segment, wanted }),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                bail!(
                    "process {session} cannot be looked into: {error}\nhint: run this as the user who started it"
                );
            }
            Ok(None) | Err(_) => {}
        }
    }
    bail!("process {pid} does not run under calltap\nhint: start it with: calltap run -- COMMAND")
}

/// The path of a process's descriptor that leads to `link`.
///
/// # Errors
/// If the process's descriptors cannot be listed.
pub fn descriptor(pid: u32, link: &str) -> io::Result<Option<PathBuf>> {
    let directory = fs::read_dir(format!("/proc/{pid}/fd"))?;
    let mut paths = directory.flatten().map(|entry| entry.path());
    Ok(paths.find(|path| fs::read_link(path).is_ok_and(|target| target.as_os_str() == link)))
}

/// What `/proc` says of a process.
#[derive(Clone, Copy, Debug)]
pub struct Status {
    /// Its thread group.
    pub group: u32,
    /// Its parent.
    pub parent: u32,
    /// Who traces it; 0: nobody.
    pub tracer: u32,
}

impl Status {
    /// Of this process, if there is one.
    #[must_use]
    pub fn of(pid: u32) -> Option<Self> {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let number = |name| status.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
        Some(Self { group: number("Tgid:")?, parent: number("PPid:")?, tracer: number("TracerPid:")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_not_there_or_not_followed_is_told_so() {
        let error = session(u32::MAX).unwrap_err().to_string();
        assert!(error.starts_with("there is no process 4294967295\nhint: "), "{error}");
        let error = session(1).unwrap_err().to_string();
        assert!(
            error.contains("does not run under calltap") || error.contains("cannot be looked into"),
            "{error}"
        );
    }

    #[test]
    fn a_session_is_known_by_its_segment() {
        let layout = calltap_channel::segment::Layout::new(2, 1 << 14).unwrap();
        let file = crate::segment_file::SegmentFile::create(layout).unwrap();
        let own = std::process::id();
        let found = session(own).unwrap();
        assert_eq!((found.session, found.wanted), (own, 0));
        drop(file);
    }
}
