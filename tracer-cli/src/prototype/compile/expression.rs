//! Expressions of types, resolved: from argument numbers to places, from member numbers to offsets.

use std::collections::HashSet;

use calltap_channel::trace::plan::Place;
use calltap_channel::trace::walk::expression::{self, CONSTANT, MEMBER, PLACE, ZERO};

use super::{Job, Struct, place_of, word_at};
use crate::prototype::abi::Location;
use crate::prototype::types::{Expression, Kind, Typed};

/// The struct whose members an expression means.
#[derive(Clone, Copy)]
pub(super) enum Around<'a> {
    /// None.
    Nothing,
    /// One in memory, to be found by whoever walks.
    Memory(&'a Struct),
    /// One passed by value, or a part of one.
    Value {
        /// What it is.
        of: &'a Struct,
        /// Where all of it is.
        location: &'a Location,
        /// Where in there this one begins.
        offset: usize,
    },
}

impl Job<'_> {
    /// The offset of an expression. One that means nothing that is known is 0: no elements.
    pub(super) fn expression(&mut self, expression: &Expression, around: Around<'_>) -> u64 {
        let words = match expression {
            Expression::Constant(value) => [CONSTANT, *value as u64],
            Expression::Argument(0) | Expression::Returned => {
                let [_, place] = value_words(&self.places.returned, &self.prototype.returns);
                let [word, _] = value_words(&Location::Rax, &self.prototype.returns);
                if place == Place::Rax.word() { [word, place] } else { NOTHING }
            }
            Expression::Argument(number) => {
                let index = *number as usize - 1;
                match (self.places.parameters.get(index), self.prototype.parameters.get(index)) {
                    (Some(location), Some(parameter)) => value_words(location, &parameter.typed),
                    _ => NOTHING,
                }
            }
            Expression::Member(number) => member_words(*number, around),
            Expression::Zero(None) => [ZERO, 0],
            Expression::Zero(Some(most)) => [ZERO, self.expression(most, around)],
        };
        self.compiler.put(&words)
    }
}

const NOTHING: [u64; 2] = [CONSTANT, 0];

/// Size of a number and whether it is signed; None of what is no number.
fn number(typed: &Typed) -> Option<(u8, bool)> {
    match &typed.kind {
        Kind::Int { bytes, signed } => Some((*bytes, *signed)),
        Kind::Char => Some((1, true)),
        Kind::Pointer(_) | Kind::Array { .. } => Some((8, false)),
        _ => None,
    }
}

fn value_words(location: &Location, typed: &Typed) -> [u64; 2] {
    match (place_of(location), number(typed)) {
        (Some(place), Some((size, signed))) => [expression::word(PLACE, size, signed, 0), place.word()],
        _ => NOTHING,
    }
}

fn member_words(which: u32, around: Around<'_>) -> [u64; 2] {
    let (Around::Memory(of) | Around::Value { of, .. }) = around else { return NOTHING };
    let member = (which as usize).checked_sub(1).and_then(|index| of.offsets().nth(index));
    let Some((at, member)) = member else { return NOTHING };
    let Some((size, signed)) = number(member) else { return NOTHING };
    match around {
        Around::Value { location, offset, .. } => {
            let at = offset + at;
            let Some(place) = word_at(location, at) else { return NOTHING };
            [expression::word(PLACE, size, signed, (at % 8 * 8) as u8), place.word()]
        }
        _ => [expression::word(MEMBER, size, signed, 0), at as u64],
    }
}

/// Whether a struct, or what it leads to, has an array whose length is an argument or the result.
pub(super) fn depends_on_call(of: &Struct) -> bool {
    struct_depends(of, &mut HashSet::new())
}

fn struct_depends(of: &Struct, seen: &mut HashSet<*const Struct>) -> bool {
    seen.insert(std::ptr::from_ref(of)) && of.offsets().any(|(_, member)| type_depends(member, seen))
}

fn type_depends(typed: &Typed, seen: &mut HashSet<*const Struct>) -> bool {
    match &typed.kind {
        Kind::Pointer(to) => type_depends(to, seen),
        Kind::Array { of, length } => length_depends(length) || type_depends(of, seen),
        Kind::Struct(of) => struct_depends(of, seen),
        _ => false,
    }
}

fn length_depends(length: &Expression) -> bool {
    match length {
        Expression::Argument(_) | Expression::Returned => true,
        Expression::Zero(Some(most)) => length_depends(most),
        _ => false,
    }
}
