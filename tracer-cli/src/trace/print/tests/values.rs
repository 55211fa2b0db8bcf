use super::stage::{Made, Stage, function, unknown};
use crate::trace::print::{Style, lines};

/// The line of a call, with its result not aligned.
fn line(made: &Made) -> String {
    styled(made, Style::default())
}

fn styled(made: &Made, style: Style) -> String {
    let mut stage = Stage::new(lines, Style { align: 0, ..style });
    stage.call(made);
    let text = stage.finish();
    text.strip_suffix('\n').unwrap().to_owned()
}

#[test]
fn integers_are_shown_in_their_width() {
    let f = function("long f(short, ushort, int, uint, long, ulong)");
    let all = u64::MAX;
    assert_eq!(
        line(&f.gprs(&[all, all, all, all, all, all]).gives(-5)),
        "f(-1, 65535, -1, 4294967295, -1, 18446744073709551615) = -5"
    );
    let f = function("int f(octal, oct(short), hex(int), hex(long), octal(long))");
    assert_eq!(line(&f.gprs(&[22, u64::MAX, u64::MAX, 0, 0])), "f(026, 0177777, 0xffffffff, 0, 00) = 0");
    let f = function("octal(long) f()");
    assert_eq!(line(&f.gives(-1)), "f() = 01777777777777777777777");
    let f = function("ushort f(guess(long), guess(long), guess(long))");
    assert_eq!(
        line(&f.gprs(&[10_000, 10_001, -10_001_i64 as u64]).gives(-1)),
        "f(10000, 0x2711, 0xffffffffffffd8ef) = 65535"
    );
}

#[test]
fn booleans_and_hidden_values_are_shown_as_their_lenses_say() {
    let f = function("bool(int) f(int, bool(int), hide(int), bool(char))");
    assert_eq!(line(&f.gprs(&[1, 10, 7, 0]).gives(0)), "f(1, true, false) = false");
    let f = function("void f(hide(int), int, hide(int))");
    assert_eq!(line(&f.gprs(&[1, 2, 3])), "f(2) = <void>");
    assert_eq!(line(&function("void f(hide(int))")), "f() = <void>");
}

#[test]
fn characters_are_quoted_and_escaped() {
    let f = function("char f(char, char, char, char, char, char)");
    assert_eq!(
        line(&f.gprs(&[b'a'.into(), 0, b'\''.into(), 0xff, 7, b'\\'.into()]).gives(200)),
        r"f('a', '\0', ''', '\377', '\a', '\\') = '\310'"
    );
    let f = function("string(int) f(string(int), string(int), string(uint))");
    assert_eq!(line(&f.gprs(&[0x424, 9, 0x2022]).gives(-1)), r"f('Ф', '\t', '•') = EOF");
}

#[test]
fn strings_are_quoted_escaped_and_cut() {
    let f = function("string f(string, string[4], string)");
    let f = f.gprs(&[0x1000, 0x2000, 0]).gives(0x3000);
    let f = f.at(0x1000, b"a\"b'c\\d\n\x01\x1b\x7f\xff\xc3\xa9z\0").at(0x2000, b"Hello").at(0x3000, b"\0");
    assert_eq!(line(&f), r#"f("a"b'c\\d\n\001\033\177\377\303\251z", "Hell", nil) = """#);
    let f = function("void f(string, string)").gprs(&[0x1000, 0x2000]);
    let f = f
        .at(0x1000, b"0123456789012345678901234567890123\0")
        .at(0x2000, b"01234567890123456789012345678901\0");
    assert_eq!(
        line(&f),
        r#"f("01234567890123456789012345678901"..., "01234567890123456789012345678901") = <void>"#
    );
    assert_eq!(
        styled(&f, Style { string_limit: 3, ..Style::default() }),
        r#"f("012"..., "012"...) = <void>"#
    );
}

#[test]
fn what_could_not_be_read_is_marked() {
    let f = function("void f(string, string, int*, string*)").gprs(&[0x1000, 0x2000, 8, 0x3000]);
    let f = f.at(0x2000, b"abc").at(0x3000, &0x5000_u64.to_le_bytes());
    assert_eq!(line(&f), r#"f(0x1000?, "abc"?, 0x8?, 0x5000?) = <void>"#);
    let f = function("void f(struct(int, int)*, array(int, 3)*)").gprs(&[0x1000, 0x2000]);
    let f = f.at(0x1000, &1_u32.to_le_bytes()).at(0x2000, &[1, 0, 0, 0, 2, 0, 0, 0, 3]);
    assert_eq!(line(&f), "f({ 1, ? }, [ 1, 2, ? ]) = <void>");
}

#[test]
fn wide_strings_are_shown_in_utf_8() {
    let wide = |text: &str| -> Vec<u8> { text.chars().flat_map(|c| (c as u32).to_le_bytes()).collect() };
    let conf =
        "typedef wstring = string(array(uint, zero)*);\nlong f(wstring, string(array(int, arg3)*), int);";
    let f = function(conf).gprs(&[0x1000, 0x2000, 3]).gives(4);
    let f = f.at(0x1000, &wide("Что-то.\n\"\0")).at(0x2000, &wide("a\u{85}\0"));
    assert_eq!(line(&f), r#"f("Что-то.\n"", "a\x85\0", 3) = 4"#);
    // A character is one column wide, whatever bytes it takes.
    let mut stage = Stage::new(lines, Style { align: 20, ..Style::default() });
    let f = function("void f(string(array(uint, zero)*))").gprs(&[0x1000]).at(0x1000, &wide("да\0"));
    stage.call(&f);
    assert_eq!(stage.finish(), "f(\"да\")            = <void>\n");
}

#[test]
fn pointers_are_followed_to_what_they_lead_to() {
    let f = function("int** f(int*, int***, void*, addr, void**, char*)");
    let f = f.gprs(&[0x10, 0x20, 0, 0x99, 0x50, 0x60]).gives(0x30);
    let f = f.at(0x10, &17_u32.to_le_bytes()).at(0x20, &0x30_u64.to_le_bytes());
    let f = f.at(0x30, &0x40_u64.to_le_bytes()).at(0x40, &80_u32.to_le_bytes());
    let f = f.at(0x50, &0x7ffe_u64.to_le_bytes()).at(0x60, b"x");
    assert_eq!(line(&f), "f(17, 80, nil, 0x99, 0x7ffe, 'x') = 80");
    let f = function("typedef hexptr = hex(uint*);\nvoid f(hexptr)")
        .gprs(&[0x10])
        .at(0x10, &0x123_u32.to_le_bytes());
    assert_eq!(line(&f), "f(0x123) = <void>");
}

#[test]
fn arrays_show_their_first_elements() {
    let numbers: Vec<u8> = (10_u32..18).flat_map(u32::to_le_bytes).collect();
    let f = function("void f(array(int, arg2)*, int)").at(0x10, &numbers);
    for (count, shown) in [
        (0, "f([  ], 0)"),
        (2, "f([ 10, 11 ], 2)"),
        (4, "f([ 10, 11, 12, 13 ], 4)"),
        (8, "f([ 10, 11, 12, 13... ], 8)"),
        (-1_i64, "f(0x10, -1)"),
    ] {
        assert_eq!(line(&f.clone().gprs(&[0x10, count as u64])), format!("{shown} = <void>"));
    }
    let f = function("void f(array(float, zero)*, array(hex(int), zero(2))*)").gprs(&[0x10, 0x20]);
    let f = f
        .at(0x10, &[10.1_f32, 0.0].map(f32::to_le_bytes).concat())
        .at(0x20, &[1, 0, 0, 0, 2, 0, 0, 0, 9, 0, 0, 0]);
    assert_eq!(line(&f), "f([ 10.100000 ], [ 0x1, 0x2 ]) = <void>");
}

#[test]
fn the_length_of_an_array_may_be_the_result_or_another_member() {
    let f = function("int f(+string[retval], +string0)").gprs(&[0x10, 0x10]).at(0x10, b"Hello world");
    assert_eq!(line(&f.clone().gives(5)), r#"f("Hello", "Hello") = 5"#);
    assert_eq!(line(&f.gives(-1)), "f(0x10, 0x10) = -1");
    let conf =
        "void f(struct(int,int,int,array(struct(int,int),elt2)*,array(struct(int,int),3),string[elt3])*)";
    let words = |words: &[u32]| -> Vec<u8> { words.iter().flat_map(|word| word.to_le_bytes()).collect() };
    let f = function(conf).gprs(&[0x1000]);
    let f = f.at(0x1000, &words(&[89, 2, 3, 0, 0x2000, 0, 4, 40, 5, 50, 6, 60, 0x3000, 0]));
    let f = f.at(0x2000, &words(&[1, 10, 3, 30, 7, 70])).at(0x3000, b"123junk\0");
    assert_eq!(
        line(&f),
        r#"f({ 89, 2, 3, [ { 1, 10 }, { 3, 30 } ], [ { 4, 40 }, { 5, 50 }, { 6, 60 } ], "123" }) = <void>"#
    );
}

#[test]
fn structs_in_registers_are_put_together() {
    let conf = "struct(float,char,char) f(int, struct(string(array(char, 6)),float), double)";
    let mut f = function(conf).gprs(&[17, u64::from_le_bytes(*b"ABCDE\0\0\0")]);
    f.values.vectors[..2].copy_from_slice(&[u64::from(0.25_f32.to_bits()), 0.5_f64.to_bits()]);
    // A float and two characters share their eight bytes, which are an integer's then.
    f.values.rax = u64::from(0.25_f32.to_bits()) | 0x4342_0000_0000;
    assert_eq!(line(&f), r#"f(17, { "ABCDE\0", 0.250000 }, 0.500000) = { 0.250000, 'B', 'C' }"#);
    let f = function("struct() f(struct())");
    assert_eq!(line(&f), "f({  }) = {  }");
}

#[test]
fn structs_in_memory_are_shown_from_there() {
    let conf = "struct(long,long,long) f(struct(long,long,long), int)";
    let f = function(conf).gprs(&[0x9000, 3]).on_stack(&[1, 2, 4]);
    let f = f.at(0x9000, &[6_u64, 8, 10].map(u64::to_le_bytes).concat()).gives(0x9000);
    assert_eq!(line(&f), "f({ 1, 2, 4 }, 3) = { 6, 8, 10 }");
}

#[test]
fn structs_that_lead_back_are_not_followed_again() {
    let conf = "typedef xxx = struct;\ntypedef xxx = struct(int, xxx*);\nvoid ll(xxx*);";
    let node = |number: u64, next: u64| [number, next].map(u64::to_le_bytes).concat();
    let ll = function(conf).gprs(&[0x10]);
    let two = ll.clone().at(0x10, &node(2, 0x20)).at(0x20, &node(1, 0x10));
    assert_eq!(line(&two), "ll({ 2, { 1, recurse^ } }) = <void>");
    assert_eq!(line(&ll.clone().at(0x10, &node(1, 0x10))), "ll({ 1, recurse }) = <void>");
    let mut long = ll;
    for number in 0..8 {
        long = long.at(0x10 * (number + 1), &node(number, 0x10 * (number + 2)));
    }
    assert_eq!(line(&long), "ll({ 0, { 1, { 2, { 3, ... } } } }) = <void>");
}

#[test]
fn enumerations_and_flags_are_shown_by_name() {
    let f = function(
        "enum[long](A=-1) f(enum(RED, GREEN=5, BLUE), enum(A), enum[short](A=-1), enum[ulong](A=-1))",
    );
    assert_eq!(line(&f.gprs(&[6, 9, 0xffff, u64::MAX]).gives(-1)), "f(BLUE, 9, A, A) = A");
    let conf = "typedef mode = flags[int](READ=0/3, WRITE=1/3, BOTH=2/3, SYNC=48, DSYNC=16, CREATE=64, EXCL=128);\nvoid f(mode, mode, mode, mode, mode, mode);";
    let f = function(conf).gprs(&[0, 1 | 64, 2 | 48, 16, 64 | 0x1000, 3]);
    assert_eq!(line(&f), "f(READ, WRITE|CREATE, BOTH|SYNC, READ|DSYNC, READ|CREATE|0x1000, 0x3) = <void>");
    let f = function("void f(flags[int](X=1, Y=2), flags[int](NONE=0, X=1))");
    assert_eq!(line(&f), "f(0, NONE) = <void>");
}

#[test]
fn bit_vectors_list_their_bits() {
    let f =
        function("void f(bitvec(uint), bitvec(uint), bitvec(uint), bitvec(uint), bitvec(array(char, 32)*))");
    let mut bytes = [0; 32];
    (bytes[1], bytes[31]) = (0xff, 0x80);
    let f = f.gprs(&[0, 0x123, 0xffff_fffe, 0xffff_ffff, 0x10]).at(0x10, &bytes);
    assert_eq!(line(&f), "f(<>, <0-1,5,8>, ~<0>, ~<>, <8-15,255>) = <void>");
}

#[test]
fn floating_point_numbers_are_shown_as_printf_does() {
    let f = function("double f(double, double, double, double, float)");
    let mut f = f.doubles(&[f64::NAN, f64::NEG_INFINITY, -0.0, 0.000_000_5]);
    f.values.vectors[4] = u64::from(0.1_f32.to_bits());
    f.vectors[0] = 2.5_f64.to_bits();
    assert_eq!(line(&f), "f(nan, -inf, -0.000000, 0.000000, 0.100000) = 2.500000");
    let f = function("hex(float) f(hex(double), hex(double), hex(double), hex(double), hex(double))");
    let mut f = f.doubles(&[1.5, 0.1, 0.0, 5e-324, -1024.0]);
    f.vectors[0] = u64::from(0.1_f32.to_bits());
    assert_eq!(
        line(&f),
        "f(0x1.8p+0, 0x1.999999999999ap-4, 0x0p+0, 0x0.0000000000001p-1022, -0x1p+10) = 0x1.99999ap-4"
    );
}

#[test]
fn complex_numbers_and_vectors_show_their_parts() {
    let mut f = function("complex(double) f(complex(double), vector(16))").doubles(&[1.5, -2.5, 1.0]);
    f.vectors = [0.5_f64.to_bits(), 4.0_f64.to_bits()];
    assert_eq!(line(&f), "f(1.500000-2.500000i, <0x3ff0000000000000, ?>) = 0.500000+4.000000i");
}

#[test]
fn without_a_prototype_registers_are_marked_as_guesses() {
    let f = unknown("mystery").gprs(&[0x7ffe_0000, 3, 0, u64::MAX]).gives(12);
    assert_eq!(line(&f), "mystery(0x7ffe0000?, 3?, 0?, -1?) = 12?");
}
