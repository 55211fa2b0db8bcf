use std::collections::BTreeMap;

use super::node::{APART, ARRAY, FORMAT, POINTER, STRUCT};
use super::*;
use crate::trace::plan::{HEAD, VERSION, head};

/// Byte by byte; what is not there cannot be read.
#[derive(Default)]
struct Fake {
    bytes: BTreeMap<u64, u8>,
    /// The highest address that was asked for.
    asked: u64,
}

impl Fake {
    fn put(&mut self, address: u64, bytes: &[u8]) {
        self.bytes.extend((address..).zip(bytes.iter().copied()));
    }

    fn words(&mut self, address: u64, words: &[u64]) {
        (address..).step_by(8).zip(words).for_each(|(at, word)| self.put(at, &word.to_le_bytes()));
    }
}

impl Memory for Fake {
    fn read(&mut self, address: u64, into: &mut [u8]) -> usize {
        self.asked = self.asked.max(address.saturating_add(into.len() as u64));
        let mut count = 0;
        for (at, byte) in (address..).zip(into) {
            let Some(there) = self.bytes.get(&at) else { break };
            *byte = *there;
            count += 1;
        }
        count
    }
}

#[derive(Default)]
struct Seen(Vec<(u64, Vec<u8>)>);

impl Sink for Seen {
    fn region(&mut self, address: u64, bytes: &[u8]) {
        self.0.push((address, bytes.to_vec()));
    }
}

impl Seen {
    fn has(&self, address: u64, bytes: &[u8]) -> bool {
        self.0.iter().any(|(at, seen)| *at == address && seen == bytes)
    }
}

/// A plan that is being written; limits are 8 characters and 3 elements.
struct Writer(Vec<u64>);

impl Writer {
    fn new() -> Self {
        let mut words = vec![0; HEAD];
        words[head::VERSION] = VERSION;
        words[head::STRING_LIMIT] = 8;
        words[head::ARRAY_LIMIT] = 3;
        Self(words)
    }

    fn put(&mut self, words: &[u64]) -> u64 {
        self.0.extend_from_slice(words);
        (self.0.len() - words.len()) as u64
    }

    fn pointer(&mut self, to: u64) -> u64 {
        self.put(&[node::word(POINTER, 8, Limit::Array), to])
    }

    fn until_zero(&mut self) -> u64 {
        self.put(&[expression::ZERO, 0])
    }

    fn string(&mut self) -> u64 {
        let zero = self.until_zero();
        self.put(&[node::word(ARRAY, 1, Limit::String), 0, zero])
    }

    fn argument(&mut self, number: u8) -> u64 {
        self.put(&[expression::word(expression::PLACE, 4, true, 0), Place::Gpr(number).word()])
    }

    /// Walks from the integer registers to the nodes given for them.
    fn walk(mut self, nodes: &[u64], values: &Values, memory: &mut Fake) -> Seen {
        let captures = self.put(&[nodes.len() as u64]) as usize;
        for (number, node) in nodes.iter().enumerate() {
            self.put(&[Place::Gpr(number as u8).word(), *node]);
        }
        self.0[head::WORDS] = self.0.len() as u64;
        let plan = Plan::new(&self.0).unwrap();
        let mut seen = Seen::default();
        walk(&plan, captures, values, memory, &mut seen, &mut Scratch::new());
        seen
    }
}

fn gprs(values: &[u64]) -> Values {
    let mut all = Values { sp: 0x7f00, ..Values::default() };
    all.gprs[..values.len()].copy_from_slice(values);
    all
}

#[test]
fn a_string_is_copied_with_its_end_or_one_character_beyond_the_limit() {
    let mut memory = Fake::default();
    memory.put(0x1000, b"short\0behind");
    memory.put(0x2000, b"longer than eight");
    let mut plan = Writer::new();
    let string = plan.string();
    let seen = plan.walk(&[string, string, string], &gprs(&[0x1000, 0x2000, 0]), &mut memory);
    assert_eq!(seen.0, [(0x1000, b"short\0".to_vec()), (0x2000, b"longer th".to_vec())]);
}

#[test]
fn a_string_at_the_end_of_a_page_is_read_no_further() {
    let mut memory = Fake::default();
    memory.put(0x1ffc, b"abc\0");
    let mut plan = Writer::new();
    let string = plan.string();
    let seen = plan.walk(&[string], &gprs(&[0x1ffc]), &mut memory);
    assert_eq!(seen.0, [(0x1ffc, b"abc\0".to_vec())]);
    assert_eq!(memory.asked, 0x2000);
    memory.put(0x1ffc, b"abcd");
    let mut plan = Writer::new();
    let string = plan.string();
    let seen = plan.walk(&[string], &gprs(&[0x1ffc]), &mut memory);
    assert_eq!(seen.0, [(0x1ffc, b"abcd".to_vec())], "what can be read of it");
}

#[test]
fn an_array_has_as_many_elements_as_an_argument_says() {
    let mut memory = Fake::default();
    memory.words(0x1000, &[1, 2, 3, 4, 5]);
    for (count, bytes) in [(2, 16), (100, 32), (0, 0), (-1_i32 as u32 as u64, 0)] {
        let mut plan = Writer::new();
        let expression = plan.argument(1);
        let array = plan.put(&[node::word(ARRAY, 8, Limit::Array), 0, expression]);
        let seen = plan.walk(&[array], &gprs(&[0x1000, count]), &mut memory);
        assert_eq!(seen.0.iter().map(|(_, bytes)| bytes.len()).sum::<usize>(), bytes, "{count}");
    }
}

#[test]
fn an_array_of_strings_is_followed_up_to_its_null() {
    let mut memory = Fake::default();
    memory.words(0x1000, &[0x2000, 0x3000, 0]);
    memory.put(0x2000, b"one\0");
    memory.put(0x3000, b"two\0");
    let mut plan = Writer::new();
    let string = plan.string();
    let pointer = plan.pointer(string);
    let zero = plan.until_zero();
    let array = plan.put(&[node::word(ARRAY, 8, Limit::Array), pointer, zero]);
    let seen = plan.walk(&[array], &gprs(&[0x1000]), &mut memory);
    assert_eq!(seen.0[0].1.len(), 24);
    assert_eq!(seen.0[1..], [(0x2000, b"one\0".to_vec()), (0x3000, b"two\0".to_vec())]);
}

#[test]
fn a_struct_says_how_long_the_array_is_that_it_points_to() {
    // struct(int, array(int, elt1)*, array(char, elt1)): the second array lies behind the struct's 16 bytes.
    let mut memory = Fake::default();
    memory.words(0x1000, &[0xffff_ffff_0000_0002, 0x2000]);
    memory.put(0x1010, b"xyz");
    memory.words(0x2000, &[7, 8]);
    let mut plan = Writer::new();
    let count = plan.put(&[expression::word(expression::MEMBER, 4, true, 0), 0]);
    let numbers = plan.put(&[node::word(ARRAY, 4, Limit::Array), 0, count]);
    let pointer = plan.pointer(numbers);
    let behind = plan.put(&[node::word(ARRAY, 1, Limit::Array), 0, count]);
    let structure = plan.put(&[node::word(STRUCT, 16, Limit::Array), 2, 8, pointer, 16 | APART, behind]);
    let seen = plan.walk(&[structure], &gprs(&[0x1000]), &mut memory);
    let regions: Vec<_> = seen.0.iter().map(|(at, bytes)| (*at, bytes.len())).collect();
    assert_eq!(regions, [(0x1000, 16), (0x2000, 8), (0x1010, 2)]);
}

/// A list: struct(long, list*), with the pointer first or last.
fn list(plan: &mut Writer, pointer_at: u64) -> u64 {
    let at = plan.0.len() as u64;
    plan.put(&[node::word(STRUCT, 16, Limit::Array), 1, pointer_at, at + 4]);
    plan.pointer(at);
    at
}

#[test]
fn a_list_is_followed_as_far_as_arrays_are() {
    let mut memory = Fake::default();
    (1..10).for_each(|at| memory.words(at << 12, &[at, (at + 1) << 12]));
    let mut plan = Writer::new();
    let node = list(&mut plan, 8);
    let seen = plan.walk(&[node], &gprs(&[0x1000]), &mut memory);
    assert_eq!(seen.0.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [0x1000, 0x2000, 0x3000]);
}

#[test]
fn a_ring_is_walked_once_and_two_ways_to_one_place_are_both_walked() {
    let mut memory = Fake::default();
    memory.words(0x1000, &[1, 0x2000]);
    memory.words(0x2000, &[2, 0x1000]);
    let mut plan = Writer::new();
    plan.0[head::ARRAY_LIMIT] = 1000;
    let node = list(&mut plan, 8);
    let seen = plan.walk(&[node, node], &gprs(&[0x1000, 0x2000]), &mut memory);
    let order: Vec<_> = seen.0.iter().map(|(at, _)| *at).collect();
    assert_eq!(order, [0x1000, 0x2000, 0x2000, 0x1000]);
}

#[test]
fn a_long_list_ends_where_the_bounds_are() {
    let mut memory = Fake::default();
    (1..300).for_each(|at| memory.words(at << 12, &[(at + 1) << 12, (at + 1) << 12]));
    for pointer_at in [0, 8] {
        let mut plan = Writer::new();
        plan.0[head::ARRAY_LIMIT] = 1000;
        let node = list(&mut plan, pointer_at);
        let seen = plan.walk(&[node], &gprs(&[0x1000]), &mut memory);
        assert_eq!(seen.0.len(), MAX_POINTERS);
    }
}

fn format(text: &str, unit: u32, values: &Values, memory: &mut Fake) -> Seen {
    let wide = |byte: u8| u32::from(byte).to_le_bytes().into_iter().take(unit as usize);
    memory.put(0x1000, &text.bytes().chain([0]).flat_map(wide).collect::<Vec<_>>());
    let mut plan = Writer::new();
    let format = plan.put(&[node::word(FORMAT, unit, Limit::Array), node::cursor(1, 0, 0)]);
    plan.walk(&[format], values, memory)
}

#[test]
fn a_format_leads_to_its_strings_past_all_other_arguments() {
    let mut memory = Fake::default();
    memory.put(0x2000, b"a string\0");
    memory.put(0x3000, &[b'w', 0, 0, 0, 0, 0, 0, 0]);
    memory.put(0x4000, b"sixth\0");
    // Above the return address: a word for %d, padding, a long double, the string of the last one.
    memory.words(0x7f08, &[99, 0, 1, 2, 0x4000]);
    let values = gprs(&[0x1000, 0x2000, 5, 0x3000, 7, 8]);
    let seen = format("%s %5d%%%f %ls %-#08lx%p%d %Lf %s", 1, &values, &mut memory);
    assert!(seen.has(0x2000, b"a string\0"));
    assert!(seen.has(0x3000, &[b'w', 0, 0, 0, 0, 0, 0, 0]));
    assert!(seen.has(0x4000, b"sixth\0"));
    let stack = seen.0.last().unwrap();
    assert_eq!((stack.0, stack.1.len()), (0x7f08, 40));
}

#[test]
fn a_precision_bounds_a_string_and_may_be_an_argument() {
    let mut memory = Fake::default();
    memory.put(0x2000, b"abcdefgh");
    let values = gprs(&[0x1000, 3, 0x2000]);
    assert!(format("%.*s", 1, &values, &mut memory).has(0x2000, b"abc"));
    assert!(format("%*.2s", 1, &values, &mut memory).has(0x2000, b"ab"));
    assert!(format("%*d%s", 1, &gprs(&[0x1000, 3, 4, 0x2000]), &mut memory).has(0x2000, b"abcdefgh"));
    let all = gprs(&[0x1000, u64::from(u32::MAX), 0x2000]);
    assert!(format("%.*s", 1, &all, &mut memory).has(0x2000, b"abcdefgh"), "negative is none");
}

#[test]
fn numbered_arguments_are_found_in_any_order() {
    let mut memory = Fake::default();
    memory.put(0x2000, b"abcdefgh");
    let values = gprs(&[0x1000, 9, 0x2000, 4]);
    assert!(format("%2$.*3$s %1$d", 1, &values, &mut memory).has(0x2000, b"abcd"));
    assert!(format("%2$*1$s", 1, &values, &mut memory).has(0x2000, b"abcdefgh"));
    assert!(
        format("%4294967295$s%0$s%*0$d%s", 1, &values, &mut memory)
            .has(0x1000, b"%4294967295$s%0$s%*0$d%s\0")
    );
}

#[test]
fn a_wide_format_has_characters_of_four_bytes() {
    let mut memory = Fake::default();
    memory.put(0x2000, b"ab\0");
    let values = gprs(&[0x1000, 7, 0x2000]);
    let seen = format("%d %s", 4, &values, &mut memory);
    assert_eq!(seen.0[0].1.len(), 24);
    assert!(seen.has(0x2000, b"ab\0"));
}

#[test]
fn words_that_mean_nothing_give_less_and_no_more() {
    // All of memory can be read, and leads everywhere.
    struct Endless(u64);
    impl Memory for Endless {
        fn read(&mut self, address: u64, into: &mut [u8]) -> usize {
            for (index, byte) in into.iter_mut().enumerate() {
                self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add((address + index as u64) | 1);
                *byte = (self.0 >> 56) as u8 | 0x10;
            }
            into.len()
        }
    }
    struct Sum(usize);
    impl Sink for Sum {
        fn region(&mut self, _: u64, bytes: &[u8]) {
            self.0 += bytes.len();
        }
    }
    let mut state = 0x1234_5678_u64;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut copied = 0;
    for _ in 0..3000 {
        let mut plan = Writer::new();
        for _ in 0..64 {
            let word = match random() % 4 {
                0 => node::word(random() % 6, (random() >> (random() % 64)) as u32, Limit::Array),
                1 => random() % 96,
                2 => random() >> (random() % 64),
                _ => random(),
            };
            plan.put(&[word]);
        }
        (plan.0[head::STRING_LIMIT], plan.0[head::ARRAY_LIMIT]) = (random() >> 40, random() % 100);
        let captures = plan.put(&[1, Place::Gpr(0).word(), HEAD as u64]) as usize;
        plan.0[head::WORDS] = plan.0.len() as u64;
        let mut sum = Sum(0);
        let values = gprs(&[random() | 1 << 20, random() % 9]);
        walk(
            &Plan::new(&plan.0).unwrap(),
            captures,
            &values,
            &mut Endless(random()),
            &mut sum,
            &mut Scratch::new(),
        );
        assert!(sum.0 <= BUDGET);
        copied += sum.0;
    }
    assert!(copied > 0);
}
