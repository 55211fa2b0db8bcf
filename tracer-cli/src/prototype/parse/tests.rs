use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

use super::*;
use crate::prototype::types::{Condition, Expression, Kind, Lens, Names, Origin, Prototype};

/// What a text says, and what is wrong with it.
fn read(text: &str) -> (ConfigFile, Vec<String>) {
    let complaints = RefCell::new(Vec::new());
    let file = Reader {
        path: Path::new("a.conf"),
        shipped: false,
        around: &|_| None,
        import: &|name| match name {
            "types" => Ok(Rc::new(read("typedef count = ulong;").0)),
            _ => Err("no such file".to_owned()),
        },
        complain: &|complaint| complaints.borrow_mut().push(complaint.to_string()),
    }
    .read(text);
    (file, complaints.into_inner())
}

/// The prototype of `f` in a text without mistakes.
fn prototype(text: &str) -> Rc<Prototype> {
    let (file, complaints) = read(text);
    assert_eq!(complaints, [""; 0], "{text}");
    Rc::clone(file.prototype("f").unwrap_or_else(|| panic!("{text}")))
}

/// The type of `f`'s only parameter.
fn parameter(typed: &str) -> Typed {
    let prototype = prototype(&format!("void f({typed});"));
    assert_eq!(prototype.parameters.len(), 1, "{typed}");
    prototype.parameters[0].typed.clone()
}

fn mistake(line: &str) -> String {
    let (file, complaints) = read(line);
    assert!(file.prototype("f").is_none(), "{line}");
    assert_eq!(complaints.len(), 1, "{line}: {complaints:?}");
    complaints.into_iter().next().unwrap()
}

fn int(bytes: u8, signed: bool) -> Typed {
    Typed::plain(Kind::Int { bytes, signed })
}

fn pointer(to: Typed) -> Typed {
    Typed::plain(Kind::Pointer(Rc::new(to)))
}

fn array(of: Typed, length: Expression) -> Typed {
    Typed::plain(Kind::Array { of: Rc::new(of), length })
}

fn with(lens: Lens, typed: Typed) -> Typed {
    Typed { lens, ..typed }
}

fn zero(most: Expression) -> Expression {
    Expression::Zero(Some(Box::new(most)))
}

fn string(length: Expression) -> Typed {
    with(Lens::String, pointer(array(Typed::plain(Kind::Char), length)))
}

#[test]
fn each_base_type_has_its_size_and_sign() {
    for (text, typed) in [
        ("char", Typed::plain(Kind::Char)),
        ("short", int(2, true)),
        ("ushort", int(2, false)),
        ("int", int(4, true)),
        ("itn", int(4, true)),
        ("uint", int(4, false)),
        ("long", int(8, true)),
        ("ulong", int(8, false)),
        ("float", Typed::plain(Kind::Float(4))),
        ("double", Typed::plain(Kind::Float(8))),
        ("addr", pointer(Typed::plain(Kind::Void))),
        ("file", pointer(Typed::plain(Kind::Void))),
        ("char * *", pointer(pointer(Typed::plain(Kind::Char)))),
        ("long long", int(8, true)),
        ("ullong", int(8, false)),
        ("uchar", int(1, false)),
        ("schar*", pointer(int(1, true))),
        ("wchar", int(4, true)),
        ("long double", Typed::plain(Kind::Float(16))),
        ("ldouble", Typed::plain(Kind::Float(16))),
        ("complex(float)", Typed::plain(Kind::Complex(4))),
        ("complex(long double)", Typed::plain(Kind::Complex(16))),
        ("ldouble_complex", Typed::plain(Kind::Complex(16))),
        ("vector(32)", Typed::plain(Kind::Vector(32))),
    ] {
        assert_eq!(parameter(text), typed, "{text}");
    }
}

#[test]
fn each_lens_stands_around_a_type() {
    for (text, typed) in [
        ("hide(int)", with(Lens::Hide, int(4, true))),
        ("octal", with(Lens::Octal, int(4, true))),
        ("oct", with(Lens::Octal, int(4, true))),
        ("oct(uint)", with(Lens::Octal, int(4, false))),
        ("octal( ushort )", with(Lens::Octal, int(2, false))),
        ("hex(double)", with(Lens::Hex, Typed::plain(Kind::Float(8)))),
        ("bitvec(ulong)", with(Lens::Bits, int(8, false))),
        ("bool(int)", with(Lens::Bool, int(4, true))),
        ("guess(long)", with(Lens::Guess, int(8, true))),
        ("hex(uint)*", pointer(with(Lens::Hex, int(4, false)))),
        ("hide(hex(int))", with(Lens::Hide, int(4, true))),
    ] {
        assert_eq!(parameter(text), typed, "{text}");
    }
}

#[test]
fn a_string_has_many_forms() {
    let chars = |length| array(Typed::plain(Kind::Char), length);
    for (text, typed) in [
        ("string", string(Expression::Zero(None))),
        ("string0", string(zero(Expression::Returned))),
        ("string3", string(zero(Expression::Argument(3)))),
        ("string[retval]", string(zero(Expression::Returned))),
        ("string[ arg2 ]", string(zero(Expression::Argument(2)))),
        ("string[16]", string(zero(Expression::Constant(16)))),
        ("string[zero]", string(Expression::Zero(None))),
        ("string[zero(arg1)]", string(zero(Expression::Argument(1)))),
        ("string(array(char, arg3)*)", string(Expression::Argument(3))),
        ("string(char*)", string(Expression::Zero(None))),
        ("string*", pointer(string(Expression::Zero(None)))),
        (
            "string(array(uint, zero)*)",
            with(Lens::String, pointer(array(int(4, false), Expression::Zero(None)))),
        ),
        ("wstring", with(Lens::String, pointer(array(int(4, true), Expression::Zero(None))))),
        ("wstring2", with(Lens::String, pointer(array(int(4, true), zero(Expression::Argument(2)))))),
    ] {
        assert_eq!(parameter(text), typed, "{text}");
    }
    let member = parameter("struct(string(array(char, 6)), float)*");
    let Kind::Pointer(to) = member.kind else { panic!() };
    let Kind::Struct(of) = &to.kind else { panic!() };
    let six = with(Lens::String, chars(Expression::Constant(6)));
    assert_eq!(of.members.get().unwrap()[..], [six, Typed::plain(Kind::Float(4))]);
}

#[test]
fn a_format_brings_the_arguments_behind_it() {
    let f = prototype("int f(+string*, format);");
    let kinds: Vec<_> = f.parameters.iter().map(|p| (&p.typed.lens, p.on_return)).collect();
    assert_eq!(kinds, [(&Lens::Default, true), (&Lens::Format, true), (&Lens::Default, true)]);
    assert_eq!(f.parameters[2].typed.kind, Kind::Variadic);

    let f = prototype("typedef wide = string(array(uint, zero)*);\nint f(format(wide), int);");
    let Kind::Pointer(to) = &f.parameters[0].typed.kind else { panic!() };
    assert_eq!(**to, array(int(4, false), Expression::Zero(None)));
    assert_eq!(f.parameters[0].typed.lens, Lens::Format);
    assert_eq!(f.parameters[1].typed, int(4, true));
    assert_eq!(f.parameters[2].typed.kind, Kind::Variadic);
    assert!(!f.parameters[2].on_return);

    assert!(mistake("int f(format, format);").contains("only one 'format'"));
    assert!(mistake("format f(int);").contains("only a parameter"));
    assert!(mistake("int f(struct(format));").contains("only a parameter"));
}

#[test]
fn what_is_passed_as_an_array_is_a_pointer() {
    let typed = parameter("array(int, 4)");
    assert_eq!(typed, pointer(array(int(4, true), Expression::Constant(4))));
    let f = prototype("array(ushort,3)* f(array(string, arg2), int);");
    assert_eq!(f.returns, pointer(array(int(2, false), Expression::Constant(3))));
    let of_strings = pointer(array(string(Expression::Zero(None)), Expression::Argument(2)));
    assert_eq!(f.parameters[0].typed, of_strings);
    assert_eq!(parameter("struct(ulong, array(int,elt1))*").layout().0, 8);
    let hidden = parameter("hide(array(int, zero(8)))");
    assert_eq!(hidden.lens, Lens::Hide);
}

#[test]
fn an_enum_counts_on_from_its_last_value() {
    let typed = parameter("enum(A, B=4, C, D=-1, E=0x10, F=010,)");
    assert_eq!(typed.kind, Kind::Int { bytes: 4, signed: true });
    let Lens::Enum(names) = typed.lens else { panic!() };
    let values: Vec<_> = names.values.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    assert_eq!(values, [("A", 0), ("B", 4), ("C", 5), ("D", -1), ("E", 16), ("F", 8)]);
    assert_eq!(parameter("enum[ulong](A)").kind, Kind::Int { bytes: 8, signed: false });
    assert_eq!(parameter("enum [ short ] (A = 1)").kind, Kind::Int { bytes: 2, signed: true });
    assert_eq!(parameter("enum[char](A)").kind, Kind::Int { bytes: 1, signed: true });
    assert!(mistake("void f(enum[double](A));").contains("integer type"));
    assert!(mistake("void f(enum(A=B));").contains("expected a number, but found 'B'"));
}

#[test]
fn flags_are_bits_or_values_of_a_group_of_bits() {
    let typed = parameter("flags[uint](RDONLY=0/3, WRONLY=1/3, CREAT=0100, SYNC=0x101000)");
    assert_eq!(typed.kind, Kind::Int { bytes: 4, signed: false });
    let named = |name: &str, value| (name.to_owned(), value);
    let expected = Names {
        values: vec![named("RDONLY", 0), named("WRONLY", 1), named("CREAT", 0o100), named("SYNC", 0x10_1000)],
        masks: vec![3],
    };
    assert_eq!(typed.lens, Lens::Flags(Rc::new(expected)));
    assert!(mistake("void f(flags(A));").contains("expected '='"));
    assert!(mistake("void f(flags(A=4/3));").contains("outside of its mask"));
}

#[test]
fn types_have_names_and_structs_may_point_to_themselves() {
    let f = prototype(
        "import \"types\";\n\
         typedef list = struct;\n\
         typedef list = struct(int, list*);\n\
         count f(list*, list);",
    );
    assert_eq!(f.returns, int(8, false));
    let Kind::Struct(list) = &f.parameters[1].typed.kind else { panic!() };
    let Kind::Pointer(next) = &list.members.get().unwrap()[1].kind else { panic!() };
    let Kind::Struct(next) = &next.kind else { panic!() };
    assert!(Rc::ptr_eq(list, next));
    assert_eq!(list.layout(), (16, 8));

    let twice = "typedef a = int;\ntypedef a = long;\nvoid f(a);";
    let (file, complaints) = read(twice);
    assert_eq!(file.prototype("f").unwrap().parameters[0].typed, int(4, true));
    assert!(complaints[0].starts_with("a.conf:2: error: this file has a typedef 'a' already\nhint: "));
    let announced = "typedef a = struct;\n";
    for (line, what) in [
        ("typedef a = struct(a);", "would hold itself"),
        ("typedef a = struct(struct(int, array(a, 2)));", "would hold itself"),
        ("typedef a = int;", "this is none"),
        ("typedef a = struct;", "already"),
        ("void f(struct);", "expected '('"),
    ] {
        let complaint = mistake(&format!("{announced}{line}"));
        assert!(complaint.starts_with("a.conf:2: error: ") && complaint.contains(what), "{complaint}");
    }
}

#[test]
fn long_double_is_what_it_says_even_in_files_for_ltrace() {
    let f = prototype(
        "typedef ldouble = double;\ntypedef ldouble_complex = struct(ldouble, ldouble);\n\
         ldouble_complex f(ldouble);",
    );
    assert_eq!(f.parameters[0].typed.kind, Kind::Float(16));
    assert_eq!(f.returns.kind, Kind::Complex(16));
    let f = prototype("typedef ldouble = int;\nvoid f(ldouble);");
    assert_eq!(f.parameters[0].typed, int(4, true));
}

#[test]
fn void_alone_is_nothing_and_among_others_something_hidden() {
    assert_eq!(prototype("int f(void);").parameters, []);
    assert_eq!(prototype("int f();").parameters, []);
    assert_eq!(prototype("int f( ) anything").parameters, []);
    let (file, complaints) = read("int f(int, void, long);");
    let f = file.prototype("f").unwrap();
    assert_eq!(f.parameters[1].typed, with(Lens::Hide, int(4, true)));
    assert!(complaints[0].starts_with("a.conf:1: warning: "), "{complaints:?}");
}

#[test]
fn the_first_plus_begins_the_right_side() {
    let f = prototype("long f(int, +string[retval], ulong, +int*);");
    let sides: Vec<_> = f.parameters.iter().map(|parameter| parameter.on_return).collect();
    assert_eq!(sides, [false, true, true, true]);
    assert_eq!(f.origin, Origin::File("a.conf".into(), 1));
}

#[test]
fn remarks_and_blank_lines_say_nothing() {
    let text = "; a remark\n  # another\n\n\t\nfunction void f(int);\t\t; and one behind\r\n";
    assert_eq!(prototype(text).parameters.len(), 1);
}

#[test]
fn the_last_prototype_of_a_function_counts() {
    assert_eq!(prototype("int f(int);\nvoid f(long, long);").parameters.len(), 2);
}

#[test]
fn a_mistake_is_told_with_its_line_and_the_next_line_is_read() {
    let (file, complaints) = read("int g(int;\nint f(foo_t);\nint f(int);\n");
    assert_eq!(file.prototype("f").unwrap().origin, Origin::File("a.conf".into(), 3));
    assert_eq!(complaints[0], "a.conf:1: error: expected ',' or ')', but found ';' (column 10)");
    assert_eq!(
        complaints[1],
        "a.conf:2: error: unknown type 'foo_t'\n\
         hint: define it first (typedef foo_t = ...;), or import the file that does"
    );
    for (line, what) in [
        ("int f(array(int,zero();", "expected a length"),
        ("int f(array(int, 08));", "expected a length"),
        ("int f(array(int, elt0)*);", "expected a length"),
        ("int f(array(int));", "expected ','"),
        ("int f(int]);", "expected ',' or ')', but found ']'"),
        ("int f(hex int);", "expected '(' behind 'hex'"),
        ("int f(hex(int;", "expected ')'"),
        ("int (int);", "expected the function's name"),
        ("int f", "expected '(', but found the end of the line"),
        ("int f(vector(8));", "no vector has 8 bytes"),
        ("int f(complex(int));", "is of float"),
        ("int f(struct(int, void));", "cannot be void"),
        ("typedef = int;", "the name of a type"),
        ("typedef a int;", "expected '='"),
        ("import types;", "in quotation marks"),
        ("import \"none\";", "cannot import \"none\": no such file"),
    ] {
        let complaint = mistake(line);
        assert!(complaint.starts_with("a.conf:1: error: ") && complaint.contains(what), "{complaint}");
    }
}

#[test]
fn types_within_types_have_an_end() {
    for (before, after) in [("array(", ""), ("hex(", ""), ("", "*")] {
        let line = format!("void f({}int{});", before.repeat(100_000), after.repeat(100_000));
        assert!(mistake(&line).contains("more than 64 types"));
    }
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_fail(text in "(int|f|struct|enum|flags|string|array|zero|arg1|[(),=;*+/ 0-9\n]|\\PC){0,60}") {
        let _ = read(&text);
        let _ = read(&format!("void f({text}"));
        let _ = read(&format!("typedef t = {text}"));
    }
}

#[test]
fn parameters_may_depend_on_others() {
    let opened = prototype("int f(string, int, when(arg2 & 0100, octal(uint)));");
    let passed = opened.parameters[2].passed.as_ref().unwrap();
    assert_eq!(*passed, Condition::Bits(2, 0o100));
    assert!(passed.holds(|number| (number == 1).then_some(0o101)));
    assert!(!passed.holds(|number| (number == 1).then_some(1)));
    assert!(passed.holds(|_| None), "what is not known hides nothing");
    let controlled = prototype("int f(int, int, unless(arg2 = 1|3, long));");
    let passed = controlled.parameters[2].passed.as_ref().unwrap();
    assert!(passed.holds(|_| Some(2)) && !passed.holds(|_| Some(3)));
    assert!(mistake("int f(int, when(retval & 1, int));").contains("expected an argument"));
    assert!(mistake("int f(int, unless(arg1 & 1, int));").contains("'='"));
}
