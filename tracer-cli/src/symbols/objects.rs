//! Which object file is behind what a process has loaded.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use calltap_analyzers::event::Image;

use super::Loaded;
use super::files::{FileId, Files};
use super::memory::LoadedObject;
use super::process::Process;
use crate::exit_snapshot::Mapped;

/// All objects that have been met.
#[derive(Debug, Default)]
pub(super) struct Objects {
    files: Files,
    /// What is behind mappings that have been seen in any process.
    behind: HashMap<MappedFile, FileId>,
    programs: HashMap<Image, PathBuf>,
    /// The image that was looked at last, and at which lap: notes of one image follow each other.
    last: Option<(Image, u64, Process)>,
}

/// Device, inode, path, whether it was deleted.
type MappedFile = ((u32, u32), u64, PathBuf, bool);

impl Objects {
    /// The same objects, to be asked for names elsewhere meanwhile.
    pub(super) fn as_of_now(&self) -> Self {
        Self {
            files: self.files.clone(),
            behind: self.behind.clone(),
            programs: self.programs.clone(),
            last: None,
        }
    }

    /// Their files.
    pub(super) fn files(&self) -> &Files {
        &self.files
    }

    /// The program of an image, where `/proc` no longer tells.
    pub(super) fn executed(&mut self, image: Image, program: PathBuf) {
        self.programs.insert(image, program);
    }

    /// The file of an object that an image has met.
    pub(super) fn loaded(&mut self, loaded: &Loaded) -> FileId {
        let path = Path::new(OsStr::from_bytes(&loaded.path));
        let process = match self.last.take() {
            Some((image, lap, process))
                if (image, lap) == (loaded.image, loaded.lap) && shows(&process, loaded.start, path) =>
            {
                process
            }
            _ => Process::look_at(loaded.pid),
        };
        let mapped = process.mapped_at(loaded.start);
        let file = match mapped.filter(|mapped| process.may_have_loaded(path, mapped)) {
            Some(mapped) => self.mapped(&process, mapped, path, loaded),
            // It has ended, goes on with another program, or has something else there by now.
            None => {
                let program = self.programs.get(&loaded.image).filter(|_| path.as_os_str().is_empty());
                let path = program.map_or(path, PathBuf::as_path);
                match process.file_named(path) {
                    Some(file) => self.files.opened(file, path),
                    None => self.files.missing(path),
                }
            }
        };
        self.last = Some((loaded.image, loaded.lap, process));
        file
    }

    fn mapped(&mut self, process: &Process, mapped: &Mapped, path: &Path, loaded: &Loaded) -> FileId {
        if mapped.inode == 0 {
            return self.copied(process, mapped, loaded).unwrap_or_else(|| self.files.missing(path));
        }
        let file = self.behind(process, mapped, path);
        if !self.files.is_missing(file) {
            return file;
        }
        self.copied(process, mapped, loaded).unwrap_or(file)
    }

    /// The file behind a mapping, opened when the mapping is first seen in any process. `path` is
    /// what the loader calls it.
    pub(super) fn behind(&mut self, process: &Process, mapped: &Mapped, path: &Path) -> FileId {
        match self.behind.entry(key(mapped)) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => match process.file_behind(mapped, path) {
                Some(file) => *new.insert(self.files.opened(file, &mapped.path)),
                None => self.files.missing(&mapped.path),
            },
        }
    }

    /// What the process's memory has of an object without a file that can be opened.
    fn copied(&mut self, process: &Process, mapped: &Mapped, loaded: &Loaded) -> Option<FileId> {
        // All processes have the same vDSO, but what else has no name may be anything.
        let key = (mapped.inode != 0 || mapped.path.as_os_str() == "[vdso]").then(|| key(mapped));
        if let Some(&known) = key.as_ref().and_then(|key| self.behind.get(key)) {
            return Some(known);
        }
        let memory = process.memory()?;
        let object = LoadedObject { memory: &memory, range: loaded.start..loaded.end, bias: loaded.bias };
        let copy = object.copy().ok()?;
        let path = if mapped.inode == 0 { Path::new(OsStr::from_bytes(&loaded.path)) } else { &mapped.path };
        let file = self.files.copied(copy, path);
        if let Some(key) = key {
            self.behind.insert(key, file);
        }
        Some(file)
    }
}

fn key(mapped: &Mapped) -> MappedFile {
    (mapped.device, mapped.inode, mapped.path.clone(), mapped.deleted)
}

/// Whether a process has, as it was looked at, the file of this path (as the loader has it) at `address`.
fn shows(process: &Process, address: u64, path: &Path) -> bool {
    let name = |path: &Path| path.file_name().unwrap_or_default().as_bytes().to_vec();
    // The loader's path may be a link, to a file with more of the version in its name.
    process.mapped_at(address).is_some_and(|mapped| name(&mapped.path).starts_with(&name(path)))
}
