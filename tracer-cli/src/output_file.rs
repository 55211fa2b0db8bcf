//! Files that the user names for what calltap writes: reports, traces, recordings.
//!
//! They hold the program's data, so a new one is its owner's alone, whatever the umask. In a directory where
//! everybody may make files (`/tmp`), what lies at the name may be another user's doing: it is neither followed nor
//! written into, as the kernel itself has it where `fs.protected_symlinks` and its like are set (proc(5)).

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

/// Opens a file to write to, and makes it (mode 0600) if it is not there. What it holds stays until [`emptied`].
///
/// # Errors
/// The kernel's; or if somebody else has put it, or a link, into a directory of all users.
pub fn open(path: &Path) -> io::Result<File> {
    let shared = shared_directory(path)?;
    let open = |flags| {
        File::options().write(true).create(true).truncate(false).mode(0o600).custom_flags(flags).open(path)
    };
    let Some(directory) = shared else { return open(0) };
    if let Some(link) = fs::symlink_metadata(path).ok().filter(Metadata::is_symlink) {
        expect_own(&link, &directory, "a symbolic link")?;
        // Where entries are their owners', nobody else can have put another link here meanwhile.
        return open(0);
    }
    let file = open(libc::O_NOFOLLOW)?;
    expect_own(&file.metadata()?, &directory, "a file")?;
    Ok(file)
}

/// Opens a file to write to, and makes it if it is not there. It is empty then.
///
/// # Errors
/// As [`open`].
pub fn create(path: &Path) -> io::Result<File> {
    emptied(open(path)?)
}

/// The file without what it held; a pipe or a device as it is.
///
/// # Errors
/// The kernel's.
pub fn emptied(file: File) -> io::Result<File> {
    if file.metadata()?.is_file() {
        file.set_len(0)?;
    }
    Ok(file)
}

/// The directory that the file is in, if all users may make files there.
fn shared_directory(path: &Path) -> io::Result<Option<Metadata>> {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let directory = fs::metadata(parent)?;
    Ok((directory.mode() & (libc::S_ISVTX | libc::S_IWOTH) == libc::S_ISVTX | libc::S_IWOTH)
        .then_some(directory))
}

fn expect_own(found: &Metadata, directory: &Metadata, what: &str) -> io::Result<()> {
    let me = nix::unistd::geteuid().as_raw();
    if found.uid() == me || found.uid() == directory.uid() {
        return Ok(());
    }
    let message = format!("it is {what} of another user in a directory that everybody may write to");
    Err(io::Error::new(ErrorKind::PermissionDenied, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::io::{Read, Write};
    use std::os::unix::fs::{PermissionsExt, lchown, symlink};

    const SOMEBODY: u32 = 65534;

    fn directory(mode: u32) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(mode)).unwrap();
        directory
    }

    #[test]
    fn a_new_file_is_its_owners_alone_and_an_old_one_keeps_its_mode() {
        let directory = directory(0o755);
        let path = directory.path().join("report");
        create(&path).unwrap().write_all(b"long text").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        create(&path).unwrap().write_all(b"text").unwrap();
        assert_eq!(
            (fs::read(&path).unwrap(), fs::metadata(&path).unwrap().mode() & 0o777),
            (b"text".into(), 0o644)
        );
    }

    #[test]
    fn own_links_are_followed_everywhere() {
        for mode in [0o755, 0o1777] {
            let directory = directory(mode);
            let (file, link) = (directory.path().join("file"), directory.path().join("link"));
            symlink(&file, &link).unwrap();
            create(&link).unwrap().write_all(b"text").unwrap();
            assert_eq!(fs::read(&file).unwrap(), b"text");
        }
    }

    #[test]
    fn links_and_files_of_others_are_let_be_where_everybody_may_write() {
        if !nix::unistd::geteuid().is_root() {
            return;
        }
        let directory = directory(0o1777);
        let (file, link) = (directory.path().join("file"), directory.path().join("link"));
        fs::write(&file, "theirs").unwrap();
        symlink(directory.path().join("mine"), &link).unwrap();
        for path in [&file, &link] {
            lchown(path, Some(SOMEBODY), None).unwrap();
            // Of the directory's owner they are trusted, here and by the kernel.
            lchown(directory.path(), Some(SOMEBODY + 1), None).unwrap();
            assert_eq!(create(path).unwrap_err().kind(), ErrorKind::PermissionDenied, "{path:?}");
        }
        assert_eq!(fs::read(&file).unwrap(), b"theirs");
        assert!(!directory.path().join("mine").exists());
    }

    #[test]
    fn a_pipe_is_written_to() {
        let directory = directory(0o755);
        let path = directory.path().join("pipe");
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let mut reader = File::options().read(true).write(true).open(&path).unwrap();
        create(&path).unwrap().write_all(b"text").unwrap();
        let mut text = [0; 4];
        reader.read_exact(&mut text).unwrap();
        assert_eq!(&text, b"text");
    }
}
