//! Asks the compiler of this machine, line by line.

use std::collections::{BTreeSet, HashSet};
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// A program: one question on a line, within a function.
pub(super) struct Questions<'a> {
    /// `cc` or `c++`.
    pub(super) compiler: &'a str,
    /// What it is called with.
    pub(super) options: &'a [&'a str],
    /// Stands before the questions: whole lines.
    pub(super) before: &'a str,
    /// Of each the name that it is about, and a statement.
    pub(super) lines: Vec<(&'a str, String)>,
}

/// What came of it.
pub(super) struct Answers {
    /// What the program wrote.
    pub(super) written: String,
    /// Of each question: whether the compiler understood it. It knows nothing of names that its headers do not have.
    pub(super) understood: Vec<bool>,
}

impl Questions<'_> {
    /// Compiles the questions that can be compiled, and runs them; `None` if there is no compiler.
    pub(super) fn ask(&self) -> Option<Answers> {
        let directory = tempfile::tempdir().expect("a directory");
        let source = directory.path().join(if self.compiler == "cc" { "q.c" } else { "q.cc" });
        let program = directory.path().join("q");
        let mut refused = self.unheard_of(&source)?;
        // Some errors are found only when there are no others any more.
        loop {
            self.write(&source, &refused);
            let more = self.compile(&source, &program)?;
            if more.is_empty() {
                break;
            }
            assert!(more.is_disjoint(&refused), "what is left out is refused: {more:?}");
            refused.extend(more);
        }
        let run = Command::new(&program).output().expect("the questions run");
        assert!(run.status.success(), "{}", run.status);
        Some(Answers {
            written: String::from_utf8(run.stdout).expect("text"),
            understood: (0..self.lines.len()).map(|line| !refused.contains(&line)).collect(),
        })
    }

    /// The questions about names that are nowhere in the headers. A compiler looks long for what might have been meant.
    fn unheard_of(&self, source: &Path) -> Option<BTreeSet<usize>> {
        self.write(source, &(0..self.lines.len()).collect());
        let output = self.run(&[OsStr::new("-E"), OsStr::new("-dD"), source.as_os_str()])?;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8_lossy(&output.stdout);
        let words: HashSet<&str> = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
        let unheard_of = |(_, (name, _)): &(usize, &(&str, String))| !words.contains(name);
        Some(self.lines.iter().enumerate().filter(unheard_of).map(|(number, _)| number).collect())
    }

    fn write(&self, source: &Path, without: &BTreeSet<usize>) {
        let mut text = format!("{}int main(void) {{\n", self.before);
        for (number, (_, line)) in self.lines.iter().enumerate() {
            text.push_str(if without.contains(&number) { "" } else { line });
            text.push('\n');
        }
        text.push_str("return 0;\n}\n");
        fs::write(source, text).expect("the source is written");
    }

    /// The questions in which the compiler finds errors; `None` if there is none.
    fn compile(&self, source: &Path, program: &Path) -> Option<BTreeSet<usize>> {
        let first = self.before.lines().count() + 2;
        let output = self.run(&[OsStr::new("-o"), program.as_os_str(), source.as_os_str()])?;
        let complaints = String::from_utf8_lossy(&output.stderr);
        let place = format!("{}:", source.display());
        let refused: BTreeSet<usize> = complaints
            .lines()
            .filter(|line| line.contains(" error: "))
            .map(|line| {
                let number = line.strip_prefix(&place).and_then(|rest| rest.split(':').next());
                let number: usize = number.and_then(|n| n.parse().ok()).unwrap_or_else(|| panic!("{line}"));
                number.checked_sub(first).unwrap_or_else(|| panic!("{line}"))
            })
            .collect();
        assert_eq!(output.status.success(), refused.is_empty(), "{complaints}");
        Some(refused)
    }

    fn run(&self, more: &[&OsStr]) -> Option<Output> {
        Command::new(self.compiler)
            .args(["-w", "-fno-diagnostics-show-caret"])
            .args(self.options)
            .args(more)
            .env("LC_ALL", "C")
            .output()
            .ok()
    }
}

/// Says on stderr that there is nothing to compare with.
pub(super) fn skipped(compiler: &str) {
    eprintln!("skipped: {compiler} is not installed");
}
