//! Reading a JSON report as a user's script would.

use serde_json::Value;

/// A whole report.
pub(crate) struct Report(pub(crate) Value);

impl Report {
    pub(crate) fn parse(text: &[u8]) -> Self {
        Self(serde_json::from_slice(text).unwrap_or_else(|error| panic!("the report is no JSON: {error}")))
    }

    /// What lies at a JSON pointer; it must be there.
    pub(crate) fn at(&self, pointer: &str) -> &Value {
        self.0.pointer(pointer).unwrap_or_else(|| panic!("no {pointer} in {:#}", self.0))
    }

    /// How many records were lost in all.
    pub(crate) fn lost(&self) -> i64 {
        self.at("/lost_records").as_i64().expect("a number")
    }

    /// Expects that no record was lost, also where threads were killed in the middle of one.
    pub(crate) fn expect_nothing_lost(&self) {
        assert_eq!(self.lost(), 0, "{:#}", self.at("/lost_by_thread"));
    }

    /// A section for each program that ran.
    pub(crate) fn processes(&self) -> Vec<Process<'_>> {
        self.at("/processes").as_array().expect("an array").iter().map(Process).collect()
    }

    /// The section of the only program that ran.
    pub(crate) fn only_process(&self) -> Process<'_> {
        let processes = self.processes();
        assert_eq!(processes.len(), 1, "{:#}", self.0);
        processes[0]
    }

    /// The sections whose command contains `text`.
    pub(crate) fn processes_of(&self, text: &str) -> Vec<Process<'_>> {
        self.processes().into_iter().filter(|process| process.command().contains(text)).collect()
    }
}

/// The section of one program.
#[derive(Clone, Copy)]
pub(crate) struct Process<'a>(pub(crate) &'a Value);

impl<'a> Process<'a> {
    pub(crate) fn at(self, pointer: &str) -> &'a Value {
        self.0.pointer(pointer).unwrap_or_else(|| panic!("no {pointer} in {:#}", self.0))
    }

    pub(crate) fn number(self, pointer: &str) -> i64 {
        self.at(pointer).as_i64().unwrap_or_else(|| panic!("{pointer} is no number in {:#}", self.0))
    }

    pub(crate) fn command(self) -> String {
        self.at("/command").to_string()
    }

    /// Calls of one function.
    pub(crate) fn calls(self, function: &str) -> i64 {
        self.latencies()
            .find(|(name, _)| name == function)
            .map_or(0, |(_, row)| row["count"].as_i64().expect("a number"))
    }

    /// Failed calls of one function.
    pub(crate) fn errors(self, function: &str) -> i64 {
        self.latencies()
            .find(|(name, _)| name == function)
            .map_or(0, |(_, row)| row["errors"].as_i64().expect("a number"))
    }

    /// Calls of all functions.
    pub(crate) fn all_calls(self) -> i64 {
        self.latencies().map(|(_, row)| row["count"].as_i64().expect("a number")).sum()
    }

    fn latencies(self) -> impl Iterator<Item = (String, &'a Value)> {
        let rows = self.at("/latency").as_array().expect("an array");
        rows.iter().map(|row| (row["function"].as_str().expect("a name").to_owned(), row))
    }

    /// Blocks and bytes of the program's own that are still allocated.
    pub(crate) fn still_allocated(self) -> (i64, i64) {
        (self.number("/heap/still_allocated/blocks"), self.number("/heap/still_allocated/bytes"))
    }

    /// Descriptors still open that the program opened: number, kind, path.
    pub(crate) fn still_open(self) -> Vec<(i64, String, String)> {
        let rows = self.at("/descriptors/still_open").as_array().expect("an array");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        rows.iter()
            .map(|row| (row["fd"].as_i64().expect("a number"), text(&row["kind"]), text(&row["path"])))
            .collect()
    }
}
