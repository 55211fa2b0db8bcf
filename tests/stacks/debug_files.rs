//! Debug information is found where the program does not carry it, and not taken from another program.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::launch::{calltap, scratch};
use crate::marks::Marks;
use crate::outcome::Outcome;
use crate::report::Process;
use crate::stack::{Frame, Leak};
use crate::target::Target;

/// Runs a tool and returns what it printed.
fn tool<S: AsRef<OsStr>>(program: &str, arguments: &[S]) -> String {
    let output = Command::new(program).args(arguments).output().expect("binutils are there with gcc");
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("plain text")
}

/// A program without debug information in a directory of its own, and the file that has it.
struct Stripped {
    directory: TempDir,
    program: PathBuf,
    debug: PathBuf,
}

impl Stripped {
    /// Of `leak.c`. The debug file lies where nobody looks for it; only its name is in the program.
    fn new() -> Self {
        let whole = Self::whole();
        let directory = scratch();
        let [program, debug] = ["program", "elsewhere/program.debug"].map(|name| directory.path().join(name));
        fs::create_dir(directory.path().join("elsewhere")).expect("a scratch directory");
        tool("objcopy", &["--only-keep-debug".as_ref(), whole.path(), &debug]);
        tool("objcopy", &["--strip-all".as_ref(), whole.path(), &program]);
        let link = format!("--add-gnu-debuglink={}", debug.display());
        tool("objcopy", &[link.as_ref(), program.as_os_str()]);
        Self { directory, program, debug }
    }

    /// The program before it was stripped.
    fn whole() -> Target {
        Target::c("leak.c").flags(&["-Wl,--build-id=sha1"]).build()
    }

    /// Moves the debug file to a place below the program's directory.
    fn debug_file_at(self, place: impl AsRef<Path>) -> Self {
        let place = self.directory.path().join(place);
        fs::create_dir_all(place.parent().expect("it is in a directory")).expect("a scratch directory");
        fs::rename(&self.debug, place).expect("rename in the scratch directory");
        self
    }

    fn run(&self, options: &[&str]) -> Outcome {
        calltap().options(options).run(&self.program, &[""; 0]).expect_status(0)
    }
}

/// Where the debug file is in a tree that is ordered by build-id.
fn place_by_build_id() -> String {
    let notes = tool("readelf", &["-n".as_ref(), Stripped::whole().path()]);
    let id =
        notes.split("Build ID: ").nth(1).and_then(|rest| rest.lines().next()).expect("it has a build-id");
    format!(".build-id/{}/{}.debug", &id[..2], &id[2..])
}

/// Expects that the plain leak and the lines that led to it are found.
fn expect_lines(outcome: &Outcome) {
    let marks = Marks::of(&["leak.c"]);
    let leaks = Leak::all(outcome.report().only_process());
    for (place, function) in [("plain", "plain_leaks"), ("inlined", "innermost_leaks"), ("qsort", "compare")]
    {
        let here = leaks.iter().filter(|leak| leak.stack.frames[0].function.as_deref() == Some(function));
        let here: Vec<_> = here.collect();
        let sum = Leak::sum(here.iter().copied()).1;
        assert_eq!(sum, outcome.said(&format!("leaked.{place}.bytes")), "{place}: {leaks:#?}");
        for line in marks.via(place).into_iter().chain([marks.leak(place)]) {
            assert!(here.iter().all(|leak| leak.stack.passes(line)), "{place}, {line:?}: {here:#?}");
        }
    }
}

#[test]
fn a_debug_file_beside_the_program_is_found() {
    expect_lines(&Stripped::new().debug_file_at("program.debug").run(&[]));
}

#[test]
fn a_debug_file_below_the_program_is_found() {
    expect_lines(&Stripped::new().debug_file_at(".debug/program.debug").run(&[]));
}

#[test]
fn a_debug_file_is_found_by_build_id_in_the_users_directory() {
    let place = Path::new("symbols").join(place_by_build_id());
    let stripped = Stripped::new().debug_file_at(place);
    let symbols = stripped.directory.path().join("symbols");
    expect_lines(&stripped.run(&["--debug-dir", symbols.to_str().expect("a plain path")]));
}

/// Own frames of the stripped program.
fn own_frames(process: Process<'_>, program: &Path) -> Vec<Frame> {
    let program = program.to_str().expect("a plain path");
    let frames = Leak::all(process).into_iter().flat_map(|leak| leak.stack.frames);
    frames.filter(|frame| frame.object.as_deref() == Some(program)).collect()
}

#[test]
fn without_debug_information_object_and_offset_lead_to_the_line() {
    let stripped = Stripped::new();
    let outcome = stripped.run(&[]);
    let process = outcome.report().only_process();
    assert!(own_frames(process, &stripped.program).iter().all(|frame| frame.line.is_none()));
    let marks = Marks::of(&["leak.c"]);
    let whole = Stripped::whole().path().to_owned();
    for place in ["plain", "constructor", "thread"] {
        let (file, line) = marks.leak(place);
        let bytes = outcome.said(&format!("leaked.{place}.bytes"));
        let leaks = Leak::all(process);
        let here = leaks.iter().find(|leak| leak.bytes == bytes).unwrap_or_else(|| panic!("{leaks:#?}"));
        let call = format!("{:#x}", here.stack.frames[0].offset - 1);
        let found = tool("addr2line", &["-e".as_ref(), whole.as_os_str(), call.as_ref()]);
        let found = found.split(" (").next().unwrap_or_default().trim();
        assert!(found.ends_with(&format!("/{file}:{line}")), "{place}: {found}, {here:#?}");
    }
}

#[test]
fn debug_information_of_another_program_is_not_taken() {
    let stripped = Stripped::new();
    // Another build of the same source: all of its addresses have some line.
    let other = Target::c("leak.c").flags(&["-O0", "-Wl,--build-id=sha1"]).build();
    for place in ["program.debug", ".debug/program.debug"] {
        let place = stripped.directory.path().join(place);
        fs::create_dir_all(place.parent().expect("it is in a directory")).expect("a scratch directory");
        tool("objcopy", &["--only-keep-debug".as_ref(), other.path(), &place]);
    }
    let outcome = stripped.run(&[]);
    let own = own_frames(outcome.report().only_process(), &stripped.program);
    assert!(own.len() > 10, "{own:#?}");
    assert!(own.iter().all(|frame| frame.function.is_none() && frame.line.is_none()), "{own:#?}");
}
