use crate::trace::print::extended;
use crate::trace::print::text::Text;

/// Sign and exponent, and significand.
fn bytes(high: u16, significand: u64) -> [u8; 10] {
    let mut bytes = [0; 10];
    bytes[..8].copy_from_slice(&significand.to_le_bytes());
    bytes[8..].copy_from_slice(&high.to_le_bytes());
    bytes
}

fn shown(bytes: [u8; 10]) -> (String, String) {
    let (mut decimal, mut hex) = (Text::default(), Text::default());
    extended::decimal(&mut decimal, bytes);
    extended::hex(&mut hex, bytes);
    (String::from_utf8(decimal.bytes().to_vec()).unwrap(), String::from_utf8(hex.bytes().to_vec()).unwrap())
}

/// Of a `double` that is exact in both.
fn of(number: f64) -> [u8; 10] {
    let bits = number.to_bits();
    let exponent = (bits >> 52 & 0x7ff) as u16;
    bytes((bits >> 63 << 15) as u16 | (exponent + 16_383 - 1023), 1 << 63 | bits << 11)
}

#[test]
fn long_doubles_are_shown_as_printf_does() {
    // What glibc prints for `%Lf` and `%La`.
    for (bytes, decimal, hex) in [
        (bytes(0, 0), "0.000000", "0x0p+0"),
        (bytes(0x8000, 0), "-0.000000", "-0x0p+0"),
        (of(1.5), "1.500000", "0xcp-3"),
        (of(-1.0), "-1.000000", "-0x8p-3"),
        (bytes(0x3ffb, 0xcccc_cccc_cccc_cccd), "0.100000", "0xc.ccccccccccccccdp-7"),
        (bytes(0x7fff, 1 << 63), "inf", "inf"),
        (bytes(0xffff, 1 << 63), "-inf", "-inf"),
        (bytes(0x7fff, 3 << 62), "nan", "nan"),
        (bytes(0, 1), "0.000000", "0x0.000000000000001p-16385"),
        (bytes(0x403e, u64::MAX), "18446744073709551615.000000", "0xf.fffffffffffffffp+60"),
        (bytes(0x4040, 0x8000_0000_0000_0001), "36893488147419103236.000000", "0x8.000000000000001p+62"),
    ] {
        assert_eq!(shown(bytes), (decimal.to_owned(), hex.to_owned()));
    }
}

#[test]
fn long_doubles_are_rounded_to_even_as_doubles_are() {
    for number in
        [0.000_000_5, 0.000_001_5, 1.0 / 128.0, 2.5, 1e15 + 0.3, 1e22, 1.7e308, 4.9e-5, 123_456.789_012_5]
    {
        assert_eq!(shown(of(number)).0, format!("{number:.6}"));
        assert_eq!(shown(of(-number)).0, format!("{:.6}", -number));
    }
}

#[test]
fn the_largest_long_double_has_4933_digits_in_front_of_the_point() {
    let (decimal, hex) = shown(bytes(0x7ffe, u64::MAX));
    assert_eq!(decimal.find('.'), Some(4933));
    assert!(decimal.starts_with("118973149535723176502126385303097020516906332229462420044032373389173700"));
    assert_eq!(hex, "0xf.fffffffffffffffp+16380");
}
