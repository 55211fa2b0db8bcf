//! A leak is found at its function and line wherever it is called from and however it was compiled.

use crate::launch::calltap;
use crate::marks::Marks;
use crate::outcome::Outcome;
use crate::report::Process;
use crate::stack::{End, Leak};
use crate::target::Target;

/// A place that leaks: its name in the source's marks, and what its function's name contains.
pub(super) struct Place {
    pub(super) name: &'static str,
    pub(super) function: &'static str,
    /// Whether the standard library's own code may stand before it on the stack.
    indirect: bool,
}

pub(super) const fn place(name: &'static str, function: &'static str) -> Place {
    Place { name, function, indirect: false }
}

const fn indirect(name: &'static str, function: &'static str) -> Place {
    Place { name, function, indirect: true }
}

pub(super) const PLACES_OF_C: [Place; 9] = [
    place("plain", "plain_leaks"),
    place("inlined", "innermost_leaks"),
    place("qsort", "compare"),
    place("constructor", "constructor_leaks"),
    place("atexit", "atexit_leaks"),
    place("recursion", "descend"),
    place("altstack", "on_fault"),
    place("coroutine", "coroutine_leaks"),
    place("thread", "thread_leaks"),
];

const PLACES_OF_CPP: [Place; 10] = [
    place("template", "Shelf<double>::fill"),
    place("callback", "operator()"),
    place("virtual", "(anonymous namespace)::Derived::act"),
    place("global", "Early::Early"),
    place("container", "hold"),
    indirect("storage", "hold"),
    place("handler", "catcher"),
    place("aligned", "several_forms"),
    place("nothrow", "several_forms"),
    indirect("smart", "several_forms"),
];

const PLACES_OF_RUST: [Place; 5] = [
    indirect("boxed", "leak::boxed"),
    indirect("dynamic", "leak::Round as leak::Shape>::keep"),
    indirect("generic", "leak::generic"),
    // `{closure#0}`, or in older names `{{closure}}`.
    indirect("closure", "leak::main::{"),
    indirect("thread", "leak::thread"),
];

/// Expects that these places have leaked what they said, each at its line, called through its lines.
pub(super) fn expect_leaks(outcome: &Outcome, process: Process<'_>, marks: &Marks, places: &[Place]) {
    let leaks = Leak::all(process);
    assert_eq!(Leak::sum(&leaks), process.still_allocated(), "{leaks:#?}");
    for place in places {
        let name = place.name;
        for leak in leaks_at(place, outcome, &leaks, marks) {
            for via in marks.via(name) {
                assert!(leak.stack.passes(via), "{name} does not pass {via:?}: {leak:#?}");
            }
        }
    }
}

/// The leaks of a place, by its function and line; they must be what it said.
fn leaks_at<'a>(place: &Place, outcome: &Outcome, leaks: &'a [Leak], marks: &Marks) -> Vec<&'a Leak> {
    let Place { name, function, indirect } = place;
    let (source, line) = marks.leak(name);
    let is_here = |leak: &&Leak| {
        let frames = &leak.stack.frames;
        let leaf = frames.iter().position(|frame| !indirect || frame.is_of(source)).unwrap_or(0);
        let leaf = frames.get(leaf);
        leaf.is_some_and(|leaf| leaf.is_of(source) && leaf.line == Some(line) && leaf.is_named(function))
    };
    let here: Vec<_> = leaks.iter().filter(is_here).collect();
    assert_eq!(Leak::sum(here.iter().copied()), said(outcome, name), "{name}, {source}:{line}: {leaks:#?}");
    here
}

/// Blocks and bytes that a place said it has leaked.
pub(super) fn said(outcome: &Outcome, place: &str) -> (i64, i64) {
    let [blocks, bytes] = ["blocks", "bytes"].map(|what| outcome.said(&format!("leaked.{place}.{what}")));
    (blocks, bytes)
}

/// Runs a leaking program and expects all of its places.
fn expect(target: &Target, source: &'static str, places: &[Place]) -> Outcome {
    let outcome = calltap().run(target, &[""; 0]).expect_status(0);
    expect_leaks(&outcome, outcome.report().only_process(), &Marks::of(&[source]), places);
    outcome
}

/// What the table of places cannot say of the C program's stacks.
fn expect_details_of_c(process: Process<'_>) {
    let leaks = Leak::all(process);
    let leak_in = |leaf: &str| {
        let found = leaks.iter().find(|leak| leak.stack.frames[0].is_named(leaf));
        found.unwrap_or_else(|| panic!("{leaf}: {leaks:#?}"))
    };
    assert_eq!(leak_in("innermost_leaks").function, "calloc");
    assert_eq!(leak_in("atexit_leaks").function, "realloc");
    let inner = leak_in("innermost_leaks").stack.frames.iter().take(3);
    assert_eq!(inner.map(|frame| frame.inlined).collect::<Vec<_>>(), [true, true, false], "{leaks:#?}");
    let deep = &leak_in("descend").stack;
    assert_eq!((deep.end, deep.frames.len()), (Some(End::Depth), 32), "{deep:#?}");
    assert!(deep.frames.iter().all(|frame| frame.is_named("descend")), "{deep:#?}");
    let handler = &leak_in("on_fault").stack.frames;
    assert!(handler[1].is_named("<signal handler called>") && handler[2].is_named("touch"), "{handler:#?}");
    let interrupted = leak_in("on_fault").stack.frame_of("touch");
    assert!(interrupted.is_some_and(|frame| frame.is_of("leak.c")), "{leaks:#?}");
    for (leaf, first, is_of_main) in [
        ("innermost_leaks", "around", true),
        ("compare", "sort", true),
        ("on_fault", "fault", true),
        ("coroutine_leaks", "coroutine", false),
        ("thread_leaks", "thread", false),
    ] {
        let stack = &leak_in(leaf).stack;
        assert!(stack.end == Some(End::Outermost) && stack.frame_of(first).is_some(), "{stack:#?}");
        assert_eq!(stack.frame_of("main").is_some(), is_of_main, "{stack:#?}");
    }
    let all = leaks.iter().flat_map(|leak| &leak.stack.frames);
    assert_eq!(all.filter(|frame| frame.guessed).count(), 0, "{leaks:#?}");
}

macro_rules! builds {
    ($($name:ident $language:ident $flags:expr;)*) => {$(
        #[test]
        fn $name() {
            $language(&$flags);
        }
    )*};
}

/// Without what would make `touch` begin with another instruction than the one that faults.
const C_FLAG: &str = "-fcf-protection=none";

fn c(flags: &[&str]) {
    let target = Target::c("leak.c").flags(&[C_FLAG]).flags(flags).build();
    let outcome = expect(&target, "leak.c", &PLACES_OF_C);
    expect_details_of_c(outcome.report().only_process());
}

fn clang(flags: &[&str]) {
    if crate::launch::installed("clang").is_none() {
        return;
    }
    let target = Target::c("leak.c").compiler("clang").flags(flags).build();
    expect(&target, "leak.c", &PLACES_OF_C);
}

fn cpp(flags: &[&str]) {
    expect(&Target::cpp("leak.cpp").flags(flags).build(), "leak.cpp", &PLACES_OF_CPP);
}

fn rust(flags: &[&str]) {
    let target = Target::rust("leak.rs").flags(&["-g"]).flags(flags).build();
    let outcome = expect(&target, "leak.rs", &PLACES_OF_RUST);
    let names = Leak::all(outcome.report().only_process())
        .into_iter()
        .flat_map(|leak| leak.stack.frames)
        .filter_map(|frame| frame.function);
    let mangled: Vec<_> = names
        .filter(|name| name.starts_with("_R") || name.starts_with("_ZN") || name.contains("::h"))
        .collect();
    assert_eq!(mangled, [""; 0], "every name is demangled, without a hash");
}

builds! {
    c_not_optimised c ["-O0"];
    c_optimised c ["-O2"];
    c_optimised_for_size c ["-Os"];
    c_optimised_a_lot c ["-O3"];
    c_with_frame_pointers c ["-O2", "-fno-omit-frame-pointer"];
    c_without_frame_pointers c ["-O0", "-fomit-frame-pointer"];
    c_optimised_without_frame_pointers c ["-O3", "-fomit-frame-pointer"];
    c_not_position_independent c ["-no-pie"];
    c_not_position_independent_not_optimised c ["-no-pie", "-O0"];
    c_at_another_address c ["-no-pie", "-Wl,-Ttext-segment=0x12340000"];
    c_in_one_segment c ["-Wl,-z,noseparate-code"];
    c_with_gaps_between_segments c ["-Wl,-z,max-page-size=0x200000"];
    c_linked_early c ["-Wl,-z,now", "-fno-plt"];
    c_with_older_debug_information c ["-gdwarf-4"];
    c_with_compressed_debug_information c ["-gz"];
    c_with_larger_code c ["-mcmodel=large"];
    c_by_clang clang ["-O2"];
    cpp_not_optimised cpp ["-O0"];
    cpp_optimised cpp ["-O2"];
    cpp_optimised_a_lot cpp ["-O3", "-fomit-frame-pointer"];
    cpp_not_position_independent cpp ["-O2", "-no-pie"];
    cpp_linked_with_its_run_time cpp ["-static-libstdc++", "-static-libgcc"];
    rust_not_optimised rust ["-C", "opt-level=0"];
    rust_optimised rust ["-C", "opt-level=2"];
    rust_optimised_a_lot rust ["-C", "opt-level=3", "-C", "panic=abort", "-C", "codegen-units=1"];
    rust_with_newer_names rust ["-C", "symbol-mangling-version=v0"];
}

#[test]
fn main_is_reached_from_a_thousand_calls_down() {
    let target = Target::c("leak.c").flags(&[C_FLAG]).build();
    let outcome = calltap().options(&["--stack-depth", "1024"]).run(&target, &[""; 0]).expect_status(0);
    let leaks = Leak::all(outcome.report().only_process());
    let deep = leaks.iter().find(|leak| leak.stack.frames[0].is_named("descend")).expect("it leaks");
    assert_eq!(deep.stack.end, Some(End::Outermost));
    let levels = deep.stack.frames.iter().filter(|frame| frame.is_named("descend")).count();
    assert_eq!(levels, 1001, "levels 1000 to 0");
    assert!(deep.stack.frame_of("main").is_some());
}

#[test]
fn at_depth_0_the_caller_is_known() {
    let target = Target::c("leak.c").flags(&[C_FLAG]).build();
    let outcome = calltap().options(&["--stack-depth", "0"]).run(&target, &[""; 0]).expect_status(0);
    let marks = Marks::of(&["leak.c"]);
    let leaks = Leak::all(outcome.report().only_process());
    for leak in PLACES_OF_C.iter().flat_map(|place| leaks_at(place, &outcome, &leaks, &marks)) {
        let physical = leak.stack.frames.iter().filter(|frame| !frame.inlined).count();
        assert!(physical == 1 && leak.stack.end.is_none(), "{leak:#?}");
    }
}

#[test]
fn a_program_without_a_leak_has_no_group() {
    for recipe in [Target::c("clean.c"), Target::cpp("clean.cpp")] {
        let outcome = calltap().stdin("/etc/passwd".as_ref()).run(recipe.build(), &[""]).expect_status(0);
        let leaks = Leak::all(outcome.report().only_process());
        assert!(leaks.is_empty(), "{leaks:#?}");
    }
}

#[test]
fn without_stacks_leaks_are_still_counted() {
    let target = Target::c("leak.c").flags(&[C_FLAG]).build();
    let outcome = calltap().options(&["--stack", "none"]).run(&target, &[""; 0]).expect_status(0);
    let blocks = outcome.said_all("leaked.").into_iter().filter(|(key, _)| key.ends_with(".blocks"));
    let said: i64 = blocks.map(|(_, count)| count).sum();
    let process = outcome.report().only_process();
    assert_eq!(process.still_allocated().0, said, "{:#}", process.0);
    assert_eq!(outcome.report().at("/stacks/distinct"), 0);
}
