//! Allocates from many places, at many depths: `busy ROUNDS`. Prints a sum, the same in each run.

use std::collections::{BTreeMap, HashMap};
use std::fmt::{self, Display};
use std::hint::black_box;
use std::rc::Rc;

/// An expression of random shape.
enum Tree {
    Number(u32),
    Sum(Vec<Tree>),
    Product(Box<Tree>, Box<Tree>),
    Named(Rc<str>, Box<Tree>),
    Lazy(Box<dyn Fn(u32) -> Tree>),
}

/// A sequence of numbers, the same in each run.
struct Sequence(u32);

impl Sequence {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.0 >> 16
    }
}

fn grow(depth: u32, numbers: &mut Sequence) -> Tree {
    let number = numbers.next();
    if depth == 0 {
        return Tree::Number(number);
    }
    match number % 5 {
        0 => Tree::Sum((0..3).map(|_| grow(depth - 1, numbers)).collect()),
        1 => Tree::Product(Box::new(grow(depth - 1, numbers)), Box::new(grow(depth / 2, numbers))),
        2 => Tree::Named(format!("name {}", number % 100).into(), Box::new(grow(depth - 1, numbers))),
        3 => {
            let seed = numbers.next();
            Tree::Lazy(Box::new(move |more| grow((depth - 1).min(4), &mut Sequence(seed + more))))
        }
        _ => Tree::Number(number),
    }
}

impl Tree {
    fn value(&self, names: &mut BTreeMap<String, u32>) -> u32 {
        match self {
            Self::Number(number) => *number,
            Self::Sum(parts) => parts.iter().map(|part| part.value(names)).fold(0, u32::wrapping_add),
            Self::Product(one, other) => one.value(names).wrapping_mul(other.value(names)),
            Self::Named(name, tree) => {
                let value = tree.value(names);
                *names.entry(name.to_string()).or_default() ^= value;
                value
            }
            Self::Lazy(make) => make(7).value(names),
        }
    }
}

impl Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Sum(parts) => {
                let words: Vec<String> = parts.iter().map(ToString::to_string).collect();
                write!(f, "({})", words.join(" + "))
            }
            Self::Product(one, other) => write!(f, "{one} * {other}"),
            Self::Named(name, tree) => write!(f, "{name}={tree}"),
            Self::Lazy(make) => write!(f, "<{}>", make(3)),
        }
    }
}

fn work(seed: u32, rounds: u32) -> u32 {
    let mut names = BTreeMap::new();
    let mut lengths: HashMap<usize, Vec<u32>> = HashMap::new();
    let mut numbers = Sequence(seed);
    let mut sum = 0_u32;
    for round in 0..rounds {
        let tree = grow(round % 14, &mut numbers);
        let text = tree.to_string();
        lengths.entry(text.len() % 97).or_default().push(round);
        sum = sum.wrapping_add(tree.value(&mut names)).wrapping_add(text.len() as u32);
        let mut words: Vec<String> = text.split(' ').map(str::to_uppercase).collect();
        words.sort();
        black_box(words);
    }
    names.values().chain(lengths.values().flatten()).fold(sum, |sum, value| sum.wrapping_add(*value))
}

fn main() {
    let rounds: u32 = std::env::args().nth(1).and_then(|word| word.parse().ok()).expect("busy ROUNDS");
    let threads: Vec<_> = (1..4).map(|seed| std::thread::spawn(move || work(seed, rounds))).collect();
    for thread in threads {
        println!("sum={}", thread.join().expect("a thread's end"));
    }
}
