//! Where prototypes are written down: the files and directories of the user and of the system, in their order.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Where a distribution's ltrace has its directory of prototypes.
const SYSTEM_DIRECTORY: &str = "/usr/share/ltrace";
/// The system's file for all libraries.
const SYSTEM_FILE: &str = "/etc/ltrace.conf";

/// One place to look for prototypes in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A file about functions of any library.
    File(PathBuf),
    /// A directory with a file for each library: `libc.so.conf`; and one for system calls: `syscalls.conf`.
    Directory(PathBuf),
    /// What calltap brings along.
    Shipped,
}

/// All places; what an earlier one says is true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// In their order.
    pub all: Vec<Place>,
}

/// The environment, as far as it says where files are.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// `HOME`.
    pub home: Option<PathBuf>,
    /// `XDG_CONFIG_HOME`.
    pub config_home: Option<PathBuf>,
    /// `XDG_CONFIG_DIRS`.
    pub config_dirs: Option<OsString>,
}

impl Environment {
    /// This process's.
    #[must_use]
    pub fn own() -> Self {
        let path = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        Self {
            home: path("HOME").or_else(env::home_dir),
            config_home: path("XDG_CONFIG_HOME"),
            config_dirs: env::var_os("XDG_CONFIG_DIRS"),
        }
    }
}

/// What cannot be read although it was asked for.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot read prototypes from {}: {cause}\n\
     hint: -F takes files in the language of ltrace.conf, and directories of such files, with colons between",
    path.display()
)]
pub struct NotReadable {
    path: PathBuf,
    cause: io::Error,
}

impl Places {
    /// Those that `-F` names (each with colons between paths), those of the user, ours, those of the system. What
    /// `-F` names must be there, all others may be.
    ///
    /// # Errors
    /// [`NotReadable`].
    pub fn new(asked: &[OsString], environment: &Environment) -> Result<Self, NotReadable> {
        let mut own = Vec::new();
        for path in asked.iter().flat_map(|list| paths(list)) {
            own.push(asked_for(path)?);
        }
        let home = environment.home.as_deref();
        let config_home = environment.config_home.clone().or_else(|| Some(home?.join(".config")));
        own.extend(config_home.map(|base| Place::Directory(base.join("ltrace"))));
        own.extend(home.map(|home| Place::Directory(home.join(".ltrace"))));
        own.extend(home.map(|home| Place::File(home.join(".ltrace.conf"))));
        let config_dirs = environment.config_dirs.as_deref().map(split).unwrap_or_default();
        let mut system: Vec<_> =
            config_dirs.into_iter().map(|base| Place::Directory(base.join("ltrace"))).collect();
        system.push(Place::Directory(SYSTEM_DIRECTORY.into()));
        system.push(Place::File(SYSTEM_FILE.into()));
        // What the user has written comes before ours. What the system brings along, with ltrace say, knows fewer
        // functions and no flags.
        let all = [own, vec![Place::Shipped], system].concat();
        Ok(Self { all })
    }

    /// Only what calltap brings along.
    #[cfg(test)]
    pub(crate) fn shipped_only() -> Self {
        Self { all: vec![Place::Shipped] }
    }
}

/// What a list of `-F` names: a path with colons in it is one path if it is there.
fn paths(list: &OsStr) -> Vec<PathBuf> {
    if Path::new(list).exists() { vec![list.into()] } else { split(list) }
}

fn split(list: &OsStr) -> Vec<PathBuf> {
    let parts = list.as_bytes().split(|&byte| byte == b':');
    parts.filter(|part| !part.is_empty()).map(|part| OsStr::from_bytes(part).into()).collect()
}

fn asked_for(path: PathBuf) -> Result<Place, NotReadable> {
    match fs::metadata(&path) {
        Ok(metadata) if metadata.is_dir() => Ok(Place::Directory(path)),
        Ok(_) => match fs::File::open(&path) {
            Ok(_) => Ok(Place::File(path)),
            Err(cause) => Err(NotReadable { path, cause }),
        },
        Err(cause) => Err(NotReadable { path, cause }),
    }
}

/// The names that a library's file may have, without `.conf`: its own, then without the parts of its version
/// (`libc.so.6`, `libc.so`).
#[must_use]
pub fn stems(provider: &Path) -> Vec<String> {
    let Some(name) = provider.file_name() else { return Vec::new() };
    let mut stem = name.to_string_lossy().into_owned();
    let mut stems = vec![stem.clone()];
    while let Some((shorter, version)) = stem.rsplit_once('.')
        && !version.is_empty()
        && version.bytes().all(|byte| byte.is_ascii_digit())
        && !shorter.is_empty()
    {
        stem = shorter.to_owned();
        stems.push(stem.clone());
    }
    stems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(path: &str) -> Place {
        Place::Directory(path.into())
    }

    #[test]
    fn the_users_places_come_before_the_systems_and_ours_are_the_last() {
        let environment = Environment {
            home: Some("/h".into()),
            config_home: Some("/x".into()),
            config_dirs: Some("/d1::/d2".into()),
        };
        let places = Places::new(&[], &environment).unwrap();
        let own = [directory("/x/ltrace"), directory("/h/.ltrace"), Place::File("/h/.ltrace.conf".into())];
        let system = [
            directory("/d1/ltrace"),
            directory("/d2/ltrace"),
            directory(SYSTEM_DIRECTORY),
            Place::File(SYSTEM_FILE.into()),
        ];
        let ours = [Place::Shipped];
        assert_eq!(places.all, [&own[..], &ours, &system].concat());
        let nowhere = Places::new(&[], &Environment::default()).unwrap();
        assert_eq!(nowhere.all.len(), 3);
        let home = Environment { home: Some("/h".into()), ..Environment::default() };
        assert_eq!(Places::new(&[], &home).unwrap().all[0], directory("/h/.config/ltrace"));
    }

    #[test]
    fn what_is_asked_for_comes_first_and_must_be_there() {
        let scratch = tempfile::tempdir().unwrap();
        let file = scratch.path().join("a.conf");
        fs::write(&file, "").unwrap();
        let calls = scratch.path().join("syscalls.conf");
        fs::write(&calls, "").unwrap();
        let list = [scratch.path(), &file, &calls].map(|path| path.to_str().unwrap().to_owned()).join(":");
        let places = Places::new(&[list.into()], &Environment::default()).unwrap();
        let expected = [Place::Directory(scratch.path().into()), Place::File(file), Place::File(calls)];
        assert_eq!(places.all[..3], expected);

        let colons = scratch.path().join("a:b");
        fs::write(&colons, "").unwrap();
        let places = Places::new(&[colons.clone().into()], &Environment::default()).unwrap();
        assert_eq!(places.all[0], Place::File(colons));

        let missing = Places::new(&["blah".into()], &Environment::default()).unwrap_err();
        let text = missing.to_string();
        assert!(text.starts_with("cannot read prototypes from blah: No such file"), "{text}");
        assert_eq!(text.lines().filter(|line| line.contains("blah")).count(), 1);
    }

    #[test]
    fn a_libraries_file_is_named_after_it_with_or_without_its_version() {
        assert_eq!(stems(Path::new("/lib/libc.so.6")), ["libc.so.6", "libc.so"]);
        assert_eq!(
            stems(Path::new("libx.so.1.2.3")),
            ["libx.so.1.2.3", "libx.so.1.2", "libx.so.1", "libx.so"]
        );
        assert_eq!(stems(Path::new("/bin/ls")), ["ls"]);
        assert_eq!(stems(Path::new("python3.11")), ["python3.11", "python3"]);
        assert_eq!(stems(Path::new(".6")), [".6"]);
        assert!(stems(Path::new("")).is_empty());
    }
}
