// Panics in Rust: caught, carried out of threads, within drops, and with what they leave on stderr.
use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe};

struct Told<'a>(&'a mut Vec<String>, usize);

impl Drop for Told<'_> {
    fn drop(&mut self) {
        // A panic within a drop that is part of unwinding, caught there.
        let caught = catch_unwind(|| resume_unwind(Box::new(7_u32)));
        let number = *caught.unwrap_err().downcast::<u32>().unwrap();
        self.0.push(format!("{} {number} {}", self.1, std::thread::panicking()));
    }
}

fn fails_at(depth: usize, order: &mut Vec<String>) -> usize {
    let text = vec![depth.to_string(); 10].join(",");
    let told = Told(order, depth);
    if depth == 0 {
        panic!("at the bottom");
    }
    fails_at(depth - 1, told.0) + text.len()
}

fn main() {
    std::panic::set_hook(Box::new(|information| eprintln!("panic: {}", information.payload().is::<&str>())));
    for _ in 0..20 {
        let mut order = Vec::new();
        let result = catch_unwind(AssertUnwindSafe(|| fails_at(5, &mut order)));
        assert_eq!(*result.unwrap_err().downcast::<&str>().unwrap(), "at the bottom");
        assert_eq!(order, (0..6).map(|depth| format!("{depth} 7 true")).collect::<Vec<_>>());
    }
    let failed = std::thread::spawn(|| -> usize { panic!("in a thread") }).join();
    println!("{:?}", failed.unwrap_err().downcast_ref::<&str>());
    let overflow = catch_unwind(|| vec![1_u8; 3][std::hint::black_box(5)]);
    println!("{}", overflow.is_err());
}
