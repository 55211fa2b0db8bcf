//! Ctrl-C ends the runs, not the comparison: what has been measured is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crossbeam_channel::unbounded;
use nix::sys::signal::Signal;

use crate::signals;

/// Whether the user has asked for the end. A second time, calltap dies of the signal at once.
///
/// # Errors
/// If signals cannot be held back.
pub fn listen() -> nix::Result<Arc<AtomicBool>> {
    signals::hold()?;
    let (arrived, arrivals) = unbounded();
    signals::listen(arrived);
    let interrupted = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&interrupted);
    thread::spawn(move || {
        let ends =
            |signal| matches!(signal, Signal::SIGINT | Signal::SIGTERM | Signal::SIGHUP | Signal::SIGQUIT);
        for arrived in arrivals.iter().filter(|arrived| ends(arrived.signal)) {
            if asked.swap(true, Ordering::Relaxed) {
                std::process::exit(128 + arrived.signal as i32);
            }
        }
    });
    Ok(interrupted)
}
