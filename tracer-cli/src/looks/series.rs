//! The looks at one process, by time.

use calltap_analyzers::arenas::ArenaReport;

/// The most looks that are kept; if there are more, every second one goes.
const MOST: usize = 1024;

/// Looks by time: the last one in full, of those before it the figures.
#[derive(Debug, Default)]
pub struct Series {
    looks: Vec<ArenaReport>,
}

impl Series {
    /// Adds a look.
    pub fn push(&mut self, look: ArenaReport) {
        if let Some(last) = self.looks.last_mut() {
            last.reduce_to_figures();
        }
        if self.looks.len() == MOST {
            let mut keep = false;
            self.looks.retain(|_| {
                keep = !keep;
                !keep
            });
        }
        self.looks.push(look);
    }

    /// All that were kept.
    #[must_use]
    pub fn into_looks(self) -> Vec<ArenaReport> {
        self.looks
    }
}

#[cfg(test)]
mod tests {
    use calltap_analyzers::arenas::report::Strip;

    use super::*;

    #[test]
    fn looks_are_thinned_evenly_and_the_last_one_is_whole() {
        let mut series = Series::default();
        for at_ns in 0..5000 {
            series.push(ArenaReport { at_ns, strips: vec![Strip::default()], ..ArenaReport::default() });
        }
        let looks = series.into_looks();
        assert!(looks.len() <= MOST && looks.len() > MOST / 2, "{}", looks.len());
        assert!(looks.is_sorted_by_key(|look| look.at_ns));
        let (last, earlier) = looks.split_last().unwrap();
        assert_eq!((last.at_ns, last.strips.len()), (4999, 1));
        assert!(earlier.iter().all(|look| look.strips.is_empty()));
    }
}
