//! Names for the frames of stacks: function, file and line, inlined functions too.
//!
//! During the run only files are opened, so that a program may delete or replace its own: an object
//! is opened when it is first met on a stack, and what cannot be opened any more is copied from the
//! process's memory. Names are looked up when the run is over, each address of an object once.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use calltap_analyzers::event::Image;
use calltap_channel::stack::Frame;

use crate::exit_snapshot::Mapped;
use crate::object_name::{base, is_loader};

mod debug_file;
mod demangle;
mod elf;
mod files;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod images;
mod lookup;
mod memory;
mod objects;
mod perf_map;
mod process;

use debug_file::DebugDirectories;
pub use demangle::demangled;
use elf::Segments;
pub use files::FileId;
use images::{Images, Location, MappedAtExit, Placed};
use lookup::{Lookup, Named, Names};
use objects::Objects;
use process::Process;

/// An object that a process image has met on one of its stacks: `Note::Loaded`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// Which image.
    pub image: Image,
    /// Its process id.
    pub pid: u32,
    /// The object's first address.
    pub start: u64,
    /// The first address behind it.
    pub end: u64,
    /// What the file's virtual addresses are moved by.
    pub bias: u64,
    /// How often an object was met where another one had been; see [`Frame`].
    pub lap: u64,
    /// When it was met, in nanoseconds since the session began.
    pub at_ns: u64,
    /// As the loader has it: empty for the program itself, perhaps relative.
    pub path: Vec<u8>,
}

/// One function of a frame. A frame in inlined code has several: the inlined ones come first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamedFrame {
    /// The function, demangled.
    pub function: Option<Arc<str>>,
    /// The same as the linker knows it, if that is something else.
    pub mangled: Option<Arc<str>>,
    /// Path of the source file.
    pub file: Option<Arc<str>>,
    /// Line of the call there.
    pub line: Option<u32>,
    /// Whether it was inlined into the next one.
    pub inlined: bool,
    /// Path of the object; `None` if no object is known to have been there.
    pub object: Option<Arc<str>>,
    /// The return address as a virtual address of the object's file, as `addr2line` and `objdump`
    /// take it (subtract 1 to get the line of the call); 0 if there is no object.
    pub offset: u64,
    /// The return address as an offset in the function, if that is known and not inlined.
    pub within: Option<u64>,
    /// The return address in the process.
    pub address: u64,
    /// Whether it was found by frame pointer, for want of an unwind table.
    pub guessed: bool,
}

/// The file that has the debug information of an object, if it is not in the object itself: looked for in these
/// directories, the system's, and beside the object. `path` is the object's.
#[must_use]
pub fn debug_file(object: &File, path: &Path, directories: &[PathBuf]) -> Option<PathBuf> {
    DebugDirectories::new(directories.to_vec()).debug_file(object, path)
}

/// A place in the code of an object file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// Which file.
    pub file: FileId,
    /// Path of the file, as reports call it.
    pub path: Arc<str>,
    /// The return address as a virtual address of the file.
    pub address: u64,
}

/// How much is read to name a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Function, file and line, inlined functions too.
    Lines,
    /// Debug information in a file of its own is asked for the function only, as unpacking the C library's takes longer
    /// than many a program runs; the loader, which every program begins in, is not asked for anything.
    Functions,
}

/// What is known of a frame.
#[derive(Clone, Debug)]
struct Answer {
    object: Option<FileId>,
    offset: u64,
    names: Names,
}

/// The objects of all processes of a session, and the names of what is in them.
#[derive(Debug)]
pub struct Symbols {
    began: SystemTime,
    directories: DebugDirectories,
    objects: Objects,
    images: Images,
    answers: HashMap<(Image, Frame), Answer>,
}

impl Symbols {
    /// Knows nothing yet; to be made before the session begins. Separate debug information is looked
    /// for in these directories, then in the system's.
    #[must_use]
    pub fn new(debug_directories: Vec<PathBuf>) -> Self {
        Self {
            began: SystemTime::now(),
            directories: DebugDirectories::new(debug_directories),
            objects: Objects::default(),
            images: Images::default(),
            answers: HashMap::new(),
        }
    }

    /// What is known now, to be asked for names while the session goes on.
    #[must_use]
    pub fn as_of_now(&self) -> Self {
        Self {
            began: self.began,
            directories: self.directories.clone(),
            objects: self.objects.as_of_now(),
            images: self.images.clone(),
            answers: HashMap::new(),
        }
    }

    /// The path of an image's program, as it was executed. It is used if the process has ended or
    /// executed another program before it can be looked at.
    pub fn executed(&mut self, image: Image, program: PathBuf) {
        self.objects.executed(image, program);
    }

    /// A process image has met an object. Its file is opened at once, if there is a way to it; what
    /// has no file is copied from the process's memory.
    pub fn loaded(&mut self, loaded: &Loaded) {
        let file = self.objects.loaded(loaded);
        let Loaded { image, start, end, bias, lap, at_ns, .. } = *loaded;
        self.images.of(image).objects.push(Placed { start, end, bias, lap, at_ns, file });
    }

    /// `child` has what `parent` had met before `at_ns` (nanoseconds since the session began),
    /// also if that is told later.
    pub fn forked(&mut self, child: Image, parent: Image, at_ns: u64) {
        self.images.forked(child, parent, at_ns);
    }

    /// The image is held in the exit stop of its thread `tid`, with these mappings (by ascending
    /// address). They name frames in objects that it has not been told to have met, such as call sites.
    pub fn ending(&mut self, image: Image, pid: u32, tid: u32, maps: &[Mapped]) {
        let process = Process::at_exit(pid, tid);
        for mapped in maps.iter().filter(|m| m.inode != 0 && m.permissions[2] == b'x') {
            let file = self.objects.behind(&process, mapped, &mapped.path);
            let (start, end, offset) = (mapped.start, mapped.end, mapped.offset);
            self.images.of(image).at_exit.push(MappedAtExit { start, end, offset, file });
        }
        if let Some(map) = process.perf_map(self.began) {
            self.images.of(image).perf_map = Some(Arc::new(map));
        }
    }

    /// Looks up names for these frames, those of one object together and each address once; what has been
    /// looked up before stays as it is. `progress` is told how many addresses are done, and of how many.
    pub fn resolve(
        &mut self,
        wanted: &[(Image, Frame)],
        detail: Detail,
        progress: &mut dyn FnMut(usize, usize),
    ) {
        let mut asked: HashMap<FileId, Vec<u64>> = HashMap::new();
        let mut elsewhere: HashMap<Image, Vec<(u64, Frame)>> = HashMap::new();
        let mut segments: HashMap<FileId, Segments> = HashMap::new();
        let mut new = Vec::new();
        for &(image, frame) in wanted {
            let Entry::Vacant(vacant) = self.answers.entry((image, frame)) else {
                continue;
            };
            let place = match self.images.locate(image, frame) {
                Location::Object(file, address) => Some((file, address)),
                Location::AtExit(file, offset) => {
                    let segments =
                        segments.entry(file).or_insert_with(|| self.objects.files().segments(file));
                    Some((file, segments.address_of_offset(offset).unwrap_or(offset)))
                }
                Location::Nowhere => None,
            };
            let behind = frame.address() - frame.lookup_address();
            vacant.insert(Answer {
                object: place.map(|(file, _)| file),
                offset: place.map_or(0, |(_, address)| address.wrapping_add(behind)),
                names: Names::from([]),
            });
            match place {
                Some((file, _)) if detail == Detail::Functions && self.is_loader(file) => {}
                Some((file, address)) => {
                    asked.entry(file).or_default().push(address);
                    new.push(((image, frame), (file, address)));
                }
                None => elsewhere.entry(image).or_default().push((frame.lookup_address(), frame)),
            }
        }
        let lookup = Lookup { files: self.objects.files(), directories: &self.directories, detail };
        let names = lookup.all(asked, progress);
        for (frame, place) in new {
            if let (Some(answer), Some(names)) = (self.answers.get_mut(&frame), names.get(&place)) {
                answer.names = Arc::clone(names);
            }
        }
        for (image, frames) in elsewhere {
            self.name_by_perf_map(image, frames);
        }
    }

    fn is_loader(&self, file: FileId) -> bool {
        is_loader(base(&self.objects.files().path(file)))
    }

    /// The functions of a frame, innermost first. Never empty; a frame of which nothing is known, or
    /// which was not in [`Symbols::resolve`], has but its address.
    #[must_use]
    pub fn name(&self, image: Image, frame: Frame) -> Vec<NamedFrame> {
        let unnamed =
            NamedFrame { address: frame.address(), guessed: frame.is_guessed(), ..NamedFrame::default() };
        let Some(answer) = self.answers.get(&(image, frame)) else {
            return vec![unnamed];
        };
        let object = self.code(image, frame).map(|code| code.path);
        let unnamed = NamedFrame { object, offset: answer.offset, ..unnamed };
        if answer.names.is_empty() {
            return vec![unnamed];
        }
        let behind = frame.address() - frame.lookup_address();
        let named = answer.names.iter().cloned().map(|named| {
            let Named { function, mangled, file, line, inlined, within } = named;
            let within = within.map(|within| within + behind);
            NamedFrame { function, mangled, file, line, inlined, within, ..unnamed.clone() }
        });
        named.collect()
    }

    /// The code that a frame returns to; None if no object is known to have been there, or if the frame
    /// was not in [`Symbols::resolve`].
    #[must_use]
    pub fn code(&self, image: Image, frame: Frame) -> Option<Code> {
        let answer = self.answers.get(&(image, frame))?;
        let file = answer.object?;
        let path = self.objects.files().path(file);
        (!path.is_empty()).then_some(Code { file, path, address: answer.offset })
    }

    /// An object file, to be read.
    ///
    /// # Errors
    /// If it cannot be opened, is another file now, or has been written to.
    pub fn open(&self, file: FileId) -> io::Result<File> {
        Ok(self.objects.files().read(file)?.file)
    }

    fn name_by_perf_map(&mut self, image: Image, mut frames: Vec<(u64, Frame)>) {
        frames.sort_unstable();
        let addresses: Vec<u64> = frames.iter().map(|(address, _)| *address).collect();
        let mut names: Vec<Option<Arc<str>>> = vec![None; frames.len()];
        // What the image's own map says comes last and counts.
        let maps: Vec<_> = self.images.perf_maps(image).collect();
        for map in maps.into_iter().rev() {
            // One that cannot be read names nothing.
            let _ = perf_map::names(map, &addresses, |index, name| names[index] = Some(name.into()));
        }
        for ((_, frame), function) in frames.into_iter().zip(names) {
            let answer = self.answers.get_mut(&(image, frame)).zip(function);
            if let Some((answer, function)) = answer {
                answer.names = Names::from([Named { function: Some(function), ..Named::default() }]);
            }
        }
    }
}

#[cfg(test)]
mod tests;
