use super::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Own(u64, u32);
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rel(u64, u32);

impl Owner for Own {
    fn birth_ns(&self) -> u64 {
        self.0
    }
    fn thread(&self) -> Option<Thread> {
        Some(Thread(self.1))
    }
}

impl Release for Rel {
    fn start_ns(&self) -> u64 {
        self.0
    }
    fn thread(&self) -> Thread {
        Thread(self.1)
    }
}

#[derive(Clone, Copy)]
enum Told {
    Acquire(u64, u32),
    Release(u64, u32),
}
use Told::{Acquire, Release as Free};

/// Pairs (birth, start) in the order of births, and the history that remains.
fn after(told: &[Told]) -> (Vec<(u64, u64)>, History<Own, Rel>) {
    let mut history = History::default();
    let mut pairs: Vec<(u64, u64)> = Vec::new();
    for event in told {
        let mut tell = |effect: Effect<'_, Own, Rel>| match effect {
            Effect::Paired { owner, release, .. } => pairs.push((owner.0, release.0)),
            Effect::PairedAnew { from, to, at_ns } => {
                let pair = pairs.iter_mut().find(|pair| **pair == (from.0, at_ns)).expect("it was a pair");
                pair.0 = to.0;
            }
            _ => {}
        };
        match *event {
            Acquire(birth, thread) => history.acquire(Own(birth, thread), &mut tell),
            Free(start, thread) => {
                if let Err(release) = history.release(Rel(start, thread), &mut tell) {
                    history.wait_release(release, &mut tell);
                }
            }
        }
    }
    pairs.sort_unstable();
    (pairs, history)
}

#[test]
fn two_owners_get_their_own_releases_in_whatever_order_all_four_are_told() {
    let told = [Acquire(1000, 1), Free(2000, 2), Acquire(3000, 3), Free(4000, 4)];
    for order in permutations(4) {
        let (pairs, history) = after(&order.iter().map(|at| told[*at]).collect::<Vec<_>>());
        assert_eq!(pairs, [(1000, 2000), (3000, 4000)], "{order:?}");
        assert!(history.is_settled(), "{order:?}");
    }
}

#[test]
fn the_second_of_two_owners_lives_in_whatever_order_the_three_are_told() {
    let told = [Acquire(1000, 1), Free(2000, 2), Acquire(3000, 3)];
    for order in permutations(3) {
        let (pairs, history) = after(&order.iter().map(|at| told[*at]).collect::<Vec<_>>());
        assert_eq!(pairs, [(1000, 2000)], "{order:?}");
        assert_eq!(history.latest, Latest::Live(Own(3000, 3)), "{order:?}");
    }
}

#[test]
fn an_older_owner_whose_release_is_unseen_waits_and_does_not_take_the_younger_ones() {
    for order in permutations(3) {
        let told = [Acquire(1000, 1), Acquire(3000, 3), Free(4000, 4)];
        let (pairs, history) = after(&order.iter().map(|at| told[*at]).collect::<Vec<_>>());
        assert_eq!(pairs, [(3000, 4000)], "{order:?}");
        assert_eq!(history.older, [Own(1000, 1)], "{order:?}");
    }
}

#[test]
fn clocks_of_two_cpus_may_disagree_by_the_tolerance() {
    let (pairs, _) = after(&[Acquire(1000, 1), Free(1000 - TOLERANCE_NS, 2)]);
    assert_eq!(pairs, [(1000, 1000 - TOLERANCE_NS)]);
    let (pairs, _) = after(&[Acquire(1000, 1), Free(999 - TOLERANCE_NS, 2)]);
    assert_eq!(pairs, []);
    let (pairs, _) = after(&[Free(1000 - TOLERANCE_NS, 2), Acquire(1000, 1)]);
    assert_eq!(pairs, [(1000, 1000 - TOLERANCE_NS)]);
}

#[test]
fn a_release_that_seems_to_begin_just_after_the_next_acquire_is_still_the_older_owners() {
    let (pairs, history) = after(&[Acquire(1000, 1), Acquire(4990, 3), Free(5000, 2)]);
    assert_eq!(pairs, [(1000, 5000)]);
    assert_eq!(history.latest, Latest::Live(Own(4990, 3)));
}

#[test]
fn a_thread_that_releases_at_once_what_it_was_given_is_believed() {
    let (pairs, history) = after(&[Acquire(1000, 1), Acquire(4990, 3), Free(5000, 3)]);
    assert_eq!(pairs, [(4990, 5000)]);
    assert_eq!(history.older, [Own(1000, 1)]);
}

#[test]
fn a_second_release_waits_and_an_old_owner_does_not_take_it() {
    let (pairs, history) = after(&[Acquire(1000, 1), Acquire(3000, 1), Free(4000, 1), Free(5000, 1)]);
    assert_eq!(pairs, [(3000, 4000)]);
    assert_eq!((history.older, history.early), (vec![Own(1000, 1)], vec![Rel(5000, 1)]));
}

#[test]
fn only_so_many_wait() {
    let mut history = History::<Own, Rel>::default();
    let mut given_up = Vec::new();
    for start in 0..2 * WAITING as u64 {
        history.wait_release(Rel(start, 0), &mut |effect| {
            if let Effect::GaveUpRelease(release) = effect {
                given_up.push(release.0);
            }
        });
    }
    assert_eq!(history.early.len(), WAITING);
    assert_eq!(given_up, (0..WAITING as u64).collect::<Vec<_>>());
}

fn permutations(of: usize) -> Vec<Vec<usize>> {
    if of == 0 {
        return vec![vec![]];
    }
    let shorter = permutations(of - 1).into_iter();
    shorter
        .flat_map(|order| {
            (0..of).map(move |at| {
                let mut order = order.clone();
                order.insert(at, of - 1);
                order
            })
        })
        .collect()
}
