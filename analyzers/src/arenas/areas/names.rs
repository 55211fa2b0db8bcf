//! What the kernel's names of mappings say.

use super::MapLine;
use crate::arenas::memory_map::AreaKind;

/// What a line with a name is for; `None` if it has none that says so.
pub(super) fn kind(line: &MapLine) -> Option<AreaKind> {
    let path = line.path.as_str();
    if is_ours(path) {
        return Some(AreaKind::Calltap);
    }
    if !line.is_private() {
        return Some(AreaKind::Shared(line.path.clone()));
    }
    if line.is_file {
        return Some(of_file(line));
    }
    match path {
        "[heap]" => Some(AreaKind::Allocator),
        "[vdso]" | "[vvar]" | "[vvar_vclock]" | "[vsyscall]" | "[uprobes]" => Some(AreaKind::Kernel),
        _ if path.starts_with("[stack") => Some(AreaKind::Stack),
        _ => None,
    }
}

/// A private mapping of a file.
pub(super) fn of_file(line: &MapLine) -> AreaKind {
    if is_ours(&line.path) { AreaKind::Calltap } else { AreaKind::File(line.path.clone()) }
}

/// Whether a path is that of the interposer's library or of the segment, as file or in memory.
pub(super) fn is_ours(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let is_library = |name: &str| name.starts_with("libcalltap-") && name.ends_with(".so");
    match path.strip_prefix("/memfd:") {
        Some(name) => matches!(name, "calltap" | "libcalltap.so"),
        None => is_library(name),
    }
}
