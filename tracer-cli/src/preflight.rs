//! Looks at the command before it is started: which file it means, and whether the interposer can
//! be loaded into it.
//!
//! What is found here can be said in words; once started, the kernel or the loader would say it
//! with a bare number or not at all.

mod error;
mod imports;
/// An object file, as fuzzing feeds it.
#[cfg(any(test, fuzzing))]
pub(crate) fn fuzz(file: &File) {
    imports::names(file, "ptrace");
    let _ = (Loader::of(file), script_interpreter(file));
}

#[cfg(test)]
mod tests;

use std::ffi::OsStr;
use std::fs::{File, Metadata, metadata};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use nix::sys::statvfs::{FsFlags, statvfs};
use nix::unistd::{AccessFlags, access, getegid, geteuid};

pub(crate) use self::error::PreflightError;
use crate::tracer::loader::{self, Loader};

/// The search path without `PATH`, as `execvp` has it.
const DEFAULT_PATH: &str = "/bin:/usr/bin";
/// So many `#!` lines lead from one to another before the kernel gives up.
const MAX_SCRIPTS: usize = 4;
/// The kernel looks at so many bytes of a `#!` line.
const SCRIPT_LINE: usize = 256;

/// A command that can be started and tapped, as far as can be seen.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Program {
    /// The file to execute.
    pub(crate) path: PathBuf,
    /// The program that the kernel will run for it, if it is a script.
    pub(crate) interpreter: Option<PathBuf>,
    /// Whether it calls `ptrace`: it traces processes itself, or lets itself be traced.
    pub(crate) traces: bool,
    /// What the user should know.
    pub(crate) warnings: Vec<String>,
}

impl Program {
    /// Tells on stderr that a program that calls `ptrace` cannot trace what it starts, and what helps.
    pub(crate) fn warn_of_tracing(&self, hint: &str) {
        eprintln!(
            "calltap: {} calls ptrace: if it traces what it starts, the kernel will refuse that, because \
             we trace it already\nhint: {hint}",
            self.path.display()
        );
    }
}

/// Finds the file that `command` means, as `execvp` with this `PATH` would, and looks at it.
///
/// # Errors
/// [`PreflightError`] if it cannot be executed, or not with the interposer in it.
pub(crate) fn examine(command: &OsStr, path: Option<&OsStr>) -> Result<Program, PreflightError> {
    let path = resolve(command, path)?;
    let mut warnings = Vec::new();
    let mut last = path.clone();
    let mut scripts = 0;
    while let Some(interpreter) = examine_file(&last, &mut warnings)? {
        scripts += 1;
        if scripts > MAX_SCRIPTS {
            return Err(PreflightError::TooManyScripts(shown(&path)));
        }
        let lacking = |interpreter: &Path| PreflightError::NoInterpreter {
            script: shown(&last),
            interpreter: shown(interpreter),
        };
        match executable(&interpreter) {
            Err(PreflightError::Missing(_)) => return Err(lacking(&interpreter)),
            other => other?,
        }
        last = interpreter;
    }
    let traces = File::open(&last).is_ok_and(|file| imports::names(&file, "ptrace"));
    Ok(Program { interpreter: (scripts > 0).then_some(last), path, traces, warnings })
}

/// Which file a command means: itself if it has a slash in it, else the first executable one of
/// this name in the directories of `PATH`.
fn resolve(command: &OsStr, path: Option<&OsStr>) -> Result<PathBuf, PreflightError> {
    if command.as_bytes().contains(&b'/') {
        let path = PathBuf::from(command);
        executable(&path)?;
        return Ok(path);
    }
    let not_on_path =
        |reason| PreflightError::NotOnPath { command: command.to_string_lossy().into_owned(), reason };
    if command.is_empty() {
        return Err(not_on_path("its name is empty"));
    }
    let mut refused = None;
    for directory in path.unwrap_or(OsStr::new(DEFAULT_PATH)).as_bytes().split(|&byte| byte == b':') {
        // An empty entry is the working directory; joined to nothing the name stays as it is.
        let candidate = Path::new(OsStr::from_bytes(directory)).join(command);
        match executable(&candidate) {
            Ok(()) => return Ok(candidate),
            Err(PreflightError::Missing(_)) => {}
            Err(other) => refused = refused.or(Some(other)),
        }
    }
    Err(refused.unwrap_or_else(|| not_on_path("it is in no directory of PATH")))
}

/// Whether the kernel would let the caller execute this file.
fn executable(path: &Path) -> Result<(), PreflightError> {
    let metadata = metadata(path).map_err(|error| unreachable(path, error))?;
    if metadata.is_dir() {
        Err(PreflightError::Directory(shown(path)))
    } else if !metadata.is_file() || access(path, AccessFlags::X_OK).is_err() {
        Err(PreflightError::NotExecutable(shown(path)))
    } else {
        Ok(())
    }
}

/// Looks into one file. Returns the interpreter that it asks for if it is a script.
fn examine_file(path: &Path, warnings: &mut Vec<String>) -> Result<Option<PathBuf>, PreflightError> {
    let metadata = metadata(path).map_err(|error| unreachable(path, error))?;
    if let Some(raised) = raised_privileges(path, &metadata) {
        return Err(PreflightError::Privileged { path: shown(path), raised });
    }
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            warnings.push(format!(
                "{} can be executed but not read, so it could not be examined before the start",
                shown(path)
            ));
            return Ok(None);
        }
        opened => opened.map_err(|error| unreachable(path, error))?,
    };
    let interpreter = script_interpreter(&file).map_err(|error| unreachable(path, error))?;
    if interpreter.is_none() {
        examine_binary(path, &file)?;
    }
    Ok(interpreter)
}

fn examine_binary(path: &Path, file: &File) -> Result<(), PreflightError> {
    let shown = || shown(path);
    match Loader::of(file).map_err(|error| unreachable(path, error))? {
        Loader::At(loader) if !loader::is_glibc(&loader) => Err(PreflightError::ForeignLoader {
            path: shown(),
            loader: loader.to_string_lossy().into_owned(),
        }),
        // The loader itself, started with a program's name.
        Loader::None if path.canonicalize().is_ok_and(|path| loader::is_glibc(&path)) => Ok(()),
        Loader::At(loader) if !loader.exists() => {
            Err(PreflightError::NoLoader { path: shown(), loader: loader.to_string_lossy().into_owned() })
        }
        Loader::At(_) => Ok(()),
        Loader::None => Err(PreflightError::Static(shown())),
        Loader::OtherMachine { bits, machine } => {
            Err(PreflightError::OtherMachine { path: shown(), machine: machine_name(bits, machine) })
        }
        Loader::NotElf => Err(PreflightError::NotAProgram(shown())),
        Loader::Broken => Err(PreflightError::Broken(shown())),
    }
}

/// The program in a `#!` line, as the kernel reads it.
fn script_interpreter(file: &File) -> io::Result<Option<PathBuf>> {
    let mut line = [0; SCRIPT_LINE];
    let length = file.read_at(&mut line, 0)?;
    let Some(line) = line[..length].strip_prefix(b"#!") else {
        return Ok(None);
    };
    let line = line.split(|&byte| byte == b'\n').next().unwrap_or(line);
    let mut words = line.split(|byte| matches!(byte, b' ' | b'\t' | 0)).filter(|word| !word.is_empty());
    Ok(words.next().map(|word| PathBuf::from(OsStr::from_bytes(word))))
}

/// What would raise the caller's privileges if it executed this file.
fn raised_privileges(path: &Path, metadata: &Metadata) -> Option<&'static str> {
    let ignored = nix::sys::prctl::get_no_new_privs().unwrap_or(false)
        || statvfs(path).is_ok_and(|system| system.flags().contains(FsFlags::ST_NOSUID));
    let mode = metadata.mode();
    if ignored {
        None
    } else if mode & libc::S_ISUID != 0 && metadata.uid() != geteuid().as_raw() {
        Some("the setuid bit")
    } else if mode & (libc::S_ISGID | libc::S_IXGRP) == libc::S_ISGID | libc::S_IXGRP
        && metadata.gid() != getegid().as_raw()
    {
        Some("the setgid bit")
    } else if !geteuid().is_root() && has_capabilities(path) {
        Some("file capabilities")
    } else {
        None
    }
}

fn has_capabilities(path: &Path) -> bool {
    let Ok(path) = std::ffi::CString::new(path.as_os_str().as_bytes()) else {
        return false;
    };
    // SAFETY: two NUL-terminated strings; with size 0 nothing is written.
    let size =
        unsafe { libc::getxattr(path.as_ptr(), c"security.capability".as_ptr(), std::ptr::null_mut(), 0) };
    size > 0
}

/// What a machine is called, by its word's bits and its number in ELF headers.
pub(crate) fn machine_name(bits: u8, machine: u16) -> String {
    use goblin::elf::header::{EM_386, EM_AARCH64, EM_ARM, EM_PPC64, EM_RISCV, EM_S390, EM_X86_64};
    let name = match machine {
        EM_386 => "x86",
        EM_X86_64 => "x86-64 with 32-bit pointers (x32)",
        EM_AARCH64 | EM_ARM => "ARM",
        EM_RISCV => "RISC-V",
        EM_PPC64 => "PowerPC",
        EM_S390 => "S/390",
        other => return format!("a {bits}-bit machine with ELF number {other}"),
    };
    format!("{bits}-bit {name}")
}

fn unreachable(path: &Path, error: io::Error) -> PreflightError {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => PreflightError::Missing(shown(path)),
        _ => PreflightError::Unreachable { path: shown(path), error },
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
