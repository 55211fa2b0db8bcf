//! The session's side: asks for looks when their time has come or somebody wants one, and answers.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::sync::atomic::Ordering;
use std::thread;

use calltap_channel::note::{ON_DEMAND, PERIODIC};
use calltap_channel::segment::Segment;
use crossbeam_channel::{Receiver, Sender, unbounded};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::answer::{Seen, Wanted, text_of};
use super::request::{self, Request};
use crate::futex;

/// So many answers stay open, so that whoever asked can read them.
const KEPT: usize = 32;

/// See the module.
#[derive(Debug)]
pub struct Service {
    segment: Segment,
    tracer: Pid,
    /// Whether processes are stopped: then the tracer is asked, else the reader.
    stops: bool,
    /// Number of the last snapshot that was asked for.
    asked: u64,
    waiting: VecDeque<Request>,
    /// The tracer is gone: its number may be another process's by now.
    ended: bool,
    /// Whose turn it is.
    serving: Option<Request>,
    answers: Sender<(Request, Seen)>,
}

impl Service {
    /// For a session whose tracer runs.
    #[must_use]
    pub fn new(segment: Segment, tracer: Pid, stops: bool, wanted: Wanted) -> Self {
        let (answers, to_answer) = unbounded();
        // No scoped thread: whoever asks last must not keep the session from ending.
        thread::spawn(move || answer_all(&segment, &wanted, &to_answer));
        Self {
            segment,
            tracer,
            stops,
            asked: 0,
            waiting: VecDeque::new(),
            ended: false,
            serving: None,
            answers,
        }
    }

    /// The tracer has ended: there is nobody to ask any more.
    pub fn tracer_ended(&mut self) {
        self.ended = true;
    }

    /// It is time for a look at everything; left out if the one before is not done.
    pub fn tick(&mut self) {
        if !self.is_busy() {
            self.ask(0, PERIODIC);
        }
    }

    /// Somebody wants to know.
    pub fn wanted(&mut self, request: Request) {
        self.waiting.push_back(request);
        self.next();
    }

    /// What was asked for last is done; this was seen, if it was on demand.
    pub fn served(&mut self, seen: Option<Seen>) {
        if let Some((request, seen)) = self.serving.take().zip(seen) {
            // The thread ends only after this side has.
            let _ = self.answers.send((request, seen));
        }
        self.next();
    }

    fn next(&mut self) {
        if !self.is_busy()
            && let Some(request) = self.waiting.pop_front()
        {
            self.serving = Some(request);
            self.ask(request.pid, ON_DEMAND);
        }
    }

    /// Whether something that was asked for is not done, or nobody can be asked yet.
    fn is_busy(&self) -> bool {
        let header = self.segment.header();
        self.ended
            || header.root_pid.load(Ordering::Acquire) == 0
            || header.snapshots_done.load(Ordering::Acquire) != self.asked
    }

    fn ask(&mut self, pid: u32, occasion: u64) {
        let header = self.segment.header();
        self.asked += 1;
        header.snapshot_of.store(u64::from(pid), Ordering::Relaxed);
        header.snapshot_occasion.store(occasion, Ordering::Relaxed);
        // Release: the words above come with it.
        header.snapshots_asked.store(self.asked, Ordering::Release);
        if self.stops {
            // Fails only if it is gone, of which we hear soon.
            let _ = kill(self.tracer, Signal::SIGIO);
        } else {
            header.bell.fetch_add(1, Ordering::Release);
            futex::wake_all(&header.bell);
        }
    }
}

/// Answers one request after the other.
fn answer_all(segment: &Segment, wanted: &Wanted, to_answer: &Receiver<(Request, Seen)>) {
    let mut kept: VecDeque<OwnedFd> = VecDeque::with_capacity(KEPT);
    for (request, seen) in to_answer {
        let text = text_of(&request, seen, wanted, segment.stacks());
        // Who asks in vain is told by the clock.
        let Ok(answer) = request::answer(segment, &request, &text) else { continue };
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(answer);
    }
}
