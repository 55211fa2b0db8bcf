//! A service: waited for until it is ready, worked, stopped.

use std::process::ExitStatus;
use std::time::{Duration, Instant};

use crossbeam_channel::never;
use nix::sys::signal::Signal;

use super::end::End;
use super::running::{Running, Woken};
use super::shell::{self, Shell};
use crate::compare::run::{Ending, Load};
use crate::compare::when::{When, answers};

/// How long a service has until it is ready, if there is no limit for all of its run.
const TO_BE_READY: Duration = Duration::from_secs(60);
/// How often it is asked, and looked for.
const ASKED_EVERY: Duration = Duration::from_millis(20);
/// How long it has for its end once it was told to stop.
const TO_STOP: Duration = Duration::from_secs(30);
/// How long a load generator has for its end that has lost its service, or is interrupted.
const TO_GIVE_UP: Duration = Duration::from_secs(5);

/// Why a stage of a service's run was its last.
enum Broken {
    /// It ended by itself.
    Ended(ExitStatus),
    /// There is no time left.
    OutOfTime,
    /// Somebody wants us to end.
    Interrupted,
}

impl Running<'_> {
    /// Waits until it is ready, runs the load, stops it. None if it was interrupted.
    ///
    /// # Errors
    /// If there is no process for its load, or ours get lost.
    pub(super) fn serve(mut self) -> anyhow::Result<Option<End>> {
        match self.until_ready() {
            Ok(()) => {}
            Err(Broken::Ended(status)) => return Ok(Some(self.end(status, Some(Ending::EndedEarly)))),
            Err(Broken::OutOfTime) => return self.kill(Ending::NeverReady).map(Some),
            Err(Broken::Interrupted) => return self.abort(),
        }
        self.ignore_lines();
        let ready = self.started.elapsed();
        let (load, worked) = match self.plan.load.as_deref().map(|script| self.work(script)) {
            None => (None, Ok(())),
            Some(Ok((load, worked))) => (Some(load), worked),
            Some(Err(error)) => {
                self.kill(Ending::TimedOut)?;
                return Err(error);
            }
        };
        let mut end = match worked {
            Ok(()) => self.stop()?,
            Err(Broken::Ended(status)) => self.end(status, Some(Ending::EndedEarly)),
            Err(Broken::OutOfTime) => self.kill(Ending::TimedOut)?,
            Err(Broken::Interrupted) => return self.abort(),
        };
        end.ready_ns = Some(nanoseconds(ready));
        end.load = load;
        Ok(Some(end))
    }

    fn until_ready(&mut self) -> Result<(), Broken> {
        let plan = self.plan;
        let limit = self.started + plan.time_limit.unwrap_or(TO_BE_READY);
        match plan.until.as_ref().expect("it is a service") {
            When::After(duration) => {
                let limit = plan.time_limit.unwrap_or(*duration);
                self.next_line(self.started + limit.min(*duration))?;
                if limit < *duration { Err(Broken::OutOfTime) } else { Ok(()) }
            }
            When::Says(regex) => {
                while let Some(line) = self.next_line(limit)? {
                    if regex.is_match(&line) {
                        return Ok(());
                    }
                }
                Err(Broken::OutOfTime)
            }
            When::Answers(url) => {
                while Instant::now() < limit {
                    if answers(url) {
                        return Ok(());
                    }
                    self.next_line(Instant::now() + ASKED_EVERY)?;
                }
                Err(Broken::OutOfTime)
            }
        }
    }

    /// The next line that it writes; None if there is none until then.
    fn next_line(&mut self, until: Instant) -> Result<Option<String>, Broken> {
        match self.wait(Some(until), &never::<()>(), true) {
            Woken::Line(line) => Ok(Some(line)),
            Woken::Ended(status) => Err(Broken::Ended(status)),
            Woken::Interrupted => Err(Broken::Interrupted),
            Woken::Deadline | Woken::Also(()) => Ok(None),
        }
    }

    /// Runs the load, and says what else happened meanwhile.
    fn work(&mut self, script: &str) -> anyhow::Result<(Load, Result<(), Broken>)> {
        let limit = self.plan.time_limit.map(|limit| self.started + limit);
        let shell = Shell::start(script, self.label)?;
        let ended = shell.ended.clone();
        let (in_time, worked) = match self.wait(limit, &ended, true) {
            Woken::Also(ended) => (Some(ended), Ok(())),
            Woken::Ended(status) => (ended.recv_timeout(TO_GIVE_UP).ok(), Err(Broken::Ended(status))),
            Woken::Interrupted => (ended.recv_timeout(TO_GIVE_UP).ok(), Err(Broken::Interrupted)),
            Woken::Deadline | Woken::Line(_) => (None, Err(Broken::OutOfTime)),
        };
        let (status, at) = match in_time {
            Some(ended) => ended,
            None => {
                shell.kill();
                ended.recv()?
            }
        };
        let load = Load {
            wall_ns: nanoseconds(shell.wall(at)),
            status: shell::status(status),
            output: shell.finish().tail(),
        };
        Ok((load, worked))
    }

    /// Tells it to stop and waits for its end.
    fn stop(mut self) -> anyhow::Result<End> {
        if let Woken::Ended(status) = self.wait_for_end(Duration::ZERO) {
            return Ok(self.end(status, Some(Ending::EndedEarly)));
        }
        let asked = Instant::now();
        // Its process may not be there yet, if it was ready after a very short time.
        while !self.signal(self.plan.stop.unwrap_or(Signal::SIGTERM)) && asked.elapsed() < TO_STOP {
            if let Woken::Ended(status) = self.wait_for_end(ASKED_EVERY) {
                return Ok(self.end(status, Some(Ending::EndedEarly)));
            }
        }
        match self.wait_for_end(TO_STOP.saturating_sub(asked.elapsed())) {
            Woken::Ended(status) => Ok(self.end(status, Some(Ending::Stopped))),
            _ => self.kill(Ending::TimedOut),
        }
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
