//! What a session found, as data, as JSON and as text.

use std::io::{self, Write};

pub mod build;
mod example;
pub mod model;
pub mod text;
mod units;
mod verdict;

use model::Report;

/// Writes the report as indented JSON with a line end behind it.
///
/// # Errors
/// If `out` cannot be written.
pub fn write_json(out: &mut impl Write, report: &Report) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, report)?;
    out.write_all(b"\n")
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn a_full_disk_is_an_error() {
        let mut full = [0_u8; 16];
        assert!(write_json(&mut full.as_mut_slice(), &Report::default()).is_err());
    }
}
