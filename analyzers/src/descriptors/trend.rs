//! Whether a row of counts rises, how fast, and how sure that is.

/// What a row of evenly spaced values does.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Trend {
    /// Of the least-squares line: change from one value to the next.
    pub(crate) slope: f64,
    /// R squared of that line, 0 to 1.
    pub(crate) fit: f64,
    /// How probable it is that values without a trend rise so: the one-sided Mann-Kendall test in its
    /// normal approximation, good from 10 values on.
    pub(crate) chance: f64,
}

impl Trend {
    pub(crate) fn of(values: &[f64]) -> Self {
        let (slope, fit) = line(values);
        Self { slope, fit, chance: chance(values) }
    }
}

fn line(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let middle = (count - 1.0) / 2.0;
    let mean = values.iter().sum::<f64>() / count;
    let (mut across, mut along, mut up) = (0.0, 0.0, 0.0);
    for (index, value) in values.iter().enumerate() {
        let (x, y) = (index as f64 - middle, value - mean);
        across += x * y;
        along += x * x;
        up += y * y;
    }
    if along == 0.0 || up == 0.0 {
        return (0.0, 0.0);
    }
    (across / along, across * across / (along * up))
}

/// S counts the pairs that rise, less those that fall; without a trend it has the mean 0 and the
/// variance n(n-1)(2n+5)/18, less t(t-1)(2t+5)/18 for each group of t equal values.
fn chance(values: &[f64]) -> f64 {
    let mut rising = 0_i64;
    for (index, early) in values.iter().enumerate() {
        for late in &values[index + 1..] {
            rising += i64::from(late > early) - i64::from(late < early);
        }
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let ties: f64 = sorted.chunk_by(|one, other| one == other).map(|group| spread(group.len())).sum();
    let variance = (spread(values.len()) - ties) / 18.0;
    if rising <= 0 || variance <= 0.0 {
        return 1.0;
    }
    upper_tail((rising - 1) as f64 / variance.sqrt())
}

fn spread(count: usize) -> f64 {
    let count = count as f64;
    count * (count - 1.0) * (2.0 * count + 5.0)
}

/// How probable it is that a standard normal variable is above `z`, for `z` of 0 and more; wrong by
/// 1e-7 at most (Abramowitz and Stegun, Handbook of Mathematical Functions, 26.2.17).
fn upper_tail(z: f64) -> f64 {
    const FACTORS: [f64; 5] = [1.330_274_429, -1.821_255_978, 1.781_477_937, -0.356_563_782, 0.319_381_530];
    let t = 1.0 / (1.0 + 0.231_641_9 * z);
    let polynomial = FACTORS.iter().fold(0.0, |sum, factor| (sum + factor) * t);
    (-z * z / 2.0).exp() / std::f64::consts::TAU.sqrt() * polynomial
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_straight_line_is_found_with_its_slope() {
        let values: Vec<f64> = (0..24).map(|index| 5.0 + 3.0 * f64::from(index)).collect();
        let trend = Trend::of(&values);
        assert!((trend.slope - 3.0).abs() < 1e-9 && (trend.fit - 1.0).abs() < 1e-9);
        assert!(trend.chance < 1e-9);
    }

    #[test]
    fn what_stays_or_falls_does_not_rise() {
        assert_eq!(Trend::of(&[7.0; 24]), Trend { slope: 0.0, fit: 0.0, chance: 1.0 });
        let falling: Vec<f64> = (0..24).map(|index| -f64::from(index)).collect();
        assert!((Trend::of(&falling).chance - 1.0).abs() < f64::EPSILON);
    }

    #[test]
    fn the_normal_tail_is_that_of_the_tables() {
        for (z, tail) in [(0.0, 0.5), (1.0, 0.158_655_3), (1.96, 0.024_997_9), (3.0, 0.001_349_9)] {
            assert!((upper_tail(z) - tail).abs() < 2e-7, "{z}: {}", upper_tail(z));
        }
    }

    /// Gilbert 1987, example 16.1: 5, 6, 11, 8, 10 has S = 6.
    #[test]
    fn pairs_are_counted_as_in_the_text_book() {
        let variance: f64 = 5.0 * 4.0 * 15.0 / 18.0;
        let expected = upper_tail(5.0 / variance.sqrt());
        assert!((chance(&[5.0, 6.0, 11.0, 8.0, 10.0]) - expected).abs() < 1e-12);
    }
}
