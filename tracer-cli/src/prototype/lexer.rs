//! The words of a line of ltrace's configuration language.
//!
//! A line is read as far as its item goes and no further: what stands behind a prototype's last parenthesis is
//! anybody's remark, so words are cut only when they are asked for.

/// A word of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word<'a> {
    /// Letters, digits and underscores, not beginning with a digit.
    Name(&'a str),
    /// A number without a sign: decimal, or octal behind `0`, or hexadecimal behind `0x`; `None` if it has more than 64 bits
    /// or a digit that is none.
    Number(Option<i64>),
    /// What stood between two quotation marks; `None` if the second one is missing.
    Text(Option<&'a str>),
    /// Any other character.
    Sign(char),
    /// Nothing is left.
    End,
}

/// Cuts a line into words.
#[derive(Clone, Debug)]
pub struct Lexer<'a> {
    line: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    /// Before the first word of a line.
    #[must_use]
    pub fn new(line: &'a str) -> Self {
        Self { line, at: 0 }
    }

    /// The column of the next word, from 1, in characters.
    #[must_use]
    pub fn column(&self) -> usize {
        let blanks = self.rest().len() - self.rest().trim_start().len();
        self.line[..self.at + blanks].chars().count() + 1
    }

    /// The next word, which is left there.
    #[must_use]
    pub fn peek(&self) -> Word<'a> {
        self.clone().next()
    }

    /// The next word.
    pub fn next(&mut self) -> Word<'a> {
        self.skip_blanks();
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return Word::End };
        if is_letter(first) {
            Word::Name(self.cut(rest, |c| is_letter(c) || c.is_ascii_digit()))
        } else if first.is_ascii_digit() {
            Word::Number(number(self.cut(rest, |c| is_letter(c) || c.is_ascii_digit())))
        } else if first == '"' {
            let text = rest[1..].split_once('"').map(|(text, _)| text);
            self.at += text.map_or(rest.len(), |text| text.len() + 2);
            Word::Text(text)
        } else {
            self.at += first.len_utf8();
            Word::Sign(first)
        }
    }

    /// A symbol, which has dots and dollars in it, too; `None` if there is none.
    pub fn symbol(&mut self) -> Option<&'a str> {
        self.skip_blanks();
        let rest = self.rest();
        let symbol = self.cut(rest, |c| is_letter(c) || c.is_ascii_digit() || matches!(c, '.' | '$'));
        let begins = symbol.chars().next().is_some_and(|c| !c.is_ascii_digit());
        begins.then_some(symbol)
    }

    /// Takes this sign if it is the next word.
    pub fn takes(&mut self, sign: char) -> bool {
        let found = self.peek() == Word::Sign(sign);
        if found {
            self.next();
        }
        found
    }

    /// Takes this name if it is the next word.
    pub fn takes_name(&mut self, name: &str) -> bool {
        let found = self.peek() == Word::Name(name);
        if found {
            self.next();
        }
        found
    }

    fn rest(&self) -> &'a str {
        &self.line[self.at..]
    }

    fn skip_blanks(&mut self) {
        self.at = self.line.len() - self.rest().trim_start().len();
    }

    fn cut(&mut self, rest: &'a str, belongs: impl Fn(char) -> bool) -> &'a str {
        let length = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }
}

/// As a message shows it.
impl std::fmt::Display for Word<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Name(name) => write!(f, "'{name}'"),
            Self::Number(Some(number)) => write!(f, "'{number}'"),
            Self::Number(None) => f.write_str("a number that cannot be read"),
            Self::Text(Some(text)) => write!(f, "\"{text}\""),
            Self::Text(None) => f.write_str("a text without its second quotation mark"),
            Self::Sign(sign) => write!(f, "'{sign}'"),
            Self::End => f.write_str("the end of the line"),
        }
    }
}

fn is_letter(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_'
}

/// As `strtol` with base 0 reads it; values above the largest signed one keep their bits.
fn number(digits: &str) -> Option<i64> {
    let lower = digits.to_ascii_lowercase();
    let value = match lower.strip_prefix("0x") {
        Some(hexadecimal) => u64::from_str_radix(hexadecimal, 16),
        None if lower.len() > 1 && lower.starts_with('0') => u64::from_str_radix(&lower[1..], 8),
        None => lower.parse(),
    };
    value.ok().map(u64::cast_signed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<Word<'_>> {
        let mut lexer = Lexer::new(line);
        std::iter::from_fn(|| Some(lexer.next()).filter(|word| *word != Word::End)).collect()
    }

    #[test]
    fn a_line_is_cut_into_names_numbers_and_signs() {
        assert_eq!(
            words(" int _f2(+string[ 16 ]);"),
            [
                Word::Name("int"),
                Word::Name("_f2"),
                Word::Sign('('),
                Word::Sign('+'),
                Word::Name("string"),
                Word::Sign('['),
                Word::Number(Some(16)),
                Word::Sign(']'),
                Word::Sign(')'),
                Word::Sign(';')
            ]
        );
        assert_eq!(words("\t \r\n"), []);
    }

    #[test]
    fn numbers_have_the_bases_of_c() {
        for (text, value) in
            [("0", 0), ("010", 8), ("0x1F", 31), ("99", 99), ("0xffffffffffffffff", -1), ("00", 0)]
        {
            assert_eq!(words(text), [Word::Number(Some(value))], "{text}");
        }
        for text in ["08", "0x", "12ab", "0x10000000000000000"] {
            assert_eq!(words(text), [Word::Number(None)], "{text}");
        }
    }

    #[test]
    fn a_text_ends_at_its_mark_and_a_column_counts_characters() {
        let mut lexer = Lexer::new("import \"libc.so-types\" ; \"open");
        assert!(lexer.takes_name("import"));
        assert_eq!((lexer.column(), lexer.next()), (8, Word::Text(Some("libc.so-types"))));
        assert!(!lexer.takes(',') && lexer.takes(';'));
        assert_eq!(lexer.next(), Word::Text(None));
        assert_eq!((lexer.next(), lexer.peek()), (Word::End, Word::End));
        let mut wide = Lexer::new("é x");
        wide.next();
        assert_eq!(wide.column(), 3);
    }

    #[test]
    fn symbols_may_have_dots() {
        let mut lexer = Lexer::new(" _ZN3foo17h.llvm.12$x (");
        assert_eq!(lexer.symbol(), Some("_ZN3foo17h.llvm.12$x"));
        assert_eq!(lexer.next(), Word::Sign('('));
        assert_eq!(Lexer::new("(").symbol(), None);
        assert_eq!(Lexer::new("9x").symbol(), None);
    }
}
