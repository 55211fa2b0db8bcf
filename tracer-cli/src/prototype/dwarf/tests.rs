use std::process::Command;

use super::*;
use crate::prototype::exports::Exports;
use crate::prototype::types::{Expression, Struct};

const SOURCE: &str = r#"
#include <complex.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <wchar.h>
enum colour { RED, GREEN = 4, BLUE };
struct list { int x; struct list *next; };
struct odd { char c; int a : 20; int b : 4; char e; double d; };
struct __attribute__((packed)) packed { char c; int i; };
union bits { int i; unsigned char bytes[4]; };
union mixed { int i; float f; };
typedef struct { short s[2][3]; const char *name; } named;
typedef int v4 __attribute__((vector_size(16)));
struct opaque;
static int hidden(int a, int b, int c) { return a + b + c; }
enum colour base(_Bool b, char c, unsigned char u, short s, unsigned short us, int i, unsigned ui, long l,
    unsigned long ul, long long ll, float f, double d, long double ld, double complex z) { return RED; }
struct list lists(struct list *by_pointer, const struct list by_value) { return by_value; }
char *strings(const char *in, char *out, const wchar_t *wide, char **all, const volatile void *any) { return out; }
void others(named *n, struct odd *o, union bits *u, struct opaque *p, int (*call)(int), v4 v, named m) { hidden(1, 2, 3); }
int by_value(union bits b) { return b.i; }
int not_exact(struct packed p) { return p.i; }
int not_told(union mixed m) { return m.i; }
int too_wide(__int128 i) { return 0; }
void log_it(int level, const char *fmt, ...) {}
void sum(int count, ...) {}
int same(int a) { return hidden(a, a, a); }
int alias(int a) __attribute__((alias("same")));
double files(FILE *a, size_t n) { return 1; }
"#;

/// A library of this source with its debug information, and what is told of its functions.
struct Library {
    directory: tempfile::TempDir,
}

impl Library {
    fn new(compiler: &str, name: &str, source: &str, options: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join(name), source).unwrap();
        let library = Self { directory };
        let fixed = ["-g", "-shared", "-fPIC", "-w", "-o", "lib.so", name];
        library.run(compiler, &[&fixed, options].concat());
        library
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let output =
            Command::new(program).args(arguments).current_dir(self.directory.path()).output().unwrap();
        assert!(output.status.success(), "{program} {arguments:?}: {output:?}");
    }

    fn functions(&self) -> HashMap<String, Rc<Prototype>> {
        let path = self.directory.path().join("lib.so");
        let file = File::open(&path).unwrap();
        let exports = Exports::read(&file).unwrap();
        let symbols = exports.all().collect();
        let typed = |name: &str| {
            (name == "_IO_FILE").then(|| Typed::plain(Kind::Pointer(Rc::new(Typed::plain(Kind::Void)))))
        };
        read(&file, &path, &[], &Wanted { symbols: &symbols, typed: &typed })
    }
}

fn kinds(prototype: &Prototype) -> Vec<Kind> {
    prototype.parameters.iter().map(|parameter| parameter.typed.kind.clone()).collect()
}

fn int(bytes: u8, signed: bool) -> Kind {
    Kind::Int { bytes, signed }
}

/// What a pointer or struct has in it.
fn of(typed: &Typed) -> &Rc<Struct> {
    match &typed.kind {
        Kind::Struct(of) => of,
        Kind::Pointer(to) => self::of(to),
        other => panic!("{other:?}"),
    }
}

fn members(typed: &Typed) -> Vec<Kind> {
    of(typed).members.get().unwrap().iter().map(|member| member.kind.clone()).collect()
}

#[test]
fn each_base_type_is_what_it_is() {
    for options in [&["-gdwarf-5"][..], &["-gdwarf-4"], &["-O2"], &["-gz=zlib"]] {
        let known = Library::new("cc", "a.c", SOURCE, options).functions();
        let base = &known["base"];
        assert_eq!(
            kinds(base),
            [
                int(1, false),
                Kind::Char,
                int(1, false),
                int(2, true),
                int(2, false),
                int(4, true),
                int(4, false),
                int(8, true),
                int(8, false),
                int(8, true),
                Kind::Float(4),
                Kind::Float(8),
                Kind::Float(16),
                Kind::Complex(8)
            ],
            "{options:?}"
        );
        assert_eq!(base.parameters[0].typed.lens, Lens::Bool);
        assert_eq!(base.parameters[13].name.as_deref(), Some("z"));
        assert_eq!(base.origin, Origin::Dwarf);
        let Lens::Enum(names) = &base.returns.lens else { panic!() };
        let values: Vec<_> = names.values.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        assert_eq!(values, [("RED", 0), ("GREEN", 4), ("BLUE", 5)]);
        assert!(!known.contains_key("hidden"));
    }
}

#[test]
fn structs_are_laid_out_as_they_are() {
    let known = Library::new("cc", "a.c", SOURCE, &[]).functions();
    let lists = &known["lists"];
    let list = of(&lists.returns);
    assert!(
        Rc::ptr_eq(list, of(&lists.parameters[0].typed)) && Rc::ptr_eq(list, of(&lists.parameters[1].typed))
    );
    assert!(Rc::ptr_eq(list, of(&list.members.get().unwrap()[1])));
    assert_eq!(list.layout(), (16, 8));

    let others = &known["others"];
    let named = &others.parameters[0].typed;
    let three = Kind::Array { of: Rc::new(Typed::plain(int(2, true))), length: Expression::Constant(3) };
    let two = Kind::Array { of: Rc::new(Typed::plain(three)), length: Expression::Constant(2) };
    assert_eq!(members(named), [two, types::text(Kind::Char).kind]);
    let odd = of(&others.parameters[1].typed);
    assert_eq!(odd.layout(), (16, 8));
    let hidden: Vec<_> = odd.members.get().unwrap().iter().map(|m| m.lens == Lens::Hide).collect();
    assert_eq!(hidden, [false, true, false, false], "the bit-fields are between the others");
    assert_eq!(of(&others.parameters[2].typed).layout().0, 4);
    assert_eq!(others.parameters[3].typed.kind, pointer_to_nothing());
    assert_eq!(others.parameters[4].typed.kind, pointer_to_nothing());
    assert_eq!(others.parameters[5].typed.kind, Kind::Vector(16));
    assert_eq!(of(&others.parameters[6].typed).layout().0, 24);
}

#[test]
fn what_has_no_exact_type_is_not_told() {
    let known = Library::new("cc", "a.c", SOURCE, &[]).functions();
    assert!(known.contains_key("by_value"));
    for name in ["not_exact", "not_told", "too_wide"] {
        assert!(!known.contains_key(name), "{name}");
    }
}

#[test]
fn constant_characters_are_strings_and_others_may_be_written_to() {
    let known = Library::new("cc", "a.c", SOURCE, &[]).functions();
    let strings = &known["strings"];
    assert_eq!(strings.returns, types::text(Kind::Char));
    assert_eq!(strings.parameters[0].typed, types::text(Kind::Char));
    assert_eq!(strings.parameters[1].typed.kind, Kind::Pointer(Rc::new(Typed::plain(Kind::Char))));
    assert_eq!(strings.parameters[2].typed, types::text(int(4, true)));
    assert_eq!(strings.parameters[4].typed.kind, pointer_to_nothing());
    let log = &known["log_it"];
    assert_eq!(
        (&log.parameters[1].typed.lens, &log.parameters[2].typed.kind),
        (&Lens::Format, &Kind::Variadic)
    );
    assert_eq!(known["sum"].parameters.len(), 1);
}

#[test]
fn types_of_files_and_other_names_count() {
    let known = Library::new("cc", "a.c", SOURCE, &[]).functions();
    assert_eq!(kinds(&known["alias"]), kinds(&known["same"]));
    let file = &known["files"].parameters[0].typed;
    assert_eq!(file.kind, Kind::Pointer(Rc::new(Typed::plain(pointer_to_nothing()))));
}

#[test]
fn separate_debug_information_is_found() {
    let library = Library::new("cc", "a.c", SOURCE, &[]);
    let whole = library.functions().len();
    library.run("objcopy", &["--only-keep-debug", "--compress-debug-sections=zlib", "lib.so", "lib.debug"]);
    library.run("objcopy", &["--strip-all", "--add-gnu-debuglink=lib.debug", "lib.so"]);
    assert_eq!(library.functions().len(), whole);
    library.run("rm", &["lib.debug"]);
    assert_eq!(library.functions().len(), 0);
}

#[test]
fn classes_are_passed_as_they_are() {
    let source = r"
        enum class Small : unsigned char { A = 1, B = 200 };
        struct Plain { int a; int get() const; };
        struct Base { virtual ~Base(); long b; };
        struct Derived : Base { Derived(const Derived &); int d; };
        namespace inner { Small small(Small s, const Plain &p, Plain q) { return s; } }
        int Plain::get() const { return a; }
        Derived derived(Derived d, int i) { return d; }
        struct Owner { Derived d; };
        struct Defaulted { int a; Defaulted(const Defaulted &) = default; ~Defaulted() = default; Defaulted(int); };
        template <typename T> struct Pair { T a; Pair(const Pair &); Pair(int); };
        template <typename T> struct Box { T a; Box(int); };
        void many(Owner o, Defaulted d, Pair<int> p, Box<int> b) {}
        Base::~Base() {}
    ";
    let known = Library::new("c++", "a.cc", source, &["-gdwarf-5"]).functions();
    let by_address: Vec<_> = known["_Z4many5Owner9Defaulted4PairIiE3BoxIiE"]
        .parameters
        .iter()
        .map(|parameter| matches!(parameter.typed.kind, Kind::Pointer(_)))
        .collect();
    assert_eq!(by_address, [true, false, true, false]);
    let small = &known["_ZN5inner5smallE5SmallRK5PlainS1_"];
    assert_eq!(small.returns.kind, int(1, false));
    let Lens::Enum(names) = &small.returns.lens else { panic!() };
    assert_eq!(names.values[1], ("B".to_owned(), 200));
    assert_eq!(members(&small.parameters[1].typed), [int(4, true)]);
    assert!(matches!(small.parameters[2].typed.kind, Kind::Struct(_)));
    let get = &known["_ZNK5Plain3getEv"];
    assert_eq!((get.parameters.len(), get.parameters[0].name.as_deref()), (1, Some("this")));
    // The result's address comes first and is given back; the class itself is passed by its address.
    let derived = &known["_Z7derived7Derivedi"];
    assert_eq!(derived.parameters.len(), 3);
    assert_eq!(derived.parameters[0].typed.lens, Lens::Hide);
    assert!(matches!(derived.parameters[1].typed.kind, Kind::Pointer(_)));
    assert!(matches!(derived.returns.kind, Kind::Pointer(_)));
}

#[test]
fn of_rust_only_functions_with_plain_names_are_called_as_in_c() {
    let source = "#[no_mangle] pub extern \"C\" fn plain(a: u32, b: &u8) -> f64 { 1.0 + f64::from(a) }";
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("a.rs"), source).unwrap();
    let library = Library { directory };
    let rustc = std::env::var("RUSTC").unwrap_or("rustc".into());
    library.run(&rustc, &["--crate-type=cdylib", "-g", "-o", "lib.so", "a.rs"]);
    let known = library.functions();
    let plain = &known["plain"];
    assert_eq!(kinds(plain), [int(4, false), Kind::Pointer(Rc::new(Typed::plain(int(1, false))))]);
    assert_eq!(plain.returns.kind, Kind::Float(8));
}

#[test]
fn damaged_debug_information_harms_nobody() {
    let library = Library::new("cc", "a.c", SOURCE, &[]);
    let path = library.directory.path().join("lib.so");
    let whole = std::fs::read(&path).unwrap();
    // Each time the same bytes are damaged: somewhere in the debug information, which is at the file's end.
    let mut state = 1_u64;
    for _ in 0..40 {
        let mut damaged = whole.clone();
        for _ in 0..20 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let at = whole.len() / 4 + (state >> 33) as usize % (whole.len() / 2);
            damaged[at] = (state >> 24) as u8;
        }
        std::fs::write(&path, damaged).unwrap();
        if Exports::read(&File::open(&path).unwrap()).is_ok() {
            let known = library.functions();
            assert!(known.values().all(|prototype| prototype.origin == Origin::Dwarf));
        }
    }
}
