use super::stage::{Made, Stage, function};
use crate::trace::print::{Style, lines};

fn line(made: &Made) -> String {
    let mut stage = Stage::new(lines, Style { align: 0, ..Style::default() });
    stage.call(made);
    stage.finish()
}

fn printf(format: &str) -> Made {
    function("int printf(format)")
        .gprs(&[0x10])
        .at(0x10, format.as_bytes())
        .at(0x10 + format.len() as u64, b"\0")
}

#[test]
fn a_format_says_which_arguments_follow() {
    let f = printf("%d %ld %g %c\n").gprs(&[0x10, 5, 6, 0x58]).doubles(&[1.5]);
    assert_eq!(line(&f), "printf(\"%d %ld %g %c\\n\", 5, 6, 1.500000, 'X') = 0\n");
    let f = printf("%hd %hhd %u %x %o %p %p %%")
        .gprs(&[0x10, 7, u64::MAX, u64::MAX, 0x18, 8])
        .on_stack(&[0x42, 0]);
    assert_eq!(
        line(&f),
        "printf(\"%hd %hhd %u %x %o %p %p %%\", 7, -1, 4294967295, 0x18, 010, 0x42, nil) = 0\n"
    );
}

#[test]
fn strings_of_a_format_are_as_long_as_it_says() {
    let f = printf("%s %10s %.3s").gprs(&[0x10, 0x1000, 0x2000, 0x3000]);
    let f = f.at(0x1000, b"a string\0").at(0x2000, b"a trimmed string\0").at(0x3000, b"abcdef\0");
    assert_eq!(line(&f), "printf(\"%s %10s %.3s\", \"a string\", \"a trimmed \", \"abc\") = 0\n");
    let f = printf("%*s%ls").gprs(&[0x10, 4, 0x1000, 0x2000]).at(0x1000, b"a trimmed string\0");
    let f = f.at(0x2000, &['ч' as u32, 'т' as u32, 0].map(u32::to_le_bytes).concat());
    assert_eq!(line(&f), "printf(\"%*s%ls\", 4, \"a tr\", \"чт\") = 0\n");
}

#[test]
fn arguments_go_on_in_memory_when_registers_are_used_up() {
    let f = printf("%d %d %d %d %d %d %d %g%g%g%g%g%g%g%g%g %Lg %d");
    let extended = [0_u64, 0, 0xc000_0000_0000_0000, 0x3fff];
    let f = f.gprs(&[0x10, 1, 2, 3, 4, 5]).doubles(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
    // Two integers, a double, padding, a long double.
    let words = [6, 7, 9.0_f64.to_bits(), 0, extended[2], extended[3], 8];
    let text = line(&f.on_stack(&words));
    assert!(
        text.contains(
            "\"..., 1, 2, 3, 4, 5, 6, 7, 1.000000, 2.000000, 3.000000, 4.000000, 5.000000, 6.000000, 7.000000, \
             8.000000, 9.000000, 1.500000, 8) = 0"
        ),
        "{text}"
    );
}

#[test]
fn arguments_of_an_unreadable_format_are_unknown() {
    let f = function("int printf(format)").gprs(&[0x10, 5]);
    assert_eq!(line(&f), "printf(0x10?, ?) = 0\n");
}

#[test]
fn twenty_arguments_are_found_where_they_are() {
    let f = function(
        "void f(int, int, long, double, char, int, float, char, int, double, int, double, char, int, short, int, char)",
    );
    let mut f = f.gprs(&[1, 2, 3, b'5'.into(), 6, b'8'.into()]).doubles(&[4.0, 0.0, 10.0, 12.0]);
    f.values.vectors[1] = u64::from(7.0_f32.to_bits());
    let f = f.on_stack(&[9, 11, b'A'.into(), 14, 15, 16, b'B'.into()]);
    assert_eq!(
        line(&f),
        "f(1, 2, 3, 4.000000, '5', 6, 7.000000, '8', 9, 10.000000, 11, 12.000000, 'A', 14, 15, 16, 'B') = <void>\n"
    );
}

#[test]
fn what_is_shown_on_return_is_what_memory_holds_then() {
    let mut stage = Stage::new(lines, Style { align: 0, ..Style::default() });
    let read = function("long read(int, +string[retval], ulong)").gprs(&[3, 0x10, 64]);
    stage.enter(&read.clone().at(0x10, b"before"));
    stage.leave(&read.at(0x10, b"vm\n").gives(3));
    assert_eq!(stage.finish(), "read(3, \"vm\\n\", 64) = 3\n");
}

#[test]
fn an_argument_that_was_not_passed_is_not_shown() {
    let open = || function("int open(addr, oct(int), when(arg2 & 0100, oct(uint)))");
    assert_eq!(line(&open().gprs(&[0x10, 0o101, 0o644]).gives(3)), "open(0x10, 0101, 0644) = 3\n");
    assert_eq!(line(&open().gprs(&[0x10, 0, 0o644]).gives(3)), "open(0x10, 00) = 3\n");
}
