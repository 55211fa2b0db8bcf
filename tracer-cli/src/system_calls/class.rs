//! Classes of system calls: strace's, by its names, and one of our own.

use super::call::{Call, Kind};
use names::*;

mod names;

/// A class. `All` has every call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Memory,
    Fd,
    Process,
    Network,
    File,
    Signal,
    Ipc,
    Desc,
    Creds,
    Clock,
    Pure,
    All,
}

impl Class {
    pub(super) const ALL: [Self; 12] = [
        Self::Memory,
        Self::Fd,
        Self::Process,
        Self::Network,
        Self::File,
        Self::Signal,
        Self::Ipc,
        Self::Desc,
        Self::Creds,
        Self::Clock,
        Self::Pure,
        Self::All,
    ];

    /// What the user calls it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Fd => "fd",
            Self::Process => "process",
            Self::Network => "network",
            Self::File => "file",
            Self::Signal => "signal",
            Self::Ipc => "ipc",
            Self::Desc => "desc",
            Self::Creds => "creds",
            Self::Clock => "clock",
            Self::Pure => "pure",
            Self::All => "all",
        }
    }

    /// The class that the user calls so.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }

    /// Whether a call belongs to it, whatever its arguments.
    pub(super) fn has(self, call: &Call) -> bool {
        let listed = |names: &[&str]| names.contains(&call.name);
        let takes = |wanted| call.first(wanted).is_some();
        match self {
            Self::Memory => listed(&MEMORY),
            Self::Fd => makes_or_closes(call),
            Self::Process => listed(&PROCESS),
            Self::Network => takes(Kind::Socket) || listed(&NETWORK_WITHOUT_SOCKET),
            Self::File => takes(Kind::Path) || listed(&FILE_WITHOUT_PATH),
            Self::Signal => listed(&SIGNAL),
            Self::Ipc => listed(&IPC),
            Self::Desc => {
                let derived = takes(Kind::Descriptor) || call.gives_descriptor || listed(&DESC_IN_MEMORY);
                derived && !takes(Kind::Socket) && !listed(&NOT_DESC)
            }
            Self::Creds => listed(&CREDS) || is_identity(call.name),
            Self::Clock => listed(&CLOCK),
            Self::Pure => listed(&PURE),
            Self::All => true,
        }
    }
}

/// Whether a call makes, copies, closes or passes on descriptors, or can, by its arguments (see
/// [`super::condition`]).
fn makes_or_closes(call: &Call) -> bool {
    call.gives_descriptor || FD.contains(&call.name)
}

/// `getuid`, `setresgid32` and all in between.
fn is_identity(name: &str) -> bool {
    let Some(rest) = name.strip_prefix("get").or_else(|| name.strip_prefix("set")) else { return false };
    let rest = rest.strip_suffix("32").unwrap_or(rest);
    rest == "groups"
        || ["uid", "gid"].into_iter().any(|what| {
            rest.strip_suffix(what).is_some_and(|which| matches!(which, "" | "e" | "re" | "res" | "fs"))
        })
}

#[cfg(test)]
mod tests;
