//! However a program was compiled and linked, each of its calls is shown.

use crate::launch::{installed, skipped, traced};
use crate::outcome::Outcome;
use crate::target::{Recipe, Target};

const TIMES: i64 = 25;

/// Everything that the target says it has called is in the trace, as often, and nothing of it is lost.
fn expect_all_calls(traced: &Outcome) {
    for (function, times) in traced.said_all("calls.") {
        assert_eq!(traced.lines_of(&function).len() as i64, times, "{function}: {traced}\n{}", traced.trace);
    }
    assert!(traced.trace.contains("+++ exited (status 7) +++"), "{}", traced.trace);
}

fn shows_all(recipe: Recipe) -> Outcome {
    let target = recipe.build();
    let outcome = traced().run(&target, &[TIMES.to_string()]).expect_status(7);
    expect_all_calls(&outcome);
    outcome
}

/// A C program linked in one of these ways; `-fno-builtin` is in all of them.
fn c(flags: &[&str]) -> Recipe {
    Target::c("linkage.c").flags(flags)
}

#[test]
fn lazily_bound_calls_of_a_position_independent_program_are_shown() {
    assert_eq!(shows_all(c(&["-Wl,-z,lazy"])).said("equal"), 1);
}

#[test]
fn calls_bound_at_start_behind_read_only_relocations_are_shown() {
    assert_eq!(shows_all(c(&["-Wl,-z,now", "-Wl,-z,relro"])).said("equal"), 1);
}

#[test]
fn calls_of_a_program_at_fixed_addresses_are_shown() {
    assert_eq!(shows_all(c(&["-no-pie", "-fno-pie", "-Wl,-z,lazy"])).said("equal"), 1);
    assert_eq!(shows_all(c(&["-no-pie", "-fno-pie", "-Wl,-z,now"])).said("equal"), 1);
}

#[test]
fn calls_without_a_procedure_linkage_table_are_shown() {
    assert_eq!(shows_all(c(&["-fno-plt"])).said("equal"), 1);
}

#[test]
fn calls_through_a_second_linkage_table_are_shown() {
    for bound in ["-Wl,-z,lazy", "-Wl,-z,now"] {
        shows_all(c(&["-fcf-protection", "-Wl,-z,ibtplt", bound]));
    }
}

#[test]
fn a_program_with_the_old_hash_table_alone_is_traced() {
    shows_all(c(&["-Wl,--hash-style=sysv"]));
}

#[test]
fn other_compilers_and_linkers_make_no_difference() {
    if installed("clang").is_some() {
        for flags in [&[][..], &["-fno-plt"], &["-Wl,-z,now"]] {
            shows_all(c(flags).compiler("clang"));
        }
    }
    for linker in ["lld", "gold"] {
        match c(&[&format!("-fuse-ld={linker}")]).try_build() {
            Err(_) => skipped(&format!("gcc cannot link with {linker} here")),
            Ok(target) => {
                let outcome = traced().run(&target, &[TIMES.to_string()]).expect_status(7);
                expect_all_calls(&outcome);
            }
        }
    }
}

#[test]
fn a_stub_at_the_end_of_the_code_is_as_good_as_the_others() {
    for linker in ["bfd", "lld", "gold"] {
        let flags = [&format!("-fuse-ld={linker}"), "-Wl,-z,lazy"];
        match Target::c("last_slot.c").flags(&flags).try_build() {
            Err(_) => skipped(&format!("gcc cannot link with {linker} here")),
            Ok(target) => {
                let outcome = traced().run(&target, &[TIMES.to_string()]).expect_status(7);
                expect_all_calls(&outcome);
            }
        }
    }
}

#[test]
fn what_the_rust_compiler_makes_is_traced() {
    shows_all(Target::rust("linkage.rs"));
}

#[test]
fn calls_are_shown_that_exceptions_leave() {
    let outcome = shows_all(Target::cpp("linkage.cpp"));
    assert_eq!(outcome.said("caught"), TIMES);
    assert_eq!(outcome.said("destroyed"), 2 * TIMES);
}

#[test]
fn calls_that_a_plugin_makes_are_shown() {
    let plugin = c(&["-DPLUGIN", "-shared", "-fPIC"]).build();
    for flags in [&["-Wl,-z,now"][..], &["-Wl,-z,lazy"], &["-fno-plt"]] {
        let target = c(flags).build();
        let path = plugin.path().to_str().unwrap();
        // A minus begins a pattern of its own.
        let filter = format!("*@{}", plugin.name().replace('-', "?"));
        let outcome =
            traced().options(&["-e", &filter]).run(&target, &[&TIMES.to_string(), path]).expect_status(7);
        expect_all_calls(&outcome);
        assert_eq!(outcome.said("equal"), 1, "{outcome}");
    }
}

#[test]
fn function_pointers_are_equal_in_all_objects() {
    let plugin = c(&["-DPLUGIN", "-shared", "-fPIC"]).build();
    let path = plugin.path().to_str().unwrap().to_owned();
    for flags in [&["-Wl,-z,now"][..], &["-fno-plt"], &["-no-pie", "-fno-pie"]] {
        let target = c(flags).build();
        for filter in
            ["@MAIN", "*@*", &format!("tolower@{}", plugin.name().replace('-', "?")), "tolower@MAIN"]
        {
            let outcome = traced().options(&["-e", filter]).run(&target, &["3", &path]).expect_status(7);
            assert_eq!(outcome.said("equal"), 1, "{filter} {flags:?} {outcome}");
        }
    }
}

#[test]
fn objects_that_cannot_be_traced_are_told() {
    let target = c(&["-static"]).build();
    let outcome = traced().run(&target, &["1"]);
    assert_eq!(outcome.status, 125, "{outcome}");
    assert!(outcome.stderr().contains("static"), "{outcome}");
    assert!(outcome.stderr().contains("hint: "), "{outcome}");
}

#[test]
fn a_function_named_by_x_is_seen_if_it_is_called_by_an_address_from_dlsym() {
    let plugin = c(&["-DPLUGIN", "-shared", "-fPIC"]).build();
    let target = c(&[]).build();
    let shown = |filter: &str| {
        let options = ["-L", "-x", filter];
        let words = ["4", plugin.path().to_str().unwrap()];
        let outcome = traced().options(&options).run(&target, &words).expect_status(7);
        assert_eq!(outcome.said("equal"), 1, "{outcome}");
        ["work@", "address@"].map(|name| outcome.trace.matches(name).count())
    };
    assert_eq!(shown("work"), [1, 0]);
    assert_eq!(shown("work+address"), [1, 1]);
    // A pattern does not name it.
    assert_eq!(shown("wor?"), [0, 0]);
}

/// A program that calls indirect functions which it does not export.
fn indirect(flags: &[&str]) -> Recipe {
    Target::c("indirect.c").flags(flags)
}

/// The library that does so for it.
fn indirect_library() -> Target {
    indirect(&["-DLIBRARY", "-shared", "-fPIC"]).build()
}

#[test]
fn calls_of_a_programs_own_indirect_functions_are_shown() {
    for flags in [&["-Wl,-z,lazy"][..], &["-Wl,-z,now"], &["-no-pie", "-fno-pie"], &["-Wl,--hash-style=sysv"]]
    {
        let outcome = shows_all(indirect(flags));
        assert_eq!(outcome.said("calls.double_step"), 2 * TIMES);
    }
    if let Ok(target) = indirect(&["-fuse-ld=gold"]).try_build() {
        expect_all_calls(&traced().run(&target, &[TIMES.to_string()]).expect_status(7));
    }
}

#[test]
fn indirect_functions_are_chosen_as_others_are() {
    let target = indirect(&[]).build();
    let shown = |options: &[&str]| {
        let outcome = traced().options(options).run(&target, &[TIMES.to_string()]).expect_status(7);
        let shown = ["single_step", "double_step", "by_one", "by_two"].map(|name| {
            outcome.trace.lines().filter(|line| line.contains(&format!("{name}("))).count() as i64
        });
        (shown, outcome.stderr())
    };
    let untold = String::new();
    assert_eq!(shown(&["-e", "single_step"]), ([TIMES, 0, 0, 0], untold.clone()));
    assert_eq!(shown(&["-e", "*_step-single*@MAIN"]), ([0, 2 * TIMES, 0, 0], untold.clone()));
    assert_eq!(shown(&["-L", "-x", "/.*e_step$/"]), ([TIMES, 2 * TIMES, 0, 0], untold.clone()));
    // What they have turned out to be is shown if somebody names that, and then under its own name.
    assert_eq!(
        shown(&["-L", "-x", "single_step+by_one+double_step"]),
        ([0, 2 * TIMES, TIMES, 0], untold.clone())
    );
    assert_eq!(shown(&["-L", "-x", "by_two"]), ([0, 0, 0, 2 * TIMES], untold));
    // Of two names of one function the first is shown, as ltrace does it; the other one is told to fit nothing.
    let (none, told) = shown(&["-e", "second_name"]);
    assert!(none == [0; 4] && told.contains("-e second_name: no loaded object"), "{told}");
}

#[test]
fn calls_of_a_needed_librarys_own_indirect_functions_are_shown() {
    let library = indirect_library();
    let target = indirect(&["-DNEEDS"]).linked_with(&library).build();
    let filter = format!("*@{}", library.name().replace('-', "?"));
    let outcome = traced().options(&["-e", &filter]).run(&target, &[TIMES.to_string()]).expect_status(7);
    expect_all_calls(&outcome);
}

#[test]
fn indirect_functions_without_a_name_are_counted() {
    let stripped = indirect(&["-s"]).build();
    let loads = indirect(&[]).build();
    let library = indirect_library();
    let path = library.path().to_str().unwrap();
    for (target, words, object) in
        [(&stripped, vec!["3"], stripped.name()), (&loads, vec!["3", path], library.name())]
    {
        let outcome = traced().options(&["-e", "*@*", "--coverage"]).run(target, &words).expect_status(7);
        assert_eq!(outcome.lines_of("single_step"), [""; 0], "{}", outcome.trace);
        let stderr = outcome.stderr();
        let line = stderr.lines().find(|line| line.contains(object)).unwrap_or_default();
        assert!(line.contains("2 functions without a name"), "{outcome}");
        let filter = format!("single_step@{}", object.replace('-', "?"));
        let outcome = traced().options(&["-e", &filter]).run(target, &words).expect_status(7);
        assert!(outcome.stderr().contains("exports or calls such a function"), "{outcome}");
    }
}
