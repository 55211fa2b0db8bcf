//! ltrace's configuration language: one item on a line.
//!
//! ```text
//! line   := ["function"] lens NAME "(" [["+"] lens {"," ["+"] lens}] ")" [anything]
//!         | "typedef" NAME "=" lens [";"]         NAME = struct; may come first, its members later
//!         | "import" "NAME" [";"]                 reads NAME.conf
//!         | [";" anything] | ["#" anything]
//! lens   := KEYWORD "(" lens ")" | "oct" | type   KEYWORD = hide octal oct bitvec hex bool guess
//! type   := base {"*"}
//! base   := void char short ushort int uint long ulong float double
//!         | "array" "(" lens "," length ")" | "struct" "(" [lens {"," lens}] ")"
//!         | "enum" ["[" type "]"] "(" NAME ["=" INT] {"," ...} ")"
//!         | "string" | "stringN" | "string" "[" length "]" | "string" "(" lens ")" | "format" likewise
//!         | a typedef's name ("addr" and "file" are there from the beginning)
//! length := INT | "argN" | "retval" | "eltN" | "zero" | "zero" "(" length ")"
//! ```
//!
//! What calltap adds; ltrace refuses a line with one of these as of an unknown type, and reads on with the next:
//!
//! ```text
//! base   := "flags" ["[" type "]"] "(" NAME "=" INT ["/" INT] {"," ...} ")"
//!             bits by name, joined by "|". NAME=VALUE/MASK: this name is meant if the bits of MASK are exactly VALUE, as
//!             O_RDONLY=0/3, O_WRONLY=1/3, O_RDWR=2/3
//!         | "long" "long" | "long" "double" | llong ullong ldouble uchar schar wchar   names that a file may define itself
//!         | "wstring", with the suffixes of "string": of wchar
//! param  := "when" "(" "argN" "&" INT "," lens ")"      passed only if that argument has one of these bits
//!         | "unless" "(" "argN" "=" INT {"|" INT} "," lens ")"      passed only if that argument is none of these
//! base   := "complex" "(" float|double|ldouble ")"      | "vector" "(" 16|32|64 ")"
//! ```

mod conditions;
mod expressions;
mod file;
mod lines;
mod names;
#[cfg(test)]
mod tests;
mod types;

use std::cell::Cell;
use std::fmt;
use std::path::PathBuf;

pub use file::ConfigFile;
pub use lines::Reader;

use super::lexer::{Lexer, Word};
use super::types::Typed;

/// Something in a file that is not as it should be. The line it stands in is left out, unless it is only a warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1; 0: the whole file.
    pub line: u32,
    /// The line is read nevertheless.
    pub warning: bool,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// `FILE:LINE: error: what`, and a line with the hint.
impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.warning { "warning" } else { "error" };
        match self.line {
            0 => write!(f, "{}: {kind}: {}", self.file.display(), self.message)?,
            line => write!(f, "{}:{line}: {kind}: {}", self.file.display(), self.message)?,
        }
        self.hint.as_ref().map_or(Ok(()), |hint| write!(f, "\nhint: {hint}"))
    }
}

/// Why a line cannot be read.
#[derive(Debug)]
pub(super) struct Failure {
    message: String,
    hint: Option<String>,
}

impl Failure {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Whether `format` may stand here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Forbidden,
    Allowed,
    Used,
}

/// One line that is being read. `named` knows the types that have names.
struct Line<'a> {
    lexer: Lexer<'a>,
    named: &'a dyn Fn(&str) -> Option<Typed>,
    format: Cell<Format>,
    /// Types around the one that is being read.
    depth: usize,
}

/// Types within types and stars behind one above which no sense is left in a line.
const MAX_DEPTH: usize = 64;

impl<'a> Line<'a> {
    fn new(text: &'a str, named: &'a dyn Fn(&str) -> Option<Typed>) -> Self {
        Self { lexer: Lexer::new(text), named, format: Cell::new(Format::Forbidden), depth: 0 }
    }

    /// Takes a sign that must be there.
    fn expect(&mut self, sign: char) -> Result<(), Failure> {
        if self.lexer.takes(sign) { Ok(()) } else { Err(self.unexpected(&format!("'{sign}'"))) }
    }

    /// Whether a list goes on: behind each of its items there is a comma or its end.
    fn goes_on(&mut self, end: char) -> Result<bool, Failure> {
        if self.lexer.takes(',') {
            Ok(true)
        } else if self.lexer.takes(end) {
            Ok(false)
        } else {
            Err(self.unexpected(&format!("',' or '{end}'")))
        }
    }

    /// Takes a name that must be there.
    fn name(&mut self, what: &str) -> Result<&'a str, Failure> {
        match self.lexer.peek() {
            Word::Name(name) => {
                self.lexer.next();
                Ok(name)
            }
            _ => Err(self.unexpected(what)),
        }
    }

    /// Takes a number, with a sign or without.
    fn number(&mut self) -> Result<i64, Failure> {
        let negative = self.lexer.takes('-');
        if !negative {
            self.lexer.takes('+');
        }
        match self.lexer.peek() {
            Word::Number(Some(number)) => {
                self.lexer.next();
                Ok(if negative { number.wrapping_neg() } else { number })
            }
            _ => Err(self.unexpected("a number").hint("numbers are written as in C: 10, 012, 0xa")),
        }
    }

    fn unexpected(&self, wanted: &str) -> Failure {
        Failure::new(format!(
            "expected {wanted}, but found {} (column {})",
            self.lexer.peek(),
            self.lexer.column()
        ))
    }
}
