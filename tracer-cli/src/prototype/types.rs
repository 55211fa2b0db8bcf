//! Types as ltrace's configuration language has them, and prototypes made of them.

use std::cell::OnceCell;
use std::rc::Rc;

/// A type and how to show it.
#[derive(Clone, Debug, PartialEq)]
pub struct Typed {
    /// What it is.
    pub kind: Kind,
    /// How it is shown.
    pub lens: Lens,
}

/// What a type is.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// Nothing: a function without a result.
    Void,
    /// An integer of 1, 2, 4 or 8 bytes.
    Int {
        /// Its size.
        bytes: u8,
        /// Whether it may be negative.
        signed: bool,
    },
    /// A `char`: an integer of a byte, shown as a character.
    Char,
    /// A floating-point number of 4 (`float`), 8 (`double`) or 16 (`long double`, x87) bytes.
    Float(u8),
    /// Two floating-point numbers of so many bytes each (`float`, `double`, `long double` `_Complex`).
    Complex(u8),
    /// A vector of 16, 32 or 64 bytes (`__m128`, `__m256d`, ...).
    Vector(u8),
    /// A pointer.
    Pointer(Rc<Typed>),
    /// Elements one after the other. Without a pointer around it: inside a struct.
    Array {
        /// Of what.
        of: Rc<Typed>,
        /// How many.
        length: Expression,
    },
    /// A struct.
    Struct(Rc<Struct>),
    /// What a printf-like function takes behind its format string: as many as that says.
    Variadic,
}

/// A struct; its members are set when its definition has been read (`typedef N = struct;` comes before).
#[derive(Debug, Default, PartialEq)]
pub struct Struct {
    /// Members in their order.
    pub members: OnceCell<Vec<Typed>>,
}

/// How a value is shown.
#[derive(Clone, Debug, PartialEq)]
pub enum Lens {
    /// As its type suggests.
    Default,
    /// Not at all.
    Hide,
    /// In octal.
    Octal,
    /// In hexadecimal; floating-point numbers as `%a`.
    Hex,
    /// The numbers of its bits: `<3-5,7>`.
    Bits,
    /// `true` or `false`.
    Bool,
    /// Small numbers in decimal, others in hexadecimal: nothing is known of it.
    Guess,
    /// A string in quotation marks. Of an array, or of a pointer to one.
    String,
    /// As [`Lens::String`], and a printf format whose arguments follow.
    Format,
    /// By name.
    Enum(Rc<Names>),
    /// As names joined by `|`: our own extension, see [`Names::masks`].
    Flags(Rc<Names>),
}

/// Names of values.
#[derive(Debug, Default, PartialEq)]
pub struct Names {
    /// Name and value.
    pub values: Vec<(String, i64)>,
    /// Of flags: groups of bits of which one value holds (`O_RDONLY`, `O_WRONLY`, `O_RDWR` under `O_ACCMODE`); the values of
    /// the group are those within the mask. Bits in no group stand for themselves.
    pub masks: Vec<i64>,
}

/// A number that may depend on the call.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    /// This number.
    Constant(i64),
    /// The argument, from 1; 0 is the result.
    Argument(u32),
    /// The result.
    Returned,
    /// A member of the struct around it, from 1.
    Member(u32),
    /// Up to the first element that is all zero, at most so many if that is said.
    Zero(Option<Box<Expression>>),
}

/// A parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Its type.
    pub typed: Typed,
    /// Shown, and copied, when the call has returned (`+`, and all behind it).
    pub on_return: bool,
    /// Its name, where it is known (debug information).
    pub name: Option<String>,
    /// When it is passed at all; None: always.
    pub passed: Option<Condition>,
}

impl Parameter {
    /// One that is passed in every call and shown when it begins.
    #[must_use]
    pub fn of(typed: Typed) -> Self {
        Self { typed, on_return: false, name: None, passed: None }
    }
}

/// When an argument is passed: it depends on another one, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// If that one has any of these bits (`open`'s mode).
    Bits(u32, i64),
    /// If that one is none of these values (`fcntl`'s argument).
    NoneOf(u32, Vec<i64>),
}

impl Condition {
    /// Whether it is passed, `argument` being the value of an argument counted from 0. What is not known is taken for
    /// passed.
    pub fn holds(&self, argument: impl Fn(usize) -> Option<i64>) -> bool {
        let value = |number: u32| argument((number as usize).checked_sub(1)?);
        match self {
            Self::Bits(number, mask) => value(*number).is_none_or(|value| value & mask != 0),
            Self::NoneOf(number, values) => value(*number).is_none_or(|value| !values.contains(&value)),
        }
    }
}

/// Where a prototype comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A configuration file of the user or of the system: its path and line.
    File(std::path::PathBuf, u32),
    /// Our own.
    Shipped,
    /// The provider's debug information.
    Dwarf,
}

/// A function's prototype.
#[derive(Clone, Debug, PartialEq)]
pub struct Prototype {
    /// Its symbol.
    pub name: String,
    /// What it returns.
    pub returns: Typed,
    /// Its parameters. A `void` alone is none.
    pub parameters: Vec<Parameter>,
    /// Where this is from.
    pub origin: Origin,
}

impl Typed {
    /// Of a kind, shown as that suggests.
    #[must_use]
    pub fn plain(kind: Kind) -> Self {
        Self { kind, lens: Lens::Default }
    }

    /// Size and alignment in bytes, as a C compiler for x86-64 lays it out. Arrays whose length depends on the call have
    /// size 0; nothing, 0 and 1.
    #[must_use]
    pub fn layout(&self) -> (usize, usize) {
        match &self.kind {
            Kind::Void | Kind::Variadic => (0, 1),
            Kind::Int { bytes, .. } => (usize::from(*bytes), usize::from(*bytes)),
            Kind::Char => (1, 1),
            Kind::Float(bytes) | Kind::Vector(bytes) => (usize::from(*bytes), usize::from(*bytes)),
            Kind::Complex(bytes) => (2 * usize::from(*bytes), usize::from(*bytes)),
            Kind::Pointer(_) => (8, 8),
            Kind::Array { of, length } => {
                let (size, align) = of.layout();
                let count = match length {
                    Expression::Constant(count) => (*count).max(0) as usize,
                    Expression::Zero(Some(most)) => match **most {
                        Expression::Constant(count) => count.max(0) as usize,
                        _ => 0,
                    },
                    _ => 0,
                };
                (size * count, align)
            }
            Kind::Struct(of) => of.layout(),
        }
    }
}

impl Struct {
    /// Size and alignment.
    #[must_use]
    pub fn layout(&self) -> (usize, usize) {
        let (mut size, mut align) = (0_usize, 1_usize);
        for (offset, member) in self.offsets() {
            let (bytes, own) = member.layout();
            size = offset + bytes;
            align = align.max(own);
        }
        (size.next_multiple_of(align), align)
    }

    /// Each member with its offset in bytes.
    pub fn offsets(&self) -> impl Iterator<Item = (usize, &Typed)> {
        let mut at = 0_usize;
        self.members.get().into_iter().flatten().map(move |member| {
            let (bytes, align) = member.layout();
            let offset = at.next_multiple_of(align);
            at = offset + bytes;
            (offset, member)
        })
    }
}
