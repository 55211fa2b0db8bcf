//! The descriptors that a stopped process has, as `/proc` lists them.

use std::fs;
use std::path::Path;

use calltap_channel::Note;
use calltap_channel::note::HELD_AT_ONCE;

use super::notes::Notes;
use super::tracees::Id;
use crate::exit_snapshot::descriptors;

/// Notes the numbers that are open. Nothing if the directory cannot be read.
pub(crate) fn note_numbers(notes: &Notes, group: Id, tid: Id) {
    let Some(numbers) = numbers(tid) else { return };
    let mut rest = numbers.as_slice();
    // One note at least: none open is news, too.
    loop {
        let first = rest.first().copied().unwrap_or(0);
        let end = first.saturating_add(HELD_AT_ONCE as u32);
        let (now, later) = rest.split_at(rest.partition_point(|&number| number < end));
        let count = now.last().map_or(0, |last| last - first + 1);
        let mut bits = vec![0_u8; (count as usize).div_ceil(8)];
        for number in now {
            let offset = (number - first) as usize;
            bits[offset / 8] |= 1 << (offset % 8);
        }
        let more = u64::from(!later.is_empty());
        notes.write_with_text(Note::Holds, &[group as u64, first.into(), count.into(), more], &bits);
        rest = later;
        if rest.is_empty() {
            break;
        }
    }
}

/// Notes each descriptor that the target was started with, with what it is. To be called behind its exec, which has closed
/// those that close then.
pub(crate) fn note_given(notes: &Notes, group: Id) {
    let Ok(given) = descriptors::targets(Path::new(&format!("/proc/{group}"))) else { return };
    for (fd, target) in given {
        notes.write_with_text(Note::Given, &[group as u64, fd as u64], target.as_bytes());
    }
}

/// In ascending order. Numbers only: this is done at every fork and exec.
fn numbers(tid: Id) -> Option<Vec<u32>> {
    let entries = fs::read_dir(format!("/proc/{tid}/fd")).ok()?;
    let mut numbers: Vec<u32> =
        entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    numbers.sort_unstable();
    Some(numbers)
}
