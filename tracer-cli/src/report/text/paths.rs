//! Paths of source files, as short as they can be and still tell which is meant.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::report::model::{Process, Report, Stack};

/// Short names for all source files of a report.
#[derive(Debug, Default)]
pub(in crate::report) struct Paths {
    short: HashMap<Arc<str>, String>,
}

impl Paths {
    /// Of every file that a stack of the report is in.
    pub(in crate::report) fn of(report: &Report) -> Self {
        let frames = report.processes.iter().flat_map(stacks).flat_map(|stack| &stack.frames);
        Self::among(frames.filter_map(|frame| frame.file.clone()))
    }

    fn among(files: impl Iterator<Item = Arc<str>>) -> Self {
        let mut alike: HashMap<String, BTreeSet<Arc<str>>> = HashMap::new();
        for file in files {
            alike.entry(end_of(&file, 1).to_owned()).or_default().insert(file);
        }
        let mut short = HashMap::new();
        for files in alike.into_values() {
            let most = files.iter().map(|file| file.split('/').count()).max().unwrap_or(1);
            let differ = |components: usize| {
                files.iter().map(|file| end_of(file, components)).collect::<BTreeSet<_>>().len()
                    == files.len()
            };
            let components = (1..most).find(|&components| differ(components)).unwrap_or(most);
            short.extend(files.iter().map(|file| (Arc::clone(file), end_of(file, components).to_owned())));
        }
        Self { short }
    }

    /// The short name of a file.
    pub(in crate::report) fn short<'a>(&'a self, file: &'a str) -> &'a str {
        self.short.get(file).map_or(file, String::as_str)
    }
}

/// The last components of a path.
fn end_of(path: &str, components: usize) -> &str {
    match path.rmatch_indices('/').nth(components - 1) {
        Some((at, _)) => &path[at + 1..],
        None => path,
    }
}

/// Every stack of which a text may show something.
fn stacks(process: &Process) -> impl Iterator<Item = &Stack> {
    let heap = process.heap.iter().flat_map(|heap| {
        let left = &heap.still_allocated;
        let leaks = left.by_stack.iter().chain(&left.largest).map(|leak| &leak.stack);
        let uses = [&heap.by_stack, &heap.by_caller].into_iter().flat_map(|uses| {
            [&uses.peak, &uses.allocated, &uses.allocations, &uses.temporary].into_iter().flatten()
        });
        let faults = heap.faults.iter().map(|fault| &fault.stack);
        let mismatches = heap.mismatches.iter().flat_map(|m| [&m.allocated_stack, &m.released_stack]);
        let largest = heap.largest_allocation.iter().map(|largest| &largest.stack);
        leaks.chain(uses.map(|user| &user.stack)).chain(faults).chain(mismatches).chain(largest)
    });
    let descriptors = process.descriptors.iter().flat_map(|descriptors| {
        let open = descriptors.still_open.iter().map(|open| &open.stack);
        let growing = descriptors.growing.iter().map(|growing| &growing.stack);
        let rows = descriptors.by_stack.iter().map(|row| &row.stack);
        open.chain(growing).chain(rows).chain(descriptors.calls().map(|call| &call.stack))
    });
    let kernel = process.system_calls.iter().flat_map(|kernel| {
        let errors = kernel.errors.iter().map(|error| &error.stack);
        errors.chain(kernel.residue.iter().map(|residue| &residue.stack))
    });
    let memory = process.arenas.iter().flat_map(|arenas| {
        let culprits = arenas.last.verdicts.iter().flat_map(|verdict| &verdict.culprits);
        let culprits = culprits.chain(arenas.last.advice.iter().flat_map(|advice| &advice.culprit));
        culprits.map(|culprit| &culprit.stack).chain(arenas.last.pins.iter().map(|pin| &pin.stack))
    });
    let outsized = process.outsized.iter().flat_map(|outsized| &outsized.allocations);
    heap.chain(descriptors).chain(kernel).chain(memory).chain(outsized.map(|asked| &asked.stack))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_directories_as_needed() {
        let files = ["/src/a/node.c", "/src/b/node.c", "/src/main.c", "gen.c", "/other/a/node.c"];
        let paths = Paths::among(files.into_iter().map(Arc::from));
        let short: Vec<_> = files.iter().map(|file| paths.short(file)).collect();
        assert_eq!(short, ["src/a/node.c", "src/b/node.c", "main.c", "gen.c", "other/a/node.c"]);
        assert_eq!(paths.short("/never/seen.c"), "/never/seen.c");
    }

    #[test]
    fn a_file_of_which_another_one_is_the_end_keeps_its_whole_path() {
        let files = ["node.c", "/src/node.c"];
        let paths = Paths::among(files.into_iter().map(Arc::from));
        assert_eq!((paths.short("node.c"), paths.short("/src/node.c")), ("node.c", "src/node.c"));
    }
}
