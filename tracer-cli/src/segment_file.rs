//! The shared segment's file: a memfd, reachable only through the descriptors of the CLI in `/proc`. It cannot be made
//! shorter, by which a target could have whoever looks into it killed by SIGBUS. Its inner part is no file: the tracer
//! inherits it from the CLI.

use std::fs::File;
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use calltap_channel::segment::{Layout, Segment};
use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::mman::{MapFlags, ProtFlags, mmap, mmap_anonymous};
use nix::unistd::User;

/// A segment mapped by this process, with the descriptor that keeps it reachable by path.
#[derive(Debug)]
pub struct SegmentFile {
    segment: Segment,
    file: OwnedFd,
    /// Where it is, if it is not in memory alone.
    path: Option<PathBuf>,
}

impl SegmentFile {
    /// Makes a new segment. Its pages cost memory only once they are used.
    ///
    /// # Errors
    /// If the system refuses the memory.
    pub fn create(layout: Layout) -> anyhow::Result<Self> {
        let file = memory()?;
        Self::of(file, layout, None)
    }

    /// Makes a new segment in a directory, for another user, whom it belongs to.
    ///
    /// # Errors
    /// If the system refuses the memory or the file.
    pub fn create_for(layout: Layout, directory: &Path, user: &User) -> anyhow::Result<Self> {
        let path = directory.join("segment");
        let file = File::options().read(true).write(true).create_new(true).mode(0o600).open(&path);
        let file = file.with_context(|| format!("cannot create the shared segment {}", path.display()))?;
        std::os::unix::fs::fchown(&file, Some(user.uid.as_raw()), Some(user.gid.as_raw()))
            .context("cannot give the shared segment to the user")?;
        Self::of(file.into(), layout, Some(path))
    }

    fn of(file: OwnedFd, layout: Layout, path: Option<PathBuf>) -> anyhow::Result<Self> {
        size(&file, layout.size())?;
        let base = map(&file, layout.size() as usize)?;
        let inner = map_inner(layout.inner_size() as usize)?;
        // SAFETY: just mapped with the layout's size, page-aligned, and never unmapped.
        let segment = unsafe { Segment::create(base, layout) };
        // SAFETY: as above, and new.
        let segment = unsafe { segment.with_inner(inner) };
        Ok(Self { segment, file, path })
    }

    /// The mapped segment.
    #[must_use]
    pub fn segment(&self) -> Segment {
        self.segment
    }

    /// The path by which other processes of its user can open it while we live.
    #[must_use]
    pub fn path(&self) -> String {
        if let Some(path) = &self.path {
            return path.display().to_string();
        }
        format!("/proc/{}/fd/{}", std::process::id(), self.file.as_raw_fd())
    }
}

fn memory() -> anyhow::Result<OwnedFd> {
    memfd_create(c"calltap", MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING).context(
        "cannot create the shared segment (memfd_create)\n\
         hint: a limit on open files (ulimit -n) counts; calltap itself needs about ten",
    )
}

/// Gives a new file its size, for ever where it is memory.
fn size(file: &OwnedFd, bytes: u64) -> anyhow::Result<()> {
    nix::unistd::ftruncate(file, bytes as i64).with_context(|| {
        format!(
            "cannot make the shared segment {bytes} bytes long\n\
             hint: a file size limit (ulimit -f) counts; lower --ring-size or --max-threads"
        )
    })?;
    let seals = SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_SEAL;
    // A file in a directory, which another user's processes open, has none.
    let _ = fcntl(file, FcntlArg::F_ADD_SEALS(seals));
    Ok(())
}

/// Maps a segment that another process has created, for the rest of this process's life.
///
/// # Errors
/// If it cannot be mapped, or was made by another version.
pub fn open(segment: OwnedFd) -> anyhow::Result<Segment> {
    let file = File::from(segment);
    let size = file.metadata()?.len();
    let base = map(&file, usize::try_from(size)?)?;
    // SAFETY: the mapping is not empty, and pages are mapped whole.
    let layout = unsafe { Segment::layout_at(base, size) }
        .map_err(|reason| anyhow::anyhow!("it was made by another version of calltap ({reason:?})"))?;
    // SAFETY: as many bytes are mapped as the checked layout has, and stay so.
    Ok(unsafe { Segment::view(base, layout) })
}

const FLAGS: MapFlags = MapFlags::MAP_SHARED.union(MapFlags::MAP_NORESERVE);
const PROTECTION: ProtFlags = ProtFlags::PROT_READ.union(ProtFlags::PROT_WRITE);

fn map(file: &impl AsFd, size: usize) -> anyhow::Result<*mut u8> {
    let length = NonZeroUsize::new(size).context("an empty segment")?;
    // SAFETY: a new mapping at an address of the kernel's choice touches no existing memory.
    let base = unsafe { mmap(None, length, PROTECTION, FLAGS, file, 0) }.with_context(|| refused(size))?;
    Ok(base.as_ptr().cast())
}

/// Memory that is shared with the processes that this one forks.
fn map_inner(size: usize) -> anyhow::Result<*mut u8> {
    let length = NonZeroUsize::new(size).context("an empty segment")?;
    // SAFETY: as above.
    let base = unsafe { mmap_anonymous(None, length, PROTECTION, FLAGS) }.with_context(|| refused(size))?;
    Ok(base.as_ptr().cast())
}

fn refused(size: usize) -> String {
    format!(
        "cannot map {size} bytes of shared memory\n\
         hint: an address-space limit (ulimit -v) counts; lower --ring-size or --max-threads"
    )
}

/// A new tag; see [`calltap_channel::segment::Header::tag`].
///
/// # Errors
/// If the kernel gives no random bits.
pub fn new_tag() -> anyhow::Result<u64> {
    let mut bytes = [0; 8];
    // SAFETY: the buffer is alive and as long as announced; so few bytes are never given in parts.
    let got = unsafe { nix::libc::getrandom(bytes.as_mut_ptr().cast(), bytes.len(), 0) };
    anyhow::ensure!(
        got == bytes.len() as isize,
        "cannot get random bits: {}",
        std::io::Error::last_os_error()
    );
    Ok(u64::from_le_bytes(bytes) >> 1 | 1)
}
