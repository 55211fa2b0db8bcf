//! `--suppressions FILE`: leaks that the user does not want to hear of, in LeakSanitizer's syntax.

use std::path::Path;

use thiserror::Error;

use crate::report::model::Frame;

mod pattern;

pub use pattern::Pattern;

/// What a suppressions file says: which stacks to leave out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suppressions {
    patterns: Vec<Pattern>,
}

/// Why a suppressions file cannot be used.
#[derive(Debug, Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum Unusable {
    #[error("cannot read the suppressions {file}: {reason}\nhint: --suppressions takes a readable text file")]
    Unreadable { file: String, reason: std::io::Error },
    #[error(
        "{file}:{line}: `{text}` is no suppression\n\
         hint: each line is `leak:PATTERN`, where PATTERN is part of a function, source file or object; \
         comments begin with #"
    )]
    NoSuppression { file: String, line: usize, text: String },
    #[error(
        "{file}:{line}: suppressions of the type `{kind}` are not for leaks\n\
         hint: only `leak:PATTERN` is understood; keep those of other sanitizers in files of their own"
    )]
    OtherType { file: String, line: usize, kind: String },
    #[error(
        "{file}:{line}: `leak:` has no pattern, and would suppress every leak\n\
         hint: name a part of a function, source file or object, or write `leak:*` if you mean all"
    )]
    NoPattern { file: String, line: usize },
}

impl Suppressions {
    /// Reads a file.
    ///
    /// # Errors
    /// If it cannot be read, or a line is no suppression of leaks.
    pub fn read(path: &Path) -> Result<Self, Unusable> {
        let file = path.display().to_string();
        let bytes =
            std::fs::read(path).map_err(|reason| Unusable::Unreadable { file: file.clone(), reason })?;
        Self::parse(&String::from_utf8_lossy(&bytes), &file)
    }

    /// Reads a text; `file` is its name in errors.
    ///
    /// # Errors
    /// If a line is no suppression of leaks.
    pub fn parse(text: &str, file: &str) -> Result<Self, Unusable> {
        let mut patterns = Vec::new();
        for (line, number) in text.lines().zip(1..) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (file, no_suppression) = (file.to_owned(), line.to_owned());
            match line.split_once(':') {
                Some(("leak", pattern)) if pattern.trim().is_empty() => {
                    return Err(Unusable::NoPattern { file, line: number });
                }
                Some(("leak", pattern)) => patterns.push(Pattern::new(pattern.trim())),
                Some((kind, _)) if is_type(kind) => {
                    return Err(Unusable::OtherType { file, line: number, kind: kind.to_owned() });
                }
                _ => return Err(Unusable::NoSuppression { file, line: number, text: no_suppression }),
            }
        }
        Ok(Self { patterns })
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// The text of a pattern.
    ///
    /// # Panics
    /// If `index` was not returned by [`Self::of_frame`] or [`Self::of_name`].
    #[must_use]
    pub fn text(&self, index: usize) -> &str {
        self.patterns[index].text()
    }

    /// The first pattern that a frame's function, source file or object is of.
    #[must_use]
    pub fn of_frame(&self, frame: &Frame) -> Option<usize> {
        let names = [&frame.function, &frame.file, &frame.object];
        self.patterns.iter().position(|pattern| names.into_iter().flatten().any(|name| pattern.matches(name)))
    }

    /// The first pattern that a function's name is of.
    #[must_use]
    pub fn of_name(&self, function: &str) -> Option<usize> {
        self.patterns.iter().position(|pattern| pattern.matches(function))
    }
}

/// The names of the sanitizers' suppression types are lower-case words.
fn is_type(kind: &str) -> bool {
    !kind.is_empty() && kind.chars().all(|c| c.is_ascii_lowercase() || matches!(c, '_' | '-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Suppressions, String> {
        Suppressions::parse(text, "my.supp").map_err(|error| error.to_string())
    }

    #[test]
    fn comments_and_blank_lines_are_skipped() {
        let read = parse("# known\n\n  leak:make_node  \nleak:^main$\r\n").unwrap();
        assert_eq!((read.text(0), read.text(1), read.patterns.len()), ("make_node", "^main$", 2));
        assert!(parse("").unwrap().is_empty());
    }

    #[test]
    fn function_file_and_object_are_looked_at() {
        let read = parse("leak:libold.so\nleak:legacy/\nleak:^init_*\nleak:A::b").unwrap();
        let frame = |function: &str, file: &str, object: &str| Frame {
            function: Some(function.into()),
            file: Some(file.into()),
            object: Some(object.into()),
            ..Frame::default()
        };
        assert_eq!(read.of_frame(&frame("f", "a.c", "/usr/lib/libold.so.1")), Some(0));
        assert_eq!(read.of_frame(&frame("f", "src/legacy/a.c", "/bin/x")), Some(1));
        assert_eq!(read.of_frame(&frame("init_all", "a.c", "/bin/x")), Some(2));
        assert_eq!(read.of_frame(&frame("A::b(int)", "a.c", "/bin/x")), Some(3), "colons in patterns");
        assert_eq!(read.of_frame(&frame("do_init_all", "a.c", "/bin/x")), None);
        assert_eq!(read.of_frame(&Frame::default()), None);
        assert_eq!(read.of_name("init_it"), Some(2));
    }

    #[test]
    fn what_is_not_understood_is_told_with_its_line() {
        let other = parse("leak:a\nrace:queue_push\n").unwrap_err();
        assert!(other.starts_with("my.supp:2: suppressions of the type `race`"), "{other}");
        assert!(other.contains("\nhint: only `leak:PATTERN`"), "{other}");
        let wrong = parse("\n\nmake_node").unwrap_err();
        assert!(wrong.starts_with("my.supp:3: `make_node` is no suppression\nhint: "), "{wrong}");
        let empty = parse("leak: ").unwrap_err();
        assert!(empty.starts_with("my.supp:1: `leak:` has no pattern"), "{empty}");
    }

    #[test]
    fn a_missing_file_is_told() {
        let error = Suppressions::read(Path::new("/nonexistent/x.supp")).unwrap_err().to_string();
        assert!(
            error.starts_with("cannot read the suppressions /nonexistent/x.supp: No such file"),
            "{error}"
        );
    }
}
