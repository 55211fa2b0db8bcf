//! A living process, as `/proc` shows it: which files are mapped, and where its memory is.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::files::open;
use crate::exit_snapshot::{Mapped, maps};

/// The kernel stamps files with the time of its last tick.
const STAMP_ERROR: Duration = Duration::from_millis(20);

/// What is mapped in a process, as far as files are behind it.
#[derive(Debug)]
pub(super) struct Process {
    pid: u32,
    /// `/proc/PID`, or `/proc/PID/task/TID` of a thread that lives if the leader has ended.
    directory: PathBuf,
    /// By ascending address.
    maps: Vec<Mapped>,
}

impl Process {
    /// Looks at it now; nothing is mapped in one that is gone.
    pub(super) fn look_at(pid: u32) -> Self {
        let leader = PathBuf::from(format!("/proc/{pid}"));
        let maps = maps::read(&leader);
        if !maps.is_empty() {
            return Self { pid, directory: leader, maps };
        }
        let tasks = fs::read_dir(leader.join("task")).into_iter().flatten();
        tasks
            .filter_map(|task| Some(task.ok()?.path()))
            .map(|directory| Self { pid, maps: maps::read(&directory), directory })
            .find(|thread| !thread.maps.is_empty())
            .unwrap_or(Self { pid, directory: leader, maps: Vec::new() })
    }

    /// One whose thread `tid` is held in its exit stop and whose mappings have been read.
    pub(super) fn at_exit(pid: u32, tid: u32) -> Self {
        Self { pid, directory: format!("/proc/{pid}/task/{tid}").into(), maps: Vec::new() }
    }

    /// What is mapped at an address.
    pub(super) fn mapped_at(&self, address: u64) -> Option<&Mapped> {
        Mapped::holding(&self.maps, address)
    }

    /// `/proc/PID/mem`.
    pub(super) fn memory(&self) -> Option<File> {
        File::open(self.directory.join("mem")).ok()
    }

    /// The file behind a mapping of this process: that very file, even if its name is gone or has
    /// become another's, as long as there is a way to it.
    ///
    /// `path` is what the loader calls it: as the process sees it, perhaps relative; empty for the program.
    pub(super) fn file_behind(&self, mapped: &Mapped, path: &Path) -> Option<File> {
        if mapped.inode == 0 {
            return None;
        }
        // Not by device: file systems made of layers or of subvolumes show another one in `maps`.
        let same = |file: &File| file.metadata().is_ok_and(|metadata| metadata.ino() == mapped.inode);
        let by_name = [self.seen_by_it(path), mapped.path.clone(), self.directory.join("exe")];
        let found = by_name.iter().find_map(|path| open(path).ok().filter(same));
        // The kernel's own link, only for those who may administrate: later than names, as something
        // else may be mapped there since `maps` was read, and some file systems show another inode there.
        let link = || open(Path::new(&self.link(mapped))).ok();
        found.or_else(link).or_else(|| open(&self.seen_by_it(mapped.file()?)).ok())
    }

    fn link(&self, mapped: &Mapped) -> String {
        format!("/proc/{}/map_files/{:x}-{:x}", self.pid, mapped.start, mapped.end)
    }

    /// Whether a mapping may be of the object that the loader calls `path`, as far as that path still
    /// leads to a file: since the object was met, another one may have taken its place.
    pub(super) fn may_have_loaded(&self, path: &Path, mapped: &Mapped) -> bool {
        if path.as_os_str().is_empty() || path == mapped.path {
            return true;
        }
        let seen = self.seen_by_it(path);
        // By path too, as some file systems show another inode in `maps`.
        seen.metadata().is_ok_and(|metadata| metadata.ino() == mapped.inode)
            || seen.canonicalize().map_or(true, |path| path == mapped.path)
    }

    /// The file `/tmp/perf-PID.map` of this process, under the number that it knows itself by; None
    /// if it was last written before `began`, by an earlier process with that number, or belongs to another user:
    /// everybody may write to `/tmp`.
    pub(super) fn perf_map(&self, began: SystemTime) -> Option<File> {
        let status = fs::read_to_string(self.directory.join("status")).ok()?;
        let own_pid = innermost_pid(&status)?;
        let map = open(&self.seen_by_it(Path::new(&format!("/tmp/perf-{own_pid}.map")))).ok()?;
        let (written, theirs) = (map.metadata().ok()?, fs::metadata(&self.directory).ok()?);
        let trusted = [theirs.uid(), nix::unistd::geteuid().as_raw(), 0].contains(&written.uid());
        (trusted && written.modified().ok()? + STAMP_ERROR >= began).then_some(map)
    }

    /// A file by a path of this process's. Nobody says that it is the one that was mapped.
    pub(super) fn file_named(&self, path: &Path) -> Option<File> {
        open(&self.seen_by_it(path)).or_else(|_| open(path)).ok()
    }

    fn seen_by_it(&self, path: &Path) -> PathBuf {
        match path.strip_prefix("/") {
            Ok(below_root) => self.directory.join("root").join(below_root),
            Err(_) => self.directory.join("cwd").join(path),
        }
    }
}

/// The last of the process's numbers, which go from our namespace to its own; of a thread, its process's.
pub(super) fn innermost_pid(status: &str) -> Option<u32> {
    let pids = status.lines().find_map(|line| line.strip_prefix("NStgid:"))?;
    pids.split_ascii_whitespace().last()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_knows_itself_by_the_last_number() {
        assert_eq!(innermost_pid("Name:\tx\nNStgid:\t4711\t7\nNSpid:\t4712\t8\n"), Some(7));
        assert_eq!(innermost_pid("NStgid:\t4711\n"), Some(4711));
        assert_eq!(innermost_pid("Name:\tx\n"), None);
    }

    #[test]
    fn this_process_has_its_program_mapped() {
        let process = Process::look_at(std::process::id());
        let here = this_process_has_its_program_mapped as *const () as u64;
        let mapped = process.mapped_at(here).unwrap();
        let program = fs::metadata("/proc/self/exe").unwrap();
        for path in ["", "/no/such/path", "relative"] {
            let file = process.file_behind(mapped, Path::new(path)).unwrap();
            assert_eq!(file.metadata().unwrap().ino(), program.ino(), "{path}");
        }
        assert!(process.mapped_at(0).is_none());
    }

    #[test]
    fn what_took_the_place_of_an_object_is_not_taken_for_it() {
        let process = Process::look_at(std::process::id());
        let here = what_took_the_place_of_an_object_is_not_taken_for_it as *const () as u64;
        let program = process.mapped_at(here).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let link = directory.path().join("link");
        std::os::unix::fs::symlink(&program.path, &link).unwrap();
        let may_be = |path: &Path, mapped| process.may_have_loaded(path, mapped);
        for path in [Path::new(""), &program.path, &link, Path::new("/no/such/path")] {
            assert!(may_be(path, program), "{path:?}");
        }
        assert!(!may_be(Path::new("/bin/sh"), program));
        let anonymous = Mapped { inode: 0, path: PathBuf::new(), ..program.clone() };
        assert!(!may_be(&program.path, &anonymous) && may_be(Path::new("linux-vdso.so.1"), &anonymous));
    }

    #[test]
    fn a_perf_map_of_an_earlier_process_is_not_believed() {
        let pid = std::process::id();
        let path = format!("/tmp/perf-{pid}.map");
        fs::write(&path, "1000 10 compiled\n").unwrap();
        let process = Process::look_at(pid);
        let now = SystemTime::now();
        let [current, stale] = [now, now + Duration::from_secs(1)].map(|began| process.perf_map(began));
        fs::remove_file(&path).unwrap();
        assert!(current.is_some() && stale.is_none());
    }

    #[test]
    fn a_process_that_is_gone_has_nothing() {
        let process = Process::look_at(u32::MAX);
        assert!(process.mapped_at(0x1000).is_none() && process.memory().is_none());
        assert!(process.perf_map(SystemTime::UNIX_EPOCH).is_none());
    }
}
