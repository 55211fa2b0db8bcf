//! All prototypes that are known: of files, our own, and of debug information.

mod loading;
mod rows;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use loading::Loader;

use super::dwarf;
use super::exports::Exports;
use super::files::{Place, Places, stems};
use super::parse::{Complaint, ConfigFile};
use super::types::Prototype;
use crate::regular_file;

/// The files of a set that comes with a program: name and text.
pub type Shipped = &'static [(&'static str, &'static str)];

/// The libraries of the GNU C library: a function may have moved from one to another between its versions, so for
/// prototypes they are one.
const GNU_C_LIBRARY: [&str; 9] = [
    "libc.so",
    "libm.so",
    "libpthread.so",
    "libdl.so",
    "librt.so",
    "libutil.so",
    "libresolv.so",
    "libanl.so",
    "ld-linux-x86-64.so",
];

/// Functions of an object that no file knows, by name.
type Learned = HashMap<String, Rc<Prototype>>;

/// Prototypes by function.
///
/// Of those that several places have, the first one counts: what `-F` names, the user's directories and file, ours for
/// the library that provides the function, the system's, its debug information, ours for another library (an
/// allocator's `malloc` is called as libc's), and at last what is known of another name of the same code.
pub struct Prototypes {
    places: Places,
    loader: Loader,
    debug_directories: Vec<PathBuf>,
    learned: RefCell<HashMap<PathBuf, Rc<Learned>>>,
    written: RefCell<HashMap<PathBuf, Rc<Written>>>,
}

/// Files about a provider, in the order in which they are asked.
struct Written {
    files: Vec<Rc<ConfigFile>>,
    /// It is part of the GNU C library: all our files are about it.
    gnu: bool,
}

impl Prototypes {
    /// Reads the files that are for all libraries; others are read when one of their functions is asked for.
    #[must_use]
    pub fn new(places: Places, shipped: Shipped) -> Self {
        let loader = Loader::new(&places, shipped);
        Self {
            places,
            loader,
            debug_directories: Vec::new(),
            learned: RefCell::default(),
            written: RefCell::default(),
        }
    }

    /// Also looks for separate debug information in these directories, laid out as `/usr/lib/debug` is.
    #[must_use]
    pub fn with_debug_directories(mut self, directories: Vec<PathBuf>) -> Self {
        self.debug_directories = directories;
        self
    }

    /// The prototype of a function that this object provides: its path if it is known (of the program, too), else
    /// its soname. Reads debug information of an object when a function is asked for that no file knows.
    #[must_use]
    pub fn of(&self, name: &str, provider: &Path) -> Option<Rc<Prototype>> {
        self.written(name, provider)
            .or_else(|| self.learned(provider).get(name).cloned())
            .or_else(|| self.loader.shipped_anywhere(name))
    }

    /// The prototype of a system call, by its plain name.
    #[must_use]
    pub fn system_call(&self, name: &str) -> Option<Rc<Prototype>> {
        self.places.all.iter().find_map(|place| match place {
            // Where library functions are meant, system calls have a name of their own.
            Place::File(path) => self.loader.file(path)?.prototype(&format!("SYS_{name}")).cloned(),
            Place::Directory(path) => {
                self.loader.in_directory(path, "syscalls")?.own_prototype(name).cloned()
            }
            Place::Shipped => self.loader.shipped("syscalls")?.own_prototype(name).cloned(),
        })
    }

    /// What is wrong with the files that have been read since this was last asked.
    #[must_use]
    pub fn complaints(&self) -> Vec<Complaint> {
        self.loader.complaints()
    }

    /// What files say of this provider's function, and ours for this very provider.
    fn written(&self, name: &str, provider: &Path) -> Option<Rc<Prototype>> {
        let written = self.files_about(provider);
        let own = written.files.iter().find_map(|file| file.prototype(name)).cloned();
        own.or_else(|| if written.gnu { self.loader.shipped_anywhere(name) } else { None })
    }

    fn files_about(&self, provider: &Path) -> Rc<Written> {
        if let Some(written) = self.written.borrow().get(provider) {
            return Rc::clone(written);
        }
        let stems = stems(provider);
        let mut files = Vec::new();
        for place in &self.places.all {
            match place {
                Place::File(path) => files.extend(self.loader.file(path)),
                Place::Directory(path) => {
                    files.extend(stems.iter().filter_map(|stem| self.loader.in_directory(path, stem)));
                }
                Place::Shipped => files.extend(stems.iter().filter_map(|stem| self.loader.shipped(stem))),
            }
        }
        let gnu = stems.iter().any(|stem| GNU_C_LIBRARY.contains(&stem.as_str()));
        let written = Rc::new(Written { files, gnu });
        self.written.borrow_mut().insert(provider.to_owned(), Rc::clone(&written));
        written
    }

    /// What the object itself tells of its functions.
    fn learned(&self, object: &Path) -> Rc<Learned> {
        if let Some(learned) = self.learned.borrow().get(object) {
            return Rc::clone(learned);
        }
        let learned = Rc::new(self.read_object(object));
        self.learned.borrow_mut().insert(object.to_owned(), Rc::clone(&learned));
        learned
    }

    fn read_object(&self, object: &Path) -> Learned {
        // A soname alone is no path to a file.
        let Some(file) =
            Some(object).filter(|path| path.is_absolute()).and_then(|path| regular_file::open(path).ok())
        else {
            return Learned::new();
        };
        let Ok(exports) = Exports::read(&file) else { return Learned::new() };
        let unknown: HashMap<&str, Option<u64>> =
            exports.all().filter(|(name, _)| self.written(name, object).is_none()).collect();
        if unknown.is_empty() {
            return Learned::new();
        }
        let typed = |name: &str| self.loader.typed_by_user(name);
        let wanted = dwarf::Wanted { symbols: &unknown, typed: &typed };
        let mut learned = dwarf::read(&file, object, &self.debug_directories, &wanted);
        for (name, address) in unknown {
            if learned.contains_key(name) || self.loader.shipped_anywhere(name).is_some() {
                continue;
            }
            let others = address.map(|address| exports.names_at(address)).into_iter().flatten();
            let mut others = others.filter(|other| *other != name);
            let known = others.find_map(|other| {
                self.written(other, object).or_else(|| self.loader.shipped_anywhere(other))
            });
            if let Some(known) = known {
                learned.insert(name.to_owned(), known);
            }
        }
        learned
    }
}

/// A file of this place, if it is there.
type Loaded = Option<Rc<ConfigFile>>;
