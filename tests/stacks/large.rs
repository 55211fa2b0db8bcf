//! Large programs with code of their own making run with stacks on as they run without, again and again.

use std::ffi::OsStr;
use std::fs;

use crate::launch::{Launch, bare, installed, scratch, skipped};

/// How often each program runs: `CALLTAP_STORY_RUNS`, or once.
fn runs() -> usize {
    let runs = std::env::var("CALLTAP_STORY_RUNS").ok();
    runs.map_or(1, |runs| runs.parse().expect("CALLTAP_STORY_RUNS is a number"))
}

/// Runs it bare once and then with stacks of every family's calls.
fn again_and_again<S: AsRef<OsStr>>(
    launch: &Launch,
    program: impl AsRef<OsStr>,
    arguments: &[S],
    status: i32,
) {
    let without = launch.clone().run(&program, arguments).expect_status(status);
    let everything = ["--tap", "memory,fd,io,lock,process"];
    for _ in 0..runs() {
        let with =
            launch.clone().tapped().options(&everything).run(&program, arguments).expect_same_as(&without);
        let report = with.report();
        assert!(report.at("/stacks/distinct").as_i64() > Some(100), "{with}");
        assert_eq!(report.lost(), 0, "{with}");
    }
}

#[test]
fn python() {
    let Some(python) = installed("python3") else {
        return;
    };
    let script = r#"
import concurrent.futures, ctypes, hashlib, json, sqlite3, subprocess, sys, threading, zlib
def work(n):
    text = json.dumps([{"n": i, "s": str(i) * 5} for i in range(n)])
    return hashlib.sha256(zlib.compress(text.encode())).hexdigest()
with concurrent.futures.ThreadPoolExecutor(8) as pool:
    print(list(pool.map(work, range(200, 240))))
compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
numbers = (ctypes.c_int * 100)(*range(100, 0, -1))
order = compare(lambda one, other: one[0] - other[0])
ctypes.CDLL(None).qsort(numbers, 100, ctypes.sizeof(ctypes.c_int), order)
print(list(numbers)[:5])
database = sqlite3.connect(":memory:")
database.create_function("twice", 1, lambda n: n * 2)
print(database.execute("WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 500) "
                       "SELECT sum(twice(n)) FROM c").fetchall())
print(subprocess.run(["echo", "from a child"], capture_output=True).stdout)
sys.exit(9)
"#;
    again_and_again(&bare(), python, &["-c", script], 9);
}

#[test]
fn node() {
    let Some(node) = installed("node") else {
        return;
    };
    let script = r#"
const { Worker } = require('worker_threads');
const zlib = require('zlib'), crypto = require('crypto'), fs = require('fs');
function hot(n) { let s = 0; for (let i = 0; i < n; i++) s = (s * 31 + (i ^ (s >>> 3))) | 0; return s; }
let sum = 0;
for (let round = 0; round < 200; round++) sum = (sum + hot(5000)) | 0;
const kept = [];
for (let i = 0; i < 20000; i++) kept.push({ i, text: 'n' + i, buffer: i % 100 ? null : Buffer.alloc(5000) });
const text = 'var wasm = 1; postMessage; ';
const worker = "const { parentPort } = require('worker_threads');" +
    "let m = new Map(); for (let i = 0; i < 30000; i++) m.set('k' + i, [i]); parentPort.postMessage(m.size);";
const bytes = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 7, 1, 96, 2, 127, 127, 1, 127, 3, 2, 1, 0, 7, 7, 1, 3,
    97, 100, 100, 0, 0, 10, 9, 1, 7, 0, 32, 0, 32, 1, 106, 11]);
const add = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports.add;
const one = () => new Promise((done, failed) =>
    new Worker(worker, { eval: true }).on('message', done).on('error', failed));
Promise.all([one(), one(), fs.promises.readFile('/etc/passwd')]).then(([a, b, file]) => {
    console.log(sum, kept.length, a, b, file.length, add(2, 3));
    console.log(zlib.gunzipSync(zlib.gzipSync(Buffer.alloc(100000, text))).length);
    console.log(crypto.createHash('sha256').update(text).digest('hex'));
    process.exit(6);
});
"#;
    again_and_again(&bare(), node, &["-e", script], 6);
}

#[test]
fn java() {
    let (Some(java), Some(javac)) = (installed("java"), installed("javac")) else {
        return;
    };
    let directory = scratch();
    let source = r#"
import java.util.*;
import java.util.concurrent.*;
import java.util.stream.*;
import java.util.zip.*;

public class Large {
    static int deep(int n) { return n == 0 ? new Throwable().getStackTrace().length : deep(n - 1) + (n & 1); }

    public static void main(String[] arguments) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(4);
        List<Future<Integer>> results = new ArrayList<>();
        for (int t = 0; t < 16; t++) {
            int me = t;
            results.add(pool.submit(() -> {
                Map<String, byte[]> map = new HashMap<>();
                for (int i = 0; i < 5000; i++) map.put("key" + i % 500 + me, new byte[i % 300]);
                Deflater deflater = new Deflater();
                deflater.setInput(new byte[100000]);
                deflater.finish();
                int length = deflater.deflate(new byte[1000]);
                deflater.end();
                return map.size() + length + deep(500);
            }));
        }
        long sum = 0;
        for (Future<Integer> result : results) sum += result.get();
        pool.shutdown();
        System.out.println(sum);
        System.out.println(IntStream.range(0, 100000).parallel().mapToObj(Integer::toString)
            .collect(Collectors.summingInt(String::length)));
        try { Object nothing = null; nothing.hashCode(); } catch (NullPointerException e) { System.out.println("caught"); }
        try { overflow(0); } catch (StackOverflowError e) { System.out.println("overflown"); }
        for (int i = 0; i < 3; i++) System.gc();
        System.exit(4);
    }

    static int overflow(int n) { return overflow(n + 1) + 1; }
}
"#;
    fs::write(directory.path().join("Large.java"), source).expect("a scratch file");
    let launch = bare().directory(directory.path());
    launch.clone().run(&javac, &["Large.java"]).expect_status(0);
    again_and_again(&launch, &java, &["-Xmx64m", "Large"], 4);
}

#[test]
fn chromium() {
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .flat_map(|directory| names.map(|name| directory.join(name)))
        .find(|candidate| candidate.is_file());
    let Some(chromium) = found else {
        return skipped("no chromium is installed");
    };
    let directory = scratch();
    let profile = format!("--user-data-dir={}", directory.path().join("profile").display());
    let page = "data:text/html,<title>small</title><script>document.write('<p>' + [1, 2, 3].map(n => n * n))</script>";
    let arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", &profile, page];
    let without = bare().run(&chromium, &arguments).expect_status(0);
    assert!(without.stdout().contains("1,4,9"), "{without}");
    for _ in 0..runs() {
        let with = bare().tapped().run(&chromium, &arguments).expect_status(0);
        assert_eq!(with.stdout(), without.stdout(), "{with}");
    }
}
