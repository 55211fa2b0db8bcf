//! The walk itself: a stack of its own instead of recursion, and every bound kept here.

use super::expression::Extent;
use super::node::{self, Limit};
use super::{BUDGET, MAX_NESTING, MAX_POINTERS, MAX_STEPS, Memory, Sink, Values, read_word};
use crate::trace::plan::{Place, Plan, head};

/// Bytes that are read at a time.
const BUFFER: usize = 512;
/// Nothing that a program owns lies below: null, and null plus an offset.
const FIRST_ADDRESS: u64 = 4096;
/// Strings are read up to here and then looked at again: what lies behind may not be mapped.
const PAGE: u64 = 4096;

/// Something that is still to be walked.
#[derive(Clone, Copy)]
struct Item {
    address: u64,
    /// Of the struct around.
    structure: u64,
    node: u32,
    /// Element or member that comes next.
    next: u32,
    /// Elements.
    count: u32,
    /// Pointers that were followed to get here.
    depth: u8,
    /// Its bytes were copied with what is around it.
    copied: bool,
}

impl Item {
    const NONE: Self = Self { address: 0, structure: 0, node: 0, next: 0, count: 0, depth: 0, copied: false };
}

/// Where a walk keeps what it is about to do, and what it reads: 2 KB that its caller finds room for, because the stack may
/// have none. What is left in it means nothing to the next walk.
pub struct Scratch {
    /// The pointers that were followed to get to the present item, and the nodes they led to.
    path: [u64; MAX_POINTERS],
    path_nodes: [u32; MAX_POINTERS],
    items: [Item; MAX_NESTING],
    buffer: [u8; BUFFER],
}

impl Scratch {
    /// Of no walk yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            path: [0; MAX_POINTERS],
            path_nodes: [0; MAX_POINTERS],
            items: [Item::NONE; MAX_NESTING],
            buffer: [0; BUFFER],
        }
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

/// See the module's documentation.
pub(super) struct Walker<'a, M, S> {
    pub(super) plan: Plan<'a>,
    pub(super) values: &'a Values,
    pub(super) memory: &'a mut M,
    sink: &'a mut S,
    /// Bytes that may still be copied.
    left: usize,
    /// Steps and reads that may still be made.
    steps: usize,
    scratch: &'a mut Scratch,
    /// How many of its items are in use.
    item_count: usize,
}

impl<'a, M: Memory, S: Sink> Walker<'a, M, S> {
    pub(super) fn new(
        plan: Plan<'a>,
        values: &'a Values,
        memory: &'a mut M,
        sink: &'a mut S,
        scratch: &'a mut Scratch,
    ) -> Self {
        Self { plan, values, memory, sink, left: BUDGET, steps: MAX_STEPS, scratch, item_count: 0 }
    }

    /// Walks what the address at a place leads to.
    pub(super) fn begin(&mut self, place: Place, node: usize) {
        let Some(address) = self.values.at(place, self.memory) else { return };
        self.follow(address, node, 0, 0);
        while let Some(item) = self.pop()
            && self.left > 0
            && self.may_go_on()
        {
            self.step(item);
        }
        self.item_count = 0;
    }

    fn may_go_on(&mut self) -> bool {
        self.steps = self.steps.saturating_sub(1);
        self.steps > 0
    }

    fn push(&mut self, item: Item) {
        if let Some(free) = self.scratch.items.get_mut(self.item_count) {
            *free = item;
            self.item_count += 1;
        }
    }

    fn pop(&mut self) -> Option<Item> {
        self.item_count = self.item_count.checked_sub(1)?;
        self.scratch.items.get(self.item_count).copied()
    }

    /// Goes to where a pointer leads, unless the way there goes through there.
    fn follow(&mut self, address: u64, node: usize, structure: u64, depth: u8) {
        let way = usize::from(depth);
        let (Some(addresses), Some(nodes)) =
            (self.scratch.path.get(..way), self.scratch.path_nodes.get(..way))
        else {
            return;
        };
        let node = node as u32;
        let is_struct = node::kind(self.plan.word(node as usize)) == node::STRUCT;
        let entered = nodes.iter().filter(|other| **other == node).count() as u64;
        if address < FIRST_ADDRESS
            || addresses.contains(&address)
            || is_struct && entered > 0 && entered >= self.plan.word(head::ARRAY_LIMIT)
        {
            return;
        }
        if let (Some(last), Some(last_node)) =
            (self.scratch.path.get_mut(way), self.scratch.path_nodes.get_mut(way))
        {
            (*last, *last_node) = (address, node);
            self.push(Item { address, structure, node, depth: depth + 1, ..Item::NONE });
        }
    }

    fn step(&mut self, item: Item) {
        let at = item.node as usize;
        let word = self.plan.word(at);
        match node::kind(word) {
            node::BYTES if !item.copied => self.copy(item.address, node::size(word)),
            node::POINTER => {
                if !item.copied {
                    self.copy(item.address, 8);
                }
                if let Some(address) = read_word(self.memory, item.address) {
                    self.follow(address, self.plan.word(at + 1) as usize, item.structure, item.depth);
                }
            }
            node::ARRAY => self.array(item, word),
            node::STRUCT => self.structure(item, word),
            node::FORMAT => self.format(item.address, node::size(word), self.plan.word(at + 1)),
            _ => {}
        }
    }

    fn structure(&mut self, item: Item, word: u64) {
        if item.next == 0 && !item.copied {
            self.copy(item.address, node::size(word));
        }
        let (at, index) = (item.node as usize, item.next as usize);
        let members = self.plan.word(at + 1);
        if u64::from(item.next) >= members {
            return;
        }
        // The last one leaves nothing behind: so a list needs no nesting, however long it is.
        if u64::from(item.next) + 1 < members {
            self.push(Item { next: item.next.saturating_add(1), ..item });
        }
        let offset = self.plan.word(at + 2 + 2 * index);
        self.push(Item {
            address: item.address.wrapping_add(offset & 0xffff_ffff),
            structure: item.address,
            node: self.plan.word(at + 3 + 2 * index) as u32,
            next: 0,
            count: 0,
            depth: item.depth,
            copied: offset & node::APART == 0,
        });
    }

    fn array(&mut self, item: Item, word: u64) {
        let at = item.node as usize;
        let size = node::size(word);
        let mut item = item;
        if item.next == 0 {
            item.count = self.elements(&item, word) as u32;
        }
        let element = self.plan.word(at + 1) as u32;
        if element == 0 || item.next >= item.count {
            return;
        }
        if item.next + 1 < item.count {
            self.push(Item { next: item.next + 1, ..item });
        }
        let address = item.address.wrapping_add(u64::from(item.next).wrapping_mul(size));
        self.push(Item { address, node: element, next: 0, count: 0, copied: true, ..item });
    }

    /// Copies an array's elements; gives how many of them are to be looked into.
    fn elements(&mut self, item: &Item, word: u64) -> u64 {
        let size = node::size(word);
        let most = self.most(node::limit(word));
        let expression = self.plan.word(item.node as usize + 2) as usize;
        let count = match self.extent(expression, item.structure) {
            Extent::Exactly(count) => {
                let count = count.min(most.saturating_add(1));
                if !item.copied {
                    self.copy(item.address, count.saturating_mul(size));
                }
                count
            }
            Extent::UntilZero(count) => {
                self.copy_until_zero(item.address, size, count.min(most.saturating_add(1)), !item.copied)
            }
        };
        count.min(most).min(BUDGET as u64)
    }

    /// The most elements that are wanted.
    pub(super) fn most(&self, limit: Limit) -> u64 {
        match limit {
            Limit::Array => self.plan.word(head::ARRAY_LIMIT),
            Limit::String => self.plan.word(head::STRING_LIMIT),
            Limit::None => BUDGET as u64,
        }
    }

    /// Copies bytes, as many as can be read.
    pub(super) fn copy(&mut self, address: u64, bytes: u64) {
        let mut done = 0;
        while done < bytes {
            let want = (bytes - done).min(self.left.min(BUFFER) as u64) as usize;
            let got = self.piece(address.wrapping_add(done), want, true);
            done += got as u64;
            if got < want || want == 0 {
                return;
            }
        }
    }

    /// Copies elements of `size` bytes up to and with the first that is all zero, at most `most` of them. Gives how
    /// many are before it.
    pub(super) fn copy_until_zero(&mut self, address: u64, size: u64, most: u64, emits: bool) -> u64 {
        if size == 0 || size > BUFFER as u64 || address < FIRST_ADDRESS {
            return 0;
        }
        let most = most.min(BUDGET as u64 / size);
        let mut done = 0;
        while done < most {
            let at = address.wrapping_add(done.wrapping_mul(size));
            let on_page = PAGE - at % PAGE;
            let room = self.left.min(BUFFER) as u64;
            let elements = (room.min(on_page.max(size)) / size).min(most - done);
            let want = (elements * size) as usize;
            let got = self.piece(at, want, false);
            let whole = self.scratch.buffer.get(..got).unwrap_or(&[]).chunks_exact(size as usize);
            let read = whole.len() as u64;
            let zero = whole.into_iter().position(|element| element.iter().all(|byte| *byte == 0));
            let bytes = zero.map_or(got, |zero| (zero + 1) * size as usize);
            if emits {
                self.give(at, bytes);
            }
            if let Some(zero) = zero {
                return done + zero as u64;
            }
            done += read;
            if got < want || want == 0 {
                break;
            }
        }
        done
    }

    /// Reads bytes into the buffer, and passes them on if `emits`.
    fn piece(&mut self, address: u64, want: usize, emits: bool) -> usize {
        if want == 0 || !self.may_go_on() {
            return 0;
        }
        let Some(into) = self.scratch.buffer.get_mut(..want) else { return 0 };
        let got = self.memory.read(address, into).min(want);
        if emits {
            self.give(address, got);
        }
        got
    }

    /// Passes the buffer's first bytes on.
    fn give(&mut self, address: u64, bytes: usize) {
        self.left = self.left.saturating_sub(bytes);
        if let Some(bytes) = self.scratch.buffer.get(..bytes)
            && !bytes.is_empty()
        {
            self.sink.region(address, bytes);
        }
    }
}
