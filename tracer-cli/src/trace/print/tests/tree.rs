use super::stage::{SP, Stage, function};
use crate::trace::event::What;
use crate::trace::print::{Ids, Style, tree};

#[test]
fn calls_stand_under_those_that_made_them() {
    let mut stage = Stage::new(tree, Style::default());
    let malloc = function("addr malloc(ulong)").gprs(&[24]).gives(0x55d0);
    let sort = function("void qsort(addr, +int)").gprs(&[0x10, 4]);
    let mut compare =
        function("int strcmp(string, string)").gprs(&[0x10, 0x20]).at(0x10, b"a\0").at(0x20, b"b\0");
    compare = compare.gives(-1);
    compare.sp -= 64;
    stage.call(&malloc);
    stage.enter(&sort);
    stage.call(&compare);
    stage.call(&compare);
    stage.leave(&sort);
    stage.happens(What::Exited(0));
    assert_eq!(
        stage.finish(),
        "   1.000 us  malloc(24) = 0x55d0\n\
         \x20            qsort(0x10) {\n\
         \x20  1.000 us    strcmp(\"a\", \"b\") = -1\n\
         \x20  1.000 us    strcmp(\"a\", \"b\") = -1\n\
         \x20  5.000 us  } (4) = <void>  qsort\n\
         \x20            +++ exited (status 0) +++\n"
    );
}

#[test]
fn threads_have_trees_of_their_own() {
    let mut stage = Stage::new(tree, Style { ids: Ids::Bracketed, ..Style::default() });
    let [outer, mut inner] = ["void outer()", "void inner()"].map(function);
    inner.sp -= 64;
    stage.enter(&outer);
    stage.tid = 124;
    stage.call(&inner);
    stage.tid = 123;
    stage.call(&inner);
    stage.leave(&outer);
    assert_eq!(
        stage.finish(),
        "[pid 124]    1.000 us  inner() = <void>\n\
         [pid 123]              outer() {\n\
         [pid 123]    1.000 us    inner() = <void>\n\
         [pid 123]    5.000 us  } = <void>  outer\n"
    );
}

#[test]
fn what_does_not_return_is_said_not_to() {
    let mut stage = Stage::new(tree, Style::default());
    let mut outer = function("void outer()");
    outer.sp = SP + 128;
    let mut left = function("int left(int)").gprs(&[1]);
    let mut exit = function("void exit(int)").gprs(&[3]);
    exit.entry_only = true;
    stage.enter(&outer);
    stage.enter(&left);
    // Left by a jump, and called again from the same place.
    stage.enter(&left);
    left.left = true;
    stage.leave(&left);
    stage.enter(&function("void waits()"));
    stage.enter(&exit);
    stage.happens(What::Exited(3));
    assert_eq!(
        stage.finish(),
        "             outer() {\n\
         \x20              left(1) = <unwound>\n\
         \x20  1.000 us    left(1) = <unwound>\n\
         \x20              waits() = <unwound>\n\
         \x20              exit(3)\n\
         \x20            +++ exited (status 3) +++\n"
    );
}

#[test]
fn system_calls_are_part_of_the_tree() {
    let mut stage = Stage::new(tree, Style::default());
    let write =
        function("long write(int, string[arg3], ulong)").gprs(&[1, 0x10, 2]).at(0x10, b"x\n").gives(-1);
    stage.enter(&write);
    stage.happens(What::CallBegan(Stage::system(&write, [1, 0x10, 2, 0, 0, 0], 0)));
    stage.happens(What::CallEnded(Stage::system(&write, [1, 0x10, 2, 0, 0, 0], -32)));
    let mut failed = write.clone();
    failed.errno = 32;
    stage.leave(&failed);
    assert_eq!(
        stage.finish(),
        "             write(1, \"x\\n\", 2) {\n\
         \x20  0.500 us    write@SYS(1, \"x\\n\", 2) = -1 EPIPE (Broken pipe)\n\
         \x20  3.000 us  } = -1 EPIPE  write\n"
    );
}

#[test]
fn only_wanted_calls_and_those_around_them_are_shown() {
    let mut stage = Stage::new(tree, Style { slower_than_ns: Some(50_000_000), ..Style::default() });
    let [f, mut inner] = ["void f()", "void inner()"].map(function);
    inner.sp -= 64;
    stage.call(&f);
    stage.enter(&f);
    stage.call(&inner);
    stage.at_ns += 60_000_000;
    stage.leave(&f);
    stage.enter(&f);
    stage.at_ns += 12_345_678_000;
    stage.leave(&f);
    assert_eq!(stage.finish(), "             f() {\n  60.003 ms  } = <void>  f\n  12.345 s   f() = <void>\n");
}
