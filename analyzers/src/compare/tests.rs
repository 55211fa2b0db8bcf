use super::*;

mod exact;
mod laws;
mod noise;
mod power;
mod session;

/// Rounds that all gave a figure.
fn all(figures: &[f64]) -> Vec<Option<f64>> {
    figures.iter().copied().map(Some).collect()
}

/// The first is the baseline, the last is its second series.
fn settings(variants: usize, comparisons: u32) -> Settings {
    Settings { baseline: 0, again: variants - 1, comparisons }
}
