//! The object files of a session: each distinct one once, opened when it is met.
//!
//! An open file stays readable when it is deleted or replaced. If more are met than the CLI should
//! keep open, the rest is opened again by path when names are wanted, and believed only if it is
//! the same file still. The CLI's limit of descriptors is not raised: its children would inherit it.

use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::elf::{Headers, Segments};
pub(super) use crate::regular_file::open;

/// Of the 1024 descriptors that are the usual limit, the reader needs the others.
const MAX_OPEN: usize = 400;

/// Which object file of the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(usize);

/// Tells a file from others, and from what it becomes when it is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Identity {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

impl Identity {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }
}

/// Where the content of an object can be had from.
#[derive(Clone, Debug)]
enum Content {
    File(Arc<File>, Identity),
    /// Too many are open.
    Path(Identity),
    /// Copied from memory.
    Copy(Arc<File>),
    /// It could not be opened.
    Nowhere,
}

#[derive(Clone, Debug)]
struct ObjectFile {
    path: Arc<str>,
    content: Content,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Files {
    files: Vec<ObjectFile>,
    known: HashMap<Identity, FileId>,
    missing: HashMap<Arc<str>, FileId>,
    open: usize,
}

/// An object file that can be read now.
pub(super) struct Readable {
    /// It, open.
    pub(super) file: File,
    /// A path that leads to it as long as `file` is open.
    pub(super) path: PathBuf,
}

impl Files {
    /// A file that has just been opened. `path` is what reports call it.
    pub(super) fn opened(&mut self, file: File, path: &Path) -> FileId {
        let Ok(metadata) = file.metadata() else {
            return self.missing(path);
        };
        let identity = Identity::of(&metadata);
        if let Some(&id) = self.known.get(&identity) {
            return id;
        }
        let content = if self.open < MAX_OPEN {
            self.open += 1;
            Content::File(Arc::new(file), identity)
        } else {
            Content::Path(identity)
        };
        let id = self.push(path, content);
        self.known.insert(identity, id);
        id
    }

    /// What memory had of an object.
    pub(super) fn copied(&mut self, file: File, path: &Path) -> FileId {
        if self.open >= MAX_OPEN {
            return self.missing(path);
        }
        self.open += 1;
        self.push(path, Content::Copy(Arc::new(file)))
    }

    /// An object of which there is but the path.
    pub(super) fn missing(&mut self, path: &Path) -> FileId {
        if let Some(&id) = self.missing.get(&*path.to_string_lossy()) {
            return id;
        }
        let id = self.push(path, Content::Nowhere);
        self.missing.insert(self.path(id), id);
        id
    }

    fn push(&mut self, path: &Path, content: Content) -> FileId {
        self.files.push(ObjectFile { path: path.to_string_lossy().into(), content });
        FileId(self.files.len() - 1)
    }

    /// What reports call it.
    pub(super) fn path(&self, id: FileId) -> Arc<str> {
        Arc::clone(&self.files[id.0].path)
    }

    /// Whether there is but the path.
    pub(super) fn is_missing(&self, id: FileId) -> bool {
        matches!(self.files[id.0].content, Content::Nowhere)
    }

    /// Which part of a file is loaded where; nothing if it cannot be read.
    pub(super) fn segments(&self, id: FileId) -> Segments {
        let read = |readable: Readable| Some(Headers::read(&readable.file).ok()?.segments().clone());
        self.read(id).ok().and_then(read).unwrap_or_default()
    }

    /// The file, if it is still what was met.
    ///
    /// # Errors
    /// If it cannot be opened, is another file now, or has been written to.
    pub(super) fn read(&self, id: FileId) -> io::Result<Readable> {
        let ObjectFile { path, content } = &self.files[id.0];
        let path = Path::new(&**path);
        let (file, identity) = match content {
            Content::File(file, identity) => (file.try_clone()?, identity),
            Content::Path(identity) => (open(path)?, identity),
            Content::Copy(file) => {
                let file = file.try_clone()?;
                return Ok(Readable { path: descriptor_path(&file), file });
            }
            Content::Nowhere => return Err(io::ErrorKind::NotFound.into()),
        };
        if Identity::of(&file.metadata()?) != *identity {
            return Err(io::Error::other("the file has changed"));
        }
        // Beside its own path lies what belongs to it, such as a DWARF package.
        let in_place = path.metadata().is_ok_and(|metadata| Identity::of(&metadata) == *identity);
        let path = if in_place { path.to_owned() } else { descriptor_path(&file) };
        Ok(Readable { file, path })
    }
}

fn descriptor_path(file: &File) -> PathBuf {
    format!("/proc/self/fd/{}", file.as_raw_fd()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::fs;

    fn content(files: &Files, id: FileId) -> io::Result<String> {
        fs::read_to_string(files.read(id)?.path)
    }

    #[test]
    fn a_file_is_kept_once_and_outlives_its_name() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("object");
        fs::write(&path, "content").unwrap();
        let mut files = Files::default();
        let id = files.opened(open(&path).unwrap(), &path);
        assert_eq!(files.opened(open(&path).unwrap(), &path), id);
        assert_eq!(files.read(id).unwrap().path, path);
        fs::write(directory.path().join("new"), "another").unwrap();
        fs::rename(directory.path().join("new"), &path).unwrap();
        assert_eq!(content(&files, id).unwrap(), "content");
        let new = files.opened(open(&path).unwrap(), &path);
        assert_ne!(new, id);
        assert_eq!(content(&files, new).unwrap(), "another");
    }

    #[test]
    fn a_file_that_is_written_to_is_not_believed_any_more() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("object");
        fs::write(&path, "content").unwrap();
        let mut files = Files::default();
        let id = files.opened(open(&path).unwrap(), &path);
        fs::write(&path, "other content").unwrap();
        assert!(files.read(id).is_err());
    }

    #[test]
    fn beyond_the_limit_files_are_opened_again_and_checked() {
        let directory = tempfile::tempdir().unwrap();
        let mut files = Files::default();
        let paths: Vec<PathBuf> = (0..=MAX_OPEN).map(|n| directory.path().join(n.to_string())).collect();
        let mut last = None;
        for path in &paths {
            fs::write(path, "content").unwrap();
            last = Some(files.opened(open(path).unwrap(), path));
        }
        let (id, path) = (last.unwrap(), paths.last().unwrap());
        assert_eq!(files.open, MAX_OPEN);
        assert_eq!(content(&files, id).unwrap(), "content");
        fs::remove_file(path).unwrap();
        assert!(files.read(id).is_err());
    }

    #[test]
    fn what_could_not_be_opened_keeps_its_path() {
        let mut files = Files::default();
        let id = files.missing(Path::new("/gone"));
        assert_eq!(files.missing(Path::new("/gone")), id);
        assert_eq!(&*files.path(id), "/gone");
        assert!(files.read(id).is_err());
    }
}
