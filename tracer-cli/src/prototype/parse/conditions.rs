//! Parameters that are not always passed.

use super::{Failure, Line};
use crate::prototype::lexer::Word;
use crate::prototype::types::{Condition, Expression, Typed};

impl Line<'_> {
    /// A parameter's type, and when it is passed.
    pub(super) fn parameter(&mut self) -> Result<(Typed, Option<Condition>), Failure> {
        let bits = self.lexer.peek() == Word::Name("when");
        if !bits && self.lexer.peek() != Word::Name("unless") {
            return Ok((self.lens()?, None));
        }
        self.lexer.next();
        self.expect('(')?;
        let word = self.lexer.peek();
        let Expression::Argument(argument) = self.length()? else {
            return Err(Failure::new(format!("expected an argument, but found {word}"))
                .hint("when(arg2 & 0100, mode_t): the second argument decides"));
        };
        let condition = if bits {
            self.expect('&')?;
            Condition::Bits(argument, self.number()?)
        } else {
            self.expect('=')?;
            let mut values = vec![self.number()?];
            while self.lexer.takes('|') {
                values.push(self.number()?);
            }
            Condition::NoneOf(argument, values)
        };
        self.expect(',')?;
        let typed = self.lens()?;
        self.expect(')')?;
        Ok((typed, Some(condition)))
    }
}
