//! Counts its own allocations and files: `counts THREADS ITERATIONS`.
//!
//! The counting allocator stands between Rust and the system's, so it knows each call exactly.

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs::File;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Barrier, OnceLock};

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static REALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static FREES: AtomicU64 = AtomicU64::new(0);
static FILES: AtomicU64 = AtomicU64::new(0);
static BARRIER: OnceLock<Barrier> = OnceLock::new();

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        // SAFETY: the caller's contract is ours.
        unsafe { System.alloc(layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        // SAFETY: the caller's contract is ours.
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        FREES.fetch_add(1, Relaxed);
        // SAFETY: the caller's contract is ours.
        unsafe { System.dealloc(block, layout) }
    }
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        REALLOCATIONS.fetch_add(1, Relaxed);
        // SAFETY: the caller's contract is ours.
        unsafe { System.realloc(block, layout, bytes) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

#[repr(align(128))]
struct Wide([u8; 128]);

fn work(iterations: usize) {
    for i in 0..iterations {
        let mut bytes: Vec<u8> = Vec::with_capacity(10 + i % 500);
        bytes.push(1);
        bytes.reserve_exact(1000);
        black_box(&bytes);
        black_box(vec![0_u8; 64 + i % 100]);
        black_box(Box::new(i));
        let wide = Box::new(Wide([7; 128]));
        black_box(wide.0[i % 128]);
        let file = File::open("/dev/null").expect("/dev/null opens");
        let copy = file.try_clone().expect("a descriptor can be copied");
        FILES.fetch_add(2, Relaxed);
        drop((file, copy));
    }
}

fn main() {
    let arguments: Vec<usize> =
        std::env::args().skip(1).map(|word| word.parse().expect("a number")).collect();
    let [threads, iterations] = arguments[..] else { panic!("counts THREADS ITERATIONS") };
    let barrier = BARRIER.get_or_init(|| Barrier::new(threads));
    let thread = move || {
        barrier.wait();
        work(iterations);
        barrier.wait();
    };
    // Joined one by one: at the end of a scope the threads themselves may still be at work.
    let handles: Vec<_> = (0..threads).map(|_| std::thread::spawn(thread)).collect();
    for handle in handles {
        handle.join().expect("a thread's end");
    }
    let [allocations, reallocations, frees, files] =
        [&ALLOCATIONS, &REALLOCATIONS, &FREES, &FILES].map(|counter| counter.load(Relaxed));
    println!("heap.allocations={allocations}");
    println!("heap.reallocations={reallocations}");
    println!("heap.frees={frees}");
    println!("descriptors.opened={files}");
    println!("descriptors.closed={files}");
}
