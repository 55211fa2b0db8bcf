use std::rc::Rc;

use super::stage::{Made, SP, Stage, function, unknown};
use crate::trace::event::What;
use crate::trace::print::{By, Count, End, Style, summary};

fn stage(by: By) -> Stage {
    let make: fn(_, _) -> _ = match by {
        By::Function => |to, style| summary(to, style, By::Function),
        By::Caller => |to, style| summary(to, style, By::Caller),
        By::Object => |to, style| summary(to, style, By::Object),
    };
    Stage::new(make, Style { program: "prog".to_owned(), ..Style::default() })
}

fn lasts(stage: &mut Stage, made: &Made, ns: u64) {
    stage.enter(made);
    stage.at_ns += ns - 1000;
    stage.leave(made);
}

#[test]
fn the_table_is_ltraces_with_percentiles_and_errors() {
    let mut stage = stage(By::Function);
    let mut open = function("int open(string)").gives(3);
    lasts(&mut stage, &open, 2000);
    (open.values.rax, open.errno) = (u64::MAX, 2);
    lasts(&mut stage, &open, 4000);
    let sleep = function("int sleep(int)");
    lasts(&mut stage, &sleep, 1_500_000_000);
    let mut exit = function("void exit(int)");
    exit.entry_only = true;
    stage.enter(&exit);
    stage.happens(What::Exited(0));
    assert_eq!(
        stage.finish(),
        "% time     seconds  usecs/call       p50       p99    errors     calls      function\n\
         ------ ----------- ----------- --------- --------- --------- --------- --------------------\n\
         100.00    1.500000     1500000   1501560   1501560         0         1 sleep\n\
         \x20 0.00    0.000006       3.000     2.007     4.015         1         2 open\n\
         \x20 0.00    0.000000       0.000         -         -         0         1 exit\n\
         ------ ----------- ----------- --------- --------- --------- --------- --------------------\n\
         100.00    1.500006                                         1         4 total\n"
    );
}

#[test]
fn calls_that_never_returned_count_until_the_end() {
    let mut stage = stage(By::Function);
    stage.enter(&function("int join(int)"));
    stage.at_ns += 9_000;
    stage.happens(What::ThreadEnded);
    let mut outer = function("int outer(int)");
    outer.sp = SP + 64;
    stage.enter(&outer);
    let text = stage.finish();
    assert!(
        text.contains("    0.000010      10.000         -         -         0         1 join\n"),
        "{text}"
    );
    assert!(
        text.contains("    0.000001       1.000         -         -         0         1 outer\n"),
        "{text}"
    );
}

#[test]
fn calls_can_be_told_apart_by_who_makes_them() {
    let mut f = function("void f()");
    for (by, names) in [
        (By::Caller, ["f from prog+0x1234", "f from prog+0x1238", "f from libx.so+0x8"]),
        (By::Object, ["f from prog", "f from prog", "f from libx.so"]),
    ] {
        let mut stage = stage(by);
        (f.site, f.caller) = (0x5555_0000_1234, ("", 0x5555_0000_0000));
        stage.call(&f);
        f.site += 4;
        stage.call(&f);
        (f.site, f.caller) = (0x7000_0008, ("/lib/libx.so", 0x7000_0000));
        stage.call(&f);
        let text = stage.finish();
        for name in names {
            let count = names.iter().filter(|other| **other == name).count();
            assert!(text.lines().any(|line| line.ends_with(&format!(" {count} {name}"))), "{text}");
        }
    }
}

#[test]
fn system_calls_are_counted_too() {
    let mut stage = stage(By::Function);
    let open = unknown("open");
    stage.happens(What::CallBegan(Stage::system(&open, [0; 6], 0)));
    stage.happens(What::CallEnded(Stage::system(&open, [0; 6], -2)));
    stage.happens(What::CallEnded(Stage::system(&open, [0; 6], 3)));
    let text = stage.finish();
    assert!(text.contains("         1         2 open@SYS\n"), "{text}");
}

#[test]
fn calls_that_were_only_counted_have_no_times() {
    let mut stage = stage(By::Function);
    // Two processes that met a function at one moment gave it a number each.
    let counts = [("few", 2), ("none", 0), ("many", 4_999_999_000), ("many", 1_000)];
    let counts = counts.map(|(name, calls)| {
        let mut function = Rc::into_inner(unknown(name).function).unwrap();
        function.number = calls as u32;
        Count { function: Rc::new(function), calls }
    });
    let text = stage.end(&End { counts: counts.into(), ..End::default() });
    assert_eq!(
        text,
        "    calls      function\n\
         --------- --------------------\n\
         5000000000 many\n\
         \x20       2 few\n\
         --------- --------------------\n\
         5000000002 total\n"
    );
}

#[test]
fn a_function_with_two_numbers_has_one_row() {
    let mut stage = stage(By::Function);
    let f = function("int f(int)");
    let mut again = function("int f(int)");
    let mut other = Rc::into_inner(again.function).expect("nobody else has it");
    other.number += 1;
    again.function = Rc::new(other);
    stage.call(&f);
    stage.call(&again);
    let text = stage.finish();
    assert!(text.contains("         0         2 f\n"), "{text}");
}
