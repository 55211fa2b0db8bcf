//! Text as it grows: bytes in one buffer, and how many columns they take.

pub use super::color::Color;

/// Text that is put together.
#[derive(Clone, Debug, Default)]
pub struct Text {
    bytes: Vec<u8>,
    /// Bytes that take no column of their own.
    invisible: usize,
    /// Whether colours are written.
    pub colored: bool,
}

/// A place in a text, to go back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    bytes: usize,
    invisible: usize,
}

impl Text {
    /// An empty one, with or without colours.
    #[must_use]
    pub fn new(colored: bool) -> Self {
        Self { bytes: Vec::new(), invisible: 0, colored }
    }

    /// What is there.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.invisible = 0;
    }

    /// Where the text begins.
    #[must_use]
    pub fn start() -> Mark {
        Mark { bytes: 0, invisible: 0 }
    }

    /// What stands in front of a mark.
    #[must_use]
    pub fn before(&self, mark: Mark) -> &[u8] {
        &self.bytes[..mark.bytes]
    }

    /// Forgets what stands in front of a mark, which is where the text begins then.
    pub fn drop_before(&mut self, mark: Mark) {
        self.bytes.drain(..mark.bytes);
        self.invisible -= mark.invisible;
    }

    /// Where the text ends now.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark { bytes: self.bytes.len(), invisible: self.invisible }
    }

    /// Forgets what came behind a mark.
    pub fn rewind(&mut self, mark: Mark) {
        self.bytes.truncate(mark.bytes);
        self.invisible = mark.invisible;
    }

    /// Columns taken since a mark.
    #[must_use]
    pub fn columns(&self, since: Mark) -> usize {
        (self.bytes.len() - since.bytes).saturating_sub(self.invisible - since.invisible)
    }

    /// Bytes, a column each.
    #[inline]
    pub fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// One byte.
    #[inline]
    pub fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    /// A text, a column for each character.
    pub fn str(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
        if !text.is_ascii() {
            self.invisible += text.len() - text.chars().count();
        }
    }

    /// A character.
    pub fn char(&mut self, character: char) {
        self.str(character.encode_utf8(&mut [0; 4]));
    }

    /// Another text behind this one.
    pub fn append(&mut self, other: &Text) {
        self.bytes.extend_from_slice(&other.bytes);
        self.invisible += other.invisible;
    }

    /// Spaces.
    pub fn spaces(&mut self, count: usize) {
        self.bytes.resize(self.bytes.len() + count, b' ');
    }

    /// Changes the colour; [`Text::plain`] ends it.
    #[inline]
    pub fn color(&mut self, color: Color) {
        if self.colored {
            self.bytes.extend_from_slice(color.sequence());
            self.invisible += color.sequence().len();
        }
    }

    /// Ends a colour.
    #[inline]
    pub fn plain(&mut self) {
        const RESET: &[u8] = b"\x1b[0m";
        if self.colored {
            self.bytes.extend_from_slice(RESET);
            self.invisible += RESET.len();
        }
    }

    /// A value that is not known.
    pub fn unknown(&mut self) {
        self.color(Color::Doubt);
        self.byte(b'?');
        self.plain();
    }

    /// A number in decimal.
    #[inline]
    pub fn unsigned(&mut self, number: u64) {
        let mut digits = [0_u8; 20];
        let mut at = digits.len();
        let mut rest = number;
        loop {
            at -= 1;
            digits[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        self.bytes.extend_from_slice(&digits[at..]);
    }

    /// A number in decimal, with a minus if it is negative.
    #[inline]
    pub fn signed(&mut self, number: i64) {
        if number < 0 {
            self.byte(b'-');
        }
        self.unsigned(number.unsigned_abs());
    }

    /// A number in decimal with at least `width` digits, zeros in front.
    pub fn zero_padded(&mut self, number: u64, width: usize) {
        let digits = number.checked_ilog10().unwrap_or(0) as usize + 1;
        for _ in digits..width {
            self.byte(b'0');
        }
        self.unsigned(number);
    }

    /// A number in hexadecimal with `0x` in front; zero is `0`.
    #[inline]
    pub fn hex(&mut self, number: u64) {
        if number == 0 {
            return self.byte(b'0');
        }
        let digits = (67 - number.leading_zeros() as usize) / 4;
        self.raw(b"0x");
        for digit in (0..digits).rev() {
            self.byte(b"0123456789abcdef"[(number >> (4 * digit)) as usize & 0xf]);
        }
    }

    /// A number in octal with `0` in front.
    pub fn octal(&mut self, number: u64) {
        let digits = (66 - number.leading_zeros() as usize) / 3;
        self.byte(b'0');
        for digit in (0..digits.max(1)).rev() {
            self.byte(b'0' + (number >> (3 * digit)) as u8 % 8);
        }
    }
}

impl std::fmt::Write for Text {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.str(text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Text)) -> String {
        let mut text = Text::default();
        write(&mut text);
        String::from_utf8(text.bytes().to_vec()).unwrap()
    }

    #[test]
    fn numbers_are_written_as_c_does() {
        for number in [0, 9, 10, 0o777, 0xdead_beef, u64::MAX / 3, 1 << 63, u64::MAX] {
            assert_eq!(written(|text| text.unsigned(number)), format!("{number}"));
            assert_eq!(written(|text| text.octal(number)), format!("0{number:o}"));
            let hex = if number == 0 { "0".to_owned() } else { format!("{number:#x}") };
            assert_eq!(written(|text| text.hex(number)), hex);
        }
        for number in [0, -1, i64::MIN, i64::MAX] {
            assert_eq!(written(|text| text.signed(number)), format!("{number}"));
        }
        assert_eq!(written(|text| text.zero_padded(7, 6)), "000007");
        assert_eq!(written(|text| text.zero_padded(0, 2)), "00");
        assert_eq!(written(|text| text.zero_padded(1234, 2)), "1234");
    }

    #[test]
    fn columns_count_characters_and_not_colours() {
        let mut text = Text::new(true);
        text.str("before");
        let start = text.mark();
        text.color(Color::Name);
        text.str("что");
        text.plain();
        assert_eq!(text.columns(start), 3);
        let end = text.mark();
        text.str("more");
        text.rewind(end);
        assert_eq!(text.mark(), end);
        text.colored = false;
        text.color(Color::Name);
        assert_eq!(text.mark(), end);
    }
}
