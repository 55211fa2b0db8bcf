//! Servers whose descriptors come and go through tapped wrappers are not stopped for them.

use super::section::stops;
use crate::launch::{bare, installed, scratch};
use crate::outcome::Outcome;
use crate::services::{free_port, nginx_with_a_page, start, stop};

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
    let (Some(server), Some(load)) = (installed("nginx"), installed("ab")) else {
        return;
    };
    let directory = scratch();
    let port = free_port();
    let place = directory.path().to_str().expect("a plain path");
    let file = nginx_with_a_page(directory.path(), port);
    let service = start(&server, &["-c", &file, "-p", place, "-e", "/dev/null"], port);
    let page = format!("http://127.0.0.1:{port}/page.html");
    let answer = bare().run(load, &["-q", "-n", "10000", "-c", "50", &page]).expect_status(0);
    assert!(answer.stdout().contains("Complete requests:      10000"), "{answer}");
    expect_few_stops(&stop(service), 10_000);
}

#[test]
fn redis_with_a_connection_for_each_request() {
    let (Some(server), Some(benchmark)) = (installed("redis-server"), installed("redis-benchmark")) else {
        return;
    };
    let directory = scratch();
    let port = free_port();
    let number = port.to_string();
    let place = directory.path().to_str().expect("a plain path");
    let arguments = ["--port", &number, "--bind", "127.0.0.1", "--save", "", "--dir", place];
    let service = start(&server, &arguments, port);
    let load = ["-h", "127.0.0.1", "-p", &number, "-n", "10000", "-k", "0", "-c", "20", "-q", "-t", "set"];
    bare().run(benchmark, &load).expect_status(0);
    expect_few_stops(&stop(service), 10_000);
}
