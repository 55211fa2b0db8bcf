//! Values that have names: enumerations and sets of flags.

use super::integer;
use super::text::Text;
use crate::prototype::types::{Lens, Names};

/// Writes a value by its name; as a number if it has none.
pub fn one(out: &mut Text, names: &Names, value: i64, size: u8, signed: bool) {
    let bits = u64::MAX >> (64 - 8 * u32::from(size));
    match names.values.iter().find(|(_, named)| (*named ^ value) as u64 & bits == 0) {
        Some((name, _)) => out.str(name),
        None => integer::write(out, value, size, signed, &Lens::Default),
    }
}

/// Writes a value as the names of its flags, joined by `|`: the value of each group first, then single bits, then in
/// hexadecimal what has no name.
pub fn flags(out: &mut Text, names: &Names, value: i64, size: u8) {
    let start = out.mark();
    let join = |out: &mut Text| {
        if out.mark() != start {
            out.byte(b'|');
        }
    };
    let mut rest = value as u64 & u64::MAX >> (64 - 8 * u32::from(size));
    let mut grouped = 0;
    for mask in names.masks.iter().map(|mask| *mask as u64) {
        grouped |= mask;
        let group = rest & mask;
        let named =
            names.values.iter().find(|(_, value)| *value as u64 & !mask == 0 && *value as u64 == group);
        if let Some((name, _)) = named {
            join(out);
            out.str(name);
            rest &= !mask;
        }
    }
    let single = |flag: u64| flag != 0 && flag & grouped != flag;
    while let Some((name, flag)) = names
        .values
        .iter()
        .map(|(name, flag)| (name, *flag as u64))
        .filter(|(_, flag)| single(*flag) && rest & flag == *flag)
        // A name for several bits goes before the names of some of them; of equals the first.
        .reduce(|best, next| if next.1.count_ones() > best.1.count_ones() { next } else { best })
    {
        join(out);
        out.str(name);
        rest &= !flag;
    }
    if rest != 0 {
        join(out);
        out.hex(rest);
    }
    if out.mark() == start {
        match names.values.iter().find(|(_, value)| *value == 0) {
            Some((name, _)) => out.str(name),
            None => out.byte(b'0'),
        }
    }
}
