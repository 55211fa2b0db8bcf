//! The descriptors that a stopped process has, as `/proc` lists them.

use std::fs;
use std::os::unix::ffi::OsStrExt;

use calltap_channel::Note;
use calltap_channel::note::HELD_AT_ONCE;

use super::notes::Notes;
use super::tracees::Id;

/// Notes the numbers that are open. Nothing if the directory cannot be read.
pub(crate) fn note_numbers(notes: &Notes, group: Id, tid: Id) {
    let Some(mut numbers) = numbers(tid) else { return };
    numbers.sort_unstable();
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

/// Notes each descriptor that the target was started with, with what it is.
pub(crate) fn note_given(notes: &Notes, group: Id) {
    let Some(mut numbers) = numbers(group) else { return };
    numbers.sort_unstable();
    for number in numbers {
        let target = fs::read_link(format!("/proc/{group}/fd/{number}")).unwrap_or_default();
        let arguments = [group as u64, number.into(), u64::from(closes_on_exec(group, number))];
        notes.write_with_text(Note::Given, &arguments, target.as_os_str().as_bytes());
    }
}

fn numbers(tid: Id) -> Option<Vec<u32>> {
    let entries = fs::read_dir(format!("/proc/{tid}/fd")).ok()?;
    Some(entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect())
}

/// Whether the descriptor's flags have `O_CLOEXEC` (proc(5), `fdinfo`).
fn closes_on_exec(group: Id, number: u32) -> bool {
    let info = fs::read_to_string(format!("/proc/{group}/fdinfo/{number}")).unwrap_or_default();
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:")).map(str::trim);
    let flags = flags.and_then(|flags| u64::from_str_radix(flags, 8).ok()).unwrap_or(0);
    flags & libc::O_CLOEXEC as u64 != 0
}
