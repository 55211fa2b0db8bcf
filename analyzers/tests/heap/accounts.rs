//! Random histories with few places, against accounts that are kept naively.

use std::collections::HashMap;

use calltap_analyzers::event::{Action, Block, Event, FunctionId, Giver, Thread};
use calltap_analyzers::heap::PlaceUse;
use proptest::prelude::*;

use crate::calls::*;
use crate::model::{delayed, play, step};

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Account {
    allocations: u64,
    reallocations: u64,
    bytes: u64,
    temporary: u64,
    live: (u64, u64),
    at_peak: (u64, u64),
}

type Accounts = HashMap<(u64, u32, FunctionId), Account>;

/// A naive history of the outermost calls, told in their true order.
#[derive(Default)]
struct Naive {
    accounts: Accounts,
    owners: HashMap<u64, (u64, u32, FunctionId, u64)>,
    newest: HashMap<Thread, u64>,
    live_bytes: u64,
    peak_bytes: u64,
}

impl Naive {
    fn acquire(&mut self, call: &Call, block: Block, bytes: u64) -> &mut Account {
        let Event { site, stack, function, thread, .. } = *call;
        self.owners.insert(block.0, (site, stack, function, bytes));
        self.newest.insert(thread, block.0);
        self.live_bytes += bytes;
        let account = self.accounts.entry((site, stack, function)).or_default();
        account.bytes += bytes;
        account.live = (account.live.0 + 1, account.live.1 + bytes);
        if self.live_bytes > self.peak_bytes {
            self.peak_bytes = self.live_bytes;
            self.accounts.values_mut().for_each(|account| account.at_peak = account.live);
        }
        self.accounts.entry((site, stack, function)).or_default()
    }

    fn release(&mut self, block: Block) -> Option<&mut Account> {
        let (site, stack, function, bytes) = self.owners.remove(&block.0)?;
        self.live_bytes -= bytes;
        let account = self.accounts.get_mut(&(site, stack, function))?;
        account.live = (account.live.0 - 1, account.live.1 - bytes);
        Some(account)
    }

    fn observe(&mut self, call: &Call) {
        match call.action {
            Action::Allocated { block, bytes, .. } => self.acquire(call, block, bytes).allocations += 1,
            Action::Reallocated { old, new, bytes } => {
                self.release(old);
                self.acquire(call, new, bytes).reallocations += 1;
            }
            Action::Freed { block, .. } => {
                let temporary = self.newest.remove(&call.thread) == Some(block.0);
                if let Some(account) = self.release(block) {
                    account.temporary += u64::from(temporary);
                }
            }
            _ => {}
        }
    }
}

/// Few places, so that each has many blocks; inner calls come from places of their own.
fn from_few_places(calls: &[Call]) -> Vec<Call> {
    let few = |call: &Call| {
        let turn = call.start_ns / 2_000;
        if is_inner(call) { call.from(0x1).on(100) } else { call.from(0x10 + turn % 3).on(turn as u32 % 5) }
    };
    calls.iter().map(few).collect()
}

fn is_inner(call: &Call) -> bool {
    call.start_ns % 2_000 == 20
}

fn truth(calls: &[Call]) -> Accounts {
    let mut naive = Naive::default();
    calls.iter().filter(|call| !is_inner(call)).for_each(|call| naive.observe(call));
    naive.accounts
}

fn found(calls: &[Call]) -> Accounts {
    let account = |place: &PlaceUse| Account {
        allocations: place.allocations,
        reallocations: place.reallocations,
        bytes: place.allocated_bytes,
        temporary: place.temporary,
        live: (place.live_blocks, place.live_bytes),
        at_peak: (place.peak_blocks, place.peak_bytes),
    };
    let places = findings(calls).by_place;
    places.iter().map(|place| ((place.site, place.stack, place.function), account(place))).collect()
}

/// Without what depends on the order in which threads are heard.
fn settled(mut accounts: Accounts) -> Accounts {
    for account in accounts.values_mut() {
        *account = Account { temporary: 0, at_peak: (0, 0), ..*account };
    }
    accounts
}

/// Calls that no program makes: any times, few addresses, acquires without releases and the reverse.
fn nonsense() -> impl Strategy<Value = Call> {
    let address = prop::sample::select(vec![P, Q, R]);
    let addresses = (address.clone(), address);
    let times = (0..3_000_u64, prop::sample::select(vec![0_u64, 5, 20, 400]), any::<bool>());
    let size = prop_oneof![9 => 0..300_u64, 1 => Just(u64::MAX)];
    let giver = prop::sample::select(vec![Giver::C, Giver::New, Giver::NewArray]);
    (0..4_u8, addresses, size, giver, times, 1..4_u32, 0..3_u32).prop_map(
        |(what, (one, other), bytes, giver, (start_ns, lasts_ns, timed), thread, stack)| {
            let (block, new) = (Block(one), Block(other));
            let (function, action) = match what {
                0 => (MALLOC, Action::Allocated { block, bytes, giver }),
                1 => (FREE, Action::Freed { block, giver }),
                2 => (REALLOC, Action::Reallocated { old: block, new, bytes }),
                _ => (MALLOC, Action::AllocationFailed { bytes }),
            };
            let function = FunctionId(function.0 + 10 * (stack as u16 % 2));
            let call = Event { timed, action, function, ..malloc(start_ns, one) };
            let lasts_ns = if timed { lasts_ns } else { 0 };
            call.till(start_ns + lasts_ns).by(Thread(thread)).on(stack)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn told_in_order_the_accounts_are_those_of_a_naive_history(
        steps in prop::collection::vec(step(), 1..150),
    ) {
        let calls = from_few_places(&play(&steps).0);
        prop_assert_eq!(found(&calls), truth(&calls));
    }

    #[test]
    fn told_late_each_place_still_has_what_it_got(
        steps in prop::collection::vec(step(), 1..120),
        delays in prop::collection::vec(0..1_800_u64, 400),
    ) {
        let calls = from_few_places(&play(&steps).0);
        let told = delayed(&calls, |number, _| delays[number % delays.len()]);
        prop_assert_eq!(settled(found(&told)), settled(truth(&calls)));
    }

    #[test]
    fn whatever_is_told_the_places_together_have_what_the_process_has(
        calls in prop::collection::vec(nonsense(), 1..60),
    ) {
        // Asks for the findings, which checks that the sums agree.
        findings(&calls);
    }
}
