//! What is fed to this module's readers; see [`crate::fuzz`].

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use super::debug_file::DebugDirectories;
use super::elf::Headers;
use super::memory::LoadedObject;
use super::{Detail, lookup, perf_map, process};

/// An object file.
pub(crate) fn object(file: &File, path: &Path, addresses: &[u64]) {
    if let Ok(headers) = Headers::read(file) {
        let _ = (headers.build_id(), headers.debug_link(), headers.has_debug_information());
        for address in addresses {
            headers.segments().address_of_offset(*address);
        }
    }
    // The file stands for memory here: what a process has loaded at address 0.
    let length = file.metadata().map_or(0, |metadata| metadata.len());
    if let Ok(copy) = (LoadedObject { memory: file, range: 0..length, bias: 0 }).copy() {
        let mut start = [0; 64];
        assert!(copy.read_at(&mut start, 0).is_ok_and(|read| read == start.len()));
    }
    let directories = DebugDirectories::new(Vec::new());
    let debug_file = directories.debug_file(file, path);
    // As in `Lookup::answer`, what the library does with a file must not cost the report.
    quietly(|| lookup::look_up(path, debug_file.as_deref(), &[], Detail::Lines, addresses, |_| ()));
}

/// Files of a process: its status, and what names its compiled code.
pub(crate) fn process_files(status: &str, map: &[u8]) {
    process::innermost_pid(status);
    let addresses = [0, 0x1000, 0x7f00_0000_0000, u64::MAX];
    let _ = perf_map::names_in(map, &addresses, |index, _| assert!(index < addresses.len()));
}

/// Without libFuzzer's hook, which ends the process at every panic.
fn quietly(body: impl FnOnce()) {
    let hook = cfg!(fuzzing).then(|| {
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| ()));
        hook
    });
    let _ = catch_unwind(AssertUnwindSafe(body));
    if let Some(hook) = hook {
        std::panic::set_hook(hook);
    }
}
