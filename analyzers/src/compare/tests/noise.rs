//! Noise as it is found on machines, drawn anew for each simulated session.

use fastrand::Rng;

/// Its shape; what it adds to a figure of 100.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    /// Of standard deviation 1.
    Normal,
    /// Mostly small, seldom very large: the logarithm has standard deviation 1.5.
    HeavyTail,
    /// One of two places, 10 apart, the upper one in 3 of 10 runs.
    Bimodal,
    /// Normal, on top of what a whole round has in common: from 50 falling to 0, and 10 up or down.
    Drifting,
    /// Whole numbers, few of them: most figures are equal.
    Counts,
    /// None at all.
    None,
}

pub(super) const SHAPES: [Shape; 6] =
    [Shape::Normal, Shape::HeavyTail, Shape::Bimodal, Shape::Drifting, Shape::Counts, Shape::None];

/// A figure of all variants, each moved by its shift.
pub(super) fn figures(
    shape: Shape,
    rounds: usize,
    shifts: &[f64],
    random: &mut Rng,
) -> Vec<Vec<Option<f64>>> {
    let mut figures = vec![Vec::new(); shifts.len()];
    for round in 0..rounds {
        let common = 50.0 * (1.0 - round as f64 / rounds as f64) + 10.0 * normal(random);
        for (series, shift) in figures.iter_mut().zip(shifts) {
            let noise = match shape {
                Shape::Normal => normal(random),
                Shape::HeavyTail => (1.5 * normal(random)).exp(),
                Shape::Bimodal => normal(random) + if random.f64() < 0.3 { 10.0 } else { 0.0 },
                Shape::Drifting => common + normal(random),
                Shape::Counts => normal(random).round(),
                Shape::None => 0.0,
            };
            series.push(Some(100.0 + shift + noise));
        }
    }
    figures
}

/// The normal distribution (Box and Muller 1958).
pub(super) fn normal(random: &mut Rng) -> f64 {
    let radius = (-2.0 * (1.0 - random.f64()).ln()).sqrt();
    radius * (std::f64::consts::TAU * random.f64()).cos()
}
