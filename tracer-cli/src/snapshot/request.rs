//! What `calltap snapshot` and a session that runs tell each other.
//!
//! There is no name in the file system, and no socket that a namespace could hide: the session's segment
//! is found among its descriptors in `/proc`, where the kernel checks who may look. Requests go through a
//! pipe of the session that is opened there too, and each answer is a memfd of the session, whose name
//! has the request's number.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::sync::atomic::Ordering;
use std::thread;

use calltap_channel::segment::Segment;
use crossbeam_channel::Sender;
use nix::fcntl::OFlag;
use nix::sys::memfd::{MFdFlags, memfd_create};

use crate::cli::Format;
use crate::futex;

/// Bytes of a request: no more than a pipe takes at once, so that those of several do not mix.
const REQUEST_BYTES: usize = 24;
/// Bytes before an answer's text: its length, and whether it is one.
const HEADER_BYTES: u64 = 16;

/// What somebody wants to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Random, so that every answer finds its request.
    pub number: u64,
    /// The process to look at; 0: every tapped one.
    pub pid: u32,
    /// The form of the answer.
    pub format: Format,
}

impl Request {
    /// As it goes through the pipe.
    #[must_use]
    pub fn to_bytes(self) -> [u8; REQUEST_BYTES] {
        let mut bytes = [0; REQUEST_BYTES];
        bytes[..8].copy_from_slice(&self.number.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.pid.to_le_bytes());
        bytes[16] = u8::from(self.format == Format::Json);
        bytes
    }

    fn from_bytes(bytes: &[u8; REQUEST_BYTES]) -> Self {
        let [a, b, c, d, e, f, g, h, i, j, k, l, ..] = *bytes;
        Self {
            number: u64::from_le_bytes([a, b, c, d, e, f, g, h]),
            pid: u32::from_le_bytes([i, j, k, l]),
            format: if bytes[16] == 1 { Format::Json } else { Format::Text },
        }
    }

    /// What `/proc` shows of the memfd that has the answer.
    #[must_use]
    pub fn link(&self) -> String {
        format!("/memfd:{} (deleted)", self.name())
    }

    fn name(&self) -> String {
        format!("calltap-answer-{:016x}", self.number)
    }
}

/// Tells of every request, from a thread of its own, for the rest of the process's life.
///
/// # Errors
/// If there is no descriptor or thread to be had.
pub fn listen(segment: Segment, to: Sender<Request>) -> io::Result<()> {
    let (requests, keep_open) = nix::unistd::pipe2(OFlag::O_CLOEXEC)?;
    let descriptor = keep_open.as_raw_fd();
    let mut requests = File::from(requests);
    thread::Builder::new().name("requests".into()).spawn(move || {
        // Without a writer the pipe would be at its end.
        let _keep_open = keep_open;
        let mut bytes = [0; REQUEST_BYTES];
        while requests.read_exact(&mut bytes).is_ok() && to.send(Request::from_bytes(&bytes)).is_ok() {}
    })?;
    segment.header().requests.store(descriptor as u32 + 1, Ordering::Release);
    Ok(())
}

/// Makes an answer that the asker can open as long as the returned descriptor is.
///
/// # Errors
/// If there is no descriptor or memory to be had.
pub fn answer(segment: &Segment, request: &Request, answer: &Result<String, String>) -> io::Result<OwnedFd> {
    let name = std::ffi::CString::new(request.name())?;
    let file = File::from(memfd_create(name.as_c_str(), MFdFlags::MFD_CLOEXEC)?);
    let text = answer.as_ref().unwrap_or_else(|reason| reason);
    file.write_all_at(text.as_bytes(), HEADER_BYTES)?;
    file.write_all_at(&[u8::from(answer.is_err())], 8)?;
    // Its length last: it says that all is there.
    file.write_all_at(&(text.len() as u64 + HEADER_BYTES).to_le_bytes(), 0)?;
    let bell = &segment.header().answers;
    bell.fetch_add(1, Ordering::Release);
    futex::wake_all(bell);
    Ok(file.into())
}

/// The answer of process `session` to a request, if it is there.
///
/// # Errors
/// If the session's descriptors cannot be looked at: it is gone.
pub fn find_answer(session: u32, request: &Request) -> io::Result<Option<Result<String, String>>> {
    let Some(descriptor) = super::find::descriptor(session, &request.link())? else { return Ok(None) };
    let bytes = fs::read(descriptor)?;
    let Some((header, text)) = bytes.split_at_checked(HEADER_BYTES as usize) else { return Ok(None) };
    if header[..8] != (bytes.len() as u64).to_le_bytes() {
        return Ok(None);
    }
    let text = String::from_utf8_lossy(text).into_owned();
    Ok(Some(if header[8] == 0 { Ok(text) } else { Err(text) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_as_it_was_written() {
        for format in [Format::Text, Format::Json] {
            let request = Request { number: u64::MAX - 7, pid: 4_000_000, format };
            assert_eq!(Request::from_bytes(&request.to_bytes()), request);
        }
    }

    #[test]
    fn an_answer_is_found_by_its_request_alone() {
        let layout = calltap_channel::segment::Layout::new(2, 1 << 14).unwrap();
        let file = crate::segment_file::SegmentFile::create(layout).unwrap();
        let request = |number| Request { number, pid: 0, format: Format::Text };
        let (asked, other) = (request(0xfeed_0001), request(0xfeed_0002));
        let session = std::process::id();
        assert_eq!(find_answer(session, &asked).unwrap(), None);
        let kept = answer(&file.segment(), &asked, &Ok("seen\n".into())).unwrap();
        assert_eq!(find_answer(session, &asked).unwrap(), Some(Ok("seen\n".into())));
        assert_eq!(find_answer(session, &other).unwrap(), None);
        let refused = answer(&file.segment(), &other, &Err("no".into())).unwrap();
        assert_eq!(find_answer(session, &other).unwrap(), Some(Err("no".into())));
        drop((kept, refused));
        assert_eq!(find_answer(session, &asked).unwrap(), None);
    }
}
