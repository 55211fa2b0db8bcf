//! A whole segment of the input's bytes: header, control blocks, stacks and rings, read as the CLI does.

use calltap_channel::record::{MAX_WORDS, Record};
use calltap_channel::ring::{Consumer, Peeked};
use calltap_channel::segment::{Layout, MIN_RING_BYTES, Segment};
use calltap_channel::{Function, Note};

use super::words;

/// Rings of a segment.
const RINGS: u64 = 2;

/// A segment that begins with these bytes; its rings and stacks begin with them, too.
pub fn bytes(data: &[u8]) {
    let layout = Layout::new(RINGS, MIN_RING_BYTES).expect("within bounds");
    let layout = layout.with_stacks(64, 64).expect("within bounds");
    let mut pages = memory(layout);
    let memory = words_of(&mut pages);
    let words = words::of(data);
    let (rings, stacks) = (layout.rings() as usize / 8, layout.stacks() as usize / 8);
    for (at, most) in [(0, memory.len()), (rings, layout.capacity as usize), (stacks, 1024)] {
        let count = words.len().min(most).min(memory.len() - at);
        memory[at..at + count].copy_from_slice(&words[..count]);
    }
    let base = pages.as_mut_ptr().cast::<u8>();
    // SAFETY: a page and more is allocated at `base`; the header may hold any bits.
    let _ = unsafe { Segment::layout_at(base, layout.size()) };
    // SAFETY: the vector has the layout's size and outlives every use below.
    let segment = unsafe { Segment::view(base, layout) };
    for id in 0..=65 {
        let _ = segment.stacks().get(id);
    }
    for ring in 0..RINGS as usize {
        read(&segment, ring);
    }
}

fn read(segment: &Segment, ring: usize) {
    let control = segment.control(ring);
    let words = segment.words(ring);
    let mut consumer = Consumer::new(0, segment.layout().capacity);
    let mut head = [0; MAX_WORDS];
    loop {
        match consumer.peek(&words, &mut head) {
            Peeked::Nothing => break,
            Peeked::Corrupt(_) => consumer.clear(&words),
            Peeked::Record(length) => {
                if let Ok(record) = Record::parse(&head[..length]) {
                    let _ = (Function::from_number(record.number()), Note::from_number(record.number()));
                    let _ = (record.end(), record.returned(), record.arguments().len(), record.text());
                }
                consumer.pass(&words, length);
            }
        }
    }
    consumer.release(control);
    consumer.abandon(&words, control);
}

/// As the kernel maps it.
#[derive(Clone)]
#[repr(C, align(4096))]
pub struct Page([u64; 512]);

/// Zeros for a segment.
pub fn memory(layout: Layout) -> Vec<Page> {
    vec![Page([0; 512]); layout.size().div_ceil(4096) as usize]
}

/// The words of a segment's memory.
pub fn words_of(pages: &mut [Page]) -> &mut [u64] {
    let words = pages.len() * 512;
    // SAFETY: a page is 512 words without padding, and they are borrowed as the pages are.
    unsafe { std::slice::from_raw_parts_mut(pages.as_mut_ptr().cast(), words) }
}
