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
    /// Whether the reader has not told yet that it is done. What the segment says does not count: the reader is
    /// heard only later, and whoever asked anew in between would take that message for the end of the new one.
    is_pending: bool,
    waiting: VecDeque<Request>,
    /// The tracer is gone: its number may be another process's by now.
    ended: bool,
    /// Whose turn it is.
    serving: Option<Request>,
    answers: Sender<(Request, Seen)>,
    /// What the thread that answers needs; it is started when there is something to answer.
    unstarted: Option<(Receiver<(Request, Seen)>, Wanted)>,
}

impl Service {
    /// For a session whose tracer runs.
    #[must_use]
    pub fn new(segment: Segment, tracer: Pid, stops: bool, wanted: Wanted) -> Self {
        let (answers, to_answer) = unbounded();
        Self {
            segment,
            tracer,
            stops,
            asked: 0,
            is_pending: false,
            waiting: VecDeque::new(),
            ended: false,
            serving: None,
            answers,
            unstarted: Some((to_answer, wanted)),
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

    /// Time has passed: whoever asked before anybody could be asked has its turn.
    pub fn go_on(&mut self) {
        self.next();
    }

    /// Number `done` is done; this was seen, if it was on demand.
    pub fn served(&mut self, done: u64, seen: Option<Seen>) {
        // Another one is nobody's.
        if done != self.asked {
            return;
        }
        self.is_pending = false;
        if let Some((request, seen)) = self.serving.take().zip(seen) {
            if let Some((to_answer, wanted)) = self.unstarted.take() {
                let segment = self.segment;
                // No scoped thread: whoever asks last must not keep the session from ending.
                thread::spawn(move || answer_all(&segment, &wanted, &to_answer));
            }
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
        let header = self.segment.inner();
        self.ended || self.is_pending || header.root_pid.load(Ordering::Acquire) == 0
    }

    fn ask(&mut self, pid: u32, occasion: u64) {
        let header = self.segment.inner();
        self.asked += 1;
        self.is_pending = true;
        header.snapshot_of.store(u64::from(pid), Ordering::Relaxed);
        header.snapshot_occasion.store(occasion, Ordering::Relaxed);
        // Release: the words above come with it.
        header.snapshots_asked.store(self.asked, Ordering::Release);
        if self.stops {
            // Fails only if it is gone, of which we hear soon.
            let _ = kill(self.tracer, Signal::SIGIO);
        } else {
            let bell = &self.segment.header().bell;
            bell.fetch_add(1, Ordering::Release);
            futex::wake_all(bell);
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

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use calltap_channel::segment::Layout;

    use super::*;
    use crate::cli::Format;
    use crate::report::View;
    use crate::segment_file::SegmentFile;
    use crate::symbols::Symbols;

    fn seen() -> Seen {
        Seen { symbols: Symbols::new(Vec::new()), at_ns: 0, processes: Vec::new() }
    }

    /// The reader is done with what the clock asked for, and somebody asks before we hear of that.
    #[test]
    fn who_asks_while_a_periodic_look_ends_is_answered() {
        let file = SegmentFile::create(Layout::new(2, 1 << 14).unwrap()).unwrap();
        let header = file.segment().inner();
        header.root_pid.store(u64::from(std::process::id()), Ordering::Release);
        let wanted = Wanted { command: Vec::new(), view: View::default(), depth: 0 };
        let mut service = Service::new(file.segment(), Pid::this(), false, wanted);
        service.tick();
        assert_eq!(header.snapshots_asked.load(Ordering::Relaxed), 1);
        header.snapshots_done.store(1, Ordering::Release);
        let request = Request { number: 0xfeed_0003, pid: 0, format: Format::Text };
        service.wanted(request);
        service.tick();
        assert_eq!(header.snapshots_asked.load(Ordering::Relaxed), 1, "the first is not told of yet");
        service.served(1, None);
        assert_eq!(header.snapshots_asked.load(Ordering::Relaxed), 2);
        assert_eq!(header.snapshot_occasion.load(Ordering::Relaxed), ON_DEMAND);
        // Not what was asked for last.
        service.served(7, Some(seen()));
        service.served(2, Some(seen()));
        let began = Instant::now();
        while request::find_answer(std::process::id(), &request).unwrap().is_none() {
            assert!(began.elapsed() < Duration::from_secs(60), "nobody answers");
            thread::yield_now();
        }
    }

    #[test]
    fn who_asks_before_the_program_runs_is_answered_when_it_does() {
        let file = SegmentFile::create(Layout::new(2, 1 << 14).unwrap()).unwrap();
        let header = file.segment().inner();
        let wanted = Wanted { command: Vec::new(), view: View::default(), depth: 0 };
        let mut service = Service::new(file.segment(), Pid::this(), false, wanted);
        service.wanted(Request { number: 0xfeed_0004, pid: 0, format: Format::Text });
        service.go_on();
        assert_eq!(header.snapshots_asked.load(Ordering::Relaxed), 0);
        header.root_pid.store(1, Ordering::Release);
        service.go_on();
        assert_eq!(header.snapshots_asked.load(Ordering::Relaxed), 1);
    }
}
