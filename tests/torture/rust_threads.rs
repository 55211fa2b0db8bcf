// Threads in Rust with channels, scopes, thread-local values that drop, and descriptors that close in order.
use std::cell::RefCell;
use std::fs::File;
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{mpsc, Arc, Barrier, Mutex};

static DROPPED: AtomicUsize = AtomicUsize::new(0);

struct Local(Vec<String>);

impl Drop for Local {
    fn drop(&mut self) {
        let joined = self.0.join("");
        DROPPED.fetch_add(joined.len(), Ordering::SeqCst);
    }
}

thread_local!(static LOCAL: RefCell<Local> = const { RefCell::new(Local(Vec::new())) });

fn main() {
    let (sender, receiver) = mpsc::channel();
    let barrier = Arc::new(Barrier::new(16));
    let threads: Vec<_> = (0..16)
        .map(|number: usize| {
            let (sender, barrier) = (sender.clone(), barrier.clone());
            std::thread::Builder::new()
                .name(format!("worker {number}"))
                .spawn(move || {
                    barrier.wait();
                    LOCAL.with(|local| local.borrow_mut().0 = vec!["word".to_owned(); number]);
                    for round in 0..50 {
                        sender.send(number * round).unwrap();
                    }
                    std::thread::current().name().unwrap().len()
                })
                .unwrap()
        })
        .collect();
    drop(sender);
    let sum: usize = receiver.iter().sum();
    let names: usize = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    println!("sum {sum}, names {names}, dropped {}", DROPPED.load(Ordering::SeqCst));
    assert_eq!(DROPPED.load(Ordering::SeqCst), 4 * 120);
    let total = Mutex::new(0);
    std::thread::scope(|scope| {
        for number in 0..20 {
            let total = &total;
            scope.spawn(move || *total.lock().unwrap() += number);
        }
    });
    println!("total {}", total.into_inner().unwrap());
    let files: Vec<File> = (0..5).map(|_| File::open("/dev/null").unwrap()).collect();
    println!("descriptors {:?}", files.iter().map(File::as_raw_fd).collect::<Vec<_>>());
    drop(files);
    println!("again {}", File::open("/dev/null").unwrap().as_raw_fd());
}
