//! The sums: requested <= usable <= in use <= system <= mapped.

use super::Moment;
use super::parts::Parts;
use super::report::{Ledger, Part};

/// The sums of `parts`, which are the moment's.
///
/// What is requested are the living blocks' bytes in the allocator's memory; blocks that the ledger has
/// elsewhere, or beyond their chunk's end, are among the differences.
pub(super) fn ledger(moment: &Moment, parts: &Parts) -> Ledger {
    let by_chunks = moment.chunk_map().is_some();
    let anonymous = parts.all().resident;
    Ledger {
        requested: parts.of(Part::Live),
        usable: by_chunks.then(|| parts.sum(&[Part::Live, Part::Rounding])),
        in_use: by_chunks.then(|| parts.in_use()),
        system: parts.sum(Part::OWN),
        mapped: parts.mapped(),
        kernel: moment.kernel,
        anonymous,
        explained: anonymous - parts.of(Part::Unknown).resident,
    }
}
