//! Reads files when they are needed, each one once.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::{Loaded, Shipped};
use crate::prototype::files::{Place, Places};
use crate::prototype::parse::{Complaint, ConfigFile, Reader};
use crate::prototype::types::{Prototype, Typed};

/// A file that has been read, or is being read.
#[derive(Clone)]
enum State {
    Reading,
    Read(Loaded),
}

/// It is being read: it imports itself.
struct Circle;

/// The files that have been read.
pub(super) struct Loader {
    directories: Vec<PathBuf>,
    shipped: Shipped,
    files: RefCell<HashMap<PathBuf, State>>,
    ours: RefCell<HashMap<String, State>>,
    /// Files for all libraries, in the order in which they are asked.
    general: RefCell<Vec<Rc<ConfigFile>>>,
    complaints: RefCell<Vec<Complaint>>,
}

impl Loader {
    /// Reads the files that are for all libraries.
    pub(super) fn new(places: &Places, shipped: Shipped) -> Self {
        let directories = places.all.iter().filter_map(|place| match place {
            Place::Directory(path) => Some(path.clone()),
            _ => None,
        });
        let loader = Self {
            directories: directories.collect(),
            shipped,
            files: RefCell::default(),
            ours: RefCell::default(),
            general: RefCell::default(),
            complaints: RefCell::default(),
        };
        // A file may use the types of those that it comes before.
        for place in places.all.iter().rev() {
            if let Place::File(path) = place
                && let Some(file) = loader.file(path)
            {
                loader.general.borrow_mut().insert(0, file);
            }
        }
        loader
    }

    /// A file; `None` if it is not there, or is being read.
    pub(super) fn file(&self, path: &Path) -> Loaded {
        self.read(path).ok().flatten()
    }

    /// The file of this name, without `.conf`, in a directory.
    pub(super) fn in_directory(&self, directory: &Path, stem: &str) -> Loaded {
        self.file(&directory.join(format!("{stem}.conf")))
    }

    /// Our file of this name, without `.conf`.
    pub(super) fn shipped(&self, stem: &str) -> Loaded {
        self.read_shipped(stem).ok().flatten()
    }

    /// What the first of our files says that knows a function.
    pub(super) fn shipped_anywhere(&self, name: &str) -> Option<Rc<Prototype>> {
        self.shipped_stems().find_map(|stem| self.shipped(stem)?.own_prototype(name).cloned())
    }

    /// The names of our files about libraries, without `.conf`.
    pub(super) fn shipped_stems(&self) -> impl Iterator<Item = &'static str> + use<> {
        let stems = self.shipped.iter().filter_map(|(name, _)| name.strip_suffix(".conf"));
        stems.filter(|stem| *stem != "syscalls")
    }

    /// The type that the user's or the system's files for all libraries mean by a name.
    pub(super) fn typed_by_user(&self, name: &str) -> Option<Typed> {
        self.general.borrow().iter().find_map(|file| file.typed(name))
    }

    /// What is wrong with files; then nothing, until more are read.
    pub(super) fn complaints(&self) -> Vec<Complaint> {
        self.complaints.take()
    }

    fn read(&self, path: &Path) -> Result<Loaded, Circle> {
        if let Some(state) = self.files.borrow().get(path) {
            return state.loaded();
        }
        self.files.borrow_mut().insert(path.to_owned(), State::Reading);
        let loaded = self.text(path).map(|text| {
            let ours = |name: &str| self.shipped_stems().find_map(|stem| self.shipped(stem)?.typed(name));
            let reader = Reader {
                path,
                shipped: false,
                around: &|name| self.typed_by_user(name).or_else(|| ours(name)),
                import: &|name| self.imported(path, name),
                complain: &|complaint| self.complaints.borrow_mut().push(complaint),
            };
            Rc::new(reader.read(&text))
        });
        self.files.borrow_mut().insert(path.to_owned(), State::Read(loaded.clone()));
        Ok(loaded)
    }

    /// A file's text. One that is not there says nothing.
    fn text(&self, path: &Path) -> Option<String> {
        match fs::read(path) {
            Ok(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => None,
            Err(error) => {
                let message = format!("cannot be read: {error}");
                let file = path.to_owned();
                let complaint = Complaint { file, line: 0, warning: true, message, hint: None };
                self.complaints.borrow_mut().push(complaint);
                None
            }
        }
    }

    /// What a file means by `import "NAME"`: one beside it, in a directory of prototypes, or ours.
    fn imported(&self, importing: &Path, name: &str) -> Result<Rc<ConfigFile>, String> {
        let beside = importing.parent().map(Path::to_owned);
        for directory in beside.iter().chain(&self.directories) {
            match self.read(&directory.join(format!("{name}.conf"))) {
                Ok(Some(file)) => return Ok(file),
                Ok(None) => {}
                Err(circle) => return Err(circle.into()),
            }
        }
        self.import_shipped(name)
    }

    fn import_shipped(&self, name: &str) -> Result<Rc<ConfigFile>, String> {
        self.read_shipped(name)?.ok_or_else(|| format!("there is no {name}.conf"))
    }

    fn read_shipped(&self, stem: &str) -> Result<Loaded, Circle> {
        if let Some(state) = self.ours.borrow().get(stem) {
            return state.loaded();
        }
        let file = self.shipped.iter().find(|(name, _)| name.strip_suffix(".conf") == Some(stem));
        let Some((name, text)) = file else { return Ok(None) };
        self.ours.borrow_mut().insert(stem.to_owned(), State::Reading);
        let reader = Reader {
            path: Path::new(name),
            shipped: true,
            around: &|_| None,
            import: &|name| self.import_shipped(name),
            complain: &|complaint| self.complaints.borrow_mut().push(complaint),
        };
        let loaded = Some(Rc::new(reader.read(text)));
        self.ours.borrow_mut().insert(stem.to_owned(), State::Read(loaded.clone()));
        Ok(loaded)
    }
}

impl State {
    fn loaded(&self) -> Result<Loaded, Circle> {
        match self {
            Self::Reading => Err(Circle),
            Self::Read(loaded) => Ok(loaded.clone()),
        }
    }
}

impl From<Circle> for String {
    fn from(_: Circle) -> Self {
        "it is being read, so it imports itself".to_owned()
    }
}
