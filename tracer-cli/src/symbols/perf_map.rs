//! `/tmp/perf-PID.map`: how run-times that compile at run time (Java, Node) name the code they made.
//!
//! A line has the first address and the size, both hexadecimal, then the name, which may hold spaces.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};

/// Lines above this many bytes are cut off there.
const MAX_LINE: usize = 4096;

/// Calls `found` with the index and the name of each address that a line of the map holds;
/// `addresses` ascend. Code moves and its room is used again: the last call for an address counts.
///
/// # Errors
/// If the file cannot be read.
pub(super) fn names(mut map: &File, addresses: &[u64], found: impl FnMut(usize, &str)) -> io::Result<()> {
    map.seek(SeekFrom::Start(0))?;
    names_in(BufReader::new(map), addresses, found)
}

pub(super) fn names_in(
    mut map: impl BufRead,
    addresses: &[u64],
    mut found: impl FnMut(usize, &str),
) -> io::Result<()> {
    let mut line = Vec::new();
    while map.read_until(b'\n', &mut line)? > 0 {
        line.truncate(MAX_LINE);
        if let Some((start, size, name)) = parse(&String::from_utf8_lossy(&line)) {
            let first = addresses.partition_point(|&address| address < start);
            let covered = addresses[first..].iter().take_while(|&&address| address - start < size);
            (first..).zip(covered).for_each(|(index, _)| found(index, name));
        }
        line.clear();
    }
    Ok(())
}

fn parse(line: &str) -> Option<(u64, u64, &str)> {
    let (start, rest) = line.trim().split_once(' ')?;
    let (size, name) = rest.trim_start().split_once(' ')?;
    let hexadecimal = |text: &str| u64::from_str_radix(text.trim_start_matches("0x"), 16).ok();
    Some((hexadecimal(start)?, hexadecimal(size)?, name.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_names(map: &[u8], addresses: &[u64]) -> Vec<Option<String>> {
        let mut names = vec![None; addresses.len()];
        names_in(map, addresses, |index, name| names[index] = Some(name.to_owned())).unwrap();
        names
    }

    #[test]
    fn a_name_holds_from_its_first_to_its_last_byte_and_may_hold_spaces() {
        let map = b"7f00 10 LazyCompile:*add file:///a b.js:1\n0x8000 0x8 Lcom/Main;::run\n";
        let names = all_names(map, &[0x7eff, 0x7f00, 0x7f0f, 0x7f10, 0x8007, 0x8008]);
        let (script, java) = ("LazyCompile:*add file:///a b.js:1", "Lcom/Main;::run");
        let expected = [None, Some(script), Some(script), None, Some(java), None];
        assert_eq!(names.iter().map(Option::as_deref).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn the_last_line_for_an_address_counts() {
        assert_eq!(
            all_names(b"10 10 old\n18 4 new\n", &[0x17, 0x18]),
            [Some("old".into()), Some("new".into())]
        );
    }

    #[test]
    fn lines_that_make_no_sense_are_left_out() {
        let map = b"\n10\n10 4\nzz 4 x\n10 zz x\n\xff\xfe\nffffffffffffffff ffffffffffffffff end\n10 1 good";
        assert_eq!(all_names(map, &[0x10]), [Some("good".into())]);
    }
}
