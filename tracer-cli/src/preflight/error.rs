//! What can be wrong with a command, in words and as an exit status.

use std::io;

/// Why a command will not be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PreflightError {
    /// No such file.
    #[error(
        "cannot run {command}: {reason}\n\
         hint: give its path with a slash in it (./{command}), or look at PATH"
    )]
    NotOnPath {
        /// As the user wrote it.
        command: String,
        /// What the search came to.
        reason: &'static str,
    },
    /// No such file, named by a path.
    #[error("cannot run {0}: there is no such file\nhint: check the path and the working directory")]
    Missing(String),
    /// A script's interpreter is missing.
    #[error(
        "cannot run {script}: its first line asks for {interpreter}, which does not exist\n\
         hint: install that interpreter, or correct the line (it must not end in a carriage return)"
    )]
    NoInterpreter {
        /// The script.
        script: String,
        /// What is missing.
        interpreter: String,
    },
    /// Its dynamic loader is missing.
    #[error(
        "cannot run {path}: its dynamic loader {loader} does not exist\n\
         hint: install the C library that it was built for, or build it on this system"
    )]
    NoLoader {
        /// Which file.
        path: String,
        /// What is missing.
        loader: String,
    },
    /// It is a directory.
    #[error("cannot run {0}: it is a directory\nhint: name a program in it")]
    Directory(String),
    /// It has no execute permission.
    #[error("cannot run {0}: it is not executable by you\nhint: chmod +x {0}")]
    NotExecutable(String),
    /// The kernel would not know how to run it.
    #[error(
        "cannot run {0}: it is neither an ELF program nor a script that begins with #!\n\
         hint: give its interpreter before it, for example: sh {0}"
    )]
    NotAProgram(String),
    /// A damaged ELF file, or one that is no program.
    #[error(
        "cannot run {0}: it is an ELF file, but no complete program (an object file, or cut short?)\n\
         hint: link or copy it again; `readelf -lW {0}` shows what is wrong"
    )]
    Broken(String),
    /// Interpreters that are scripts that have interpreters that are scripts.
    #[error(
        "cannot run {0}: its interpreter is a script, and so on for more than four levels\nhint: name the last interpreter in its first line"
    )]
    TooManyScripts(String),
    /// The file cannot be looked at.
    #[error("cannot run {path}: {error}\nhint: look at the permissions of the directories above it")]
    Unreachable {
        /// Which file.
        path: String,
        /// Why.
        error: io::Error,
    },
    /// For another machine.
    #[error(
        "cannot tap {path}: it is for {machine}, and calltap's interposer is for 64-bit x86\n\
         hint: build it for x86-64 (without -m32)"
    )]
    OtherMachine {
        /// Which file.
        path: String,
        /// For which machine.
        machine: String,
    },
    /// Statically linked.
    #[error(
        "cannot tap {0}: it is statically linked, so no dynamic loader will load the interposer\n\
         hint: relink it without -static (or -static-pie); Go: build with CGO_ENABLED=1 and a C import"
    )]
    Static(String),
    /// Another C library.
    #[error(
        "cannot tap {path}: its dynamic loader is {loader}, and the interposer needs glibc's\n\
         hint: build it for a glibc system (Rust: target x86_64-unknown-linux-gnu)"
    )]
    ForeignLoader {
        /// Which file.
        path: String,
        /// What it asks for.
        loader: String,
    },
    /// It would run with more privileges than the caller has.
    #[error(
        "cannot tap {path}: it has {raised}, and programs with raised privileges load no preloaded library\n\
         hint: tap a copy without them (cp {path} /tmp/), or run calltap as its owner"
    )]
    Privileged {
        /// Which file.
        path: String,
        /// What raises them.
        raised: &'static str,
    },
}

impl PreflightError {
    /// The exit status that says the same: 127 not found, 126 cannot be executed, 125 calltap
    /// cannot do its work on it.
    #[must_use]
    pub(crate) fn status(&self) -> u8 {
        match self {
            Self::NotOnPath { .. }
            | Self::Missing(_)
            | Self::NoInterpreter { .. }
            | Self::NoLoader { .. } => 127,
            Self::Directory(_)
            | Self::NotExecutable(_)
            | Self::NotAProgram(_)
            | Self::Broken(_)
            | Self::TooManyScripts(_)
            | Self::Unreachable { .. } => 126,
            Self::OtherMachine { .. }
            | Self::Static(_)
            | Self::ForeignLoader { .. }
            | Self::Privileged { .. } => 125,
        }
    }
}
