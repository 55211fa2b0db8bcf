//! A whole segment of the fuzzer's bytes: header, control blocks and rings, read as the CLI does.
//!
//! `cargo fuzz run segment` in `channel/`; without a nightly toolchain `RUSTC_BOOTSTRAP=1` before it.
#![no_main]

use calltap_channel::record::{MAX_WORDS, Record};
use calltap_channel::ring::{Consumer, Peeked};
use calltap_channel::segment::{Layout, MIN_RING_BYTES, Segment};
use calltap_channel::{Function, Note};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let layout = Layout::new(2, MIN_RING_BYTES).expect("within bounds");
    let layout = layout.with_stacks(64, 64).expect("within bounds");
    let mut memory = vec![0_u64; layout.size() as usize / 8];
    for (word, bytes) in memory.iter_mut().zip(data.chunks(8)) {
        let mut padded = [0; 8];
        padded[..bytes.len()].copy_from_slice(bytes);
        *word = u64::from_le_bytes(padded);
    }
    // The bytes of the rings come last in the segment; give the fuzzer a short way to them.
    let rings = layout.rings() as usize / 8;
    for (index, bytes) in data.chunks_exact(8).enumerate().take(4096) {
        memory[rings + index % (layout.capacity as usize)] =
            u64::from_le_bytes(bytes.try_into().expect("eight bytes"));
    }
    let stacks = layout.stacks() as usize / 8;
    for (index, bytes) in data.chunks_exact(8).enumerate().take(1024) {
        memory[stacks + index] = u64::from_le_bytes(bytes.try_into().expect("eight bytes"));
    }
    let base = memory.as_mut_ptr().cast::<u8>();
    // SAFETY: a page and more is allocated at `base`; the header may hold any bits.
    let _ = unsafe { Segment::layout_at(base, layout.size()) };
    // SAFETY: the vector has the layout's size and outlives every use below.
    let segment = unsafe { Segment::view(base, layout) };
    for id in 0..=65 {
        let _ = segment.stacks().get(id);
    }
    for ring in 0..2 {
        let control = segment.control(ring);
        let words = segment.words(ring);
        let mut consumer = Consumer::new(0, layout.capacity);
        let mut head = [0; MAX_WORDS];
        loop {
            match consumer.peek(&words, &mut head) {
                Peeked::Nothing => break,
                Peeked::Corrupt(_) => consumer.clear(&words),
                Peeked::Record(length) => {
                    if let Ok(record) = Record::parse(&head[..length]) {
                        let _ = (Function::from_number(record.number()), Note::from_number(record.number()));
                        let _ = (record.end(), record.returned(), record.arguments(), record.text());
                    }
                    consumer.pass(&words, length);
                }
            }
        }
        consumer.release(control);
        consumer.abandon(&words, control.cursor());
    }
});
