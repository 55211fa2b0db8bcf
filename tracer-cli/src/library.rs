//! The interposer's library: embedded in this binary, put where the loader can find it.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::Context;
use nix::sys::memfd::{MFdFlags, memfd_create};

static LIBRARY: &[u8] = include_bytes!(env!("CALLTAP_LIBRARY"));
/// Hash of the library's content: two builds never share a file.
const HASH: &str = env!("CALLTAP_LIBRARY_HASH");

/// Where the library is, as long as this value lives.
#[derive(Debug)]
pub struct Library {
    path: PathBuf,
    /// Keeps a library alive that is no file.
    _memory: Option<OwnedFd>,
}

impl Library {
    /// Finds or writes the library in the user's cache directory; where that cannot be used, keeps
    /// it in memory.
    ///
    /// # Errors
    /// If not even memory can hold it.
    pub fn place() -> anyhow::Result<Self> {
        match in_cache() {
            Ok(path) => Ok(Self { path, _memory: None }),
            Err(_) => in_memory().context(
                "cannot place the interposer's library\n\
                 hint: a limit on open files or file sizes (ulimit -n, -f) counts",
            ),
        }
    }

    /// Its path, free of the characters that separate entries of `LD_PRELOAD`.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn in_cache() -> io::Result<PathBuf> {
    let unusable = || io::Error::from(io::ErrorKind::NotFound);
    let base = match std::env::var_os("XDG_CACHE_HOME").filter(|path| Path::new(path).is_absolute()) {
        Some(cache) => PathBuf::from(cache),
        None => PathBuf::from(std::env::var_os("HOME").ok_or_else(unusable)?).join(".cache"),
    };
    let directory = base.join("calltap");
    let path = directory.join(format!("libcalltap-{HASH}.so"));
    let separated = path.to_str().is_none_or(|path| path.contains([' ', ':', '\t', '\n', '$', ';']));
    if !path.is_absolute() || separated {
        return Err(unusable());
    }
    if is_ours(&path) {
        return Ok(path);
    }
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&directory)?;
    let temporary = directory.join(format!(".libcalltap-{HASH}.{}", std::process::id()));
    let written = write_new(&temporary).and_then(|()| publish(&temporary, &path));
    let _ = fs::remove_file(&temporary);
    written?;
    if is_ours(&path) { Ok(path) } else { Err(unusable()) }
}

/// Gives the finished file its name. One that another run has published meanwhile stays: it may be in
/// use, and a target is only given the very file that its tracer has seen.
fn publish(temporary: &Path, path: &Path) -> io::Result<()> {
    match fs::hard_link(temporary, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && is_ours(path) => Ok(()),
        Err(_) => fs::rename(temporary, path),
        Ok(()) => Ok(()),
    }
}

fn write_new(path: &Path) -> io::Result<()> {
    let _ = fs::remove_file(path);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o755).open(path)?;
    file.write_all(LIBRARY)?;
    file.set_permissions(Permissions::from_mode(0o755))
}

/// Whether the file is this library, whole, and can be replaced by nobody else.
fn is_ours(path: &Path) -> bool {
    let Ok(mut file) =
        File::options().read(true).custom_flags(nix::libc::O_NOFOLLOW | nix::libc::O_CLOEXEC).open(path)
    else {
        return false;
    };
    let Ok(metadata) = file.metadata() else { return false };
    let mine = metadata.uid() == nix::unistd::geteuid().as_raw();
    if !mine || metadata.mode() & 0o022 != 0 || metadata.len() != LIBRARY.len() as u64 {
        return false;
    }
    let mut content = Vec::with_capacity(LIBRARY.len());
    file.read_to_end(&mut content).is_ok() && content == LIBRARY
}

fn in_memory() -> anyhow::Result<Library> {
    let memory = memfd_create(c"libcalltap.so", MFdFlags::MFD_CLOEXEC)?;
    let path = PathBuf::from(format!("/proc/{}/fd/{}", std::process::id(), memory.as_raw_fd()));
    let mut file = File::from(memory);
    file.write_all(LIBRARY)?;
    Ok(Library { path, _memory: Some(file.into()) })
}
