//! How long an array is.

use super::{Failure, Line};
use crate::prototype::lexer::Word;
use crate::prototype::types::Expression;

impl Line<'_> {
    /// A length.
    pub(super) fn length(&mut self) -> Result<Expression, Failure> {
        let wanted = "a length: a number, argN, eltN, retval, or zero";
        let word = self.lexer.peek();
        let length = match &word {
            Word::Number(Some(number)) if *number >= 0 => Some(Expression::Constant(*number)),
            Word::Name("retval") => Some(Expression::Returned),
            Word::Name("zero") => {
                self.lexer.next();
                return self.zero();
            }
            Word::Name(name) => numbered(name),
            _ => None,
        };
        match length {
            Some(length) => {
                self.lexer.next();
                Ok(length)
            }
            None => Err(self.unexpected(wanted)),
        }
    }

    /// What follows `zero`.
    fn zero(&mut self) -> Result<Expression, Failure> {
        if !self.lexer.takes('(') {
            return Ok(Expression::Zero(None));
        }
        let most = self.length()?;
        self.expect(')')?;
        Ok(Expression::Zero(Some(Box::new(most))))
    }
}

/// `arg1`, `elt2`; `arg0` is the result.
fn numbered(name: &str) -> Option<Expression> {
    if let Some(number) = name.strip_prefix("arg") {
        Some(argument(number.parse().ok()?))
    } else {
        let number = name.strip_prefix("elt")?.parse().ok()?;
        (number > 0).then_some(Expression::Member(number))
    }
}

/// The argument with this number, from 1; 0 is the result.
pub(super) fn argument(number: u32) -> Expression {
    if number == 0 { Expression::Returned } else { Expression::Argument(number) }
}
