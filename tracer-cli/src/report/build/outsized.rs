//! The part of outsized allocations.

use calltap_analyzers::outsized::{
    self, CapacitySetBy, LimitBefore as Before, OutsizedAllocation as Asked, OutsizedReport,
};
use nix::errno::Errno;

use super::{Ended, Sites, function_name};
use crate::report::model::{LimitBefore, Multiple, Outsized, OutsizedAllocation};

pub(super) fn outsized(
    report: &OutsizedReport,
    (ended, ended_ns): (Ended, Option<u64>),
    sites: &mut Sites<'_, '_>,
) -> Outsized {
    let capacity = report.capacity;
    let killed_ns = ended_ns.filter(|_| matches!(ended, Ended::Signal(_)));
    let allocations = report.allocations.iter().map(|asked| OutsizedAllocation {
        bytes: asked.bytes,
        percent: percent(asked.bytes, capacity.bytes),
        function: function_name(asked.function),
        given: asked.address.is_some(),
        errno: asked.errno,
        error: error(asked),
        tid: asked.thread.0,
        at_ns: asked.at_ns,
        killed_after_ns: killed_ns.map(|killed_ns| killed_ns.saturating_sub(asked.end_ns)),
        site: sites.at(asked.site, asked.stack),
        stack: sites.stack(asked.site, asked.stack),
        limits: asked.limits.iter().map(limit).collect(),
    });
    Outsized {
        capacity_bytes: capacity.bytes,
        capacity_set_by: match capacity.set_by {
            CapacitySetBy::Ram => "ram",
            CapacitySetBy::Cgroup => "cgroup",
        },
        percent: capacity.percent,
        above_bytes: capacity.most_bytes(),
        count: report.count,
        allocations: allocations.collect(),
    }
}

/// Rounded.
fn percent(bytes: u64, capacity: u64) -> u64 {
    let (bytes, capacity) = (u128::from(bytes), u128::from(capacity.max(1)));
    u64::try_from((bytes * 100 + capacity / 2) / capacity).unwrap_or(u64::MAX)
}

fn error(asked: &Asked) -> Option<String> {
    let told = asked.address.is_none() && asked.errno != 0;
    told.then(|| format!("{:?}", Errno::from_raw(i32::from(asked.errno))))
}

fn limit(before: &Before) -> LimitBefore {
    let read = &before.read;
    LimitBefore {
        function: function_name(read.function),
        limit: read.limit.to_owned(),
        value: read.value,
        hard: read.hard,
        tid: read.thread.0,
        before_ns: before.before_ns,
        multiple: before.multiple.map(|outsized::Multiple { value, bytes_each, beyond_bytes }| Multiple {
            value,
            bytes_each,
            beyond_bytes,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_rounded() {
        assert_eq!(percent(55_000_000_000, 16_000_000_000), 344);
        assert_eq!(percent(u64::MAX, 1), u64::MAX);
        assert_eq!(percent(1, 3), 33);
    }
}
