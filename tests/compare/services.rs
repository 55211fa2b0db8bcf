//! Services under load, in one command each.

use crate::compare::found::compare;
use crate::launch::installed;
use crate::services::free_port;

#[test]
fn redis_is_compared_under_its_benchmark() {
    let (Some(server), Some(benchmark)) = (installed("redis-server"), installed("redis-benchmark")) else {
        return;
    };
    let port = free_port().to_string();
    let load = format!("{} -h 127.0.0.1 -p {port} -c 10 -n 2000 -t set,get -q", benchmark.display());
    let server = server.to_str().expect("a plain path");
    let options = [
        "--allocator",
        "glibc,jemalloc",
        "--runs",
        "2",
        "--until",
        "Ready to accept connections",
        "--load",
        &load,
    ];
    let found = compare(&options, &[server, "--port", &port, "--bind", "127.0.0.1", "--save", ""]);
    for variant in found.variants() {
        assert!(variant["failure"].is_null() || variant["label"] != "glibc", "{variant:#}");
        for run in [&variant["untapped"], &variant["tapped"]]
            .into_iter()
            .flat_map(|runs| runs.as_array().expect("a list"))
        {
            let outcome = &run["outcome"];
            assert_eq!(outcome["ending"], "stopped", "{run:#}");
            assert_eq!(outcome["load"]["status"], 0);
            let said = outcome["load"]["output"].as_str().expect("text");
            assert!(said.contains("requests per second"), "{said}");
        }
    }
    assert!(found.figure("load_time").median("glibc") > 0.0);
    assert!(found.figure("ready_time").median("glibc") > 0.0);
}

#[test]
fn a_web_server_is_ready_when_it_answers() {
    let Some(python) = installed("python3") else { return };
    let port = free_port().to_string();
    let url = format!("http://127.0.0.1:{port}/");
    let python = python.to_str().expect("a plain path");
    let options = ["--allocator", "glibc", "--runs", "2", "--until", &url, "--stop", "INT"];
    let found = compare(&options, &[python, "-m", "http.server", "--bind", "127.0.0.1", &port]);
    let runs = found.variant("glibc")["untapped"].as_array().expect("a list");
    assert!(runs.iter().all(|run| run["outcome"]["ending"] == "stopped"), "{runs:#?}");
    assert!(runs.iter().all(|run| run["outcome"]["ready_ns"].as_u64().is_some_and(|ns| ns > 1_000_000)));
}
