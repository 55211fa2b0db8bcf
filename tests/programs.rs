//! Real programs print the same and end the same with and without us.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::launch::{Launch, bare, installed, scratch, skipped};
use crate::outcome::Outcome;
use crate::target::Target;

/// Runs it both ways in the same surroundings; what the runs print must be equal.
fn both_ways<S: AsRef<OsStr>>(launch: &Launch, program: impl AsRef<OsStr>, arguments: &[S]) -> Outcome {
    let without = launch.clone().run(&program, arguments);
    assert!(without.status < 125, "{without}");
    let with = launch.clone().tapped().run(&program, arguments).expect_same_as(&without);
    assert_eq!(with.report().lost(), 0, "{with}");
    assert!(with.report().processes()[0].all_calls() > 0, "not tapped: {with}");
    with
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("we are in it")
}

#[test]
fn ls() {
    let outcome = both_ways(&bare(), "ls", &["-lR", "/usr/share"]);
    assert!(outcome.stdout.len() > 1000, "{outcome}");
    assert_eq!(both_ways(&bare(), "ls", &["/no/such/place"]).status, 2);
}

#[test]
fn git_log() {
    let Some(git) = installed("git") else { return };
    if !repository().join(".git").exists() {
        return skipped("this is no checkout");
    }
    let launch = bare().directory(&repository());
    let everywhere = ["-c", "safe.directory=*"];
    let commands =
        [&["log", "--stat", "-n", "50"][..], &["status", "--short"], &["ls-files"], &["no-such-verb"]];
    for command in commands {
        both_ways(&launch, &git, &[&everywhere[..], command].concat());
    }
}

#[test]
fn the_compiler_and_its_children() {
    let source = repository().join("tests/targets/counts_heap.c");
    let objects = [false, true].map(|tapped| {
        let directory = scratch();
        let launch = bare().directory(directory.path());
        let launch = if tapped { launch.tapped() } else { launch };
        let arguments: [&OsStr; 6] = [
            "-O2".as_ref(),
            "-pipe".as_ref(),
            "-c".as_ref(),
            source.as_ref(),
            "-o".as_ref(),
            "object.o".as_ref(),
        ];
        launch.run("gcc", &arguments).expect_status(0);
        fs::read(directory.path().join("object.o")).expect("the compiler made it")
    });
    assert!(!objects[0].is_empty() && objects[0] == objects[1], "the object files differ");
    both_ways(&bare(), "gcc", &["-c", "/no/such/source.c", "-o", "/dev/null"]);
}

/// A python3 that has its own tests with it.
pub(crate) fn python_with_its_tests() -> Option<String> {
    let candidates = ["python3", "/usr/bin/python3", "python3.11", "python3.12", "python3.13"];
    let print = "import sys, test.test_json, test.test_subprocess; print(sys.executable)";
    let found = candidates.iter().find_map(|python| {
        let outcome = std::process::Command::new(python).args(["-c", print]).output().ok()?;
        outcome.status.success().then(|| String::from_utf8_lossy(&outcome.stdout).trim().to_owned())
    });
    if found.is_none() {
        skipped("no python3 with its own tests is installed");
    }
    found
}

#[test]
fn pythons_own_tests() {
    let Some(python) = python_with_its_tests() else { return };
    // Of test_subprocess the classes that take long, but the one that runs another's tests again without poll(2).
    let subprocess = ["ProcessTestCase", "POSIXProcessTestCase", "RunFuncTestCase", "ContextManagerTests"];
    let subprocess = subprocess.map(|class| format!("test.test_subprocess.{class}"));
    let modules = ["-m", "unittest", "-v", "test.test_json", "test.test_os"].map(String::from);
    let modules = [&modules[..], &subprocess[..]].concat();
    // Side by side, as they mostly wait.
    let [one, two] = [scratch(), scratch()];
    let without = bare().directory(one.path()).start(&python, &modules);
    let with = bare().tapped().directory(two.path()).start(&python, &modules);
    let (without, with) = (without.finish().expect_status(0), with.finish());
    let results = |text: &str| -> String {
        let lines = text.lines().filter(|line| line.contains(" ... ") || line.starts_with("OK"));
        lines.map(|line| format!("{line}\n")).collect()
    };
    assert!(results(&without.stderr()).lines().count() > 500, "{without}");
    let with = with.expect_same_after(&without, results);
    with.report().expect_nothing_lost();
}

#[test]
fn sqlite() {
    let Some(sqlite) = installed("sqlite3") else {
        return;
    };
    let directory = scratch();
    let script = directory.path().join("script.sql");
    let text = "CREATE TABLE numbers(n INTEGER PRIMARY KEY, square INTEGER);
        WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 20000)
        INSERT INTO numbers SELECT n, n * n FROM c;
        CREATE INDEX squares ON numbers(square);
        SELECT count(*), sum(square), printf('%.3f', avg(square)) FROM numbers;
        SELECT * FROM numbers WHERE square > 399800000 ORDER BY square DESC;
        SELECT nothing FROM nowhere;";
    fs::write(&script, text).expect("a scratch file");
    let outcome = both_ways(&bare().stdin(&script), sqlite, &[""; 0]);
    assert!(outcome.stdout().starts_with("20000|"), "{outcome}");
}

#[test]
fn sort() {
    let directory = scratch();
    let mut state = 1_u64;
    let lines: String = (0..300_000)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            format!("{:x} {}\n", state >> 20, state >> 40)
        })
        .collect();
    let file = directory.path().join("lines");
    fs::write(&file, lines).expect("a scratch file");
    let file = file.to_str().expect("a plain path");
    both_ways(&bare(), "sort", &["--parallel=2", "-S", "2M", "-k2n", file]);
    both_ways(&bare(), "sort", &["-u", file]);
}

#[test]
fn java() {
    let Some(java) = installed("java") else {
        return;
    };
    both_ways(&bare(), &java, &["-version"]);
    let Some(javac) = installed("javac") else {
        return;
    };
    let directory = scratch();
    let source = "import java.nio.file.*;
        public class Small {
            public static void main(String[] arguments) throws Exception {
                Thread[] threads = new Thread[4];
                long[] sums = new long[4];
                for (int t = 0; t < 4; t++) {
                    int me = t;
                    threads[t] = new Thread(() -> {
                        for (int i = 0; i < 200000; i++) sums[me] += new String(\"n\" + i).length();
                    });
                    threads[t].start();
                }
                for (Thread thread : threads) thread.join();
                System.out.println(sums[0] + sums[1] + sums[2] + sums[3]);
                System.out.println(Files.readAllLines(Path.of(\"Small.java\")).size());
                System.gc();
                System.exit(3);
            }
        }";
    fs::write(directory.path().join("Small.java"), source).expect("a scratch file");
    let launch = bare().directory(directory.path());
    launch.clone().run(&javac, &["Small.java"]).expect_status(0);
    assert_eq!(both_ways(&launch, &java, &["-Xmx64m", "Small"]).status, 3);
}

#[test]
fn node() {
    let Some(node) = installed("node") else {
        return;
    };
    let script = "const fs = require('fs'); const { execFileSync } = require('child_process');
        const words = fs.readFileSync('/etc/passwd', 'utf8').split(/\\W+/);
        console.log(words.length, execFileSync('echo', ['from a child']).toString());
        Promise.all([1, 2, 3, 4].map(n => fs.promises.stat('/'))).then(all => {
            console.log(all.length); console.error('to stderr'); process.exit(5);
        });";
    assert_eq!(both_ways(&bare(), node, &["-e", script]).status, 5);
}

#[test]
fn a_rust_program() {
    let target = Target::rust("counts.rs").build();
    both_ways(&bare(), &target, &["4", "1000"]);
    let failing = bare().run(&target, &["not a number"]).expect_status(101);
    bare().tapped().run(&target, &["not a number"]).expect_same_after(&failing, |text| {
        // A panic names its thread with its id.
        text.split("panicked").last().unwrap_or_default().to_owned()
    });
}

#[test]
fn bash_with_pipes_subshells_and_traps() {
    let Some(bash) = installed("bash") else {
        return;
    };
    let directory = scratch();
    let script = directory.path().join("script.sh");
    let text = r#"
set -o pipefail
trap 'echo "leaving with $?"' EXIT
trap 'echo caught usr1' USR1
trap 'echo caught term; exit 17' TERM
cat /etc/passwd | cut -d: -f1 | sort | head -3
(echo subshell; exit 4); echo "status $?"
false | true; echo "pipe status $?"
diff <(seq 1 5) <(seq 1 2 9)
coproc TALK { while read -r line; do echo "heard $line"; done; }
echo hello >&"${TALK[1]}"; read -r answer <&"${TALK[0]}"; echo "$answer"
exec {TALK[1]}>&-; wait "$TALK_PID"
kill -USR1 $$
for i in 1 2 3; do sleep 0.01 & done; wait
{ sh -c 'kill -SEGV $$'; } 2>/dev/null; echo "killed $?"
exec 7>&1; echo seven >&7; exec 7>&-
ls -1 /proc/self/fd
kill -TERM $$
echo not reached
"#;
    fs::write(&script, text).expect("a scratch file");
    assert_eq!(both_ways(&bare(), bash, &[&script]).status, 17);
}
