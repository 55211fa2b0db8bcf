//! Prototypes as the configuration language has them.

use std::fmt::{self, Display, Formatter};
use std::rc::Rc;

use super::types::{Condition, Expression, Kind, Lens, Names, Parameter, Prototype, Struct, Typed};

/// Names and members that are shown of a list in a short text.
const SHORT: usize = 3;

/// A prototype as text.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a> {
    /// Of what.
    pub prototype: &'a Prototype,
    /// The function's name, if it is not the one that the prototype was written for.
    pub name: &'a str,
    /// With all names of values and all members of structs; a file with this line means the same. (Structs that lead to themselves
    /// are cut there, as a line has no name for them.)
    pub whole: bool,
}

impl Display for Text<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut writer = Writer { whole: self.whole, around: Vec::new() };
        let mut text = writer.typed(&self.prototype.returns);
        text += " ";
        text += self.name;
        text += "(";
        let mut on_return = false;
        for (index, parameter) in self.prototype.parameters.iter().enumerate() {
            let Parameter { typed, on_return: right, .. } = parameter;
            if typed.kind == Kind::Variadic {
                continue;
            }
            text += if index > 0 { ", " } else { "" };
            text += if *right && !on_return { "+" } else { "" };
            on_return |= right;
            let typed = writer.typed(typed);
            text += &match &parameter.passed {
                None => typed,
                Some(Condition::Bits(argument, mask)) => format!("when(arg{argument} & {mask}, {typed})"),
                Some(Condition::NoneOf(argument, values)) => {
                    let values: Vec<_> = values.iter().map(i64::to_string).collect();
                    format!("unless(arg{argument} = {}, {typed})", values.join("|"))
                }
            };
        }
        f.write_str(&text)?;
        f.write_str(");")
    }
}

struct Writer {
    whole: bool,
    /// Structs around the one that is written.
    around: Vec<*const Struct>,
}

impl Writer {
    fn typed(&mut self, typed: &Typed) -> String {
        let lens = match &typed.lens {
            Lens::Default => return self.kind(&typed.kind),
            Lens::Hide => "hide",
            Lens::Octal => "oct",
            Lens::Hex => "hex",
            Lens::Bits => "bitvec",
            Lens::Bool => "bool",
            Lens::Guess => "guess",
            Lens::String => return self.string(&typed.kind, "string"),
            Lens::Format => return self.string(&typed.kind, "format"),
            Lens::Enum(names) => return self.names("enum", &typed.kind, names),
            Lens::Flags(names) => return self.names("flags", &typed.kind, names),
        };
        format!("{lens}({})", self.kind(&typed.kind))
    }

    fn kind(&mut self, kind: &Kind) -> String {
        match kind {
            Kind::Void => "void".to_owned(),
            Kind::Char => "char".to_owned(),
            Kind::Int { bytes, signed } => integer(*bytes, *signed).to_owned(),
            Kind::Float(bytes) => float(*bytes).to_owned(),
            Kind::Complex(bytes) => format!("complex({})", float(*bytes)),
            Kind::Vector(bytes) => format!("vector({bytes})"),
            Kind::Pointer(to) if **to == Typed::plain(Kind::Void) => "addr".to_owned(),
            Kind::Pointer(to) => self.typed(to) + "*",
            Kind::Array { of, length } => format!("array({}, {})", self.typed(of), expression(length)),
            Kind::Struct(of) => self.structure(of),
            Kind::Variadic => "...".to_owned(),
        }
    }

    fn structure(&mut self, of: &Rc<Struct>) -> String {
        let place = Rc::as_ptr(of);
        let deep = !self.whole && !self.around.is_empty();
        if deep || self.around.contains(&place) {
            return "struct(...)".to_owned();
        }
        self.around.push(place);
        let members = of.members.get().map_or(&[][..], |members| members);
        let text = self.list(members, |writer, member| writer.typed(member));
        self.around.pop();
        format!("struct({text})")
    }

    fn string(&mut self, kind: &Kind, keyword: &str) -> String {
        let Kind::Pointer(to) = kind else { return format!("{keyword}({})", self.kind(kind)) };
        let Kind::Array { of, length } = &to.kind else { return format!("{keyword}({})", self.kind(kind)) };
        let keyword = match (&of.kind, keyword) {
            (Kind::Char, _) => keyword,
            (Kind::Int { bytes: 4, signed: true }, "string") => "wstring",
            _ => return format!("{keyword}({})", self.kind(kind)),
        };
        match length {
            Expression::Zero(None) => keyword.to_owned(),
            Expression::Zero(Some(most)) => format!("{keyword}[{}]", expression(most)),
            _ => format!("{keyword}({})", self.kind(kind)),
        }
    }

    fn names(&mut self, keyword: &str, kind: &Kind, names: &Names) -> String {
        let underlying = match kind {
            Kind::Int { bytes: 4, signed: true } => String::new(),
            other => format!("[{}]", self.kind(other)),
        };
        let list = self.list(&names.values, |_, (name, value)| {
            let mask = names.masks.iter().find(|mask| value & !**mask == 0);
            mask.map_or_else(|| format!("{name}={value}"), |mask| format!("{name}={value}/{mask}"))
        });
        format!("{keyword}{underlying}({list})")
    }

    /// All of them with commas between, or the first ones.
    fn list<T>(&mut self, all: &[T], mut item: impl FnMut(&mut Self, &T) -> String) -> String {
        let most = if self.whole { all.len() } else { SHORT };
        let mut items: Vec<String> = all.iter().take(most).map(|one| item(self, one)).collect();
        if all.len() > most {
            items.push("...".to_owned());
        }
        items.join(", ")
    }
}

fn integer(bytes: u8, signed: bool) -> &'static str {
    match (bytes, signed) {
        (1, true) => "schar",
        (1, false) => "uchar",
        (2, true) => "short",
        (2, false) => "ushort",
        (4, true) => "int",
        (4, false) => "uint",
        (_, true) => "long",
        (_, false) => "ulong",
    }
}

fn float(bytes: u8) -> &'static str {
    match bytes {
        4 => "float",
        8 => "double",
        _ => "ldouble",
    }
}

fn expression(of: &Expression) -> String {
    match of {
        Expression::Constant(number) => number.to_string(),
        Expression::Argument(number) => format!("arg{number}"),
        Expression::Returned => "retval".to_owned(),
        Expression::Member(number) => format!("elt{number}"),
        Expression::Zero(None) => "zero".to_owned(),
        Expression::Zero(Some(most)) => format!("zero({})", expression(most)),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::prototype::parse::Reader;

    /// What a line says, said again.
    fn again(line: &str, whole: bool) -> String {
        let file = Reader {
            path: Path::new("a.conf"),
            shipped: false,
            around: &|_| None,
            import: &|_| Err(String::new()),
            complain: &|complaint| panic!("{complaint}"),
        }
        .read(line);
        let prototype = file.prototype("f").unwrap();
        Text { prototype, name: "f", whole }.to_string()
    }

    #[test]
    fn a_whole_text_can_be_read_again() {
        for line in [
            "void f();",
            "char f(short, ushort, int, uint, long, ulong, schar, uchar);",
            "double f(float, ldouble, complex(float), vector(16));",
            "string f(string[arg2], string(array(char, arg3)*), wstring, wstring[8]);",
            "int f(int, +string*, format);",
            "addr f(hide(int), oct(int), hex(uint), bitvec(ulong), bool(int), guess(long));",
            "int f(enum(A=0, B=5), enum[uint](C=1), flags(D=0/3, E=2/3, F=4, G=8));",
            "struct(int, array(char, 4), string) f(struct(long, array(int, elt1))*, array(int, zero(arg1))*);",
        ] {
            assert_eq!(again(line, true), line);
        }
    }

    #[test]
    fn a_short_text_has_the_beginnings_of_lists() {
        let list =
            "typedef list = struct;\ntypedef list = struct(int, list*);\nvoid f(list*, enum(A, B, C, D));";
        let short = "void f(struct(int, struct(...)*)*, enum(A=0, B=1, C=2, ...));";
        assert_eq!(again(list, false), short);
        let whole = "void f(struct(int, struct(...)*)*, enum(A=0, B=1, C=2, D=3));";
        assert_eq!(again(list, true), whole);
    }
}
