//! The outsized allocations' part of it.

use crate::report::model::{LimitBefore, Multiple, Outsized, OutsizedAllocation, Report};

impl Report {
    /// One allocation, with a limit that divides its size.
    pub(super) fn example_outsized() -> Outsized {
        let before = LimitBefore {
            value: Some(0),
            hard: Some(0),
            multiple: Some(Multiple::default()),
            ..LimitBefore::default()
        };
        let asked = OutsizedAllocation {
            function: Self::EXAMPLE_FUNCTION.to_owned(),
            error: Some(String::new()),
            killed_after_ns: Some(0),
            limits: vec![before],
            ..OutsizedAllocation::default()
        };
        Outsized { capacity_set_by: "ram", percent: 25, allocations: vec![asked], ..Outsized::default() }
    }
}
