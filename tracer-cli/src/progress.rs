//! The progress line on a terminal while a long program runs.

use std::time::Duration;

use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::reader::Progress;
use crate::report::units::plural;

/// A program that ends before this has no progress line.
const PATIENCE: Duration = Duration::from_secs(1);

/// A line on stderr, if that is a terminal.
#[derive(Debug)]
pub struct ProgressLine {
    bar: ProgressBar,
    began: std::time::Instant,
}

impl ProgressLine {
    /// Nothing is drawn yet. A quiet line never is.
    #[must_use]
    pub fn new(quiet: bool) -> Self {
        let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr_with_hz(4) };
        let bar = ProgressBar::with_draw_target(None, target);
        // The template is a constant; an error would be a bug that every run shows.
        if let Ok(style) = ProgressStyle::with_template("calltap [{elapsed}] {msg}") {
            bar.set_style(style);
        }
        Self { bar, began: std::time::Instant::now() }
    }

    /// Shows how far the program is.
    pub fn show(&self, progress: &Progress) {
        if self.began.elapsed() < PATIENCE {
            return;
        }
        self.bar.set_message(told(progress));
        self.bar.tick();
    }

    /// Shows how many places in the code have got names.
    pub fn show_symbols(&self, done: usize, all: usize) {
        if self.began.elapsed() < PATIENCE {
            return;
        }
        let (done, all) = (HumanCount(done as u64), HumanCount(all as u64));
        self.bar.set_message(format!("names for stacks: {done} of {all} addresses"));
        self.bar.tick();
    }

    /// Takes the line away.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

fn told(progress: &Progress) -> String {
    let growing = match progress.growing {
        0 => String::new(),
        places => format!(
            ", growing at {} (fastest {:.1} a minute)",
            plural(places, "place"),
            progress.fastest_per_second * 60.0
        ),
    };
    format!(
        "{} events, {} live, {} descriptors open{growing}, {} lost",
        HumanCount(progress.events),
        HumanBytes(progress.live_bytes),
        HumanCount(progress.open_descriptors),
        HumanCount(progress.lost),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_that_become_more_and_more_are_told_while_the_program_runs() {
        let progress = Progress { events: 1000, open_descriptors: 40, ..Progress::default() };
        assert_eq!(told(&progress), "1,000 events, 0 B live, 40 descriptors open, 0 lost");
        let growing = Progress { growing: 2, fastest_per_second: 0.2, ..progress };
        let expected = "1,000 events, 0 B live, 40 descriptors open, growing at 2 places (fastest 12.0 a minute), 0 lost";
        assert_eq!(told(&growing), expected);
    }
}
