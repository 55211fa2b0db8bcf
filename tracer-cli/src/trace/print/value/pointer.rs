//! Pointers, and what they lead to.

use super::{Around, Value, show};
use crate::prototype::types::{Kind, Struct, Typed};
use crate::trace::print::arguments::Call;
use crate::trace::print::integer;
use crate::trace::print::text::Text;

/// A pointer that was followed.
pub struct Followed<'a> {
    address: u64,
    /// The struct it leads to.
    to: Option<*const Struct>,
    /// The one before it.
    before: Option<&'a Followed<'a>>,
}

impl Followed<'_> {
    fn all(&self) -> impl Iterator<Item = &Followed<'_>> {
        std::iter::successors(Some(self), |followed| followed.before)
    }
}

/// Writes what a pointer leads to; the pointer itself if nothing is known of that.
pub(super) fn write(call: &Call<'_>, out: &mut Text, value: Value<'_>, to: &Typed, around: Around<'_>) {
    let Some(address) = integer::number(value.typed, value.bytes) else { return out.unknown() };
    let address = address as u64;
    if address == 0 {
        return out.raw(b"nil");
    }
    let of = match &to.kind {
        Kind::Void => return out.hex(address),
        Kind::Struct(of) => Some(&raw const **of),
        _ => None,
    };
    let mut same = 0;
    for (level, followed) in around.pointer.into_iter().flat_map(Followed::all).enumerate() {
        if followed.address == address {
            out.raw(b"recurse");
            return (0..level).for_each(|_| out.byte(b'^'));
        }
        same += u64::from(of.is_some() && followed.to == of);
    }
    if of.is_some() && same >= call.limits.array {
        return out.raw(b"...");
    }
    let followed = Followed { address, to: of, before: around.pointer };
    let around = Around { pointer: Some(&followed), ..around };
    let bytes = call.memory.at(address, to.layout().0);
    let dynamic = matches!(to.kind, Kind::Array { .. });
    if bytes.is_empty() && to.layout().0 > 0 && !dynamic {
        return unreadable(out, address);
    }
    show(call, out, Value { typed: to, bytes, address: Some(address) }, around);
}

/// Writes a pointer to what could not be read.
pub(super) fn unreadable(out: &mut Text, address: u64) {
    out.hex(address);
    out.unknown();
}
