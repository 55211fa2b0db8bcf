//! One address of the heap: its living owner, or the last one it had.

use super::origins::Origin;
use super::owner::{BlockOwner, Got};
use crate::pairing::{Latest, TOLERANCE_NS};

/// A row of the [`table`](super::table), two to a cache line.
///
/// | bits of `tag` | meaning |
/// |---|---|
/// | 0-28 | origin of the owner |
/// | 29 | the owner is alive |
/// | 30 | some owner of this address has been released |
/// | 31 | contested: more is known about this address than fits here |
///
/// A released owner's lifetime needs 48 bits: they lie where the living one's thread and the
/// upper part of its size are, since no block has 2^48 bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    address: u64,
    birth_ns: u64,
    bytes_and_high: u64,
    tag: u32,
    thread_or_low: u32,
}

const _: () = assert!(size_of::<Slot>() == 32, "two slots fill a cache line");

const LIVE: u32 = 1 << 29;
const RELEASED: u32 = 1 << 30;
const CONTESTED: u32 = 1 << 31;
const ORIGIN: u32 = LIVE - 1;
const _: () = assert!(ORIGIN == Origin::MAX);

/// The largest size that is kept; larger ones count as this much.
pub(super) const MAX_BYTES: u64 = (1 << 48) - 1;

impl Slot {
    /// Never used: ends a search.
    pub(super) const EMPTY: Self = Self::new(0);

    /// An address nobody has owned yet.
    pub(super) const fn new(address: u64) -> Self {
        Self { address, birth_ns: 0, bytes_and_high: 0, tag: 0, thread_or_low: 0 }
    }

    #[inline(always)]
    pub(super) const fn address(&self) -> u64 {
        self.address
    }

    #[inline(always)]
    pub(super) const fn is_live(&self) -> bool {
        self.tag & LIVE != 0
    }

    /// Whether forgetting it loses nothing but the memory of a former owner.
    #[inline(always)]
    pub(super) const fn is_idle(&self) -> bool {
        self.tag & (LIVE | CONTESTED) == 0
    }

    #[inline(always)]
    pub(super) const fn is_contested(&self) -> bool {
        self.tag & CONTESTED != 0
    }

    #[inline(always)]
    pub(super) const fn was_released(&self) -> bool {
        self.tag & RELEASED != 0
    }

    /// Whether an acquire that ended at `birth_ns` simply comes after all that is known here.
    #[inline(always)]
    pub(super) const fn is_free_at(&self, birth_ns: u64) -> bool {
        self.is_idle()
            && (self.tag & RELEASED == 0
                || (birth_ns >= self.birth_ns && birth_ns + TOLERANCE_NS >= self.released_ns()))
    }

    /// Whether a release that began at `start_ns` simply ends the living owner's time.
    #[inline(always)]
    pub(super) const fn is_owned_at(&self, start_ns: u64) -> bool {
        self.tag & (LIVE | CONTESTED) == LIVE && self.birth_ns <= start_ns + TOLERANCE_NS
    }

    #[inline(always)]
    pub(super) const fn birth_ns(&self) -> u64 {
        self.birth_ns
    }

    #[inline(always)]
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes_and_high & MAX_BYTES
    }

    #[inline(always)]
    pub(super) const fn origin(&self) -> Origin {
        Origin::from_bits(self.tag & ORIGIN)
    }

    #[inline(always)]
    pub(super) const fn got(&self) -> Got {
        Got { bytes: self.bytes(), origin: self.origin() }
    }

    /// When its last owner was released, if that one is not alive.
    #[inline(always)]
    pub(super) const fn released_ns(&self) -> u64 {
        let lifetime = (self.bytes_and_high >> 48) << 32 | self.thread_or_low as u64;
        self.birth_ns + lifetime
    }

    #[inline(always)]
    pub(super) const fn thread(&self) -> u32 {
        self.thread_or_low
    }

    /// A new owner lives here.
    #[inline(always)]
    pub(super) const fn own(&mut self, birth_ns: u64, got: Got, thread: u32) {
        self.birth_ns = birth_ns;
        self.bytes_and_high = got.bytes;
        self.tag = self.tag & (RELEASED | CONTESTED) | LIVE | got.origin.bits();
        self.thread_or_low = thread;
    }

    /// The owner was released by a call that began at `start_ns`.
    #[inline(always)]
    pub(super) fn release(&mut self, start_ns: u64) {
        let lifetime = start_ns.saturating_sub(self.birth_ns).min(MAX_BYTES);
        self.bytes_and_high = self.bytes() | (lifetime >> 32) << 48;
        self.thread_or_low = lifetime as u32;
        self.tag = self.tag & !LIVE | RELEASED;
    }

    /// Corrects what the owner got.
    pub(super) fn amend(&mut self, got: Got) {
        self.bytes_and_high = self.bytes_and_high & !MAX_BYTES | got.bytes;
        self.tag = self.tag & !ORIGIN | got.origin.bits();
    }

    /// Says whether more is known about this address elsewhere.
    pub(super) fn set_contested(&mut self, contested: bool) {
        self.tag = self.tag & !CONTESTED | if contested { CONTESTED } else { 0 };
    }

    pub(super) fn latest(&self) -> Latest<BlockOwner> {
        let owner = |thread| BlockOwner { birth_ns: self.birth_ns, got: self.got(), thread };
        match (self.is_live(), self.was_released()) {
            (true, _) => Latest::Live(owner(Some(self.thread_or_low))),
            (false, true) => Latest::Released(owner(None), self.released_ns()),
            (false, false) => Latest::Nobody,
        }
    }

    pub(super) fn set_latest(&mut self, latest: &Latest<BlockOwner>) {
        match latest {
            Latest::Nobody => {}
            Latest::Live(owner) => self.own(owner.birth_ns, owner.got, owner.thread.unwrap_or(0)),
            Latest::Released(owner, at_ns) => {
                self.own(owner.birth_ns, owner.got, 0);
                self.release(*at_ns);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_released_slot_still_knows_its_owner_and_when_it_went() {
        let mut slot = Slot::new(0x5000);
        let got = Got { bytes: MAX_BYTES, origin: Origin::from_bits(Origin::MAX) };
        slot.own(1_000, got, u32::MAX);
        slot.release(1_000 + 3_600_000_000_000);
        assert_eq!((slot.got(), slot.birth_ns()), (got, 1_000));
        assert_eq!(slot.released_ns(), 3_600_000_001_000);
        assert!(slot.is_idle() && slot.was_released());
    }
}
