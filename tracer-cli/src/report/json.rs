//! The report as JSON.

use std::io::{self, BufWriter, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};
use serde_json::value::Value;

use super::model::Report;

/// What is nested deeper than this stands on one line: the rows of lists of stacks. With each of its
/// fields on a line, and the indentation, a frame would take three times the room.
const INDENTED: usize = 8;

/// Writes the report as indented JSON with a line end behind it.
///
/// # Errors
/// If `out` cannot be written.
pub fn write_json(out: impl Write, report: &Report) -> io::Result<()> {
    write_outline(out, report, INDENTED)
}

/// Writes indented JSON with a line end behind it; what is nested deeper than `indented` stands on one line.
///
/// # Errors
/// If `out` cannot be written.
pub fn write_outline(out: impl Write, data: &impl Serialize, indented: usize) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 16, out);
    let outline = Outline { pretty: PrettyFormatter::new(), depth: 0, indented };
    data.serialize(&mut Serializer::with_formatter(&mut out, outline))?;
    out.write_all(b"\n")?;
    out.flush()
}

/// The report as a value in which conditions look up numbers: without the frames of stacks, of which
/// there may be millions.
///
/// # Errors
/// If the report cannot be put into JSON, which would be a bug.
pub fn for_conditions(report: &Report) -> serde_json::Result<Value> {
    let mut report = report.clone();
    for process in &mut report.processes {
        if let Some(heap) = &mut process.heap {
            heap.still_allocated.by_stack.iter_mut().for_each(|leak| leak.stack.frames.clear());
        }
    }
    serde_json::to_value(report)
}

/// Indents what is not too deep.
struct Outline<'a> {
    pretty: PrettyFormatter<'a>,
    depth: usize,
    indented: usize,
}

impl Outline<'_> {
    fn is_indented(&self) -> bool {
        self.depth <= self.indented
    }
}

/// Goes to one of the two formatters.
macro_rules! by_depth {
    ($self:ident.$call:ident($($argument:expr),*)) => {
        if $self.is_indented() {
            $self.pretty.$call($($argument),*)
        } else {
            CompactFormatter.$call($($argument),*)
        }
    };
}

impl Formatter for Outline<'_> {
    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.depth += 1;
        by_depth!(self.begin_array(out))
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        let ended = by_depth!(self.end_array(out));
        self.depth -= 1;
        ended
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        by_depth!(self.begin_array_value(out, first))
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        by_depth!(self.end_array_value(out))
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.depth += 1;
        by_depth!(self.begin_object(out))
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        let ended = by_depth!(self.end_object(out));
        self.depth -= 1;
        ended
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        by_depth!(self.begin_object_key(out, first))
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        by_depth!(self.begin_object_value(out))
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        by_depth!(self.end_object_value(out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_stacks_are_on_one_line_and_nothing_is_lost() {
        let report = Report::example();
        let mut written = Vec::new();
        write_json(&mut written, &report).unwrap();
        assert_eq!(
            serde_json::from_slice::<Value>(&written).unwrap(),
            serde_json::to_value(&report).unwrap()
        );
        let text = String::from_utf8(written).unwrap();
        assert!(text.starts_with("{\n  \"schema_version\": 1,\n  \"tool\": {\n    \"name\""), "{text}");
        assert!(text.ends_with("\n  }\n}\n"), "{text}");
        assert!(text.contains("\"frames\": [{\"function\":\"\",\"file\":\"\",\"line\":0,"), "{text}");
    }

    #[test]
    fn conditions_need_no_frames() {
        let value = for_conditions(&Report::example()).unwrap();
        let leak = &value["processes"][0]["heap"]["still_allocated"]["by_stack"][0];
        assert_eq!((leak["bytes"].as_u64(), leak["stack"]["frames"].as_array().unwrap().len()), (Some(0), 0));
    }

    #[test]
    fn a_full_disk_is_an_error() {
        let mut full = [0_u8; 16];
        assert!(write_json(full.as_mut_slice(), &Report::default()).is_err());
    }
}
