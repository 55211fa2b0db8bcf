//! `calltap snapshot`: where the memory of a program under calltap is, now.

pub mod answer;
pub mod find;
pub mod request;
pub mod service;

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use calltap_channel::segment::{READER_GONE, Segment};

use self::find::Found;
use self::request::{Request, find_answer};
use crate::cli::Snapshot;
use crate::{futex, output_file, segment_file};

/// A session that is alive answers within this time, or something is wrong with it.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often to look whether the session is alive.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Asks the session, and prints what it answers.
///
/// # Errors
/// If there is no such session, it ends before it has answered, or the answer cannot be written.
pub fn run(options: &Snapshot) -> anyhow::Result<ExitCode> {
    let mut file = match &options.output {
        Some(path) => {
            let shown = path.display();
            let file = output_file::create(path).with_context(|| {
                format!("cannot write to {shown}\nhint: the directory must exist and be writable")
            })?;
            Some(file)
        }
        None => None,
    };
    let Found { session, segment, wanted } = find::session(options.pid)?;
    let segment = open(session, &segment)?;
    let request = Request { number: segment_file::new_tag()?, pid: wanted, format: options.format };
    ask(session, &segment, request)?;
    let text = match await_answer(session, &segment, request)? {
        Ok(text) => text,
        Err(reason) => bail!(
            "{reason}\nhint: programs without the interposer (statically linked, say) have nothing to tell"
        ),
    };
    let written = match &mut file {
        Some(file) => file.write_all(text.as_bytes()),
        None => io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush()),
    };
    written
        .context("the answer could not be written\nhint: make room there, or name another file with -o")?;
    Ok(ExitCode::SUCCESS)
}

fn open(session: u32, path: &std::path::Path) -> anyhow::Result<Segment> {
    let opened = File::options().read(true).write(true).open(path);
    let file = opened.with_context(|| {
        format!("cannot open the segment of session {session}\nhint: run this as the user who started it")
    })?;
    // What another user calls a segment may lead us to write where only we may.
    let theirs = file.metadata().is_ok_and(|metadata| metadata.uid() != nix::unistd::geteuid().as_raw());
    anyhow::ensure!(
        !theirs,
        "session {session} is another user's\nhint: run this as the user who started it (sudo -u, runuser -u)"
    );
    segment_file::open(file.into()).with_context(|| {
        format!("cannot use the segment of session {session}\nhint: use the same calltap as for the session")
    })
}

/// Puts a request into the session's pipe.
fn ask(session: u32, segment: &Segment, request: Request) -> anyhow::Result<()> {
    let Some(descriptor) = segment.header().requests.load(Ordering::Acquire).checked_sub(1) else {
        bail!("session {session} does not take requests yet\nhint: it has just begun; try again");
    };
    // A pipe takes so few bytes whole or not at all.
    open_pipe(&format!("/proc/{session}/fd/{descriptor}"))
        .and_then(|mut pipe| pipe.write_all(&request.to_bytes()))
        .with_context(|| {
            format!(
                "cannot ask session {session}\nhint: it is ending, or too many ask at one time; try again"
            )
        })
}

/// Opens a pipe without a name to write to, and nothing else: the target can write the descriptor's number as well.
fn open_pipe(path: &str) -> io::Result<File> {
    let place = File::options().read(true).custom_flags(libc::O_PATH).open(path)?;
    let own = format!("/proc/self/fd/{}", place.as_raw_fd());
    if !std::fs::read_link(&own)?.as_os_str().as_bytes().starts_with(b"pipe:[") {
        return Err(io::Error::other("what it names is no pipe"));
    }
    File::options().write(true).custom_flags(libc::O_NONBLOCK).open(own)
}

/// Waits until the answer is there; never longer than the session lives.
fn await_answer(session: u32, segment: &Segment, request: Request) -> anyhow::Result<Result<String, String>> {
    let header = segment.header();
    let began = Instant::now();
    loop {
        // Acquire, before the looks below: an answer after them makes the futex return at once.
        let bell = header.answers.load(Ordering::Acquire);
        let gone = header.reader.load(Ordering::Acquire) == READER_GONE;
        match find_answer(session, &request) {
            Ok(Some(answer)) => return Ok(answer),
            Ok(None) if !gone => {}
            Ok(None) | Err(_) => bail!(
                "session {session} ended before it answered\nhint: its own report tells of the end of the program"
            ),
        }
        if began.elapsed() >= PATIENCE {
            bail!(
                "session {session} has not answered for {} seconds\n\
                 hint: it is stopped (see ps), or starved of processor time",
                PATIENCE.as_secs()
            );
        }
        futex::wait(&header.answers, bell, LOOK_AGAIN);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_pipe_is_asked() {
        let file = tempfile::tempfile().unwrap();
        let (reading, writing) = nix::unistd::pipe().unwrap();
        let path = |descriptor| format!("/proc/self/fd/{descriptor}");
        let error = open_pipe(&path(file.as_raw_fd())).unwrap_err();
        assert_eq!(error.to_string(), "what it names is no pipe");
        assert!(open_pipe(&path(writing.as_raw_fd())).is_ok());
        drop(reading);
    }
}
