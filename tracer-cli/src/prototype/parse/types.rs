//! Types, and lenses around them.

use std::cell::OnceCell;
use std::rc::Rc;

use super::expressions::argument;
use super::{Failure, Format, Line, MAX_DEPTH};
use crate::prototype::lexer::Word;
use crate::prototype::types::{Expression, Kind, Lens, Struct, Typed};

/// A `wchar_t`.
const WIDE: Kind = Kind::Int { bytes: 4, signed: true };

impl Line<'_> {
    /// A type with whatever lens stands around it.
    pub(super) fn lens(&mut self) -> Result<Typed, Failure> {
        if self.depth > MAX_DEPTH {
            return Err(too_deep());
        }
        self.depth += 1;
        let typed = self.one_lens();
        self.depth -= 1;
        typed
    }

    fn one_lens(&mut self) -> Result<Typed, Failure> {
        let Word::Name(word) = self.lexer.peek() else { return self.stars() };
        let Some(lens) = lens_named(word) else { return self.stars() };
        let mut behind = self.lexer.clone();
        behind.next();
        if behind.peek() != Word::Sign('(') {
            if lens == Lens::Octal {
                self.lexer.next();
                return pointers(self, Typed { kind: Kind::Int { bytes: 4, signed: true }, lens });
            }
            if (self.named)(word).is_none() {
                let hint = format!("a lens stands around a type: {word}(int)");
                return Err(Failure::new(format!("expected '(' behind '{word}'")).hint(hint));
            }
            return self.stars();
        }
        self.lexer.next();
        self.expect('(')?;
        let mut typed = self.lens()?;
        self.expect(')')?;
        // What `format` does to the arguments behind it, it does under any lens.
        if typed.lens != Lens::Format {
            typed.lens = lens;
        }
        pointers(self, typed)
    }

    fn stars(&mut self) -> Result<Typed, Failure> {
        let typed = self.base()?;
        pointers(self, typed)
    }

    /// A type without stars.
    pub(super) fn base(&mut self) -> Result<Typed, Failure> {
        let name = self.name("a type")?;
        let plain = |kind| Ok(Typed::plain(kind));
        match name {
            "void" => return plain(Kind::Void),
            "char" => return plain(Kind::Char),
            "float" => return plain(Kind::Float(4)),
            "double" => return plain(Kind::Float(8)),
            "long" if self.lexer.takes_name("double") => return plain(Kind::Float(16)),
            "long" => {
                self.lexer.takes_name("long");
                return plain(Kind::Int { bytes: 8, signed: true });
            }
            "array" => return self.array(),
            "struct" => return self.structure(),
            "enum" => return self.enumeration(),
            _ => {}
        }
        if let Some(kind) = integer(name) {
            return plain(kind);
        }
        if let Some(suffix) = suffix_of(name, "string") {
            return self.string(suffix, Kind::Char);
        }
        if let Some(suffix) = suffix_of(name, "format") {
            return self.format(suffix);
        }
        if let Some(typed) = (self.named)(name) {
            return Ok(typed);
        }
        if let Some(suffix) = suffix_of(name, "wstring") {
            return self.string(suffix, WIDE);
        }
        match name {
            "flags" => self.flags(),
            "complex" => self.complex(),
            "vector" => self.vector(),
            _ => predefined(name).ok_or_else(|| {
                let hint = format!("define it first (typedef {name} = ...;), or import the file that does");
                Failure::new(format!("unknown type '{name}'")).hint(hint)
            }),
        }
    }

    fn array(&mut self) -> Result<Typed, Failure> {
        self.expect('(')?;
        let of = Rc::new(self.inside()?);
        self.expect(',')?;
        let length = self.length()?;
        self.expect(')')?;
        Ok(Typed::plain(Kind::Array { of, length }))
    }

    fn structure(&mut self) -> Result<Typed, Failure> {
        if !self.lexer.takes('(') {
            return Err(self
                .unexpected("'('")
                .hint("only a typedef may leave the members out: typedef NAME = struct;"));
        }
        let mut members = Vec::new();
        while !self.lexer.takes(')') {
            members.push(self.inside()?);
            if !self.goes_on(')')? {
                break;
            }
        }
        if members.iter().any(|member| member.kind == Kind::Void) {
            return Err(Failure::new("a member of a struct cannot be void"));
        }
        Ok(Typed::plain(Kind::Struct(Rc::new(Struct { members: OnceCell::from(members) }))))
    }

    /// A type within another one, where no `format` may be.
    fn inside(&mut self) -> Result<Typed, Failure> {
        let outside = self.format.replace(Format::Forbidden);
        let typed = self.lens();
        self.format.set(outside);
        typed
    }

    /// What follows `string` or `format`, whose number has been read already.
    fn string(&mut self, suffix: Option<u32>, of: Kind) -> Result<Typed, Failure> {
        let most = |length| Expression::Zero(Some(Box::new(length)));
        let length = if let Some(number) = suffix {
            most(argument(number))
        } else if self.lexer.takes('[') {
            let length = self.length()?;
            self.expect(']')?;
            if matches!(length, Expression::Zero(_)) { length } else { most(length) }
        } else if self.lexer.takes('(') {
            let typed = self.inside()?;
            self.expect(')')?;
            return Ok(Typed { kind: string_kind(typed), lens: Lens::String });
        } else {
            Expression::Zero(None)
        };
        Ok(Typed { kind: pointer_to_array(of, length), lens: Lens::String })
    }

    fn format(&mut self, suffix: Option<u32>) -> Result<Typed, Failure> {
        match self.format.replace(Format::Used) {
            Format::Allowed => {}
            Format::Used => return Err(Failure::new("a function can have only one 'format'")),
            Format::Forbidden => {
                let hint = "write string for a result, or for what is within another type";
                return Err(Failure::new("only a parameter can be a 'format'").hint(hint));
            }
        }
        let typed = self.string(suffix, Kind::Char)?;
        Ok(Typed { lens: Lens::Format, ..typed })
    }

    fn complex(&mut self) -> Result<Typed, Failure> {
        self.expect('(')?;
        let part = self.base()?;
        self.expect(')')?;
        match part.kind {
            Kind::Float(bytes) => Ok(Typed::plain(Kind::Complex(bytes))),
            _ => Err(Failure::new("a complex number is of float, double or ldouble")),
        }
    }

    fn vector(&mut self) -> Result<Typed, Failure> {
        self.expect('(')?;
        let bytes = self.number()?;
        self.expect(')')?;
        match bytes {
            16 | 32 | 64 => Ok(Typed::plain(Kind::Vector(bytes as u8))),
            _ => Err(Failure::new(format!("no vector has {bytes} bytes")).hint("they have 16, 32 or 64")),
        }
    }
}

/// A star for each star that follows.
fn pointers(line: &mut Line<'_>, mut typed: Typed) -> Result<Typed, Failure> {
    let mut stars = 0;
    while line.lexer.takes('*') {
        stars += 1;
        if stars > MAX_DEPTH {
            return Err(too_deep());
        }
        typed = Typed::plain(Kind::Pointer(Rc::new(typed)));
    }
    Ok(typed)
}

fn too_deep() -> Failure {
    Failure::new(format!("more than {MAX_DEPTH} types within one another"))
}

/// What ltrace means by `string(TYPE)`: a pointer to one character stands for those up to the zero.
fn string_kind(typed: Typed) -> Kind {
    match &typed.kind {
        Kind::Pointer(to) if matches!(to.kind, Kind::Char | Kind::Int { .. }) => {
            pointer_to_array(to.kind.clone(), Expression::Zero(None))
        }
        _ => typed.kind,
    }
}

fn pointer_to_array(of: Kind, length: Expression) -> Kind {
    let of = Rc::new(Typed::plain(of));
    Kind::Pointer(Rc::new(Typed::plain(Kind::Array { of, length })))
}

/// The number of `string3`; `None` inside: there is none. `None`: it is another word.
fn suffix_of(word: &str, keyword: &str) -> Option<Option<u32>> {
    match word.strip_prefix(keyword)? {
        "" => Some(None),
        digits if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().ok().map(Some),
        _ => None,
    }
}

fn lens_named(word: &str) -> Option<Lens> {
    Some(match word {
        "hide" => Lens::Hide,
        "octal" | "oct" => Lens::Octal,
        "hex" => Lens::Hex,
        "bitvec" => Lens::Bits,
        "bool" => Lens::Bool,
        "guess" => Lens::Guess,
        _ => return None,
    })
}

/// `itn` stands in files that ltrace once came with.
fn integer(name: &str) -> Option<Kind> {
    let (bytes, signed) = match name {
        "short" => (2, true),
        "ushort" => (2, false),
        "int" | "itn" => (4, true),
        "uint" => (4, false),
        "ulong" => (8, false),
        _ => return None,
    };
    Some(Kind::Int { bytes, signed })
}

/// Types that have names before any file is read; a file may give these names to others.
fn predefined(name: &str) -> Option<Typed> {
    let kind = match name {
        "addr" | "file" => Kind::Pointer(Rc::new(Typed::plain(Kind::Void))),
        "llong" => Kind::Int { bytes: 8, signed: true },
        "ullong" => Kind::Int { bytes: 8, signed: false },
        "schar" => Kind::Int { bytes: 1, signed: true },
        "uchar" => Kind::Int { bytes: 1, signed: false },
        "wchar" => WIDE,
        "ldouble" => Kind::Float(16),
        "ldouble_complex" => Kind::Complex(16),
        _ => return None,
    };
    Some(Typed::plain(kind))
}
