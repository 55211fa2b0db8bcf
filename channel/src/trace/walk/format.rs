//! printf's formats (fprintf(3)): which arguments one takes, and copying those.

use super::node::Limit;
use super::walker::Walker;
use super::{MAX_FORMAT, MAX_FORMATTED, Memory, Sink};
use crate::trace::plan::Place;

/// What an argument is.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Kind {
    /// Integer or pointer.
    #[default]
    Word,
    Double,
    LongDouble,
    /// A string of bytes.
    Text,
    /// A string of `wchar_t`.
    WideText,
}

/// How much of a string is printed.
#[derive(Clone, Copy, Default)]
enum Precision {
    #[default]
    All,
    Constant(u16),
    /// As this argument says.
    Argument(u8),
}

#[derive(Clone, Copy, Default)]
struct Argument {
    kind: Kind,
    precision: Precision,
}

/// The arguments that a format takes.
struct Arguments {
    list: [Argument; MAX_FORMATTED],
    /// As many as are known of.
    count: usize,
    /// The next one that is taken without a number.
    next: usize,
}

/// Registers and stack bytes that are used up.
#[derive(Clone, Copy)]
struct Cursor {
    gprs: u8,
    vectors: u8,
    stack: u16,
}

impl Cursor {
    fn of(word: u64) -> Self {
        Self { gprs: word as u8, vectors: (word >> 8) as u8, stack: (word >> 16) as u16 }
    }

    /// The place of the next argument.
    fn place(&mut self, kind: Kind) -> Option<Place> {
        match kind {
            Kind::LongDouble => {
                self.stack = self.stack.checked_next_multiple_of(16)?;
                self.on_stack(16)
            }
            Kind::Double if self.vectors < 8 => {
                self.vectors += 1;
                Some(Place::Vector(self.vectors - 1))
            }
            Kind::Word | Kind::Text | Kind::WideText if self.gprs < 6 => {
                self.gprs += 1;
                Some(Place::Gpr(self.gprs - 1))
            }
            _ => self.on_stack(8),
        }
    }

    fn on_stack(&mut self, bytes: u16) -> Option<Place> {
        let at = self.stack;
        self.stack = at.checked_add(bytes)?;
        Some(Place::Stack(at))
    }
}

impl<M: Memory, S: Sink> Walker<'_, M, S> {
    /// Copies the format at `address`, of characters of `unit` bytes, and what the call passes for it.
    pub(super) fn format(&mut self, address: u64, unit: u64, cursor: u64) {
        let length = self.copy_until_zero(address, unit, MAX_FORMAT, true);
        let mut characters = Characters::new(address, unit, length);
        let mut arguments = Arguments { list: [Argument::default(); MAX_FORMATTED], count: 0, next: 0 };
        while let Some(character) = characters.next(self.memory) {
            if character == b'%' {
                arguments.conversion(|| characters.next(self.memory));
            }
        }
        let cursor = Cursor::of(cursor);
        let mut end = cursor;
        for index in 0..arguments.count {
            let Some(argument) = arguments.list.get(index).copied() else { break };
            let Some(place) = end.place(argument.kind) else { break };
            let unit = match argument.kind {
                Kind::Text => 1,
                Kind::WideText => 4,
                _ => continue,
            };
            let most = self.most(Limit::String).saturating_add(1);
            let most = most.min(self.precision(&arguments, argument.precision, cursor));
            if let Some(text) = self.values.at(place, self.memory) {
                self.copy_until_zero(text, unit, most, true);
            }
        }
        let stack = self.values.stack_argument(u64::from(cursor.stack));
        self.copy(stack, u64::from(end.stack.saturating_sub(cursor.stack)));
    }

    /// The most characters of a string; negative precisions are none (fprintf(3)).
    fn precision(&mut self, arguments: &Arguments, precision: Precision, mut cursor: Cursor) -> u64 {
        let index = match precision {
            Precision::All => return u64::MAX,
            Precision::Constant(most) => return u64::from(most),
            Precision::Argument(index) => usize::from(index),
        };
        let mut place = None;
        for argument in arguments.list.iter().take(index + 1) {
            place = cursor.place(argument.kind);
        }
        let value = place.and_then(|place| self.values.at(place, self.memory));
        value.and_then(|value| u64::try_from(value as i32).ok()).unwrap_or(u64::MAX)
    }
}

impl Arguments {
    /// Reads what is behind a `%`.
    fn conversion(&mut self, mut next: impl FnMut() -> Option<u8>) {
        let mut position = None;
        let mut number = 0_u16;
        let mut precision = Precision::All;
        // Of what `*` takes, whose number may follow: whether it is the precision.
        let mut star = None;
        let mut in_precision = false;
        let mut longs = 0;
        while let Some(character) = next() {
            if let Some(is_precision) = star
                && !character.is_ascii_digit()
            {
                star = None;
                let named = (character == b'$').then(|| usize::from(number).wrapping_sub(1));
                let taken = self.take(named, Kind::Word, Precision::All);
                number = 0;
                if is_precision {
                    precision = taken.map_or(Precision::All, Precision::Argument);
                }
                if character == b'$' {
                    continue;
                }
            }
            let kind = match character {
                b'0'..=b'9' => {
                    number = number.saturating_mul(10).saturating_add(u16::from(character - b'0'));
                    if in_precision && star.is_none() {
                        precision = Precision::Constant(number);
                    }
                    continue;
                }
                b'$' => {
                    position = Some(usize::from(number).wrapping_sub(1));
                    number = 0;
                    continue;
                }
                b'*' => {
                    (star, number) = (Some(in_precision), 0);
                    continue;
                }
                b'.' => {
                    (in_precision, number, precision) = (true, 0, Precision::Constant(0));
                    continue;
                }
                b'l' => {
                    longs += 1;
                    continue;
                }
                b'L' | b'q' => {
                    longs = 2;
                    continue;
                }
                b'-' | b'+' | b' ' | b'#' | b'\'' | b'I' | b'h' | b'j' | b'z' | b'Z' | b't' => continue,
                b'd' | b'i' | b'o' | b'u' | b'x' | b'X' | b'b' | b'B' | b'c' | b'C' | b'p' | b'n' => {
                    Kind::Word
                }
                b'a' | b'A' | b'e' | b'E' | b'f' | b'F' | b'g' | b'G' if longs >= 2 => Kind::LongDouble,
                b'a' | b'A' | b'e' | b'E' | b'f' | b'F' | b'g' | b'G' => Kind::Double,
                b's' if longs == 0 => Kind::Text,
                b's' | b'S' => Kind::WideText,
                // `%%`, `%m`, and what no one knows.
                _ => return,
            };
            self.take(position, kind, precision);
            return;
        }
    }

    /// Notes an argument, the next one if no position is given; gives its place in the list.
    fn take(&mut self, position: Option<usize>, kind: Kind, precision: Precision) -> Option<u8> {
        let index = position.unwrap_or(self.next);
        if position.is_none() {
            self.next += 1;
        }
        *self.list.get_mut(index)? = Argument { kind, precision };
        self.count = self.count.max(index + 1);
        Some(index as u8)
    }
}

/// The characters of a text in memory, those beyond ASCII as 0xff.
struct Characters {
    address: u64,
    unit: u64,
    left: u64,
    buffer: [u8; 64],
    at: usize,
    filled: usize,
}

impl Characters {
    fn new(address: u64, unit: u64, left: u64) -> Self {
        Self { address, unit, left, buffer: [0; 64], at: 0, filled: 0 }
    }

    fn next(&mut self, memory: &mut impl Memory) -> Option<u8> {
        self.left = self.left.checked_sub(1)?;
        let unit = self.unit as usize;
        if self.at + unit > self.filled {
            let bytes = (self.left + 1).saturating_mul(self.unit).min(self.buffer.len() as u64) as usize;
            self.filled = memory.read(self.address, self.buffer.get_mut(..bytes)?);
            self.address = self.address.wrapping_add(self.filled as u64);
            self.at = 0;
        }
        let bytes = self.buffer.get(self.at..self.at + unit).filter(|_| self.at + unit <= self.filled)?;
        self.at += unit;
        let (first, rest) = bytes.split_first()?;
        let is_ascii = first.is_ascii() && rest.iter().all(|byte| *byte == 0);
        Some(if is_ascii { *first } else { 0xff })
    }
}
