//! Calls that hooks do not see, because of how a program is linked.

use std::collections::BTreeSet;

use calltap_channel::Function;

use crate::reader::heap_family;
use crate::reader::processes::Process;

/// So many functions are named.
const NAMED: usize = 4;

/// What is not seen of the processes' calls, one sentence each.
pub fn calls(processes: &[Process]) -> Vec<String> {
    let own: BTreeSet<String> = processes.iter().filter_map(own_definitions).collect();
    let passed_over: BTreeSet<&str> =
        processes.iter().flat_map(|process| &process.passed_over).map(String::as_str).collect();
    let mut spots: Vec<String> = own.into_iter().collect();
    if let Some(first) = passed_over.first() {
        let more = match passed_over.len() {
            1 => String::new(),
            all => format!(", and {} more", all - 1),
        };
        spots.push(format!(
            "objects of other namespaces (dlmopen, LD_AUDIT) than the one that is tapped: {first} and what \
             it needs{more}"
        ));
    }
    let elsewhere = processes.iter().filter(|process| process.numbered_elsewhere).count();
    if elsewhere > 0 {
        spots.push(format!(
            "processes under numbers that the tracer does not know (of a PID namespace): {elsewhere}; their calls are listed \
             under these, apart from their system calls and their ends"
        ));
    }
    spots
}

/// What a process does with functions that its program defines itself, if there are any.
fn own_definitions(process: &Process) -> Option<String> {
    let names: Vec<&str> =
        process.defined.iter().take(NAMED).map(|function| Function::name(*function)).collect();
    if names.is_empty() {
        return None;
    }
    let more = match process.defined.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let is_heap = process.defined.iter().any(|function| heap_family(*function).is_some());
    let so = if is_heap { "; blocks that go between the two are not judged" } else { "" };
    Some(format!(
        "calls that {} makes of its own {}{more}: only those that its libraries make are seen{so}",
        process.program,
        names.join(", "),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::processes::Processes;

    #[test]
    fn a_programs_own_functions_are_named_once_for_all_its_processes() {
        let mut processes = Processes::default();
        for pid in [1, 2] {
            processes.executed(pid, "/bin/own".to_owned(), calltap_channel::note::Untapped::Tapped, 0);
            processes.current(pid, 0).defined = vec![Function::malloc, Function::free];
        }
        let seen =
            "only those that its libraries make are seen; blocks that go between the two are not judged";
        let told = format!("calls that /bin/own makes of its own malloc, free: {seen}");
        assert_eq!(calls(&processes.into_all()), [told]);
    }

    #[test]
    fn a_namespace_that_is_passed_over_is_told_by_one_of_its_objects() {
        let mut processes = Processes::default();
        processes.current(1, 0).passed_over = vec!["/lib/b.so".to_owned(), "/lib/a.so".to_owned()];
        let spots = calls(&processes.into_all());
        assert_eq!(spots.len(), 1);
        assert!(spots[0].ends_with("/lib/a.so and what it needs, and 1 more"), "{spots:?}");
    }
}
