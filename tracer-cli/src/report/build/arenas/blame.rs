//! Who is to blame: verdicts, and blocks that pin.

use calltap_analyzers::arenas::report::{Culprit, Pin, Verdict};

use super::super::Sites;
use super::{model, named};

pub(super) fn verdict(verdict: &Verdict, sites: &mut Sites<'_, '_>) -> model::Verdict {
    model::Verdict {
        kind: verdict.kind,
        bytes: verdict.bytes,
        resident_bytes: verdict.resident,
        percent: verdict.percent,
        culprits: verdict.culprits.iter().map(|found| culprit(found, sites)).collect(),
    }
}

pub(super) fn culprit(culprit: &Culprit, sites: &mut Sites<'_, '_>) -> model::Culprit {
    model::Culprit {
        function: named(culprit.function),
        blocks: culprit.blocks,
        bytes: culprit.bytes,
        own_bytes: culprit.own_bytes,
        bytes_per_second: culprit.bytes_per_second,
        oldest_ns: culprit.oldest_ns,
        newest_ns: culprit.newest_ns,
        site: sites.at(culprit.site, culprit.stack),
        stack: sites.stack(culprit.site, culprit.stack),
    }
}

pub(super) fn pin(pin: &Pin, sites: &mut Sites<'_, '_>) -> model::Pin {
    model::Pin {
        kind: pin.kind,
        block: pin.block,
        bytes: pin.bytes,
        pinned_bytes: pin.pinned_bytes,
        pinned_resident_bytes: pin.pinned_resident,
        arena: pin.arena,
        birth_ns: pin.birth_ns,
        tid: pin.thread.map(|thread| thread.0),
        function: named(pin.function),
        is_cached: pin.is_cached,
        site: sites.at(pin.site, pin.stack),
        stack: sites.stack(pin.site, pin.stack),
    }
}
