//! Characters and strings.

use super::text::Text;

/// Writes a character of one byte, without quotation marks.
#[inline]
pub fn narrow(out: &mut Text, character: u8) {
    match character {
        b'\\' => out.raw(b"\\\\"),
        b' '..=b'~' => out.byte(character),
        _ => escaped(out, character),
    }
}

/// Writes characters of one byte each.
pub fn narrow_all(out: &mut Text, mut characters: &[u8]) {
    while !characters.is_empty() {
        let plain = characters.iter().take_while(|c| matches!(c, b' '..=b'~') && **c != b'\\').count();
        let (first, rest) = characters.split_at(plain);
        out.raw(first);
        characters = rest;
        if let Some((special, behind)) = rest.split_first() {
            narrow(out, *special);
            characters = behind;
        }
    }
}

#[cold]
fn escaped(out: &mut Text, character: u8) {
    match character {
        0 => out.raw(b"\\0"),
        0x07 => out.raw(b"\\a"),
        0x08 => out.raw(b"\\b"),
        b'\t' => out.raw(b"\\t"),
        b'\n' => out.raw(b"\\n"),
        0x0b => out.raw(b"\\v"),
        0x0c => out.raw(b"\\f"),
        b'\r' => out.raw(b"\\r"),
        _ => {
            out.byte(b'\\');
            for shift in [6, 3, 0] {
                out.byte(b'0' + (character >> shift & 7));
            }
        }
    }
}

/// Writes a wide character, without quotation marks; what is no character in hexadecimal.
pub fn wide(out: &mut Text, character: u64) {
    let known = u32::try_from(character).ok().and_then(char::from_u32);
    match known {
        Some(ascii @ '\0'..='\x7f') => narrow(out, ascii as u8),
        Some(character) if !character.is_control() => out.char(character),
        _ => {
            out.byte(b'\\');
            out.byte(b'x');
            let digits = (67 - character.leading_zeros() as usize) / 4;
            for digit in (0..digits).rev() {
                out.byte(b"0123456789abcdef"[(character >> (4 * digit)) as usize & 0xf]);
            }
        }
    }
}
