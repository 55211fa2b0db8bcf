//! Faults put in on purpose: whatever happens to calltap, to the target, to the memory that they share, or to the
//! machine around them, nothing hangs, nobody is left behind, and what is not right is not told as if it were.

mod cache;
mod clocks;
mod crowds;
mod disk;
pub(crate) mod left;
mod moments;
mod scribbles;
mod stops;
mod streams;

/// How often something is done: `CALLTAP_STORY_RUNS`, or `usually`.
fn runs(usually: u64) -> u64 {
    let runs = std::env::var("CALLTAP_STORY_RUNS").ok();
    runs.map_or(usually, |runs| runs.parse().expect("CALLTAP_STORY_RUNS is a number"))
}

/// Does something with each number below `count`, four at a time.
fn at_once(count: u64, each: impl Fn(u64) + Sync) {
    let next = std::sync::atomic::AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    if number >= count {
                        break;
                    }
                    each(number);
                }
            });
        }
    });
}
