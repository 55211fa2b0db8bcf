//! Durations as curves.

/// So many bins for each power of ten, where a nanosecond is less than one.
const BINS: i32 = 20;

/// Points of a line that is drawn no finer than this, for each power of ten.
const POINTS: f64 = 60.0;

/// Part of the calls in each bin of a logarithmic scale, as corners of a line of steps: nanoseconds and parts.
///
/// A bin is no less than a nanosecond wide; what those that are wider than others for that hold is shown as if it were
/// spread over several. Calls that took longer than `longest` nanoseconds have no bin, but count among all.
pub(super) fn histogram(durations: &[(u64, u64)], longest: u64) -> Vec<(f64, f64)> {
    let calls: u64 = durations.iter().map(|(_, calls)| calls).sum();
    let durations = &durations[..durations.partition_point(|(ns, _)| *ns <= longest)];
    let (Some(&(first, _)), Some(&(last, _))) = (durations.first(), durations.last()) else {
        return Vec::new();
    };
    let edges = edges(first.max(1), last.max(1));
    let mut corners = vec![(edges[0], 0.0)];
    let mut rest = durations;
    for pair in edges.windows(2) {
        let within = rest.partition_point(|(ns, _)| (*ns as f64) < pair[1]);
        let (inside, others) = rest.split_at(within);
        rest = others;
        let width = (pair[1] / pair[0]).log10() * f64::from(BINS);
        let part = inside.iter().map(|(_, calls)| calls).sum::<u64>() as f64 / calls as f64 / width.max(1.0);
        corners.extend([(pair[0], part), (pair[1], part)]);
    }
    corners.push((edges[edges.len() - 1], 0.0));
    corners
}

/// Which part of the calls took at least so long, as points of a line: nanoseconds and parts, from all of them down to
/// the longest one.
pub(super) fn tail(durations: &[(u64, u64)]) -> Vec<(f64, f64)> {
    let calls: u64 = durations.iter().map(|(_, calls)| calls).sum();
    let mut points: Vec<(f64, f64)> = Vec::new();
    let mut longer = calls;
    for (index, &(ns, of_it)) in durations.iter().enumerate() {
        let at = ns.max(1) as f64;
        let part = longer as f64 / calls as f64;
        longer -= of_it;
        // The last one is the longest call, which nobody wants to miss.
        let apart = points.last().is_none_or(|&(before, above)| {
            (at / before).log10() * POINTS >= 1.0 || (above / part).log10() * POINTS >= 1.0
        });
        if apart || index + 1 == durations.len() {
            points.push((at, part));
        }
    }
    points
}

/// Whole nanoseconds around all from `first` to `last`.
fn edges(first: u64, last: u64) -> Vec<f64> {
    let mut power = ((first as f64).log10() * f64::from(BINS)).floor() as i32;
    let mut edges: Vec<f64> = Vec::new();
    loop {
        let edge = 10_f64.powf(f64::from(power) / f64::from(BINS)).round();
        power += 1;
        if edges.last().is_none_or(|last| edge > *last) {
            // Rounding may have gone up.
            edges.push(if edges.is_empty() { edge.min(first as f64) } else { edge });
            if edge > last as f64 {
                return edges;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_hold_all_calls() {
        let durations: Vec<(u64, u64)> = (1..2_000).map(|ns| (ns, 2_000 / ns)).collect();
        let corners = histogram(&durations, 10_000);
        let width = |pair: &[(f64, f64)]| ((pair[1].0 / pair[0].0).log10() * f64::from(BINS)).max(1.0);
        let area: f64 = corners[1..].chunks_exact(2).map(|pair| pair[0].1 * width(pair)).sum();
        assert!((area - 1.0).abs() < 1e-9, "{area}");
        assert!(corners.windows(2).all(|pair| pair[0].0 <= pair[1].0));
        assert!(corners[0].0 <= 1.0 && corners[corners.len() - 1].0 > 1_999.0);
    }

    #[test]
    fn one_duration_is_one_step() {
        let corners = histogram(&[(1_000, 5)], 1_000);
        assert_eq!(corners, [(1000.0, 0.0), (1000.0, 1.0), (1122.0, 1.0), (1122.0, 0.0)]);
        let wide = 1.0 / (f64::from(BINS) * 2_f64.log10());
        assert_eq!(histogram(&[(0, 1)], 9), [(1.0, 0.0), (1.0, wide), (2.0, wide), (2.0, 0.0)]);
        assert_eq!(histogram(&[], 1), []);
        let rare = histogram(&[(1_000, 4), (2_000, 1)], 1_500);
        assert_eq!(rare, [(1000.0, 0.0), (1000.0, 0.8), (1122.0, 0.8), (1122.0, 0.0)]);
    }

    #[test]
    fn a_tail_goes_from_all_calls_to_the_longest() {
        assert_eq!(tail(&[(10, 90), (20, 9), (500, 1)]), [(10.0, 1.0), (20.0, 0.1), (500.0, 0.01)]);
        let many: Vec<(u64, u64)> = (1..=100_000).map(|ns| (ns, 1)).collect();
        let points = tail(&many);
        assert!(points.len() < 1_000, "{}", points.len());
        assert_eq!(points.last(), Some(&(100_000.0, 1e-5)));
        assert_eq!(tail(&[]), []);
    }
}
