//! `mp_`, a `malloc_par`: the allocator's parameters, and counters of mapped chunks.

use calltap_analyzers::arenas::chunk_map::Parameters;
use calltap_analyzers::arenas::memory_map::PAGE;

use super::layout::{HEAP_MAX, LEAST, Layout, TCACHE_BINS, chunk_of};

/// What is read of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tuning {
    /// What is reported.
    pub(super) parameters: Parameters,
    /// What a thread arena's heap reserves, which is its alignment too.
    pub(super) heap_max: u64,
    /// The first program break; 0 as long as nothing was allocated.
    pub(super) break_base: u64,
}

impl Tuning {
    /// Reads it from its words; `None` if they cannot be those of a `malloc_par`.
    pub(super) fn of(words: &[u64], layout: Layout) -> Option<Self> {
        let int = |at: usize| (words[at / 8] >> (at % 8 * 8)) as u32;
        let whole = |at: usize| words[at / 8];
        // Three fields came between the first five and the rest.
        let (pages, ints, longs) = if layout.huge_pages {
            ([whole(40), whole(48)], [60, 64, 68, 72].map(int), 80)
        } else {
            ([0, 0], [40, 44, 48, 52].map(int), 56)
        };
        let [count, count_max, count_peak, fixed] = ints;
        let [mapped, mapped_peak, break_base, bins, tcache_max, tcache_count] =
            [0, 8, 16, 24, 32, 40].map(|at| whole(longs + at));
        let arenas = [whole(24), whole(32)];
        let sane = bins == bins_for(tcache_max)
            && (1..=TCACHE_BINS as u64).contains(&bins)
            && tcache_count <= u64::from(u16::MAX)
            && fixed <= 1
            && i32::try_from(count_max).is_ok()
            && count <= count_peak
            && (count == 0) == (mapped == 0)
            && mapped <= mapped_peak
            && mapped.is_multiple_of(PAGE)
            && mapped_peak.is_multiple_of(PAGE)
            && pages.iter().all(|&page| page == 0 || page.is_power_of_two() && page >= PAGE)
            && arenas.iter().all(|&limit| u32::try_from(limit).is_ok())
            && arenas[0] > 0
            && break_base < 1 << 47;
        let heap_max = if pages[1] == 0 { HEAP_MAX } else { pages[1].checked_mul(4)? };
        sane.then_some(Self {
            parameters: Parameters {
                trim_threshold: Some(whole(0)),
                top_pad: Some(whole(8)),
                mmap_threshold: Some(whole(16)),
                no_dynamic_threshold: Some(fixed == 1),
                arena_max: Some(arenas[1]),
                mmapped_chunks: Some(u64::from(count)),
                mmapped_bytes: Some(mapped),
                tcache_count: Some(tcache_count),
                tcache_max: Some(tcache_max),
            },
            heap_max,
            break_base,
        })
    }
}

/// How many sizes a thread's cache keeps for requests of up to `max` bytes.
const fn bins_for(max: u64) -> u64 {
    (chunk_of(max) - LEAST) / 16 + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW: Layout = Layout { heap_info: 48, mangled: true, huge_pages: true };
    const OLD: Layout = Layout { heap_info: 32, mangled: false, huge_pages: false };

    fn words(layout: Layout) -> Vec<u64> {
        let common = [0x20000, 0x20000, 0x20000, 8, 4];
        let counters = [0x3000, 0x5000, 0x5555_5555_9000, 64, 1032, 7, 0];
        // Three chunks now, at most 65536, and there were four.
        let ints: &[u64] =
            if layout.huge_pages { &[0, 0, 3 << 32, 4 << 32 | 65536, 0] } else { &[65536 << 32 | 3, 4] };
        [&common[..], ints, &counters].concat()
    }

    #[test]
    fn both_layouts_say_the_same() {
        let new = Tuning::of(&words(NEW), NEW).expect("sane");
        assert_eq!(Some(new), Tuning::of(&words(OLD), OLD));
        let told = new.parameters;
        assert_eq!((told.mmapped_chunks, told.mmapped_bytes), (Some(3), Some(0x3000)));
        assert_eq!((told.tcache_count, told.tcache_max, told.arena_max), (Some(7), Some(1032), Some(4)));
        assert_eq!((new.break_base, new.heap_max), (0x5555_5555_9000, 64 << 20));
        assert_eq!(words(NEW).len(), NEW.parameter_words());
        assert_eq!(words(OLD).len(), OLD.parameter_words());
    }

    #[test]
    fn huge_pages_make_larger_heaps() {
        let mut words = words(NEW);
        words[6] = 2 << 20;
        assert_eq!(Tuning::of(&words, NEW).expect("sane").heap_max, 8 << 20);
        words[6] = 3 << 20;
        assert_eq!(Tuning::of(&words, NEW), None);
    }

    #[test]
    fn words_that_contradict_each_other_are_refused() {
        // Bytes without chunks, more than the peak, no page, sizes that do not fit the largest request.
        for (at, word) in [(7, 0), (10, 0x6000), (10, 0x3001), (13, 63), (14, 2000), (15, 1 << 16)] {
            let mut words = words(NEW);
            words[at] = word;
            assert_eq!(Tuning::of(&words, NEW), None, "{at}");
        }
    }
}
