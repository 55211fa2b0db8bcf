//! The progress bar of a comparison, with the time that is left.

use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar on stderr, if that is a terminal.
#[derive(Debug)]
pub struct Bar {
    bar: ProgressBar,
    began: Instant,
    /// Time spent on runs that are done, by whether they were tapped, and how many there were.
    spent: [(Duration, u32); 2],
}

impl Bar {
    /// Of `runs` runs. A quiet one is never drawn.
    #[must_use]
    pub fn new(runs: usize, quiet: bool) -> Self {
        let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr_with_hz(4) };
        let bar = ProgressBar::with_draw_target(Some(runs as u64), target);
        // The template is a constant; an error would be a bug that every comparison shows.
        if let Ok(style) = ProgressStyle::with_template("calltap [{elapsed}] {bar:30} {pos}/{len} runs{msg}")
        {
            bar.set_style(style);
        }
        Self { bar, began: Instant::now(), spent: [(Duration::ZERO, 0); 2] }
    }

    /// A run of `variant` begins; `left` are those that are still to be made, it included: untapped and tapped.
    pub fn begin(&mut self, variant: &str, tapped: bool, left: [u32; 2]) {
        let how = if tapped { " (tapped)" } else { "" };
        let remaining = self.remaining(left).map(|time| format!(", {} left", HumanDuration(time)));
        self.bar.set_message(format!(": {variant}{how}{}", remaining.unwrap_or_default()));
        self.bar.tick();
        self.began = Instant::now();
    }

    /// It has ended.
    pub fn end(&mut self, tapped: bool) {
        let (time, runs) = &mut self.spent[usize::from(tapped)];
        *time += self.began.elapsed();
        *runs += 1;
        self.bar.inc(1);
    }

    /// Takes the bar away.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }

    /// By the mean of runs of the same kind; None as long as one kind is unknown.
    fn remaining(&self, left: [u32; 2]) -> Option<Duration> {
        let time = |kind: usize| {
            let (time, runs) = self.spent[kind];
            (runs > 0).then(|| time / runs * left[kind]).or((left[kind] == 0).then_some(Duration::ZERO))
        };
        Some(time(0)? + time(1)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_known_by_runs_of_its_kind() {
        let mut bar = Bar::new(10, true);
        assert_eq!(bar.remaining([5, 5]), None);
        bar.spent[0] = (Duration::from_secs(4), 2);
        assert_eq!(bar.remaining([5, 5]), None);
        assert_eq!(bar.remaining([5, 0]), Some(Duration::from_secs(10)));
        bar.spent[1] = (Duration::from_secs(9), 3);
        assert_eq!(bar.remaining([5, 2]), Some(Duration::from_secs(16)));
    }
}
