//! The programs the stories are about: built once per source and flags, shared by all tests.

use std::collections::hash_map::DefaultHasher;
use std::ffi::OsStr;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// Where everything goes that the stories make.
pub(crate) const SCRATCH: &str = env!("CARGO_TARGET_TMPDIR");

/// A built program or library.
#[derive(Clone, Debug)]
pub(crate) struct Target(PathBuf);

impl Target {
    /// A C program of `targets/`.
    pub(crate) fn c(source: &str) -> Recipe {
        let flags = ["-O2", "-g", "-fno-builtin", "-pthread"];
        Recipe::new("gcc", source, &flags)
    }

    /// A C++ program of `targets/`.
    pub(crate) fn cpp(source: &str) -> Recipe {
        Recipe::new("g++", source, &["-O2", "-g", "-std=c++17", "-pthread"])
    }

    /// A Rust program of `targets/`.
    pub(crate) fn rust(source: &str) -> Recipe {
        Recipe::new("rustc", source, &["--edition=2024", "-O"])
    }

    /// `targets/tolerant.c`: an allocator that forgives double and wild releases.
    pub(crate) fn tolerant_allocator() -> Self {
        Self::c("tolerant.c").flags(&["-shared", "-fPIC"]).build()
    }

    /// Where it lies.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Its file name, as it appears in a report's command.
    pub(crate) fn name(&self) -> &str {
        self.0.file_name().and_then(OsStr::to_str).expect("targets have plain names")
    }
}

impl AsRef<OsStr> for Target {
    fn as_ref(&self) -> &OsStr {
        self.0.as_os_str()
    }
}

/// How a target is built.
pub(crate) struct Recipe {
    compiler: String,
    source: PathBuf,
    flags: Vec<String>,
}

impl Recipe {
    fn new(compiler: &str, source: &str, flags: &[&str]) -> Self {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/targets").join(source);
        Self { compiler: compiler.into(), source, flags: Vec::new() }.flags(flags)
    }

    /// With these flags too, after the source's name on the command line.
    pub(crate) fn flags(mut self, flags: &[&str]) -> Self {
        self.flags.extend(flags.iter().map(ToString::to_string));
        self
    }

    /// By another compiler.
    pub(crate) fn compiler(mut self, compiler: &str) -> Self {
        self.compiler = compiler.into();
        self
    }

    /// Linked with a shared library, found again at run time.
    pub(crate) fn linked_with(self, library: &Target) -> Self {
        let library = library.path().to_str().expect("a plain path");
        self.flags(&[library])
    }

    /// Builds it, unless this very source was built before with these flags.
    pub(crate) fn build(self) -> Target {
        self.try_build().unwrap_or_else(|message| panic!("{message}"))
    }

    /// Like [`Recipe::build`], but a compiler that cannot build it is the caller's affair.
    pub(crate) fn try_build(self) -> Result<Target, String> {
        let directory = Path::new(SCRATCH).join("targets");
        fs::create_dir_all(&directory).expect("the scratch directory is ours");
        let finished = directory.join(self.file_name());
        if !finished.exists() {
            // Built aside and renamed, so that tests and processes at the same work do not meet.
            static UNIQUE: AtomicU32 = AtomicU32::new(0);
            let unique = UNIQUE.fetch_add(1, Ordering::Relaxed);
            let aside = finished.with_extension(format!("{}-{unique}", std::process::id()));
            let output = Command::new(&self.compiler)
                .arg(&self.source)
                .args(&self.flags)
                .arg("-o")
                .arg(&aside)
                .args((self.compiler != "rustc").then_some("-lm"))
                .output()
                .map_err(|error| format!("{} does not start: {error}", self.compiler))?;
            if !output.status.success() {
                return Err(String::from_utf8_lossy(&output.stderr).into_owned());
            }
            fs::rename(&aside, &finished).expect("rename within one directory");
        }
        Ok(Target(finished))
    }

    fn file_name(&self) -> String {
        let mut hasher = DefaultHasher::new();
        for file in headers().iter().chain([&self.source]) {
            fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display())).hash(&mut hasher);
        }
        (&self.compiler, &self.flags).hash(&mut hasher);
        let name = self.source.file_name().and_then(OsStr::to_str).expect("a plain name");
        format!("{}-{:016x}", name.replace('.', "-"), hasher.finish())
    }
}

/// What the sources of `targets/` may include, in one order.
fn headers() -> Vec<PathBuf> {
    let targets = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/targets");
    let entries = fs::read_dir(targets).expect("the sources are there");
    let paths = entries.map(|entry| entry.expect("a readable directory").path());
    let mut headers: Vec<_> =
        paths.filter(|path| path.extension().is_some_and(|extension| extension == "h")).collect();
    headers.sort();
    headers
}
