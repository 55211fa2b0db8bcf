// What rustc makes calls foreign functions through the global offset table, without a procedure linkage table.
use std::ffi::{CString, c_char, c_int, c_void};
use std::hint::black_box;

unsafe extern "C" {
    fn strlen(text: *const c_char) -> usize;
    fn getuid() -> u32;
    fn getppid() -> c_int;
    fn calloc(count: usize, size: usize) -> *mut c_void;
}

fn main() {
    let times: i64 = std::env::args().nth(1).and_then(|word| word.parse().ok()).unwrap_or(0);
    let text = CString::new("seventeen").unwrap();
    let mut sum = 0;
    for index in 0..times {
        // Hidden from the optimizer, which knows what some of these functions do.
        // SAFETY: C functions, called as their manual pages say; the text ends with a zero.
        unsafe {
            sum += strlen(black_box(text.as_ptr())) as i64;
            sum += i64::from(getppid() > 0) + i64::from(getuid() == 0);
            sum += i64::from(!black_box(calloc(1, index as usize + 1)).is_null());
        }
    }
    println!("sum={sum}");
    // The others are called by the standard library, too.
    for name in ["getuid", "getppid"] {
        println!("calls.{name}={times}");
    }
    std::process::exit(7);
}
