//! Numbers that depend on the call: lengths of arrays.

use super::arguments::Call;
use super::integer;
use crate::prototype::types::{Expression, Struct};

/// The members of the struct around a value.
#[derive(Clone, Copy)]
pub struct Members<'a> {
    /// Which struct.
    pub of: &'a Struct,
    /// Its bytes, as many as are known.
    pub bytes: &'a [u8],
}

/// How many elements an array has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// So many.
    Exactly(u64),
    /// Up to the first that is zero, at most so many.
    UpToZero(u64),
    /// It is said to be negative: there is no array.
    Negative,
    /// What it depends on is not known.
    Unknown,
}

/// The length that an expression says.
pub fn length(call: &Call<'_>, expression: &Expression, members: Option<Members<'_>>) -> Length {
    match expression {
        Expression::Zero(None) => Length::UpToZero(u64::MAX),
        Expression::Zero(Some(most)) => match evaluated(call, most, members) {
            Some(most) => u64::try_from(most).map_or(Length::Negative, Length::UpToZero),
            None => Length::Unknown,
        },
        other => match evaluated(call, other, members) {
            Some(count) => u64::try_from(count).map_or(Length::Negative, Length::Exactly),
            None => Length::Unknown,
        },
    }
}

fn evaluated(call: &Call<'_>, expression: &Expression, members: Option<Members<'_>>) -> Option<i64> {
    match expression {
        Expression::Constant(number) => Some(*number),
        Expression::Argument(0) | Expression::Returned => call.result_number(),
        Expression::Argument(number) => call.number(*number as usize - 1),
        Expression::Member(number) => {
            let members = members?;
            let (offset, typed) = members.of.offsets().nth((*number as usize).checked_sub(1)?)?;
            integer::number(typed, members.bytes.get(offset..)?)
        }
        Expression::Zero(_) => None,
    }
}
