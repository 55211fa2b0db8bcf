//! Arguments and results are those that the program passed and got: it says so itself.

use std::path::Path;

use crate::launch::{bare, traced};
use crate::target::Target;

#[test]
fn values_of_every_kind_are_shown_as_the_program_says() {
    let library = Target::c("values_library.c").flags(&["-shared", "-fPIC", "-mavx"]).build();
    let target = Target::c("values_traced.c").linked_with(&library).build();
    let prototypes = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/targets/values_traced.conf");
    let without = bare().run(&target, &[""]).expect_status(7);
    let outcome = traced()
        .options(&["-A", "100", "-F", prototypes.to_str().unwrap()])
        .run(&target, &[""])
        .expect_same_as(&without);
    let expected: Vec<String> =
        without.stdout().lines().filter_map(|line| line.strip_prefix("trace=").map(str::to_owned)).collect();
    assert!(expected.len() >= 15, "{without}");
    for line in expected {
        let name = line.split('(').next().unwrap();
        let shown = outcome.lines_of(name);
        assert!(shown.contains(&line), "expected {line}\nshown {shown:?}");
    }
}

#[test]
fn the_numbers_of_the_first_printf_are_all_there() {
    let library = Target::c("values_library.c").flags(&["-shared", "-fPIC", "-mavx"]).build();
    let target = Target::c("values_traced.c").linked_with(&library).build();
    let outcome = traced().options(&["-s", "100"]).run(&target, &[""]).expect_status(7);
    let first = &outcome.lines_of("printf")[0];
    for number in 0..10 {
        assert!(first.contains(&format!("{number}.250000")), "{first}");
    }
}

#[test]
fn a_callback_is_called_within_the_call_that_takes_it() {
    let target = Target::cpp("transparent.cpp").build();
    let outcome = traced().options(&["-e", "qsort+backtrace"]).run(&target, &[""]).expect_status(7);
    let lines: Vec<&str> = outcome.trace.lines().collect();
    let at = lines.iter().position(|line| line.contains("backtrace(")).expect("it is called");
    assert!(
        lines[at - 1].contains("qsort(") && lines[at - 1].contains("<unfinished ...>"),
        "{}",
        lines[at - 1]
    );
    assert!(lines[at + 1].contains("<... qsort resumed>"), "{}", lines[at + 1]);
}

#[test]
fn a_call_without_a_prototype_is_marked_as_a_guess() {
    let library = Target::c("values_library.c").flags(&["-shared", "-fPIC", "-mavx", "-g0"]).build();
    let target = Target::c("values_traced.c").linked_with(&library).build();
    let outcome = traced().run(&target, &[""]).expect_status(7);
    for line in outcome.lines_of("ten") {
        assert!(line.contains('?'), "{line}");
        assert!(!line.contains("0.500000"), "{line}");
    }
}

#[test]
fn debug_information_gives_prototypes() {
    let library = Target::c("values_library.c").flags(&["-shared", "-fPIC", "-mavx"]).build();
    let target = Target::c("values_traced.c").linked_with(&library).build();
    let outcome = traced().options(&["-A", "100"]).run(&target, &[""]).expect_status(7);
    for line in ["ten", "twenty", "mixed", "narrow"] {
        let expected = format!("trace={line}(");
        let truth = outcome.stdout();
        let truth = truth.lines().find_map(|said| said.starts_with(&expected).then(|| &said[6..])).unwrap();
        assert!(outcome.lines_of(line).contains(&truth.to_owned()), "{truth} {:?}", outcome.lines_of(line));
    }
}
