use std::rc::Rc;

use super::stage::{Stage, function, unknown};
use crate::trace::event::What;
use crate::trace::print::{Frames, Stamps, Style, lines};

#[test]
fn times_stand_in_front_and_behind() {
    let f = function("void f()");
    for (stamps, shown) in [
        (Stamps::Epoch, ["1795295817.218289 ", "1795295817.218291 "]),
        (Stamps::Relative, ["  0.000000 ", "  0.000002 "]),
    ] {
        let style =
            Style { align: 0, stamps, spent: true, zero_ns: 1_795_295_817_000_000_000, ..Style::default() };
        let mut stage = Stage::new(lines, style);
        stage.at_ns = 218_289_000;
        stage.call(&f);
        stage.call(&f);
        let [first, second] = shown;
        assert_eq!(
            stage.finish(),
            format!("{first}f() = <void> <0.000001>\n{second}f() = <void> <0.000001>\n")
        );
    }
    for (stamps, length) in [(Stamps::Seconds, "00:00:00 ".len()), (Stamps::Micros, "00:00:00.000000 ".len())]
    {
        let mut stage = Stage::new(lines, Style { align: 0, stamps, ..Style::default() });
        stage.at_ns = 17_000_042_000;
        stage.call(&f);
        let text = stage.finish();
        let (time, line) = text.split_at(length);
        assert!(time.starts_with(|c: char| c.is_ascii_digit()) && time.contains(":17"), "{text}");
        assert_eq!(time.ends_with(".000042 "), stamps == Stamps::Micros, "{text}");
        assert_eq!(line, "f() = <void>\n");
    }
}

#[test]
fn return_addresses_say_where_they_are() {
    let mut stage =
        Stage::new(lines, Style { align: 0, sites: true, program: "prog".to_owned(), ..Style::default() });
    let mut f = function("void f()");
    stage.call(&f);
    (f.site, f.caller) = (0x40_1156, ("", 0));
    stage.call(&f);
    stage.happens(What::Exited(0));
    assert_eq!(
        stage.finish(),
        "[0x555500001234 prog+0x1234] f() = <void>\n[0x401156] f() = <void>\n[?] +++ exited (status 0) +++\n"
    );
}

#[test]
fn callers_and_libraries_are_named_when_asked_for() {
    let style = Style { align: 0, callers: true, program: "prog".to_owned(), ..Style::default() };
    let mut stage = Stage::new(lines, style);
    let mut f = function("void f()");
    stage.call(&f);
    f.caller.0 = "/lib/libfilt1.so";
    stage.call(&f);
    f.caller.0 = "?";
    stage.call(&f);
    f.caller.0 = "";
    stage.happens(What::Executed { program: "/bin/other".to_owned(), untapped: None });
    stage.call(&f);
    stage.happens(What::Created { child: 200, thread: false });
    (stage.pid, stage.tid) = (200, 200);
    stage.call(&f);
    assert_eq!(
        stage.finish(),
        "prog->f() = <void>\nlibfilt1.so->f() = <void>\n?->f() = <void>\n--- Called exec() ---\n\
         other->f() = <void>\nother->f() = <void>\n"
    );
    let chosen =
        Style { align: 0, entry_point: Some(Rc::new(|function| function.name == "f")), ..Style::default() };
    let mut stage = Stage::new(lines, chosen);
    f.sp -= 8;
    let mut inner = unknown("g");
    inner.sp -= 80;
    stage.enter(&f);
    stage.call(&inner);
    stage.leave(&f);
    assert_eq!(
        stage.finish(),
        "f@libtest.so( <unfinished ...>\ng(0?, 0?, 0?, 0?) = 0?\n<... f resumed> ) = <void>\n"
    );
}

#[test]
fn names_are_demangled_when_asked_for() {
    let f = function("int _ZN7myclass3addEi(int)").gprs(&[3]);
    let mut plain = Stage::new(lines, Style { align: 0, ..Style::default() });
    plain.call(&f);
    assert_eq!(plain.finish(), "_ZN7myclass3addEi(3) = 0\n");
    let mut stage = Stage::new(lines, Style { align: 0, demangle: true, ..Style::default() });
    stage.call(&f);
    assert_eq!(stage.finish(), "myclass::add(int)(3) = 0\n");
}

#[test]
fn slow_calls_alone_are_shown_when_asked_for() {
    let mut stage = Stage::new(
        lines,
        Style { align: 0, slower_than_ns: Some(5000), stamps: Stamps::Epoch, ..Style::default() },
    );
    let f = function("int f(int)").gprs(&[1]).gives(2);
    stage.call(&f);
    stage.enter(&f);
    stage.at_ns += 10_000;
    stage.leave(&f);
    assert_eq!(stage.finish(), "0.001002 f(1) = 2\n");
}

#[test]
fn failed_calls_alone_are_shown_with_their_errors() {
    let mut stage = Stage::new(lines, Style { align: 0, only_errors: true, ..Style::default() });
    let mut open = function("int open(string, int)").gprs(&[0x10]).at(0x10, b"/none\0").gives(3);
    stage.call(&open);
    (open.values.rax, open.errno) = (u64::MAX, 2);
    stage.call(&open);
    assert_eq!(stage.finish(), "open(\"/none\", 0) = -1 ENOENT (No such file or directory)\n");
}

#[test]
fn colours_take_no_columns() {
    let style = || Style { align: 30, ..Style::default() };
    let f = function("int f(string, char)").gprs(&[0x10, 0x41]).at(0x10, b"text\0");
    let mut plain = Stage::new(lines, style());
    let mut colored = Stage::new(lines, Style { color: true, ..style() });
    plain.call(&f);
    colored.call(&f);
    let (plain, colored) = (plain.finish(), colored.finish());
    assert!(colored.len() > plain.len());
    let mut without = String::new();
    let mut parts = colored.split('\x1b');
    without += parts.next().unwrap();
    for part in parts {
        without += part.split_once('m').unwrap().1;
    }
    assert_eq!(without, plain);
}

#[test]
fn frames_stand_below_the_call() {
    struct Two;
    impl Frames for Two {
        fn lines(&mut self, pid: u32, stack: u32) -> Vec<String> {
            vec![format!("prog(work+0x10) [{pid}]"), format!("prog(main+0x20) [{stack}]")]
        }
    }
    let mut stage = Stage::new(lines, Style { align: 0, frames: Some(Box::new(Two)), ..Style::default() });
    let mut f = function("void f()");
    f.stack = 7;
    stage.call(&f);
    assert_eq!(stage.finish(), "f() = <void>\n > prog(work+0x10) [123]\n > prog(main+0x20) [7]\n\n");
}
