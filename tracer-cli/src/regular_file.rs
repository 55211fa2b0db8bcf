//! Opening files that somebody else has named: the program, its debug information, `/tmp`.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Opens a regular file for reading. Waits for nobody and wakes no device, whatever lies at the path.
///
/// # Errors
/// If it cannot be opened or is something else.
pub fn open(path: &Path) -> io::Result<File> {
    // Only a place in the file system: opening a pipe waits, and opening a device may do anything.
    let place = File::options().read(true).custom_flags(libc::O_PATH).open(path)?;
    if !place.metadata()?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    File::open(format!("/proc/self/fd/{}", place.as_raw_fd()))
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::io::Read;

    #[test]
    fn only_regular_files_are_opened() {
        let directory = tempfile::tempdir().unwrap();
        let pipe = directory.path().join("pipe");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRUSR).unwrap();
        assert!(open(&pipe).is_err());
        assert!(open(directory.path()).is_err());
        assert!(open(Path::new("/dev/null")).is_err());
        assert!(open(&directory.path().join("nothing")).is_err());
        let file = directory.path().join("file");
        std::fs::write(&file, "content").unwrap();
        let mut content = String::new();
        open(&file).unwrap().read_to_string(&mut content).unwrap();
        assert_eq!(content, "content");
    }
}
