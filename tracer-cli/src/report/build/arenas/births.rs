//! What happened to regions: all of it in numbers, the most important of it one by one.

use std::cmp::Reverse;

use calltap_analyzers::arenas::regions::{Birth, Change};

use super::super::Sites;
use super::{model, named};
use crate::report::model::names::CHANGES;

/// So many changes go into the JSON one by one.
const MOST: usize = 1000;

/// Those that go into the JSON, by time: small steps of growth are left out first.
pub(super) fn chosen(births: &[Birth]) -> Vec<&Birth> {
    let mut ranked: Vec<(usize, &Birth)> = births.iter().enumerate().collect();
    if ranked.len() > MOST {
        ranked.sort_by_key(|(_, birth)| (is_step(birth.change), Reverse(birth.end - birth.start)));
        ranked.truncate(MOST);
        ranked.sort_by_key(|(index, _)| *index);
    }
    ranked.into_iter().map(|(_, birth)| birth).collect()
}

const fn is_step(change: Change) -> bool {
    matches!(change, Change::Grown | Change::Trimmed | Change::Purged)
}

pub(super) fn by_change(births: &[Birth]) -> Vec<model::ChangeCount> {
    let counts = CHANGES.into_iter().map(|change| model::ChangeCount {
        change,
        count: births.iter().filter(|birth| birth.change == change).count() as u64,
    });
    counts.filter(|counted| counted.count > 0).collect()
}

pub(super) fn birth(birth: &Birth, sites: &mut Sites<'_, '_>) -> model::Birth {
    model::Birth {
        change: birth.change,
        start: birth.start,
        end: birth.end,
        at_ns: birth.at_ns,
        tid: birth.thread.0,
        function: named(birth.function),
        site: sites.at(birth.site, birth.stack),
        stack: sites.stack(birth.site, birth.stack),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use calltap_analyzers::event::Thread;

    fn birth(change: Change, at_ns: u64, bytes: u64) -> Birth {
        let thread = Thread(1);
        Birth { change, start: 0, end: bytes, at_ns, thread, function: None, stack: 0, site: 0 }
    }

    #[test]
    fn of_many_changes_the_small_steps_are_left_out_and_all_are_counted() {
        let steps = (0..5000).map(|at| birth(Change::Grown, at, 4096 + at));
        let births: Vec<_> = steps.chain([birth(Change::ArenaBorn, 5000, 1)]).collect();
        let chosen = chosen(&births);
        assert_eq!((chosen.len(), chosen[0].at_ns), (MOST, 4001));
        assert_eq!(chosen[999].change, Change::ArenaBorn);
        let counts: Vec<_> = by_change(&births).iter().map(|row| (row.change, row.count)).collect();
        assert_eq!(counts, [(Change::ArenaBorn, 1), (Change::Grown, 5000)]);
    }
}
