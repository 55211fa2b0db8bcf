//! What a program writes: read along, so that it never waits for us.

use std::collections::VecDeque;
use std::io::{PipeReader, Read};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::Context;
use crossbeam_channel::{Receiver, Sender, bounded};

/// What is left in a pipe when the program has ended is read in less; what it left running may keep it open.
const MOMENT: Duration = Duration::from_millis(500);
/// The longest part of a line that is looked at.
const LONGEST_LINE: usize = 64 * 1024;

/// What has come out of a pipe.
#[derive(Clone, Debug, Default)]
pub(super) struct Written {
    /// CRC-32 of all of it.
    pub(super) crc32: crc32fast::Hasher,
    /// How much it was.
    pub(super) bytes: u64,
    tail: VecDeque<u8>,
}

impl Written {
    fn add(&mut self, bytes: &[u8], tail_bytes: usize) {
        self.crc32.update(bytes);
        self.bytes += bytes.len() as u64;
        self.tail.extend(&bytes[bytes.len().saturating_sub(tail_bytes)..]);
        self.tail.drain(..self.tail.len().saturating_sub(tail_bytes));
    }

    /// The last part of it; what is no UTF-8 is replaced.
    pub(super) fn tail(&self) -> String {
        let tail: Vec<u8> = self.tail.iter().copied().collect();
        String::from_utf8_lossy(&tail).into_owned()
    }
}

/// Reads a pipe in a thread of its own.
#[derive(Debug)]
pub(super) struct Output {
    written: Arc<Mutex<Written>>,
    end: Receiver<()>,
}

impl Output {
    /// Begins to read. Keeps so many bytes of its end, and tells of every line to `lines`, if there is one, as long
    /// as somebody listens.
    ///
    /// # Errors
    /// If there is no thread to be had.
    pub(super) fn read(
        pipe: PipeReader,
        tail_bytes: usize,
        lines: Option<Sender<String>>,
    ) -> anyhow::Result<Self> {
        let written = Arc::new(Mutex::new(Written::default()));
        let (tell_end, end) = bounded(0);
        let shared = Arc::clone(&written);
        let read = move || {
            read_all(pipe, tail_bytes, lines, &shared);
            drop(tell_end);
        };
        thread::Builder::new().spawn(read).context("cannot start a thread\nhint: look at `ulimit -u`")?;
        Ok(Self { written, end })
    }

    /// All that the program has written. To be called when it has ended.
    pub(super) fn finish(self) -> Written {
        let _ = self.end.recv_timeout(MOMENT);
        self.written.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn read_all(
    mut pipe: PipeReader,
    tail_bytes: usize,
    lines: Option<Sender<String>>,
    written: &Mutex<Written>,
) {
    let mut buffer = vec![0; 64 * 1024];
    let mut lines = lines.map(|tell| (tell, Vec::new()));
    loop {
        let length = match pipe.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => length,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(_) => break,
        };
        written.lock().unwrap_or_else(PoisonError::into_inner).add(&buffer[..length], tail_bytes);
        if let Some((tell, line)) = &mut lines
            && !tell_lines(tell, line, &buffer[..length])
        {
            lines = None;
        }
    }
    // The last line may have no end.
    if let Some((tell, line)) = lines.filter(|(_, line)| !line.is_empty()) {
        let _ = tell.send(String::from_utf8_lossy(&line).into_owned());
    }
}

/// False if nobody listens any more.
fn tell_lines(tell: &Sender<String>, line: &mut Vec<u8>, bytes: &[u8]) -> bool {
    for part in bytes.split_inclusive(|&byte| byte == b'\n') {
        let (text, ends) = part.strip_suffix(b"\n").map_or((part, false), |text| (text, true));
        let room = LONGEST_LINE - line.len();
        line.extend(&text[..text.len().min(room)]);
        if ends {
            let whole = String::from_utf8_lossy(line).into_owned();
            line.clear();
            if tell.send(whole).is_err() {
                return false;
            }
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn all_is_summed_up_and_the_end_is_kept() {
        let mut written = Written::default();
        for part in [&b"123456789"[..], b"", b"0"] {
            written.add(part, 4);
        }
        assert_eq!((written.bytes, written.tail()), (10, "7890".to_owned()));
        assert_eq!(written.crc32.finalize(), crc32fast::hash(b"1234567890"));
    }

    #[test]
    fn lines_are_told_whole_however_they_come() {
        let (reader, mut writer) = std::io::pipe().unwrap();
        let (tell, lines) = crossbeam_channel::unbounded();
        let output = Output::read(reader, 100, Some(tell)).unwrap();
        for part in ["on", "e\ntwo\n\nthr", "ee"] {
            writer.write_all(part.as_bytes()).unwrap();
            writer.flush().unwrap();
        }
        drop(writer);
        assert_eq!(lines.iter().collect::<Vec<_>>(), ["one", "two", "", "three"]);
        assert_eq!(output.finish().bytes, 14);
    }

    #[test]
    fn a_pipe_that_stays_open_is_not_waited_for() {
        let (reader, mut writer) = std::io::pipe().unwrap();
        let (tell, lines) = crossbeam_channel::unbounded();
        let output = Output::read(reader, 100, Some(tell)).unwrap();
        writer.write_all(b"said\n").unwrap();
        assert_eq!(lines.recv().unwrap(), "said");
        assert_eq!(output.finish().tail(), "said\n");
        drop(writer);
    }
}
