// The order of drops in Rust: of fields, of what was moved, of collections, of boxed traits; and a process's exit status.
//
// torture: ends 12
use std::collections::{BTreeMap, HashMap};
use std::rc::{Rc, Weak};

struct Told(&'static str);

impl Drop for Told {
    fn drop(&mut self) {
        println!("drop {}", self.0);
    }
}

struct Pair {
    _first: Told,
    _second: Told,
}

struct Node {
    parent: Weak<Node>,
    _own: Told,
}

fn moved(_told: Told) {
    println!("moved in");
}

fn main() {
    let _last = Told("first of main");
    let pair = Pair { _first: Told("field one"), _second: Told("field two") };
    moved(Told("argument"));
    let boxed: Vec<Box<dyn std::any::Any>> = vec![Box::new(Told("boxed one")), Box::new(Told("boxed two"))];
    drop(boxed);
    drop(pair);
    let parent = Rc::new(Node { parent: Weak::new(), _own: Told("parent") });
    let child = Rc::new(Node { parent: Rc::downgrade(&parent), _own: Told("child") });
    println!("{}", child.parent.upgrade().is_some());
    drop(parent);
    println!("{}", child.parent.upgrade().is_some());
    let mut tree: BTreeMap<String, Vec<u8>> =
        (0..500).map(|i| (format!("{i:05}"), vec![i as u8; i])).collect();
    let hash: HashMap<usize, String> = (0..500).map(|i| (i, "x".repeat(i))).collect();
    tree.retain(|_, bytes| bytes.len() % 7 == 0);
    println!("{} {}", tree.len(), hash.values().map(String::len).sum::<usize>());
    let slice: Box<[u64]> = vec![3; 1000].into_boxed_slice();
    let kept: &'static [u64] = Box::leak(slice);
    println!("{}", kept.iter().sum::<u64>());
    std::process::exit(if std::mem::needs_drop::<Told>() { 12 } else { 1 });
}
