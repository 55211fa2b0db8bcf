//! Random histories of several threads, told a little out of order, against a ledger that knows
//! the true order.

use std::collections::HashMap;

use calltap_analyzers::event::{Action, Event, FunctionId, Thread};
use proptest::prelude::*;

use crate::calls::*;

/// What a thread does next; small numbers choose among the blocks that live.
#[derive(Clone, Debug)]
pub enum Step {
    Acquire { function: FunctionId, address: usize, bytes: u64 },
    Release { which: usize, function: FunctionId },
    Resize { which: usize, address: usize, bytes: u64 },
    Unmatched,
}

pub fn step() -> impl Strategy<Value = (u32, Step)> {
    let giver = prop::sample::select(vec![MALLOC, NEW, NEW_ARRAY]);
    let taker = prop::sample::select(vec![FREE, FREE, DELETE, DELETE_ARRAY]);
    let what = prop_oneof![
        6 => (giver, 0..12_usize, 0..5000_u64)
            .prop_map(|(function, address, bytes)| Step::Acquire { function, address, bytes }),
        5 => (any::<usize>(), taker).prop_map(|(which, function)| Step::Release { which, function }),
        2 => (any::<usize>(), 0..12_usize, 0..5000_u64)
            .prop_map(|(which, address, bytes)| Step::Resize { which, address, bytes }),
        1 => Just(Step::Unmatched),
    ];
    (1..5_u32, what)
}

#[derive(Clone, Copy)]
struct Owned {
    bytes: u64,
    site: u64,
    function: FunctionId,
}

#[derive(Debug, Default, PartialEq)]
pub struct Truth {
    allocations: u64,
    frees: u64,
    reallocations: u64,
    unmatched: u64,
    mismatched: u64,
    freed_bytes: u64,
    live: Vec<(u64, u64, u64)>,
}

fn is_of_one_family(given_by: FunctionId, taken_by: FunctionId) -> bool {
    let family = |function| match function {
        NEW | DELETE => 1,
        NEW_ARRAY | DELETE_ARRAY => 2,
        _ => 0,
    };
    family(given_by) == family(taken_by)
}

/// Plays the steps one after the other: the calls, inner ones first, and what is true of them.
pub fn play(steps: &[(u32, Step)]) -> (Vec<Call>, Truth) {
    let mut truth = Truth::default();
    let mut live: HashMap<u64, Owned> = HashMap::new();
    let mut calls = Vec::new();
    for ((thread, step), turn) in steps.iter().zip(1..) {
        let thread = Thread(*thread);
        let start = turn * 2_000;
        let mut living: Vec<u64> = live.keys().copied().collect();
        living.sort_unstable();
        let chosen = |which: usize| (!living.is_empty()).then(|| living[which % living.len()]);
        let free_address = |wanted: usize| {
            (wanted..wanted + 200)
                .map(|n| P + n as u64 * 64)
                .find(|address| !live.contains_key(address))
                .expect("some are free")
        };
        match *step {
            Step::Acquire { function, address, bytes } => {
                let block = free_address(address);
                if function != MALLOC {
                    calls.push(acquire(MALLOC, start + 20, block, bytes).till(start + 30).by(thread));
                }
                let outer = acquire(function, start, block, bytes).till(start + 90).by(thread).from(turn);
                calls.push(outer);
                truth.allocations += 1;
                live.insert(block, Owned { bytes, site: turn, function });
            }
            Step::Release { which, function } => {
                let Some(block) = chosen(which) else { continue };
                if function != FREE {
                    calls.push(release(FREE, start + 20, block).till(start + 30).by(thread));
                }
                calls.push(release(function, start, block).till(start + 90).by(thread));
                let owned = live.remove(&block).expect("it lives");
                truth.frees += 1;
                truth.freed_bytes += owned.bytes;
                truth.mismatched += u64::from(!is_of_one_family(owned.function, function));
            }
            Step::Resize { which, address, bytes } => {
                let Some(old) = chosen(which) else { continue };
                let new = if address % 2 == 0 { old } else { free_address(address) };
                calls.push(realloc(start, old, new, bytes).till(start + 90).by(thread).from(turn));
                let owned = live.remove(&old).expect("it lives");
                truth.reallocations += 1;
                truth.freed_bytes += owned.bytes;
                truth.mismatched += u64::from(!is_of_one_family(owned.function, REALLOC));
                live.insert(new, Owned { bytes, site: turn, function: REALLOC });
            }
            Step::Unmatched => {
                calls.push(free(start, Q + turn * 0x10_0000).by(thread));
                truth.unmatched += 1;
            }
        }
    }
    truth.live = live.into_iter().map(|(block, owned)| (block, owned.bytes, owned.site)).collect();
    truth.live.sort_unstable();
    (calls, truth)
}

/// Tells each call when it takes effect plus its delay; a thread's own calls stay in order.
pub fn delayed(calls: &[Call], delay_of: impl Fn(usize, &Call) -> u64) -> Vec<Call> {
    let mut latest: HashMap<Thread, u64> = HashMap::new();
    let mut told: Vec<(u64, Call)> = Vec::new();
    for (number, call) in calls.iter().enumerate() {
        let effect = if matches!(call.action, Action::Freed { .. }) { call.start_ns } else { call.end_ns };
        let last = latest.entry(call.thread).or_default();
        *last = (*last).max(effect + delay_of(number, call));
        told.push((*last, *call));
    }
    told.sort_by_key(|(at, _)| *at);
    told.into_iter().map(|(_, call)| call).collect()
}

fn found(calls: &[Call]) -> Truth {
    let mut ledger = calltap_analyzers::heap::HeapLedger::default();
    calls.iter().for_each(|call| calltap_analyzers::event::Analyzer::observe(&mut ledger, call));
    let report = calltap_analyzers::event::Analyzer::report(&ledger);
    assert_accounts_agree(&ledger, &report);
    assert_eq!((report.double_frees.count, report.releases_unseen), (0, 0));
    assert_eq!(report.allocations, report.frees + report.live_blocks);
    assert_eq!(report.allocated_bytes, report.freed_bytes + report.live_bytes);
    let given: u64 = report.size_classes.iter().map(|class| class.blocks).sum();
    assert_eq!(given, report.allocations + report.reallocations);
    let mut live: Vec<_> = ledger.live().map(|block| (block.block.0, block.bytes, block.site)).collect();
    live.sort_unstable();
    Truth {
        allocations: report.allocations,
        frees: report.frees,
        reallocations: report.reallocations,
        unmatched: report.unmatched_frees.count,
        mismatched: report.mismatched_frees.count,
        freed_bytes: report.freed_bytes,
        live,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn told_in_order_the_ledger_knows_the_truth(steps in prop::collection::vec(step(), 1..120)) {
        let (calls, truth) = play(&steps);
        prop_assert_eq!(found(&calls), truth);
    }

    /// Less than one turn late: acquires and releases overtake each other, one address's next
    /// owner may be told before the last one's release.
    #[test]
    fn told_with_small_delays_the_ledger_knows_the_truth(
        steps in prop::collection::vec(step(), 1..120),
        delays in prop::collection::vec(0..1_800_u64, 400),
    ) {
        let (calls, truth) = play(&steps);
        let told = delayed(&calls, |number, _| delays[number % delays.len()]);
        prop_assert_eq!(found(&told), truth);
    }

    /// Frees may be told later than many other calls: their thread was stopped in between.
    #[test]
    fn frees_told_very_late_find_their_owners(
        steps in prop::collection::vec(step(), 1..120),
        delays in prop::collection::vec(0..100_000_u64, 400),
    ) {
        let (calls, truth) = play(&steps);
        // On threads of their own, so that nobody else is held up.
        let apart: Vec<Call> = calls.iter().map(|call| match call.action {
            Action::Freed { .. } => Event { thread: Thread(100 + call.start_ns as u32 / 2_000), ..*call },
            _ => *call,
        }).collect();
        let is_free = |call: &Call| matches!(call.action, Action::Freed { .. });
        let told = delayed(&apart, |number, call| if is_free(call) { delays[number % delays.len()] } else { 0 });
        prop_assert_eq!(found(&told), truth);
    }
}
