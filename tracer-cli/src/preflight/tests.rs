use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use super::*;

/// A directory of its own that goes away with the test.
struct Scratch(PathBuf);

impl Scratch {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("calltap-{}-{test}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, content: &[u8], mode: u32) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        path
    }

    fn program(&self, name: &str, content: &[u8]) -> PathBuf {
        self.file(name, content, 0o755)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A 64-bit ELF header with one program header behind it, and a path behind that.
fn elf(machine: u16, interpreter: Option<&str>) -> Vec<u8> {
    let path = interpreter.map(|path| [path.as_bytes(), b"\0"].concat()).unwrap_or_default();
    let kind: u32 = if interpreter.is_some() { 3 } else { 1 };
    let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    file.extend([3_u16, machine].iter().flat_map(|half| half.to_le_bytes()));
    file.extend(1_u32.to_le_bytes());
    // Entry, program headers, section headers.
    file.extend([0_u64, 64, 0].iter().flat_map(|word| word.to_le_bytes()));
    file.extend(0_u32.to_le_bytes());
    file.extend([64_u16, 56, 1, 64, 0, 0].iter().flat_map(|half| half.to_le_bytes()));
    file.extend([kind, 4].iter().flat_map(|half| half.to_le_bytes()));
    let size = path.len() as u64;
    file.extend([120, 0, 0, size, size, 1].iter().flat_map(|word: &u64| word.to_le_bytes()));
    file.extend(path);
    file
}

const GLIBC: &str = "/lib64/ld-linux-x86-64.so.2";
const X86_64: u16 = 62;

fn fails(path: &Path) -> PreflightError {
    examine(path.as_os_str(), None).unwrap_err()
}

#[test]
fn a_glibc_program_passes_whatever_directory_its_loader_is_in() {
    let scratch = Scratch::new("glibc");
    let elsewhere = scratch.program("ld-linux-x86-64.so.2", b"");
    for loader in [GLIBC, elsewhere.to_str().unwrap()] {
        let path = scratch.program("x", &elf(X86_64, Some(loader)));
        let program = examine(path.as_os_str(), None).unwrap();
        assert_eq!(program, Program { path, interpreter: None, traces: false, warnings: vec![] });
    }
}

#[test]
fn what_cannot_be_tapped_is_named_and_has_status_125() {
    let scratch = Scratch::new("untappable");
    let musl = fails(&scratch.program("musl", &elf(X86_64, Some("/lib/ld-musl-x86_64.so.1"))));
    assert!(matches!(&musl, PreflightError::ForeignLoader { loader, .. } if loader.contains("musl")));
    let fixed = fails(&scratch.program("static", &elf(X86_64, None)));
    assert!(matches!(fixed, PreflightError::Static(_)));
    let arm = fails(&scratch.program("arm", &elf(183, Some("/lib/ld-linux-aarch64.so.1"))));
    assert!(matches!(&arm, PreflightError::OtherMachine { machine, .. } if machine == "64-bit ARM"));
    let mut narrow = elf(3, Some("/lib/ld-linux.so.2"));
    narrow[4] = 1;
    let narrow = fails(&scratch.program("x86", &narrow));
    assert!(matches!(&narrow, PreflightError::OtherMachine { machine, .. } if machine == "32-bit x86"));
    for error in [musl, fixed, arm, narrow] {
        assert_eq!(error.status(), 125);
        let text = error.to_string();
        assert!(text.starts_with("cannot tap /") && text.contains("\nhint: "), "{text}");
    }
}

#[test]
fn what_cannot_be_executed_has_status_126() {
    let scratch = Scratch::new("unexecutable");
    assert!(matches!(fails(&scratch.0), PreflightError::Directory(_)));
    let plain = scratch.file("plain", &elf(X86_64, Some(GLIBC)), 0o644);
    assert!(matches!(fails(&plain), PreflightError::NotExecutable(_)));
    let text = scratch.program("text", b"echo hello\n");
    assert!(matches!(fails(&text), PreflightError::NotAProgram(_)));
    let empty = scratch.program("empty", b"");
    assert!(matches!(fails(&empty), PreflightError::NotAProgram(_)));
    for path in [&scratch.0, &plain, &text, &empty] {
        assert_eq!(fails(path).status(), 126);
    }
}

#[test]
fn what_is_missing_has_status_127() {
    let scratch = Scratch::new("missing");
    assert!(matches!(fails(&scratch.0.join("nothing")), PreflightError::Missing(_)));
    assert_eq!(fails(&scratch.0.join("nothing")).status(), 127);
    let lost = fails(&scratch.program("lost", &elf(X86_64, Some("/lost/ld-linux-x86-64.so.2"))));
    assert!(matches!(lost, PreflightError::NoLoader { .. }));
    assert_eq!(lost.status(), 127);
    let below_a_file = scratch.program("file", b"").join("x");
    assert_eq!(fails(&below_a_file).status(), 127);
    for name in ["", "no-such-command-anywhere"] {
        let error = examine(OsStr::new(name), Some(scratch.0.as_os_str())).unwrap_err();
        assert!(matches!(error, PreflightError::NotOnPath { .. }));
        assert_eq!(error.status(), 127);
    }
}

#[test]
fn the_path_is_searched_as_execvp_does() {
    let scratch = Scratch::new("path");
    fs::create_dir(scratch.0.join("a")).unwrap();
    fs::create_dir(scratch.0.join("b")).unwrap();
    scratch.file("a/tool", b"", 0o644);
    let there = scratch.program("b/tool", &elf(X86_64, Some(GLIBC)));
    let search = format!("/nowhere:{0}/a:{0}/b", scratch.0.display());
    let program = examine(OsStr::new("tool"), Some(OsStr::new(&search))).unwrap();
    assert_eq!(program.path, there, "the first one has no execute permission");

    let search = scratch.0.join("a");
    let error = examine(OsStr::new("tool"), Some(search.as_os_str())).unwrap_err();
    assert!(matches!(error, PreflightError::NotExecutable(_)), "found, but of no use: {error}");
}

#[test]
fn of_a_script_the_interpreter_is_examined() {
    let scratch = Scratch::new("script");
    let glibc = scratch.program("good", &elf(X86_64, Some(GLIBC)));
    let fixed = scratch.program("static", &elf(X86_64, None));
    let line = |path: &Path| format!("#! {} -x\nbody\n", path.display()).into_bytes();

    let script = scratch.program("script", &line(&glibc));
    let nested = scratch.program("nested", &line(&script));
    let program = examine(nested.as_os_str(), None).unwrap();
    assert_eq!((program.path, program.interpreter), (nested, Some(glibc)));

    let script = scratch.program("of-static", &line(&fixed));
    assert!(matches!(fails(&script), PreflightError::Static(path) if path.ends_with("/static")));

    let script = scratch.program("dos", b"#!/bin/sh\r\n");
    let error = fails(&script);
    assert!(matches!(error, PreflightError::NoInterpreter { .. }));
    assert_eq!(error.status(), 127);

    let itself = scratch.0.join("itself");
    let itself = scratch.program("itself", &line(&itself));
    assert!(matches!(fails(&itself), PreflightError::TooManyScripts(_)));
}

#[test]
fn damaged_files_are_named_and_harm_nobody() {
    let scratch = Scratch::new("damaged");
    let whole = elf(X86_64, Some(GLIBC));
    for length in 4..whole.len() {
        let error = fails(&scratch.program("cut", &whole[..length]));
        assert!(matches!(error, PreflightError::Broken(_) | PreflightError::OtherMachine { .. }));
    }
    // Every byte of the headers replaced by extremes: any answer will do, as long as it is one.
    for at in 4..120 {
        for value in [0, 0x7f, 0xff] {
            let mut damaged = whole.clone();
            damaged[at] = value;
            let path = scratch.program("damaged", &damaged);
            match examine(path.as_os_str(), None) {
                Ok(program) => assert_eq!(program.path, path),
                Err(error) => assert!(matches!(error.status(), 125..=127), "{at} {value}: {error}"),
            }
        }
    }
}

#[test]
fn a_privilege_that_the_caller_has_anyway_is_none() {
    let scratch = Scratch::new("setuid");
    let own = scratch.file("own", &elf(X86_64, Some(GLIBC)), 0o6755);
    assert!(examine(own.as_os_str(), None).is_ok());
}
