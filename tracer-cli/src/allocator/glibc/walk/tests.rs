use super::*;
use crate::allocator::memory::Memory;
use ChunkKind::{Bin, Fencepost, InUse, Top};

const NEW: Layout = Layout { heap_info: 48, mangled: true, huge_pages: true };

/// Memory of our own with chunks in it.
struct Fixture(Vec<[u64; 2]>);

impl Fixture {
    /// Chunks by the words in their headers; their blocks are zero.
    fn of(headers: &[u64]) -> Self {
        let mut pairs = Vec::new();
        for &word in headers {
            let at = pairs.len();
            pairs.resize(at + (word & !FLAGS).max(16) as usize / 16, [0; 2]);
            pairs[at][1] = word;
        }
        Self(pairs)
    }

    fn address(&self, offset: u64) -> u64 {
        self.0.as_ptr() as u64 + offset
    }

    fn end(&self) -> u64 {
        self.address(self.0.len() as u64 * 16)
    }

    fn walk(&self, top: u64) -> Result<Walked, String> {
        let mut window = Window::new(Memory::of(std::process::id()));
        walk(&mut window, NEW, self.address(0), self.end(), self.address(top))
    }

    /// The sizes and kinds of all chunks.
    fn told(&self, top: u64) -> Vec<(u64, ChunkKind)> {
        let (chunks, links) = self.walk(top).expect("it is whole").chunks();
        assert_eq!(links.len(), chunks.len());
        chunks.iter().map(|chunk| (chunk.bytes(), chunk.kind())).collect()
    }
}

#[test]
fn a_chunk_is_free_if_the_next_one_says_so() {
    let mut heap = Fixture::of(&[0x21, 0x431, 0x40, 0x1001]);
    heap.0[(0x20 + 0x430) / 16][0] = 0x430;
    assert_eq!(heap.told(0x490), [(0x20, InUse), (0x430, Bin), (0x40, InUse), (0x1000, Top)]);
    let walked = heap.walk(0x490).expect("it is whole");
    assert_eq!((walked.free_chunks, walked.free_bytes), (1, 0x430));
    assert_eq!((walked.has_top, walked.end), (true, heap.end()));
}

#[test]
fn pieces_that_are_not_the_last_end_with_fenceposts() {
    let none = 1 << 20;
    assert_eq!(Fixture::of(&[0x41, 0x11, 0x1]).told(none), [(0x40, InUse), (16, Fencepost), (16, Fencepost)]);
    assert_eq!(
        Fixture::of(&[0x41, 0x11, 0x11]).told(none),
        [(0x40, InUse), (16, Fencepost), (16, Fencepost)]
    );
    // No room for a free chunk before it: what was left went into the fencepost.
    assert_eq!(
        Fixture::of(&[0x41, 0x21, 0x1]).told(none),
        [(0x40, InUse), (0x20, Fencepost), (16, Fencepost)]
    );
    // A small block before the fenceposts is none.
    assert_eq!(Fixture::of(&[0x21, 0x11, 0x1]).told(none), [(0x20, InUse), (16, Fencepost), (16, Fencepost)]);
}

#[test]
fn what_cannot_be_a_chunk_is_an_error() {
    // Zero, misaligned, behind the end, with its own mapping; a top that is too small or too large.
    for headers in [[0x41, 0x1, 0x41], [0x41, 0x29, 0x41], [0x41, 0x21, 0x1_0001], [0x41, 0x43, 0x41]] {
        let mut heap = Fixture::of(&[0x41, 0x41, 0x41]);
        (heap.0[0][1], heap.0[4][1], heap.0[8][1]) = (headers[0], headers[1], headers[2]);
        assert!(heap.walk(0x80).is_err(), "{headers:x?}");
    }
    for size in [0x31, 0x51, 0x11, 0x1, u64::MAX] {
        let mut heap = Fixture::of(&[0x41, 0x41]);
        heap.0[4][1] = size;
        assert!(heap.walk(0x40).is_err(), "{size:#x}");
    }
    // The first one cannot follow a free one, and a free one has one size.
    assert!(Fixture::of(&[0x40, 0x41]).walk(0x40).unwrap_err().contains("follow"));
    assert!(Fixture::of(&[0x41, 0x40, 0x41]).walk(0x80).unwrap_err().contains("follow"));
    assert!(Fixture::of(&[0x41, 0x41]).walk(0x80).unwrap_err().contains("without top"));
}

#[test]
fn words_of_any_kind_never_make_it_panic_or_go_on_for_ever() {
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    for _ in 0..2000 {
        let mut heap = Fixture(vec![[0; 2]; 256]);
        for pair in &mut heap.0 {
            // Sizes that are likely to lead somewhere, and some that are not.
            *pair = [next() % 0x100, if next() % 8 == 0 { next() } else { (next() % 0x200) | 1 }];
        }
        let top = (next() % 0x1000) & !15;
        if let Ok(walked) = heap.walk(top) {
            let (chunks, _) = walked.chunks();
            assert!(chunks.windows(2).all(|pair| pair[0].end() == pair[1].address));
            assert!(chunks.last().expect("one at least").end() <= heap.end());
        }
    }
}

#[test]
fn links_are_kept_where_a_list_can_lead() {
    let mut heap = Fixture::of(&[0x31, 0x31, 0x31, 0x421, 0x431, 0x30, 0x1001]);
    heap.0[(0x90 + 0x420 + 0x430) / 16][0] = 0x430;
    let block = |at: u64| heap.address(at + 16);
    let place = block(0);
    let linked = NEW.linked(heap.address(0x40), place);
    let offsets = [(1, linked), (4, u64::MAX), (7, u64::MAX), (10, linked)];
    for (pair, word) in offsets {
        heap.0[pair][0] = word;
    }
    let free = (0x90 + 0x420) / 16 + 1;
    heap.0[free][0] = 0x7f00_0000_0001;
    let (chunks, links) = heap.walk(0x90 + 0x420 + 0x430 + 0x30).expect("it is whole").chunks();
    assert_eq!(chunks.len(), 7);
    // In use and small: only what can be an address. In use and large: never. Free: always.
    assert_eq!(links[..5], [linked, NO_LINK, NO_LINK, NO_LINK, 0x7f00_0000_0001]);
}
