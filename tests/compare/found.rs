//! Reading the JSON of a comparison as a user's script would.

use serde_json::Value;

use crate::launch::{Launch, compared};
use crate::outcome::Outcome;

/// What a comparison found.
pub(crate) struct Found(Outcome);

/// Runs a comparison with these options, which succeeds.
pub(crate) fn compare(options: &[&str], command: &[&str]) -> Found {
    compare_in(compared(), options, command)
}

/// The same in these surroundings.
pub(crate) fn compare_in(launch: Launch, options: &[&str], command: &[&str]) -> Found {
    let outcome = launch.options(options).run(command[0], &command[1..]);
    Found(outcome.expect_status(0))
}

impl Found {
    /// What lies at a JSON pointer; it must be there.
    pub(crate) fn at(&self, pointer: &str) -> &Value {
        self.0.report().at(pointer)
    }

    /// Names of all variants, the last of them the baseline's second series.
    pub(crate) fn labels(&self) -> Vec<&str> {
        self.variants().iter().map(|variant| variant["label"].as_str().expect("a name")).collect()
    }

    pub(crate) fn variants(&self) -> &[Value] {
        self.at("/variants").as_array().expect("a list")
    }

    /// The variant of this name.
    pub(crate) fn variant(&self, label: &str) -> &Value {
        &self.variants()[self.place(label)]
    }

    /// Why a variant failed.
    pub(crate) fn failure(&self, label: &str) -> Option<&str> {
        self.variant(label)["failure"].as_str()
    }

    /// A figure by its name.
    pub(crate) fn figure(&self, name: &str) -> Figure<'_> {
        let figures = self.at("/figures").as_array().expect("a list");
        let figure = figures.iter().find(|figure| figure["name"] == name);
        Figure { found: self, value: figure.unwrap_or_else(|| panic!("no {name}: {}", self.0)) }
    }

    /// All figures.
    pub(crate) fn figures(&self) -> impl Iterator<Item = Figure<'_>> {
        let figures = self.at("/figures").as_array().expect("a list");
        figures.iter().map(|value| Figure { found: self, value })
    }

    fn place(&self, label: &str) -> usize {
        let place = self.labels().iter().position(|name| *name == label);
        place.unwrap_or_else(|| panic!("no variant {label}: {:?}", self.labels()))
    }
}

/// A figure of all variants.
pub(crate) struct Figure<'a> {
    found: &'a Found,
    pub(crate) value: &'a Value,
}

impl Figure<'_> {
    /// The median of a variant's rounds.
    pub(crate) fn median(&self, label: &str) -> f64 {
        let estimate = &self.value["estimates"][self.found.place(label)];
        estimate["median"].as_f64().unwrap_or_else(|| panic!("no {label} in {:#}", self.value))
    }

    /// What is said of a variant's difference from the first one: `lower`, `higher`, ...
    pub(crate) fn verdict(&self, label: &str) -> &str {
        let difference = &self.value["differences"][self.found.place(label)];
        difference["verdict"].as_str().unwrap_or_else(|| panic!("no {label} in {:#}", self.value))
    }

    /// Names of the variants that have the least.
    pub(crate) fn leaders(&self) -> Vec<&str> {
        let places = self.value["leaders"].as_array().expect("a list");
        places.iter().map(|place| self.found.labels()[place.as_u64().expect("a place") as usize]).collect()
    }

    /// Expects that a variant differs from the first one in this way, and that the interval has no zero in it.
    pub(crate) fn expect(&self, label: &str, verdict: &str) {
        let difference = &self.value["differences"][self.found.place(label)];
        assert_eq!(self.verdict(label), verdict, "{:#}", self.value);
        let [low, high] = ["low", "high"].map(|end| difference[end].as_f64().expect("a number"));
        assert!(low * high > 0.0, "{label}: {low} to {high}");
    }
}
