//! Maps of reports, read back as XML.

use quick_xml::Reader;
use quick_xml::events::Event;

use super::*;
use crate::report::model::{Arena, Cells, LastLook, Look, Strip};

/// Names of elements, and texts.
fn read(map: &[u8]) -> (Vec<String>, Vec<String>) {
    let mut reader = Reader::from_reader(map);
    let (mut names, mut texts) = (Vec::new(), Vec::new());
    let mut open = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => open.push(start.name().as_ref().to_vec()),
            Event::End(end) => assert_eq!(open.pop().as_deref(), Some(end.name().as_ref())),
            Event::Empty(empty) => names.push(String::from_utf8(empty.name().as_ref().to_vec()).unwrap()),
            Event::Text(text) => texts.push(text.decode().unwrap().into_owned()),
            Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(open, [] as [Vec<u8>; 0], "all elements are closed");
    (names, texts)
}

fn map(report: &Report, form: Form) -> String {
    let mut out = Vec::new();
    write_map(report, &View::default(), form, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn looked_at(pid: u32, looks: usize) -> Process {
    let strip = Strip {
        start: 0x7f00_0000_0000,
        end: 0x7f00_0000_4000,
        arena: 0x7f00_0000_0030,
        cells: Cells {
            live_bytes: vec![4096, 0, 64, 0],
            tcache_bytes: vec![0, 0, 32, 0],
            free_bytes: vec![0, 4096, 4000, 0],
            untouched_bytes: vec![0, 0, 0, 4096],
        },
    };
    let last = LastLook {
        arenas: vec![Arena { address: strip.arena, attached_threads: Some(0), ..Arena::default() }],
        strips: vec![strip],
        ..LastLook::default()
    };
    let look = |at| Look { at_ns: at, requested_bytes: at, system_bytes: 2 * at, ..Look::default() };
    let looks = (0..looks as u64).map(look).collect();
    let command = vec!["./a<b>&c\u{1}".to_owned()];
    Process { pid, command, arenas: Some(Arenas { looks, last }), ..Process::default() }
}

#[test]
fn a_strip_has_a_label_a_tooltip_and_a_layer_for_each_kind() {
    let report = Report { processes: vec![looked_at(7, 1)], ..Report::default() };
    let map = map(&report, Form::Svg);
    let (names, texts) = read(map.as_bytes());
    let told = |part: &str| texts.iter().any(|text| text.contains(part));
    assert!(told("orphan 0x7f0000000030"), "{texts:?}");
    assert!(told("16.4 kB, 8.13 kB free"), "{texts:?}");
    assert!(told("4.16 kB living (25%)"), "{texts:?}");
    assert!(!names.contains(&"polyline".to_owned()), "one look makes no series");
    // The middle column has its three pixels, however little there is in it.
    let width = names.iter().filter(|name| *name == "path").count();
    assert_eq!(width, 4, "the legend's marker, and three layers: {map}");
    assert!(map.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""));
}

#[test]
fn several_looks_make_a_time_series() {
    let report = Report { processes: vec![looked_at(7, 3)], ..Report::default() };
    let (names, texts) = read(map(&report, Form::Svg).as_bytes());
    assert_eq!(names.iter().filter(|name| *name == "polyline").count(), 3);
    assert!(texts.iter().any(|text| text == "requested"));
}

#[test]
fn a_page_fetches_nothing_and_escapes_what_programs_are_called() {
    let report = Report { processes: vec![looked_at(7, 2)], ..Report::default() };
    let page = map(&report, Form::Html);
    assert!(page.starts_with("<!DOCTYPE html>"), "{page}");
    assert!(page.contains("process 7: ./a&lt;b&gt;&amp;c "), "{page}");
    assert!(page.contains("<pre>process 7:"), "{page}");
    assert!(!page.contains("<script") && !page.contains("src=") && !page.contains("href="), "{page}");
}

#[test]
fn the_processes_with_most_memory_are_drawn() {
    let mut processes: Vec<_> = (0..20).map(|pid| looked_at(pid, 1)).collect();
    let large = processes[15].arenas.as_mut().unwrap();
    large.last.ledger.anonymous_bytes = 1 << 30;
    let (_, texts) = read(map(&Report { processes, ..Report::default() }, Form::Svg).as_bytes());
    assert!(texts.iter().any(|text| text.starts_with("process 15: ")), "{texts:?}");
    assert!(texts.iter().any(|text| text.ends_with("with less memory: 12")), "{texts:?}");
}

#[test]
fn an_empty_report_and_a_full_disk_are_told() {
    let (_, texts) = read(map(&Report::default(), Form::Svg).as_bytes());
    assert!(texts.iter().any(|text| text == "nobody has looked at the memory of a process"));
    let mut full = [0_u8; 64];
    assert!(write_map(&Report::default(), &View::default(), Form::Svg, full.as_mut_slice()).is_err());
}
