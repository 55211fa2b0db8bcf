//! Bit vectors: the numbers of their bits.

use super::text::Text;

/// Writes which bits are set, `<3-5,7>`; if most are, which are not, `~<0>`. Bit 0 is the lowest of the first byte.
pub fn write(out: &mut Text, bytes: &[u8]) {
    let set: u32 = bytes.iter().map(|byte| byte.count_ones()).sum();
    let inverse = set as usize > bytes.len() * 4;
    if inverse {
        out.byte(b'~');
    }
    out.byte(b'<');
    let shown = |bit: usize| bytes.get(bit / 8).is_some_and(|byte| (byte >> (bit % 8) & 1 == 1) != inverse);
    let (mut bit, mut first) = (0, true);
    while bit < bytes.len() * 8 {
        if !shown(bit) {
            bit += 1;
            continue;
        }
        let start = bit;
        while shown(bit + 1) {
            bit += 1;
        }
        if !first {
            out.byte(b',');
        }
        first = false;
        out.unsigned(start as u64);
        if bit > start {
            out.byte(b'-');
            out.unsigned(bit as u64);
        }
        bit += 1;
    }
    out.byte(b'>');
}
