//! Arrays.

use super::pointer::unreadable;
use super::{Around, Value, delimit, show};
use crate::prototype::types::Typed;
use crate::trace::print::arguments::Call;
use crate::trace::print::expression::Length;
use crate::trace::print::text::Text;

/// Elements as far as they were copied.
pub(super) struct Elements<'a> {
    /// Bytes of those that are shown.
    pub bytes: &'a [u8],
    /// There are more than are shown.
    pub cut: bool,
    /// Memory ended, or its copy did.
    pub missing: bool,
}

impl Elements<'_> {
    /// Whether there is something to show, if only that there are none.
    pub fn any(&self) -> bool {
        !self.missing || !self.bytes.is_empty()
    }
}

/// Writes an array with its elements.
pub(super) fn write(
    call: &Call<'_>,
    out: &mut Text,
    value: Value<'_>,
    of: &Typed,
    length: Length,
    around: Around<'_>,
) {
    let size = of.layout().0.max(1);
    let found = elements(call, value.bytes, value.address, size, length, call.limits.array);
    let Some(elements) = found.filter(Elements::any) else { return absent(out, value, length) };
    out.raw(b"[ ");
    let mut delimited = false;
    each(elements.bytes, size, value.address, |bytes, address| {
        delimited |=
            delimit(out, delimited, |out| show(call, out, Value { typed: of, bytes, address }, around));
    });
    if elements.missing {
        delimit(out, delimited, Text::unknown);
    } else if elements.cut {
        out.raw(b"...");
    }
    out.raw(b" ]");
}

/// Tells of each element: its bytes and where they lie.
pub(super) fn each(
    bytes: &[u8],
    size: usize,
    address: Option<u64>,
    mut show: impl FnMut(&[u8], Option<u64>),
) {
    for (number, element) in bytes.chunks_exact(size).enumerate() {
        show(element, address.map(|address| address.wrapping_add((number * size) as u64)));
    }
}

/// Writes what stands for an array of which nothing is there.
pub(super) fn absent(out: &mut Text, value: Value<'_>, length: Length) {
    match (length, value.address) {
        (Length::Unknown, _) | (_, None) => out.unknown(),
        // A call that should have filled it has failed.
        (Length::Negative, Some(address)) => out.hex(address),
        (_, Some(address)) => unreadable(out, address),
    }
}

/// The elements of an array of which at most `limit` are shown: those inside a value, or those at an address. None if
/// its length is not known.
pub(super) fn elements<'a>(
    call: &Call<'a>,
    inside: &'a [u8],
    address: Option<u64>,
    size: usize,
    length: Length,
    limit: u64,
) -> Option<Elements<'a>> {
    let (most, to_zero) = match length {
        Length::Exactly(count) => (count, false),
        Length::UpToZero(most) => (most, true),
        Length::Negative | Length::Unknown => return None,
    };
    let wanted = usize::try_from(most.min(limit.saturating_add(1))).unwrap_or(usize::MAX);
    let bytes = wanted.saturating_mul(size);
    let known = match (inside.get(..bytes), address) {
        (Some(inside), _) if !inside.is_empty() || bytes == 0 => inside,
        (_, Some(address)) => call.memory.at(address, bytes),
        _ => inside,
    };
    let known = &known[..known.len() - known.len() % size];
    let zero = |element: &[u8]| element.iter().all(|byte| *byte == 0);
    let end = to_zero.then(|| known.chunks_exact(size).position(zero)).flatten();
    let have = (known.len() / size) as u64;
    let shown = end.map_or(have, |end| end as u64).min(limit);
    Some(Elements {
        bytes: &known[..shown as usize * size],
        // If exactly so many were copied as may be shown, more could be there.
        cut: end.map_or(shown == limit && most > limit, |end| end as u64 > limit),
        missing: end.is_none() && have < most && have < limit,
    })
}
