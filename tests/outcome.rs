//! What a run left: its output, its status, its report, and comparisons of them.

use crate::report::Report;

/// What a run left.
pub(crate) struct Outcome {
    pub(crate) what: String,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    /// The exit status; 128 + n after death by signal n.
    pub(crate) status: i32,
    pub(crate) report: Option<Report>,
    /// What `calltap trace` wrote.
    pub(crate) trace: String,
}

impl Outcome {
    /// Standard output as text.
    pub(crate) fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Standard error as text.
    pub(crate) fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// The report, which must be there.
    pub(crate) fn report(&self) -> &Report {
        self.report.as_ref().unwrap_or_else(|| panic!("no report: {self}"))
    }

    /// The trace's lines about this function: from its name on, blanks before the result left out.
    pub(crate) fn lines_of(&self, function: &str) -> Vec<String> {
        let begins = format!("{function}(");
        self.trace
            .lines()
            .filter_map(|line| {
                let at = line.find(&begins)?;
                // The name is preceded by nothing, a blank, or the name of its library.
                let is_whole = line[..at].chars().next_back().is_none_or(|c| c == ' ' || c == '>');
                is_whole.then(|| match line[at..].split_once(" = ") {
                    Some((call, result)) => format!("{} = {result}", call.trim_end()),
                    None => line[at..].to_owned(),
                })
            })
            .collect()
    }

    /// Whether there is a report.
    pub(crate) fn has_report(&self) -> bool {
        self.report.is_some()
    }

    /// Panics unless the exit status is this one.
    pub(crate) fn expect_status(self, status: i32) -> Self {
        assert_eq!(self.status, status, "{self}");
        self
    }

    /// The number the target printed for `key`.
    pub(crate) fn said(&self, key: &str) -> i64 {
        let text = self.stdout();
        text.lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
            .and_then(|value| value.parse().ok())
            .unwrap_or_else(|| panic!("no number {key}: {self}"))
    }

    /// All numbers the target printed for keys that start with `prefix`, without it.
    pub(crate) fn said_all(&self, prefix: &str) -> Vec<(String, i64)> {
        let text = self.stdout();
        let pairs = text.lines().filter_map(|line| line.strip_prefix(prefix)?.split_once('='));
        let found: Vec<_> = pairs
            .map(|(key, value)| (key.to_owned(), value.parse().expect("the target says numbers")))
            .collect();
        assert!(!found.is_empty(), "no number {prefix}*: {self}");
        found
    }

    /// Panics unless stdout, stderr and status are another run's.
    pub(crate) fn expect_same_as(self, other: &Self) -> Self {
        self.expect_same_after(other, str::to_owned)
    }

    /// Like [`Outcome::expect_same_as`], but the program may see that there is a filter
    /// (`tests/targets/mirror.c` asks).
    pub(crate) fn expect_same_but_for_the_filter(self, other: &Self) -> Self {
        self.expect_same_after(other, |text| text.replace("seccomp=2\n", "seccomp=0\n"))
    }

    /// Like [`Outcome::expect_same_as`], of texts from which `mask` took what differs from run to run.
    pub(crate) fn expect_same_after(self, other: &Self, mask: impl Fn(&str) -> String) -> Self {
        assert_eq!(self.status, other.status, "status\n{self}\n{other}");
        for (name, mine, others) in
            [("stdout", self.stdout(), other.stdout()), ("stderr", self.stderr(), other.stderr())]
        {
            let (mine, others) = (mask(&mine), mask(&others));
            if mine != others {
                let line = mine.lines().zip(others.lines()).position(|(one, two)| one != two);
                let at = line.unwrap_or_else(|| mine.lines().count().min(others.lines().count()));
                let [one, two] = [&mine, &others].map(|text| text.lines().nth(at).unwrap_or("(end)"));
                panic!("{name} differs in line {}:\n  {one}\n  {two}\n{self}\n{other}", at + 1);
            }
        }
        self
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let end = |text: String| {
            let from = text.chars().count().saturating_sub(2000);
            text.chars().skip(from).collect::<String>()
        };
        let (stdout, stderr) = (end(self.stdout()), end(self.stderr()));
        write!(f, "{}: status {}\nstdout: {stdout}\nstderr: {stderr}", self.what, self.status)
    }
}
