//! What goes on beside the reading: signals, the tracer's end, a sign of life.

use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use calltap_channel::segment::Segment;
use crossbeam_channel::{Receiver, bounded, select, tick, unbounded};

use super::stream::Outcome;
use crate::session::{self, Target};
use crate::signals;
use crate::tracer::process::Process;

/// How often the target is shown that its reader lives, also while that waits for whoever reads the trace.
const SIGN_OF_LIFE: Duration = Duration::from_millis(250);

/// What the threads beside the reader share with it.
pub struct Watch {
    /// The tracer has ended: what it wrote is all there is.
    pub stop: Arc<AtomicBool>,
    /// Written by the reader: the first process has ended.
    pub root_ended: Arc<AtomicBool>,
    exited: Receiver<Option<ExitStatus>>,
}

/// Begins to watch.
#[must_use]
pub fn begin(tracer: Process, segment: Segment) -> Watch {
    let stop = Arc::new(AtomicBool::new(false));
    let root_ended = Arc::new(AtomicBool::new(false));
    let (tell_exit, exited) = bounded(1);
    let (tell_signal, arrived) = unbounded();
    let target = Target::of(tracer.pid());
    signals::listen(tell_signal);
    let watch = Watch { stop: Arc::clone(&stop), root_ended: Arc::clone(&root_ended), exited };
    thread::spawn(move || {
        let status = tracer.wait();
        // Whatever it wrote before is read first.
        stop.store(true, Ordering::Relaxed);
        crate::futex::wake_all(&segment.header().bell);
        let _ = tell_exit.send(status.ok());
    });
    thread::spawn(move || {
        let signs = tick(SIGN_OF_LIFE);
        loop {
            select! {
                recv(arrived) -> arrived => match arrived {
                    Ok(arrived) => target.hand_on(arrived, &segment, root_ended.load(Ordering::Relaxed)),
                    Err(_) => return,
                },
                recv(signs) -> _ => {
                    segment.header().heartbeat.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    });
    watch
}

impl Watch {
    /// Reading is over. Waits for the tracer, unless it stays with processes that were let go.
    ///
    /// # Errors
    /// If the tracer failed before it had told everything.
    pub fn end(&self, outcome: &Outcome) -> anyhow::Result<()> {
        if outcome.complete && outcome.status.is_none() && outcome.exec_errno.is_none() {
            return Ok(());
        }
        let detached = outcome.complete && !self.stop.load(Ordering::Relaxed);
        let status = if detached {
            self.exited.recv_timeout(SIGN_OF_LIFE).ok().flatten()
        } else {
            self.exited.recv().ok().flatten()
        };
        match status.filter(|status| !status.success()) {
            Some(failure) if !outcome.complete => session::tracer_failed(failure, outcome.exec_errno),
            _ => Ok(()),
        }
    }
}
