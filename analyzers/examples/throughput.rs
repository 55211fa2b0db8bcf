//! What one event costs with every analyzer on, in the cases that matter for a fast target.
//!
//! `cargo run --release -p calltap-analyzers --example throughput [MILLIONS_OF_EVENTS [CASE]]`

use std::time::Instant;

use calltap_analyzers::event::{Action, Block, Event, FunctionId, Giver, Image, Thread};
use calltap_analyzers::image::Config;
use calltap_analyzers::session::Session;

const IMAGE: Image = Image(1);
const BATCH: usize = 512;

/// Makes the next events of a target.
trait Target {
    fn next(&mut self, clock: &mut u64, out: &mut Vec<Event<'static>>);
}

fn call(function: u16, start_ns: u64, end_ns: u64, action: Action<'static>) -> Event<'static> {
    Event {
        image: IMAGE,
        thread: Thread(4711),
        function: FunctionId(function),
        start_ns,
        end_ns,
        timed: true,
        errno: 0,
        site: 0x5555_0000_1234,
        stack: 0,
        vfork_child: false,
        text: b"",
        used: None,
        action,
    }
}

fn malloc(clock: &mut u64, block: u64) -> Event<'static> {
    *clock += 40;
    call(0, *clock - 20, *clock, Action::Allocated { block: Block(block), bytes: 64, giver: Giver::C })
}

fn free(clock: &mut u64, block: u64) -> Event<'static> {
    *clock += 40;
    call(1, *clock - 20, *clock, Action::Freed { block: Block(block), giver: Giver::C })
}

/// `free(malloc(64))` for ever.
struct Pair;
impl Target for Pair {
    fn next(&mut self, clock: &mut u64, out: &mut Vec<Event<'static>>) {
        out.push(malloc(clock, 0x7f00_0000_1010));
        out.push(free(clock, 0x7f00_0000_1010));
    }
}

/// A random one of many living blocks is freed and another allocated; `spread` times as many
/// addresses as blocks are in use.
struct Replace {
    blocks: Vec<u64>,
    free: Vec<u64>,
    random: u64,
}

impl Replace {
    fn new(blocks: u64, spread: u64) -> Self {
        let address = |n| 0x5600_0000_0010 + n * 80;
        Self {
            blocks: (0..blocks).map(address).collect(),
            free: (blocks..blocks * spread + 1).map(address).collect(),
            random: 88_172_645_463_325_252,
        }
    }

    fn below(&mut self, limit: usize) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random % limit as u64) as usize
    }
}

impl Target for Replace {
    fn next(&mut self, clock: &mut u64, out: &mut Vec<Event<'static>>) {
        let block = self.below(self.blocks.len());
        let other = self.below(self.free.len());
        out.push(free(clock, self.blocks[block]));
        std::mem::swap(&mut self.blocks[block], &mut self.free[other]);
        out.push(malloc(clock, self.blocks[block]));
    }
}

/// `delete[] new T[n]`: three records for each half.
struct Nested;
impl Target for Nested {
    fn next(&mut self, clock: &mut u64, out: &mut Vec<Event<'static>>) {
        let block = Block(0x7f00_0000_2020);
        for (function, giver, inside) in [(0, Giver::C, 20), (2, Giver::New, 10), (3, Giver::NewArray, 0)] {
            let action = Action::Allocated { block, bytes: 64, giver };
            out.push(call(function, *clock + inside, *clock + 80 - inside, action));
        }
        *clock += 100;
        for (function, giver, inside) in [(1, Giver::C, 20), (4, Giver::New, 10), (5, Giver::NewArray, 0)] {
            let action = Action::Freed { block, giver };
            out.push(call(function, *clock + inside, *clock + 80 - inside, action));
        }
        *clock += 100;
    }
}

/// `p = realloc(p, n)` in place.
struct Resize;
impl Target for Resize {
    fn next(&mut self, clock: &mut u64, out: &mut Vec<Event<'static>>) {
        let block = Block(0x7f00_0000_3030);
        *clock += 40;
        out.push(call(6, *clock - 20, *clock, Action::Reallocated { old: block, new: block, bytes: 100 }));
    }
}

/// Another target's calls, each acquire with one of many stacks, in no order. Ids are scattered as
/// those of a hash table with room for a million.
struct Stacks {
    target: Box<dyn Target>,
    stacks: u32,
    random: u32,
}

impl Target for Stacks {
    fn next(&mut self, clock: &mut u64, out: &mut Vec<Event<'static>>) {
        let first = out.len();
        self.target.next(clock, out);
        for event in &mut out[first..] {
            if matches!(event.action, Action::Allocated { .. }) {
                self.random = self.random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let number = ((u64::from(self.random) * u64::from(self.stacks)) >> 32) as u32;
                event.stack = number.wrapping_mul(0x9e37_79b1) & 0xf_ffff;
                event.site = 0x5555_0000_1234 + u64::from(number / 10) * 48;
            }
        }
    }
}

/// Nanoseconds per event, one by one or in batches: the median of all batches, since a busy machine
/// spoils some of them.
fn measure(target: &mut dyn Target, live: &[u64], events: usize, in_batches: bool) -> f64 {
    let mut session = Session::new(Config::default());
    session.begin(IMAGE, None, 0);
    let mut clock = 1000;
    for block in live {
        session.observe(&malloc(&mut clock, *block));
    }
    let mut spent = Vec::new();
    let mut batch = Vec::with_capacity(BATCH + 8);
    while spent.len() * BATCH < events {
        batch.clear();
        while batch.len() < BATCH {
            target.next(&mut clock, &mut batch);
        }
        let start = Instant::now();
        if in_batches {
            session.observe_batch(&batch);
        } else {
            batch.iter().for_each(|event| session.observe(event));
        }
        spent.push(start.elapsed().as_nanos() as f64 / batch.len() as f64);
    }
    let heap = session.end(IMAGE).and_then(|report| report.heap).expect("the image began with its heap on");
    assert_eq!((heap.double_frees.count, heap.unmatched_frees.count, heap.releases_unseen), (0, 0, 0));
    assert_eq!(heap.mismatched_frees.count, 0);
    let middle = spent.len() / 2;
    *spent.select_nth_unstable_by(middle, f64::total_cmp).1
}

fn main() {
    let millions = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(20.0_f64);
    let only = std::env::args().nth(2).unwrap_or_default();
    let events = (millions * 1e6) as usize;
    let resized = [0x7f00_0000_3030];
    println!("{:44} {:>10} {:>10}", "ns per event", "one by one", "in batches");
    let row = |name: &str, make: &dyn Fn() -> (Box<dyn Target>, Vec<u64>)| {
        if !name.contains(&only) {
            return;
        }
        let [single, batched] = [false, true].map(|in_batches| {
            let (mut target, live) = make();
            measure(&mut *target, &live, events, in_batches)
        });
        println!("{name:44} {single:>10.1} {batched:>10.1}");
    };
    row("malloc/free pair", &|| (Box::new(Pair), Vec::new()));
    let deep = |target, stacks| Box::new(Stacks { target, stacks, random: 7 });
    for (name, stacks) in [("pair, 50,000 stacks", 50_000), ("pair, 1,000,000 stacks", 1_000_000)] {
        row(name, &|| (deep(Box::new(Pair), stacks), Vec::new()));
    }
    row("1,000,000 live, 50,000 stacks", &|| {
        let target = Replace::new(1_000_000, 1);
        let live = target.blocks.clone();
        (deep(Box::new(target), 50_000), live)
    });
    for (name, blocks, spread) in [
        ("random replacement, 10,000 live", 10_000, 1),
        ("random replacement, 1,000,000 live", 1_000_000, 1),
        ("the same, three times as many addresses", 1_000_000, 3),
        ("the same with 1,300,000 live", 1_300_000, 3),
    ] {
        row(name, &|| {
            let target = Replace::new(blocks, spread);
            let live = target.blocks.clone();
            (Box::new(target), live)
        });
    }
    row("new[]/delete[], three records each", &|| (Box::new(Nested), Vec::new()));
    row("realloc in place", &|| (Box::new(Resize), resized.to_vec()));
}
