//! Which run comes when.
//!
//! Variants take turns: every round runs each of them once untapped and once tapped, in an order of its own, so that
//! neither a slow minute of the machine nor a place in the order falls to one variant alone.

/// One run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The round it counts for; None: it is there to warm up.
    pub round: Option<usize>,
    /// Which variant.
    pub variant: usize,
    /// Whether under calltap.
    pub tapped: bool,
}

/// All runs of `variants` variants in their order, which depends on `seed` alone.
///
/// A tapped run of each comes before all others, because it proves which allocator serves.
#[must_use]
pub fn schedule(variants: usize, rounds: usize, warm_up: usize, seed: u64) -> Vec<Step> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut steps = Vec::new();
    let mut turn = |round, tapped| {
        let mut order: Vec<usize> = (0..variants).collect();
        random.shuffle(&mut order);
        steps.extend(order.into_iter().map(|variant| Step { round, variant, tapped }));
    };
    turn(None, true);
    (0..warm_up).for_each(|_| turn(None, false));
    for round in 0..rounds {
        turn(Some(round), false);
        turn(Some(round), true);
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_round_runs_each_variant_once_in_each_way() {
        let steps = schedule(4, 10, 2, 7);
        assert_eq!(steps.len(), 4 + 2 * 4 + 10 * 8);
        for round in 0..10 {
            for tapped in [false, true] {
                let of_round = steps.iter().filter(|step| step.round == Some(round) && step.tapped == tapped);
                let mut variants: Vec<_> = of_round.map(|step| step.variant).collect();
                variants.sort_unstable();
                assert_eq!(variants, [0, 1, 2, 3]);
            }
        }
        assert!(steps.iter().take(4).all(|step| step.tapped && step.round.is_none()));
        assert!(steps.windows(2).all(|pair| pair[0].round <= pair[1].round));
    }

    #[test]
    fn the_order_is_the_seeds_and_no_variant_is_always_first() {
        assert_eq!(schedule(3, 20, 0, 1), schedule(3, 20, 0, 1));
        assert_ne!(schedule(3, 20, 0, 1), schedule(3, 20, 0, 2));
        let steps = schedule(3, 40, 0, 1);
        let first = |variant| {
            let firsts = steps[3..].chunks(3).filter(|turn| turn[0].variant == variant);
            firsts.count()
        };
        assert!((0..3).all(|variant| first(variant) > 10), "{:?}", [first(0), first(1), first(2)]);
    }
}
