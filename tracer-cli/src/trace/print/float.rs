//! Floating-point numbers.

use std::fmt::Write as _;

use super::extended;
use super::text::Text;

/// Writes a number of 4, 8 or 16 bytes as `%f` does, or as `%a` if `hex`.
pub fn write(out: &mut Text, bytes: &[u8], size: u8, hex: bool) {
    match size {
        4 => match bytes.first_chunk::<4>() {
            Some(bytes) => double(out, f64::from(f32::from_le_bytes(*bytes)), hex),
            None => out.unknown(),
        },
        8 => match bytes.first_chunk::<8>() {
            Some(bytes) => double(out, f64::from_le_bytes(*bytes), hex),
            None => out.unknown(),
        },
        _ => match bytes.first_chunk::<10>() {
            Some(bytes) if hex => extended::hex(out, *bytes),
            Some(bytes) => extended::decimal(out, *bytes),
            None => out.unknown(),
        },
    }
}

/// Writes a complex number: `1.500000-2.000000i`.
pub fn complex(out: &mut Text, bytes: &[u8], size: u8, hex: bool) {
    let (real, imaginary) = bytes.split_at(usize::from(size).min(bytes.len()));
    write(out, real, size, hex);
    let negative = match size {
        16 => imaginary.get(9),
        _ => imaginary.get(usize::from(size) - 1),
    };
    if negative.is_none_or(|byte| byte & 0x80 == 0) {
        out.byte(b'+');
    }
    write(out, imaginary, size, hex);
    out.byte(b'i');
}

fn double(out: &mut Text, value: f64, hex: bool) {
    let sign = if value.is_sign_negative() { "-" } else { "" };
    let written = match value.classify() {
        std::num::FpCategory::Nan => write!(out, "{sign}nan"),
        std::num::FpCategory::Infinite => write!(out, "{sign}inf"),
        _ if !hex => write!(out, "{value:.6}"),
        _ => {
            let bits = value.to_bits();
            let exponent = (bits >> 52 & 0x7ff) as i64;
            let fraction = bits & ((1 << 52) - 1);
            out.str(sign);
            return digits(
                out,
                u8::from(exponent != 0),
                fraction,
                13,
                match (exponent, fraction) {
                    (0, 0) => 0,
                    (0, _) => -1022,
                    _ => exponent - 1023,
                },
            );
        }
    };
    debug_assert!(written.is_ok(), "text takes everything");
}

/// Writes `0x1.8p+3`: a digit, a fraction of so many hexadecimal digits, and an exponent of 2.
pub(super) fn digits(out: &mut Text, first: u8, fraction: u64, width: u32, exponent: i64) {
    out.raw(b"0x");
    out.byte(b"0123456789abcdef"[usize::from(first)]);
    if fraction != 0 {
        out.byte(b'.');
        let zeros = fraction.trailing_zeros() / 4;
        for digit in (zeros..width).rev() {
            out.byte(b"0123456789abcdef"[(fraction >> (4 * digit)) as usize & 0xf]);
        }
    }
    out.byte(b'p');
    if exponent >= 0 {
        out.byte(b'+');
    }
    out.signed(exponent);
}
