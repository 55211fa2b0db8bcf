//! Leaks in every place from which Rust code can be called: leak. What it says and how its lines are
//! marked is as in `leak.c`; an allocation may go through inlined functions of the standard library.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::mem;

fn said(place: &str, blocks: usize, bytes: usize) {
    println!("leaked.{place}.blocks={blocks}");
    println!("leaked.{place}.bytes={bytes}");
}

#[inline(never)]
fn boxed() {
    let block = Box::new(black_box([1_u8; 40])); // LEAK boxed
    mem::forget(black_box(block));
    said("boxed", 1, 40);
}

trait Shape {
    fn keep(&self, count: usize);
}

struct Round;

impl Shape for Round {
    #[inline(never)]
    fn keep(&self, count: usize) {
        let numbers: Vec<u32> = Vec::with_capacity(count); // LEAK dynamic
        mem::forget(black_box(numbers));
        said("dynamic", 1, 4 * count);
    }
}

#[inline(never)]
fn generic<T: Copy + Default>(count: usize) {
    let values: Vec<T> = Vec::with_capacity(count); // LEAK generic
    mem::forget(black_box(values));
    said("generic", 1, count * size_of::<T>());
}

#[inline(never)]
fn apply<F: Fn(usize)>(times: usize, closure: F) {
    for round in 0..times {
        closure(black_box(round)); // VIA closure
    }
}

#[inline(never)]
fn thread() {
    let text = String::from(black_box("a text of some bytes")); // LEAK thread
    mem::forget(black_box(text));
    said("thread", 1, 20);
}

fn main() {
    boxed(); // VIA boxed
    let shape: Box<dyn Shape> = black_box(Box::new(Round));
    shape.keep(33); // VIA dynamic
    generic::<u64>(21); // VIA generic
    apply(5, |round| {
        let block: Vec<u8> = Vec::with_capacity(50 + round); // LEAK closure
        mem::forget(black_box(block));
    });
    said("closure", 5, 5 * 50 + 10);
    std::thread::spawn(|| {
        thread(); // VIA thread
        black_box(());
    })
    .join()
    .expect("a thread's end");
    let noise: BTreeMap<String, usize> = (0..100).map(|number| (number.to_string(), number)).collect();
    black_box(noise);
}
