//! Programs that cannot be run or tapped are recognised before the start and named, with a hint.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};

use crate::launch::{calltap, scratch};
use crate::target::Target;

/// Expects a refusal with this status whose message has all these words.
fn expect_refusal(program: &Path, status: i32, words: &[&str]) {
    let outcome = calltap().run(program, &["--version"]).expect_status(status);
    let message = outcome.stderr();
    assert!(outcome.stdout.is_empty(), "it was started: {outcome}");
    assert!(!outcome.has_report(), "{outcome}");
    assert!(message.starts_with("calltap: "), "{outcome}");
    assert!(message.contains("\nhint: "), "{outcome}");
    let name = program.file_name().expect("a file").to_str().expect("a plain name");
    for word in words.iter().chain([&name]) {
        assert!(message.contains(word), "{word:?} is missing: {outcome}");
    }
}

/// A file in `directory` with these bits and this content.
fn file(directory: &Path, name: &str, mode: u32, content: &[u8]) -> PathBuf {
    let path = directory.join(name);
    fs::write(&path, content).expect("a scratch file");
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("it is ours");
    path
}

/// A dynamic program of ours, as bytes.
fn program() -> Vec<u8> {
    fs::read(Target::c("graph.c").build().path()).expect("it was just built")
}

#[test]
fn what_is_not_there() {
    expect_refusal("/no/such/program".as_ref(), 127, &["no such file"]);
    expect_refusal("calltap-has-no-such-program".as_ref(), 127, &["PATH"]);
    let directory = scratch();
    let script = file(directory.path(), "script", 0o755, b"#!/no/such/interpreter -x\necho\n");
    expect_refusal(&script, 127, &["/no/such/interpreter"]);
}

#[test]
fn what_cannot_be_executed() {
    let directory = scratch();
    expect_refusal(directory.path(), 126, &["directory"]);
    let plain = file(directory.path(), "plain", 0o644, &program());
    expect_refusal(&plain, 126, &["not executable", "chmod +x"]);
    let text = file(directory.path(), "text", 0o755, b"neither a program nor a script\n");
    expect_refusal(&text, 126, &["ELF", "#!"]);
    let cut_short = file(directory.path(), "cut", 0o755, &program()[..100]);
    expect_refusal(&cut_short, 126, &["ELF"]);
    let empty = file(directory.path(), "empty", 0o755, b"");
    expect_refusal(&empty, 126, &[]);
}

#[test]
fn static_programs() {
    let target = Target::c("graph.c").flags(&["-static"]).build();
    expect_refusal(target.path(), 125, &["statically linked"]);
    let target = Target::c("graph.c").flags(&["-static-pie"]).build();
    expect_refusal(target.path(), 125, &["statically linked"]);
}

#[test]
fn programs_for_another_machine() {
    let directory = scratch();
    // The header of a 32-bit x86 executable with one program header, as `gcc -m32` would begin it.
    let mut small = vec![0_u8; 84];
    small[..7].copy_from_slice(b"\x7fELF\x01\x01\x01");
    for (at, value) in [(16, 2_u16), (18, 3), (40, 52), (42, 32), (44, 1)] {
        small[at..at + 2].copy_from_slice(&value.to_le_bytes());
    }
    for (at, value) in [(20, 1_u32), (24, 0x0804_8054), (28, 52), (52, 1), (60, 0x0804_8000)] {
        small[at..at + 4].copy_from_slice(&value.to_le_bytes());
    }
    let small = file(directory.path(), "small", 0o755, &small);
    expect_refusal(&small, 125, &["64-bit x86", "-m32"]);
    let mut arm = program();
    arm[18..20].copy_from_slice(&183_u16.to_le_bytes());
    let arm = file(directory.path(), "arm", 0o755, &arm);
    expect_refusal(&arm, 125, &["x86-64"]);
}

#[test]
fn programs_of_another_c_library() {
    let target = Target::c("graph.c").compiler("musl-gcc").try_build().map(|target| target.path().to_owned());
    let directory = scratch();
    let path = target.unwrap_or_else(|_| {
        // No musl here: a program that asks for its loader is what matters.
        let (glibc, musl) = (b"/lib64/ld-linux-x86-64.so.2\0", b"/lib/ld-musl-x86_64.so.1\0\0\0\0");
        let mut bytes = program();
        let at = bytes.windows(glibc.len()).position(|window| window == glibc).expect("PT_INTERP");
        bytes[at..at + musl.len()].copy_from_slice(musl);
        file(directory.path(), "musl", 0o755, &bytes)
    });
    expect_refusal(&path, 125, &["ld-musl", "glibc"]);
}

#[test]
fn programs_with_raised_privileges() {
    // SAFETY: no arguments, cannot fail.
    let root = unsafe { libc::geteuid() } == 0;
    let directory = scratch();
    let path = if root {
        let path = file(directory.path(), "raised", 0o755, &program());
        chown(&path, Some(65534), None).expect("root may");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o4755)).expect("root may");
        path
    } else {
        let su = PathBuf::from("/usr/bin/su");
        let bits = fs::metadata(&su).map_or(0, |metadata| metadata.permissions().mode());
        if bits & 0o4000 == 0 {
            return crate::launch::skipped("no setuid program here, and only root can make one");
        }
        su
    };
    expect_refusal(&path, 125, &["setuid", "privileges"]);
}

#[test]
fn options_that_make_no_sense() {
    let run = |options: &[&str]| calltap().options(options).run("true", &[""; 0]).expect_status(125);
    assert!(run(&["--tap", "everything"]).stderr().contains("everything"));
    assert!(run(&["--ring-size", "1"]).stderr().contains("16K"));
    assert!(run(&["--fail-on", "heap.still_allocated.bytes>"]).stderr().contains("fail-on"));
    assert!(run(&["--fail-on", "no.such.figure>0"]).stderr().contains("no.such.figure"));
    assert!(run(&["--stack-depth", "2000"]).stderr().contains("1024"));
    assert!(run(&["--debug-dir", "/no/such/directory"]).stderr().contains("/no/such/directory"));
    assert!(run(&["--suppressions", "/no/such/file"]).stderr().contains("\nhint: "));
    assert!(run(&["--flamegraph", "/no/such/directory/f.svg"]).stderr().contains("\nhint: "));
    assert!(run(&["--no-such-option"]).stderr().contains("--no-such-option"));
}

#[test]
fn a_report_file_that_cannot_be_made() {
    let target = Target::c("graph.c").build();
    let launch = calltap().report_elsewhere().options(&["-o", "/no/such/directory/report"]);
    let outcome = launch.run(&target, &["10"]).expect_status(125);
    assert!(outcome.stderr().contains("/no/such/directory/report"), "{outcome}");
    assert!(outcome.stderr().contains("\nhint: "), "{outcome}");
    assert!(outcome.stdout.is_empty(), "it was started, for nothing: {outcome}");
}
