//! Lines that comments mark in a target's source: `kept = malloc(40); // LEAK plain`.

use std::path::Path;

/// The marked lines of some sources in `targets/`.
pub(crate) struct Marks(Vec<Mark>);

struct Mark {
    file: &'static str,
    line: i64,
    word: String,
    place: String,
}

impl Marks {
    /// The lines whose comments hold pairs of `LEAK`, `FAULT` or `VIA` and a place's name.
    pub(crate) fn of(sources: &[&'static str]) -> Self {
        let mut marks = Vec::new();
        for file in sources {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/targets").join(file);
            let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{file}: {error}"));
            for (line, text) in (1..).zip(text.lines()) {
                let comment = text.split_once("// ").map_or("", |(_, comment)| comment);
                let words: Vec<_> = comment.split(' ').collect();
                for pair in words.chunks_exact(2).filter(|pair| ["LEAK", "FAULT", "VIA"].contains(&pair[0])) {
                    let [word, place] = [pair[0], pair[1]].map(ToOwned::to_owned);
                    marks.push(Mark { file, line, word, place });
                }
            }
        }
        Self(marks)
    }

    /// Where `place` leaks: file and line.
    pub(crate) fn leak(&self, place: &str) -> (&'static str, i64) {
        self.one("LEAK", place)
    }

    /// Where `place` does something wrong: file and line.
    pub(crate) fn fault(&self, place: &str) -> (&'static str, i64) {
        self.one("FAULT", place)
    }

    /// Through which lines the call comes that leaks at `place`.
    pub(crate) fn via(&self, place: &str) -> Vec<(&'static str, i64)> {
        self.places("VIA", place).collect()
    }

    fn one(&self, word: &str, place: &str) -> (&'static str, i64) {
        let mut found = self.places(word, place);
        let one = found.next().unwrap_or_else(|| panic!("no line is marked {word} {place}"));
        assert!(found.next().is_none(), "two lines are marked {word} {place}");
        one
    }

    fn places<'a>(&'a self, word: &'a str, place: &'a str) -> impl Iterator<Item = (&'static str, i64)> + 'a {
        let marks = self.0.iter().filter(move |mark| mark.word == word && mark.place == place);
        marks.map(|mark| (mark.file, mark.line))
    }
}
