//! What is still allocated or open at the end is told exactly, and whose it is.

use crate::launch::{calltap, scratch};
use crate::target::Target;

#[test]
fn a_tenth_of_a_million_blocks_is_missed() {
    let target = Target::c("graph.c").build();
    let outcome = calltap().run(&target, &["1000000"]).expect_status(0);
    let process = outcome.report().only_process();
    assert_eq!(outcome.report().lost(), 0);
    assert_eq!(outcome.said("leaked.blocks"), 100_000);
    let leaked = (outcome.said("leaked.blocks"), outcome.said("leaked.bytes"));
    assert_eq!(process.still_allocated(), leaked);
    assert_eq!(process.number("/heap/allocations") - process.number("/heap/frees"), {
        leaked.0 + process.number("/heap/runtime_owned/blocks")
    });
    assert!(process.number("/heap/peak_live_bytes") > 100_000_000, "{outcome}");
}

#[test]
fn clean_programs_leak_nothing_and_what_the_run_time_keeps_is_its_own() {
    for recipe in [Target::c("clean.c"), Target::cpp("clean.cpp")] {
        let target = recipe.build();
        let outcome = calltap().stdin("/etc/passwd".as_ref()).run(&target, &[""]).expect_status(0);
        let process = outcome.report().only_process();
        assert_eq!(process.still_allocated(), (0, 0), "{}: {:#}", target.name(), process.0);
        assert_eq!(process.still_open(), [], "{}", target.name());
        let kept = process.number("/heap/runtime_owned/blocks");
        assert!(kept > 0, "{}: stdio's buffers or the emergency pool", target.name());
        let difference = process.number("/heap/allocations") - process.number("/heap/frees");
        assert_eq!(difference, kept, "{}", target.name());
    }
}

#[test]
fn what_library_functions_hand_out_is_the_programs_own() {
    let target = Target::c("faults.c").build();
    let outcome = calltap().run(&target, &["results_kept"]).expect_status(0);
    let process = outcome.report().only_process();
    assert_eq!(process.still_allocated().0, outcome.said("leaked.blocks"), "{:#}", process.0);
    let open: Vec<_> = process.still_open().into_iter().map(|(_, _, path)| path).collect();
    assert_eq!(open, ["/etc/passwd", "/"], "{:#}", process.0);
}

#[test]
fn sizes_peak_and_rest_are_exact() {
    let target = Target::c("faults.c").build();
    let outcome = calltap().run(&target, &["one_of_each_left"]).expect_status(0);
    let process = outcome.report().only_process();
    let left = (outcome.said("leaked.blocks"), outcome.said("leaked.bytes"));
    assert_eq!(process.still_allocated(), left);
    assert_eq!(process.number("/heap/peak_live_bytes"), outcome.said("peak.bytes"), "{:#}", process.0);
}

#[test]
fn descriptors_left_open_are_named_with_kind_and_path() {
    let target = Target::c("endings.c").build();
    let outcome = calltap().run(&target, &["return", "3"]).expect_status(0);
    let process = outcome.report().only_process();
    let open = process.still_open();
    assert_eq!(open.iter().map(|(fd, _, _)| *fd).collect::<Vec<_>>(), [3, 4]);
    assert_eq!([&*open[0].2, &*open[1].2], ["/etc/passwd", "/dev/null"]);
    assert!(open.iter().all(|(_, kind, _)| kind == "file"), "{open:?}");
    assert_eq!(process.still_allocated(), (3, 96));
}

#[test]
fn inherited_descriptors_are_not_the_programs_own() {
    let directory = scratch();
    let file = directory.path().join("inherited");
    let preamble = format!("exec 5>'{}' 7</dev/null", file.display());
    let target = Target::c("graph.c").build();
    let outcome = calltap().after(&preamble).run(&target, &["10"]).expect_status(0);
    assert_eq!(outcome.report().only_process().still_open(), []);
}

#[test]
fn every_kind_of_descriptor_is_known_by_its_name() {
    let directory = scratch();
    let place = directory.path().to_str().expect("a plain path");
    let outcome = calltap().run(Target::c("kinds.c").build(), &[place]).expect_status(0);
    let said = outcome.stdout();
    let process = outcome.report().processes()[0];
    let mut open = process.still_open();
    for line in said.lines() {
        let (fd, what) = line.strip_prefix("open.").and_then(|rest| rest.split_once('=')).expect("open.FD=");
        let (kind, path) = what.split_once(' ').expect("KIND PATH");
        let at = open.iter().position(|(number, _, _)| number.to_string() == fd);
        let found = open.remove(at.unwrap_or_else(|| panic!("{line} is missing: {:#}", process.0)));
        assert_eq!(found.1, kind, "{line}: {:#}", process.0);
        // Where nothing was asked for, the kernel's own name may stand.
        assert!(path.is_empty() || found.2 == path, "{line}: {found:?}");
    }
    assert_eq!(open, [], "closed, or never opened");
}

#[test]
fn mappings_are_counted_to_the_byte() {
    let outcome = calltap().run(Target::c("mappings.c").build(), &[""]).expect_status(0);
    let process = outcome.report().only_process();
    for (key, truth) in outcome.said_all("mappings.") {
        assert_eq!(process.number(&format!("/mappings/{key}")), truth, "{key}: {:#}", process.0);
    }
}
