//! How long an input keeps the processor busy. Others may be at work beside us, so the clock on the wall tells little.

use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

/// Processor time of a thread or of all, so far.
pub fn time(of: UsageWho) -> Duration {
    let usage = getrusage(of).expect("always known");
    let time = |time: TimeVal| {
        Duration::from_secs(time.tv_sec() as u64) + Duration::from_micros(time.tv_usec() as u64)
    };
    time(usage.user_time()) + time(usage.system_time())
}
