//! Extended doubles of the x87: 64 bits of significand, 15 of exponent, a sign.

use super::float;
use super::text::Text;

/// What the exponent of a number is moved by.
const BIAS: i64 = 16_383;
/// The exponent of infinities and of what is no number.
const SPECIAL: i64 = 0x7fff;

/// Sign, significand and exponent: the value is the significand times 2 to the exponent. None for what is no finite
/// number, which has been written then.
fn parts(out: &mut Text, bytes: [u8; 10]) -> Option<(u64, i64)> {
    let [significand @ .., low, high] = bytes;
    let significand = u64::from_le_bytes(significand);
    let exponent = i64::from(u16::from_le_bytes([low, high & 0x7f]));
    if high & 0x80 != 0 {
        out.byte(b'-');
    }
    if exponent == SPECIAL {
        out.str(if significand << 1 == 0 { "inf" } else { "nan" });
        return None;
    }
    // The smallest exponent stands for the same as the next one, without the leading bit.
    Some((significand, exponent.max(1) - BIAS - 63))
}

/// Writes one as `%Lf` does: all digits in front of the point, six behind it, rounded to even.
pub fn decimal(out: &mut Text, bytes: [u8; 10]) {
    let Some((significand, exponent)) = parts(out, bytes) else { return };
    if exponent >= 0 {
        whole(out, significand, exponent as u32);
        out.str(".000000");
        return;
    }
    let shift = exponent.unsigned_abs() as u32;
    let millionths = u128::from(significand) * 1_000_000;
    // 84 bits: what is moved out farther than that is less than a half.
    let rounded = if shift > 100 {
        0
    } else {
        let (quotient, rest) = (millionths >> shift, millionths & ((1 << shift) - 1));
        let half = 1_u128 << (shift - 1);
        quotient + u128::from(rest > half || rest == half && quotient & 1 == 1)
    };
    out.unsigned((rounded / 1_000_000) as u64);
    out.byte(b'.');
    out.zero_padded((rounded % 1_000_000) as u64, 6);
}

/// Writes `significand` times 2 to `exponent`.
fn whole(out: &mut Text, significand: u64, exponent: u32) {
    const LIMB: u64 = 1_000_000_000;
    // The lowest nine digits first.
    let mut limbs = Vec::new();
    let mut rest = significand;
    while rest > 0 {
        limbs.push(rest % LIMB);
        rest /= LIMB;
    }
    let mut left = exponent;
    while left > 0 {
        let shift = left.min(29);
        left -= shift;
        let mut carry = 0;
        for limb in &mut limbs {
            let moved = (*limb << shift) + carry;
            *limb = moved % LIMB;
            carry = moved / LIMB;
        }
        if carry > 0 {
            limbs.push(carry);
        }
    }
    match limbs.split_last() {
        Some((first, others)) => {
            out.unsigned(*first);
            for limb in others.iter().rev() {
                out.zero_padded(*limb, 9);
            }
        }
        None => out.byte(b'0'),
    }
}

/// Writes one as `%La` does: the four highest bits, then the others in hexadecimal.
pub fn hex(out: &mut Text, bytes: [u8; 10]) {
    let Some((significand, exponent)) = parts(out, bytes) else { return };
    let exponent = if significand == 0 { 0 } else { exponent + 60 };
    float::digits(out, (significand >> 60) as u8, significand & ((1 << 60) - 1), 15, exponent);
}
