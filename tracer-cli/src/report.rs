//! What a session found, as data, as JSON and as text.

pub mod build;
mod example;
mod json;
pub mod map;
pub mod model;
pub mod stacks;
mod symbols;
pub mod text;
pub(crate) mod units;
mod verdict;

pub use json::{for_conditions, write_json, write_outline};
use stacks::GroupBy;
pub use symbols::Recorded;

/// What is shown of stacks.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// What makes stacks one row. In a text None means: leaks by stack, all else by caller.
    pub group_by: Option<GroupBy>,
    /// So many rows of each list are in a text.
    pub top: usize,
    /// Frames of allocators and of what runs before `main` are shown too.
    pub raw: bool,
    /// The text has the paths that system calls named.
    pub by_path: bool,
    /// The text has the tree of processes.
    pub life: bool,
    /// All rows are wanted, not only those of a text.
    pub whole: bool,
}

impl Default for View {
    fn default() -> Self {
        Self { group_by: None, top: 10, raw: false, by_path: false, life: false, whole: true }
    }
}

#[cfg(test)]
mod tests {
    use super::model::Report;
    use super::*;

    #[test]
    fn the_fullest_and_the_emptiest_report_fit_the_schema() {
        let schema = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/report.schema.json"));
        let schema = serde_json::from_str(schema).unwrap();
        jsonschema::meta::validate(&schema).expect("the schema is one");
        let validator = jsonschema::validator_for(&schema).unwrap();
        let empty = Report { schema_version: model::SCHEMA_VERSION, ..Report::default() };
        for report in [Report::example(), empty] {
            let mut json = Vec::new();
            write_json(&mut json, &report).unwrap();
            let json = serde_json::from_slice(&json).unwrap();
            let errors: Vec<_> =
                validator.iter_errors(&json).map(|e| format!("{e} at {}", e.instance_path())).collect();
            assert_eq!(errors, [] as [String; 0]);
        }
    }

    #[test]
    fn the_schema_describes_every_field_and_the_manual_names_it() {
        let schema = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/report.schema.json"));
        let manual = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/report-json.md"));
        let mut names = Vec::new();
        collect_names(&serde_json::to_value(Report::example()).unwrap(), &mut names);
        for name in names {
            assert!(schema.contains(&format!("\"{name}\"")), "schema: {name}");
            assert!(manual.contains(&format!("`{name}`")), "manual: {name}");
        }
    }

    fn collect_names(value: &serde_json::Value, names: &mut Vec<String>) {
        if let Some(fields) = value.as_object() {
            names.extend(fields.keys().cloned());
            fields.values().for_each(|field| collect_names(field, names));
        }
        value.as_array().into_iter().flatten().for_each(|element| collect_names(element, names));
    }
}
