//! Starting a program, bare or under a verb of `calltap`, in one and the same surroundings.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::outcome::Outcome;
use crate::running::Running;
use crate::target::SCRATCH;

/// A scratch directory that vanishes with its value.
pub(crate) fn scratch() -> TempDir {
    tempfile::tempdir_in(SCRATCH).expect("the scratch directory is ours")
}

/// A program on this machine, or a word on stderr that it is missing.
pub(crate) fn installed(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|directory| directory.join(program))
        .find(|candidate| candidate.is_file());
    if found.is_none() {
        skipped(&format!("{program} is not installed"));
    }
    found
}

/// Says why a story is not told, past the test runner's capture.
pub(crate) fn skipped(reason: &str) {
    use std::io::Write;
    let test = std::thread::current().name().unwrap_or("?").to_owned();
    writeln!(std::io::stderr(), "skipped: {test}: {reason}").expect("stderr is open");
}

/// How to start a program. The same settings with and without calltap make runs comparable.
#[derive(Clone, Default)]
pub(crate) struct Launch {
    verb: Option<&'static str>,
    no_report: bool,
    options: Vec<OsString>,
    variables: Vec<(OsString, OsString)>,
    stdin: Option<PathBuf>,
    directory: Option<PathBuf>,
    preamble: Option<String>,
}

/// Without calltap.
pub(crate) fn bare() -> Launch {
    Launch::default()
}

/// Under `calltap run`, with a JSON report.
pub(crate) fn calltap() -> Launch {
    Launch { verb: Some("run"), ..Launch::default() }
}

/// Under `calltap trace`, with the trace in a file.
pub(crate) fn traced() -> Launch {
    Launch { verb: Some("trace"), ..Launch::default() }
}

/// Under `calltap compare`, with the result as JSON.
pub(crate) fn compared() -> Launch {
    Launch { verb: Some("compare"), ..Launch::default() }
}

/// Under `calltap __measure`, with its figures as the report.
pub(crate) fn measured() -> Launch {
    Launch { verb: Some("__measure"), ..Launch::default() }
}

impl Launch {
    /// The same surroundings under `calltap run`.
    pub(crate) fn tapped(mut self) -> Self {
        self.verb = Some("run");
        self
    }

    /// The same surroundings under `calltap __measure`.
    pub(crate) fn measured(mut self) -> Self {
        self.verb = Some("__measure");
        self
    }

    /// With these options of `calltap`'s verb.
    pub(crate) fn options<S: AsRef<OsStr>>(mut self, options: &[S]) -> Self {
        self.options.extend(options.iter().map(|option| option.as_ref().to_owned()));
        self
    }

    /// Without `--format json -o FILE`: the story says itself where the report or the trace goes.
    pub(crate) fn report_elsewhere(mut self) -> Self {
        self.no_report = true;
        self
    }

    /// With a variable in the environment.
    pub(crate) fn variable(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.variables.push((name.into(), value.as_ref().to_owned()));
        self
    }

    /// With a file as standard input; it is `/dev/null` otherwise.
    pub(crate) fn stdin(mut self, file: &Path) -> Self {
        self.stdin = Some(file.to_owned());
        self
    }

    /// In this working directory.
    pub(crate) fn directory(mut self, directory: &Path) -> Self {
        self.directory = Some(directory.to_owned());
        self
    }

    /// After some lines of shell in the same process, such as `ulimit -n 8`.
    pub(crate) fn after(mut self, preamble: &str) -> Self {
        self.preamble = Some(preamble.to_owned());
        self
    }

    /// Runs the program to its end.
    pub(crate) fn run<S: AsRef<OsStr>>(self, program: impl AsRef<OsStr>, arguments: &[S]) -> Outcome {
        self.start(program, arguments).finish()
    }

    /// Starts the program.
    pub(crate) fn start<S: AsRef<OsStr>>(self, program: impl AsRef<OsStr>, arguments: &[S]) -> Running {
        let files = scratch();
        let report = files.path().join("report.json");
        let mut words: Vec<OsString> = Vec::new();
        if let Some(verb) = self.verb {
            words.extend([env!("CARGO_BIN_EXE_calltap").into(), verb.into()]);
            words.extend(self.options);
            match verb {
                _ if self.no_report => {}
                "__measure" => words.extend(["--output".into(), report.clone().into()]),
                "trace" => words.extend(["-o".into(), files.path().join("trace").into()]),
                _ => words.extend(["--format".into(), "json".into(), "-o".into(), report.clone().into()]),
            }
            words.push("--".into());
        }
        words.push(program.as_ref().to_owned());
        words.extend(arguments.iter().map(|argument| argument.as_ref().to_owned()));
        if let Some(preamble) = self.preamble {
            let script = format!("{preamble}\nexec \"$@\"");
            words.splice(0..0, ["/bin/sh".into(), "-c".into(), script.into(), "sh".into()]);
        }
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).env_clear();
        for name in ["PATH", "HOME", "USER"] {
            command.envs(std::env::var_os(name).map(|value| (name, value)));
        }
        command.env("LANG", "C.UTF-8").env("XDG_CACHE_HOME", Path::new(SCRATCH).join("cache"));
        command.envs(self.variables);
        command.stdin(File::open(self.stdin.unwrap_or("/dev/null".into())).expect("the input exists"));
        command.stdout(File::create(files.path().join("stdout")).expect("a scratch file"));
        command.stderr(File::create(files.path().join("stderr")).expect("a scratch file"));
        command.current_dir(self.directory.unwrap_or(SCRATCH.into()));
        // A group of its own, so that all of it can be stopped.
        command.process_group(0);
        // SAFETY: `signal` is async-signal-safe and touches no memory.
        unsafe { command.pre_exec(with_default_signals) };
        let what = words.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
        let child = command.spawn().unwrap_or_else(|error| panic!("{what}: {error}"));
        Running { what, child, files, finished: false }
    }
}

/// Undoes what `nohup` or a shell's `&` may have done to the tests: what they ignore, all would.
pub(crate) fn with_default_signals() -> std::io::Result<()> {
    for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT] {
        // SAFETY: the default disposition is valid for these.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    Ok(())
}
