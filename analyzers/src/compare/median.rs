//! The middle of ascending figures.

/// The median: the middle one, or the mean of the two in the middle. None if there are none.
pub(super) fn median(ascending: &[f64]) -> Option<f64> {
    let last = ascending.len().checked_sub(1)?;
    Some(ascending[last / 2].midpoint(ascending[ascending.len() / 2]))
}
