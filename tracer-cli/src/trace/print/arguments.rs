//! Arguments and results of a call to text.

use super::fetch::{self, Bytes, Source};
use super::text::{Color, Text};
use super::value::{self, Around, Value};
use super::{integer, variadic};
use crate::prototype::abi::{Location, Places};
use crate::prototype::types::{Kind, Parameter, Prototype, Typed};
use crate::trace::event::Copied;

/// How much of values is shown.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Characters of a string.
    pub string: u64,
    /// Elements of an array.
    pub array: u64,
}

/// A call whose prototype is known, and what is known of it now.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// What the function takes and gives.
    pub prototype: &'a Prototype,
    /// Where that is; None for a system call, whose arguments are in the six registers.
    pub places: Option<&'a Places>,
    /// Registers and stack.
    pub source: Source<'a>,
    /// What pointers lead to.
    pub memory: &'a Copied,
    /// How much is shown.
    pub limits: Limits,
}

/// How far a call's arguments have been written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Parameters that are done.
    pub parameters: usize,
    /// Whether a comma is needed before the next.
    pub delimited: bool,
}

/// Integer registers that are shown of a function without a prototype, as ltrace shows.
pub const GUESSED: usize = 4;

/// Where a system call's arguments are.
const REGISTERS: [Location; 6] = [
    Location::Gpr(0),
    Location::Gpr(1),
    Location::Gpr(2),
    Location::Gpr(3),
    Location::Gpr(4),
    Location::Gpr(5),
];

impl<'a> Call<'a> {
    /// The bytes of a parameter, counted from 0.
    pub fn argument(&self, number: usize) -> Option<(&'a Typed, Bytes<'a>)> {
        let typed = &self.prototype.parameters.get(number).filter(|_| self.source.entered)?.typed;
        let location = match self.places {
            Some(places) => places.parameters.get(number)?,
            None => REGISTERS.get(number)?,
        };
        Some((typed, fetch::bytes(&self.source, location, typed.layout().0)))
    }

    /// An argument as a number, counted from 0.
    pub fn number(&self, number: usize) -> Option<i64> {
        let (typed, bytes) = self.argument(number)?;
        integer::number(typed, &bytes)
    }

    /// Whether the call has this argument at all.
    pub fn is_passed(&self, parameter: &Parameter) -> bool {
        parameter.passed.as_ref().is_none_or(|condition| condition.holds(|number| self.number(number)))
    }

    /// The bytes of the result; none before the call has returned.
    pub fn result(&self) -> Bytes<'a> {
        let location = self.places.map_or(&Location::Rax, |places| &places.returned);
        fetch::bytes(&self.source, location, self.prototype.returns.layout().0)
    }

    /// The result as a number, if it is one and the call has returned.
    pub fn result_number(&self) -> Option<i64> {
        integer::number(&self.prototype.returns, &self.result())
    }

    /// Writes the arguments that are known when the call begins, or, if it has `returned`, those that are left.
    pub fn write_arguments(&self, out: &mut Text, progress: &mut Progress, returned: bool) {
        let parameters = self.prototype.parameters.get(progress.parameters..).unwrap_or(&[]);
        for parameter in parameters {
            if parameter.on_return && !returned {
                break;
            }
            if !self.is_passed(parameter) {
                // There is something in its place, but it is no argument.
            } else if parameter.typed.kind == Kind::Variadic {
                variadic::write(self, out, &mut progress.delimited);
            } else {
                let number = progress.parameters;
                progress.delimited |=
                    value::delimit(out, progress.delimited, |out| self.write_argument(out, number));
            }
            progress.parameters += 1;
        }
    }

    /// Writes one argument, counted from 0.
    pub fn write_argument(&self, out: &mut Text, number: usize) {
        match self.argument(number) {
            Some((typed, bytes)) => self.write_value(out, typed, &bytes),
            None => out.unknown(),
        }
    }

    /// Writes the result.
    pub fn write_result(&self, out: &mut Text) {
        self.write_value(out, &self.prototype.returns, &self.result());
    }

    /// Writes an argument or a result whose bytes are known.
    pub fn write_value(&self, out: &mut Text, typed: &Typed, bytes: &Bytes<'_>) {
        let value = Value { typed, bytes, address: bytes.address() };
        value::show(self, out, value, Around::NOTHING);
    }
}

/// Writes what was in the argument registers, each marked as a guess.
pub fn write_guesses(out: &mut Text, registers: &[u64]) {
    for (number, register) in registers.iter().enumerate() {
        if number > 0 {
            out.raw(b", ");
        }
        write_guess(out, *register);
    }
}

/// Writes a register, marked as a guess.
pub fn write_guess(out: &mut Text, register: u64) {
    integer::guess(out, register as i64, register);
    out.color(Color::Doubt);
    out.byte(b'?');
    out.plain();
}
