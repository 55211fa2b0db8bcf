//! Every walk of real programs gives what libgcc's unwinder gives, and the remembered walk the full one.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::harm::expect_checked;
use super::witness::{Witnessed, agreement, library};
use crate::launch::{Launch, bare, calltap, installed, scratch};
use crate::target::Target;

/// Stacks that a program must have for a comparison.
const ENOUGH: u64 = 100_000;

/// Runs a program with both unwinders in it and compares what they say of the process that has called
/// most: at least 99.9% of its calls have the same stack.
fn compare<S: AsRef<OsStr>>(launch: Launch, program: impl AsRef<OsStr>, arguments: &[S]) {
    let directory = scratch();
    let dump = directory.path().join("dump.txt");
    let witnessed = directory.path().join("witness");
    fs::create_dir(&witnessed).expect("a scratch directory");
    let options = ["--tap", "memory", "--stack-depth", "512", "--check-stacks", "--dump-stacks"];
    let preload = format!("LD_PRELOAD={}", library().path().display());
    let place = format!("WITNESS_DIR={}", witnessed.display());
    // By `env`, which puts it into the program's environment alone.
    let mut words = vec![preload.as_ref(), place.as_ref(), program.as_ref()];
    words.extend(arguments.iter().map(AsRef::as_ref));
    let launch = launch.tapped().options(&options).options(&[&dump]);
    let outcome = launch.run("env", &words).expect_status(0);
    expect_checked(&outcome);
    let dump = fs::read_to_string(dump).expect("calltap wrote it");
    let all = Witnessed::all(&witnessed);
    let busiest = all.iter().max_by_key(|process| process.stacks.values().sum::<u64>()).expect("one process");
    let ours = busiest.same_in_dump(&dump);
    let (same, total) = agreement(&ours, &busiest.stacks);
    let percent = same as f64 / total as f64 * 100.0;
    println!("{same} of {total} stacks are equal, {percent:.4}%; {} are distinct", busiest.stacks.len());
    assert!(total >= ENOUGH, "only {total} stacks");
    assert!(percent >= 99.9, "{percent:.4}%\n{}", busiest.differences(&ours));
}

#[test]
fn python() {
    let Some(python) = installed("python3") else {
        return;
    };
    let script = r#"
import json, re
data = {str(i): [i, {"x": float(i)}] for i in range(200)}
for _ in range(5):
    json.loads(json.dumps(data, indent=1))
def depth(n):
    return [n] if n == 0 else [n] + depth(n - 1)
print(len(depth(60)), re.sub(r"(a|b)+c?", lambda match: match.group(0).upper(), "abcabc" * 100)[:10])
"#;
    // Every object by malloc, none from Python's own pools.
    compare(bare().variable("PYTHONMALLOC", "malloc"), python, &["-c", script]);
}

#[test]
fn sqlite() {
    let Some(sqlite) = installed("sqlite3") else {
        return;
    };
    let directory = scratch();
    let script = directory.path().join("script.sql");
    let text = "CREATE TABLE numbers(n INTEGER PRIMARY KEY, square INTEGER, text TEXT);
        WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 40000)
        INSERT INTO numbers SELECT n, n * n, printf('%d is %x', n, n) FROM c;
        CREATE INDEX squares ON numbers(square);
        CREATE TRIGGER noted AFTER UPDATE ON numbers BEGIN DELETE FROM numbers WHERE n = new.n + 1; END;
        UPDATE numbers SET text = upper(text) WHERE n % 3 = 0;
        SELECT count(*), sum(square) FROM numbers;
        SELECT text, length(group_concat(n)) FROM numbers GROUP BY n % 10 ORDER BY 1 LIMIT 2;
        SELECT length(json_group_array(json_object('n', n, 't', text))) FROM numbers;
        SELECT n, rank() OVER (PARTITION BY n % 7 ORDER BY square DESC) FROM numbers WHERE n < 30;";
    fs::write(&script, text).expect("a scratch file");
    compare(bare().stdin(&script), sqlite, &[""; 0]);
}

#[test]
fn the_cpp_compiler() {
    let directory = scratch();
    let source = "#include <iostream>\n#include <map>\n#include <regex>\n
        int main() {
            std::map<int, std::string> names;
            names[1] = \"x\";
            for (auto &[number, name] : names) std::cout << number << name << std::endl;
        }\n";
    fs::write(directory.path().join("source.cpp"), source).expect("a scratch file");
    compare(bare().directory(directory.path()), "g++", &["-std=c++17", "-O2", "-S", "source.cpp"]);
}

/// A repository with some history.
fn repository(git: &Path) -> TempDir {
    let directory = scratch();
    let mut history = String::new();
    for commit in 1..=1000_u32 {
        let lines: String =
            (0..40).map(|line| format!("line {line} of {}\n", commit / (line % 7 + 1))).collect();
        let message = format!("Commit {commit}");
        history += &format!(
            "commit refs/heads/main\ncommitter A <a@example.org> {} +0000\ndata {}\n{message}\n\
             M 644 inline directory{}/file{}\ndata {}\n{lines}\n",
            1_700_000_000 + commit,
            message.len(),
            commit % 5,
            commit % 23,
            lines.len(),
        );
    }
    let stream = directory.path().join("stream");
    fs::write(&stream, history).expect("a scratch file");
    let launch = bare().directory(directory.path());
    launch.clone().run(git, &["init", "-q", "-b", "main", "."]).expect_status(0);
    launch.stdin(&stream).run(git, &["fast-import", "--quiet"]).expect_status(0);
    directory
}

#[test]
fn git() {
    let Some(git) = installed("git") else {
        return;
    };
    let repository = repository(&git);
    let log = ["-c", "core.pager=cat", "log", "--stat", "-p", "-M", "main"];
    compare(bare().directory(repository.path()), git, &log);
}

#[test]
fn a_rust_program() {
    compare(calltap(), Target::rust("busy.rs").build(), &["500"]);
}
