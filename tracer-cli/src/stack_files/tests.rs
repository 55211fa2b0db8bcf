//! What becomes of stacks in lines and pictures.

use super::*;

const NAMES: [&str; 4] = ["main", "parse;it", "read\nline", "server"];

fn names() -> Vec<Arc<str>> {
    NAMES.iter().map(|name| Arc::from(*name)).collect()
}

fn lines(folding: Folding) -> String {
    let mut out = Vec::new();
    folding.finish(&names()).write(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn stacks_are_added_up_outermost_first() {
    let mut folding = Folding::new(StackValue::Leaked);
    let stack = || [NameId(2), NameId(1), NameId(0)].into_iter();
    folding.add(None, stack(), Some(StackEnd::Outermost), 5);
    folding.add(None, stack(), Some(StackEnd::Outermost), 7);
    folding.add(None, [NameId(0)].into_iter(), None, 1);
    assert_eq!(lines(folding), "main 1\nmain;parse:it;read line 12\n");
}

#[test]
fn processes_and_missing_callers_are_frames() {
    let mut folding = Folding::new(StackValue::Peak);
    folding.add(Some(NameId(3)), [NameId(1)].into_iter(), Some(StackEnd::Depth), 2);
    folding.add(Some(NameId(3)), [NameId(1)].into_iter(), Some(StackEnd::Lost), 3);
    folding.add(None, [].into_iter(), None, 4);
    assert_eq!(
        lines(folding),
        "server;[deeper than --stack-depth];parse:it 2\nserver;[no unwind table];parse:it 3\nunknown 4\n"
    );
}

#[test]
fn the_picture_says_what_it_shows() {
    let mut folding = Folding::new(StackValue::Allocations);
    folding.add(None, [NameId(1), NameId(0)].into_iter(), Some(StackEnd::Outermost), 1500);
    let mut svg = Vec::new();
    folding.finish(&names()).write_flamegraph("./server <x>", &mut svg).unwrap();
    let svg = String::from_utf8(svg).unwrap();
    assert!(svg.contains("<svg"), "{svg}");
    assert!(svg.contains("Allocations: ./server &lt;x&gt;"), "{svg}");
    assert!(svg.contains("parse:it (1,500 allocations, 100.00%)"), "{svg}");
}

#[test]
fn nothing_makes_an_empty_picture() {
    let folded = Folding::new(StackValue::Descriptors).finish(&names());
    let (mut svg, mut text) = (Vec::new(), Vec::new());
    folded.write_flamegraph("a<b", &mut svg).unwrap();
    folded.write(&mut text).unwrap();
    let svg = String::from_utf8(svg).unwrap();
    assert!(svg.starts_with("<svg") && svg.contains("Descriptors still open: a&lt;b: none"), "{svg}");
    assert!(text.is_empty());
}

#[test]
fn a_full_disk_is_an_error() {
    let mut folding = Folding::new(StackValue::Leaked);
    folding.add(None, [NameId(0)].into_iter(), None, 1);
    let folded = folding.finish(&names());
    assert!(folded.write([0_u8; 3].as_mut_slice()).is_err());
    assert!(folded.write_flamegraph("x", [0_u8; 30].as_mut_slice()).is_err());
}
