//! Values that have names: `enum` and `flags`.

use std::rc::Rc;

use super::{Failure, Line};
use crate::prototype::types::{Kind, Lens, Names, Typed};

impl Line<'_> {
    /// What follows `enum`.
    pub(super) fn enumeration(&mut self) -> Result<Typed, Failure> {
        let kind = self.underlying()?;
        let mut names = Names::default();
        let mut next = 0;
        self.named_values(|line| {
            let name = line.name("the name of a value")?;
            let value = if line.lexer.takes('=') { line.number()? } else { next };
            next = value.wrapping_add(1);
            names.values.push((name.to_owned(), value));
            Ok(())
        })?;
        Ok(Typed { kind, lens: Lens::Enum(Rc::new(names)) })
    }

    /// What follows `flags`.
    pub(super) fn flags(&mut self) -> Result<Typed, Failure> {
        let kind = self.underlying()?;
        let mut names = Names::default();
        self.named_values(|line| {
            let name = line.name("the name of a flag")?;
            if !line.lexer.takes('=') {
                return Err(line.unexpected("'='").hint("each flag has its value: flags(A=1, B=2, C=4)"));
            }
            let value = line.number()?;
            if line.lexer.takes('/') {
                let mask = line.number()?;
                if value & !mask != 0 {
                    return Err(Failure::new(format!("the value of {name} has bits outside of its mask"))
                        .hint("a name is meant if the bits of the mask are exactly the value: O_RDWR=2/3"));
                }
                if !names.masks.contains(&mask) {
                    names.masks.push(mask);
                }
            }
            names.values.push((name.to_owned(), value));
            Ok(())
        })?;
        Ok(Typed { kind, lens: Lens::Flags(Rc::new(names)) })
    }

    /// `[TYPE]`, or nothing: an `int`.
    fn underlying(&mut self) -> Result<Kind, Failure> {
        if !self.lexer.takes('[') {
            return Ok(Kind::Int { bytes: 4, signed: true });
        }
        let typed = self.base()?;
        self.expect(']')?;
        match typed.kind {
            Kind::Int { .. } => Ok(typed.kind),
            // Named values of a character are numbers, not letters.
            Kind::Char => Ok(Kind::Int { bytes: 1, signed: true }),
            _ => Err(Failure::new("names can be given to the values of an integer type only")),
        }
    }

    /// `( item , item )`; a comma may stand before the end, as in C.
    fn named_values(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        self.expect('(')?;
        while !self.lexer.takes(')') {
            item(self)?;
            if !self.goes_on(')')? {
                break;
            }
        }
        Ok(())
    }
}
