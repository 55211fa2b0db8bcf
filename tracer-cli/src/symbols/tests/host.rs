//! A running program with libraries made for the test.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use calltap_analyzers::event::Image;
use calltap_channel::stack::Frame;

use crate::symbols::{Detail, Loaded, NamedFrame, Symbols};

pub(super) const IMAGE: Image = Image(7);

/// The directory of the sources.
fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/symbols/tests").join(name)
}

/// The line of a source that ends with this comment.
pub(super) fn line_marked(name: &str, mark: &str) -> u32 {
    let text = std::fs::read_to_string(source(name)).unwrap();
    let at = text.lines().position(|line| line.ends_with(&format!("// {mark}")));
    at.expect("the line is marked") as u32 + 1
}

/// Runs a tool that must succeed.
pub(super) fn run(program: &str, arguments: &[&str], directory: &Path) {
    let output =
        Command::new(program).args(arguments).current_dir(directory).output().expect("it is installed");
    assert!(output.status.success(), "{program} {arguments:?}: {output:?}");
}

/// Makes `libtest.so` in a directory, of the C++ source.
pub(super) fn cxx_library(directory: &Path, options: &[&str]) -> PathBuf {
    let source = source("inlined.cc");
    let fixed = ["-O2", "-fPIC", "-shared", "-o", "libtest.so", source.to_str().unwrap()];
    run("g++", &[&fixed, options].concat(), directory);
    directory.join("libtest.so")
}

/// Makes `librust.so` in a directory.
pub(super) fn rust_library(directory: &Path) -> PathBuf {
    let source = source("generic.rs");
    let fixed = ["--crate-type=cdylib", "--edition=2024", "-g", "-O", "-o", "librust.so"];
    let rustc = std::env::var("RUSTC").unwrap_or("rustc".into());
    run(&rustc, &[&fixed[..], &[source.to_str().unwrap()]].concat(), directory);
    directory.join("librust.so")
}

/// Moves the debug information of a library into `libtest.debug`; what is left has a link to it.
pub(super) fn strip(library: &Path) -> PathBuf {
    let directory = library.parent().unwrap();
    run("objcopy", &["--only-keep-debug", "libtest.so", "libtest.debug"], directory);
    run("objcopy", &["--strip-all", "--add-gnu-debuglink=libtest.debug", "libtest.so"], directory);
    directory.join("libtest.debug")
}

/// The program, waiting, and what it told of its calls of `site`.
pub(super) struct Host {
    child: Child,
    pub(super) sites: Vec<(Loaded, Frame)>,
}

impl Host {
    /// Starts it in a directory with these libraries.
    pub(super) fn start(directory: &Path, libraries: &[&Path]) -> Self {
        let program = directory.join("host");
        run("cc", &["-g", "-o", "host", source("host.c").to_str().unwrap(), "-ldl"], directory);
        let mut child = Command::new(&program)
            .args(libraries)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let told = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let pid = child.id();
        let sites = told.take_while(|line| !line.is_empty()).map(|line| site(pid, &line)).collect();
        Self { child, sites }
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Tells of all objects that the sites are in.
    pub(super) fn tell(&self, symbols: &mut Symbols) {
        self.sites.iter().for_each(|(loaded, _)| symbols.loaded(loaded));
    }

    /// The names of all sites.
    pub(super) fn names(&self, symbols: &mut Symbols) -> Vec<Vec<NamedFrame>> {
        let wanted: Vec<(Image, Frame)> = self.sites.iter().map(|(_, frame)| (IMAGE, *frame)).collect();
        let mut last = (0, 0);
        symbols.resolve(&wanted, Detail::Lines, &mut |done, total| last = (done, total));
        assert_eq!(last.0, last.1, "all is done at the end");
        wanted.iter().map(|(image, frame)| symbols.name(*image, *frame)).collect()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

fn site(pid: u32, line: &str) -> (Loaded, Frame) {
    let mut words = line.splitn(5, ' ');
    let mut number = || u64::from_str_radix(words.next().unwrap(), 16).unwrap();
    let (address, start, end, bias) = (number(), number(), number(), number());
    let path = words.next().unwrap().as_bytes().to_vec();
    let loaded = Loaded { image: IMAGE, pid, start, end, bias, lap: 0, at_ns: 1, path };
    (loaded, Frame::returning_to(address))
}
