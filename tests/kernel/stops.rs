//! Servers whose descriptors come and go through tapped wrappers are not stopped for them.

use super::section::stops;
use crate::outcome::Outcome;
use crate::services::{nginx_under, redis_under};

/// Expects fewer stops than one in a hundred of the calls that made or closed descriptors.
fn expect_few_stops(outcome: &Outcome, connections: i64) {
    let processes = outcome.report().processes();
    let number = |name: &str| -> i64 { processes.iter().map(|process| process.number(name)).sum() };
    let calls = number("/descriptors/opened") + number("/descriptors/closed");
    assert!(calls >= 2 * connections, "{calls} calls for {connections} connections: {outcome}");
    let stops = stops(outcome.report());
    assert!(stops > 0, "not even the loader was stopped: {outcome}");
    assert!(stops * 100 < calls, "{stops} stops for {calls} calls: {outcome}");
}

#[test]
fn nginx_with_ten_thousand_connections() {
    let Some(served) = nginx_under("10000", "50") else { return };
    assert!(served.load.stdout().contains("Complete requests:      10000"), "{}", served.load);
    expect_few_stops(&served.service, 10_000);
}

#[test]
fn redis_with_a_connection_for_each_request() {
    let Some(served) = redis_under(&["-n", "10000", "-k", "0", "-t", "set"]) else { return };
    expect_few_stops(&served.service, 10_000);
}
