//! Services work under load, stop on SIGTERM and give a report.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicU16, Ordering};

use crate::launch::{bare, calltap, installed, scratch};
use crate::outcome::Outcome;
use crate::running::Running;

/// A port of the loopback interface that nobody has, and that the kernel gives no connection.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let range = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let first_given: u16 =
        range.split_whitespace().next().and_then(|port| port.parse().ok()).unwrap_or(32_768);
    // Other tests' processes begin elsewhere.
    let lowest = (first_given / 2).max(1024);
    let begin = (std::process::id() % u32::from(lowest)) as u16;
    (0..lowest)
        .map(|_| lowest + (begin + NEXT.fetch_add(1, Ordering::Relaxed)) % lowest)
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("loopback has ports")
}

/// A service under calltap that listens by now.
fn start(program: &Path, arguments: &[&str], port: u16) -> Running {
    let mut service = calltap().start(program, arguments);
    service.until("listening", |_| TcpStream::connect(("127.0.0.1", port)).is_ok());
    service
}

/// Ends the service with SIGTERM, as its manager would.
fn stop(service: Running) -> Outcome {
    service.signal(libc::SIGTERM);
    let outcome = service.finish().expect_status(0);
    assert_eq!(outcome.report().lost(), 0, "{outcome}");
    outcome
}

/// Writes a configuration of nginx with two workers that serve `page.html` at this port; gives its path.
fn nginx_with_a_page(directory: &Path, port: u16) -> String {
    let place = directory.to_str().expect("a plain path");
    let user = if std::env::var("USER").is_ok_and(|user| user != "root") { "" } else { "user root;" };
    let configuration = format!(
        "daemon off; {user} pid {place}/pid; error_log {place}/errors; worker_processes 2;
        events {{ worker_connections 256; }}
        http {{
            access_log off;
            client_body_temp_path {place}/a; proxy_temp_path {place}/b; fastcgi_temp_path {place}/c;
            uwsgi_temp_path {place}/d; scgi_temp_path {place}/e;
            server {{ listen 127.0.0.1:{port}; location / {{ root {place}; }} }}
        }}"
    );
    let file = directory.join("nginx.conf");
    fs::write(&file, configuration).expect("a scratch file");
    fs::write(directory.join("page.html"), "x".repeat(5000)).expect("a scratch file");
    file.to_str().expect("a plain path").to_owned()
}

/// What a service and its load left.
pub(crate) struct Served {
    pub(crate) service: Outcome,
    pub(crate) load: Outcome,
}

/// redis-server under redis-benchmark with these options, if both are installed.
pub(crate) fn redis_under(options: &[&str]) -> Option<Served> {
    let (server, benchmark) = (installed("redis-server")?, installed("redis-benchmark")?);
    let directory = scratch();
    let port = free_port();
    let number = port.to_string();
    let place = directory.path().to_str().expect("a plain path");
    let arguments = ["--port", &number, "--bind", "127.0.0.1", "--save", "", "--dir", place];
    let service = start(&server, &arguments, port);
    let load = [&["-h", "127.0.0.1", "-p", &number, "-c", "20", "-q"], options].concat();
    let load = bare().run(benchmark, &load).expect_status(0);
    Some(Served { service: stop(service), load })
}

/// nginx with two workers, asked for a page so often by so many at one time, if it and ab are installed.
pub(crate) fn nginx_under(requests: &str, clients: &str) -> Option<Served> {
    let (server, benchmark) = (installed("nginx")?, installed("ab")?);
    let directory = scratch();
    let port = free_port();
    let place = directory.path().to_str().expect("a plain path");
    let file = nginx_with_a_page(directory.path(), port);
    let service = start(&server, &["-c", &file, "-p", place, "-e", "/dev/null"], port);
    let page = format!("http://127.0.0.1:{port}/page.html");
    let load = bare().run(benchmark, &["-q", "-n", requests, "-c", clients, &page]).expect_status(0);
    Some(Served { service: stop(service), load })
}

#[test]
fn redis() {
    let Some(served) = redis_under(&["-n", "20000", "-t", "set,get,lpush"]) else { return };
    for command in ["SET", "GET", "LPUSH"] {
        assert!(served.load.stdout().contains(&format!("{command}: ")), "{}", served.load);
    }
    let process = served.service.report().processes()[0];
    // 20 connections for each of three commands, at the least.
    assert!(process.number("/descriptors/opened") >= 60, "{:#}", process.0);
}

#[test]
fn nginx() {
    let Some(served) = nginx_under("5000", "20") else { return };
    let text = served.load.stdout();
    assert!(text.contains("Complete requests:      5000"), "{}", served.load);
    assert!(text.contains("Failed requests:        0"), "{}", served.load);
    let processes = served.service.report().processes();
    assert_eq!(processes.len(), 3, "master and two workers: {:#}", served.service.report().0);
    let opened: i64 = processes.iter().map(|process| process.number("/descriptors/opened")).sum();
    assert!(opened >= 10_000, "a connection and a file for each request: {opened}");
}

#[test]
fn memcached() {
    let Some(server) = installed("memcached") else {
        return;
    };
    let port = free_port();
    let number = port.to_string();
    let arguments = ["-l", "127.0.0.1", "-p", &number, "-U", "0", "-u", "root", "-t", "2", "-m", "16"];
    let service = start(&server, &arguments, port);
    for round in 0..50 {
        let mut connection = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
        connection.set_nodelay(true).expect("a TCP socket");
        for key in 0..100 {
            let value = format!("value {round} {key}");
            let request = format!("set k{key} 0 0 {}\r\n{value}\r\nget k{key}\r\n", value.len());
            connection.write_all(request.as_bytes()).expect("sent");
            let expected = format!("STORED\r\nVALUE k{key} 0 {}\r\n{value}\r\nEND\r\n", value.len());
            let mut answer = vec![0; expected.len()];
            connection.read_exact(&mut answer).expect("answered");
            assert_eq!(String::from_utf8_lossy(&answer), expected);
        }
    }
    let outcome = stop(service);
    let process = outcome.report().processes()[0];
    assert!(process.number("/descriptors/opened") >= 50, "{:#}", process.0);
}
